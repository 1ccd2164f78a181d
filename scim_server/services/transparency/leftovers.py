"""Events that a removal has yet to take away; nothing else may stand where events were removed."""

import asyncio

from scim_server.security.transparency.chain import GENESIS
from scim_server.services.transparency.checking import Bad, Checker
from scim_server.store import chain_walk
from scim_server.store.checkpoints import Cut
from scim_server.store.database import Database

_AT_ONCE = 2_000
_BETWEEN = 0.3
"""After how many seconds it is looked whether a removal goes on."""


class Leftovers:
    """What is left of the events up to a removal: the end of them, in their places, up to its hash."""

    def __init__(self, database: Database, tenant_id: int, checker: Checker) -> None:
        """Take the store, and what checks single events."""
        self._read = database.read
        self._tenant_id = tenant_id
        self._checker = checker
        self.unknown: list[str] = []

    async def check(self, cut: Cut) -> Bad | None:
        """Return what is wrong with what is left, None if nothing or if nothing is left.

        The first one left has nothing before it to check it with. While the removal goes on, it will be gone.
        """
        before = await self._read(lambda reader: chain_walk.cuts(reader, self._tenant_id))
        first = await self._first(cut.size)
        while first is not None:
            if first.sequence < 1:
                return Bad(first.sequence, "an event was given a number before the first one", first.event_id)
            known = GENESIS if first.sequence == 1 else before.get(first.sequence - 1)
            bad = await self._run(first, known, cut)
            if bad is None and known is not None:
                return None
            await asyncio.sleep(_BETWEEN)
            later = await self._first(cut.size)
            if bad is not None and later is not None and later.sequence == first.sequence:
                return bad
            if later is not None and later.sequence == first.sequence:
                self._leave(first.sequence, cut.size)
                return None
            first = later
        return None

    def _leave(self, first: int, size: int) -> None:
        self.unknown.append(
            f"of the events up to {size}, which were removed, those from {first} on are still there, "
            "and the first of them cannot be checked: finish the removal with audit retain"
        )

    async def _first(self, size: int) -> chain_walk.Link | None:
        tenant_id = self._tenant_id
        found = await self._read(
            lambda reader: chain_walk.links(reader, tenant_id, -chain_walk.ALL, 1, until=size)
        )
        return found[0] if found else None

    async def _run(self, first: chain_walk.Link, before: bytes | None, cut: Cut) -> Bad | None:
        """Check the events from the first one left to the removal's last."""
        tenant_id, position, previous = self._tenant_id, first.sequence - 1, before
        while position < cut.size:
            found = await self._read(
                lambda reader, at=position: chain_walk.links(  # type: ignore[misc]
                    reader, tenant_id, at, _AT_ONCE, until=cut.size
                )
            )
            if not found:
                what = "an event has a number that was removed, and those after it are gone"
                return Bad(first.sequence, what, first.event_id)
            for number, link in enumerate(found, position + 1):
                bad = None if previous is None else self._checker.check(link, number, previous)
                if bad is not None:
                    return bad
                previous = link.hash
            position += len(found)
        if previous == cut.hash:
            return None
        what = f"an event has a number that was removed, and does not lead to the removal up to {cut.size}"
        return Bad(first.sequence, what, first.event_id)
