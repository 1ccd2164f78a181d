"""Audit events as lines for a SIEM: as they are, in the shape of OCSF, or as CEF."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import orjson

from scim_server.scim.documents import load
from scim_server.security.transparency.chain import SALT_LENGTH
from scim_server.security.transparency.parts import joined
from scim_server.security.transparency.sealing import Sealing
from scim_server.services.transparency.revealing import opened
from scim_server.store import chain, chain_walk, checkpoints
from scim_server.store.database import Database

_AT_ONCE = 1_000
Line = Callable[[Mapping[str, Any]], str]
_OCSF_CLASS, _OCSF_CATEGORY = 3001, 3
_OCSF_ACTIVITIES = {
    "create": 1,
    "restore": 2,
    "reinstate": 2,
    "activate": 2,
    "deactivate": 5,
    "suspend": 5,
    "end": 5,
    "delete": 6,
}
_OTHER = 99
_SUCCESS = {"success": 1, "refused": 2}
_CEF_REFUSED, _CEF_USUAL = 6, 3


async def lines(
    database: Database,
    sealing: Sealing,
    tenant_id: int,
    tenant: str,
    line: Line,
    *,
    start: int = 1,
    end: int | None = None,
    is_private: bool = False,
) -> AsyncIterator[str]:
    """Give one line for each event of a chain, in its order; with the private parts only when asked."""
    read = database.read
    cut = await read(lambda reader: checkpoints.last_cut(reader, tenant_id))
    after = max(start - 1, 0 if cut is None else cut.size)
    while True:
        found = await read(lambda reader, at=after: chain_walk.links(reader, tenant_id, at, _AT_ONCE))  # type: ignore[misc]
        parts: dict[str, chain.Sealed] = {}
        if is_private:
            parts = {link.event_id: link.private for link in found if link.private is not None}
        for link in found:
            if end is not None and link.sequence > end:
                return
            part = parts.get(link.event_id)
            salted = None if part is None else opened(sealing, tenant_id, link.event_id, part)
            private = None if salted is None else load(salted[SALT_LENGTH:].decode())
            document = joined(load(link.document or "{}"), private)
            own = {"id": link.event_id, "tenant": tenant, "sequence": link.sequence, "hash": link.hash.hex()}
            yield line({**own, **document})
        if len(found) < _AT_ONCE:
            return
        after = found[-1].sequence


def as_json(event: Mapping[str, Any]) -> str:
    """Return an event as one line of JSON, with the names of AuditEvent."""
    return orjson.dumps(event).decode()


def as_ocsf(event: Mapping[str, Any]) -> str:
    """Return an event as an Account Change (class 3001) of OCSF 1.3; the rest of it is `unmapped`."""
    work = str(event.get("action", "")).rpartition(".")[2]
    activity = _OCSF_ACTIVITIES.get(work, _OTHER)
    actor, resource = event.get("actor", {}), event.get("resource", {})
    known = {"at", "action", "outcome", "actor", "resource", "requestId", "id", "tenant", "sequence"}
    mapped = {
        "class_uid": _OCSF_CLASS,
        "category_uid": _OCSF_CATEGORY,
        "activity_id": activity,
        "activity_name": event.get("action"),
        "type_uid": _OCSF_CLASS * 100 + activity,
        "time_dt": event.get("at"),
        "severity_id": 1 if event.get("outcome") == "success" else 2,
        "status_id": _SUCCESS.get(str(event.get("outcome")), _OTHER),
        "status": event.get("outcome"),
        "actor": {"user": {"uid": actor.get("value")}, "app_name": actor.get("client")},
        "user": {"uid": resource.get("value"), "type": resource.get("type")},
        "metadata": {
            "version": "1.3.0",
            "uid": event["id"],
            "sequence": event["sequence"],
            "correlation_uid": event.get("requestId"),
            "tenant_uid": event["tenant"],
            "product": {"name": "scim-server"},
        },
        "unmapped": {name: value for name, value in event.items() if name not in known},
    }
    return orjson.dumps(mapped).decode()


def as_cef(event: Mapping[str, Any]) -> str:
    """Return an event as ArcSight Common Event Format."""
    actor, resource = event.get("actor", {}), event.get("resource", {})
    facts = {
        "rt": event.get("at"),
        "suid": actor.get("value"),
        "suser": actor.get("client"),
        "duid": resource.get("value"),
        "outcome": event.get("outcome"),
        "reason": event.get("reason"),
        "externalId": event["id"],
        "cn1Label": "sequence",
        "cn1": event["sequence"],
        "cs1Label": "resourceType",
        "cs1": resource.get("type"),
        "cs2Label": "changed",
        "cs2": orjson.dumps(event["changes"]).decode() if event.get("changes") else None,
        "cs3Label": "hash",
        "cs3": event["hash"],
        "msg": event.get("note"),
    }
    severity = _CEF_REFUSED if event.get("outcome") == "refused" else _CEF_USUAL
    action = _escaped(str(event.get("action")), "|")
    told = " ".join(
        f"{name}={_escaped(str(value), '=')}" for name, value in facts.items() if value is not None
    )
    return f"CEF:0|scim-server|scim-server|1|{action}|{action}|{severity}|{told}"


def _escaped(text: str, mark: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(mark, f"\\{mark}")
    return escaped.replace("\r", "\\r").replace("\n", "\\n")


FORMATS: Mapping[str, Line] = {"jsonl": as_json, "ocsf": as_ocsf, "cef": as_cef}
