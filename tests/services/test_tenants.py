"""Tenants: made, listed, suspended, exported, deleted."""

import hashlib
import json
from typing import Any

import pytest

from scim_server.services import tenant_export
from scim_server.services.clients import Clients
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.tenants import TenantError, Tenants, TenantSummary, UnknownTenant
from scim_server.store import tenants as rows
from scim_server.store.database import Database
from tests.support.tenants import fill_every_table, rows_by_table, token_of


@pytest.fixture(scope="module")
def lifecycle() -> Lifecycle:
    return Lifecycle.of()


@pytest.fixture
def tenants(database: Database, lifecycle: Lifecycle) -> Tenants:
    return Tenants(database, lifecycle.registry)


async def summary(tenants: Tenants, name: str) -> TenantSummary:
    return next(one for one in await tenants.list() if one.name == name)


async def exported(database: Database, name: str) -> list[dict[str, Any]]:
    text = b"".join([part async for part in tenant_export.lines(database, name)])
    return [json.loads(line) for line in text.splitlines()]


async def doomed(database: Database, tenants: Tenants) -> int:
    """Make a suspended tenant with a row in every table; returns its id."""
    tenant_id = await fill_every_table(database, "acme")
    await tenants.suspend("acme")
    return tenant_id


async def test_a_name_is_taken_once(tenants: Tenants) -> None:
    await tenants.create("acme")
    with pytest.raises(TenantError, match="acme already"):
        await tenants.create("acme")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "acme~1", "ü"])
async def test_a_name_fits_a_url(tenants: Tenants, name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        await tenants.create(name)


async def test_a_new_tenant_is_active_and_has_nothing(tenants: Tenants) -> None:
    await tenants.create("acme")
    found = await summary(tenants, "acme")
    assert (found.state, found.users, found.groups, found.clients) == ("active", 0, 0, 0)


async def test_the_list_counts_the_live_clients(tenants: Tenants, database: Database) -> None:
    await token_of(database, "acme", "a")
    await token_of(database, "acme", "b")
    await Clients(database).revoke("b", tenant="acme")
    assert (await summary(tenants, "acme")).clients == 1


@pytest.mark.parametrize("what", ["suspend", "resume", "counts", "delete", "settings"])
async def test_nothing_is_done_to_an_unknown_tenant(tenants: Tenants, what: str) -> None:
    with pytest.raises(UnknownTenant, match="no tenant acme"):
        await getattr(tenants, what)("acme")


async def test_suspending_and_resuming_twice_changes_nothing(tenants: Tenants) -> None:
    await tenants.create("acme")
    done = [await tenants.suspend("acme"), await tenants.suspend("acme")]
    done += [await tenants.resume("acme"), await tenants.resume("acme")]
    assert done == [True, False, True, False]


async def test_what_becomes_of_a_tenant_is_in_its_audit_trail(tenants: Tenants, database: Database) -> None:
    await tenants.create("acme")
    await tenants.suspend("acme")
    await tenants.resume("acme")
    found = [line["action"] for line in await exported(database, "acme") if line["table"] == "audit_event"]
    assert found == ["tenant.suspend", "tenant.resume"]


async def test_a_tenant_in_use_is_not_deleted(tenants: Tenants) -> None:
    await tenants.create("acme")
    with pytest.raises(TenantError, match="scim-server tenant suspend acme"):
        await tenants.delete("acme")


async def test_no_table_keeps_a_row_of_a_deleted_tenant(tenants: Tenants, database: Database) -> None:
    tenant_id = await doomed(database, tenants)
    assert min((await rows_by_table(database, tenant_id)).values()) == 1
    await tenants.delete("acme")
    assert set((await rows_by_table(database, tenant_id)).values()) == {0}


async def test_a_deletion_leaves_the_rows_of_others(tenants: Tenants, database: Database) -> None:
    other = await fill_every_table(database, "other")
    before = await rows_by_table(database, other)
    await doomed(database, tenants)
    await tenants.delete("acme")
    assert await rows_by_table(database, other) == before


async def test_a_deletion_that_was_stopped_goes_on(tenants: Tenants, database: Database) -> None:
    tenant_id = await doomed(database, tenants)
    steps: list[int] = []

    def stop(_removed: int) -> None:
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await tenants.delete("acme", stop)
    assert (await summary(tenants, "acme")).state == "deleting"
    await tenants.delete("acme")
    assert set((await rows_by_table(database, tenant_id)).values()) == {0}


async def test_a_tenant_that_is_being_deleted_can_neither_be_resumed_nor_get_clients(
    tenants: Tenants, database: Database
) -> None:
    tenant_id = await doomed(database, tenants)
    await database.write(lambda writer: rows.change(writer, tenant_id, deleted=1))
    with pytest.raises(TenantError, match="being deleted"):
        await tenants.resume("acme")
    with pytest.raises(UnknownTenant):
        await Clients(database).create("okta", tenant="acme")


async def test_the_name_of_a_deleted_tenant_is_free_and_its_number_is_not(
    tenants: Tenants, database: Database
) -> None:
    before = await doomed(database, tenants)
    await tenants.delete("acme")
    assert [one.name for one in await tenants.list()] == []
    assert await fill_every_table(database, "acme") != before


async def test_the_counts_of_a_deletion_are_the_rows_it_removes(tenants: Tenants, database: Database) -> None:
    await doomed(database, tenants)
    counts = await tenants.counts("acme")
    assert await tenants.delete("acme") == sum(counts.values())


async def test_an_export_ends_with_the_counts_and_the_hash_of_what_stands_before(database: Database) -> None:
    await fill_every_table(database, "acme")
    text = b"".join([part async for part in tenant_export.lines(database, "acme")])
    *before, last = text.splitlines(keepends=True)
    manifest = json.loads(last)
    assert manifest["sha256"] == hashlib.sha256(b"".join(before)).hexdigest()
    kinds = [json.loads(line)["table"] for line in before[1:]]
    assert manifest["counts"] == {kind: kinds.count(kind) for kind in kinds}


async def test_an_export_has_every_table_that_is_not_computed(database: Database) -> None:
    await fill_every_table(database, "acme")
    *_, manifest = await exported(database, "acme")
    computed = {"unique_value", "phase", "counter", "recalculation", "rate_bucket"}
    assert set(manifest["counts"]) == {table.name for table in rows.tables_of_tenants()} - computed


async def test_an_export_has_no_digest_of_a_token(database: Database) -> None:
    await token_of(database, "acme")
    text = b"".join([part async for part in tenant_export.lines(database, "acme")])
    assert b"digest" not in text
    assert b'"table":"token"' in text


async def test_an_export_says_nothing_of_another_tenant(database: Database) -> None:
    await token_of(database, "acme", "mine")
    await token_of(database, "other", "theirs")
    names = [line["name"] for line in await exported(database, "acme") if line["table"] == "client"]
    assert names == ["mine"]


async def test_an_export_is_of_one_moment(database: Database) -> None:
    await token_of(database, "acme", "a")
    parts = tenant_export.lines(database, "acme")
    lines = [json.loads(await anext(parts))]
    await token_of(database, "acme", "b")
    text = b"".join([part async for part in parts])
    lines += [json.loads(line) for line in text.splitlines()]
    assert [line["name"] for line in lines if line["table"] == "client"] == ["a"]


async def test_pages_of_an_export_miss_and_repeat_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE", 2)
    for number in range(5):
        await token_of(database, "acme", f"c{number}")
    names = [line["name"] for line in await exported(database, "acme") if line["table"] == "client"]
    assert sorted(names) == [f"c{number}" for number in range(5)]


async def test_a_setting_is_taken_away_by_no_value(tenants: Tenants) -> None:
    await tenants.create("acme")
    await tenants.set("acme", {"page_size_max": "50", "rate_limit_client": "2.5"})
    found = await tenants.set("acme", {"page_size_max": ""})
    assert (found.page_size_max, found.rate_limit_client) == (None, 2.5)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("colour", "red", "no setting colour"),
        ("page_size_max", "many", "page_size_max"),
        ("page_size_max", "0", "page_size_max"),
        ("rate_limit_client", "-1", "rate_limit_client"),
        ("rate_limit_client", "inf", "rate_limit_client"),
        ("hidden_resource_types", "Unicorn", "no resource type Unicorn"),
    ],
)
async def test_a_setting_that_is_not_possible_is_refused(
    tenants: Tenants, name: str, value: str, said: str
) -> None:
    await tenants.create("acme")
    with pytest.raises(ValueError, match=said):
        await tenants.set("acme", {name: value})
