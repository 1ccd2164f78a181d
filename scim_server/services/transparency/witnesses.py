"""What outsiders bring to a verification: checkpoints that were kept elsewhere, and public keys."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from scim_server.scim.resources import timestamp
from scim_server.security.transparency.notes import BadNote, Checkpoint, Keys, Signature
from scim_server.store.checkpoints import StoredCheckpoint


@dataclass(frozen=True, slots=True)
class Outside:
    """What an outsider brings; `allowed_removed` is the number up to which removals are known of."""

    notes: Sequence[str] = ()
    keys: Keys = field(default_factory=Keys)
    allowed_removed: int | None = None


class Witnesses:
    """The checkpoints given that are about one tenant, by size, and which of them were compared."""

    def __init__(self, outside: Outside, tenant: str) -> None:
        """Sort the checkpoints; what is not signed by a key at hand says nothing."""
        self.keys = outside.keys
        self.unknown: list[str] = []
        self.foreign = 0
        self._allowed_removed = outside.allowed_removed
        self._notes: dict[int, list[Checkpoint]] = {}
        self._used: set[int] = set()
        for note in outside.notes:
            try:
                said = Checkpoint.parse(note)
            except BadNote as error:
                self.unknown.append(f"a checkpoint given is {error}")
                continue
            if tenant_of(said.origin) != tenant:
                continue
            if self.keys.judge(note) is not Signature.GOOD:
                why = "it is not signed by a key given" if self.keys else "there is no public key"
                self.unknown.append(f"the checkpoint of size {said.size} says nothing: {why}")
                continue
            self._notes.setdefault(said.size, []).append(said)

    def at(self, size: int) -> list[Checkpoint]:
        """Return the checkpoints given of a size."""
        return self._notes.get(size, [])

    def used(self, size: int) -> int:
        """Note that those of a size were compared; returns how many they are."""
        found = len(self.at(size))
        if found:
            self._used.add(size)
        return found

    @property
    def largest(self) -> int:
        """The largest size of a checkpoint given, 0 where there is none."""
        return max(self._notes, default=0)

    def signed(self, one: StoredCheckpoint) -> Checkpoint | None:
        """Return what a stored checkpoint says, if it is signed by a key at hand and is about its size."""
        if self.keys.judge(one.note) is not Signature.GOOD:
            return None
        try:
            said = Checkpoint.parse(one.note)
        except BadNote:
            return None
        return said if said.size == one.size else None

    def disagreement(self, one: StoredCheckpoint, root: bytes, chain_hash: bytes) -> str | None:
        """Return what is wrong with a stored checkpoint, None if nothing."""
        own = f"checkpoint of {one.size} events"
        if (one.root, one.hash) != (root, chain_hash):
            return f"the {own} disagrees with the chain"
        try:
            said = Checkpoint.parse(one.note)
        except (BadNote, TypeError, AttributeError):
            return f"the {own} is no longer a note"
        if (said.size, said.root, said.chain) != (one.size, one.root, one.hash):
            return f"the note of the {own} says something else"
        if said.time != timestamp(one.at):
            return f"the {own} stands under another time than it was signed with"
        judged = self.keys.judge(one.note)
        if self.keys and judged is Signature.BAD:
            return f"the {own} is not signed by the key"
        self.foreign += judged is Signature.UNKNOWN
        return None

    def left(self, removed: int, *, is_whole: bool) -> tuple[list[str], list[str]]:
        """Return what could not be told for want of comparing, and remarks, once `removed` is known."""
        unknown, remarks = [*self.unknown], list[str]()
        older = [size for size in self._notes if size < removed]
        rest = [size for size in self._notes if size >= removed and size not in self._used]
        allowed = self._allowed_removed
        if allowed is not None and removed > allowed:
            unknown.append(f"the events up to {removed} were removed, and you know of those up to {allowed}")
        if older and not self._used and not rest and allowed is None and is_whole:
            unknown.append(
                f"every checkpoint given is about events that were removed, up to number {removed}: "
                f"say --allow-removed {removed} if you know of it"
            )
        elif older:
            remarks.append(f"{len(older)} of the checkpoints given are about events that were removed")
        if rest:
            unknown.append(f"{len(rest)} of the checkpoints given were not compared with the part looked at")
        if self.foreign and self.keys:
            unknown.append(
                f"{self.foreign} checkpoints are signed by keys that are not at hand: give them with --pubkey"
            )
        return unknown, remarks


def tenant_of(origin: str) -> str:
    """Return which tenant the log of an origin is about."""
    return origin.rpartition("/")[2]


def unmatched(notes: Iterable[str], tenants: Iterable[str]) -> list[str]:
    """Return the origins of checkpoints that are about none of some tenants."""
    names, found = set(tenants), dict[str, None]()
    for note in notes:
        try:
            origin = Checkpoint.parse(note).origin
        except BadNote:
            continue
        if tenant_of(origin) not in names:
            found[origin] = None
    return list(found)
