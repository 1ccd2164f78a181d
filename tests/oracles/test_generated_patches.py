"""PATCH sequences made by Hypothesis, against the in-memory patching of scim2-models."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scim2_models import EnterpriseUser, PatchOp, User

from tests.protocol.messages import ENTERPRISE, USER, Json, accepted, operation, patch, sent, user
from tests.support.client import ScimClient

Person = User[EnterpriseUser]

TEXT = st.sampled_from(["a", "b", "Ünï", "x y", '"quoted"'])
SINGLE = ("title", "nickName", "displayName", "locale", "name.givenName", "name.familyName", "externalId")
EXTENSION = ("department", "division", "costCenter")
TYPES = st.sampled_from(["work", "home", "mobile"])
PHONES = st.lists(
    st.fixed_dictionaries({"value": TEXT, "type": TYPES}),
    min_size=1,
    max_size=2,
    unique_by=lambda phone: phone["type"],
)
START: Json = user(
    "ann",
    title="a",
    active=True,
    name={"givenName": "a", "familyName": "b"},
    phoneNumbers=[{"value": "a", "type": "work"}, {"value": "b", "type": "home"}],
    **{ENTERPRISE: {"department": "a"}},
)


def changes() -> st.SearchStrategy[Json]:
    """Return operations whose outcome RFC 7644 §3.5.2 states."""
    write, names = st.sampled_from(["add", "replace"]), st.sampled_from(SINGLE)
    urns = st.sampled_from([f"{ENTERPRISE}:{name}" for name in EXTENSION])
    return st.one_of(
        st.builds(operation, write, names | urns, TEXT),
        st.builds(operation, st.just("remove"), names | urns | st.sampled_from(["name", "phoneNumbers"])),
        st.builds(operation, write, st.just("phoneNumbers"), PHONES),
        st.builds(operation, write, st.just("name"), st.dictionaries(st.just("givenName"), TEXT, min_size=1)),
        st.builds(operation, write, st.none(), st.fixed_dictionaries({"title": TEXT, "nickName": TEXT})),
        st.builds(operation, st.just("remove"), TYPES.map('phoneNumbers[type eq "{}"]'.format)),
        st.builds(operation, st.just("replace"), st.just("active"), st.booleans()),
    )


def of_library(resource: Json, operations: list[Json]) -> Json:
    """Return what scim2-models makes of the resource."""
    person = Person.model_validate(resource)
    message = {"Operations": operations}
    PatchOp[Person].model_validate(message).patch(person)
    stated: Json = person.model_dump()
    return normal(stated)


def normal(resource: Json) -> Json:
    """Return what the resource states, empty parts left out and the order of the schemas fixed."""
    stated = {name: value for name, value in sent(resource).items() if value not in ({}, [], None)}
    extension = {name: value for name, value in stated.pop(ENTERPRISE, {}).items() if name != "schemas"}
    phones = stated.pop("phoneNumbers", [])
    unique: list[Any] = [phone for index, phone in enumerate(phones) if phone not in phones[:index]]
    return {
        **stated,
        "schemas": [USER, ENTERPRISE] if extension else [USER],
        **({ENTERPRISE: extension} if extension else {}),
        **({"phoneNumbers": unique} if unique else {}),
    }


@settings(
    max_examples=100,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(operations=st.lists(changes(), min_size=1, max_size=4))
async def test_any_sequence_has_the_same_outcome(scim: ScimClient, operations: list[Json]) -> None:
    created = accepted(await scim.post("/Users", START), 201)
    path = f"/Users/{created['id']}"
    body = accepted(await patch(scim, path, *operations))
    assert await scim.read(path) == body
    await scim.delete(path)
    assert normal(body) == of_library(created, operations)
