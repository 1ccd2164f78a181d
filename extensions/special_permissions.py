"""Special permissions: granted for a time, justified where they are sensitive, gone the moment they end."""

from collections.abc import Iterable, Mapping

from scim_server.lifecycle.assignments import PERMISSIONS, assigned_entries, inactive_entries, moments, rows
from scim_server.lifecycle.catalogue import Catalogue, Entry
from scim_server.lifecycle.change import Change, Rule, RuleContext, Verdict, modes, only_new
from scim_server.lifecycle.derivations import shown_rows
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.durations import duration_of
from scim_server.lifecycle.extension import Derivation, Extension, Finding, Job
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.state import moment


def _derive(document: Document, now: int, catalogue: Catalogue) -> None:
    """Leave what has not ended and show status, sensitivity and whether it is for emergencies."""
    shown_rows(document, PERMISSIONS, catalogue, now, _facts)


def _facts(entry: Entry) -> Mapping[str, bool]:
    return {"sensitive": bool(entry.fact("sensitive")), "emergency": bool(entry.fact("emergency"))}


def _fresh(change: Change, context: RuleContext) -> list[tuple[Document, Entry]]:
    """Return the grants that are new or last longer than before."""
    before = {row["value"]: row.get("validTo") for row in rows(change.old, PERMISSIONS)}
    return [
        (row, entry)
        for row, entry in assigned_entries(change.new, PERMISSIONS, context.catalogue)
        if entry.id not in before or before[entry.id] != row.get("validTo")
    ]


def _justified(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-PERM-JUST: sensitive permissions need a justification (S2 UC-015 AF2)."""
    for row, entry in _fresh(change, context):
        needs = entry.fact("sensitive") or entry.fact("requiresJustification")
        if needs and not (row.get("justification") or change.justification):
            yield Verdict(message("R-PERM-JUST"), PERMISSIONS.path, entry.id)


def _authority(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-PERM-AUTH: an entitlement that names who grants it is granted by these only (S2 UC-015 AF1)."""
    actor = change.actor
    if actor.profile == "system":
        return
    holds = {name.lower() for name in actor.roles}
    for _, entry in _fresh(change, context):
        grantable = {name.lower() for name in entry.names("grantableBy")}
        if grantable and not grantable & (holds | {name.lower() for name in actor.permissions}):
            yield Verdict(message("R-PERM-AUTH", name=entry.display), PERMISSIONS.path, entry.id)
        elif actor.user_id is not None and actor.user_id == change.id:
            yield Verdict(message("R-SELF.escalate", what=entry.display), PERMISSIONS.path, entry.id)


def _active(document: Document, _change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-PERM-ACTIVE: only supported entitlements are granted."""
    for entry in inactive_entries(document, PERMISSIONS, context.catalogue):
        yield Verdict(message("R-PERM-ACTIVE", name=entry.display), PERMISSIONS.path, entry.id)


def _duration(document: Document, _change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-PERM-DURATION: an entitlement with a longest duration is granted no longer than that."""
    for row, entry in assigned_entries(document, PERMISSIONS, context.catalogue):
        longest = duration_of(entry.fact("maximumDuration"))
        if longest is None:
            continue
        starts, ends = moment(row.get("validFrom")) or context.now, moment(row.get("validTo"))
        if ends is None or ends - starts > longest:
            facts = {"name": entry.display, "duration": entry.fact("maximumDuration")}
            yield Verdict(message("R-PERM-DURATION", **facts), PERMISSIONS.path, entry.id)


def _ended(before: Document, after: Document, catalogue: Catalogue) -> Iterable[Finding]:
    """Tell which special permissions ended between two moments (S2 UC-015 MF11)."""
    left = {row["value"] for row in rows(after, PERMISSIONS)}
    for row in rows(before, PERMISSIONS):
        if row["value"] not in left:
            entry = catalogue.entitlements.get(row["value"])
            yield Finding("user.permission.expired", entry.display if entry else row["value"])


extension = Extension(
    "special_permissions",
    rules=(
        Rule(
            "R-PERM-JUST",
            _justified,
            modes("record", "record", "enforce", "enforce"),
            requirements=("PRM-04",),
        ),
        Rule(
            "R-PERM-AUTH",
            _authority,
            modes("enforce", "enforce", "enforce", "enforce"),
            error="forbidden",
            requirements=("PRM-05",),
        ),
        Rule("R-PERM-ACTIVE", only_new(_active), modes("record", "record", "enforce", "enforce")),
        Rule("R-PERM-DURATION", only_new(_duration), modes("enforce", "enforce", "enforce", "enforce")),
    ),
    derivations=(Derivation(_derive, moments=lambda document: moments(document, PERMISSIONS)),),
    jobs=(Job("expired special permissions", _ended),),
)
