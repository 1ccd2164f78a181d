"""Users found by what they are called: names, e-mail addresses, employee numbers."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.scim.documents import encode, load
from scim_server.store.database import Reader, Writer
from scim_server.store.filters.json import JSON_DIALECTS, Test
from scim_server.store.resources import chunks
from scim_server.store.tables import resource, unique_value

_USER = "User"
_ADDRESSES_A_STATEMENT = 50
UNIQUE_NAMES = (
    "userName",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
)
"""The paths of the unique attributes that a user may be called by."""


async def lookup_users(
    reader: Reader | Writer, tenant_id: int, keys: Collection[str]
) -> dict[str, list[str]]:
    """Return the ids of live users by folded user name, employee number or any e-mail address.

    Keys that name nobody are left out; several users may have one address.
    """
    wanted = sorted(set(keys))
    found: dict[str, set[str]] = {}
    for part in chunks(wanted):
        query = sa.select(unique_value.c.key, unique_value.c.resource_id).where(
            unique_value.c.tenant_id == tenant_id,
            unique_value.c.type == _USER,
            unique_value.c.attribute.in_(UNIQUE_NAMES),
            unique_value.c.key.in_(part),
        )
        for key, own_id in await reader.execute(query):
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
    holders = {own_id for own_id, emails in found if _main(emails) in wanted}
    return sorted(holders - {excluding})


async def _with_addresses(
    reader: Reader | Writer, tenant_id: int, addresses: Sequence[str]
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return id and folded e-mail addresses of the live users that may have any of the given ones."""
    found: list[tuple[str, list[dict[str, Any]]]] = []
    for part in chunks(addresses, _ADDRESSES_A_STATEMENT):
        query = sa.select(resource.c.id, resource.c.folded).where(
            resource.c.tenant_id == tenant_id,
            resource.c.type == _USER,
            resource.c.deleted.is_(None),
            sa.or_(*(_mentions(reader, address) for address in part)),
        )
        found += [(row.id, load(row.folded).get("emails", [])) for row in await reader.execute(query)]
    return found


def _mentions(reader: Reader | Writer, address: str) -> Test:
    """Test by index for an address; SQLite, which has none, looks for its JSON text."""
    json = JSON_DIALECTS[reader.dialect.name]
    indexed = json.contains(resource.c.folded, {"emails": [{"value": address}]})
    if indexed is not None:
        return indexed
    return sa.func.instr(resource.c.folded, encode(address).decode()) > 0


def _values(emails: Iterable[dict[str, Any]]) -> set[str]:
    return {each["value"] for each in emails if "value" in each}


def _main(emails: Sequence[dict[str, Any]]) -> str | None:
    """Return the primary address, or the only one."""
    chosen = [each for each in emails if each.get("primary")] or (emails if len(emails) == 1 else [])
    return next((each.get("value") for each in chosen), None)
