"""What waits for recalculation; permissions and statuses that clients and users of earlier versions lack."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

Key = sa.String().with_variant(sa.String(collation="C"), "postgresql")

_BASE = ["user:view", "user:create", "user:update", "user:delete"]
_MORE = {
    "idp": ["user:assign_role", "user:bulk_update"],
    "hris": ["user:assign_role", "user:bulk_update", "user:lifecycle"],
    "import": ["user:assign_role", "user:bulk_update", "user:lifecycle"],
    "admin": [
        "user:assign_role",
        "user:bulk_update",
        "user:export",
        "user:lifecycle",
        "user:unlock",
        "financial:configure",
        "permission:manage",
        "token:manage",
        "audit:read",
        "obligation:write",
        "login:report",
    ],
}
_URN = "urn:ietf:params:scim:schemas:extension:lifecycle:2.0:user"
_STATE = "CASE WHEN {} THEN 'inactive' ELSE 'active' END"
_POSTGRESQL = """
UPDATE resource SET folded = folded || jsonb_build_object(':urn', jsonb_build_object(
    'status', :state, 'effectivestatus', :state))
WHERE type = 'User' AND NOT jsonb_exists(folded, ':urn')
"""
_SQLITE = """
UPDATE resource SET folded = json_set(folded, '$.":urn"', json_object(
    'status', :state, 'effectivestatus', :state))
WHERE type = 'User' AND json_type(folded, '$.":urn"') IS NULL
"""
_STATEMENTS = {
    "postgresql": (_POSTGRESQL, "folded @> '{\"active\": false}'"),
    "sqlite": (_SQLITE, "json_extract(folded, '$.active') = 0"),
}


def upgrade() -> None:
    """Apply the revision."""
    client = sa.table(
        "client", sa.column("tenant_id"), sa.column("id"), sa.column("profile"), sa.column("permissions")
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(client)).all():
        held = json.loads(row.permissions)
        if sorted(held) != sorted(_BASE) or row.profile not in _MORE:
            continue
        connection.execute(
            client.update()
            .where(client.c.tenant_id == row.tenant_id, client.c.id == row.id)
            .values(permissions=json.dumps([*held, *_MORE[row.profile]]))
        )
    op.create_table(
        "recalculation",
        sa.Column("tenant_id", sa.Integer, primary_key=True),
        sa.Column("resource_id", Key, primary_key=True),
    )
    statement, inactive = _STATEMENTS[connection.dialect.name]
    connection.exec_driver_sql(statement.replace(":state", _STATE.format(inactive)).replace(":urn", _URN))
