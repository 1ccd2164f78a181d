"""The sequencer: gives queued events their places in the chain of their tenant, one transaction a batch."""

from collections.abc import Sequence
from typing import Any

import orjson
import structlog

from scim_server.security.transparency.chain import GENESIS, chain_hash, commitment, key_id
from scim_server.security.transparency.merkle import Frontier
from scim_server.security.transparency.parts import SUBJECT, subject_of
from scim_server.security.transparency.sealing import Sealing, new_secret
from scim_server.services.transparency.turns import Turns
from scim_server.store import chain as rows
from scim_server.store.database import Database, Writer

AT_ONCE = {"postgresql": 1_000, "sqlite": 500}
"""Events of a transaction; on SQLite nobody else writes meanwhile."""
_NAMES = f'"{SUBJECT}":'
_log = structlog.get_logger("scim_server")


class Sequencer:
    """Chains what is queued; any number of them may work on one store, and none of them forks a chain."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        """Take the store and what seals private parts."""
        self._database = database
        self._sealing = sealing

    async def run_once(self) -> int:
        """Chain everything that is queued now; returns how many events that were.

        What goes wrong with a tenant is raised once the others had their turn.
        """
        done, turns = 0, Turns()
        for tenant_id in await self._database.read(rows.waiting_tenants):
            with turns.taking("chain", tenant_id):
                done += await self._tenant(tenant_id)
        turns.end()
        return done

    async def _tenant(self, tenant_id: int) -> int:
        done = 0
        while moved := await self._batch(tenant_id):
            done += moved
            if moved < AT_ONCE[self._database.dialect]:
                break
        return done

    async def _batch(self, tenant_id: int) -> int:
        most = AT_ONCE[self._database.dialect]

        async def work(writer: Writer) -> int:
            head = await rows.locked_head(writer, tenant_id, GENESIS)
            waiting = await rows.queued(writer, tenant_id, most)
            await append(writer, self._sealing, tenant_id, head, waiting)
            return len(waiting)

        return await self._database.write(work)


async def append(
    writer: Writer, sealing: Sealing, tenant_id: int, head: rows.Head, waiting: Sequence[rows.Queued]
) -> None:
    """Chain events behind a head that this transaction holds, sealing their private parts.

    Some that have a place already did not get into the queue by this server: they are taken out and told of.
    """
    again = [event.id for event in waiting if event.is_chained]
    if again:
        _log.error("audit events queued twice", tenant=tenant_id, events=len(again), first=again[0])
        await rows.take(writer, tenant_id, again)
        waiting = [event for event in waiting if not event.is_chained]
    if not waiting:
        return
    await _seal(writer, sealing, tenant_id, waiting)
    frontier = Frontier.load(head.sequence, head.frontier)
    previous, chained, nodes = bytes(head.hash), [], []
    for event in waiting:
        commit = None if event.private is None else commitment(event.private)
        sequence = frontier.size + 1
        previous = chain_hash(sequence, previous, event.document.encode(), commit)
        chained.append(_row(tenant_id, sequence=sequence, event_id=event.id, hash=previous))
        for level, position, value in frontier.push(previous):
            nodes.append(_row(tenant_id, level=level, position=position, hash=value))
    await rows.put(writer, "audit_chain", chained)
    await rows.put(writer, "audit_node", nodes)
    await rows.take(writer, tenant_id, [event.id for event in waiting])
    await rows.move_head(writer, tenant_id, sequence=frontier.size, hash=previous, frontier=frontier.stored())


async def _seal(writer: Writer, sealing: Sealing, tenant_id: int, waiting: Sequence[rows.Queued]) -> None:
    """Put the private parts under the keys of their subjects, which are made where there is none."""
    having = [(event, event.private) for event in waiting if event.private is not None]
    subject_by_id = {event.id: _subject(event) for event, _ in having}
    subjects = dict.fromkeys(subject_by_id.values())
    secrets = await rows.secrets_of(writer, tenant_id, list(subjects))
    missing = {subject: new_secret() for subject in subjects if subject not in secrets}
    await rows.put(
        writer,
        "audit_key",
        [_row(tenant_id, subject_id=subject, secret=secret) for subject, secret in missing.items()],
    )
    keys = {
        subject: (key_id(secret), sealing.key(secret)) for subject, secret in {**secrets, **missing}.items()
    }
    sealed = []
    for event, private in having:
        subject = subject_by_id[event.id]
        name, key = keys[subject]
        value = sealing.seal(key, tenant_id, event.id, private)
        sealed.append(_row(tenant_id, id=event.id, subject_id=subject, key_id=name, sealed=value))
    await rows.put(writer, "audit_private", sealed)


def _subject(event: rows.Queued) -> str:
    """Return whose key seals an event; most name nobody but their resource, and are not read for it."""
    if _NAMES not in event.document:
        return event.resource_id or event.id
    try:
        return subject_of(orjson.loads(event.document), event.id)
    except (ValueError, AttributeError):  # no event of this server; verification tells
        return event.resource_id or event.id


def _row(tenant_id: int, **values: Any) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **values}
