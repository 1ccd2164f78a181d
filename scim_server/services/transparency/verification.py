"""Verification: is the audit trail of a tenant what it was, and if not, where is the first difference."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scim_server.scim.registry import Registry
from scim_server.security.transparency.chain import GENESIS
from scim_server.security.transparency.merkle import TILE, Frontier
from scim_server.security.transparency.sealing import Sealing
from scim_server.services.audit import AUDIT_EVENT
from scim_server.services.transparency import recorded
from scim_server.services.transparency.checking import Bad, Checker
from scim_server.services.transparency.leftovers import Leftovers
from scim_server.services.transparency.witnesses import Outside, Witnesses
from scim_server.store import chain, chain_walk, checkpoints
from scim_server.store.checkpoints import Cut, StoredCheckpoint
from scim_server.store.database import Database

__all__ = ["Outside", "Verdict", "Verification"]

AT_ONCE = 1 << TILE + 3
_ATTEMPTS = 5
"""How often verification begins anew when events are removed meanwhile."""


@dataclass(slots=True)
class Verdict:
    """What verification found: how much was looked at, what is wrong, and what could not be told.

    `length` is the number of the last event there is; `remarks` are for people to know and no fault.
    """

    tenant: str
    events: int = 0
    first: int = 1
    last: int = 0
    length: int = 0
    checkpoints: int = 0
    erased: int = 0
    bad: Bad | None = None
    unknown: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        """0 intact, 1 broken, 2 cannot tell."""
        return 1 if self.bad else 2 if self.unknown else 0


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
        """Verify the chain of a tenant, or a range of it; `progress` is told of events looked at.

        Where events are removed by retention meanwhile, it begins anew.
        """
        for _ in range(_ATTEMPTS):
            cut = await self._database.read(lambda reader: chain_walk.cuts(reader, tenant_id))
            checker = Checker(self._kind, self._sealing, tenant_id)
            run = _Run(self._database, tenant_id, Verdict(tenant), checker, outside)
            await run.verify(start, end, progress)
            if await self._database.read(lambda reader: chain_walk.cuts(reader, tenant_id)) == cut:
                break
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
        self._witnesses = Witnesses(outside, verdict.tenant)
        self._leftovers = Leftovers(database, tenant_id, checker)
        self._frontier: Frontier | None = None
        self._agreed = 0
        self._removed = 0
        self._position = 0

    async def verify(self, start: int | None, end: int | None, progress: Callable[[int], None]) -> None:
        """Fill the verdict, up to the first thing that is wrong."""
        verdict, tenant_id = self.verdict, self._tenant_id
        is_whole = start is None and end is None
        try:
            await self._walk(start, end, progress, is_whole=is_whole)
        except Exception as error:
            if not chain_walk.is_unreadable(error):
                raise
            what = f"what is stored here or about here has not its shape ({type(error).__name__})"
            verdict.bad = Bad(self._position + 1, what)
        verdict.erased, unrecorded = await self._read(
            lambda reader: recorded.settle(reader, tenant_id, self._checker)
        )
        if unrecorded and (verdict.bad is None or unrecorded.sequence < verdict.bad.sequence):
            verdict.bad = unrecorded
        if self._checker.unopened:
            verdict.unknown.append(
                f"{self._checker.unopened} private parts are sealed under another master key"
            )
        unknown, remarks = self._witnesses.left(self._removed, is_whole=is_whole)
        verdict.unknown += unknown
        verdict.remarks += remarks

    async def _walk(
        self, start: int | None, end: int | None, progress: Callable[[int], None], *, is_whole: bool
    ) -> None:
        verdict, tenant_id = self.verdict, self._tenant_id
        cut = await self._read(lambda reader: checkpoints.last_cut(reader, tenant_id))
        head = await self._read(lambda reader: chain.head_of(reader, tenant_id))
        if head is not None and not _is_sound(head):
            verdict.bad = Bad(1, "the head has not its shape")
            return
        last = verdict.length = 0 if head is None else head.sequence
        if start is not None and start > last + 1:
            verdict.first, verdict.last = start, last
            verdict.unknown.append(f"there are {last} events, and none from number {start} on")
            return
        previous = await self._begin(start, cut, is_whole=is_whole)
        if verdict.bad is None and self._witnesses.largest > last:
            size = self._witnesses.largest
            what = f"a signed checkpoint has {size} events, the chain has {last}: its end is missing"
            verdict.bad = Bad(last + 1, what)
        verdict.last = min(last, end or last)
        self._position = verdict.first - 1
        if verdict.bad is None and self._position == self._agreed:
            await self._checkpoints(self._position, previous)
        while verdict.bad is None and self._position < verdict.last:
            position = self._position
            most = min(AT_ONCE - position % AT_ONCE, verdict.last - position)
            found = await self._links(position, most)
            if not found:
                said = f"the head says there are {last} events, and there is none from here on"
                verdict.bad = Bad(position + 1, said)
                return
            previous = await self._page(found, previous, position)
            self._position += len(found)
            verdict.events += len(found)
            progress(len(found))
        if verdict.bad is None:
            await self._finish(head, previous, is_whole=is_whole)

    async def _links(self, position: int, most: int) -> Sequence[chain_walk.Link]:
        """Return the next events; where one cannot be read, those before it. Raises what that one raises."""
        tenant_id = self._tenant_id
        while True:
            try:
                return await self._read(
                    lambda reader, n=most: chain_walk.links(reader, tenant_id, position, n)  # type: ignore[misc]
                )
            except Exception as error:
                if most == 1 or not chain_walk.is_unreadable(error):
                    raise
                most //= 2

    async def _begin(self, start: int | None, cut: Cut | None, *, is_whole: bool) -> bytes:
        """Return the hash before the first event to look at, and take up the tree there."""
        verdict, tenant_id = self.verdict, self._tenant_id
        removed = self._removed = 0 if cut is None else cut.size
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
        elif not await self._read(lambda reader: recorded.has_removal(reader, tenant_id, cut)):
            what = f"no event says that the events up to {removed} were removed by retention"
            verdict.bad = Bad(removed + 1, what)
        elif is_whole:
            verdict.bad = await self._leftovers.check(cut)
            verdict.unknown += self._leftovers.unknown
            self._checker.lost.clear()  # what is about to go needs no erasure, which may be gone already
        return cut.hash

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
                if number in at_sizes or self._witnesses.at(number):
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

    async def _checkpoints(self, size: int, chain_hash: bytes) -> None:
        stored = await self._sizes(size, size)
        self._agree(size, stored.get(size, []), chain_hash)

    def _agree(self, size: int, stored: Sequence[StoredCheckpoint], chain_hash: bytes) -> None:
        """Compare the checkpoints of a size, the store's and those from outside, with the tree."""
        if self._frontier is None:
            return
        root, witnesses = self._frontier.root(), self._witnesses
        signed = [said for one in stored if (said := witnesses.signed(one)) is not None]
        signed += witnesses.at(size)
        first = self._agreed + 1
        if any((said.size, said.root, said.chain) != (size, root, chain_hash) for said in signed):
            what = f"a signed checkpoint of {size} events disagrees with the chain, which was written anew"
            self.verdict.bad = Bad(first, f"{what}: the first difference is between {first} and {size}")
            return
        for one in stored:
            what_of_it = witnesses.disagreement(one, root, chain_hash)
            if what_of_it is not None:
                self.verdict.bad = Bad(max(size, 1), what_of_it)
                return
        self.verdict.checkpoints += len(stored) + witnesses.used(size)
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
        found = await self._read(lambda reader: chain_walk.ends(reader, tenant_id))
        if found.first < 1:
            verdict.bad = Bad(found.first, "an event was given a number before the first one")
        elif found.last > found.said:
            what = f"the head says {found.said}, and there are events up to {found.last}"
            verdict.bad = Bad(found.said + 1, what)
        elif found.checkpoint > found.said:
            what = f"a stored checkpoint has {found.checkpoint} events, the chain has {found.said}"
            verdict.bad = Bad(found.said + 1, f"{what}: its end is missing")
        if verdict.bad is not None:
            return
        await self._strays()
        if verdict.checkpoints and not self._witnesses.keys:
            verdict.unknown.append("no public key to check the signatures of the checkpoints with")
        if not verdict.checkpoints and verdict.last:
            verdict.remarks.append("there is no checkpoint: nobody could tell if all of it were written anew")

    async def _strays(self) -> None:
        """Look for events that are neither in the chain nor waiting for their place."""
        tenant_id, after = self._tenant_id, None
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


def _is_sound(head: chain.Head) -> bool:
    """Tell whether a head has numbers and bytes where they belong; SQLite keeps whatever is put there."""
    octets = isinstance(head.hash, bytes) and isinstance(head.frontier, bytes)
    return octets and isinstance(head.sequence, int) and head.sequence >= 0
