"""What a new user gets where the client does not say: user name, employee number, start date, first role."""

from typing import TYPE_CHECKING, Any

from scim_server.lifecycle.assignments import DEPARTMENTS, ROLES, rows, waiting
from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.change import Actor, Change, RuleContext
from scim_server.lifecycle.dates import day_of
from scim_server.lifecycle.documents import Document, get, primary_email, put
from scim_server.lifecycle.judgement import judge
from scim_server.lifecycle.mirrors import zone_of
from scim_server.lifecycle.profile_rules import PROFILE_RULES
from scim_server.lifecycle.urns import CONNECTOR, DEPARTMENT, ENTERPRISE, LIFECYCLE, ROLE
from scim_server.scim.values import fold_text
from scim_server.services.lifecycle import USER
from scim_server.store import counters, resources

if TYPE_CHECKING:
    from scim_server.services.changes import Changes

_NUMBER = f"{ENTERPRISE}:employeeNumber"
_MISSING = {"R-NAME": "name", "R-EMAIL-REQ": "emails"}
"""Rules that ask for a field, with the attribute."""
_NAMED_BY_EMAIL = frozenset({"admin", "import"})


def with_user_name(data: Any, profile: str) -> Any:
    """Return a POST body of people and imports whose user name is the primary e-mail where it has none."""
    if profile not in _NAMED_BY_EMAIL or not isinstance(data, dict):
        return data
    names = {key.lower(): value for key, value in data.items()}
    emails = names.get("emails")
    if names.get("username") or not isinstance(emails, list):
        return data
    address = primary_email({"emails": emails})
    return {**data, "userName": address} if isinstance(address, str) and address else data


def missing_fields(data: Any, actor: Actor, catalogue: Catalogue) -> list[str]:
    """Return what a POST body that is refused anyway lacks besides: names and e-mail (S2 UC-001 AF3)."""
    stated = {key.lower(): value for key, value in data.items()} if isinstance(data, dict) else {}
    absent = {name for name in _MISSING.values() if not stated.get(name)}
    asked = [rule for rule in PROFILE_RULES if _MISSING.get(rule.id) in absent]
    change = Change(USER, "", actor, None, {})
    return [found.message for found in judge(asked, change, RuleContext(catalogue, 0)).refusals]


async def with_defaults(
    changes: "Changes", document: Document, actor: Actor, catalogue: Catalogue
) -> Document:
    """Return a new user's document with what the policies give it."""
    completed = dict(document)
    policies = catalogue.policies
    if actor.is_human:
        if policies.default_timezone and not completed.get("timezone"):
            completed["timezone"] = policies.default_timezone
        if not get(completed, CONNECTOR, "startDate") and not get(completed, LIFECYCLE, "validFrom"):
            today = day_of(changes.moment, zone_of(completed, catalogue))
            put(completed, CONNECTOR, "startDate", today.isoformat())
        number = get(completed, ENTERPRISE, "employeeNumber") or get(completed, CONNECTOR, "employeeId")
        if policies.employee_number.generate and not number:
            put(completed, ENTERPRISE, "employeeNumber", await _employee_number(changes, catalogue))
    elif actor.is_connector:
        _give_connector_defaults(completed, catalogue)
    return completed


async def _employee_number(changes: "Changes", catalogue: Catalogue) -> str:
    """Return the next employee number that nobody has (S4 §13)."""
    year = day_of(changes.moment, catalogue.policies.timezone).year
    while True:
        count = await counters.next_number(changes.writer, changes.tenant_id, f"employee:{year}")
        number = catalogue.policies.employee_number.pattern.format(year=year, number=count)
        key = fold_text(number)
        if not await resources.is_claimed(changes.writer, changes.tenant_id, USER, _NUMBER, key):
            return number


def _give_connector_defaults(document: Document, catalogue: Catalogue) -> None:
    defaults = catalogue.policies.connector_defaults
    has_role = document.get("roles") or rows(document, ROLES) or waiting(document, ROLES)
    if defaults.role and not has_role and not get(document, CONNECTOR, "primaryRole"):
        put(document, ROLE, "roleAssignments", [{"value": defaults.role, "primary": True}])
    has_department = rows(document, DEPARTMENTS) or get(document, ENTERPRISE, "department")
    if defaults.department and not has_department and not get(document, CONNECTOR, "departmentCode"):
        put(document, DEPARTMENT, "departments", [{"value": defaults.department, "primary": True}])
    if defaults.team and not get(document, CONNECTOR, "teamCode"):
        put(document, CONNECTOR, "teamCode", defaults.team)
