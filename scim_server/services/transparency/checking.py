"""What has to hold of one event of a chain, as pure checks of what is stored of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from scim_server.scim.documents import load
from scim_server.scim.normalize import fold_document
from scim_server.scim.registry import ResourceType
from scim_server.scim.values import fold_text
from scim_server.security.transparency.chain import chain_hash, commitment, key_id, receipt
from scim_server.security.transparency.parts import CLIENT_ID, COMMIT, KEPT_BESIDE
from scim_server.security.transparency.sealing import CannotOpen, OtherMaster, Sealing
from scim_server.store.audit import columns_of
from scim_server.store.chain import Sealed
from scim_server.store.chain_walk import Link
from scim_server.store.clock import microseconds_of

_MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Bad:
    """The first thing that is wrong: at which number of the chain, with which event, and what."""

    sequence: int
    what: str
    event_id: str | None = None


@dataclass(slots=True)
class Lost:
    """Private parts of one subject whose key is gone: how many, of which event on and up to which number."""

    first: int
    event_id: str
    last: int
    count: int = 1


class Checker:
    """Checks events one after the other, in the order of the chain.

    `lost` has, by receipt and subject, the private parts without a key: an erasure after them has to be on
    record, which is for others to look for.
    """

    def __init__(self, kind: ResourceType, sealing: Sealing, tenant_id: int) -> None:
        """Take the resource type of events, and what opens private parts."""
        self._kind = kind
        self._sealing = sealing
        self._tenant_id = tenant_id
        self._keys: dict[bytes, tuple[str, AESGCM]] = {}
        self.lost: dict[tuple[str, str], Lost] = {}
        self.unopened = 0

    def check(self, link: Link, expected: int, previous: bytes) -> Bad | None:
        """Return what is wrong with an event that should have a number and follow a hash, None if nothing."""
        if link.sequence != expected:
            return Bad(expected, f"there is no event with this number; the next one is {link.sequence}")
        try:
            what = self._wrong(link, previous)
        except Exception as error:  # noqa: BLE001 - whatever was put there; nothing is read from the store here
            what = f"what is stored of the event has not its shape ({type(error).__name__})"
        return None if what is None else Bad(expected, what, link.event_id)

    def _wrong(self, link: Link, previous: bytes) -> str | None:
        if link.document is None:
            return "the event is gone"
        try:
            public: dict[str, Any] = orjson.loads(link.document)
            commit: str | None = public.get(COMMIT)
            own = chain_hash(link.sequence, previous, link.document.encode(), commit)
        except (ValueError, TypeError, AttributeError):
            return "the event is no longer JSON"
        if own != link.hash:
            return "the hash does not fit: the event, its hash or its place was changed"
        return self._columns(link, public) or self._private(link, public, commit)

    def _columns(self, link: Link, public: Mapping[str, Any]) -> str | None:
        """Compare what is only there to be searched with the document it was made of."""
        if public.get("id") != link.event_id:
            return "the event stands under the id of another one"
        shown = {name: value for name, value in public.items() if name not in KEPT_BESIDE}
        folded = fold_document(shown, self._kind)
        if link.folded is None or load(link.folded) != folded:
            return "the folded copy differs from the event"
        expected = {**columns_of(folded), "client_id": public.get(CLIENT_ID)}
        stored = {**link.columns, "client_id": link.client_id}
        for name, value in expected.items():
            if stored[name] != value:
                return f"the column {name} differs from the event"
        if microseconds_of(str(folded.get("at", "")))[0] != link.at:
            return "the column at differs from the event"
        return None

    def _private(self, link: Link, public: Mapping[str, Any], commit: str | None) -> str | None:
        if commit is None:
            return None if link.private is None else "there is a private part that the event does not have"
        if link.private is None:
            return "the private part is gone"
        if link.subject not in subjects_of(link.event_id, public):
            return "the private part is put to somebody whom the event is not about"
        return self._part(link, link.private, commit)

    def _part(self, link: Link, part: Sealed, commit: str) -> str | None:
        name, key = self._key(part.secret)
        if name != part.key_id or key is None:
            return self._lost(link, str(part.key_id))
        sealed = part.sealed or b""
        try:
            salted = self._sealing.open(key, self._tenant_id, link.event_id, sealed)
        except OtherMaster:
            if self._sealing.is_relabelled(key, self._tenant_id, link.event_id, sealed):
                return "the private part was changed: it names a master key that it is not sealed under"
            self.unopened += 1
            return None
        except CannotOpen:
            return "the private part was changed or belongs to another event"
        return None if commitment(salted) == commit else "the private part is not the one committed to"

    def _lost(self, link: Link, name: str) -> str | None:
        """Note a private part whose key is gone."""
        try:
            claim = receipt(name), str(link.subject)
        except ValueError:
            return UNRECORDED
        known = self.lost.get(claim)
        if known is None:
            self.lost[claim] = Lost(link.sequence, link.event_id, link.sequence)
        else:
            known.last, known.count = link.sequence, known.count + 1
        return None

    def _key(self, secret: bytes | None) -> tuple[str | None, AESGCM | None]:
        if secret is None:
            return None, None
        secret = bytes(secret)
        if secret not in self._keys:
            if len(self._keys) >= _MOST_KEYS:
                self._keys.clear()
            self._keys[secret] = key_id(secret), self._sealing.key(secret)
        return self._keys[secret]


UNRECORDED = "the private part has no key, and no erasure of it is on record"
ERASE = "audit.erase"
ERASE_FOLDED = fold_text(ERASE)


def subjects_of(event_id: str, public: Mapping[str, Any]) -> set[str | None]:
    """Return under whose key the private part of an event may be: the resource's it is about, or its own."""
    resource = public.get("resource") or {}
    return {event_id, resource.get("value"), public.get("subject")} - {None}
