"""Ids: UUID version 7, in the order of creation."""

import uuid
from concurrent.futures import ThreadPoolExecutor

from scim_server.store.identifiers import new_id


def test_an_id_is_a_lower_case_uuid_of_version_7() -> None:
    own_id = new_id()
    assert uuid.UUID(own_id).version == 7
    assert uuid.UUID(own_id).variant == uuid.RFC_4122
    assert own_id == str(uuid.UUID(own_id))


def test_ids_are_in_the_order_of_creation_and_never_the_same() -> None:
    ids = [new_id() for _ in range(20_000)]
    assert ids == sorted(set(ids))


def test_ids_of_several_threads_are_never_the_same() -> None:
    with ThreadPoolExecutor(8) as executor:
        parts = list(executor.map(lambda _: [new_id() for _ in range(1_000)], range(8)))
    assert len({own_id for part in parts for own_id in part}) == 8_000
    assert all(part == sorted(part) for part in parts)
