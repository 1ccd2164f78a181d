"""`python -m benchmarks.tamper`: tampers with an audit trail in every way, and shows what verification says.

Whoever tampers here may do anything in the database; what they have not is the key of the checkpoints, and
the checkpoints that were published.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from scim_server.scim.normalize import fold_document
from scim_server.scim.registry import ResourceType
from scim_server.security.transparency.canonical import canonical
from scim_server.security.transparency.chain import GENESIS, chain_hash, key_id, receipt
from scim_server.security.transparency.merkle import Frontier
from scim_server.security.transparency.notes import Signer
from scim_server.security.transparency.parts import COMMIT, KEPT_BESIDE
from scim_server.security.transparency.sealing import Sealing
from scim_server.services import audit
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.settlement import system_call
from scim_server.services.transparency.checkpoints import Checkpoints
from scim_server.services.transparency.sequencer import Sequencer
from scim_server.services.transparency.verification import Outside, Verdict, Verification
from scim_server.store import clients
from scim_server.store.checkpoints import StoredCheckpoint
from scim_server.store.clock import now
from scim_server.store.database import Database, Writer
from scim_server.store.tables import (
    audit_chain,
    audit_checkpoint,
    audit_cut,
    audit_event,
    audit_head,
    audit_key,
    audit_private,
)
from scim_server.store.upgrade import upgrade

TENANT = "default"
EVENTS, EVERY, AT = 40, 10, 17
"""Events of the trail, after how many a checkpoint is made, and the event that is tampered with."""


class Trail:
    """A store with an audit trail of EVENTS events in parts of EVERY, each with a checkpoint."""

    def __init__(self, database: Database, lifecycle: Lifecycle) -> None:
        """Take an empty store that is at the newest revision."""
        self.database = database
        self.lifecycle = lifecycle
        self.signer = Signer.generate("demonstration")
        self.sealing = Sealing()
        self.notes: list[str] = []
        self.tenant_id = 0

    async def write(self, count: int, beginning: int = 0, subjects: int = 5) -> None:
        """Write events about some subjects, in one transaction."""
        call = system_call(self.tenant_id, TENANT)

        async def work(writer: Writer) -> None:
            for number in range(beginning, beginning + count):
                event = audit.Event(
                    "user.update",
                    "User",
                    f"user-{number % subjects}",
                    {"title": "Clerk"},
                    {"title": f"Boss {number}"},
                    context={"note": "Promoted."},
                )
                await audit.record(writer, self.lifecycle.registry, call, event, now())
                await writer.flush_meanwhile()

        await self.database.write(work)

    async def chain(self) -> int:
        """Chain what is queued."""
        return await Sequencer(self.database, self.sealing).run_once()

    async def checkpoint(self) -> StoredCheckpoint:
        """Make a checkpoint, which is published, too."""
        made = await Checkpoints(self.database, self.signer).make(self.tenant_id, TENANT)
        if made is None:
            raise RuntimeError("a checkpoint was not made")
        self.notes.append(made.note)
        return made

    async def begin(self) -> None:
        """Make the tenant."""
        self.tenant_id = await self.database.write(
            lambda writer: clients.ensure_tenant(writer, TENANT, now())
        )

    async def fill(self) -> None:
        """Write the trail."""
        await self.begin()
        for beginning in range(0, EVENTS, EVERY):
            await self.write(EVERY, beginning)
            await self.chain()
            await self.checkpoint()

    async def verify(self, *, outside: bool = True, sealing: Sealing | None = None, **part: Any) -> Verdict:
        """Verify the trail, with the published checkpoints where they are brought from `outside`."""
        verification = Verification(self.database, self.lifecycle.registry, sealing or self.sealing)
        kept = Outside(self.notes if outside else (), self.signer.keys)
        return await verification.verify(self.tenant_id, TENANT, kept, **part)

    async def tamper(self, work: Callable[["Hand"], None]) -> None:
        """Do something to the rows with nothing in the way."""
        async with self.database.engine.begin() as connection:
            await connection.run_sync(self._unguarded, work)

    def _unguarded(self, connection: sa.Connection, work: Callable[["Hand"], None]) -> None:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        else:
            triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'"
            for name in connection.exec_driver_sql(triggers).scalars().all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        work(Hand(connection, self.tenant_id, self.lifecycle.registry.resource_types[audit.AUDIT_EVENT]))


class Hand:
    """What somebody does to the rows of a tenant who may do anything in its database."""

    def __init__(self, connection: sa.Connection, tenant_id: int, kind: ResourceType) -> None:
        """Take a connection on which no trigger is in the way."""
        self.kind = kind
        self.connection = connection
        self.tenant_id = tenant_id

    def run(self, statement: Any, *conditions: Any) -> Any:
        """Run a statement on rows of the tenant."""
        own = statement.where(statement.table.c.tenant_id == self.tenant_id, *conditions)
        return self.connection.execute(own)

    def link(self, sequence: int) -> Any:
        """Return the row of the chain with a number."""
        own = audit_chain.c
        query = sa.select(audit_chain).where(own.tenant_id == self.tenant_id, own.sequence == sequence)
        return self.connection.execute(query).one()

    def change(self, table: sa.Table, sequence: int, **values: Any) -> None:
        """Change the row of an event in a table."""
        self.run(table.update().values(**values), table.c.id == self.link(sequence).event_id)

    def remove(self, table: sa.Table, sequence: int) -> None:
        """Remove the row of an event from a table."""
        self.run(table.delete(), table.c.id == self.link(sequence).event_id)

    def document(self, sequence: int) -> str:
        """Return the public bytes of an event."""
        own = audit_event.c
        query = sa.select(own.document).where(
            own.tenant_id == self.tenant_id, own.id == self.link(sequence).event_id
        )
        return str(self.connection.execute(query).scalar_one())

    def forge(self, id: str, **other: Any) -> str:
        """Put in an event in the form of the first one, with `other` attributes; returns its public bytes."""
        own, first = audit_event.c, self.link(1).event_id
        query = sa.select(audit_event).where(own.tenant_id == self.tenant_id, own.id == first)
        row = dict(self.connection.execute(query).one()._mapping)  # noqa: SLF001 - SQLAlchemy's public name
        public = {name: value for name, value in json.loads(row["document"]).items() if name != COMMIT}
        public |= other
        shown = {name: value for name, value in public.items() if name not in KEPT_BESIDE}
        copy = json.dumps(fold_document(shown, self.kind))
        text = canonical({**public, "id": id}).decode()
        named = {"action": public["action"], "resource_id": public["resource"]["value"]}
        forged = {**row, "id": id, "document": text, "folded": copy, **named}
        self.connection.execute(audit_event.insert().values(forged))
        return text

    def rewrite(self, start: int, size: int) -> None:
        """Compute every hash from a number on anew, and the head, and remove the checkpoints of it."""
        frontier, previous = Frontier(), GENESIS
        for sequence in range(1, size + 1):
            if sequence >= start:
                public = self.document(sequence)
                commit = public.partition('"privateCommit":"')[2].partition('"')[0]
                previous = chain_hash(sequence, previous, public.encode(), commit or None)
                self.run(audit_chain.update().values(hash=previous), audit_chain.c.sequence == sequence)
            previous = bytes(self.link(sequence).hash)
            frontier.push(previous)
        self.head(size, previous, frontier)
        self.run(audit_checkpoint.delete(), audit_checkpoint.c.size >= start)

    def head(self, size: int, hash: bytes, frontier: Frontier) -> None:
        """Set the head."""
        self.run(audit_head.update().values(sequence=size, hash=hash, frontier=frontier.stored()))


def _edit(hand: Hand) -> None:
    changed = hand.document(AT).replace('"success"', '"refused"')
    hand.change(audit_event, AT, document=changed)


def _swap(hand: Hand) -> None:
    first, second = hand.link(AT).event_id, hand.link(AT + 1).event_id
    for sequence, event_id in ((AT, "x"), (AT + 1, first), (AT, second)):
        hand.run(audit_chain.update().values(event_id=event_id), audit_chain.c.sequence == sequence)


def _insert(hand: Hand) -> None:
    for sequence in range(EVENTS, AT - 1, -1):
        hand.run(audit_chain.update().values(sequence=sequence + 1), audit_chain.c.sequence == sequence)
    before, public = bytes(hand.link(AT - 1).hash), hand.forge("forged")
    own = {"sequence": AT, "event_id": "forged", "hash": chain_hash(AT, before, public.encode(), None)}
    hand.connection.execute(audit_chain.insert().values(tenant_id=hand.tenant_id, **own))


def _delete(hand: Hand, sequences: range) -> None:
    gone = [hand.link(sequence).event_id for sequence in sequences]
    for table, column in ((audit_private, "id"), (audit_event, "id"), (audit_chain, "event_id")):
        hand.run(table.delete(), table.c[column].in_(gone))


def _cut_off(hand: Hand, after: int = 34) -> None:
    _delete(hand, range(after + 1, EVENTS + 1))


def _cut_off_well(hand: Hand) -> None:
    _cut_off(hand)
    hand.rewrite(35, 34)


def _fork(hand: Hand) -> None:
    _edit(hand)
    row = hand.link(AT)
    own = audit_event.c
    folded = sa.select(own.folded).where(own.tenant_id == hand.tenant_id, own.id == row.event_id)
    copy = str(hand.connection.execute(folded).scalar_one()).replace('"success"', '"refused"')
    hand.change(audit_event, AT, folded=copy, outcome="refused")
    hand.rewrite(AT, EVENTS)


def _swap_parts(hand: Hand) -> None:
    first, second = AT, AT + 5
    own = audit_private.c
    parts = {
        sequence: hand.connection.execute(
            sa.select(own.sealed).where(own.id == hand.link(sequence).event_id)
        ).scalar_one()
        for sequence in (first, second)
    }
    hand.change(audit_private, first, sealed=parts[second])
    hand.change(audit_private, second, sealed=parts[first])


def _beside(hand: Hand, id: str = "0forged") -> None:
    hand.forge(id)


def _number(hand: Hand, sequence: int = 0) -> None:
    hand.forge("0forged")
    own = {"sequence": sequence, "event_id": "0forged", "hash": bytes(32)}
    hand.connection.execute(audit_chain.insert().values(tenant_id=hand.tenant_id, **own))


def _remove_up_to(hand: Hand, size: int) -> None:
    """Remove events as retention does, whose record is all right but for the event."""
    frontier = Frontier()
    for sequence in range(1, size + 1):
        link = hand.link(sequence)
        frontier.push(bytes(link.hash))
    own = {"size": size, "at": now(), "root": frontier.root(), "hash": link.hash}
    own |= {"tenant_id": hand.tenant_id, "frontier": frontier.stored()}
    hand.connection.execute(audit_cut.insert().values(own))
    _delete(hand, range(1, size + 1))


def _pretend_erasure(hand: Hand) -> None:
    own = audit_key.c
    query = sa.select(own.subject_id, own.secret).where(own.tenant_id == hand.tenant_id)
    for subject, secret in hand.connection.execute(query).all():
        proof = receipt(key_id(bytes(secret)))
        hand.forge(f"0{subject}", action="audit.erase", receipt=proof, resource={"value": subject})
    hand.run(audit_key.delete())


def _shorten(hand: Hand) -> None:
    hand.run(audit_chain.update().values(hash=b"abc"), audit_chain.c.sequence == AT)


def _relabel(hand: Hand) -> None:
    own = audit_private.c
    query = sa.select(own.sealed).where(own.tenant_id == hand.tenant_id, own.id == hand.link(AT).event_id)
    sealed = bytes(hand.connection.execute(query).scalar_one())
    hand.change(audit_private, AT, sealed=sealed[:1] + b"abcd" + sealed[5:])


def _edit_checkpoint(hand: Hand) -> None:
    hand.run(audit_checkpoint.update().values(root=bytes(32)), audit_checkpoint.c.size == 2 * EVERY)


def _resign(hand: Hand) -> None:
    own = audit_checkpoint.c
    note = sa.select(own.note).where(own.tenant_id == hand.tenant_id, own.size == 2 * EVERY)
    text = str(hand.connection.execute(note).scalar_one())
    body, _, _ = text.rpartition("\n\n")
    other = hand.connection.execute(
        sa.select(own.note).where(own.tenant_id == hand.tenant_id, own.size == EVERY)
    ).scalar_one()
    wrong = f"{body}\n\n{str(other).rpartition(chr(10) * 2)[2]}"
    hand.run(audit_checkpoint.update().values(note=wrong), own.size == 2 * EVERY)


@dataclass(frozen=True, slots=True)
class Attack:
    """Something done to the rows, the first bad number that verification has to name, and what it needs."""

    name: str
    work: Callable[[Hand], None]
    first_bad: int
    needs_outside: bool = False


ATTACKS = (
    Attack("edit the public bytes of an event", _edit, AT),
    Attack("edit its folded copy", lambda hand: hand.change(audit_event, AT, folded='{"action":"x"}'), AT),
    Attack("edit an indexed column", lambda hand: hand.change(audit_event, AT, actor_type="admin"), AT),
    Attack("edit its time", lambda hand: hand.change(audit_event, AT, at=1), AT),
    Attack("delete an event in the middle", lambda hand: hand.remove(audit_event, AT), AT),
    Attack(
        "delete its link of the chain",
        lambda hand: hand.run(audit_chain.delete(), audit_chain.c.sequence == AT),
        AT,
    ),
    Attack("reorder two events", _swap, AT),
    Attack("insert a forged event with its hash", _insert, AT + 1),
    Attack("put an event beside the chain", _beside, EVENTS + 1),
    Attack("put an event without an id beside the chain", lambda hand: _beside(hand, ""), EVENTS + 1),
    Attack("give a forged event the number 0", _number, 0),
    Attack("remove events as retention does", lambda hand: _remove_up_to(hand, 20), 21),
    Attack("remove all events as retention does", lambda hand: _remove_up_to(hand, EVENTS), EVENTS + 1),
    Attack("delete keys, with erasures beside the chain", _pretend_erasure, 1),
    Attack("name another master key in a private part", _relabel, AT),
    Attack(
        "put a private part to another subject",
        lambda hand: hand.change(audit_private, AT, subject_id="user-2"),
        AT,
    ),
    Attack("make a hash shorter", _shorten, AT),
    Attack("cut off the end", _cut_off, 35),
    Attack("cut off the end, set back the head, delete checkpoints", _cut_off_well, 35, needs_outside=True),
    Attack("rewrite the end with all hashes, delete checkpoints", _fork, EVERY + 1, needs_outside=True),
    Attack("swap the private parts of two events", _swap_parts, AT),
    Attack("delete a private part", lambda hand: hand.remove(audit_private, AT), AT),
    Attack("delete a key without an erasure", lambda hand: hand.run(audit_key.delete()), 1),
    Attack("edit a checkpoint", _edit_checkpoint, 2 * EVERY),
    Attack("put another signature under a checkpoint", _resign, 2 * EVERY),
    Attack("edit the head", lambda hand: hand.run(audit_head.update().values(hash=bytes(32))), EVENTS + 1),
    Attack(
        "edit the tree of the head",
        lambda hand: hand.run(audit_head.update().values(frontier=bytes(64))),
        EVENTS + 1,
    ),
)


async def demonstrate(folder: Path) -> list[tuple[str, str, str]]:
    """Return for each attack the first bad number and what verification says, on a store of its own."""
    lifecycle, found = Lifecycle.of(), []
    for number, attack in enumerate(ATTACKS):
        database = Database(f"sqlite:///{folder}/{number}.db")
        await upgrade(database)
        trail = Trail(database, lifecycle)
        await trail.fill()
        await trail.tamper(attack.work)
        verdict = await trail.verify(outside=attack.needs_outside)
        await database.close()
        bad = verdict.bad
        needs = " (with a published checkpoint)" if attack.needs_outside else ""
        found.append((f"{attack.name}{needs}", str(bad and bad.sequence), bad.what if bad else "intact"))
    return found


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(demonstrate(Path(folder)))
    sys.stdout.write(
        f"| Tampering at event {AT} of {EVENTS} | First bad | What verification says |\n|---|---|---|\n"
    )
    for row in rows:
        sys.stdout.write(f"| {' | '.join(row)} |\n")


if __name__ == "__main__":
    main()
