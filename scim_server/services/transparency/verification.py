"""Verification: is the audit trail of a tenant what it was, and if not, where is the first difference."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import orjson

from scim_server.scim.registry import Registry
from scim_server.security.transparency.chain import GENESIS
from scim_server.security.transparency.merkle import TILE, Frontier
from scim_server.security.transparency.notes import BadNote, Checkpoint, Verifier
from scim_server.security.transparency.sealing import Sealing
from scim_server.services.audit import AUDIT_EVENT
from scim_server.services.transparency.checking import ERASE_FOLDED, Bad, Checker
from scim_server.store import chain, chain_walk, checkpoints
from scim_server.store.checkpoints import StoredCheckpoint
from scim_server.store.database import Database

AT_ONCE = 1 << TILE + 3


@dataclass(slots=True)
class Verdict:
    """What verification found: how much was looked at, what is wrong, and what could not be told.

    `remarks` are for people to know and no fault.
    """

    tenant: str
    events: int = 0
    first: int = 1
    last: int = 0
    checkpoints: int = 0
    erased: int = 0
    bad: Bad | None = None
    unknown: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        """0 intact, 1 broken, 2 cannot tell."""
        return 1 if self.bad else 2 if self.unknown else 0


@dataclass(frozen=True, slots=True)
class Outside:
    """What an outsider brings: checkpoints kept elsewhere, and the public key they were signed with."""

    notes: Sequence[str] = ()
    verifier: Verifier | None = None


class Verification:
    """Verifies one chain after the other; memory does not grow with their length."""

    def __init__(self, database: Database, registry: Registry, sealing: Sealing) -> None:
        """Take the store, and what opens private parts."""
        self._database = database
        self._kind = registry.resource_types[AUDIT_EVENT]
        self._sealing = sealing

    async def verify(
        self,
        tenant_id: int,
        tenant: str,
        outside: Outside,
        *,
        start: int | None = None,
        end: int | None = None,
        progress: Callable[[int], None] = lambda _count: None,
    ) -> Verdict:
        """Verify the chain of a tenant, or a range of it; `progress` is told of events looked at."""
        read = self._database.read
        receipts = await read(lambda reader: chain_walk.erasures(reader, tenant_id, ERASE_FOLDED))
        known = {str(orjson.loads(document).get("receipt")) for document in receipts}
        checker = Checker(self._kind, self._sealing, tenant_id, known)
        run = _Run(self._database, tenant_id, Verdict(tenant), checker, outside)
        await run.verify(start, end, progress)
        run.verdict.erased = checker.erased
        if checker.unopened:
            run.verdict.unknown.append(
                f"{checker.unopened} private parts are sealed under another master key"
            )
        return run.verdict


class _Run:
    """One verification of one chain."""

    def __init__(
        self, database: Database, tenant_id: int, verdict: Verdict, checker: Checker, outside: Outside
    ) -> None:
        self._read = database.read
        self._tenant_id = tenant_id
        self.verdict = verdict
        self._checker = checker
        self._outside = outside
        self._frontier: Frontier | None = None
        self._agreed = 0
        self._notes: dict[int, list[Checkpoint]] = {}

    async def verify(self, start: int | None, end: int | None, progress: Callable[[int], None]) -> None:
        """Fill the verdict, up to the first thing that is wrong."""
        verdict, tenant_id = self.verdict, self._tenant_id
        head = await self._read(lambda reader: chain.head_of(reader, tenant_id))
        last = 0 if head is None else head.sequence
        previous = await self._begin(start)
        if verdict.bad is None:
            self._take_notes(last)
        verdict.last = min(last, end or last)
        position = verdict.first - 1
        if verdict.bad is None and position == self._agreed:
            await self._checkpoints(position, previous, position)
        while verdict.bad is None and position < verdict.last:
            most = min(AT_ONCE - position % AT_ONCE, verdict.last - position)
            found = await self._read(
                lambda reader, at=position, n=most: chain_walk.links(reader, tenant_id, at, n)  # type: ignore[misc]
            )
            if not found:
                said = f"the head says there are {last} events, and there is none from here on"
                verdict.bad = Bad(position + 1, said)
                return
            previous = await self._page(found, previous, position)
            position += len(found)
            verdict.events += len(found)
            progress(len(found))
        if verdict.bad is None:
            await self._finish(head, previous, is_whole=start is None and end is None)

    async def _begin(self, start: int | None) -> bytes:
        """Return the hash before the first event to look at, and take up the tree there."""
        verdict, tenant_id = self.verdict, self._tenant_id
        cut = await self._read(lambda reader: checkpoints.last_cut(reader, tenant_id))
        removed = 0 if cut is None else cut.size
        verdict.first = max(start or 1, removed + 1)
        if removed:
            verdict.remarks.append(f"the events up to {removed} were removed by retention")
        if verdict.first > removed + 1:
            verdict.remarks.append("of a range the hashes are checked, and no roots of checkpoints")
            before = verdict.first - 1
            found = await self._read(lambda reader: chain_walk.hash_at(reader, tenant_id, before))
            if found is None:
                verdict.bad = Bad(before, "there is no event with this number")
            return found or GENESIS
        self._agreed = removed
        if cut is None:
            self._frontier = Frontier()
            return GENESIS
        try:
            self._frontier = Frontier.load(cut.size, cut.frontier)
        except ValueError:
            self._frontier = Frontier(cut.size, [])
        if self._frontier.root() != cut.root:
            verdict.bad = Bad(removed + 1, f"the record of the removal up to {removed} does not add up")
        elif not await self._read(lambda reader: checkpoints.last(reader, tenant_id, size=removed)):
            verdict.bad = Bad(removed + 1, f"there is no checkpoint for the removal up to {removed}")
        return cut.hash

    def _take_notes(self, last: int) -> None:
        """Sort the checkpoints from outside by size; what is not signed by the key says nothing."""
        verifier, verdict = self._outside.verifier, self.verdict
        for note in self._outside.notes:
            try:
                said = Checkpoint.parse(note)
            except BadNote as error:
                verdict.unknown.append(f"a checkpoint given is {error}")
                continue
            if said.origin.rpartition("/")[2] != verdict.tenant:
                continue
            if verifier is None or not verifier.has_signed(note):
                why = "there is no public key" if verifier is None else "it is not signed by the key given"
                verdict.unknown.append(f"the checkpoint of size {said.size} says nothing: {why}")
                continue
            self._notes.setdefault(said.size, []).append(said)
        beyond = [size for size in self._notes if size > last]
        if beyond:
            said_size = max(beyond)
            what = f"a signed checkpoint has {said_size} events, the chain has {last}: its end is missing"
            verdict.bad = Bad(last + 1, what)

    async def _page(self, found: Sequence[chain_walk.Link], previous: bytes, position: int) -> bytes:
        """Check the next events and the checkpoints among them; returns the last hash."""
        at_sizes = await self._sizes(position + 1, position + len(found))
        nodes: dict[tuple[int, int], bytes] = {}
        for number, link in enumerate(found, position + 1):
            self.verdict.bad = self._checker.check(link, number, previous)
            if self.verdict.bad is not None:
                return previous
            previous = link.hash
            if self._frontier is not None:
                nodes |= {(level, at): value for level, at, value in self._frontier.push(previous)}
                if number in at_sizes or number in self._notes:
                    self._agree(number, at_sizes.get(number, []), previous)
                    if self.verdict.code == 1:
                        return previous
        await self._nodes(nodes, position)
        return previous

    async def _sizes(self, start: int, end: int) -> dict[int, list[StoredCheckpoint]]:
        tenant_id, found = self._tenant_id, dict[int, list[StoredCheckpoint]]()
        rows = await self._read(lambda reader: checkpoints.between(reader, tenant_id, start, end))
        for one in rows:
            found.setdefault(one.size, []).append(one)
        return found

    async def _checkpoints(self, size: int, chain_hash: bytes, agreed: int) -> None:
        stored = await self._sizes(size, size)
        self._agreed = agreed
        self._agree(size, stored.get(size, []), chain_hash)

    def _agree(self, size: int, stored: Sequence[StoredCheckpoint], chain_hash: bytes) -> None:
        """Compare the checkpoints of a size, the store's and those from outside, with the tree."""
        if self._frontier is None:
            return
        root, verifier = self._frontier.root(), self._outside.verifier
        signed = [said for one in stored if (said := _signed(one, verifier)) is not None]
        signed += self._notes.get(size, [])
        first = self._agreed + 1
        if any((said.size, said.root, said.chain) != (size, root, chain_hash) for said in signed):
            what = f"a signed checkpoint of {size} events disagrees with the chain, which was written anew"
            self.verdict.bad = Bad(first, f"{what}: the first difference is between {first} and {size}")
            return
        for one in stored:
            what_of_it = _disagreement(one, root, chain_hash, verifier)
            if what_of_it is not None:
                self.verdict.bad = Bad(max(size, 1), what_of_it)
                return
        self.verdict.checkpoints += len(stored) + len(self._notes.get(size, []))
        if signed:
            self._agreed = size

    async def _nodes(self, nodes: dict[tuple[int, int], bytes], position: int) -> None:
        """Compare the kept subtrees, from which proofs are made, with those of the events."""
        tenant_id = self._tenant_id
        for level in {level for level, _ in nodes}:
            own = {key: value for key, value in nodes.items() if key[0] == level}
            start, end = min(at for _, at in own), max(at for _, at in own)
            kept = await self._read(
                lambda reader, n=level, a=start, b=end: chain_walk.kept_nodes(reader, tenant_id, n, a, b)  # type: ignore[misc]
            )
            wrong = [at for (_, at), value in own.items() if kept.get((level, at)) != value]
            if wrong and self.verdict.bad is None:
                first = max(position, min(wrong) << level) + 1
                self.verdict.bad = Bad(first, "a kept hash of the tree differs; the events are as they were")

    async def _finish(self, head: chain.Head | None, previous: bytes, *, is_whole: bool) -> None:
        """Check the end of the chain, and what stands beside it."""
        verdict, tenant_id = self.verdict, self._tenant_id
        if head is not None and verdict.last == head.sequence and head.hash != previous:
            verdict.bad = Bad(verdict.last + 1, "the head has another hash than the last event")
        elif head is not None and is_whole and self._frontier and head.frontier != self._frontier.stored():
            verdict.bad = Bad(verdict.last + 1, "the head has another tree than the events")
        if verdict.bad is not None or not is_whole:
            return
        said, there = await self._read(lambda reader: chain_walk.ends(reader, tenant_id))
        if there > said:
            verdict.bad = Bad(said + 1, f"the head says {said}, and there are events up to {there}")
            return
        later = await self._read(lambda reader: checkpoints.between(reader, tenant_id, said + 1, 2**62))
        if later:
            size = later[0].size
            what = f"a stored checkpoint has {size} events, the chain has {said}: its end is missing"
            verdict.bad = Bad(said + 1, what)
            return
        await self._strays()
        if verdict.checkpoints and self._outside.verifier is None:
            verdict.unknown.append("no public key to check the signatures of the checkpoints with")
        if not verdict.checkpoints and verdict.last:
            verdict.remarks.append("there is no checkpoint: nobody could tell if all of it were written anew")
        older = [size for size in self._notes if size < verdict.first - 1]
        if older:
            verdict.remarks.append(
                f"{len(older)} of the checkpoints given are about events that were removed"
            )

    async def _strays(self) -> None:
        """Look for events that are neither in the chain nor waiting for their place."""
        tenant_id, after = self._tenant_id, ""
        while True:
            found, last = await self._read(
                lambda reader, at=after: chain_walk.strays(reader, tenant_id, at, 5_000)  # type: ignore[misc]
            )
            if found:
                what = (
                    "an event stands beside the chain: it was put there by hand, or its link was taken away"
                )
                self.verdict.bad = Bad(self.verdict.last + 1, what, found[0])
                return
            if last is None:
                return
            after = last


def _signed(one: StoredCheckpoint, verifier: Verifier | None) -> Checkpoint | None:
    """Return what a stored checkpoint says, if it is signed by the key and is about its size."""
    if verifier is None or not verifier.has_signed(one.note):
        return None
    try:
        said = Checkpoint.parse(one.note)
    except BadNote:
        return None
    return said if said.size == one.size else None


def _disagreement(
    one: StoredCheckpoint, root: bytes, chain_hash: bytes, verifier: Verifier | None
) -> str | None:
    """Return what is wrong with a stored checkpoint, None if nothing."""
    if (one.root, one.hash) != (root, chain_hash):
        return f"the checkpoint of {one.size} events disagrees with the chain"
    try:
        said = Checkpoint.parse(one.note)
    except BadNote:
        return f"the checkpoint of {one.size} events is no longer a note"
    if (said.size, said.root, said.chain) != (one.size, one.root, one.hash):
        return f"the note of the checkpoint of {one.size} events says something else"
    if verifier is not None and not verifier.has_signed(one.note):
        return f"the checkpoint of {one.size} events is not signed by the key"
    return None
