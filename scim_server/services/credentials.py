"""What clients prove themselves with at the token endpoint: secrets, and public keys."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from scim_server.security import jwts, tokens
from scim_server.services.clients import Lifetimes, known_client, superseded
from scim_server.store import oauth as rows
from scim_server.store.clock import datetime_of, end_of, now
from scim_server.store.database import Database, Writer

_LONGEST = 20_000


class UnknownKey(LookupError):
    """The client has no key of that id."""


@dataclass(frozen=True, slots=True)
class IssuedSecret:
    """A secret at the only moment it can be read, with the id that goes with it."""

    client: str
    client_id: str
    secret: str
    prefix: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A public key of a client: its thumbprint (RFC 7638), its own id if it has one, and its kind."""

    client: str
    client_id: str
    thumbprint: str
    kid: str | None
    type: str
    created_at: datetime


class Credentials:
    """The secrets and keys of the clients of a store."""

    def __init__(self, database: Database, lifetimes: Lifetimes | None = None) -> None:
        self._database = database
        self._lifetimes = lifetimes or Lifetimes()

    async def new_secret(
        self, name: str, *, tenant: str = "default", expires_in: timedelta | None = None
    ) -> IssuedSecret:
        """Issue a secret; the newest two stay good, so that a rotation loses no request.

        Raises UnknownClient, and ValueError for one that lasts too long.
        """
        secret = tokens.new_token(tokens.CLIENT_SECRET)
        expires = self._lifetimes.end(expires_in, now())

        async def work(writer: Writer) -> IssuedSecret:
            moment = now()
            tenant_id, client = await known_client(writer, tenant, name)
            issued = await rows.secrets_of(writer, tenant_id, [client.id])
            await rows.revoke_secrets(writer, tenant_id, superseded(issued, moment), moment)
            row = {
                "digest": tokens.digest(secret),
                "tenant_id": tenant_id,
                "client_id": client.id,
                "prefix": tokens.prefix(secret),
                "created": moment,
                "expires": expires,
            }
            await rows.insert_secret(writer, row)
            return IssuedSecret(name, client.id, secret, tokens.prefix(secret), end_of(expires))

        return await self._database.write(work)

    async def add_key(self, name: str, text: str, *, tenant: str = "default") -> ClientKey:
        """Take a public key, as JWK or PEM, whose assertions the client may prove itself with from now on.

        Raises UnknownClient, and ValueError for what is no such key or is there already.
        """
        document = public_jwk(text)
        thumbprint = _thumbprint(document)

        async def work(writer: Writer) -> ClientKey:
            moment = now()
            tenant_id, client = await known_client(writer, tenant, name)
            row = {
                "client_id": client.id,
                "thumbprint": thumbprint,
                "tenant_id": tenant_id,
                "kid": document.get("kid"),
                "key": json.dumps(document),
                "created": moment,
            }
            if not await rows.insert_key(writer, row):
                raise ValueError(f"The client {name} has this key already.")
            return _key(name, row)

        return await self._database.write(work)

    async def keys(self, name: str, *, tenant: str = "default") -> list[ClientKey]:
        """Return the public keys of a client, oldest first; raises UnknownClient."""

        async def work(writer: Writer) -> list[ClientKey]:
            tenant_id, client = await known_client(writer, tenant, name)
            found = await rows.keys_of(writer, tenant_id, client.id)
            return [_key(name, row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's name for it

        return await self._database.write(work)

    async def remove_key(self, name: str, key: str, *, tenant: str = "default") -> None:
        """Take no assertions by a key any more, named by thumbprint or id; raises UnknownKey."""

        async def work(writer: Writer) -> None:
            tenant_id, client = await known_client(writer, tenant, name)
            found = await rows.keys_of(writer, tenant_id, client.id)
            own = [row.thumbprint for row in found if key in (row.thumbprint, row.kid)]
            if not own:
                raise UnknownKey(f"The client {name} has no key {key}.")
            for thumbprint in own:
                await rows.remove_key(writer, tenant_id, client.id, thumbprint)

        await self._database.write(work)


def public_jwk(text: str) -> dict[str, Any]:
    """Return a public key, as a JWK, of a JWK or PEM text; raises ValueError for anything else.

    A private key is refused: it has no business here.
    """
    if len(text) > _LONGEST or "PRIVATE KEY" in text:
        raise ValueError("The file is no public key; keep the private one to yourself.")
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else _of_pem(text)
    except (JoseError, ValueError, RecursionError) as error:
        raise ValueError("The file is no public key as JWK or PEM.") from error
    if isinstance(document, dict) and "d" in document:
        raise ValueError("The file has a private key; give the public one only.")
    if jwts.public_key(document) is None:
        raise ValueError(
            "The key is none to verify signatures with: RSA of 2048 bits or more, EC, or Ed25519."
        )
    known = ("kty", "crv", "x", "y", "n", "e", "kid", "alg")
    return {name: document[name] for name in known if isinstance(document.get(name), str)}


def _of_pem(text: str) -> dict[str, Any]:
    for kind in ("RSA", "EC", "OKP"):
        try:
            return dict(JWKRegistry.import_key(text, kind).as_dict(private=False))
        except (JoseError, ValueError, TypeError):
            continue
    raise ValueError("no key")


def _thumbprint(document: dict[str, Any]) -> str:
    key = jwts.public_key(document)
    assert key is not None  # noqa: S101 - it was looked at before
    native: RSAKey | ECKey | OKPKey = key.key
    return str(native.thumbprint())


def _key(name: str, row: Any) -> ClientKey:
    document = json.loads(row["key"])
    kind = document.get("crv") or document["kty"]
    return ClientKey(name, row["client_id"], row["thumbprint"], row["kid"], kind, datetime_of(row["created"]))
