"""Filters made by Hypothesis, against the in-memory evaluation of scim2-models."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scim2_models import EnterpriseUser, ScimFilter, User

from tests.oracles.population import population, provision
from tests.protocol.messages import ENTERPRISE, accepted
from tests.support.client import ScimClient

Person = User[EnterpriseUser]

TEXT_OPERATORS = ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le")
EQUALITY = ("eq", "ne")
# Without references such as profileUrl: scim2-models takes only a URI as the value to compare one with,
# where RFC 7644 §3.4.2.2 gives every operator of text to them.
TEXTS = (
    "userName",
    "displayName",
    "title",
    "externalId",
    "nickName",
    "name.givenName",
    "name.familyName",
    "locale",
    "emails.type",
    "phoneNumbers.value",
    "addresses.country",
    "addresses.postalCode",
    "roles.value",
    f"{ENTERPRISE}:department",
    f"{ENTERPRISE}:employeeNumber",
    "groups.display",
)
WITHIN = {
    "phoneNumbers": ("value", "type"),
    "addresses": ("type", "country", "locality", "postalCode", "streetAddress"),
    "roles": ("value", "display"),
    "ims": ("value", "type"),
}
BOOLEANS = ("active", "emails.primary", "roles.primary")
PRESENT = (
    *TEXTS,
    *BOOLEANS,
    *WITHIN,
    "emails",
    "name",
    "x509Certificates",
    f"{ENTERPRISE}:manager",
    "groups",
)


def _strings(value: object) -> set[str]:
    if isinstance(value, dict):
        return {text for each in value.values() for text in _strings(each)}
    if isinstance(value, list):
        return {text for each in value for text in _strings(each)}
    return {value} if isinstance(value, str) and not value.startswith(("urn:", "bulkId:")) else set()


WORDS = sorted(_strings(population()))


@st.composite
def operands(draw: st.DrawFn) -> str:
    """Return a literal: a value of the population, a part of one in any case, or any text at all."""
    word = draw(st.sampled_from(WORDS))
    start, end = draw(st.integers(0, len(word))), draw(st.integers(0, len(word)))
    part = word[min(start, end) : max(start, end)]
    noise = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=4)
    text = draw(st.sampled_from([word, word, part, part.upper(), part.lower()]) | noise)
    return json.dumps(text, ensure_ascii=draw(st.booleans()))


def comparisons(names: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return strategies of one comparison of text."""
    return st.tuples(names, st.sampled_from(TEXT_OPERATORS), operands()).map(" ".join)


@st.composite
def value_paths(draw: st.DrawFn) -> str:
    """Return a value path that tests one or two sub-attributes of the same value."""
    name = draw(st.sampled_from(sorted(WITHIN)))
    terms = draw(st.lists(comparisons(st.sampled_from(WITHIN[name])), min_size=1, max_size=2))
    inner = draw(st.sampled_from([" and ", " or "])).join(terms)
    return f"{name}[not ({inner})]" if draw(st.booleans()) else f"{name}[{inner}]"


def filters() -> st.SearchStrategy[str]:
    """Return filters of every shape of the grammar."""
    leaves = (
        comparisons(st.sampled_from(TEXTS))
        | st.tuples(
            st.sampled_from(BOOLEANS), st.sampled_from(EQUALITY), st.sampled_from(["true", "false"])
        ).map(" ".join)
        | st.sampled_from(PRESENT).map("{} pr".format)
        | value_paths()
    )
    return st.recursive(
        leaves,
        lambda inner: (
            inner.map("not ({})".format)
            | inner.map("({})".format)
            | st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join)
        ),
        max_leaves=5,
    )


class People(list[Person]):
    """The users, named in one word where Hypothesis shows a failing example."""

    def __repr__(self) -> str:
        return "the population"


@pytest.fixture
async def people(scim: ScimClient) -> People:
    return People(Person.model_validate(user) for user in await provision(scim))


@settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=filters())
async def test_any_filter_selects_the_same_users(scim: ScimClient, people: People, text: str) -> None:
    filter_ = ScimFilter[Person](text)
    theirs = {str(person.user_name) for person in people if filter_.match(person, strict=True)}
    body = accepted(await scim.post("/Users/.search", {"filter": text, "count": 1000}))
    assert {user["userName"] for user in body["Resources"]} == theirs
