"""The chain grows at its end alone: no event gets a number at or below the last removal, or below 1."""

from alembic import op

revision = "0011"
down_revision = "0010"

_REMOVED = "coalesce((SELECT max(d.size) FROM audit_cut AS d WHERE d.tenant_id = NEW.tenant_id), 0)"
_MESSAGE = "events get no number that was removed, or below 1"


def upgrade() -> None:
    """Apply the revision."""
    connection = op.get_bind()
    condition = f"NEW.sequence <= {_REMOVED}"
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            f"CREATE TRIGGER audit_chain_grows BEFORE INSERT ON audit_chain WHEN {condition}"
            f" BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
        )
        return
    schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    connection.exec_driver_sql(
        "CREATE FUNCTION audit_chain_grows() RETURNS trigger LANGUAGE plpgsql"
        f' SET search_path = "{schema}", pg_temp AS $$ BEGIN IF {condition} THEN'
        f" RAISE EXCEPTION '{_MESSAGE}' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$"
    )
    connection.exec_driver_sql(
        "CREATE TRIGGER audit_chain_grows BEFORE INSERT ON audit_chain"
        " FOR EACH ROW EXECUTE FUNCTION audit_chain_grows()"
    )
