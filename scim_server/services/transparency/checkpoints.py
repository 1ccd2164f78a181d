"""Checkpoints: made every so often, signed with a key that is not in the database, and handed to sinks."""

from collections.abc import Sequence
from pathlib import Path

import structlog

from scim_server.scim.resources import timestamp
from scim_server.security.transparency.chain import GENESIS
from scim_server.security.transparency.merkle import Frontier
from scim_server.security.transparency.notes import BadNote, Checkpoint, Signer
from scim_server.services.transparency.sinks import Sink, SinkFailed
from scim_server.store import chain
from scim_server.store import checkpoints as rows
from scim_server.store.clock import now
from scim_server.store.database import Database, Writer

_SECOND = 1_000_000
_CLAIMED = 60 * _SECOND
_LONGEST_WAIT = 3_600 * _SECOND
_log = structlog.get_logger("scim_server")


class KeyUnusable(Exception):
    """A key file cannot be used; the message says which and why."""


def read_signer(path: Path) -> Signer:
    """Return the signer of a key file; raises KeyUnusable, also where others can read the file."""
    try:
        if path.stat().st_mode & 0o077:
            raise KeyUnusable(f"{path} can be read by others; run: chmod 600 {path}")
        return Signer.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, BadNote) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise KeyUnusable(f"{path} cannot be used as the key of the audit trail: {reason}") from error


def origin(signer_name: str, tenant: str) -> str:
    """Return what the checkpoints of a tenant call its log."""
    return f"{signer_name}/{tenant}"


class Checkpoints:
    """Makes the checkpoints of a store and publishes them; without a signer it makes none."""

    def __init__(self, database: Database, signer: Signer | None, sinks: Sequence[Sink] = ()) -> None:
        """Take the store, the key, and where checkpoints go."""
        self._database = database
        self.signer = signer
        self._sinks = {sink.name: sink for sink in sinks}

    async def make_due(self, seconds: float, *, events: int) -> int:
        """Make the checkpoints that are due by time or by number of events; returns how many."""
        if self.signer is None:
            return 0
        before = now() - int(seconds * _SECOND)
        waiting = await self._database.read(lambda reader: rows.due(reader, before))
        waiting += await self._database.read(lambda reader: rows.grown(reader, events))
        made = 0
        for tenant_id, tenant in dict.fromkeys(waiting):
            made += await self.make(tenant_id, tenant, before=before, events=events) is not None
        return made

    async def make(
        self, tenant_id: int, tenant: str, *, before: int | None = None, events: int = 1
    ) -> rows.StoredCheckpoint | None:
        """Make a checkpoint of a tenant; with `before` where it is still due, else None. Needs a signer."""
        signer = self.signer
        if signer is None:
            return None

        async def work(writer: Writer) -> rows.StoredCheckpoint | None:
            head = await chain.locked_head(writer, tenant_id, GENESIS)
            is_due = before is None or head.checkpoint_at < before
            if not is_due and head.sequence - head.checkpoint_size < events:
                return None
            at = max(now(), head.checkpoint_at + 1)
            root = Frontier.load(head.sequence, head.frontier).root()
            said = Checkpoint(
                origin(signer.name, tenant), head.sequence, root, timestamp(at), bytes(head.hash)
            )
            made = rows.StoredCheckpoint(at, said.size, root, said.chain, signer.note(said))
            await rows.add(writer, tenant_id, made, list(self._sinks))
            await chain.move_head(writer, tenant_id, checkpoint_size=made.size, checkpoint_at=at)
            return made

        return await self._database.write(work)

    async def publish(self) -> int:
        """Hand to the sinks what is due for them; returns how many took it. The rest is tried again."""
        if not self._sinks:
            return 0
        done = 0
        for one in await self._database.read(lambda reader: rows.unpublished(reader, now())):
            sink = self._sinks.get(one.sink)
            if sink is not None:
                done += await self._publish(one, sink)
        return done

    async def _publish(self, one: rows.Publication, sink: Sink) -> bool:
        attempts, until = one.attempts + 1, now() + _CLAIMED
        if not await self._noted(one, attempts, until, "no answer yet"):
            return False
        mine = rows.Publication(one.tenant_id, one.tenant, one.at, one.sink, attempts, until, one.note)
        try:
            await sink.take(one.tenant, one.note)
        except SinkFailed as error:
            wait = min(5 * _SECOND << min(attempts, 20), _LONGEST_WAIT)
            await self._noted(mine, attempts, now() + wait, str(error)[:200])
            _log.warning("checkpoint not published", tenant=one.tenant, sink=one.sink, error=str(error)[:200])
            return False
        return await self._noted(mine, attempts, None, None)

    async def _noted(
        self, one: rows.Publication, attempts: int, next_try: int | None, error: str | None
    ) -> bool:
        return await self._database.write(
            lambda writer: rows.note_try(writer, one, attempts=attempts, next_try=next_try, error=error)
        )
