"""The tables. Every key and index begins with the tenant, so that the tables distribute by it."""

import sqlalchemy as sa

from scim_server.store.columns import Json, Key, Record, metadata
from scim_server.store.credential_tables import assertion, client_key, client_secret, issuer, signing_key

__all__ = [
    "Json",
    "Key",
    "Record",
    "assertion",
    "audit_chain",
    "audit_checkpoint",
    "audit_cut",
    "audit_event",
    "audit_head",
    "audit_key",
    "audit_node",
    "audit_private",
    "audit_publication",
    "audit_queue",
    "client",
    "client_key",
    "client_secret",
    "counter",
    "folded_value",
    "issuer",
    "metadata",
    "outbox",
    "pending_reference",
    "phase",
    "phase_value",
    "policy",
    "rate_bucket",
    "recalculation",
    "reference",
    "resource",
    "secret",
    "signing_key",
    "tenant",
    "token",
    "unique_value",
]


def _partial(name: str, *columns: str, where: str) -> sa.Index:
    """Return an index over the rows that satisfy a condition."""
    return sa.Index(name, *columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


tenant = sa.Table(
    "tenant",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", Key, nullable=False, unique=True),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("catalogue_version", sa.Integer, nullable=False, server_default="0"),
    sa.Column("settle_at", sa.BigInteger, nullable=True),
    sa.Column("suspended", sa.BigInteger, nullable=True),
    sa.Column("deleted", sa.BigInteger, nullable=True),
    sa.Column("settings", sa.Text, nullable=True),
)

client = sa.Table(
    "client",
    metadata,
    sa.Column("tenant_id", sa.Integer, sa.ForeignKey("tenant.id"), primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("name", Key, nullable=False),
    sa.Column("profile", Key, nullable=False),
    sa.Column("dialect", Key, nullable=False),
    sa.Column("permissions", sa.Text, nullable=False),
    sa.Column("switches", sa.Text, nullable=False),
    sa.Column("user_id", Key, nullable=True),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("revoked", sa.BigInteger, nullable=True),
    sa.Column("row_scope", sa.Text, nullable=True),
    sa.UniqueConstraint("tenant_id", "name", name="client_name"),
)

token = sa.Table(
    "token",
    metadata,
    sa.Column("digest", Key, primary_key=True),
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("client_id", Key, nullable=False),
    sa.Column("prefix", Key, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=True),
    sa.Column("revoked", sa.BigInteger, nullable=True),
    sa.Column("id", Key, nullable=True),
    sa.Column("name", sa.Text, nullable=True),
    sa.Column("owner_id", Key, nullable=True),
    sa.Column("scopes", sa.Text, nullable=True),
    sa.Column("last_used", sa.BigInteger, nullable=True),
    sa.Column("revoked_by", Key, nullable=True),
    sa.Column("kind", Key, nullable=True),
    sa.Column("issuer_id", Key, nullable=True),
    sa.Column("narrowed", sa.Text, nullable=True),
    sa.ForeignKeyConstraint(
        ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name="token_client"
    ),
    sa.Index("token_of_client", "tenant_id", "client_id"),
    _partial("token_of_owner", "tenant_id", "owner_id", where="owner_id IS NOT NULL"),
    _partial("token_of_issuer", "tenant_id", "issuer_id", where="issuer_id IS NOT NULL"),
)

resource = sa.Table(
    "resource",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("type", Key, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("modified", sa.BigInteger, nullable=False),
    sa.Column("deleted", sa.BigInteger, nullable=True),
    sa.Column("display", sa.Text, nullable=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("folded", Json, nullable=False),
    sa.Column("next_change", sa.BigInteger, nullable=True),
    sa.Column("boundaries", sa.Text, nullable=True),
    sa.Column("deleted_by", Key, nullable=True),
    sa.Column("shown", sa.Text, nullable=True),
    _partial("resource_walk", "tenant_id", "type", "id", where="deleted IS NULL"),
    _partial("resource_modified", "tenant_id", "type", "modified", where="deleted IS NULL"),
    _partial("resource_due", "tenant_id", "next_change", where="next_change IS NOT NULL"),
    _partial("resource_deleted", "tenant_id", "type", "deleted", where="deleted IS NOT NULL"),
)

unique_value = sa.Table(
    "unique_value",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("type", Key, primary_key=True),
    sa.Column("attribute", Key, primary_key=True),
    sa.Column("key", Key, primary_key=True),
    sa.Column("resource_id", Key, nullable=False),
    sa.Index("unique_value_of_resource", "tenant_id", "resource_id"),
)

folded_value = sa.table(
    "folded_value",
    sa.column("tenant_id", sa.Integer()),
    sa.column("type", sa.Text()),
    sa.column("deleted", sa.Integer()),
    sa.column("path", sa.Text()),
    sa.column("key"),
    sa.column("resource_id", sa.Text()),
)
"""On SQLite alone: each value of the folded copies, kept by triggers (see store.filters.entries)."""

phase_value = sa.table(
    "phase_value",
    sa.column("tenant_id", sa.Integer()),
    sa.column("resource_id", sa.Text()),
    sa.column("starts", sa.BigInteger()),
    sa.column("ends", sa.BigInteger()),
    sa.column("path", sa.Text()),
    sa.column("key"),
)
"""On SQLite alone: each value of the folded copies of phases, a view."""

reference = sa.Table(
    "reference",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("source_id", Key, primary_key=True),
    sa.Column("attribute", Key, primary_key=True),
    sa.Column("target_id", Key, primary_key=True),
    sa.Column("payload", sa.Text, nullable=True),
    sa.Column("folded", Json, nullable=True),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("valid_from", sa.BigInteger, nullable=True),
    sa.Column("valid_to", sa.BigInteger, nullable=True),
    sa.Column("owner", Key, nullable=True),
    sa.Index("reference_by_target", "tenant_id", "target_id", "attribute", "source_id"),
    _partial("reference_ending", "tenant_id", "valid_to", where="valid_to IS NOT NULL"),
)

phase = sa.Table(
    "phase",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("resource_id", Key, primary_key=True),
    sa.Column("starts", sa.BigInteger, primary_key=True),
    sa.Column("ends", sa.BigInteger, nullable=True),
    sa.Column("folded", Json, nullable=False),
)

pending_reference = sa.Table(
    "pending_reference",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("type", Key, primary_key=True),
    sa.Column("key", Key, primary_key=True),
    sa.Column("source_id", Key, primary_key=True),
    sa.Column("attribute", Key, primary_key=True),
    sa.Index("pending_reference_of_source", "tenant_id", "source_id"),
)

audit_event = sa.Table(
    "audit_event",
    metadata,
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
    sa.Column("folded", Json, nullable=False),
    sa.Index("audit_event_by_resource_id", "tenant_id", "resource_id", "id"),
    sa.Index("audit_event_by_actor_id", "tenant_id", "actor_id", "id"),
    sa.Index("audit_event_by_action", "tenant_id", "action", "id"),
    sa.Index("audit_event_by_at", "tenant_id", "at"),
    sa.Index("audit_event_by_client", "tenant_id", "client_id", "action", "at"),
)

audit_queue = sa.Table(
    "audit_queue",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("private", sa.LargeBinary, nullable=True),
)

audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("frontier", sa.LargeBinary, nullable=False),
    sa.Column("checkpoint_size", sa.BigInteger, nullable=False),
    sa.Column("checkpoint_at", sa.BigInteger, nullable=False),
)

audit_chain = sa.Table(
    "audit_chain",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True),
    sa.Column("event_id", Key, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Index("audit_chain_by_event", "tenant_id", "event_id", unique=True),
)

audit_node = sa.Table(
    "audit_node",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("level", sa.Integer, primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)

audit_private = sa.Table(
    "audit_private",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("subject_id", Key, nullable=False),
    sa.Column("key_id", Key, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

audit_key = sa.Table(
    "audit_key",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("subject_id", Key, primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=False),
)

audit_checkpoint = sa.Table(
    "audit_checkpoint",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Index("audit_checkpoint_by_size", "tenant_id", "size"),
)

audit_publication = sa.Table(
    "audit_publication",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True),
    sa.Column("sink", Key, primary_key=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try", sa.BigInteger, nullable=True),
    sa.Column("error", sa.Text, nullable=True),
    _partial("audit_publication_due", "tenant_id", "next_try", where="next_try IS NOT NULL"),
)

audit_cut = sa.Table(
    "audit_cut",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("size", sa.BigInteger, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("frontier", sa.LargeBinary, nullable=False),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("audit_id", Key, nullable=False),
    sa.Column("event", Key, nullable=False),
    sa.Column("subject_id", Key, nullable=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
)

recalculation = sa.Table(
    "recalculation",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("resource_id", Key, primary_key=True),
)

policy = sa.Table(
    "policy",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("modified", sa.BigInteger, nullable=False),
)

counter = sa.Table(
    "counter",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("name", Key, primary_key=True),
    sa.Column("slot", sa.Integer, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

rate_bucket = sa.Table(
    "rate_bucket",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", Key, primary_key=True),
    sa.Column("permits", sa.Double, nullable=False),
    sa.Column("granted", sa.Double, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)
"""On PostgreSQL an unlogged table: what a crash takes from it is back within seconds."""

secret = sa.Table(
    "secret",
    metadata,
    sa.Column("name", Key, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)
