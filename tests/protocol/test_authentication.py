"""Who may call (RFC 7644 §2, RFC 6750): a live bearer token, on every endpoint but one."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from scim_server.services.clients import Clients
from scim_server.store.database import Database
from tests.protocol.messages import (
    UNKNOWN_ID,
    Connect,
    accepted,
    bulk,
    listed,
    operation,
    patch,
    refused,
    user,
)
from tests.support.client import ScimClient


@pytest.fixture
async def clients(database_url: str) -> AsyncIterator[Clients]:
    database = Database(database_url)
    yield Clients(database)
    await database.close()


async def status(scim: ScimClient, authorization: str | None, path: str = "/Users") -> int:
    """Return the status of a read with that header; a refusal must be a SCIM error and say how to do it."""
    response = await scim.request("GET", path, headers={"Authorization": authorization})
    if response.status_code != 200:
        refused(response, 401)
        assert response.headers["www-authenticate"].startswith("Bearer")
    return response.status_code


@pytest.mark.parametrize(
    "path", ["/Users", "/Groups", "/Me", f"/Users/{UNKNOWN_ID}", "/Schemas", "/ResourceTypes", "/Nothing"]
)
async def test_a_missing_token_is_refused(scim: ScimClient, path: str) -> None:
    assert await status(scim, None, path) == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
async def test_a_missing_token_is_refused_before_the_method_is_looked_at(
    scim: ScimClient, method: str
) -> None:
    response = await scim.request(method, "/Users", content=b"{", headers={"Authorization": None})
    refused(response, 401)


@pytest.mark.parametrize("scheme", ["Bearer {}", "bearer {}", "BEARER {}"])
async def test_a_good_token_is_let_in(scim: ScimClient, scheme: str) -> None:
    assert await status(scim, scheme.format(scim.token)) == 200


@pytest.mark.parametrize(
    "form",
    [
        "",
        "{}",
        "Bearer",
        "Bearer ",
        "Bearer {} x",
        "Basic {}",
        "Token {}",
        "Bearer {}x",
        "Bearer x{}",
        "Bearer \x7f",
    ],
)
async def test_a_garbled_header_is_refused(scim: ScimClient, form: str) -> None:
    assert await status(scim, form.format(scim.token)) == 401


@pytest.mark.parametrize("token", ["unknown", "a" * 64, "../../etc/passwd", "' OR 1=1 --"])
async def test_an_unknown_token_is_refused(scim: ScimClient, token: str) -> None:
    assert await status(scim, f"Bearer {token}") == 401


async def test_a_wrong_token_is_refused_even_where_none_is_needed(scim: ScimClient) -> None:
    assert await status(scim, "Bearer unknown", "/ServiceProviderConfig") == 401


async def test_a_token_in_the_query_is_not_looked_at(scim: ScimClient) -> None:
    assert await status(scim, None, f"/Users?access_token={scim.token}") == 401


async def test_the_prefix_of_a_token_is_no_token(scim: ScimClient, clients: Clients) -> None:
    issued = await clients.create("app", profile="idp")
    assert await status(scim, f"Bearer {issued.prefix}") == 401
    assert await status(scim, f"Bearer {issued.token[:-1]}") == 401


async def test_an_expired_token_is_refused(scim: ScimClient, clients: Clients) -> None:
    issued = await clients.create("late", profile="idp", expires_in=timedelta(seconds=-1))
    assert await status(scim, f"Bearer {issued.token}") == 401


async def test_a_token_that_will_expire_is_let_in(scim: ScimClient, clients: Clients) -> None:
    issued = await clients.create("soon", profile="idp", expires_in=timedelta(hours=1))
    assert await status(scim, f"Bearer {issued.token}") == 200


async def test_a_revocation_bites_on_the_next_request(scim: ScimClient, clients: Clients) -> None:
    issued = await clients.create("gone", profile="idp")
    assert await status(scim, f"Bearer {issued.token}") == 200
    assert await clients.revoke("gone") == 1
    assert await status(scim, f"Bearer {issued.token}") == 401


async def test_a_rotation_keeps_the_former_token_alive(scim: ScimClient, clients: Clients) -> None:
    former = await clients.create("rotating", profile="idp")
    latter = await clients.rotate("rotating")
    assert [await status(scim, f"Bearer {each.token}") for each in (former, latter)] == [200, 200]


async def test_a_second_rotation_ends_the_oldest_token(scim: ScimClient, clients: Clients) -> None:
    tokens = [(await clients.create("rotating", profile="idp")).token]
    tokens += [(await clients.rotate("rotating")).token for _ in range(2)]
    assert [await status(scim, f"Bearer {each}") for each in tokens] == [401, 200, 200]


async def test_a_refused_write_changes_nothing(scim: ScimClient) -> None:
    headers = {"Authorization": "Bearer unknown"}
    refused(await scim.request("POST", "/Users", json=user("eve"), headers=headers), 401)
    assert await listed(scim, "/Users") == []


async def test_a_refusal_does_not_repeat_the_token(scim: ScimClient) -> None:
    response = await scim.request("GET", "/Users", headers={"Authorization": "Bearer s3cret-token"})
    assert "s3cret-token" not in response.text
    assert "s3cret-token" not in str(response.headers)


async def test_a_refusal_carries_a_request_id(scim: ScimClient) -> None:
    response = await scim.request("GET", "/Users", headers={"Authorization": None})
    assert response.headers["x-request-id"]


async def test_a_token_of_a_deleted_user_has_no_me(scim: ScimClient, clients: Clients) -> None:
    ann = await scim.create_user("ann")
    issued = await clients.create("me", profile="app", user=ann["id"])
    await scim.delete(f"/Users/{ann['id']}")
    response = await scim.request("GET", "/Me", headers={"Authorization": f"Bearer {issued.token}"})
    assert response.status_code in {401, 404}


async def test_a_client_that_may_only_read_cannot_write(connect: Connect, scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    reader = await connect(permissions=["user:view"])
    path = f"/Users/{ann['id']}"
    assert await reader.read(path) == ann
    refused(await reader.post("/Users", user("eve")), 403)
    refused(await reader.put(path, user("ann", title="x")), 403)
    refused(await patch(reader, path, operation("add", "title", "x")), 403)
    refused(await reader.delete(path), 403)
    assert await listed(scim, "/Users") == [ann]


async def test_each_operation_of_a_bulk_request_needs_its_permission(connect: Connect) -> None:
    creator = await connect(permissions=["user:view", "user:create"])
    ann = await creator.create_user("ann")
    done = accepted(
        await bulk(
            creator,
            {"method": "DELETE", "path": f"/Users/{ann['id']}"},
            {"method": "POST", "path": "/Users", "bulkId": "b", "data": user("bob")},
        )
    )
    assert [result["status"] for result in done["Operations"]] == ["403", "201"]


async def test_two_clients_see_the_same_users(scim: ScimClient, clients: Clients) -> None:
    ann = await scim.create_user("ann")
    issued = await clients.create("second", profile="idp")
    headers = {"Authorization": f"Bearer {issued.token}"}
    assert accepted(await scim.request("GET", f"/Users/{ann['id']}", headers=headers)) == ann
