"""PATCH compared with scim2-models: every difference is a choice that a sentence of the RFCs allows."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scim2_models import Context, PatchOp, SCIMException, User

from scim_server.scim.errors import ScimError
from scim_server.scim.patch.operations import PATCH_URN
from tests.scim.samples import STRICT, USER, USER_URN, operation, patched

Json = dict[str, Any]
REFUSED = "refused"
POLICY = STRICT.switched({"open_canonical_values": True, "remove_absent": True})
SELECTING = (
    'ims[type eq "aim"]',
    'ims[value eq "a"]',
    'ims[type eq "aim" and value eq "a"]',
    'ims[not (type eq "aim")]',
    'ims[value eq "a" or type eq "xmpp"]',
)
TEXTS = (
    "title",
    "name.givenName",
    "name.familyName",
    "ims.display",
    f"{USER_URN}:nickName",
    *(f"{path}.{sub}" for path in SELECTING for sub in ("value", "display")),
)
LETTERS = st.sampled_from("abc")
IM = st.fixed_dictionaries(
    {"value": LETTERS},
    optional={"type": st.sampled_from(["aim", "xmpp"]), "display": LETTERS, "primary": st.booleans()},
)


def _one_primary(values: list[Json]) -> list[Json]:
    first = next((value for value in values if value.get("primary")), None)
    return [
        value if value is first else {**value, **({"primary": False} if "primary" in value else {})}
        for value in values
    ]


IMS = st.lists(IM, max_size=3).map(_one_primary)
NAME = st.fixed_dictionaries({"givenName": LETTERS}, optional={"familyName": LETTERS})
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(TEXTS, LETTERS),
    **dict.fromkeys(SELECTING, IM),
    **{f"{path}.primary": st.booleans() for path in SELECTING},
    "active": st.booleans(),
    "name": NAME,
    "ims": IMS,
}
DOCUMENTS = st.fixed_dictionaries(
    {"userName": st.just("u")},
    optional={"title": LETTERS, "active": st.booleans(), "name": NAME, "ims": IMS.filter(bool)},
)
OPERATIONS = st.sampled_from(sorted(VALUES)).flatmap(
    lambda path: (
        st.builds(operation, st.sampled_from(["add", "replace"]), st.just(path), VALUES[path])
        | st.just(operation("remove", path))
    )
)


def ours(document: Json, change: Json) -> Any:
    """Return what this server makes of a change."""
    try:
        return patched(document, change, resource_type=USER, policy=POLICY).document
    except ScimError:
        return REFUSED


def theirs(document: Json, change: Json) -> Any:
    """Return what scim2-models makes of it."""
    user: User[Any] = User.model_validate({"schemas": [USER_URN], **document})
    message = {"schemas": [PATCH_URN], "Operations": [change]}
    try:
        PatchOp[User[Any]].model_validate(message, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(user)
    except (SCIMException, ValidationError):
        return REFUSED
    dumped = user.model_dump(mode="json", exclude_none=True)
    return {name: value for name, value in dumped.items() if name not in {"schemas", "meta"}}


class Difference(NamedTuple):
    """A choice: when it shows, the sentence that allows it, and an example of it."""

    sentence: str
    applies: Callable[[Json, Json], bool]
    document: Json
    change: Json


def _selects(change: Json) -> bool:
    return "[" in change["path"]


def _replaces_selected(_document: Json, change: Json) -> bool:
    return bool(change["op"] == "replace" and change["path"].endswith("]"))


def _makes_several_primary(document: Json, change: Json) -> bool:
    value = change.get("value")
    made = value is True or (isinstance(value, dict) and value.get("primary") is True)
    return _selects(change) and made and len(document.get("ims", [])) > 1


def _sets_a_part_of_nothing(document: Json, change: Json) -> bool:
    return change["path"] == "ims.display" and change["op"] != "remove" and not document.get("ims")


def _adds_what_is_there(document: Json, change: Json) -> bool:
    known = {value["value"] for value in document.get("ims", [])}
    added = (
        [value["value"] for value in change["value"]] if change["path"] == "ims" and "value" in change else []
    )
    return change["op"] == "add" and (bool(known & set(added)) or len(set(added)) < len(added))


def _removes_the_significant_value(_document: Json, change: Json) -> bool:
    return bool(change["op"] == "remove" and change["path"].endswith((".value", ".display")))


DIFFERENCES = [
    Difference(
        "RFC 7644 §3.5.2.3: all matching record values SHALL be replaced (they are merged there)",
        _replaces_selected,
        {"userName": "u", "ims": [{"value": "a", "type": "aim"}]},
        operation("replace", 'ims[value eq "a"]', {"value": "b"}),
    ),
    Difference(
        "RFC 7644 §3.5.2: a server SHALL set primary to false for any other values (of several set "
        "together the last stays true; there the first does, or the request is refused)",
        _makes_several_primary,
        {"userName": "u", "ims": [{"value": "a"}, {"value": "a", "type": "xmpp"}]},
        operation("add", 'ims[value eq "a"].primary', True),
    ),
    Difference(
        "RFC 7644 table 9, noTarget: the path did not yield an attribute value that could be operated on",
        _sets_a_part_of_nothing,
        {"userName": "u"},
        operation("replace", "ims.display", "a"),
    ),
    Difference(
        "RFC 7644 §3.5.2.1: if the value already exists, no changes SHOULD be made (the same value "
        "without a type, or with the same one, is the same; there every part must agree)",
        _adds_what_is_there,
        {"userName": "u", "ims": [{"value": "a", "type": "aim"}]},
        operation("add", "ims", [{"value": "a"}]),
    ),
    Difference(
        "RFC 7643 §2.4: value is the attribute's significant value (what is left without it says "
        "nothing but its type, and goes with it)",
        _removes_the_significant_value,
        {"userName": "u", "ims": [{"value": "a", "type": "aim"}]},
        operation("remove", 'ims[type eq "aim"].value'),
    ),
]


@settings(deadline=None, max_examples=400)
@given(DOCUMENTS, OPERATIONS)
def test_patch_differs_from_scim2_models_only_where_a_sentence_allows_it(
    document: Json, change: Json
) -> None:
    if not any(difference.applies(document, change) for difference in DIFFERENCES):
        assert ours(document, change) == theirs(document, change)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.sentence[:20])
def test_every_difference_listed_exists(difference: Difference) -> None:
    assert difference.applies(difference.document, difference.change)
    assert ours(difference.document, difference.change) != theirs(difference.document, difference.change)
