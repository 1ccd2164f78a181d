"""Checkpoints (C2SP tlog-checkpoint) as signed notes (C2SP signed-note), with Ed25519."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

_ED25519 = b"\x01"
_ID = 4
_KEY, _SIGNATURE, _HASH = 32, 64, 32
_NAME = re.compile(r"[^\s+]{1,200}")
_PEM = re.compile(r"-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----\s*", re.DOTALL)


class BadNote(ValueError):
    """A text is not a checkpoint, a key or a signature that can be used; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: name, number of events, root of the tree, time, hash of the last event."""

    origin: str
    size: int
    root: bytes
    time: str
    chain: bytes

    def text(self) -> str:
        """Return the body of the note; time and hash of the chain are extension lines."""
        head = f"{self.origin}\n{self.size}\n{_b64(self.root)}\n"
        return f"{head}time {self.time}\nchain {_b64(self.chain)}\n"

    @classmethod
    def parse(cls, note: str) -> "Checkpoint":
        """Return what a note says; its signature is not looked at. Raises BadNote."""
        lines = note.partition("\n\n")[0].split("\n")
        facts = dict(line.split(" ", 1) for line in lines[3:] if " " in line)
        try:
            origin, size, root = lines[:3]
            chain = _bytes(facts["chain"], _HASH)
            return cls(origin, _size(size), _bytes(root, _HASH), facts["time"], chain)
        except (ValueError, KeyError) as error:
            raise BadNote("not a checkpoint: origin, size, root, time and chain are expected") from error


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name, which tells whether a note was signed with it."""

    name: str
    key: bytes

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Return the key of `name+hash+base64`; raises BadNote."""
        try:
            name, id_, encoded = text.strip().split("+", 2)
            kind_and_key = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as error:
            raise BadNote("not a verifier key: name+hash+base64 is expected") from error
        if kind_and_key[:1] != _ED25519 or len(kind_and_key) != 1 + _KEY:
            raise BadNote("not a verifier key of Ed25519")
        found = cls(name, kind_and_key[1:])
        if found.id.hex() != id_:
            raise BadNote("the hash of the verifier key does not fit its name and key")
        return found

    @property
    def id(self) -> bytes:
        """The four bytes that name the key in signatures."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.key).digest()[:_ID]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_b64(_ED25519 + self.key)}"

    def has_signed(self, note: str) -> bool:
        """Tell whether one of the signatures of a note is good under this key."""
        text, found, signatures = note.rpartition("\n\n")
        body = f"{text}\n".encode()
        return bool(found) and any(self._is_good(body, line) for line in signatures.splitlines())

    def _is_good(self, body: bytes, line: str) -> bool:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        try:
            signature = _bytes(encoded, _ID + _SIGNATURE)
            if (dash, name, signature[:_ID]) != ("—", self.name, self.id):
                return False
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature[_ID:], body)
        except (ValueError, InvalidSignature):
            return False
        return True


class Signature(Enum):
    """What the keys at hand say of the signature of a note."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "by a key that is not at hand"


class Keys:
    """The public keys that notes may be signed with: the one in use, and those it took the place of."""

    def __init__(self, verifiers: Iterable[Verifier] = ()) -> None:
        """Take the keys."""
        self.verifiers = tuple(verifiers)

    def __bool__(self) -> bool:
        return bool(self.verifiers)

    def judge(self, note: object) -> Signature:
        """Tell whether a note is signed: BAD where it names a key at hand in vain, or names none at all."""
        if not isinstance(note, str):
            return Signature.BAD
        if any(verifier.has_signed(note) for verifier in self.verifiers):
            return Signature.GOOD
        named = named_keys(note)
        own = {(verifier.name, verifier.id) for verifier in self.verifiers}
        return Signature.BAD if not named or named & own else Signature.UNKNOWN


def named_keys(note: str) -> set[tuple[str, bytes]]:
    """Return name and id of the keys that a note says it is signed with."""
    found = set()
    for line in note.rpartition("\n\n")[2].splitlines():
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        try:
            signature = _bytes(encoded, _ID + _SIGNATURE)
        except ValueError:
            continue
        if dash == "—" and _NAME.fullmatch(name):
            found.add((name, signature[:_ID]))
    return found


class Signer:
    """A private key with its name, in a file outside the database, and the public keys before it."""

    def __init__(self, name: str, key: Ed25519PrivateKey, retired: tuple[Verifier, ...] = ()) -> None:
        """Take a key and its name. Raises BadNote for a name that a note cannot hold."""
        if not _NAME.fullmatch(name):
            raise BadNote("the name of a key has no spaces and no plus sign, and 200 characters at the most")
        self.name = name
        self.retired = retired
        self._key = key

    @classmethod
    def generate(cls, name: str) -> "Signer":
        """Return a signer with a new key."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> "Signer":
        """Return the signer that `stored` wrote; lines `retired: KEY` may be added. Raises BadNote."""
        block, name = _PEM.search(text), re.search(r"^name: (\S+)$", text, re.MULTILINE)
        try:
            key = load_pem_private_key(block[0].encode(), None) if block else None
        except ValueError:
            key = None
        if not isinstance(key, Ed25519PrivateKey) or name is None:
            raise BadNote(
                "not a key of 'scim-server audit keygen': a line 'name: …' and an Ed25519 key in PEM"
            )
        retired = re.findall(r"^retired: (\S+)$", text, re.MULTILINE)
        return cls(name[1], key, tuple(Verifier.parse(one) for one in retired))

    def stored(self) -> str:
        """Return what is kept in the file: the name, and the key as PEM."""
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        retired = "".join(f"retired: {one}\n" for one in self.retired)
        return f"name: {self.name}\n{retired}{pem}"

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    def keys(self) -> Keys:
        """The public keys that checkpoints of this log may be signed with."""
        return Keys((self.verifier, *self.retired))

    def note(self, checkpoint: Checkpoint) -> str:
        """Return the signed note of a checkpoint."""
        text = checkpoint.text()
        return f"{text}\n— {self.name} {_b64(self.verifier.id + self._key.sign(text.encode()))}\n"

    def signature(self, body: bytes) -> str:
        """Return the signature of a message, in base64."""
        return _b64(self._key.sign(body))


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _size(text: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text):
        raise ValueError("not a size")
    return int(text)


def _bytes(encoded: str, length: int) -> bytes:
    """Return bytes from base64; raises ValueError where they are not as many as expected."""
    value = base64.b64decode(encoded, validate=True)
    if len(value) != length:
        raise ValueError("too long or too short")
    return value
