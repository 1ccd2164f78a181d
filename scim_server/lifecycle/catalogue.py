"""The organisation's reference data in memory: roles, entitlements, departments, locations and policies.

An instance is an immutable picture of one tenant at one `version`; rules look everything up here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.policies import Policies
from scim_server.lifecycle.urns import ENTITLEMENT_GOVERNANCE, ROLE_GOVERNANCE
from scim_server.scim.values import fold_text

ROLE, ENTITLEMENT, DEPARTMENT, LOCATION = "Role", "Entitlement", "Department", "Location"
CATALOGUE_TYPES = (ROLE, ENTITLEMENT, DEPARTMENT, LOCATION)
_MEMBERS = {ROLE: "roles", ENTITLEMENT: "entitlements", DEPARTMENT: "departments", LOCATION: "locations"}
UNCOMMITTED = -1
"""The version of a catalogue that a transaction sees alone."""
_KEYS = ("value", "code", "display", "displayName")
_GOVERNANCE = {ROLE: ROLE_GOVERNANCE, ENTITLEMENT: ENTITLEMENT_GOVERNANCE}


@dataclass(frozen=True, slots=True)
class Limit:
    """An approval limit: a document type, an amount and its ISO 4217 currency."""

    type: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One resource of the catalogue: its id, what it is called, and its document with references by id."""

    id: str
    type: str
    document: Document

    @property
    def value(self) -> str:
        """The machine name: a role's or entitlement's `value`, a department's or location's code or name."""
        document = self.document
        return str(document.get("value") or document.get("code") or document.get("displayName") or self.id)

    @property
    def display(self) -> str:
        """The name for people."""
        document = self.document
        return str(document.get("display") or document.get("displayName") or self.value)

    @property
    def is_active(self) -> bool:
        """Whether it may be assigned: `supported` of roles and entitlements, `active` of the others."""
        return bool(self.document.get("supported", self.document.get("active", True)))

    @property
    def keys(self) -> set[str]:
        """Everything it may be called by, folded: id, value, code, names."""
        names = (self.document.get(name) for name in _KEYS)
        return {fold_text(name) for name in (self.id, *names) if isinstance(name, str) and name}

    def fact(self, name: str, default: Any = None) -> Any:
        """Return an attribute of the core or governance schema."""
        governance = self.document.get(_GOVERNANCE.get(self.type, ""), {})
        return self.document.get(name, governance.get(name, default))

    def names(self, name: str) -> tuple[str, ...]:
        """Return a multi-valued attribute of simple values."""
        return tuple(self.fact(name) or ())

    def target(self, name: str) -> str | None:
        """Return the id that a single reference of the document points at."""
        found = self.document.get(name)
        return found.get("value") if isinstance(found, dict) else None

    @property
    def limits(self) -> tuple[Limit, ...]:
        """A role's default approval limits."""
        stated = self.fact("defaultApprovalLimits") or ()
        return tuple(
            Limit(item.get("type", "general"), Decimal(item["amount"]), item["currency"])
            for item in stated
            if "amount" in item and "currency" in item
        )


class Table:
    """The entries of one type, found by id or by anything else they are called."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_id = {entry.id: entry for entry in entries}
        self._by_key: dict[str, list[Entry]] = {}
        for entry in self._by_id.values():
            for key in entry.keys:
                self._by_key.setdefault(key, []).append(entry)

    def having(self, entry: Entry) -> "Table":
        """Return a table with an entry in the place of the one of its id; this one stays as it is."""
        changed = self.without(entry.id)
        changed._by_id[entry.id] = entry  # noqa: SLF001 - a table that nobody else has yet
        for key in entry.keys:
            changed._by_key[key] = [*changed._by_key.get(key, ()), entry]  # noqa: SLF001
        return changed

    def without(self, id: str) -> "Table":
        """Return a table without an entry; this one stays as it is."""
        changed = Table(())
        changed._by_id, changed._by_key = dict(self._by_id), dict(self._by_key)
        gone = changed._by_id.pop(id, None)
        for key in () if gone is None else gone.keys:
            changed._by_key[key] = [one for one in changed._by_key[key] if one is not gone]
        return changed

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, id: str) -> Entry | None:
        """Return the entry of that id."""
        return self._by_id.get(id)

    def find(self, text: str) -> Entry | None:
        """Return the one entry that is called so by id, value, code or name, in any case, else None."""
        own = self._by_id.get(text)
        if own is not None:
            return own
        found = self._by_key.get(fold_text(text), ())
        if len(found) > 1:
            exact = [entry for entry in found if fold_text(entry.value) == fold_text(text)]
            found = exact or found
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """The reference data and policies of one tenant."""

    roles: Table
    entitlements: Table
    departments: Table
    locations: Table
    policies: Policies = field(default_factory=Policies)
    version: int = 0

    @classmethod
    def of(
        cls, entries: Iterable[Entry] = (), policies: Policies | None = None, version: int = 0
    ) -> "Catalogue":
        """Return the catalogue of some entries."""
        by_type: Mapping[str, list[Entry]] = {name: [] for name in CATALOGUE_TYPES}
        for entry in entries:
            by_type[entry.type].append(entry)
        return cls(
            roles=Table(by_type[ROLE]),
            entitlements=Table(by_type[ENTITLEMENT]),
            departments=Table(by_type[DEPARTMENT]),
            locations=Table(by_type[LOCATION]),
            policies=policies or Policies(),
            version=version,
        )

    def having(self, entry: Entry) -> "Catalogue":
        """Return what a transaction sees that has written an entry; its version is nobody else's."""
        return self._changed(entry.type, self.table(entry.type).having(entry))

    def without(self, type_name: str, id: str) -> "Catalogue":
        """Return what a transaction sees that has deleted an entry; its version is nobody else's."""
        return self._changed(type_name, self.table(type_name).without(id))

    def _changed(self, type_name: str, table: Table) -> "Catalogue":
        return replace(self, version=UNCOMMITTED, **{_MEMBERS[type_name]: table})  # type: ignore[arg-type]

    def table(self, type_name: str) -> Table:
        """Return the entries of a type."""
        found: Table = getattr(self, _MEMBERS[type_name])
        return found

    def ancestors(self, entry: Entry) -> list[Entry]:
        """Return the entries above a department or location, nearest first; a circle ends the list."""
        table, found, seen = self.table(entry.type), [], {entry.id}
        above = entry.target("parent")
        while above is not None and above not in seen:
            seen.add(above)
            parent = table.get(above)
            if parent is None:
                break
            found.append(parent)
            above = parent.target("parent")
        return found
