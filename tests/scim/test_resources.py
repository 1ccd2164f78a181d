"""Resources rendered: meta, references, schemas of what is there."""

import pytest

from scim_server.scim.resources import ReferenceValue, Renderer, Resource, etag, timestamp
from tests.scim.samples import ENTERPRISE, GROUP_URN, REGISTRY, USER_URN

RENDERER = Renderer(REGISTRY, "https://x.test/scim/v2")


def user(**references: list[ReferenceValue]) -> Resource:
    return Resource("User", "u1", 3, 0, 1_500_000, {"userName": "ann"}, references)


def test_meta_is_what_the_server_knows() -> None:
    assert RENDERER.render(user())["meta"] == {
        "resourceType": "User",
        "created": "1970-01-01T00:00:00.000000Z",
        "lastModified": "1970-01-01T00:00:01.500000Z",
        "location": "https://x.test/scim/v2/Users/u1",
        "version": 'W/"3"',
    }


def test_an_extension_is_named_in_schemas_only_with_data() -> None:
    assert RENDERER.render(user())["schemas"] == [USER_URN]
    manager = {"enterprise:2.0:User:manager": [ReferenceValue("m1")]}
    assert RENDERER.render(user(**manager))["schemas"] == [USER_URN, ENTERPRISE]


def test_a_reference_to_a_stored_resource_has_its_location_and_name() -> None:
    manager = ReferenceValue("m1", "User", "Max")
    assert RENDERER.render(user(**{"enterprise:2.0:User:manager": [manager]}))[ENTERPRISE]["manager"] == {
        "value": "m1",
        "$ref": "https://x.test/scim/v2/Users/m1",
        "displayName": "Max",
    }


def test_a_reference_to_nothing_stored_is_its_value() -> None:
    manager = ReferenceValue("outside")
    assert RENDERER.render(user(**{"enterprise:2.0:User:manager": [manager]}))[ENTERPRISE] == {
        "manager": {"value": "outside"}
    }


def test_a_group_of_a_user_tells_how_the_user_is_in_it() -> None:
    group = ReferenceValue("g1", "Group", "Guides", kind="indirect")
    assert RENDERER.render(user(groups=[group]))["groups"] == [
        {
            "value": "g1",
            "$ref": "https://x.test/scim/v2/Groups/g1",
            "display": "Guides",
            "type": "indirect",
        }
    ]


def test_a_member_tells_its_type() -> None:
    members = {"members": [ReferenceValue("u1", "User", "Ann"), ReferenceValue("g2", "Group")]}
    rendered = RENDERER.render(Resource("Group", "g1", 1, 0, 0, {"displayName": "Guides"}, members))
    assert [member["type"] for member in rendered["members"]] == ["User", "Group"]
    assert rendered["schemas"] == [GROUP_URN]


def test_what_a_source_says_of_a_reference_is_shown_with_it() -> None:
    owner = ReferenceValue("u1", "User", "Ann", {"duty": "lead"})
    probe = Resource("Probe", "p1", 1, 0, 0, {"title": "a"}, {"owners": [owner]})
    assert RENDERER.render(probe)["owners"][0]["duty"] == "lead"


def test_rendering_leaves_the_document_as_it_is() -> None:
    resource = user(groups=[ReferenceValue("g1")])
    RENDERER.render(resource)
    assert resource.document == {"userName": "ann"}


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_times_are_exact_to_the_microsecond(microseconds: int, text: str) -> None:
    assert timestamp(microseconds) == text


def test_entity_tags_are_weak() -> None:
    assert etag(7) == user().etag.replace("3", "7") == 'W/"7"'
