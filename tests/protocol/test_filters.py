"""Filters of users (RFC 7644 §3.4.2.2): which users each filter selects, table by table."""

from typing import Any

from tests.protocol.messages import (
    ENTERPRISE,
    SEARCH_REQUEST,
    USER,
    Json,
    accepted,
    listed,
    user_names,
)
from tests.support.client import ScimClient

USERS: dict[str, Json] = {
    "ann": {
        "externalId": "EXT-1",
        "displayName": "Ann O'Malley",
        "title": "Guide",
        "profileUrl": "https://example.com/Ann",
        "name": {"givenName": "Ann", "familyName": "O'Malley"},
        "emails": [
            {"value": "ann@work.example", "type": "work", "primary": True},
            {"value": "ann@home.example", "type": "home"},
        ],
        ENTERPRISE: {"department": "Tours", "employeeNumber": "007"},
    },
    "Bob": {
        "externalId": "ext-1",
        "displayName": "Émile Ångström",
        "title": "guide dog",
        "active": False,
        "emails": [
            {"value": "bob@home.example", "type": "work"},
            {"value": "bob@work.example", "type": "home", "primary": True},
        ],
        ENTERPRISE: {"department": "Sales", "employeeNumber": "010"},
    },
    "cid": {
        "displayName": '100%_\\ "quoted"',
        "title": "Driver",
        "addresses": [{"type": "work", "country": "DE", "locality": "Berlin"}],
        "x509Certificates": [{"value": "TUlJRA=="}],
    },
    "dee": {"displayName": "100 percent"},
}
EVERYONE = {"ann", "Bob", "cid", "dee"}


async def selected(scim: ScimClient, *filters: str) -> dict[str, set[str]]:
    return {each: set(user_names(await listed(scim, "/Users", filter=each))) for each in filters}


async def evaluate(scim: ScimClient, expected: dict[str, set[str]], **references: Any) -> None:
    """Assert that each filter selects exactly the users named beside it."""
    for name, attributes in USERS.items():
        await scim.create_user(name, **{**attributes, **references})
    assert await selected(scim, *expected) == expected


async def test_equality_of_text_that_is_not_case_exact(scim: ScimClient) -> None:
    await evaluate(
        scim,
        {
            'userName eq "ANN"': {"ann"},
            'userName eq "bob"': {"Bob"},
            'userName eq "an"': set(),
            'userName eq " ann"': set(),
            'displayName eq "émile ångström"': {"Bob"},
            'title eq "GUIDE"': {"ann"},
            'title ne "guide"': {"Bob", "cid", "dee"},
            'userName ne "ANN"': {"Bob", "cid", "dee"},
        },
    )


async def test_equality_of_text_that_is_case_exact(scim: ScimClient) -> None:
    await evaluate(
        scim,
        {
            'externalId eq "EXT-1"': {"ann"},
            'externalId eq "ext-1"': {"Bob"},
            'externalId ne "EXT-1"': {"Bob", "cid", "dee"},
            'externalId sw "EXT"': {"ann"},
            'profileUrl eq "https://example.com/Ann"': {"ann"},
            'profileUrl eq "https://example.com/ann"': set(),
        },
    )


async def test_parts_of_text(scim: ScimClient) -> None:
    await evaluate(
        scim,
        {
            'title co "UID"': {"ann", "Bob"},
            'title sw "gu"': {"ann", "Bob"},
            'title ew "DE"': {"ann"},
            'title co "guide dog"': {"Bob"},
            'title sw "guide dogs"': set(),
            'displayName co "ÅNG"': {"Bob"},
            'title co ""': {"ann", "Bob", "cid"},
        },
    )


async def test_order_of_text(scim: ScimClient) -> None:
    await evaluate(
        scim,
        {
            'userName gt "bob"': {"cid", "dee"},
            'userName ge "BOB"': {"Bob", "cid", "dee"},
            'userName lt "bob"': {"ann"},
            'userName le "BOB"': {"ann", "Bob"},
            'title gt "driver"': {"ann", "Bob"},
            'title le "zzz"': {"ann", "Bob", "cid"},
        },
    )


async def test_presence(scim: ScimClient) -> None:
    await evaluate(
        scim,
        {
            "userName pr": EVERYONE,
            "title pr": {"ann", "Bob", "cid"},
            "name pr": {"ann"},
            "name.givenName pr": {"ann"},
            "emails pr": {"ann", "Bob"},
            "emails.primary pr": {"ann", "Bob"},
            "emails.display pr": set(),
            "not (emails pr)": {"cid", "dee"},
            f"{ENTERPRISE}:department pr": {"ann", "Bob"},
            "active pr": EVERYONE,
            "meta.created pr": EVERYONE,
            "title eq null": {"dee"},
            "title ne null": {"ann", "Bob", "cid"},
        },
    )


async def test_booleans(scim: ScimClient) -> None:
    await evaluate(
        scim,
        {
            "active eq true": {"ann", "cid", "dee"},
            "active eq false": {"Bob"},
            "active ne true": {"Bob"},
            "active ne false": {"ann", "cid", "dee"},
            "not (active eq true)": {"Bob"},
            "active EQ TRUE": {"ann", "cid", "dee"},
            "emails.primary eq true": {"ann", "Bob"},
            "emails[primary eq true]": {"ann", "Bob"},
        },
    )


async def test_multi_valued_attributes(scim: ScimClient) -> None:
    await evaluate(
        scim,
        {
            'emails eq "ANN@work.example"': {"ann"},
            'emails.value eq "ann@home.example"': {"ann"},
            'emails co "home.example"': {"ann", "Bob"},
            'emails.value ew "@work.example"': {"ann", "Bob"},
            'emails.type eq "work"': {"ann", "Bob"},
            'emails.value ne "ann@home.example"': {"Bob", "cid", "dee"},
            'emails.type ne "work"': {"cid", "dee"},
            'addresses.country eq "de"': {"cid"},
            'x509Certificates.value eq "TUlJRA=="': {"cid"},
            'x509Certificates.value ne "TUlJRA=="': {"ann", "Bob", "dee"},
        },
    )


async def test_a_value_path_looks_at_one_value_at_a_time(scim: ScimClient) -> None:
    await evaluate(
        scim,
        {
            'emails[type eq "work" and value ew "@work.example"]': {"ann"},
            'emails.type eq "work" and emails.value ew "@work.example"': {"ann", "Bob"},
            'emails[type eq "work" and primary eq true]': {"ann"},
            'emails[type eq "home" and primary eq true]': {"Bob"},
            'emails[not (type eq "work")]': {"ann", "Bob"},
            'not (emails[type eq "work"])': {"cid", "dee"},
            'emails[type ne "work"]': {"ann", "Bob"},
            'emails[type eq "work" or type eq "other"]': {"ann", "Bob"},
            'emails[(type eq "work" or type eq "home") and value sw "bob"]': {"Bob"},
            'emails[display pr or value eq "ann@home.example"]': {"ann"},
            'emails[type eq "work"] and title eq "guide"': {"ann"},
            'addresses[type eq "work" and locality eq "Berlin"]': {"cid"},
            'emails[type eq "work"].value eq "ann@work.example"': {"ann"},
        },
    )


async def test_not_binds_before_and_binds_before_or(scim: ScimClient) -> None:
    await evaluate(
        scim,
        {
            'userName eq "ann" or userName eq "bob" and active eq true': {"ann"},
            '(userName eq "ann" or userName eq "bob") and active eq true': {"ann"},
            'userName eq "dee" or userName eq "cid" and active eq false': {"dee"},
            '(userName eq "dee" or userName eq "cid") and active eq false': set(),
            'active eq false and userName eq "cid" or userName eq "dee"': {"dee"},
            'not (userName eq "ann") and active eq true': {"cid", "dee"},
            'not (userName eq "ann" and active eq true)': {"Bob", "cid", "dee"},
            'not (not (userName eq "ann"))': {"ann"},
            'not(userName eq "ann")': {"Bob", "cid", "dee"},
            '((((userName eq "ann"))))': {"ann"},
            'userName eq "ann" and userName eq "bob"': set(),
        },
    )


async def test_names_and_operators_are_read_in_any_case(scim: ScimClient) -> None:
    await evaluate(
        scim,
        {
            'USERNAME EQ "ann"': {"ann"},
            'username Eq "ann" AND active eq true': {"ann"},
            'username eq "ann" OR NOT (active eq true)': {"ann", "Bob"},
            'EMAILS[TYPE eq "work" And VALUE co "ann"]': {"ann"},
            'Name.GivenName SW "a"': {"ann"},
            f'{ENTERPRISE.upper()}:DEPARTMENT eq "tours"': {"ann"},
            "TITLE PR": {"ann", "Bob", "cid"},
        },
    )


async def test_what_looks_like_a_pattern_is_only_text(scim: ScimClient) -> None:
    await evaluate(
        scim,
        {
            'displayName co "%"': {"cid"},
            'displayName co "_"': {"cid"},
            'displayName sw "100%"': {"cid"},
            'displayName sw "1__"': set(),
            'displayName co "\\\\"': {"cid"},
            'displayName co "\\"quoted\\""': {"cid"},
            'displayName ew "\\""': {"cid"},
            'displayName eq "100%_\\\\ \\"quoted\\""': {"cid"},
            'displayName co "\\u00e9mile"': {"Bob"},
            'displayName co "o\'malley"': {"ann"},
            "userName eq \"x' OR '1'='1\"": set(),
        },
    )


async def test_the_schemas_of_a_user(scim: ScimClient) -> None:
    await evaluate(
        scim,
        {
            f'schemas eq "{ENTERPRISE}"': {"ann", "Bob"},
            f'schemas eq "{USER}"': EVERYONE,
            f'schemas ne "{ENTERPRISE}"': {"cid", "dee"},
            "schemas pr": EVERYONE,
        },
    )


async def test_the_extension_of_a_user(scim: ScimClient) -> None:
    await evaluate(
        scim,
        {
            f'{ENTERPRISE}:department eq "tours"': {"ann"},
            f'{ENTERPRISE}:department ne "tours"': {"Bob", "cid", "dee"},
            f'{ENTERPRISE}:employeeNumber gt "007"': {"Bob"},
            f'{USER}:userName eq "ann"': {"ann"},
            f'{USER}:name.givenName eq "ann"': {"ann"},
            f'{USER}:emails[type eq "work" and value sw "ann"]': {"ann"},
        },
    )


async def test_the_manager_of_a_user(scim: ScimClient) -> None:
    boss = await scim.create_user("boss", displayName="Boss")
    manager = {"manager": {"value": boss["id"]}}
    await scim.create_user("worker", **{ENTERPRISE: manager})
    await scim.create_user("other", **{ENTERPRISE: {"manager": {"value": "26118915"}}})
    expected = {
        f'{ENTERPRISE}:manager.value eq "{boss["id"]}"': {"worker"},
        f'{ENTERPRISE}:manager.value eq "26118915"': {"other"},
        f'{ENTERPRISE}:manager.value sw "2611"': {"other"},
        f"{ENTERPRISE}:manager.value pr": {"worker", "other"},
        f"{ENTERPRISE}:manager pr": {"worker", "other"},
        f'not ({ENTERPRISE}:manager.value eq "26118915")': {"boss", "worker"},
    }
    assert await selected(scim, *expected) == expected


async def test_the_common_attributes(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    bob = await scim.create_user("bob")
    version = bob["meta"]["version"].replace('"', '\\"')
    expected = {
        f'id eq "{ann["id"]}"': {"ann"},
        f'id ne "{ann["id"]}"': {"bob"},
        f'id eq "{ann["id"].upper()}"': set(),
        f'id eq "{ann["id"]}" or id eq "{bob["id"]}"': {"ann", "bob"},
        f'id sw "{bob["id"][:-1]}"': {"bob"} if ann["id"][:-1] != bob["id"][:-1] else {"ann", "bob"},
        "id pr": {"ann", "bob"},
        'meta.resourceType eq "User"': {"ann", "bob"},
        'meta.resourceType eq "Group"': set(),
        f'meta.location eq "{bob["meta"]["location"]}"': {"bob"},
        f'meta.version eq "{version}"': {"ann", "bob"},
        "externalId pr": set(),
    }
    assert await selected(scim, *expected) == expected


async def test_times_are_compared_as_times(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    bob = await scim.create_user("bob")
    created = bob["meta"]["created"]
    expected = {
        f'meta.created eq "{created}"': {"bob"},
        f'meta.created ne "{created}"': {"ann"},
        f'meta.created ge "{created}"': {"bob"},
        f'meta.created lt "{created}"': {"ann"},
        f'meta.created gt "{ann["meta"]["created"]}"': {"bob"},
        f'meta.lastModified le "{ann["meta"]["created"]}"': {"ann"},
        'meta.created gt "2011-05-13T04:42:34Z"': {"ann", "bob"},
        'meta.created gt "2011-05-13T04:42:34.123+02:00"': {"ann", "bob"},
        'meta.created lt "9999-12-30T23:59:59-12:00"': {"ann", "bob"},
        'meta.lastModified lt "2011-05-13T04:42:34"': set(),
    }
    assert await selected(scim, *expected) == expected


async def test_a_filter_that_selects_nobody_is_an_empty_list(scim: ScimClient) -> None:
    body = accepted(await scim.get("/Users", filter='userName eq "nobody"'))
    assert (body["totalResults"], body["Resources"]) == (0, [])


async def test_four_hundred_alternatives_are_worked_through(scim: ScimClient) -> None:
    await scim.create_user("ann", title="t399")
    filter_ = " or ".join(f'title co "t{number}"' for number in range(400))
    body = accepted(await scim.post("/Users/.search", {"schemas": [SEARCH_REQUEST], "filter": filter_}))
    assert user_names(body["Resources"]) == ["ann"]
