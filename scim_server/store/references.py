"""Rows of the reference table: who points at whom, read from both ends, changed one by one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.scim.documents import encode, load
from scim_server.scim.filters.binding import Condition
from scim_server.scim.resources import ReferenceValue
from scim_server.store import clock
from scim_server.store.database import Reader, Writer
from scim_server.store.filters.compiler import FilterContext
from scim_server.store.filters.references import matching_targets
from scim_server.store.resources import chunks
from scim_server.store.statements import Statement, Texts, given, insert_into, one_of
from scim_server.store.tables import reference, resource, tenant
from scim_server.store.validity import is_visible, moment_of

MEMBERS = "members"
"""The storage key of what groups contain."""
_FEW = 8
"""Rows that go to the database with other statements; more of them are a statement of their own."""
Payload = Mapping[str, Any]
"""What the source says of a reference, or the folded copy of that."""
References = dict[str, dict[str, list[ReferenceValue]]]
"""By source id, then by the attribute's storage key."""


def pointing(
    dialect: str, is_source: sa.ColumnElement[bool], *columns: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    """Return a query for the references of sources under the parameter `keys`, in the order they were made.

    Its columns are the given ones, and attribute, target, payload, and type and name of a live target.
    """
    target = resource.alias()
    live = sa.and_(
        target.c.tenant_id == reference.c.tenant_id,
        target.c.id == reference.c.target_id,
        target.c.deleted.is_(None),
    )
    return (
        sa.select(
            *columns,
            reference.c.attribute,
            reference.c.target_id,
            reference.c.payload,
            target.c.type,
            target.c.display,
        )
        .select_from(reference.outerjoin(target, live))
        .where(
            reference.c.tenant_id == given("tenant_id"),
            is_source,
            one_of(dialect, reference.c.attribute, "keys"),
            is_visible(reference, given("now", sa.BigInteger())),
        )
        .order_by(*columns, reference.c.created, reference.c.target_id)
    )


_OF_SOURCES = Statement(
    lambda dialect: pointing(dialect, one_of(dialect, reference.c.source_id, "ids"), reference.c.source_id)
)


async def of_sources(
    reader: Reader | Writer,
    tenant_id: int,
    ids: Sequence[str],
    attributes: Sequence[Attribute],
    *,
    now: int | None = None,
) -> References:
    """Return the references of the given resources in the order in which they were made.

    A target that is in the store comes with its type and display name. References that have ended
    are left out.
    """
    moment = clock.now() if now is None else now
    found: References = {}
    keys = [attribute.storage_key for attribute in attributes]
    are_many = any(attribute.reference_kind is ReferenceKind.MEMBERSHIP for attribute in attributes)
    read = reader.rows_of_many if are_many else reader.rows
    for part in chunks(ids) if keys else ():
        for own_id, key, target, payload, kind, display in await read(
            _OF_SOURCES, tenant_id=tenant_id, ids=part, keys=keys, now=moment
        ):
            value = ReferenceValue(target, kind, display, load(payload) if payload else None)
            found.setdefault(own_id, {}).setdefault(key, []).append(value)
    return found


_GIVEN = tuple(reference.c[name] == given(name) for name in ("tenant_id", "source_id", "attribute"))
"""That a row is of the source and attribute that a statement is given."""


def _add(dialect: str) -> sa.Executable:
    """Return a statement for new references without payload to each of the targets."""
    texts = given("targets", Texts())
    value = sa.column("value", sa.Text())
    target = (
        sa.func.unnest(texts).table_valued(value).render_derived()
        if dialect == "postgresql"
        else sa.func.json_each(texts).table_valued(value)
    )
    names = ("tenant_id", "source_id", "attribute", "target_id", "created")
    number = sa.BigInteger()
    rows = sa.select(
        given("tenant_id", sa.Integer()),
        given("source_id", sa.Text()),
        given("attribute", sa.Text()),
        target.c.value,
        given("created", number),
    ).where(sa.true())
    statement = insert_into(dialect, reference).from_select(names, rows)
    return statement.on_conflict_do_nothing().returning(sa.literal_column("1"))


_ADD = Statement(_add)
_REMOVE = Statement(
    lambda dialect: (
        reference.delete()
        .where(
            *_GIVEN,
            one_of(dialect, reference.c.target_id, "targets"),
        )
        .returning(sa.literal_column("1"))
    )
)


async def add(
    writer: Writer, tenant_id: int, source_id: str, key: str, targets: Sequence[str], moment: int
) -> int:
    """Add members and return how many were not there yet; no existing member is read."""
    own = {"tenant_id": tenant_id, "source_id": source_id, "attribute": key, "created": moment}
    return sum([await writer.count_changed(_ADD, len(p), targets=p, **own) for p in chunks(targets)])


def _row(
    tenant_id: int, source_id: str, key: str, target: str, payload: Payload, folded: Payload, moment: int
) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "source_id": source_id,
        "attribute": key,
        "target_id": target,
        "created": moment,
        **_said(payload, folded),
    }


def _said(payload: Payload, folded: Payload) -> dict[str, Any]:
    """Return what the columns of a row hold of what the source says."""
    owner = payload.get("owner")
    return {
        "payload": encode(payload).decode() if payload else None,
        "folded": encode(folded).decode() if folded else None,
        "valid_from": moment_of(payload, "validFrom"),
        "valid_to": moment_of(payload, "validTo"),
        "owner": owner if isinstance(owner, str) else None,
    }


def _owned(tenant_id: int, source_id: str, key: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        reference.c.tenant_id == tenant_id, reference.c.source_id == source_id, reference.c.attribute == key
    )


async def remove(writer: Writer, tenant_id: int, source_id: str, key: str, targets: Sequence[str]) -> int:
    """Remove members and return how many were there."""
    own = {"tenant_id": tenant_id, "source_id": source_id, "attribute": key}
    return sum([await writer.count_changed(_REMOVE, len(p), targets=p, **own) for p in chunks(targets)])


async def keep_only(writer: Writer, tenant_id: int, source_id: str, key: str, targets: Iterable[str]) -> int:
    """Remove every member that is not listed and return how many those were."""
    kept = set(targets)
    if not kept:
        return (await writer.execute(reference.delete().where(_owned(tenant_id, source_id, key)))).rowcount
    query = sa.select(reference.c.target_id).where(_owned(tenant_id, source_id, key))
    surplus = [target for (target,) in await writer.execute(query) if target not in kept]
    return await remove(writer, tenant_id, source_id, key, surplus)


async def remove_where(
    writer: Writer, context: FilterContext, source_id: str, attribute: Attribute, condition: Condition
) -> int:
    """Remove the members that satisfy a condition and return how many those were."""
    query = matching_targets(attribute, condition, context, source_id)
    targets = [target for (target,) in await writer.execute(query)]
    return await remove(writer, context.tenant_id, source_id, attribute.storage_key, targets)


_STORED = Statement(
    lambda _dialect: sa.select(
        reference.c.target_id, reference.c.payload, reference.c.valid_to, reference.c.created
    ).where(*_GIVEN)
)
_SAID = ("payload", "folded", "valid_from", "valid_to", "owner", "created")
_CHANGE = Statement(
    lambda _dialect: (
        reference.update()
        .where(
            reference.c.tenant_id == given("own_tenant"),
            reference.c.source_id == given("own_source"),
            reference.c.attribute == given("own_attribute"),
            reference.c.target_id == given("own_target"),
        )
        .values({name: given(name) for name in _SAID})
        .returning(sa.literal_column("1"))
    )
)
_INSERT = Statement(
    lambda _dialect: (
        reference.insert()
        .values({column.name: given(column.name) for column in reference.c})
        .returning(sa.literal_column("1"))
    )
)


async def save(
    writer: Writer,
    tenant_id: int,
    source_id: str,
    key: str,
    values: Mapping[str, tuple[Payload, Payload]],
    moment: int,
    *,
    is_new: bool = False,
) -> None:
    """Make the given references the only ones of an attribute that hold now or later.

    `values` maps a target to what the source says of it and the folded copy of that; dateTimes
    under `validFrom` and `validTo` say when it holds, a text under `owner` whose it is. Only what
    differs is written, and what stays keeps its place in the order. A reference that ended before
    is replaced where it is given again, and otherwise left for remove_expired. A new source has none yet.
    """
    stored = (
        ()
        if is_new
        else await writer.rows_beside(_STORED, tenant_id=tenant_id, source_id=source_id, attribute=key)
    )
    ended = {target for target, _, valid_to, _ in stored if valid_to is not None and valid_to <= moment}
    held = {target: load(payload) if payload else {} for target, payload, _, _ in stored}
    made = {target: created for target, _, _, created in stored}
    gone = [target for target in held if target not in values and target not in ended]
    if gone:
        await remove(writer, tenant_id, source_id, key, gone)
    new = {target: value for target, value in values.items() if target not in held}
    rows = [_row(tenant_id, source_id, key, target, *value, moment) for target, value in new.items()]
    if len(rows) > _FEW:
        await writer.execute(reference.insert(), rows)
    else:
        for row in rows:
            writer.defer(_INSERT, row)
    for target, (payload, folded) in values.items():
        if target in held and (target in ended or held[target] != payload):
            own = {
                "own_tenant": tenant_id,
                "own_source": source_id,
                "own_attribute": key,
                "own_target": target,
            }
            created = moment if target in ended else made[target]
            writer.defer(_CHANGE, {**own, **_said(payload, folded), "created": created}, expects=1)


async def remove_expired(
    writer: Writer, tenant_id: int, before: int, limit: int
) -> list[tuple[str, str, str]]:
    """Remove references that ended at a moment or before it, the earliest first.

    Returns source, storage key of the attribute, and target of each.
    """
    key = (reference.c.source_id, reference.c.attribute, reference.c.target_id)
    ended = sa.and_(reference.c.tenant_id == tenant_id, reference.c.valid_to <= before)
    earliest = sa.select(*key).where(ended).order_by(reference.c.valid_to, *key).limit(limit)
    statement = reference.delete().where(ended, sa.tuple_(*key).in_(earliest)).returning(*key)
    return sorted((row[0], row[1], row[2]) for row in await writer.execute(statement))


async def forget(writer: Writer, tenant_id: int, id: str, *, now: int | None = None) -> list[str]:
    """Remove every reference from and to a resource and return the ids that visibly pointed at it."""
    moment = clock.now() if now is None else now
    to_it = sa.and_(reference.c.tenant_id == tenant_id, reference.c.target_id == id)
    query = sa.select(reference.c.source_id).where(to_it, is_visible(reference, moment))
    sources = [source for (source,) in await writer.execute(query)]
    await writer.execute(reference.delete().where(to_it))
    await writer.execute(
        reference.delete().where(reference.c.tenant_id == tenant_id, reference.c.source_id == id)
    )
    return sources


async def hold_nesting(writer: Writer, tenant_id: int) -> None:
    """Keep other transactions of the tenant from nesting groups, so that no two close a cycle together."""
    await writer.execute(sa.select(tenant.c.id).where(tenant.c.id == tenant_id).with_for_update())


async def is_reachable(writer: Writer, tenant_id: int, key: str, starts: Sequence[str], wanted: str) -> bool:
    """Tell whether references lead from one of the starts to the wanted resource now, however far."""
    if wanted in starts:
        return True
    moment = clock.now()
    for part in chunks(starts):
        first, further = reference.alias(), reference.alias()
        downward = (
            sa.select(first.c.target_id.label("member"))
            .where(
                first.c.tenant_id == tenant_id,
                first.c.attribute == key,
                first.c.source_id.in_(part),
                is_visible(first, moment),
            )
            .cte(recursive=True)
        )
        downward = downward.union(
            sa.select(further.c.target_id).where(
                further.c.tenant_id == tenant_id,
                further.c.attribute == key,
                further.c.source_id == downward.c.member,
                is_visible(further, moment),
            )
        )
        query = sa.select(sa.literal(1)).where(downward.c.member == wanted).limit(1)
        if (await writer.execute(query)).first() is not None:
            return True
    return False


async def targets_of(
    reader: Reader | Writer, tenant_id: int, source_id: str, key: str, among: Iterable[str] | None = None
) -> list[str]:
    """Return the targets of a membership in order of their ids, or those of some ids that are members."""
    query = sa.select(reference.c.target_id).where(_owned(tenant_id, source_id, key))
    if among is None:
        return sorted(target for (target,) in await reader.execute(query))
    found: list[str] = []
    for part in chunks(sorted(among)):
        found += [target for (target,) in await reader.execute(query.where(reference.c.target_id.in_(part)))]
    return sorted(found)
