"""The audit trail as a chain: events in two parts, checkpoints, and triggers that let nobody rewrite it.

Events written before are split as new ones are, and queued in the order of their ids; it takes about 0.2 ms
an event. What they held of persons leaves the table of events with it.
"""

import hashlib
import os
from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"

Key = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_AT_ONCE = 1_000
_APPENDED = ("audit_event", "audit_private", "audit_chain", "audit_node", "audit_checkpoint", "audit_cut")
"""Tables whose rows nobody changes, and nobody removes but with what is written beside each below."""
_BY_RANGE = {
    "audit_event": "c.event_id = OLD.id",
    "audit_private": "c.event_id = OLD.id",
    "audit_chain": "c.sequence = OLD.sequence",
}
"""How rows that a recorded cut covers are found in the chain."""


def upgrade() -> None:
    """Apply the revision."""
    for name, columns in _tables().items():
        op.create_table(
            name, sa.Column("tenant_id", sa.Integer, primary_key=True, autoincrement=False), *columns
        )
    op.create_index("audit_chain_by_event", "audit_chain", ["tenant_id", "event_id"], unique=True)
    op.create_index("audit_checkpoint_by_size", "audit_checkpoint", ["tenant_id", "size"])
    waiting = sa.text("next_try IS NOT NULL")
    op.create_index(
        "audit_publication_due",
        "audit_publication",
        ["tenant_id", "next_try"],
        postgresql_where=waiting,
        sqlite_where=waiting,
    )
    connection = op.get_bind()
    _split_all(connection)
    _permit(connection)
    for statement in _guards(connection):
        connection.exec_driver_sql(statement)


def _column(name: str, kind: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, **{"nullable": False, **options})


def _tables() -> Mapping[str, list[sa.Column[Any]]]:
    number, octets = sa.BigInteger, sa.LargeBinary
    own = {"primary_key": True, "autoincrement": False}
    return {
        "audit_queue": [_column("id", Key, **own), _column("private", octets, nullable=True)],
        "audit_head": [
            _column("sequence", number),
            _column("hash", octets),
            _column("frontier", octets),
            _column("checkpoint_size", number),
            _column("checkpoint_at", number),
        ],
        "audit_chain": [
            _column("sequence", number, **own),
            _column("event_id", Key),
            _column("hash", octets),
        ],
        "audit_node": [
            _column("level", sa.Integer, **own),
            _column("position", number, **own),
            _column("hash", octets),
        ],
        "audit_private": [
            _column("id", Key, **own),
            _column("subject_id", Key),
            _column("key_id", Key),
            _column("sealed", octets),
        ],
        "audit_key": [_column("subject_id", Key, **own), _column("secret", octets)],
        "audit_checkpoint": [
            _column("at", number, **own),
            _column("size", number),
            _column("root", octets),
            _column("hash", octets),
            _column("note", sa.Text),
        ],
        "audit_publication": [
            _column("at", number, **own),
            _column("sink", Key, **own),
            _column("attempts", sa.Integer),
            _column("next_try", number, nullable=True),
            _column("error", sa.Text, nullable=True),
        ],
        "audit_cut": [
            _column("size", number, **own),
            _column("at", number),
            _column("root", octets),
            _column("hash", octets),
            _column("frontier", octets),
        ],
    }


def _permit(connection: sa.Connection) -> None:
    """Let clients that may read events verify them, too."""
    client = sa.table("client", *map(sa.column, ("tenant_id", "id", "permissions")))
    for row in connection.execute(sa.select(client)).all():
        held = orjson.loads(row.permissions)
        if "audit:read" in held:
            own = sa.and_(client.c.tenant_id == row.tenant_id, client.c.id == row.id)
            changed = orjson.dumps([*held, "audit:verify"]).decode()
            connection.execute(client.update().where(own).values(permissions=changed))


_PUBLIC = ("at", "action", "outcome", "requestId", "reason")
_PUBLIC_WITHIN = {
    "actor": ("value", "type", "client"),
    "resource": ("value", "type"),
    "changes": ("path",),
    "rules": ("value", "effect"),
}
"""What is public of an event as of this revision; the code may come to know more."""


def _split_all(connection: sa.Connection) -> None:
    """Bring the events that are there into the form of new ones, and queue them."""
    json = sa.Text().with_variant(JSONB(none_as_null=True), "postgresql")
    names = ("tenant_id", "id", "client_id", "document")
    event = sa.table("audit_event", *map(sa.column, names), sa.column("folded", json))
    queue = sa.table("audit_queue", *map(sa.column, ("tenant_id", "id", "private")))
    own = sa.and_(event.c.tenant_id == sa.bindparam("tenant"), event.c.id == sa.bindparam("event"))
    update = (
        event.update()
        .where(own)
        .values(document=sa.bindparam("bytes"), folded=sa.bindparam("copy", type_=json))
    )
    position = (-(2**31), "")
    while True:
        after = sa.tuple_(event.c.tenant_id, event.c.id) > sa.tuple_(*map(sa.literal, position))
        text = sa.cast(event.c.folded, sa.Text).label("folded")
        query = sa.select(*(event.c[name] for name in names), text).where(after)
        rows = connection.execute(query.order_by(event.c.tenant_id, event.c.id).limit(_AT_ONCE)).all()
        if not rows:
            return
        position = (rows[-1].tenant_id, rows[-1].id)
        found = [_split(row) for row in rows]
        connection.execute(update, [changed for changed, _ in found])
        connection.execute(queue.insert(), [queued for _, queued in found])


def _split(row: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters of the update of an event, and its row in the queue."""
    public, private = _chosen(orjson.loads(row.document), set(_PUBLIC), _PUBLIC_WITHIN)
    public["id"] = row.id
    if row.client_id:
        public["clientId"] = row.client_id
    salted = None
    if private:
        salted = os.urandom(32) + _canonical(private)
        public["privateCommit"] = hashlib.sha256(salted).hexdigest()
    folded = orjson.loads(row.folded)
    within = {name.lower(): [one.lower() for one in kept] for name, kept in _PUBLIC_WITHIN.items()}
    kept = {name.lower() for name in _PUBLIC}
    folded, _ = _chosen(folded, kept, within)
    if salted:
        folded["privatecommit"] = public["privateCommit"]
    changed = {
        "tenant": row.tenant_id,
        "event": row.id,
        "bytes": _canonical(public).decode(),
        "copy": orjson.dumps(folded).decode(),
    }
    return changed, {"tenant_id": row.tenant_id, "id": row.id, "private": salted}


def _chosen(
    document: dict[str, Any], plain: set[str], within: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    public: dict[str, Any] = {}
    private: dict[str, Any] = {}
    for name, value in document.items():
        if name not in within:
            (public if name in plain else private)[name] = value
            continue
        entries = value if isinstance(value, list) else [value]
        shown = [{one: each[one] for one in each if one in within[name]} for each in entries]
        hidden = [{one: each[one] for one in each if one not in within[name]} for each in entries]
        public[name] = shown if isinstance(value, list) else shown[0]
        if any(hidden):
            private[name] = hidden if isinstance(value, list) else hidden[0]
    return public, private


def _canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


_OF_DELETED = "EXISTS (SELECT 1 FROM tenant AS t WHERE t.id = OLD.tenant_id AND t.deleted IS NOT NULL)"


def _covered(table: str) -> str:
    """Return the test whether a row of a table may go: its tenant does, or a recorded cut covers it."""
    if table not in _BY_RANGE:
        return _OF_DELETED
    cut = (
        "EXISTS (SELECT 1 FROM audit_chain AS c JOIN audit_cut AS d"  # noqa: S608 - of parts that stand in this file
        " ON d.tenant_id = c.tenant_id AND d.size >= c.sequence"
        f" WHERE c.tenant_id = OLD.tenant_id AND {_BY_RANGE[table]})"
    )
    return f"({_OF_DELETED} OR {cut})"


_CHECKED = (
    "EXISTS (SELECT 1 FROM audit_checkpoint AS p WHERE p.tenant_id = NEW.tenant_id"
    " AND p.size = NEW.size AND p.root = NEW.root AND p.hash = NEW.hash)"
)


def _guards(connection: sa.Connection) -> list[str]:
    if connection.dialect.name == "sqlite":
        return _guards_of_sqlite()
    return _guards_of_postgresql(str(connection.exec_driver_sql("SELECT current_schema()").scalar_one()))


def _guards_of_sqlite() -> list[str]:
    found = [_trigger("audit_cut_checked", "INSERT ON audit_cut", f"NOT {_CHECKED}", _UNCHECKED)]
    for table in _APPENDED:
        found.append(_trigger(f"{table}_stays", f"UPDATE ON {table}", "1", _CHANGED.format(table)))
        kept = f"NOT {_covered(table)}"
        found.append(_trigger(f"{table}_remains", f"DELETE ON {table}", kept, _REMOVED.format(table)))
    return found


_UNCHECKED = "a cut has to be where a checkpoint is"
_CHANGED = "rows of {} are never changed"
_REMOVED = "rows of {} are removed by scim-server audit retain alone"


def _trigger(name: str, work: str, condition: str, message: str) -> str:
    """Return a trigger of SQLite that refuses some work."""
    return f"CREATE TRIGGER {name} BEFORE {work} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END"


def _guards_of_postgresql(schema: str) -> list[str]:
    """Return functions and triggers; no other table of the same name is looked into."""

    def refusing(name: str, condition: str, message: str, row: str) -> str:
        refusal = f"RAISE EXCEPTION '{message}' USING ERRCODE = 'restrict_violation'"
        return (
            f'CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = "{schema}", pg_temp'
            f" AS $$ BEGIN IF {condition} THEN {refusal}; END IF; RETURN {row}; END $$"
        )

    def calling(name: str, work: str, each: str, function: str) -> str:
        return f"CREATE TRIGGER {name} BEFORE {work} FOR EACH {each} EXECUTE FUNCTION {function}()"

    found = [
        refusing("audit_cut_checked", f"NOT {_CHECKED}", _UNCHECKED, "NEW"),
        calling("audit_cut_checked", "INSERT ON audit_cut", "ROW", "audit_cut_checked"),
    ]
    for table in _APPENDED:
        found += [
            refusing(f"{table}_stays", "true", _CHANGED.format(table), "NULL"),
            refusing(f"{table}_remains", f"NOT {_covered(table)}", _REMOVED.format(table), "OLD"),
            calling(f"{table}_stays", f"UPDATE ON {table}", "ROW", f"{table}_stays"),
            calling(f"{table}_remains", f"DELETE ON {table}", "ROW", f"{table}_remains"),
            calling(f"{table}_whole", f"TRUNCATE ON {table}", "STATEMENT", f"{table}_stays"),
        ]
    return found
