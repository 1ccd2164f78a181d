"""The keys that access tokens are signed with: shared by all servers, rotated with an overlap."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scim_server.security import signing
from scim_server.security.signing import SigningKey
from scim_server.store import oauth as rows
from scim_server.store.clock import datetime_of, end_of, now
from scim_server.store.database import Database, Reader, Writer

_SECOND = 1_000_000
KEPT_SECONDS = 60
OVERLAP_SECONDS = 2 * 3_600
"""How long a key is published after its successor came: longer than any token it signed lasts."""


@dataclass(frozen=True, slots=True)
class KeySummary:
    """What may be shown of a signing key; the one in use has no moment at which it retires."""

    kid: str
    created_at: datetime
    retires_at: datetime | None


class SigningKeys:
    """The signing keys of a store, remembered for a minute."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: Sequence[Any] = ()
        self._until = 0

    async def current(self) -> SigningKey:
        """Return the key to sign with; the first one is made here, once however many servers ask."""
        found = await self._live()
        if not found or found[-1].retires is not None:
            await self._database.write(_ensure)
            self._until = 0
            found = await self._live()
        return signing.kept_key(found[-1].kid, found[-1].key)

    async def key_set(self) -> dict[str, Any]:
        """Return the public keys that tokens may be signed with at the moment, as a JWK set."""
        return signing.key_set(signing.kept_key(row.kid, row.key) for row in await self._live())

    async def _live(self) -> Sequence[Any]:
        moment = now()
        if moment >= self._until:
            self._found = await self._database.read(lambda reader: rows.signing_keys(reader, moment))
            self._until = moment + KEPT_SECONDS * _SECOND
        return self._found

    async def rotate(self) -> KeySummary:
        """Make a new key the one in use; the one before stays published until its tokens have ended."""

        async def work(writer: Writer) -> KeySummary:
            moment = now()
            await rows.lock_signing_keys(writer)
            await rows.retire_signing_keys(writer, moment + OVERLAP_SECONDS * _SECOND)
            return await _insert(writer, moment)

        return await self._database.write(work)

    async def list(self) -> list[KeySummary]:
        """Return every key that is published, the one in use last."""

        async def work(reader: Reader) -> list[KeySummary]:
            found = await rows.signing_keys(reader, now())
            return [_summary(row.kid, row.created, row.retires) for row in found]

        return await self._database.read(work)


async def _ensure(writer: Writer) -> None:
    moment = now()
    await rows.lock_signing_keys(writer)
    found = await rows.signing_keys(writer, moment)
    if not any(row.retires is None for row in found):
        await _insert(writer, moment)


async def _insert(writer: Writer, moment: int) -> KeySummary:
    key = signing.new_key()
    await rows.insert_signing_key(writer, {"kid": key.kid, "created": moment, "key": key.kept()})
    return _summary(key.kid, moment, None)


def _summary(kid: str, created: int, retires: int | None) -> KeySummary:
    return KeySummary(kid, datetime_of(created), end_of(retires))
