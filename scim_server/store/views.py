"""Read-only views for reports in SQL, with the columns of S4 §20 and S2 UC-001 to UC-006.

They say what SCIM says at the moment of the query, whether or not any worker ran. docs/sql.md
describes every column.
"""

from collections.abc import Callable, Mapping

from scim_server.store.view_profiles import user_profiles
from scim_server.store.view_sql import (
    DEPARTMENTS,
    LOCATIONS,
    ROLES,
    TENANT,
    VIEW_SQL,
    View,
    ViewSql,
    has_not_ended,
)


def views(dialect: str) -> dict[str, View]:
    """Return every view by name, as `dialect` (sqlite or postgresql) has it."""
    return {name: view(VIEW_SQL[dialect]) for name, view in _VIEWS.items()}


def statements(dialect: str) -> list[str]:
    """Return the statements that make the views anew."""
    found = views(dialect)
    dropped = [f"DROP VIEW IF EXISTS {name}" for name in found]
    return dropped + [f"CREATE VIEW {name} AS\n{view.text}" for name, view in found.items()]


def _assignments(attribute: str, own: Callable[[ViewSql], Mapping[str, str]]) -> Callable[[ViewSql], View]:
    """Return a view with one row for each assignment that has not ended."""

    def view(sql: ViewSql) -> View:
        status = f"CASE WHEN a.valid_from > {sql.now} THEN 'scheduled' ELSE 'active' END"
        validity = {
            "status": status,
            "valid_from": sql.time("a.valid_from"),
            "valid_to": sql.time("a.valid_to"),
        }
        source = sql.text(sql.json("a.payload"), "source")
        return View(
            {"user_id": "a.source_id", **own(sql), **validity, "source": source, **TENANT},
            "FROM reference AS a\nJOIN tenant AS t ON t.id = a.tenant_id\n"
            f"WHERE a.attribute = '{attribute}' AND {has_not_ended(sql)}",
        )

    return view


def _of_payload(sql: ViewSql, name: str) -> str:
    return sql.is_true(sql.json("a.payload"), name)


def _made(sql: ViewSql) -> dict[str, str]:
    return {
        "created_at": f"coalesce({sql.folded_time('a.folded', 'assignedat')}, {sql.time('a.created')})",
        "created_by_id": sql.text(sql.json("a.payload"), "assignedBy"),
    }


def _department(sql: ViewSql) -> Mapping[str, str]:
    return {
        "department_id": "a.target_id",
        "is_hod": _of_payload(sql, "headOfDepartment"),
        "is_primary": _of_payload(sql, "primary"),
        **_made(sql),
    }


def _location(sql: ViewSql) -> Mapping[str, str]:
    return {"location_id": "a.target_id", "is_primary": _of_payload(sql, "primary"), **_made(sql)}


def _role(sql: ViewSql) -> Mapping[str, str]:
    made = _made(sql)
    return {
        "id": "a.source_id || ':' || a.target_id",
        "role_id": "a.target_id",
        "is_primary": _of_payload(sql, "primary"),
        "assigned_at": made["created_at"],
        "assigned_by": made["created_by_id"],
    }


def _api_tokens(sql: ViewSql) -> View:
    return View(
        {
            "id": "k.id",
            "user_id": "k.owner_id",
            "name": "k.name",
            "token_hash": "k.digest",
            "token_prefix": "substr(k.prefix, 1, 10)",
            "scopes": sql.texts("k.scopes"),
            "expires_at": sql.time("k.expires"),
            "revoked_at": sql.time("k.revoked"),
            "revoked_by": "k.revoked_by",
            "last_used_at": sql.time("k.last_used"),
            "created_at": sql.time("k.created"),
            **TENANT,
        },
        "FROM token AS k\nJOIN tenant AS t ON t.id = k.tenant_id\nWHERE k.id IS NOT NULL",
    )


_VIEWS: dict[str, Callable[[ViewSql], View]] = {
    "user_profiles": user_profiles,
    "department_user": _assignments(DEPARTMENTS, _department),
    "user_location": _assignments(LOCATIONS, _location),
    "user_roles": _assignments(ROLES, _role),
    "api_tokens": _api_tokens,
}
