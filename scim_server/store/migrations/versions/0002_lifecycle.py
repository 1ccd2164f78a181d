"""Resources that change by themselves as time passes; catalogue, policy, audit events and their outbox."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

Key = sa.String().with_variant(sa.String(collation="C"), "postgresql")

_EMPLOYEE_NUMBER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"
_NUMBER_IN_FOLDED = {
    "sqlite": """json_extract(folded, '$."{urn}"."employeenumber"')""",
    "postgresql": """folded #>> '{{"{urn}",employeenumber}}'""",
}
_BACKFILL = """
    INSERT INTO unique_value (tenant_id, type, attribute, key, resource_id)
    SELECT tenant_id, 'User', :attribute, {number}, id FROM resource
    WHERE type = 'User' AND deleted IS NULL AND {number} IS NOT NULL
    ORDER BY id
    ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    """Apply the revision."""
    _added_columns()
    _indexes()
    json = JSONB() if op.get_bind().dialect.name == "postgresql" else sa.Text()
    _phases_and_waiting(json)
    _audit(json)
    op.create_table(
        "policy",
        sa.Column("tenant_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("modified", sa.BigInteger, nullable=False),
    )
    _claim_employee_numbers()


def _added_columns() -> None:
    columns: dict[str, list[sa.Column[Any]]] = {
        "tenant": [
            sa.Column("catalogue_version", sa.Integer, nullable=False, server_default="0"),
            sa.Column("settle_at", sa.BigInteger, nullable=True),
        ],
        "client": [sa.Column("row_scope", sa.Text, nullable=True)],
        "token": [
            sa.Column("id", Key, nullable=True),
            sa.Column("name", sa.Text, nullable=True),
            sa.Column("owner_id", Key, nullable=True),
            sa.Column("scopes", sa.Text, nullable=True),
            sa.Column("last_used", sa.BigInteger, nullable=True),
            sa.Column("revoked_by", Key, nullable=True),
        ],
        "resource": [
            sa.Column("next_change", sa.BigInteger, nullable=True),
            sa.Column("boundaries", sa.Text, nullable=True),
            sa.Column("deleted_by", Key, nullable=True),
        ],
        "reference": [
            sa.Column("valid_from", sa.BigInteger, nullable=True),
            sa.Column("valid_to", sa.BigInteger, nullable=True),
            sa.Column("owner", Key, nullable=True),
        ],
    }
    for table, added in columns.items():
        for column in added:
            op.add_column(table, column)


def _indexes() -> None:
    partial = {
        ("resource_due", "resource", ("tenant_id", "next_change")): "next_change IS NOT NULL",
        ("resource_deleted", "resource", ("tenant_id", "type", "deleted")): "deleted IS NOT NULL",
        ("reference_ending", "reference", ("tenant_id", "valid_to")): "valid_to IS NOT NULL",
        ("token_of_owner", "token", ("tenant_id", "owner_id")): "owner_id IS NOT NULL",
    }
    for (name, table, columns), condition in partial.items():
        where = sa.text(condition)
        op.create_index(name, table, list(columns), postgresql_where=where, sqlite_where=where)


def _phases_and_waiting(json: Any) -> None:
    op.create_table(
        "phase",
        sa.Column("tenant_id", sa.Integer, primary_key=True),
        sa.Column("resource_id", Key, primary_key=True),
        sa.Column("starts", sa.BigInteger, primary_key=True),
        sa.Column("ends", sa.BigInteger, nullable=True),
        sa.Column("folded", json, nullable=False),
    )
    op.create_table(
        "pending_reference",
        sa.Column("tenant_id", sa.Integer, primary_key=True),
        sa.Column("type", Key, primary_key=True),
        sa.Column("key", Key, primary_key=True),
        sa.Column("source_id", Key, primary_key=True),
        sa.Column("attribute", Key, primary_key=True),
    )
    op.create_index("pending_reference_of_source", "pending_reference", ["tenant_id", "source_id"])


def _audit(json: Any) -> None:
    op.create_table(
        "audit_event",
        sa.Column("tenant_id", sa.Integer, primary_key=True),
        sa.Column("id", Key, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("action", Key, nullable=False),
        sa.Column("outcome", Key, nullable=False),
        sa.Column("actor_id", Key, nullable=True),
        sa.Column("actor_type", Key, nullable=False),
        sa.Column("client_id", Key, nullable=True),
        sa.Column("client", Key, nullable=True),
        sa.Column("resource_type", Key, nullable=True),
        sa.Column("resource_id", Key, nullable=True),
        sa.Column("reason", Key, nullable=True),
        sa.Column("request_id", Key, nullable=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("folded", json, nullable=False),
    )
    for column in ("resource_id", "actor_id", "action"):
        op.create_index(f"audit_event_by_{column}", "audit_event", ["tenant_id", column, "id"])
    op.create_index("audit_event_by_at", "audit_event", ["tenant_id", "at"])
    op.create_table(
        "outbox",
        sa.Column("tenant_id", sa.Integer, primary_key=True),
        sa.Column("id", Key, primary_key=True),
        sa.Column("audit_id", Key, nullable=False),
        sa.Column("event", Key, nullable=False),
        sa.Column("subject_id", Key, nullable=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
    )


def _claim_employee_numbers() -> None:
    """Claim the employee numbers of live users; of users with the same number the oldest holds it."""
    urn = _EMPLOYEE_NUMBER.rpartition(":")[0].lower()
    number = _NUMBER_IN_FOLDED[op.get_bind().dialect.name].format(urn=urn)
    statement = _BACKFILL.format(number=number).replace(":attribute", f"'{_EMPLOYEE_NUMBER}'")
    op.get_bind().exec_driver_sql(statement)
