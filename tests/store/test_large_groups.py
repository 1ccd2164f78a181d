"""A group of 100,000 members: changing one of them costs what it costs in a group of ten."""

from collections.abc import Sequence
from typing import Any

import pytest

from scim_server.dialects import DIALECTS
from scim_server.schema_files import load_registry
from scim_server.scim.messages.query import Query
from scim_server.scim.patch.operations import PATCH_URN
from scim_server.scim.projection import Projection
from scim_server.security.principals import PERMISSIONS, Principal
from scim_server.services.context import CallContext
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.provisioning import Provisioning
from scim_server.services.search import PageLimits, Search
from scim_server.store import clients
from scim_server.store.database import Database, Writer
from scim_server.store.filters.json import TENANT
from scim_server.store.identifiers import new_id
from scim_server.store.tables import reference, resource
from tests.store.statements import Cost, counted

REGISTRY = load_registry()
GROUP = REGISTRY.resource_types["Group"]
SMALL, LARGE = 10, 100_000
FEW_ROWS = 3
BATCH = 4_000


class Groups:
    """A small and a large group, filled by direct inserts."""

    def __init__(self, database: Database, tenant_id: int) -> None:
        self.database = database
        self.tenant_id = tenant_id
        self.provisioning = Provisioning(database, REGISTRY, Lifecycle(REGISTRY))
        principal = Principal(
            tenant_id, "one", "c", "c", "idp", "generic", DIALECTS["generic"], frozenset(PERMISSIONS)
        )
        self.call = CallContext(principal, "https://x.test/scim/v2")
        self.members: dict[str, list[str]] = {}

    async def insert(self, kind: str, names: Sequence[str]) -> list[str]:
        """Insert resources without their unique values; return their ids."""
        rows = [
            {
                "tenant_id": self.tenant_id,
                "id": new_id(),
                "type": kind,
                "version": 1,
                "created": 1,
                "modified": 1,
                "display": name,
                "document": f'{{"displayName": "{name}"}}',
                "folded": f'{{"displayname": "{name}", "{TENANT}": {self.tenant_id}}}',
            }
            for name in names
        ]

        async def work(writer: Writer) -> None:
            for start in range(0, len(rows), BATCH):
                await writer.execute(resource.insert(), rows[start : start + BATCH])

        await self.database.write(work)
        return [str(row["id"]) for row in rows]

    async def fill(self, group: str, members: Sequence[str]) -> None:
        """Make the members those of the group."""
        rows = [
            {
                "tenant_id": self.tenant_id,
                "source_id": group,
                "attribute": "members",
                "target_id": member,
                "payload": None,
                "folded": None,
                "created": 1,
            }
            for member in members
        ]

        async def work(writer: Writer) -> None:
            for start in range(0, len(rows), BATCH):
                await writer.execute(reference.insert(), rows[start : start + BATCH])

        await self.database.write(work)
        self.members[group] = list(members)

    async def patch(self, group: str, *operations: dict[str, Any]) -> Cost:
        """Patch a group as PATCH /Groups/{id} does and return what it cost."""
        message = {"schemas": [PATCH_URN], "Operations": list(operations)}
        with counted(self.database) as cost:
            await self.provisioning.patch(self.call, GROUP, group, message, None)
        return cost

    async def read(self, group: str, projection: Projection) -> Cost:
        """Read a group and return what it cost."""
        with counted(self.database) as cost:
            await self.provisioning.read(self.call, GROUP, group, projection)
        return cost


@pytest.fixture
async def groups(database: Database) -> Groups:
    tenant_id = await database.write(lambda writer: clients.ensure_tenant(writer, "one", 1))
    return Groups(database, tenant_id)


@pytest.fixture
async def sizes(groups: Groups) -> tuple[str, str, str]:
    """Give the ids of a small group, a large group and a user in neither."""
    users = await groups.insert("User", [f"user{number}" for number in range(SMALL)])
    small, large = await groups.insert("Group", ["small", "large"])
    await groups.fill(small, users)
    await groups.fill(large, [*users, *(f"member-{number:06}" for number in range(LARGE - SMALL))])
    (newcomer,) = await groups.insert("User", ["newcomer"])
    return small, large, newcomer


def add(member: str) -> dict[str, Any]:
    return {"op": "add", "path": "members", "value": [{"value": member}]}


def leave(member: str) -> dict[str, Any]:
    return {"op": "remove", "path": f'members[value eq "{member}"]'}


async def test_changing_one_member_costs_the_same_in_a_group_of_any_size(
    groups: Groups, sizes: tuple[str, str, str]
) -> None:
    small, large, newcomer = sizes
    member = groups.members[small][3]
    changes: dict[str, list[dict[str, Any]]] = {
        "add a newcomer": [add(newcomer)],
        "add a member again": [add(newcomer)],
        "remove by id": [leave(newcomer)],
        "remove who is not in it": [leave(newcomer)],
        "remove by value": [{"op": "remove", "path": "members", "value": [{"value": member}]}],
        "swap": [leave(member), add(newcomer)],
        "rename": [{"op": "replace", "path": "displayName", "value": "renamed"}],
    }
    await groups.read(small, Projection.of(GROUP))  # the catalogue is read once
    for name, operations in changes.items():
        if name == "rename":
            operations[0]["value"] = "renamed small"
        few = await groups.patch(small, *operations)
        if name == "rename":
            operations[0]["value"] = "renamed large"
        many = await groups.patch(large, *operations)
        assert many.statements == few.statements, name
        assert many.rows == few.rows, name
        assert max(many.rows) <= FEW_ROWS, name
    plain = Projection.of(GROUP, (), ["members"])
    few, many = await groups.read(small, plain), await groups.read(large, plain)
    assert many.statements == few.statements
    assert many.rows == [1, 1]  # the group with what it maps to, and the version of the catalogue


async def test_a_large_group_without_its_members_is_listed_without_touching_them(
    groups: Groups, sizes: tuple[str, str, str]
) -> None:
    _, large, _ = sizes
    search = Search(groups.database, REGISTRY, Lifecycle(REGISTRY), PageLimits(100, 1_000, 60))
    query = Query(filter=f'id eq "{large}"', excluded_attributes=("members",))
    with counted(groups.database) as cost:
        page = await search.search(groups.call, [GROUP], query)
    assert [found.id for found in page.resources] == [large]
    assert cost.rows_of("reference") == [0]
    assert max(cost.rows) <= FEW_ROWS


async def test_adding_a_thousand_members_is_one_insert(groups: Groups) -> None:
    users = await groups.insert("User", [f"user{number}" for number in range(1_000)])
    (group,) = await groups.insert("Group", ["g"])
    cost = await groups.patch(
        group, {"op": "add", "path": "members", "value": [{"value": user} for user in users]}
    )
    assert [text for text in cost.statements if text.startswith("INSERT INTO reference")] == [
        next(text for text in cost.statements if text.startswith("INSERT INTO reference"))
    ]
    assert len(cost.statements) <= 10


async def test_the_counting_of_this_test_counts(groups: Groups) -> None:
    users = await groups.insert("User", [f"user{number}" for number in range(20)])
    (group,) = await groups.insert("Group", ["g"])
    await groups.fill(group, users)
    cost = await groups.read(group, Projection.of(GROUP))
    assert (len(cost.of("reference")), max(cost.rows)) == (2, 20)
