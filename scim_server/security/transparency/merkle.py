"""The Merkle tree over the chain, as RFC 9162 §2.1 has it; its data are the hashes of the chain."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

Range = tuple[int, int]
"""Leaves from the first to before the second."""
Node = tuple[int, int, bytes]
"""Level, position in the level, and hash of a complete subtree."""
TILE = 8
"""Complete subtrees of 256, 65,536 … leaves are kept, so that a proof reads some hundred rows at most."""
_HASH = 32


def leaf_hash(data: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees, the largest first; of none the hash of nothing."""
    if not hashes:
        return hashlib.sha256().digest()
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def root_of_row(hashes: Sequence[bytes]) -> bytes:
    """Return the root over equal subtrees, whose number is a power of two."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


@dataclass(slots=True)
class Frontier:
    """The complete subtrees at the right edge of a tree, from which it grows: a compact range."""

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    @classmethod
    def load(cls, size: int, stored: bytes) -> "Frontier":
        """Return what `stored` kept; raises ValueError where it does not fit the size."""
        if len(stored) != _HASH * size.bit_count():
            raise ValueError("the frontier does not fit the size of the tree")
        return cls(size, [stored[at : at + _HASH] for at in range(0, len(stored), _HASH)])

    def stored(self) -> bytes:
        """Return the hashes one after the other, of the largest subtree first."""
        return b"".join(self.hashes)

    def root(self) -> bytes:
        """Return the root of the tree."""
        return fold(self.hashes)

    def push(self, data: bytes) -> list[Node]:
        """Add a leaf; returns the kept subtrees that are complete with it."""
        grown, level, kept = leaf_hash(data), 0, []
        while self.size >> level & 1:
            grown = node_hash(self.hashes.pop(), grown)
            level += 1
            if not level % TILE:
                kept.append((level, self.size >> level, grown))
        self.hashes.append(grown)
        self.size += 1
        return kept


def pieces(part: Range) -> Iterator[tuple[int, int]]:
    """Give level and position of the complete subtrees that make up a part of a tree, the largest first."""
    start, end = part
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _split(size: int) -> int:
    """Return the largest power of two below a size."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion(index: int, size: int) -> list[Range]:
    """Return the parts of a tree whose hashes prove that it has the leaf at an index (RFC 9162 §2.1.3.1)."""
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency(first: int, second: int) -> list[Range]:
    """Return the parts whose hashes prove that a tree of one size grew into one of another (§2.1.4.1)."""
    if not 0 < first < second:
        return []
    start, end, path, is_whole = 0, second, [], True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start, is_whole = middle, False
    return ([] if is_whole else [(start, end)]) + path[::-1]


def includes(data: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether a proof shows that a tree has some data at an index (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    own, last, found = index, size - 1, leaf_hash(data)
    for other in proof:
        if last == 0:
            return False
        if own & 1 or own == last:
            found = node_hash(other, found)
            while not own & 1 and own:
                own, last = own >> 1, last >> 1
        else:
            found = node_hash(found, other)
        own, last = own >> 1, last >> 1
    return last == 0 and found == root


def grew(first: int, second: int, roots: tuple[bytes, bytes], proof: Sequence[bytes]) -> bool:
    """Tell whether a proof shows that the first tree is the beginning of the second (RFC 9162 §2.1.4.2)."""
    if first == second:
        return not proof and roots[0] == roots[1]
    if not 0 < first < second or not proof:
        return False
    path = [*([roots[0]] if first & (first - 1) == 0 else []), *proof]
    own, last = first - 1, second - 1
    while own & 1:
        own, last = own >> 1, last >> 1
    old = new = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if own & 1 or own == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while not own & 1 and own:
                own, last = own >> 1, last >> 1
        else:
            new = node_hash(new, other)
        own, last = own >> 1, last >> 1
    return last == 0 and (old, new) == roots
