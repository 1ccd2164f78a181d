"""What Hypothesis draws: filters made from the attribute table, documents, JSON of every kind."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from scim_server.scim.attributes import Attribute
from scim_server.scim.filters.grammar import Comparison, Expression, Junction, Not, Present, ValuePath
from tests.scim.samples import PROBE, USER

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
DECIMALS = st.decimals(-(10**15), 10**15, allow_nan=False, allow_infinity=False, places=12)
MOMENTS = st.builds(
    "{}T{}.{}{}".format,
    st.dates().map(str).filter(lambda day: "0002" < day < "9999"),
    st.times().map(lambda time: time.isoformat("seconds")),
    st.integers(1, 10**9 - 1).map(lambda number: f"{number:09}"),
    st.sampled_from(["Z", "z", "+00:00", "-14:00", "+05:30", ""]),
)
BINARIES = (
    st.binary(max_size=9).map(lambda data: json.dumps(data.hex())[1:-1]).filter(lambda t: len(t) % 4 == 0)
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT,
    "reference": TEXT,
    "boolean": st.booleans(),
    "integer": INTEGERS,
    "decimal": DECIMALS,
    "dateTime": MOMENTS,
    "binary": BINARIES,
}
OPERATORS = ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le")
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
_TABLE = [*PROBE.paths.items(), *USER.paths.items()]
_PATHS = sorted({path for path, attribute in _TABLE if attribute.type != "complex"})
_COMPLEX = sorted({path for path, a in _TABLE if a.type == "complex" and a.multi_valued})
_PARTS = sorted({sub for _, attribute in _TABLE for sub in attribute.sub_attributes})
_CASES = st.sampled_from([str.lower, str.upper, str.title])


def comparisons(paths: list[str]) -> st.SearchStrategy[Expression]:
    """Draw tests of one attribute."""
    spelled = st.builds(lambda path, case: case(path), st.sampled_from(paths), _CASES)
    values = st.one_of(TEXT, st.booleans(), st.none(), st.integers(-(10**20), 10**20), DECIMALS)
    return st.builds(Comparison, spelled, st.sampled_from(OPERATORS), values) | st.builds(Present, spelled)


def _composed(leaves: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.builds(Not, inner)
            | st.builds(
                Junction, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3).map(tuple)
            )
        ),
        max_leaves=6,
    )


EXPRESSIONS: st.SearchStrategy[Expression] = _composed(
    comparisons(_PATHS) | st.builds(ValuePath, st.sampled_from(_COMPLEX), _composed(comparisons(_PARTS)))
)


def printed(expression: Expression, *, inside: str | None = None) -> str:
    """Return the filter of an expression; `inside` is the junction it stands in."""
    if isinstance(expression, Present):
        return f"{expression.path} pr"
    if isinstance(expression, Comparison):
        return f"{expression.path} {expression.operator} {_literal(expression.value)}"
    if isinstance(expression, ValuePath):
        return f"{expression.path}[{printed(expression.filter)}]"
    if isinstance(expression, Not):
        return f"not ({printed(expression.operand)})"
    text = f" {expression.operator} ".join(
        printed(operand, inside=expression.operator) for operand in expression.operands
    )
    return f"({text})" if inside is not None else text


def _literal(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(value)


def value_of(attribute: Attribute) -> st.SearchStrategy[Any]:
    """Draw a value that fits an attribute."""
    if attribute.type == "complex":
        parts = {sub.name: value_of(sub) for sub in attribute.sub_attributes.values() if sub.key != "primary"}
        one: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional=parts)
    else:
        one = VALUES[attribute.type]
        if attribute.canonical_values:
            one = st.sampled_from(sorted(attribute.canonical_values))
    return st.lists(one, max_size=3) if attribute.multi_valued else one


def bodies() -> st.SearchStrategy[dict[str, Any]]:
    """Draw bodies of the sample type that can be accepted."""
    names = {
        attribute.name: value_of(attribute)
        for attribute in PROBE.schema.attributes.values()
        if attribute.name not in {"title", "code", "owners"}
    }
    title = TEXT.filter(bool)
    return st.fixed_dictionaries({"title": title}, optional=names)
