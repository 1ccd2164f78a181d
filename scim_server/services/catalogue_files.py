"""Catalogue files: departments, locations, roles, entitlements and policies, loaded in one transaction."""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from scim_server.lifecycle.catalogue import UNCOMMITTED, Entry
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.policies import Policies
from scim_server.scim.errors import InvalidValue, ScimError
from scim_server.scim.patch.operations import Operation
from scim_server.scim.registry import ResourceType
from scim_server.scim.values import fold_text
from scim_server.security.tenants import settings_of
from scim_server.services import audit
from scim_server.services.changes import Changes
from scim_server.services.context import filter_context
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.settlement import system_call
from scim_server.services.tenants import known_tenant
from scim_server.store.database import Database, Writer
from scim_server.store.policies import read_policy, write_policy
from scim_server.store.tenants import find

SECTIONS: Mapping[str, tuple[str, str]] = {
    "roles": ("Role", "value"),
    "entitlements": ("Entitlement", "value"),
    "departments": ("Department", "code"),
    "locations": ("Location", "code"),
}
"""Sections of a file: the resource type and the attribute by which an entry is found again."""
POLICIES = "policies"


class CatalogueFileError(ValueError):
    """A catalogue file cannot be used; the message names the place."""


@dataclass(slots=True)
class Summary:
    """How many entries of each section were created, updated and left alone."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def note(self, section: str, outcome: str) -> None:
        """Count one entry."""
        counted = self.counts.setdefault(section, {"created": 0, "updated": 0, "unchanged": 0})
        counted[outcome] += 1

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Return a table row for each section."""
        for section, counted in self.counts.items():
            yield section, counted["created"], counted["updated"], counted["unchanged"]

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Return the counts by section."""
        return self.counts


def read_file(file: Path) -> dict[str, Any]:
    """Return the content of a TOML or JSON file with exact decimals. Raises CatalogueFileError."""
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".json":
            content = json.loads(text, parse_float=Decimal)
        else:
            content = tomllib.loads(text, parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise CatalogueFileError(f"cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise CatalogueFileError("must hold an object")
    unknown = sorted(set(content) - {*SECTIONS, POLICIES})
    if unknown:
        raise CatalogueFileError(f"has unknown sections: {', '.join(unknown)}")
    return content


class _TakenBack(Exception):
    pass


class Catalogues:
    """Loads catalogue files into tenants."""

    def __init__(self, database: Database, lifecycle: Lifecycle) -> None:
        self._database = database
        self._lifecycle = lifecycle

    async def load(self, tenant: str, content: Mapping[str, Any], *, is_dry_run: bool = False) -> Summary:
        """Load all sections in one transaction, or take them back for a dry run.

        Raises CatalogueFileError, ScimError and UnknownTenant, with nothing written.
        """
        policies = _policies(content.get(POLICIES))
        summary = Summary()

        async def work(writer: Writer) -> None:
            summary.counts.clear()
            tenant_id = await known_tenant(writer, tenant)
            found = await find(writer, tenant)
            call = system_call(tenant_id, tenant, settings_of(found.settings if found else None))
            context = filter_context(self._database, self._lifecycle.registry, call)
            changes = Changes(writer, self._lifecycle.registry, self._lifecycle, call, context)
            if policies is not None:
                await _write_policies(changes, policies, summary)
            for section in SECTIONS:
                await _load_section(changes, section, content.get(section, ()), summary)
            if is_dry_run:
                raise _TakenBack

        with suppress(_TakenBack):
            await self._database.write(work)
        return summary


def _policies(content: Any) -> Document | None:
    if content is None:
        return None
    try:
        return Policies.model_validate(content).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}" for detail in error.errors()
        ]
        raise CatalogueFileError(f"policies: {'; '.join(faults)}") from error


async def _write_policies(changes: Changes, policies: Document, summary: Summary) -> None:
    before = await read_policy(changes.writer, changes.tenant_id)
    if before == policies:
        summary.note(POLICIES, "unchanged")
        return
    await write_policy(changes.writer, changes.tenant_id, policies, changes.moment)
    known = await changes.catalogue()
    changes.catalogue_changed(replace(known, policies=Policies.model_validate(policies), version=UNCOMMITTED))
    await changes.record(audit.Event("policies.update", "Policies", "policies", before or {}, policies))
    summary.note(POLICIES, "created" if before is None else "updated")


async def _load_section(changes: Changes, section: str, entries: Any, summary: Summary) -> None:
    if not isinstance(entries, list | tuple) or not all(isinstance(entry, dict) for entry in entries):
        raise CatalogueFileError(f"{section} must be a list of tables")
    type_name, key = SECTIONS[section]
    resource_type = changes.own_kind(type_name)
    for index, entry in enumerate(_parents_first(entries)):
        name = entry.get(key) or entry.get("displayName")
        if not isinstance(name, str) or not name:
            raise CatalogueFileError(f"{section}[{index}] has no {key}")
        try:
            summary.note(section, await _load_entry(changes, resource_type, key, name, entry))
        except ScimError as error:
            raise CatalogueFileError(f"{section} {name}: {error.detail}") from error


def _parents_first(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries so that those above come before those below; a circle keeps its order."""
    remaining, ordered = list(entries), []
    names = {fold_text(str(entry.get("code") or entry.get("displayName"))) for entry in remaining}
    done: set[str] = set()
    while remaining:
        ready = [entry for entry in remaining if _parent(entry) not in names - done] or remaining
        ordered += ready
        done |= {fold_text(str(entry.get("code") or entry.get("displayName"))) for entry in ready}
        remaining = [entry for entry in remaining if entry not in ready]
    return ordered


def _parent(entry: Mapping[str, Any]) -> str | None:
    parent = entry.get("parent")
    return fold_text(parent) if isinstance(parent, str) else None


async def _load_entry(
    changes: Changes, resource_type: ResourceType, key: str, name: str, entry: Mapping[str, Any]
) -> str:
    body = _body(resource_type, entry)
    table = (await changes.catalogue()).table(resource_type.name)
    found = table.find(name)
    if found is None or not _is_called(found, key, name):
        await changes.create(resource_type, {"schemas": _schemas(resource_type, body), **body})
        return "created"
    before = (await changes.locked(resource_type, found.id)).version
    operation = Operation("replace", None, body, has_value=True)
    changed = await changes.patch(resource_type, found.id, [operation])
    return "unchanged" if changed.version == before else "updated"


def _is_called(entry: Entry, key: str, name: str) -> bool:
    own = entry.document.get(key) or entry.document.get("displayName")
    return isinstance(own, str) and fold_text(own) == fold_text(name)


def _schemas(resource_type: ResourceType, body: Mapping[str, Any]) -> list[str]:
    return [resource_type.schema.id, *(name for name in body if name.startswith("urn:"))]


def _body(resource_type: ResourceType, entry: Mapping[str, Any]) -> Document:
    """Return the SCIM body of an entry, whose attributes stand side by side whatever their schema."""
    body: Document = {}
    unknown = []
    for name, value in entry.items():
        if name.lower() in resource_type.attributes:
            body[name] = _reference(resource_type, name, value)
            continue
        extension = next(
            (one for one in resource_type.extensions.values() if name.lower() in one.attributes), None
        )
        if extension is None:
            unknown.append(name)
        else:
            body.setdefault(extension.id, {})[name] = value
    if unknown:
        raise InvalidValue(f"has no attribute {', '.join(unknown)}")
    if "supported" in resource_type.attributes:
        body.setdefault("supported", True)
    return body


def _reference(resource_type: ResourceType, name: str, value: Any) -> Any:
    """Return a reference that the file writes as a plain name in the form that SCIM has for it."""
    attribute = resource_type.attributes[name.lower()]
    if attribute.type != "complex" or not attribute.sub("$ref"):
        return value
    if isinstance(value, str):
        return {"value": value}
    return [{"value": item} if isinstance(item, str) else item for item in value]
