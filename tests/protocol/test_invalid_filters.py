"""Filters that are refused (RFC 7644 §3.4.2.2, §3.12): the wrong type, the unknown, the unreadable."""

import pytest

from tests.protocol.messages import ENTERPRISE, Connect, listed, refused, user_names
from tests.support.client import ScimClient


@pytest.mark.parametrize(
    "filter_",
    [
        "active gt true",
        "active le false",
        'active co "tr"',
        'active sw "t"',
        "active eq 1",
        'active eq "perhaps"',
        "emails.primary ge true",
        'meta.created co "2011"',
        'meta.created sw "2011"',
        'meta.created gt "yesterday"',
        "meta.created gt 5",
        'x509Certificates.value gt "TUlJRA=="',
        'x509Certificates.value co "TUlJ"',
        "userName eq 5",
        "userName eq true",
        "userName co 5",
        'name eq "Ann"',
        'name co "Ann"',
        'password sw "t1me"',
    ],
)
async def test_an_operator_or_value_of_another_type_is_refused(scim: ScimClient, filter_: str) -> None:
    await scim.create_user("ann", password="t1meMa$heen")
    refused(await scim.get("/Users", filter=filter_), 400, "invalidFilter")


@pytest.mark.parametrize(
    "filter_",
    [
        'shoeSize eq "43"',
        "shoeSize pr",
        'emails.shoe eq "left"',
        'emails[shoe eq "left"]',
        'name.shoe eq "left"',
        'userName.value eq "ann"',
        'urn:example:nothing:userName eq "ann"',
        f'{ENTERPRISE}:userName eq "ann"',
        'department eq "Tours"',
        'members.value eq "1"',
        'userName eq "ann" or shoeSize pr',
        'userName eq "ann" and not (shoeSize pr)',
    ],
)
async def test_an_attribute_nobody_knows_is_refused(scim: ScimClient, filter_: str) -> None:
    await scim.create_user("ann")
    refused(await scim.get("/Users", filter=filter_), 400, "invalidFilter")


@pytest.mark.parametrize(
    "filter_",
    [
        "userName",
        "userName eq",
        'eq "ann"',
        'userName eq "ann',
        "userName eq ann",
        "userName eq 'ann'",
        'userName regex "ann"',
        'userName eq "ann" and',
        'userName eq "ann" xor userName eq "bob"',
        '(userName eq "ann"',
        'userName eq "ann")',
        "()",
        "emails[]",
        'emails[type eq "work"',
        'emails[emails[type eq "work"]]',
        'userName[value eq "ann"]',
        'not userName eq "ann"',
        'userName eq "\\x"',
        "userName pr pr",
        'userName eq "a" "b"',
        "true",
        "\x00",
    ],
)
async def test_a_filter_that_cannot_be_read_is_refused(scim: ScimClient, filter_: str) -> None:
    refused(await scim.get("/Users", filter=filter_), 400, "invalidFilter")


async def test_strict_refuses_a_boolean_written_as_text(connect: Connect) -> None:
    strict = await connect(dialect="strict")
    refused(await strict.get("/Users", filter='active eq "true"'), 400, "invalidFilter")


@pytest.mark.parametrize("dialect", ["okta", "entra", "generic"])
async def test_a_boolean_written_as_text_is_read(connect: Connect, dialect: str) -> None:
    scim = await connect(dialect=dialect)
    await scim.create_user("ann")
    assert user_names(await listed(scim, "/Users", filter='active eq "True"')) == ["ann"]
