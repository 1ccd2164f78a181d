"""The HTTP/1.1 protocol of uvicorn with SCIM errors for what never becomes a request."""

from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from scim_server.scim.documents import MEDIA_TYPE, encode
from scim_server.scim.errors import BadRequest, InvalidFilter

MAX_URL = 65_535
"""Bytes of the longest URL that httptools takes apart."""


class ScimHttpProtocol(HttpToolsProtocol):
    """Answers bytes that are not HTTP, and URLs that are too long, as any other failure."""

    def send_400_response(self, msg: str) -> None:
        """Send the error message of RFC 7644 §3.12 and close the connection."""
        error = BadRequest(msg)
        if len(getattr(self, "url", b"")) > MAX_URL:
            kind = InvalidFilter if b"filter=" in self.url else BadRequest
            error = kind(f"The URL is longer than {MAX_URL} bytes; send a long query to /.search.")
        body = encode(error.body())
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            f"content-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {uuid4().hex}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()
