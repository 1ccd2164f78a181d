"""Filters over the rows of a membership, from both of its sides (RFC 7643 §4.1.2 and §4.2)."""

from tests.protocol.messages import listed, refused, user_names
from tests.support.client import ScimClient


async def two_levels(scim: ScimClient) -> dict[str, str]:
    """Ann is in Inner, Inner is in Outer, Bob is in Outer; Cid and Empty stay alone. Return their ids."""
    ids = {
        name: (await scim.create_user(name, displayName=f"{name} Lee"))["id"]
        for name in ("ann", "bob", "cid")
    }
    ids["Inner"] = (await scim.create_group("Inner", members=(ids["ann"],)))["id"]
    ids["Outer"] = (await scim.create_group("Outer", members=(ids["Inner"], ids["bob"])))["id"]
    ids["Empty"] = (await scim.create_group("Empty"))["id"]
    return ids


async def groups(scim: ScimClient, *filters: str) -> dict[str, set[str]]:
    return {
        each: {group["displayName"] for group in await listed(scim, "/Groups", filter=each)}
        for each in filters
    }


async def users(scim: ScimClient, *filters: str) -> dict[str, set[str]]:
    return {each: set(user_names(await listed(scim, "/Users", filter=each))) for each in filters}


async def test_groups_are_found_by_their_members(scim: ScimClient) -> None:
    ids = await two_levels(scim)
    expected = {
        f'members.value eq "{ids["ann"]}"': {"Inner"},
        f'members eq "{ids["ann"]}"': {"Inner"},
        f'members[value eq "{ids["bob"]}"]': {"Outer"},
        f'members.value eq "{ids["Inner"]}"': {"Outer"},
        f'members.value eq "{ids["cid"]}"': set(),
        f'members.value ne "{ids["bob"]}"': {"Inner", "Empty"},
        f'members[value eq "{ids["bob"]}" and type eq "User"]': {"Outer"},
        f'members[value eq "{ids["bob"]}" and type eq "Group"]': set(),
        "members pr": {"Inner", "Outer"},
        "not (members pr)": {"Empty"},
        'members.type eq "Group"': {"Outer"},
        'members.type eq "User"': {"Inner", "Outer"},
        f'members.value sw "{ids["ann"]}"': {"Inner"},
        f'displayName eq "inner" or members.value eq "{ids["bob"]}"': {"Inner", "Outer"},
        f'displayName sw "e" and not (members.value eq "{ids["bob"]}")': {"Empty"},
    }
    assert await groups(scim, *expected) == expected


async def test_groups_are_found_by_the_names_of_their_members(scim: ScimClient) -> None:
    await two_levels(scim)
    expected = {'members.display eq "ANN lee"': {"Inner"}, 'members[display sw "inn"]': {"Outer"}}
    assert await groups(scim, *expected) == expected


async def test_users_are_found_by_their_groups_direct_and_indirect(scim: ScimClient) -> None:
    ids = await two_levels(scim)
    expected = {
        f'groups.value eq "{ids["Inner"]}"': {"ann"},
        f'groups.value eq "{ids["Outer"]}"': {"ann", "bob"},
        f'groups eq "{ids["Outer"]}"': {"ann", "bob"},
        f'groups[value eq "{ids["Outer"]}" and type eq "direct"]': {"bob"},
        f'groups[value eq "{ids["Outer"]}" and type eq "indirect"]': {"ann"},
        f'groups.value ne "{ids["Outer"]}"': {"cid"},
        'groups.display eq "inner"': {"ann"},
        "groups pr": {"ann", "bob"},
        "not (groups pr)": {"cid"},
    }
    assert await users(scim, *expected) == expected


async def test_a_filter_of_groups_does_not_know_the_attributes_of_users(scim: ScimClient) -> None:
    refused(await scim.get("/Groups", filter='userName eq "ann"'), 400, "invalidFilter")


async def test_a_filter_on_the_computed_type_still_checks_its_operator(scim: ScimClient) -> None:
    refused(await scim.get("/Groups", filter="members.type eq 5"), 400, "invalidFilter")


async def test_groups_are_found_by_their_common_attributes(scim: ScimClient) -> None:
    ids = await two_levels(scim)
    expected = {
        f'id eq "{ids["Empty"]}"': {"Empty"},
        'meta.resourceType eq "Group"': {"Inner", "Outer", "Empty"},
        'meta.created lt "2011-01-01T00:00:00Z"': set(),
        'displayName ew "ER"': {"Inner", "Outer"},
    }
    assert await groups(scim, *expected) == expected


async def test_many_alternatives_about_groups_are_one_question(scim: ScimClient) -> None:
    ids = await two_levels(scim)
    others = " or ".join(f'groups.value eq "{number}"' for number in range(300))
    expected = {
        f'{others} or groups.value eq "{ids["Outer"]}"': {"ann", "bob"},
        f'groups.display eq "Inner" or groups.value eq "{ids["Empty"]}"': {"ann"},
        f'groups.value eq "{ids["Outer"]}" or userName eq "cid"': {"ann", "bob", "cid"},
        f'groups[value eq "{ids["Outer"]}" and type eq "direct"]': {"bob"},
        f'groups[value eq "{ids["Outer"]}" and type eq "indirect"]': {"ann"},
        'groups[type eq "direct"]': {"ann", "bob"},
    }
    assert await users(scim, *expected) == expected
