"""What events say of removals and erasures, which is believed of those that are in the chain or its queue."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from scim_server.scim.values import fold_text
from scim_server.security.transparency.chain import GENESIS, chain_hash
from scim_server.security.transparency.parts import COMMIT
from scim_server.services.transparency.checking import ERASE_FOLDED, UNRECORDED, Bad, Checker
from scim_server.services.transparency.retention import RETAIN
from scim_server.store import chain_walk
from scim_server.store.chain_walk import OnRecord
from scim_server.store.checkpoints import Cut
from scim_server.store.database import Reader

Place = float
"""The number of an event in its chain; infinity while it is in the queue."""


async def has_removal(reader: Reader, tenant_id: int, cut: Cut) -> bool:
    """Tell whether an event after a removal says that it happened."""
    found = await chain_walk.on_record(reader, tenant_id, fold_text(RETAIN))
    said = cut.hash.hex()
    return any(place > cut.size and public.get("receipt") == said for place, public in _sound(found))


async def settle(reader: Reader, tenant_id: int, checker: Checker) -> tuple[int, Bad | None]:
    """Return how many private parts were erased, and the first one that has no key for no reason on record.

    An erasure accounts for what is about the same resource, under the same key and before it.
    """
    if not checker.lost:
        return 0, None
    places: dict[tuple[str, str], Place] = {}
    for place, public in _sound(await chain_walk.on_record(reader, tenant_id, ERASE_FOLDED)):
        resource = public.get("resource")
        if isinstance(resource, dict):
            places[str(public.get("receipt")), str(resource.get("value"))] = place
    erased, bad = 0, list[Bad]()
    for claim, lost in checker.lost.items():
        erasure = places.get(claim)
        if erasure is None:
            bad.append(Bad(lost.first, UNRECORDED, lost.event_id))
        elif lost.last >= erasure:
            bad.append(Bad(lost.last, UNRECORDED))
        else:
            erased += lost.count
    return erased, min(bad, key=lambda one: one.sequence, default=None)


def _sound(found: Iterable[OnRecord]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Give place and content of the events whose hash fits, and of those that are still in the queue."""
    for one in found:
        try:
            public = orjson.loads(one.document)
            if one.sequence is None:
                yield float("inf"), dict(public)
                continue
            previous = GENESIS if one.sequence == 1 else one.previous or b""
            own = chain_hash(one.sequence, previous, one.document.encode(), public.get(COMMIT))
        except (ValueError, TypeError, AttributeError):
            continue
        if own == one.hash:
            yield one.sequence, public
