"""An issuer of tokens that is really asked over HTTP, rotates keys at will, and misbehaves in every way."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

Key = RSAKey | ECKey | OKPKey | OctKey


def segment(value: Any) -> str:
    """Return JSON, or bytes as they are, as a part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(header: dict[str, Any], claims: Any, key: Key, *, alg: str | None = None) -> str:
    """Return a token with exactly that header, signed by `alg` whatever the header says of it."""
    text = f"{segment(header)}.{segment(claims)}"
    signer = JWSRegistry.algorithms[alg or header["alg"]]
    return f"{text}.{segment(signer.sign(text.encode(), key))}"


class FakeIssuer:
    """An issuer at `url`; `mode` is how it answers: well, down, slow, huge, garbage, redirect or other."""

    def __init__(self) -> None:
        """Start to listen on a free port."""
        self.mode = "well"
        self.requests: list[str] = []
        self.keys: list[tuple[str, RSAKey]] = []
        self.rotate()
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def rotate(self) -> None:
        """Sign with another key, and publish no other."""
        key = RSAKey.generate_key(2048)
        self.keys = [(key.thumbprint(), key)]

    @property
    def kid(self) -> str:
        """The id of the key in use."""
        return self.keys[0][0]

    @property
    def key(self) -> RSAKey:
        """The key in use."""
        return self.keys[0][1]

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return the claims of a good token, with some of them changed and those that are None left out."""
        moment = int(time.time())
        claims = {
            "iss": self.url,
            "aud": "scim",
            "azp": "hr-sync",
            "sub": "someone",
            "iat": moment,
            "nbf": moment,
            "exp": moment + 600,
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, header: dict[str, Any] | None = None, **changed: Any) -> str:
        """Return a token of the key in use; `header` adds to its header."""
        full = {"alg": "RS256", "typ": "JWT", "kid": self.kid, **(header or {})}
        return signed(full, self.claims(**changed), self.key, alg="RS256")

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a request in the current mode."""
        self.requests.append(handler.path)
        status, headers, body = 200, {}, self._body(handler.path)
        if self.mode == "down":
            status, body = 500, b"{}"
        elif self.mode == "redirect":
            status, headers = 302, {"Location": f"{self.url}/elsewhere"}
        elif self.mode == "slow":
            time.sleep(1)
        elif self.mode == "huge":
            body = b'{"keys": [' + b" " * 2_000_000 + b"]}"
        elif self.mode == "garbage":
            body = b"<html>not at home</html>"
        try:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)
        except OSError:
            return

    def _body(self, path: str) -> bytes:
        if path.endswith("/openid-configuration"):
            named = f"{self.url}/other" if self.mode == "other" else self.url
            return json.dumps({"issuer": named, "jwks_uri": f"{self.url}/keys"}).encode()
        published = [{**key.as_dict(private=False), "kid": kid, "use": "sig"} for kid, key in self.keys]
        junk: list[Any] = [None, 7, {"kty": "oct", "k": "AAAA"}, {"kty": "RSA", "n": "!", "e": "AQAB"}]
        return json.dumps({"keys": [*junk, *published]}).encode()
