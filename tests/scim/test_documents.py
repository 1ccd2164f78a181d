"""JSON in and out: what RFC 8259 and the stores allow, nothing else."""

import json
from decimal import Decimal

import pytest

from scim_server.scim.documents import MAX_DEPTH, decode, encode, is_storable, load
from scim_server.scim.errors import InvalidSyntax, InvalidValue, ScimError


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_a_byte_order_mark_is_passed_over() -> None:
    assert decode(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("body", [b"\xff\xfe", b'"\xc3"', b'{"a": "\xed\xa0\x80"}'])
def test_what_is_not_utf_8_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidSyntax, match="not UTF-8"):
        decode(body)


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b'{"a": }', b"{'a': 1}", b'{"a": 1,}', b"[1 2]", b'{"a": 1} x', b"nul", b'"\\x"'],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidSyntax, match="not valid JSON"):
        decode(body)


@pytest.mark.parametrize("body", [b"NaN", b"[Infinity]", b'{"a": -Infinity}'])
def test_numbers_that_json_does_not_have_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidSyntax, match="not a JSON number"):
        decode(body)


def test_a_key_that_stands_twice_is_refused_and_named() -> None:
    with pytest.raises(InvalidSyntax, match="'value' stands twice"):
        decode(b'{"emails": [{"value": 1, "value": 1}]}')


def test_keys_that_differ_in_case_are_two_keys() -> None:
    assert decode(b'{"a": 1, "A": 2}') == {"a": 1, "A": 2}


def test_nesting_up_to_the_limit_is_read() -> None:
    assert json.dumps(decode(nested(MAX_DEPTH))).encode() == nested(MAX_DEPTH)


@pytest.mark.parametrize("body", [nested(MAX_DEPTH + 1), b"[" * 200_000, b'{"a":' * 100_000])
def test_nesting_beyond_the_limit_is_refused_before_it_is_parsed(body: bytes) -> None:
    with pytest.raises(InvalidSyntax, match="nested deeper"):
        decode(body)


@pytest.mark.parametrize("text", ["[" * 500, '\\"' + "[" * 500, "\\\\", "[{" * 300 + '\\"'])
def test_brackets_inside_strings_are_no_nesting(text: str) -> None:
    assert decode(f'{{"a": "{text}", "b": []}}'.encode())["b"] == []


def test_many_brackets_side_by_side_are_no_nesting() -> None:
    assert decode(b"[" + b",".join([b'{"a": []}'] * 500) + b"]") == [{"a": []}] * 500


def test_numbers_keep_their_digits() -> None:
    assert decode(b"[0.10, 1E+2, 12345678901234567890]") == [
        Decimal("0.10"),
        Decimal("1E+2"),
        12345678901234567890,
    ]


def test_an_integer_of_thousands_of_digits_is_refused() -> None:
    with pytest.raises(InvalidSyntax, match="a number is too long"):
        decode(b"9" * 5_000)


@pytest.mark.parametrize("body", [b"1e1000000000000000000", b'{"a": -1.5E-99999999999999999999}'])
def test_an_exponent_beyond_every_number_is_refused(body: bytes) -> None:
    with pytest.raises(ScimError):
        decode(body)


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\uDFFF", "x\\uDC00\\uD800"])
@pytest.mark.parametrize("form", ['{"a": ["%s"]}', '{"a": {"%s": 1}}', '["%s"]', '"%s"'])
def test_strings_that_no_store_can_hold_are_refused_wherever_they_stand(form: str, escape: str) -> None:
    with pytest.raises(InvalidValue, match="holds a NUL or an unpaired surrogate"):
        decode((form % escape).encode())


def test_the_place_of_a_string_that_cannot_be_stored_is_named() -> None:
    with pytest.raises(InvalidValue, match=r"^emails\[1\]\.value holds"):
        decode(b'{"emails": [{"value": "x"}, {"value": "\\u0000"}]}')


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert decode(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_an_escaped_backslash_before_u0000_is_plain_text() -> None:
    assert decode(b'"\\\\u0000"') == "\\u0000"


@pytest.mark.parametrize("text", ["", "a", "\x01", "\x7f", "é", "\U0001f600", "\ufffd"])
def test_other_strings_can_be_stored(text: str) -> None:
    assert is_storable(text)


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "x\udfff"])
def test_nul_and_lone_surrogates_cannot_be_stored(text: str) -> None:
    assert not is_storable(text)


@pytest.mark.parametrize("digits", ["0.10", "1E+5", "-12.500", "123456789012345678.123456789012"])
def test_a_decimal_comes_back_with_its_own_digits(digits: str) -> None:
    assert str(load(encode({"a": Decimal(digits)}).decode())["a"]) == digits


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 10**29])
def test_an_integer_comes_back_exactly(number: int) -> None:
    assert load(encode({"a": number}).decode()) == {"a": number}


def test_a_value_without_json_form_is_a_defect_and_not_written() -> None:
    with pytest.raises(TypeError):
        encode({"a": {1, 2}})
