"""And, or and not of conditions in SQL; what the leaves mean is the caller's."""

from collections.abc import Callable

import sqlalchemy as sa

from scim_server.scim.filters.binding import (
    AllOf,
    AnyOf,
    Condition,
    Element,
    Negation,
    Never,
    Predicate,
    Presence,
)
from scim_server.store.filters.json import Test

Leaf = Predicate | Presence | Element


def combined(condition: Condition, test: Callable[[Leaf], Test]) -> Test:
    """Return the test of a condition, with `test` for its predicates, presences and elements."""
    if isinstance(condition, AllOf):
        return sa.and_(sa.true(), *(combined(operand, test) for operand in condition.operands))
    if isinstance(condition, AnyOf):
        return sa.or_(sa.false(), *(combined(operand, test) for operand in condition.operands))
    if isinstance(condition, Negation):
        return sa.not_(combined(condition.operand, test))
    return sa.false() if isinstance(condition, Never) else test(condition)
