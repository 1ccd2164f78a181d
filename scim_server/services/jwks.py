"""Key sets of outside issuers, fetched over HTTP and remembered."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx2
import structlog

from scim_server.scim.documents import decode
from scim_server.scim.errors import ScimError, ServiceUnavailable
from scim_server.security.jwts import BadJwt, PublicKey, public_keys
from scim_server.store.clock import now

MAX_BYTES = 262_144
SECONDS = 5.0
_SECOND = 1_000_000
KEPT = 3_600 * _SECOND
STALE = 6 * 3_600 * _SECOND
"""How long keys are used while their issuer does not answer."""
AGAIN = 30 * _SECOND
"""How soon a key that is not known makes the keys be fetched again."""
AFTER_FAILURE = 5 * _SECOND
_FAILURES = (httpx2.HTTPError, httpx2.InvalidURL, OSError, ScimError, BadJwt)
_log = structlog.get_logger("scim_server")
DISCOVERY = "/.well-known/openid-configuration"


class IssuerUnavailable(ServiceUnavailable):
    """The keys of an issuer cannot be had at the moment, so nothing can be said of its tokens."""


@dataclass(slots=True)
class _Entry:
    keys: list[PublicKey] = field(default_factory=list)
    fetched: int = 0
    failed: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class KeySets:
    """The public keys of issuers, by the issuer and the address of its keys."""

    def __init__(self, proxy: str | None = None, seconds: float = SECONDS) -> None:
        """Fetch through a proxy, if there is one, and wait for an answer `seconds` at most."""
        self._proxy = proxy
        self.seconds = seconds
        self._client: httpx2.AsyncClient | None = None
        self._entries: dict[tuple[str, str | None], _Entry] = {}

    async def keys(self, issuer: str, url: str | None, *, newer_than: int | None = None) -> list[PublicKey]:
        """Return the keys of an issuer, from `url` or from where its discovery document says they are.

        `newer_than` is when keys were fetched that did not do; they are fetched again then, at most once
        every AGAIN. Raises IssuerUnavailable.
        """
        entry = self._entries.setdefault((issuer, url), _Entry())
        async with entry.lock:
            moment = now()
            wanted = KEPT if newer_than is None or entry.fetched > newer_than else AGAIN
            if entry.fetched and moment - entry.fetched < wanted:
                return entry.keys
            if moment - entry.failed >= AFTER_FAILURE:
                try:
                    entry.keys = await self._fetched(issuer, url)
                except _FAILURES as error:
                    entry.failed = now()
                    _log.warning("the keys of an issuer cannot be fetched", issuer=issuer, error=_kind(error))
                else:
                    entry.fetched = moment
                    return entry.keys
            if newer_than is not None or not entry.fetched or moment - entry.fetched > STALE:
                raise IssuerUnavailable(
                    f"The keys of {issuer[:200]} cannot be fetched at the moment; try again."
                )
            return entry.keys

    def fetched_at(self, issuer: str, url: str | None) -> int:
        """Return when the keys of an issuer were fetched, 0 where they never were."""
        entry = self._entries.get((issuer, url))
        return 0 if entry is None else entry.fetched

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _fetched(self, issuer: str, url: str | None) -> list[PublicKey]:
        async with asyncio.timeout(self.seconds):
            return public_keys(await self._json(url or await self._discovered(issuer)))

    async def _discovered(self, issuer: str) -> str:
        """Return where the keys are (OpenID Connect Discovery 1.0 §4), as the very issuer says."""
        document = await self._json(f"{issuer.rstrip('/')}{DISCOVERY}")
        address = document.get("jwks_uri") if isinstance(document, dict) else None
        if not isinstance(address, str) or document.get("issuer") != issuer:
            raise BadJwt("the discovery document is that of another issuer")
        if not address.startswith("https://") and issuer.startswith("https://"):
            raise BadJwt("the keys are not at an https address")
        return address

    async def _json(self, url: str) -> Any:
        """Return a JSON document of MAX_BYTES at most; a redirect is no answer."""
        if self._client is None:
            self._client = httpx2.AsyncClient(
                proxy=self._proxy, trust_env=False, follow_redirects=False, timeout=self.seconds
            )
        body = bytearray()
        async with self._client.stream("GET", url, headers={"Accept": "application/json"}) as response:
            if response.status_code != httpx2.codes.OK:
                raise BadJwt(f"the issuer answers {response.status_code}")
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise BadJwt("the answer of the issuer is too large")
        return decode(bytes(body))


def _kind(error: BaseException) -> str:
    """Return what went wrong, in words that are this server's own."""
    return str(error) if isinstance(error, BadJwt) else type(error).__name__
