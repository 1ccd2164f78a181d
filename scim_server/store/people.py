"""Users found by what they are called: names, e-mail addresses, employee numbers."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from scim_server.scim.documents import load
from scim_server.store.database import Reader, Writer
from scim_server.store.filters.entries import entry_at
from scim_server.store.filters.json import folded_text
from scim_server.store.resources import chunks
from scim_server.store.statements import Statement, Texts, given, one_of
from scim_server.store.tables import folded_value, resource, unique_value

_USER = "User"
UNIQUE_NAMES = (
    "userName",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
)
"""The paths of the unique attributes that a user may be called by."""


_CALLED = Statement(
    lambda dialect: sa.select(unique_value.c.key, unique_value.c.resource_id).where(
        unique_value.c.tenant_id == given("tenant_id"),
        unique_value.c.type == _USER,
        unique_value.c.attribute.in_([sa.literal(name) for name in UNIQUE_NAMES]),
        one_of(dialect, unique_value.c.key, "keys"),
    )
)


def _with_address(dialect: str) -> sa.Select[Any]:
    """Return a query for the users that may have an address."""
    found = sa.select(resource.c.id, resource.c.folded).where(
        resource.c.tenant_id == given("tenant_id"),
        resource.c.type == _USER,
        resource.c.deleted.is_(None),
    )
    if dialect == "postgresql":
        example = sa.cast(given("example", sa.Text()), postgresql.JSONB())
        return found.where(resource.c.folded.op("@>")(example))
    ids = sa.select(folded_value.c.resource_id).where(
        folded_value.c.tenant_id == given("tenant_id"),
        folded_value.c.type == _USER,
        folded_value.c.deleted == sa.literal_column("0"),
        folded_value.c.path == given("path"),
        folded_value.c.key == given("key"),
    )
    return found.where(resource.c.id.in_(ids))


_WITH_ADDRESS = Statement(_with_address)


async def lookup_users(
    reader: Reader | Writer, tenant_id: int, keys: Collection[str]
) -> dict[str, list[str]]:
    """Return the ids of live users by folded user name, employee number or any e-mail address.

    Keys that name nobody are left out; several users may have one address.
    """
    wanted = sorted(set(keys))
    found: dict[str, set[str]] = {}
    for part in chunks(wanted):
        for key, own_id in await reader.rows(_CALLED, tenant_id=tenant_id, keys=part):
            found.setdefault(key, set()).add(own_id)
    addresses = [key for key in wanted if "@" in key]
    for own_id, emails in await _with_addresses(reader, tenant_id, addresses):
        for address in _values(emails).intersection(addresses):
            found.setdefault(address, set()).add(own_id)
    return {key: sorted(ids) for key, ids in sorted(found.items())}


async def email_holders(
    reader: Reader | Writer, tenant_id: int, folded_emails: Collection[str], excluding: str
) -> list[str]:
    """Return the ids of live users but one whose primary or only e-mail address is among the folded ones."""
    wanted = sorted(set(folded_emails))
    found = await _with_addresses(reader, tenant_id, wanted)
    holders = {own_id for own_id, emails in found if main_address(emails) in wanted}
    return sorted(holders - {excluding})


def _with_any_address(_dialect: str) -> sa.Select[Any]:
    """Return a query for the users that may have any of some addresses, each looked up by index.

    OFFSET 0 keeps the look-up apart: joined, it was every user beside every address, 1.7 s of 100,000.
    """
    example = sa.func.unnest(given("examples", Texts())).table_valued("value").render_derived()
    contains = resource.c.folded.op("@>")(sa.cast(example.c.value, postgresql.JSONB()))
    holder = (
        sa.select(resource.c.id, resource.c.folded)
        .where(
            resource.c.tenant_id == given("tenant_id"),
            resource.c.type == _USER,
            resource.c.deleted.is_(None),
            contains,
        )
        .offset(sa.literal_column("0"))
        .lateral()
    )
    return sa.select(holder.c.id, holder.c.folded).select_from(example.join(holder, sa.true()))


_WITH_ANY_ADDRESS = Statement(_with_any_address)


async def holders_by_email(
    reader: Reader | Writer, tenant_id: int, folded_emails: Collection[str]
) -> dict[str, set[str]]:
    """Return the ids of live users by each of the folded addresses that is their primary or only one."""
    wanted = sorted(set(folded_emails))
    if reader.dialect.name == "postgresql":
        examples = [_example(reader, tenant_id, address) for address in wanted]
        rows = await reader.rows(_WITH_ANY_ADDRESS, tenant_id=tenant_id, examples=examples)
        found = [(own_id, load(folded).get("emails", [])) for own_id, folded in rows]
    else:
        found = await _with_addresses(reader, tenant_id, wanted)
    holders: dict[str, set[str]] = {address: set() for address in wanted}
    for own_id, emails in found:
        main = main_address(emails)
        if main in holders:
            holders[main].add(own_id)
    return holders


async def _with_addresses(
    reader: Reader | Writer, tenant_id: int, addresses: Sequence[str]
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return id and folded e-mail addresses of the live users that may have any of the given ones."""
    found: dict[str, list[dict[str, Any]]] = {}
    for address in addresses:
        example = _example(reader, tenant_id, address)
        entry = entry_at(["emails", "value"], address)
        rows = await reader.rows(_WITH_ADDRESS, tenant_id=tenant_id, example=example, **entry._asdict())
        found |= {own_id: load(folded).get("emails", []) for own_id, folded in rows}
    return list(found.items())


def _example(reader: Reader | Writer, tenant_id: int, address: str) -> str:
    return folded_text(reader.dialect.name, {"emails": [{"value": address}]}, tenant_id)


def _values(emails: Iterable[dict[str, Any]]) -> set[str]:
    return {each["value"] for each in emails if "value" in each}


def main_address(emails: Sequence[dict[str, Any]]) -> str | None:
    """Return the primary address of a user, or the only one."""
    chosen = [each for each in emails if each.get("primary")] or (emails if len(emails) == 1 else [])
    return next((each.get("value") for each in chosen), None)
