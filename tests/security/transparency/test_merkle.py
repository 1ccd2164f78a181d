"""The tree and its proofs are those of RFC 9162, measured against its definitions written out."""

import hashlib
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from scim_server.security.transparency.merkle import (
    Frontier,
    consistency,
    fold,
    grew,
    includes,
    inclusion,
    leaf_hash,
    pieces,
    root_of_row,
)

DATA = [hashlib.sha256(bytes([number % 256, number // 256])).digest() for number in range(600)]
SIZE = st.integers(1, 130)


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def power(size: int) -> int:
    """Return the largest power of two smaller than a size (RFC 9162 §2.1.1)."""
    found = 1
    while found * 2 < size:
        found *= 2
    return found


def tree_hash(data: Sequence[bytes]) -> bytes:
    """Return MTH of RFC 9162 §2.1.1."""
    if not data:
        return sha(b"")
    if len(data) == 1:
        return sha(b"\x00" + data[0])
    middle = power(len(data))
    return sha(b"\x01" + tree_hash(data[:middle]) + tree_hash(data[middle:]))


def path(index: int, data: Sequence[bytes]) -> list[bytes]:
    """Return PATH of RFC 9162 §2.1.3.1."""
    if len(data) == 1:
        return []
    middle = power(len(data))
    if index < middle:
        return [*path(index, data[:middle]), tree_hash(data[middle:])]
    return [*path(index - middle, data[middle:]), tree_hash(data[:middle])]


def subproof(first: int, data: Sequence[bytes], *, is_whole: bool) -> list[bytes]:
    """Return SUBPROOF of RFC 9162 §2.1.4.1."""
    if first == len(data):
        return [] if is_whole else [tree_hash(data)]
    middle = power(len(data))
    if first <= middle:
        return [*subproof(first, data[:middle], is_whole=is_whole), tree_hash(data[middle:])]
    return [*subproof(first - middle, data[middle:], is_whole=False), tree_hash(data[:middle])]


def grown(size: int) -> Frontier:
    frontier = Frontier()
    for data in DATA[:size]:
        frontier.push(data)
    return frontier


@given(st.integers(0, 300))
def test_the_root_is_the_one_of_the_definition(size: int) -> None:
    assert grown(size).root() == tree_hash(DATA[:size])


@given(st.integers(0, 300))
def test_a_frontier_is_stored_and_taken_up_again(size: int) -> None:
    frontier = grown(size)
    assert Frontier.load(size, frontier.stored()) == frontier


def test_whole_subtrees_of_256_are_kept() -> None:
    frontier = Frontier()
    kept = [node for data in DATA for node in frontier.push(data)]
    assert kept == [(8, 0, tree_hash(DATA[:256])), (8, 1, tree_hash(DATA[256:512]))]


@given(SIZE, st.data())
def test_the_path_of_a_leaf_is_the_one_of_the_definition(size: int, drawn: st.DataObject) -> None:
    index = drawn.draw(st.integers(0, size - 1))
    found = [tree_hash(DATA[start:end]) for start, end in inclusion(index, size)]
    assert found == path(index, DATA[:size])
    assert includes(DATA[index], index, size, found, tree_hash(DATA[:size]))


@given(SIZE, st.data())
def test_a_path_proves_nothing_else(size: int, drawn: st.DataObject) -> None:
    index, other = drawn.draw(st.integers(0, size - 1)), drawn.draw(st.integers(0, size))
    proof, root = path(index, DATA[:size]), tree_hash(DATA[:size])
    if other != index:
        assert not includes(DATA[index], other, size, proof, root)
    assert not includes(b"other", index, size, proof, root)
    assert not includes(DATA[index], index, size, [*proof, root], root)
    assert not includes(DATA[index], index, size, proof, b"other")


@given(SIZE, st.data())
def test_a_proof_of_growth_is_the_one_of_the_definition(size: int, drawn: st.DataObject) -> None:
    first = drawn.draw(st.integers(1, size))
    found = [tree_hash(DATA[start:end]) for start, end in consistency(first, size)]
    assert found == (subproof(first, DATA[:size], is_whole=True) if first < size else [])
    roots = tree_hash(DATA[:first]), tree_hash(DATA[:size])
    assert grew(first, size, roots, found)
    assert not grew(first, size, (roots[0], b"other"), found)
    assert not grew(first, size, (b"other", roots[1]), found)


@given(st.integers(0, 100))
def test_the_pieces_of_the_beginning_make_its_root(size: int) -> None:
    found = [
        root_of_row([leaf_hash(one) for one in DATA[at << level : (at + 1) << level]])
        for level, at in pieces((0, size))
    ]
    assert fold(found) == tree_hash(DATA[:size])
