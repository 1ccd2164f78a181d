"""The people of the benchmark: user number n is the same document for every target and every run."""

from collections.abc import Sequence
from typing import Any

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_GIVEN = ("Ada", "Bola", "Chen", "Dana", "Emil", "Fatima", "Goran", "Hana", "Ines", "Jonas", "Kofi", "Lena")
_FAMILY = ("Abara", "Berg", "Castro", "Diaz", "Endo", "Fischer", "Gupta", "Haddad", "Ito", "Jansen", "Kaya")
TITLES = tuple(f"{level} {work}" for level in ("Junior", "Senior", "Lead") for work in ("Clerk", "Engineer"))
DEPARTMENTS = ("Finance", "People", "Engineering", "Management")
"""Names that the sample catalogue has."""
SPAN = 10
"""People who report to one manager."""


def user_name(n: int) -> str:
    """Return the user name of user n."""
    return f"user{n:07d}@corp.example"


def user(n: int, *, manager: str | None = None, departments: Sequence[str] = DEPARTMENTS) -> dict[str, Any]:
    """Return user n as a connector sends it; `manager` is an id."""
    given, family = _GIVEN[n % len(_GIVEN)], _FAMILY[n % len(_FAMILY)]
    enterprise: dict[str, Any] = {
        "employeeNumber": f"E{n:07d}",
        "department": departments[n % len(departments)],
        "costCenter": f"CC{n % 997:03d}",
        "organization": "Corp Example",
    }
    if manager is not None:
        enterprise["manager"] = {"value": manager}
    return {
        "schemas": [CORE, ENTERPRISE],
        "userName": user_name(n),
        "externalId": f"00u{n:09d}",
        "name": {"givenName": given, "familyName": family, "formatted": f"{given} {family}"},
        "displayName": f"{given} {family}",
        "title": TITLES[n % len(TITLES)],
        "locale": "en-US",
        "timezone": "Europe/Berlin",
        "emails": [
            {"value": user_name(n), "type": "work", "primary": True},
            {"value": f"{given.lower()}.{n}@home.example", "type": "home"},
        ],
        "phoneNumbers": [{"value": f"+49 30 {n:07d}", "type": "work"}],
        "active": True,
        ENTERPRISE: enterprise,
    }
