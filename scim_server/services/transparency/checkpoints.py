"""Checkpoints: made every so often, signed with a key that is not in the database, and handed to sinks."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from scim_server.scim.resources import timestamp
from scim_server.security.transparency.chain import GENESIS
from scim_server.security.transparency.merkle import Frontier
from scim_server.security.transparency.notes import BadNote, Checkpoint, Signer
from scim_server.services.transparency.sinks import SECONDS, Sink, SinkFailed
from scim_server.services.transparency.turns import Turns
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


def refuse_exposed(path: Path) -> None:
    """Raise KeyUnusable where others than the owner can read a file, OSError where it is not there."""
    if path.stat().st_mode & 0o077:
        raise KeyUnusable(f"{path} can be read by others; run: chmod 600 {path}")


def read_signer(path: Path) -> Signer:
    """Return the signer of a key file; raises KeyUnusable, also where others can read the file."""
    try:
        refuse_exposed(path)
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
        """Make the checkpoints that are due by time or by number of events; returns how many.

        One that is said to have been made in the future, or for more events than there are, does not count.
        What goes wrong with a tenant is raised once the others had their turn.
        """
        if self.signer is None:
            return 0
        before, moment = now() - int(seconds * _SECOND), now()
        waiting = await self._database.read(lambda reader: rows.due(reader, before, moment))
        waiting += await self._database.read(lambda reader: rows.grown(reader, events))
        made, turns = 0, Turns()
        for tenant_id, tenant in dict.fromkeys(waiting):
            with turns.taking("checkpoint", tenant_id):
                made += await self.make(tenant_id, tenant, before=before, events=events) is not None
        turns.end()
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
            moment, new = now(), head.sequence - head.checkpoint_size
            is_past = head.checkpoint_at <= moment
            is_due = before is None or head.checkpoint_at < before or not is_past
            if not is_due and 0 <= new < events:
                return None
            at = max(moment, head.checkpoint_at + 1) if is_past else moment
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
        """Hand to the sinks what is due for them; returns how many took it. The rest is tried again.

        Sinks do not wait for each other; one that fails is left alone until the next round.
        """
        turns = Turns()
        done = await asyncio.gather(*(self._serve(sink, turns) for sink in self._sinks.values()))
        turns.end()
        return sum(done)

    async def _serve(self, sink: Sink, turns: Turns) -> int:
        """Hand to a sink what is due for it until it fails or had its time; returns how much it took."""
        done, until = 0, time.monotonic() + SECONDS
        with turns.taking(f"publish to {sink.name}"):
            for one in await self._database.read(lambda reader: rows.unpublished(reader, sink.name, now())):
                if not await self._publish(one, sink):
                    break
                done += 1
                if time.monotonic() > until:
                    break
        return done

    async def _publish(self, one: rows.Publication, sink: Sink) -> bool:
        attempts, until = one.attempts + 1, now() + _CLAIMED
        if not await self._noted(one, attempts, until, "no answer yet"):
            return False
        mine = rows.Publication(one.tenant_id, one.tenant, one.at, one.sink, attempts, until, one.note)
        try:
            async with asyncio.timeout(SECONDS):
                await sink.take(one.tenant, one.note)
        except (SinkFailed, TimeoutError) as error:
            why = str(error)[:200] or f"not done within {SECONDS:g} seconds"
            wait = min(5 * _SECOND << min(attempts, 20), _LONGEST_WAIT)
            await self._noted(mine, attempts, now() + wait, why)
            _log.warning("checkpoint not published", tenant=one.tenant, sink=one.sink, error=why)
            return False
        return await self._noted(mine, attempts, None, None)

    async def _noted(
        self, one: rows.Publication, attempts: int, next_try: int | None, error: str | None
    ) -> bool:
        return await self._database.write(
            lambda writer: rows.note_try(writer, one, attempts=attempts, next_try=next_try, error=error)
        )
