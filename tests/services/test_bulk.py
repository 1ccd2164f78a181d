"""The order of bulk operations: after what they point at, circles together."""

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_server.services.bulk import _units

GRAPHS = st.integers(1, 7).flatmap(
    lambda size: st.lists(st.sets(st.integers(0, size - 1), max_size=3), min_size=size, max_size=size)
)


@pytest.mark.parametrize(
    ("needs", "units"),
    [
        ([], []),
        ([set(), set(), set()], [[0], [1], [2]]),
        ([{1}, set()], [[1], [0]]),
        ([{1}, {2}, set()], [[2], [1], [0]]),
        ([set(), {0}, {0}], [[0], [1], [2]]),
        ([{1}, {0}], [[0, 1]]),
        ([{1}, {2}, {0}], [[0, 1, 2]]),
        ([{1}, {0}, {0}], [[0, 1], [2]]),
        ([{1}, {0, 2}, set()], [[2], [0, 1]]),
        ([{0}], [[0]]),
    ],
)
def test_an_operation_comes_after_what_it_needs(needs: list[set[int]], units: list[list[int]]) -> None:
    assert _units(needs) == units


@settings(deadline=None, max_examples=200)
@given(GRAPHS)
def test_every_operation_comes_once_and_never_before_what_it_needs(needs: list[set[int]]) -> None:
    units = _units(needs)
    assert sorted(chain.from_iterable(units)) == list(range(len(needs)))
    done: set[int] = set()
    for unit in units:
        done |= set(unit)
        assert set().union(*(needs[index] for index in unit)) <= done


@settings(deadline=None, max_examples=200)
@given(GRAPHS)
def test_only_operations_that_need_each_other_are_one_unit(needs: list[set[int]]) -> None:
    def reached(start: int) -> set[int]:
        found: set[int] = set()
        pending = [start]
        while pending:
            for index in needs[pending.pop()] - found:
                found.add(index)
                pending.append(index)
        return found

    for unit in _units(needs):
        if len(unit) > 1:
            assert all(set(unit) <= reached(index) for index in unit)


def test_a_thousand_operations_in_one_chain_are_put_in_order() -> None:
    needs = [{index + 1} for index in range(999)] + [set[int]()]
    assert _units(needs) == [[index] for index in range(999, -1, -1)]
