"""The view of users: every user there is or was, as SCIM shows it at the moment of the query."""

from scim_server.store.view_sql import DEPARTMENTS, LOCATIONS, MANAGER, TENANT, View, ViewSql, has_not_ended

_EXTENSION = "urn:ietf:params:scim:schemas:extension:"
_ENTERPRISE = f"{_EXTENSION}enterprise:2.0:User"
_CONNECTOR = f"{_EXTENSION}connector:2.0:User"
_LOCATION = f"{_EXTENSION}location:2.0:User"
_LIFECYCLE = f"{_EXTENSION}lifecycle:2.0:User".lower()
_MAPPING = f"{_EXTENSION}mapping:2.0:Group"

_STANDING = "(CASE WHEN p.starts IS NULL THEN r.folded ELSE p.folded END)"
"""The folded copy in which the attributes that vary in time are as they are now."""


def user_profiles(sql: ViewSql) -> View:
    """Return the view with one row for each user, deleted ones too."""
    return View(
        {
            "id": "r.id",
            "auth_user_id": "CAST(NULL AS TEXT)",
            **_identity(sql),
            **_organisation(sql),
            **_security(sql),
            **_history(sql),
        },
        f"FROM resource AS r\nJOIN tenant AS t ON t.id = r.tenant_id\n{sql.unfolded}\n"
        "LEFT JOIN phase AS p ON p.tenant_id = r.tenant_id AND p.resource_id = r.id"
        f" AND r.next_change <= {sql.now} AND p.starts <= {sql.now}"
        f" AND (p.ends IS NULL OR p.ends > {sql.now})\n"
        "WHERE r.type = 'User'",
    )


def _identity(sql: ViewSql) -> dict[str, str]:
    def own(*path: str) -> str:
        return sql.text(sql.document, *path)

    number = f"coalesce({own(_ENTERPRISE, 'employeeNumber')}, {own(_CONNECTOR, 'employeeId')})"
    return {
        "user_name": own("userName"),
        "email": sql.chosen("emails", "primary", "work"),
        "first_name": own("name", "givenName"),
        "last_name": own("name", "familyName"),
        "employee_id": number,
        "phone": sql.chosen("phoneNumbers", "work", "primary"),
        "photo_url": sql.chosen("photos", "primary"),
        "cost_center": own(_ENTERPRISE, "costCenter"),
        "hire_date": sql.day(own(_CONNECTOR, "hireDate")),
        "termination_date": sql.day(own(_CONNECTOR, "terminationDate")),
        "commission_plan_id": own(_CONNECTOR, "commissionPlan"),
        "license_type": own(_CONNECTOR, "licenseType"),
        "sso_identifier": own(_CONNECTOR, "ssoIdentifier"),
        "external_system_id": own(_CONNECTOR, "hrisId"),
    }


def _organisation(sql: ViewSql) -> dict[str, str]:
    def own(*path: str) -> str:
        return sql.text(sql.document, *path)

    place = f"coalesce({_primary(sql, LOCATIONS)}, {own(_CONNECTOR, 'locationCode')})"
    return {
        **TENANT,
        "pod_id": f"coalesce({own(_CONNECTOR, 'teamCode')}, {_team(sql)})",
        "manager_id": _target(sql, "a.target_id", MANAGER),
        "department": f"coalesce({_primary(sql, DEPARTMENTS)}, {own(_ENTERPRISE, 'department')})",
        "job_title": own("title"),
        "location": place,
        "timezone": own("timezone"),
        "status": _status(sql),
        "data_scope": f"coalesce({own(_LOCATION, 'dataScope')}, {own(_CONNECTOR, 'dataScope')})",
    }


def _status(sql: ViewSql) -> str:
    effective = sql.text(_STANDING, _LIFECYCLE, "effectivestatus")
    is_inactive = f"{sql.text(_STANDING, 'active')} IS NOT NULL AND NOT {sql.is_true(_STANDING, 'active')}"
    by_flag = f"CASE WHEN {is_inactive} THEN 'inactive' ELSE 'active' END"
    return f"CASE WHEN r.deleted IS NOT NULL THEN 'deleted' ELSE coalesce({effective}, {by_flag}) END"


def _security(sql: ViewSql) -> dict[str, str]:
    failed = sql.integer(_STANDING, _LIFECYCLE, "lockout", "failedattempts")
    return {
        "mfa_enabled": sql.is_true("r.folded", _LIFECYCLE, "credentials", "mfaenrolled"),
        "last_login_at": sql.folded_time("r.folded", _LIFECYCLE, "login", "lastloginat"),
        "failed_login_count": f"coalesce({failed}, 0)",
        "locked_at": sql.folded_time(_STANDING, _LIFECYCLE, "lockout", "lockedat"),
        "password_changed_at": sql.folded_time("r.folded", _LIFECYCLE, "credentials", "passwordsetat"),
    }


def _history(sql: ViewSql) -> dict[str, str]:
    created_by = _actor("e.outcome = 'success'", "e.id")
    changed = f"e.outcome = 'success' AND {sql.has_array('e.folded', 'changes')}"
    updated_by = (
        "CASE WHEN r.deleted IS NOT NULL THEN r.deleted_by"
        f" WHEN {_exists(changed)} THEN {_actor(changed, 'e.id DESC')} ELSE {created_by} END"
    )
    passed = (
        "(SELECT count(*) FROM phase AS b"  # noqa: S608 - made of constants
        " WHERE b.tenant_id = r.tenant_id AND b.resource_id = r.id"
        f" AND b.starts <= {sql.now})"
    )
    changed_at = "(CASE WHEN p.starts > r.modified THEN p.starts ELSE r.modified END)"
    return {
        "created_at": sql.time("r.created"),
        "updated_at": sql.time(changed_at),
        "created_by": created_by,
        "updated_by": updated_by,
        "created_by_id": created_by,
        "updated_by_id": updated_by,
        "deleted_at": sql.time("r.deleted"),
        "deleted_by_id": "r.deleted_by",
        "doc_version": f"CASE WHEN p.starts IS NULL THEN r.version ELSE r.version + {passed} END",
    }


_OF_USER = "FROM audit_event AS e WHERE e.tenant_id = r.tenant_id AND e.resource_id = r.id"


def _actor(condition: str, order: str) -> str:
    return f"(SELECT e.actor_id {_OF_USER} AND {condition} ORDER BY {order} LIMIT 1)"


def _exists(condition: str) -> str:
    return f"EXISTS (SELECT 1 {_OF_USER} AND {condition})"


def _primary(sql: ViewSql, attribute: str) -> str:
    """Return the name of what the primary assignment points at, of the first one where none is primary."""
    return _target(sql, "x.display", attribute)


def _target(sql: ViewSql, wanted: str, attribute: str) -> str:
    rank = f"CASE WHEN {sql.is_true(sql.json('a.payload'), 'primary')} THEN 0 ELSE 1 END"
    return (
        f"(SELECT {wanted} FROM reference AS a"  # noqa: S608 - made of constants
        " JOIN resource AS x ON x.tenant_id = a.tenant_id AND x.id = a.target_id AND x.deleted IS NULL"
        f" WHERE a.tenant_id = r.tenant_id AND a.source_id = r.id AND a.attribute = '{attribute}'"
        f" AND {has_not_ended(sql)} AND (a.valid_from IS NULL OR a.valid_from <= {sql.now})"
        f" ORDER BY {rank}, a.created, a.target_id LIMIT 1)"
    )


def _team(sql: ViewSql) -> str:
    kind = sql.text(sql.json("g.document"), _MAPPING, "kind")
    return (
        "(SELECT g.id FROM reference AS a"  # noqa: S608 - made of constants
        " JOIN resource AS g ON g.tenant_id = a.tenant_id AND g.id = a.source_id AND g.deleted IS NULL"
        " WHERE a.tenant_id = r.tenant_id AND a.target_id = r.id AND a.attribute = 'members'"
        f" AND g.type = 'Group' AND {kind} = 'team' ORDER BY a.created, g.id LIMIT 1)"
    )
