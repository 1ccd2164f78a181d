"""Properties of values and filters: printing and parsing agree, folding keeps order, normalizing is final."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scim_server.dialects import GENERIC
from scim_server.scim.documents import decode, encode, load
from scim_server.scim.errors import InvalidFilter
from scim_server.scim.filters.binding import Predicate, bind_filter
from scim_server.scim.filters.grammar import Expression, parse_filter
from scim_server.scim.filters.matching import matches
from scim_server.scim.normalize import fold_document
from scim_server.scim.values import fold_date_time, fold_decimal, fold_text
from tests.scim.samples import PROBE, STRICT, USER, bound, known, normalize
from tests.scim.strategies import (
    DECIMALS,
    EXPRESSIONS,
    INTEGERS,
    JSON_VALUES,
    MOMENTS,
    TEXT,
    bodies,
    printed,
)

few = settings(deadline=None, max_examples=60)
WIDE_DECIMALS = st.builds(
    lambda sign, whole, part: Decimal(f"{sign}{whole}.{part:012}"),
    st.sampled_from(["", "-"]),
    st.integers(0, 10**30 - 1),
    st.integers(0, 10**12 - 1),
)


@few
@given(EXPRESSIONS)
def test_a_printed_filter_parses_to_the_same_tree(expression: Expression) -> None:
    assert parse_filter(printed(expression)) == expression


@few
@given(EXPRESSIONS)
def test_a_filter_of_known_attributes_is_bound_or_refused(expression: Expression) -> None:
    for resource_type in (USER, PROBE):
        for policy in (GENERIC, STRICT):
            with suppress(InvalidFilter):
                assert bind_filter(expression, resource_type, policy)


@few
@given(WIDE_DECIMALS, WIDE_DECIMALS)
def test_decimals_fold_in_their_order(one: Decimal, other: Decimal) -> None:
    assert (fold_decimal(one) < fold_decimal(other)) == (one < other)
    assert (fold_decimal(one) == fold_decimal(other)) == (one == other)


@few
@given(DECIMALS)
def test_a_decimal_folds_the_same_however_it_is_written(number: Decimal) -> None:
    assert fold_decimal(number) == fold_decimal(number.normalize()) == fold_decimal(Decimal(f"{number:E}"))


def _moment(text: str) -> tuple[datetime, str]:
    whole, _, rest = text.partition(".")
    zone = rest[9:].upper() or "Z"
    return datetime.fromisoformat(f"{whole}{zone}").astimezone(UTC), rest[:9]


@few
@given(MOMENTS, MOMENTS)
def test_moments_fold_in_their_order(one: str, other: str) -> None:
    assert (fold_date_time(one) < fold_date_time(other)) == (_moment(one) < _moment(other))
    assert fold_date_time(fold_date_time(one)) == fold_date_time(one)


@few
@given(TEXT)
def test_texts_fold_to_one_form_whatever_their_case(text: str) -> None:
    assert fold_text(fold_text(text)) == fold_text(text)
    assert fold_text(text.lower()) == fold_text(text) or text.lower().upper() != text.upper()


@few
@given(bodies())
def test_normalizing_is_final(body: dict[str, Any]) -> None:
    document = normalize(body)
    assert normalize(document) == document


@few
@given(bodies())
def test_a_document_is_stored_and_read_the_same(body: dict[str, Any]) -> None:
    document = normalize(body)
    assert load(encode(document).decode()) == document
    assert load(encode(fold_document(document, PROBE)).decode()) == fold_document(document, PROBE)


@few
@given(JSON_VALUES.filter(lambda value: value is not None))
def test_what_can_be_written_is_read_the_same(value: Any) -> None:
    assert decode(encode(_small(value))) == _small(value)


def _small(value: Any) -> Any:
    """Keep numbers to what both sides of the wire hold."""
    if isinstance(value, dict):
        return {key: _small(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_small(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value % 2**31
    return value if not isinstance(value, Decimal) else str(value)


@few
@given(INTEGERS, INTEGERS, st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"]))
def test_an_element_is_selected_as_its_number_says(own: int, asked: int, operator: str) -> None:
    truth = {
        "eq": own == asked,
        "ne": own != asked,
        "gt": own > asked,
        "ge": own >= asked,
        "lt": own < asked,
        "le": own <= asked,
    }
    condition = bound(f"entries[count {operator} {asked}]")
    inner = getattr(condition, "condition", None)
    assert inner is not None
    assert matches(inner, {"count": own}) is truth[operator]


@few
@given(TEXT, TEXT)
def test_an_element_is_selected_by_its_folded_text(own: str, asked: str) -> None:
    value = known(PROBE, "entries.value")
    for operator, truth in (
        ("eq", fold_text(own) == fold_text(asked)),
        ("co", fold_text(asked) in fold_text(own)),
        ("sw", fold_text(own).startswith(fold_text(asked))),
        ("ew", fold_text(own).endswith(fold_text(asked))),
    ):
        assert matches(Predicate(value, operator, fold_text(asked)), {"value": own}) is truth
