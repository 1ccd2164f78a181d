"""Filters on references: rows of the reference table seen from their source, or from their target."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.scim.contents import DISPLAY_NAMES
from scim_server.scim.filters.binding import (
    AllOf,
    AnyOf,
    Condition,
    Element,
    Negation,
    Predicate,
    Presence,
)
from scim_server.store.filters.json import Expression, JsonDialect, Test, compare
from scim_server.store.filters.logic import Leaf, combined
from scim_server.store.tables import reference, resource
from scim_server.store.validity import is_visible

if TYPE_CHECKING:
    from scim_server.store.filters.compiler import FilterContext

_MEMBERS = "members"
_DISPLAY = frozenset({"display", "displayname"})
_OF_TARGET = frozenset({"$ref", "type", "code", *_DISPLAY})
_NAMES = tuple(name.lower() for name in DISPLAY_NAMES)
_Rows = sa.FromClause


def reference_test(
    condition: Predicate | Presence | Element, attribute: Attribute, context: "FilterContext"
) -> Test:
    """Return the test of a condition on a reference attribute or one of its sub-attributes."""
    inner: Condition | None = condition if isinstance(condition, Predicate) else None
    if isinstance(condition, Element):
        inner = condition.condition
    elif isinstance(condition, Presence) and condition.attribute is not attribute:
        inner = condition
    if attribute.reference_kind is ReferenceKind.INVERSE:
        return _inverse_test(inner, context)
    return sa.exists(_rows_of_source(attribute, inner, context, resource.c.id)).correlate(resource)


def is_status(attribute: Attribute) -> bool:
    """Tell whether a sub-attribute of a reference says if it has begun: scheduled or active."""
    parent = attribute.parent
    return (
        attribute.key == "status"
        and attribute.mutability == "readOnly"
        and parent is not None
        and parent.sub("validFrom") is not None
    )


def matching_targets(
    attribute: Attribute, condition: Condition, context: "FilterContext", source_id: str
) -> sa.Select[Any]:
    """Return the query for the targets of one source's references that satisfy a condition."""
    return _rows_of_source(attribute, condition, context, sa.literal(source_id))


def _rows_of_source(
    attribute: Attribute, condition: Condition | None, context: "FilterContext", source: Expression
) -> sa.Select[Any]:
    rows = reference.alias()
    query = sa.select(rows.c.target_id).where(
        rows.c.tenant_id == context.tenant_id,
        rows.c.source_id == source,
        rows.c.attribute == attribute.storage_key,
        is_visible(rows, context.now),
    )
    if condition is None:
        return query
    target = resource.alias()
    if _uses_target(condition):
        live = sa.and_(
            target.c.tenant_id == rows.c.tenant_id,
            target.c.id == rows.c.target_id,
            target.c.deleted.is_(None),
        )
        query = query.select_from(rows.outerjoin(target, live))
    accessor = _Accessor(context, rows.c.target_id, target, rows, None)
    return query.where(accessor.test(condition))


def _uses_target(condition: Condition) -> bool:
    if isinstance(condition, AllOf | AnyOf):
        return any(_uses_target(operand) for operand in condition.operands)
    if isinstance(condition, Negation):
        return _uses_target(condition.operand)
    return isinstance(condition, Predicate | Presence) and condition.attribute.key in _OF_TARGET


def _inverse_test(condition: Condition | None, context: "FilterContext") -> Test:
    """Test the groups a resource is in, directly or through nested groups.

    The closure runs from the groups down to their members, once a query and not once a row.
    """
    if condition is None:
        rows = reference.alias()
        query = sa.select(rows.c.target_id).where(
            rows.c.tenant_id == context.tenant_id,
            rows.c.attribute == _MEMBERS,
            is_visible(rows, context.now),
        )
        return resource.c.id.in_(query)
    closure = _closure(context, _named_groups(condition), direct=_only_direct(condition))
    group = resource.alias()
    nearest = (
        sa.select(closure.c.member, closure.c.group, sa.func.min(closure.c.depth).label("depth"))
        .group_by(closure.c.member, closure.c.group)
        .subquery()
    )
    live = sa.and_(
        group.c.tenant_id == context.tenant_id, group.c.id == nearest.c.group, group.c.deleted.is_(None)
    )
    kind = sa.case((nearest.c.depth == 1, "direct"), else_="indirect")
    accessor = _Accessor(context, nearest.c.group, group, None, kind)
    query = sa.select(nearest.c.member).select_from(nearest.join(group, live)).where(accessor.test(condition))
    return resource.c.id.in_(query)


def _named_groups(condition: Condition) -> list[str] | None:
    """Return the ids where the condition names its groups, so that the closure can start there."""
    if isinstance(condition, Predicate) and condition.attribute.key == "value" and condition.operator == "eq":
        return [condition.value]
    if isinstance(condition, AllOf):
        return next((found for operand in condition.operands if (found := _named_groups(operand))), None)
    if isinstance(condition, AnyOf):
        named = [_named_groups(operand) for operand in condition.operands]
        if all(named):
            return [group for groups in named for group in groups or ()]
    return None


def _only_direct(condition: Condition) -> bool:
    """Tell whether the condition wants direct memberships alone, which need no closure."""
    if isinstance(condition, AllOf):
        return any(_only_direct(operand) for operand in condition.operands)
    return isinstance(condition, Predicate) and (
        (condition.attribute.key, condition.operator, condition.value) == ("type", "eq", "direct")
    )


def with_groups_together(condition: Condition) -> Condition:
    """Return the condition with alternatives about `groups` as one, so that they share one closure.

    Some group is A or some group is B is the same as some group is A or B.
    """
    if isinstance(condition, AllOf):
        return AllOf(tuple(with_groups_together(operand) for operand in condition.operands))
    if isinstance(condition, Negation):
        return Negation(with_groups_together(condition.operand))
    if not isinstance(condition, AnyOf):
        return condition
    inverse: dict[Attribute, list[Condition]] = {}
    others: list[Condition] = []
    for operand in condition.operands:
        if isinstance(operand, Predicate) and (
            operand.attribute.container.reference_kind is ReferenceKind.INVERSE
        ):
            inverse.setdefault(operand.attribute.container, []).append(operand)
        else:
            others.append(with_groups_together(operand))
    together = [Element(attribute, AnyOf(tuple(found))) for attribute, found in inverse.items()]
    return AnyOf((*together, *others))


def _closure(context: "FilterContext", group_ids: list[str] | None, *, direct: bool) -> sa.CTE:
    first = reference.alias()
    start = sa.select(
        first.c.target_id.label("member"), first.c.source_id.label("group"), sa.literal(1).label("depth")
    ).where(
        first.c.tenant_id == context.tenant_id,
        first.c.attribute == _MEMBERS,
        is_visible(first, context.now),
    )
    if group_ids is not None:
        start = start.where(first.c.source_id.in_(group_ids))
    if direct:
        return start.cte()
    closure = start.cte(recursive=True)
    further = reference.alias()
    step = sa.select(further.c.target_id, closure.c.group, sa.literal(2)).where(
        further.c.tenant_id == context.tenant_id,
        further.c.attribute == _MEMBERS,
        further.c.source_id == closure.c.member,
        is_visible(further, context.now),
    )
    return closure.union(step)


class _Accessor:
    """Tests sub-attributes of one reference: the target's id, facts of the target, what the source says.

    `rows` are the rows of the references, None for groups, whose `kind` is direct or indirect.
    """

    def __init__(
        self,
        context: "FilterContext",
        target_id: Expression,
        target: _Rows,
        rows: _Rows | None,
        kind: Expression | None,
    ) -> None:
        self.context = context
        self.json: JsonDialect = context.json
        self.target_id = target_id
        self.target = target
        self.rows = rows
        self.kind = kind

    def test(self, condition: Condition) -> Test:
        return combined(condition, self._test)

    def _test(self, leaf: Leaf) -> Test:
        own = None if isinstance(leaf, Element) else self._own(leaf.attribute)
        if own is None or isinstance(leaf, Element):
            return sa.false()
        if isinstance(leaf, Presence):
            return own.is_not(None)
        return compare(self.json, own, leaf.operator, leaf.value)

    def _own(self, attribute: Attribute) -> Expression | None:
        if attribute.key == "value":
            return self.target_id
        if attribute.key == "type" and self.kind is not None:
            return self.kind
        if attribute.key == "$ref":
            return self._by_type(lambda name: sa.literal(self.context.locations[name]) + self.target_id)
        if attribute.key in _DISPLAY:
            return self._display(attribute)
        if self.rows is None:
            return None
        if is_status(attribute):
            return sa.case((self.rows.c.valid_from > self.context.now, "scheduled"), else_="active")
        return self._said(self.rows, attribute)

    def _display(self, attribute: Attribute) -> Expression:
        *names, value = (self._of_target(name, attribute) for name in _NAMES)
        # The value of a Role keeps its case in the folded copy, since it is an identifier.
        return sa.func.coalesce(*names, sa.func.lower(value))

    def _said(self, rows: _Rows, attribute: Attribute) -> Expression:
        """Return what the source says, else what the target has of that name; for members their type."""
        said = self.json.scalar(rows.c.folded, [attribute.key], attribute)
        if attribute.key not in _OF_TARGET:
            return said
        if attribute.container.reference_kind is ReferenceKind.MEMBERSHIP:
            return self._by_type(lambda name: sa.literal(name.lower()))
        return sa.func.coalesce(said, self._of_target(attribute.key, attribute))

    def _of_target(self, key: str, attribute: Attribute) -> Expression:
        return self.json.scalar(self.target.c.folded, [key], attribute)

    def _by_type(self, value: Callable[[str], Expression]) -> Expression:
        """Return a value that depends on the type of the target."""
        types = self.context.registry.resource_types.values()
        return sa.case(*((self.target.c.type == kind.name, value(kind.name)) for kind in types))
