"""What has to be so in the store after whatever happened, asked with SQL beside the server."""

import json
from collections.abc import Iterator

from tests.torture.stage import Store
from tests.torture.writers import Ledger

_BY_SQL = (
    (
        "a user's version is the number of its changes on record",
        """SELECT r.id, r.version, count(a.id) FROM resource r LEFT JOIN audit_event a
           ON a.tenant_id = r.tenant_id AND a.resource_id = r.id AND a.outcome = 'success'
           AND a.action <> 'user.view' WHERE r.type = 'User' AND r.deleted IS NULL
           GROUP BY r.id, r.version HAVING count(a.id) <> r.version""",
    ),
    (
        "a unique value belongs to a resource that is there",
        """SELECT u.key, u.resource_id FROM unique_value u LEFT JOIN resource r
           ON r.tenant_id = u.tenant_id AND r.id = u.resource_id AND r.deleted IS NULL
           WHERE r.id IS NULL""",
    ),
    (
        "a user has its userName as a unique value",
        """SELECT r.id FROM resource r LEFT JOIN unique_value u ON u.tenant_id = r.tenant_id
           AND u.resource_id = r.id AND u.type = 'User' AND lower(u.attribute) = 'username'
           WHERE r.type = 'User' AND r.deleted IS NULL AND u.key IS NULL""",
    ),
    (
        "a reference leads from and to resources that are there",
        """SELECT f.source_id, f.target_id FROM reference f
           LEFT JOIN resource s ON s.tenant_id = f.tenant_id AND s.id = f.source_id AND s.deleted IS NULL
           LEFT JOIN resource t ON t.tenant_id = f.tenant_id AND t.id = f.target_id AND t.deleted IS NULL
           WHERE s.id IS NULL OR t.id IS NULL""",
    ),
    (
        "what others are told belongs to an event on record",
        """SELECT o.id FROM outbox o LEFT JOIN audit_event a
           ON a.tenant_id = o.tenant_id AND a.id = o.audit_id WHERE a.id IS NULL""",
    ),
    (
        "the making and the deletion of a user are told to others",
        """SELECT a.id, a.action FROM audit_event a LEFT JOIN outbox o
           ON o.tenant_id = a.tenant_id AND o.audit_id = a.id
           WHERE a.action IN ('user.create', 'user.delete') AND a.outcome = 'success' AND o.id IS NULL""",
    ),
    (
        "a deleted user has its deletion on record, once",
        """SELECT r.id, count(a.id) FROM resource r LEFT JOIN audit_event a
           ON a.tenant_id = r.tenant_id AND a.resource_id = r.id AND a.action = 'user.delete'
           WHERE r.type = 'User' AND r.deleted IS NOT NULL GROUP BY r.id HAVING count(a.id) <> 1""",
    ),
    (
        "the counter says how many users there are",
        """SELECT c.value, n.value FROM
           (SELECT coalesce(sum(value), 0) AS value FROM counter WHERE name = 'live:User') c,
           (SELECT count(*) AS value FROM resource WHERE type = 'User' AND deleted IS NULL) n
           WHERE c.value <> n.value""",
    ),
)
"""Statements that find what breaks a rule, each with the rule; right for users made through SCIM alone."""


_MEMBERS = "SELECT source_id, target_id FROM reference WHERE attribute LIKE '%members%'"


def broken(store: Store, ledger: Ledger) -> list[str]:
    """Return a line for everything that is lost, half there or in contradiction."""
    return [*_lost(store, ledger), *_contradictions(store)]


def _contradictions(store: Store) -> Iterator[str]:
    for rule, query in _BY_SQL:
        yield from (f"not so: {rule}: {row}" for row in store.rows(query)[:10])
    if store.kind == "sqlite":
        for (said,) in store.rows("PRAGMA integrity_check"):
            if said != "ok":
                yield f"integrity_check: {said}"


def _lost(store: Store, ledger: Ledger) -> Iterator[str]:
    query = "SELECT id, version, deleted, document FROM resource WHERE type = 'User'"
    rows = {user: (version, deleted, document) for user, version, deleted, document in store.rows(query)}
    for user, known in ledger.users.items():
        if user not in rows:
            yield f"lost: user {user}, whose creation was acknowledged"
            continue
        version, deleted, document = rows[user]
        if known.is_gone and deleted is None:
            yield f"undone: the deletion of user {user}, which was acknowledged"
        if deleted is not None:
            if not known.may_be_gone:
                yield f"gone: user {user}, whom nobody deleted"
            continue
        title = json.loads(document).get("title", "")
        if version < known.version or title not in known.titles | {known.title}:
            said = f"{known.title!r} at {known.version}"
            yield f"lost: a change of {user}: {title!r} at {version}, while {said} was acknowledged"
    members: dict[str, set[str]] = {}
    for source, target in store.rows(
        "SELECT source_id, target_id FROM reference WHERE attribute LIKE '%members%'"
    ):
        members.setdefault(source, set()).add(target)
    for group in ledger.groups:
        found = members.get(group.id, set()) - group.unknown
        awaited = group.members - group.unknown
        if found != awaited:
            yield f"members of {group.id}: {len(found - awaited)} too many, {len(awaited - found)} missing"
