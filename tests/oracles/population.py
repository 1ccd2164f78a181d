"""Sixty users that differ in every attribute a filter can name, and the groups they belong to."""

import base64
from typing import Any

from tests.protocol.messages import ENTERPRISE, GROUP, Json, accepted, bulk, user
from tests.support.client import ScimClient

SIZE = 60

_GIVEN = ("Ann", "Bob", "Chloé", "Dmitri", "Élodie", "Farid", "Göran", "Hana", "İrem", "Jörg")
_FAMILY = ("Lee", "O'Malley", "de la Cruz", "Ångström", "Smith", "smith", "Müller", "van der Berg")
_TITLES = (
    "Guide",
    "guide",
    "Driver",
    "Senior Guide",
    "Tour Guide 100%",
    "Chief_Officer",
    'The "Boss"',
    "A\\B",
)
_DEPARTMENTS = ("Tours", "tours", "Sales", "Research & Development", "50% Club")
_COUNTRIES = ("DE", "US", "fr")
_LANGUAGES = ("en-US", "de", "fr-CA")
_EMAIL_TYPES = ("work", "home", "other")


def population() -> list[Json]:
    """Return the bodies of the users, the same ones every time."""
    return [_person(number) for number in range(SIZE)]


def groups() -> list[Json]:
    """Return the bodies of the groups, each member a `bulkId:` reference to a user or a group."""
    evens = [f"bulkId:{number}" for number in range(0, SIZE, 2)]
    tens = [f"bulkId:{number}" for number in range(0, SIZE, 10)]
    return [
        _group("Evens", evens),
        _group("Tens", tens),
        _group("Everything Even", ["bulkId:Evens", "bulkId:Tens"]),
        _group("Nobody", []),
    ]


async def provision(scim: ScimClient) -> list[Json]:
    """Create the population and its groups and return the users as the server shows them."""
    operations = [_post("/Users", str(number), body) for number, body in enumerate(population())]
    operations += [_post("/Groups", str(body["displayName"]), body) for body in groups()]
    results = accepted(await bulk(scim, *operations))["Operations"]
    assert [result["status"] for result in results] == ["201"] * len(operations)
    await scim.patch_ok("/Users/" + str(results[7]["location"]).rsplit("/", 1)[-1], _CHANGE)
    users: list[Json] = accepted(await scim.get("/Users", count=1000))["Resources"]
    assert len(users) == SIZE
    return users


_CHANGE: Json = {"op": "replace", "path": "title", "value": "Promoted"}


def _post(path: str, bulk_id: str, data: Json) -> Json:
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": data}


def _group(name: str, members: list[str]) -> Json:
    body: Json = {"schemas": [GROUP], "displayName": name}
    return {**body, "members": [{"value": member} for member in members]} if members else body


def _person(number: int) -> Json:
    given, family = _GIVEN[number % len(_GIVEN)], _FAMILY[number % len(_FAMILY)]
    name = f"user{number:02}" if number % 3 else f"USER{number:02}"
    attributes: dict[str, Any] = {}
    if number % 9 != 3:
        attributes["name"] = {"givenName": given, "familyName": family}
        attributes["displayName"] = f"{given} {family}"
    if number % 5:
        attributes["title"] = _TITLES[number % len(_TITLES)]
    if number % 7 == 0:
        attributes["active"] = False
    if number % 6:
        attributes["externalId"] = f"{'EXT' if number % 2 else 'ext'}-{number // 2}"
    if number % 8 == 1:
        attributes |= {"nickName": given[:3], "userType": "Contractor", "locale": "de-DE"}
    if number % 3 == 0:
        attributes |= {"preferredLanguage": _LANGUAGES[number % 2], "timezone": "Europe/Berlin"}
    if number % 10 == 4:
        attributes["profileUrl"] = f"https://example.com/Profiles/{number}"
    attributes |= _values(number, name)
    extension = _extension(number)
    return user(name, **attributes, **({ENTERPRISE: extension} if extension else {}))


def _values(number: int, name: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    emails = [
        {"value": f"{name}@{kind}.example.com", "type": kind, **({"primary": True} if kind == "work" else {})}
        for kind in _EMAIL_TYPES[: number % 4]
    ]
    if number % 9 == 5:
        emails = [{"value": f"{name}@example.org"}]
    if emails:
        values["emails"] = emails
    if number % 5 < 2:
        values["phoneNumbers"] = [
            {"value": f"+49 30 {number:04}", "type": "work" if number % 2 else "mobile"}
        ]
    if number % 6 < 2:
        values["addresses"] = [
            {
                "type": "work",
                "country": _COUNTRIES[number % 3],
                "locality": "Berlin",
                "postalCode": f"{number:05}",
            },
            {"type": "home", "country": "DE", "streetAddress": f"{number} Main St.\nBack yard"},
        ]
    if number % 11 == 2:
        values["x509Certificates"] = [{"value": base64.b64encode(f"certificate {number}".encode()).decode()}]
        values["ims"] = [{"value": name, "type": "xmpp"}]
    if number % 12 == 3:
        values["roles"] = [{"value": "admin", "display": "Administrator", "primary": True}, {"value": "user"}]
        values["entitlements"] = [{"value": f"entitlement-{number}", "type": "app"}]
    return values


def _extension(number: int) -> Json:
    if number % 3 == 1:
        return {}
    extension: Json = {
        "department": _DEPARTMENTS[number % len(_DEPARTMENTS)],
        "employeeNumber": f"{number:04}",
    }
    if number % 2:
        extension |= {"costCenter": str(4000 + number), "organization": "Universal Studios"}
    if number % 6 == 2:
        extension["manager"] = {"value": f"bulkId:{number - 2}"}
    return extension
