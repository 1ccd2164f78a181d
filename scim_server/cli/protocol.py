"""The HTTP/1.1 protocol of uvicorn with SCIM errors for what never becomes a request, and with limits.

uvicorn waits for a request, and for whoever takes an answer, as long as they like. Here a request has to be
received within `SCIM_REQUEST_SECONDS`, an answer has to be taken at 16 KiB in that time at least, the head
of a request is limited, and so are the connections of a process.
"""

import asyncio
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from scim_server.cli.serving import server_behind
from scim_server.scim.documents import MEDIA_TYPE, encode
from scim_server.scim.errors import (
    BadRequest,
    HeadersTooLarge,
    InvalidFilter,
    MethodNotAllowed,
    RequestTimeout,
    ScimError,
    ServiceUnavailable,
    UriTooLong,
)

MAX_URL = 65_535
"""Bytes of the longest URL that httptools takes apart."""
MAX_HEADERS = 100
MAX_HEADER_BYTES = 65_536
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_MAX_HEAD = 4 * 1024 * 1024
"""Bytes of a head that are read before the connection is closed without waiting for its end."""
_LEAST_TAKEN = 16_384
_IDLE, _HEAD, _BODY = "idle", "head", "body"
_GRACE = 5
"""Seconds that a slow body has beyond its time, in which it is answered with 408."""


class ScimHttpProtocol(HttpToolsProtocol):
    """Answers bytes that are not HTTP, heads that are too long or too slow, and too many connections."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what uvicorn gives, and the limits of the application."""
        super().__init__(*arguments, **options)
        settings = server_behind(self.config.loaded_app).settings
        self._seconds: float = settings.request_seconds
        self._most: int = settings.max_connections
        self._receiving: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._head_bytes = self._unsent = 0
        self._stage = self._timed = _IDLE
        self._refusal: ScimError | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it with 503 where there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self._most:
            self._refuse(ServiceUnavailable(f"The server has {self._most} connections already."))
        else:
            self._stage = _HEAD
            self._time_stage()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._receive_within(None)
        self._take_within(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, unless the connection is refused already."""
        if self._refusal is not None:
            return
        if self._stage != _BODY:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD:
                self._refuse(_head_too_large())
                return
        self._parse(data)
        if self._stage != self._timed and self._refusal is None:
            self._time_stage()

    def _parse(self, data: bytes) -> None:
        """Parse what has come; a wish to speak another protocol is passed over (RFC 9110 §7.8).

        The parser takes the body of such a request, and what follows, for the other protocol. So the request
        is parsed once more without the wish.
        """
        self._unset_keepalive_if_required()
        while data:
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as upgrade:
                data = self._without_upgrade() + data[upgrade.args[0] :]
                self.parser = HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            except HttpParserError:
                data = b""
                self.send_400_response("Invalid HTTP request received.")
            else:
                data = b""

    def _without_upgrade(self) -> bytes:
        """Return the head of the request as it was without the wish."""
        version = self.parser.get_http_version().encode()
        line = b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)
        kept = [b"%s: %s" % field for field in self.headers if field[0] != b"upgrade"]
        return b"\r\n".join([line, *kept, b"", b""])

    def _time_stage(self) -> None:
        """Give what is still to be received its time; most requests come whole, and need no timer."""
        self._timed = self._stage
        seconds = {_IDLE: None, _HEAD: self._seconds, _BODY: self._seconds + _GRACE}
        self._receive_within(seconds[self._stage])

    def on_message_begin(self) -> None:
        """Begin a request, which has to be received in time."""
        super().on_message_begin()
        self._stage = _HEAD

    def on_headers_complete(self) -> None:
        """Refuse a head that is too long; what reads the body answers where that is too slow."""
        self._stage = _BODY
        is_long, self._head_bytes = self._head_bytes > MAX_HEADER_BYTES, 0
        if len(self.headers) > MAX_HEADERS or (is_long and _size(self.headers) > MAX_HEADER_BYTES):
            self._refusal = _head_too_large()
            raise ValueError(self._refusal.detail)
        if len(self.url) > MAX_URL:
            self._refusal = _url_too_long(self.url)
            raise ValueError(self._refusal.detail)
        if self.parser.get_method() == b"CONNECT":
            self._refusal = MethodNotAllowed("CONNECT", _METHODS)
            raise ValueError(self._refusal.detail)
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request, which has been received."""
        if not self.parser.should_upgrade():
            self._stage = _IDLE
            super().on_message_complete()

    def pause_writing(self) -> None:
        """Begin to watch whoever takes the answer."""
        super().pause_writing()
        self._watch_taking()

    def resume_writing(self) -> None:
        """Go on with what is not sent yet."""
        self._take_within(None)
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that is not used, when what was sent has been taken."""
        if self.transport.get_write_buffer_size():
            self._watch_taking()
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """Send the error message of RFC 7644 §3.12 and close the connection."""
        self._refuse(self._refusal or BadRequest(msg))

    def _receive_within(self, seconds: float | None) -> None:
        if self._receiving is not None:
            self._receiving.cancel()
        self._receiving = None if seconds is None else self.loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        self._receiving = None
        if self._stage == _HEAD:
            self._refuse(RequestTimeout(f"The request was not received within {self._seconds:g} seconds."))
        else:
            self.transport.abort()

    def _take_within(self, seconds: float | None) -> None:
        if self._sending is not None:
            self._sending.cancel()
        self._sending = None if seconds is None else self.loop.call_later(seconds, self._check_taken)

    def _watch_taking(self) -> None:
        self._unsent = self.transport.get_write_buffer_size()
        self._take_within(self._seconds)

    def _check_taken(self) -> None:
        """Cut off who takes too little of an answer."""
        left = self.transport.get_write_buffer_size()
        if left == 0:
            self.transport.close()
        elif self._unsent - left < _LEAST_TAKEN:
            self.transport.abort()
        else:
            self._watch_taking()

    def _refuse(self, error: ScimError) -> None:
        """Send an error without the application and close the connection."""
        self._refusal = error
        self._receive_within(None)
        body = encode(error.body())
        headers = "".join(
            f"{name.lower()}: {value}\r\n" for name, value in error.headers.items() if name != "Connection"
        )
        head = (
            f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n"
            f"content-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {uuid4().hex}\r\n"
            f"{headers}connection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()


def _size(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in headers)


def _head_too_large() -> HeadersTooLarge:
    return HeadersTooLarge(
        f"The head of the request is too large; at most {MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes "
        "are possible."
    )


def _url_too_long(url: bytes) -> ScimError:
    detail = f"The URL is longer than {MAX_URL} bytes; send a long query to /.search."
    return InvalidFilter(detail) if b"filter=" in url else UriTooLong(detail)
