"""What the store says of a caller, and claims that it still says the same.

A server remembers the principal behind a token, and the statement that answers a request confirms it in
the same snapshot: revocation takes effect with the next request, and costs no statement of its own.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from scim_server.store.statements import Statement, given
from scim_server.store.tables import client, tenant, token


class Caller(NamedTuple):
    """Token, client and tenant of a caller; the token's columns are None for a client without one."""

    expires: int | None
    revoked: int | None
    client_revoked: int | None
    tenant_id: int
    client_id: str
    client_name: str
    profile: str
    dialect: str
    permissions: str
    switches: str
    user_id: str | None
    row_scope: str | None
    tenant_name: str
    catalogue_version: int
    settle_at: int | None
    tenant_suspended: int | None
    tenant_settings: str | None
    owner_id: str | None
    scopes: str | None
    narrowed: str | None


class CallerChanged(Exception):
    """The store says something else of the caller than it did when the caller was last looked up."""


@dataclass(slots=True)
class Claim:
    """That the store says of the token with a digest what it said before; `is_confirmed` once it did."""

    digest: str
    caller: Caller
    is_confirmed: bool = False

    def confirm(self, found: tuple[object, ...] | None) -> None:
        """Take what the store says now; raises CallerChanged where that is something else."""
        if found is None or tuple(found) != self.caller:
            raise CallerChanged
        self.is_confirmed = True


_COLUMNS = (
    token.c.expires,
    token.c.revoked,
    client.c.revoked.label("client_revoked"),
    client.c.tenant_id.label("client_tenant_id"),
    client.c.id.label("client_id"),
    client.c.name.label("client_name"),
    client.c.profile,
    client.c.dialect,
    client.c.permissions,
    client.c.switches,
    client.c.user_id,
    client.c.row_scope,
    tenant.c.name.label("tenant_name"),
    tenant.c.catalogue_version,
    tenant.c.settle_at,
    tenant.c.suspended.label("tenant_suspended"),
    tenant.c.settings.label("tenant_settings"),
    token.c.owner_id,
    token.c.scopes,
    token.c.narrowed,
)
_OF_CLIENT = sa.and_(client.c.tenant_id == token.c.tenant_id, client.c.id == token.c.client_id)


def of_token(_dialect: str) -> sa.Select[Any]:
    """Return the query for the Caller of a token's digest."""
    return (
        sa.select(*_COLUMNS)
        .join_from(token, client, _OF_CLIENT)
        .join(tenant, tenant.c.id == client.c.tenant_id)
        .where(token.c.digest == given("digest"))
    )


OF_TOKEN = Statement(of_token)
"""The Caller of a token's digest."""
OF_CLIENT = Statement(
    lambda _dialect: (
        sa.select(*_COLUMNS)
        .join_from(client, tenant, tenant.c.id == client.c.tenant_id)
        .outerjoin(token, sa.false())
        .where(client.c.tenant_id == given("tenant_id"), client.c.id == given("client_id"))
    )
)
"""The Caller of a client, whatever its tokens."""
STILL = Statement(
    lambda dialect: (
        of_token(dialect)
        .with_only_columns(sa.literal_column("1"))
        .where(
            *(
                column.is_not_distinct_from(given(name, column.type))
                for name, column in zip(Caller._fields, _COLUMNS, strict=True)
            )
        )
    )
)
"""One row where the store says of a token's digest what a Caller says, given by the names of its fields."""
WIDTH = len(_COLUMNS)
