"""The server's filters against the in-memory evaluation of scim2-models, an independent implementation."""

import pytest
from scim2_models import EnterpriseUser, InvalidFilterException, ScimFilter, User

from tests.oracles.filters import FILTERS, REFUSED
from tests.oracles.population import SIZE, population, provision
from tests.protocol.messages import ENTERPRISE, Json, accepted, refused
from tests.support.client import ScimClient

# Each filter the two read differently, with the sentence of RFC 7644 §3.4.2.2 or RFC 7643 that settles it.
DIFFERENCES: dict[str, str] = {
    f"{ENTERPRISE}:manager.displayName pr": (
        "RFC 7643 §7: an attribute that is returned on request is there all the same; "
        "scim2-models judges only what was returned"
    ),
}

Person = User[EnterpriseUser]


def judged(users: list[Json], text: str) -> set[str]:
    """Return the names of the users that scim2-models says the filter selects."""
    filter_ = ScimFilter[Person](text)
    people = [Person.model_validate(user) for user in users]
    return {str(person.user_name) for person in people if filter_.match(person, strict=True)}


async def selected(scim: ScimClient, text: str) -> set[str]:
    """Return the names of the users the server selects."""
    body = accepted(await scim.get("/Users", filter=text, count=1000))
    assert body["totalResults"] == len(body["Resources"])
    return {user["userName"] for user in body["Resources"]}


async def test_every_filter_selects_the_same_users(scim: ScimClient) -> None:
    users = await provision(scim)
    differences = {}
    for text in FILTERS:
        theirs, ours = judged(users, text), await selected(scim, text)
        if theirs != ours:
            differences[text] = {"only ours": sorted(ours - theirs), "only theirs": sorted(theirs - ours)}
    assert {text: found for text, found in differences.items() if text not in DIFFERENCES} == {}
    assert set(differences) == set(DIFFERENCES)


def test_there_are_filters_enough() -> None:
    assert len(set(FILTERS)) == len(FILTERS) >= 150


async def test_the_filters_tell_the_users_apart(scim: ScimClient) -> None:
    users = await provision(scim)
    sizes = {len(judged(users, text)) for text in FILTERS}
    assert len(sizes) > SIZE / 3


async def test_what_the_one_refuses_the_other_refuses(scim: ScimClient) -> None:
    person = Person.model_validate(population()[1])
    for text in REFUSED:
        with pytest.raises(InvalidFilterException):
            ScimFilter[Person](text).match(person, strict=True)
        refused(await scim.get("/Users", filter=text), 400, "invalidFilter")
