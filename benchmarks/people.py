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


def number(n: int) -> str:
    """Return the digits of user n, which stand in everything that is unlike in two users."""
    return f"{n:09d}"


def user_name(n: int, prefix: str = "user") -> str:
    """Return the user name of user n."""
    return f"{prefix}{number(n)}@corp.example"


def user(
    n: int, *, manager: str | None = None, departments: Sequence[str] = DEPARTMENTS, prefix: str = "user"
) -> dict[str, Any]:
    """Return user n as a connector sends it; `manager` is an id."""
    given, family = _GIVEN[n % len(_GIVEN)], _FAMILY[n % len(_FAMILY)]
    enterprise: dict[str, Any] = {
        "employeeNumber": f"E{number(n)}",
        "department": departments[n % len(departments)],
        "costCenter": f"CC{n % 997:03d}",
        "organization": "Corp Example",
    }
    if manager is not None:
        enterprise["manager"] = {"value": manager}
    return {
        "schemas": [CORE, ENTERPRISE],
        "userName": user_name(n, prefix),
        "externalId": f"00u{number(n)}",
        "name": {"givenName": given, "familyName": family, "formatted": f"{given} {family}"},
        "displayName": f"{given} {family}",
        "title": TITLES[n % len(TITLES)],
        "locale": "en-US",
        "timezone": "Europe/Berlin",
        "emails": [
            {"value": user_name(n, prefix), "type": "work", "primary": True},
            {"value": f"{given.lower()}.{number(n)}@home.example", "type": "home"},
        ],
        "phoneNumbers": [{"value": f"+49 30 {number(n)}", "type": "work"}],
        "active": True,
        ENTERPRISE: enterprise,
    }
