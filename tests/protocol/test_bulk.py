"""Bulk (RFC 7644 §3.7)."""

from typing import Any

import pytest

from tests.protocol.messages import (
    BULK_REQUEST,
    BULK_RESPONSE,
    ENTERPRISE,
    ERROR,
    PATCH_OP,
    UNKNOWN_ID,
    Json,
    Serve,
    accepted,
    bulk,
    group,
    listed,
    operation,
    refused,
    user,
    user_names,
)
from tests.support.client import ScimClient


def post(bulk_id: str, data: Json, path: str = "/Users") -> Json:
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": data}


def changes(*operations: Json) -> Json:
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


async def results(scim: ScimClient, *operations: Json, **members: Any) -> list[Json]:
    """Send the operations and return the result of each."""
    body = accepted(await bulk(scim, *operations, **members))
    assert body["schemas"] == [BULK_RESPONSE]
    operations_done: list[Json] = body["Operations"]
    return operations_done


async def statuses(scim: ScimClient, *operations: Json, **members: Any) -> list[str]:
    return [result["status"] for result in await results(scim, *operations, **members)]


def identifier(result: Json) -> str:
    return str(result["location"]).rsplit("/", 1)[-1]


async def everybody(scim: ScimClient) -> list[str]:
    return user_names(await listed(scim, "/Users"))


async def test_one_of_each_method_is_answered_whole(scim: ScimClient) -> None:
    ids = [(await scim.create_user(name))["id"] for name in ("put", "patch", "delete")]
    paths = [f"/Users/{each}" for each in ids]
    created, replaced, changed, deleted = await results(
        scim,
        post("qwerty", user("post")),
        {"method": "PUT", "path": paths[0], "data": user("put", title="Guide")},
        {"method": "PATCH", "path": paths[1], "data": changes(operation("add", "title", "Guide"))},
        {"method": "DELETE", "path": paths[2]},
    )
    versions = {resource["id"]: resource["meta"]["version"] for resource in await listed(scim, "/Users")}
    assert created == {
        "method": "POST",
        "bulkId": "qwerty",
        "location": f"{scim.base_url}/Users/{identifier(created)}",
        "version": versions[identifier(created)],
        "status": "201",
    }
    assert replaced == {
        "method": "PUT",
        "location": f"{scim.base_url}{paths[0]}",
        "version": versions[ids[0]],
        "status": "200",
    }
    assert changed == {
        "method": "PATCH",
        "location": f"{scim.base_url}{paths[1]}",
        "version": versions[ids[1]],
        "status": "200",
    }
    assert deleted == {"method": "DELETE", "location": f"{scim.base_url}{paths[2]}", "status": "204"}


async def test_what_was_done_in_bulk_is_done(scim: ScimClient) -> None:
    leaving, staying = await scim.create_user("leaving"), await scim.create_user("staying")
    await results(
        scim,
        {"method": "DELETE", "path": f"/Users/{leaving['id']}"},
        {"method": "PUT", "path": f"/Users/{staying['id']}", "data": user("stayed")},
        post("new", user("new")),
    )
    assert await everybody(scim) == ["stayed", "new"]


async def test_a_failed_operation_carries_its_error(scim: ScimClient) -> None:
    await scim.create_user("ann")
    (result,) = await results(scim, post("again", user("ANN")))
    detail = result["response"].pop("detail")
    assert detail
    assert result == {
        "method": "POST",
        "bulkId": "again",
        "status": "409",
        "response": {"schemas": [ERROR], "status": "409", "scimType": "uniqueness"},
    }


async def test_a_reference_to_an_earlier_operation_is_resolved(scim: ScimClient) -> None:
    person, guides = await results(
        scim, post("u", user("ann")), post("g", group("Guides", "bulkId:u"), "/Groups")
    )
    members = (await scim.read(f"/Groups/{identifier(guides)}"))["members"]
    assert [member["value"] for member in members] == [identifier(person)]


async def test_a_reference_to_a_later_operation_is_resolved(scim: ScimClient) -> None:
    guides, person = await results(
        scim, post("g", group("Guides", "bulkId:u"), "/Groups"), post("u", user("ann"))
    )
    assert (guides["bulkId"], person["bulkId"]) == ("g", "u")
    members = (await scim.read(f"/Groups/{identifier(guides)}"))["members"]
    assert [member["value"] for member in members] == [identifier(person)]


async def test_groups_that_refer_to_each_other_are_created(scim: ScimClient) -> None:
    first, second = await results(
        scim,
        post("qwerty", group("Group A", "bulkId:ytrewq"), "/Groups"),
        post("ytrewq", group("Group B", "bulkId:qwerty"), "/Groups"),
    )
    assert (first["status"], second["status"]) == ("201", "201")
    for one, other in ((first, second), (second, first)):
        members = (await scim.read(f"/Groups/{identifier(one)}"))["members"]
        assert [(member["value"], member["type"]) for member in members] == [(identifier(other), "Group")]


async def test_users_who_manage_each_other_are_created(scim: ScimClient) -> None:
    ann, bob = await results(
        scim,
        post("a", user("ann", **{ENTERPRISE: {"manager": {"value": "bulkId:b"}}})),
        post("b", user("bob", **{ENTERPRISE: {"manager": {"value": "bulkId:a"}}})),
    )
    for one, other in ((ann, bob), (bob, ann)):
        manager = (await scim.read(f"/Users/{identifier(one)}"))[ENTERPRISE]["manager"]
        assert manager["value"] == identifier(other)


async def test_a_reference_in_a_path_is_resolved(scim: ScimClient) -> None:
    guides, changed = await results(
        scim,
        post("g", group("Guides"), "/Groups"),
        {
            "method": "PATCH",
            "path": "/Groups/bulkId:g",
            "data": changes(operation("replace", "displayName", "Drivers")),
        },
    )
    assert changed["status"] in {"200", "204"}
    assert changed["location"] == guides["location"]
    assert (await scim.read(f"/Groups/{identifier(guides)}"))["displayName"] == "Drivers"


async def test_a_reference_in_a_patch_is_resolved(scim: ScimClient) -> None:
    guides = await scim.create_group("Guides")
    add = operation("add", "members", [{"value": "bulkId:u"}])
    _, person = await results(
        scim,
        {"method": "PATCH", "path": f"/Groups/{guides['id']}", "data": changes(add)},
        post("u", user("ann")),
    )
    members = (await scim.read(f"/Groups/{guides['id']}"))["members"]
    assert [member["value"] for member in members] == [identifier(person)]


async def test_a_reference_to_nothing_fails_its_operation_only(scim: ScimClient) -> None:
    done = await results(scim, post("g", group("Guides", "bulkId:nobody"), "/Groups"), post("u", user("ann")))
    assert [result["status"] for result in done] in (["400", "201"], ["409", "201"])
    assert "nobody" in done[0]["response"]["detail"]
    assert await listed(scim, "/Groups") == []


async def test_a_reference_to_a_failed_operation_fails_too(scim: ScimClient) -> None:
    await scim.create_user("ann")
    done = await statuses(scim, post("u", user("ann")), post("g", group("Guides", "bulkId:u"), "/Groups"))
    assert done in (["409", "400"], ["409", "409"])
    assert await listed(scim, "/Groups") == []


async def test_without_a_limit_every_operation_is_tried(scim: ScimClient) -> None:
    await scim.create_user("ann")
    done = await statuses(
        scim, post("1", user("ann")), post("2", user("bob")), post("3", user("ann")), post("4", user("cid"))
    )
    assert done == ["409", "201", "409", "201"]
    assert await everybody(scim) == ["ann", "bob", "cid"]


@pytest.mark.parametrize(
    ("limit", "expected", "names"),
    [
        (1, ["201", "409"], ["ann", "bob"]),
        (2, ["201", "409", "201", "409"], ["ann", "bob", "cid"]),
        (3, ["201", "409", "201", "409", "201"], ["ann", "bob", "cid", "dee"]),
    ],
)
async def test_processing_stops_at_the_stated_number_of_errors(
    scim: ScimClient, limit: int, expected: list[str], names: list[str]
) -> None:
    await scim.create_user("ann")
    tried = ["bob", "ann", "cid", "ann", "dee"]
    operations = [post(str(number), user(name)) for number, name in enumerate(tried)]
    assert await statuses(scim, *operations, failOnErrors=limit) == expected
    assert await everybody(scim) == names


async def test_an_operation_that_fails_leaves_no_part_of_itself(scim: ScimClient) -> None:
    ann = await scim.create_user("ann", title="Guide")
    data = changes(operation("replace", "title", "Driver"), operation("replace", "shoeSize", "43"))
    assert await statuses(scim, {"method": "PATCH", "path": f"/Users/{ann['id']}", "data": data}) == ["400"]
    assert await scim.read(f"/Users/{ann['id']}") == ann


async def test_operations_see_the_earlier_ones(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    done = await statuses(
        scim,
        {"method": "DELETE", "path": f"/Users/{ann['id']}"},
        post("u", user("ann")),
        {"method": "DELETE", "path": f"/Users/{ann['id']}"},
    )
    assert done == ["204", "201", "404"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_version_is_a_condition(scim: ScimClient, method: str) -> None:
    ann = await scim.create_user("ann")
    data = {"PUT": user("ann", title="x"), "PATCH": changes(operation("add", "title", "x"))}.get(method)
    target = {"method": method, "path": f"/Users/{ann['id']}", "data": data}
    stale, current = {**target, "version": 'W/"stale"'}, {**target, "version": ann["meta"]["version"]}
    assert await statuses(scim, stale) == ["412"]
    assert await scim.read(f"/Users/{ann['id']}") == ann
    assert await statuses(scim, current) in (["200"], ["204"])


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ({"method": "BREW", "path": "/Users", "bulkId": "1", "data": user("x")}, "400"),
        ({"method": "GET", "path": "/Users"}, "400"),
        ({"path": "/Users", "bulkId": "1", "data": user("x")}, "400"),
        ({"method": "POST", "path": "/Users", "data": user("x")}, "400"),
        ({"method": "POST", "path": "/Users", "bulkId": "1"}, "400"),
        ({"method": "POST", "path": "/Users", "bulkId": "1", "data": "x"}, "400"),
        ({"method": "POST", "bulkId": "1", "data": user("x")}, "400"),
        ({"method": "PUT", "path": f"/Users/{UNKNOWN_ID}", "data": user("x")}, "404"),
        (
            {
                "method": "PATCH",
                "path": f"/Users/{UNKNOWN_ID}",
                "data": changes(operation("remove", "title")),
            },
            "404",
        ),
        ({"method": "DELETE", "path": f"/Users/{UNKNOWN_ID}"}, "404"),
        ({"method": "POST", "path": "/Users", "bulkId": "1", "data": {"schemas": []}}, "400"),
    ],
)
async def test_a_faulty_operation_fails_alone(scim: ScimClient, target: Json, status: str) -> None:
    faulty, good = await results(scim, target, post("good", user("good")))
    assert (faulty["status"], good["status"]) == (status, "201")
    assert faulty["response"]["schemas"] == [ERROR]
    assert faulty["response"]["status"] == status
    assert await everybody(scim) == ["good"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/AuditEvents", "GET"),
        ("PUT", f"/AuditEvents/{UNKNOWN_ID}", "GET"),
        ("DELETE", f"/AuditEvents/{UNKNOWN_ID}", "GET"),
        ("PATCH", f"/AccountActions/{UNKNOWN_ID}", "GET"),
        ("DELETE", f"/LoginReports/{UNKNOWN_ID}", "GET"),
        ("PUT", f"/ApiTokens/{UNKNOWN_ID}", "DELETE, GET, PATCH"),
    ],
)
async def test_an_operation_that_the_type_does_not_take_fails_alone(
    scim: ScimClient, method: str, path: str, allowed: str
) -> None:
    target = {"method": method, "path": path, "bulkId": "1", "data": user("x")}
    refused_result, good = await results(scim, target, post("2", user("good")))
    assert (refused_result["status"], good["status"]) == ("405", "201")
    detail = f"{method} is not possible here; this endpoint takes {allowed}."
    assert refused_result["response"] == {"schemas": [ERROR], "status": "405", "detail": detail}
    assert await everybody(scim) == ["good"]


async def test_what_refers_to_an_operation_that_the_type_does_not_take_fails_too(scim: ScimClient) -> None:
    event = post("event", {"actor": {"value": "x"}}, "/AuditEvents")
    team = post("team", group("team", "bulkId:event"), "/Groups")
    assert await statuses(scim, event, team) == ["405", "409"]
    assert await listed(scim, "/Groups") == []


@pytest.mark.parametrize(
    ("path", "method"), [("/Users", "PUT"), ("/Users", "DELETE"), ("/Bulk", "POST"), ("/Nothing", "POST")]
)
async def test_an_operation_on_an_endpoint_without_that_method_fails(
    scim: ScimClient, path: str, method: str
) -> None:
    target = {"method": method, "path": path, "bulkId": "1", "data": user("x")}
    assert await statuses(scim, target) in (["400"], ["404"], ["405"])
    assert await everybody(scim) == []


@pytest.mark.parametrize(
    "message",
    [
        {"schemas": [BULK_REQUEST]},
        {"schemas": [BULK_REQUEST], "Operations": None},
        {"schemas": [BULK_REQUEST], "Operations": {}},
        {"schemas": [BULK_REQUEST], "Operations": "x"},
        {"schemas": [BULK_REQUEST], "Operations": [5]},
        {"schemas": [BULK_REQUEST], "failOnErrors": "one", "Operations": [post("u", user("ann"))]},
        [],
    ],
)
async def test_a_message_that_is_no_bulk_request_is_refused(scim: ScimClient, message: Any) -> None:
    refused(await scim.request("POST", "/Bulk", json=message), 400, "invalidSyntax", "invalidValue")
    assert await everybody(scim) == []


async def test_too_many_operations_are_refused_whole(serve: Serve) -> None:
    scim = await serve(bulk_max_operations=2)
    operations = [post(name, user(name)) for name in ("ann", "bob", "cid")]
    body = refused(await bulk(scim, *operations), 413)
    assert "2" in body["detail"]
    assert await everybody(scim) == []
    assert await statuses(scim, *operations[:2]) == ["201", "201"]


async def test_a_body_above_the_limit_is_refused_whole(serve: Serve) -> None:
    scim = await serve(max_body_bytes=2000)
    body = refused(await bulk(scim, post("u", user("ann", title="x" * 2000))), 413)
    assert "2000" in body["detail"]
    assert await everybody(scim) == []


async def test_the_limits_in_force_are_advertised(serve: Serve) -> None:
    scim = await serve(bulk_max_operations=2, max_body_bytes=2000)
    limits = (await scim.read("/ServiceProviderConfig"))["bulk"]
    assert limits == {"supported": True, "maxOperations": 2, "maxPayloadSize": 2000}


async def test_a_hundred_users_and_their_group_are_created_at_once(scim: ScimClient) -> None:
    names = [f"user{number:03}" for number in range(100)]
    operations = [post("g", group("All", *(f"bulkId:{name}" for name in names)), "/Groups")]
    done = await statuses(scim, *operations, *(post(name, user(name)) for name in names))
    assert done == ["201"] * 101
    (created,) = await listed(scim, "/Groups")
    assert len(created["members"]) == 100


async def test_text_that_mentions_a_bulk_id_is_kept(scim: ScimClient) -> None:
    text = "see the ticket (bulkId:zz)"
    (created,) = await results(scim, post("a", user("ann", displayName=text)))
    assert created["status"] == "201"
    assert (await listed(scim, "/Users"))[0]["displayName"] == text


async def test_a_version_that_is_no_text_is_a_fault_of_its_operation(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    path = f"/Users/{ann['id']}"
    change = changes(operation("replace", "title", "x"))
    (refusal,) = await results(scim, {"method": "PATCH", "path": path, "version": 5, "data": change})
    assert (refusal["status"], refusal["response"]["scimType"]) == ("400", "invalidSyntax")
    assert await scim.read(path) == ann


async def test_a_path_with_a_trailing_slash_is_read(scim: ScimClient) -> None:
    done = await results(
        scim, post("a", user("ann"), "/Users/"), {"method": "DELETE", "path": "/Users/bulkId:a/"}
    )
    assert [result["status"] for result in done] == ["201", "204"]


async def test_many_groups_that_all_name_each_other_are_created(scim: ScimClient) -> None:
    names = [f"g{number}" for number in range(60)]
    circle = [
        post(name, group(name, *(f"bulkId:{other}" for other in names if other != name)), "/Groups")
        for name in names
    ]
    assert {result["status"] for result in await results(scim, *circle)} == {"201"}
    assert {len(each["members"]) for each in await listed(scim, "/Groups")} == {59}
