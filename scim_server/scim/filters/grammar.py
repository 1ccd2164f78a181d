"""The filter grammar of RFC 7644 figure 1, as a recursive descent parser."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from scim_server.scim.documents import is_storable
from scim_server.scim.errors import InvalidFilter
from scim_server.scim.policy import Policy

MAX_LENGTH = 65_536
MAX_DEPTH = 40
MAX_TERMS = 400
MAX_DIGITS = 60
OPERATORS = frozenset({"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"})

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<text>"(?:[^"\\\x00-\x1f]|\\.)*")
  | (?P<number>-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?=[\s()\[\]]|$))
  | (?P<mark>[()\[\]])
  | (?P<suffix>(?<=\])\.[A-Za-z$][\w$-]*)
  | (?P<word>[A-Za-z$](?:[\w$.:+/@%-])*)
  | (?P<bare>[^\s()\[\]"]+)
    """,
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator value`; the path is as the client wrote it."""

    path: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Present:
    """`path pr`."""

    path: str


@dataclass(frozen=True, slots=True)
class Not:
    """`not (operand)`."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Junction:
    """All (`and`) or any (`or`) of the operands."""

    operator: str
    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class ValuePath:
    """`path[filter]`: one value of a multi-valued attribute satisfies the filter."""

    path: str
    filter: "Expression"


Expression = Comparison | Present | Not | Junction | ValuePath


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def parse_filter(text: str, policy: Policy | None = None) -> Expression:
    """Return the expression of a filter; raises InvalidFilter with the position of the fault.

    `and` binds stronger than `or`, `not` needs parentheses; operators and attribute names are
    read in any case. The length is limited before anything is read.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidFilter(f"The filter is longer than {MAX_LENGTH} characters.")
    parser = _Parser(text, policy or Policy())
    expression = parser.disjunction(0)
    parser.expect_end()
    return expression


class _Parser:
    def __init__(self, text: str, policy: Policy) -> None:
        self.text = text
        self.policy = policy
        self.tokens = list(self._tokenize())
        self.index = 0
        self.terms = 0

    def _tokenize(self) -> Iterator[_Token]:
        position = 0
        while position < len(self.text):
            match = _TOKEN.match(self.text, position)
            if match is None or match.lastgroup is None:
                raise InvalidFilter(f"The filter cannot be read from character {position + 1} on.")
            if match.lastgroup != "space":
                yield _Token(match.lastgroup, match.group(), position)
            position = match.end()

    def peek(self) -> _Token | None:
        return self.tokens[self.index] if self.index < len(self.tokens) else None

    def fail(self, expected: str) -> NoReturn:
        token = self.peek()
        if token is None:
            raise InvalidFilter(f"The filter ends where {expected} should stand.")
        found = f"{token.text[:60]!r} at character {token.position + 1}"
        raise InvalidFilter(f"The filter has {found} where {expected} should stand.")

    def expect_end(self) -> None:
        if self.peek() is not None:
            self.fail("'and', 'or' or the end")

    def take_mark(self, mark: str) -> bool:
        token = self.peek()
        if token is not None and token.kind == "mark" and token.text == mark:
            self.index += 1
            return True
        return False

    def take_word(self, word: str) -> bool:
        token = self.peek()
        if token is not None and token.kind == "word" and token.text.lower() == word:
            self.index += 1
            return True
        return False

    def disjunction(self, depth: int) -> Expression:
        return self._junction("or", depth)

    def _junction(self, operator: str, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise InvalidFilter(f"The filter is nested deeper than {MAX_DEPTH} levels.")
        operands = [self._operand(operator, depth)]
        while self.take_word(operator):
            operands.append(self._operand(operator, depth))
        return operands[0] if len(operands) == 1 else Junction(operator, tuple(operands))

    def _operand(self, operator: str, depth: int) -> Expression:
        return self._junction("and", depth) if operator == "or" else self._factor(depth)

    def _factor(self, depth: int) -> Expression:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise InvalidFilter(f"The filter has more than {MAX_TERMS} terms.")
        following = self.tokens[self.index + 1] if self.index + 1 < len(self.tokens) else None
        if following is not None and following.text == "(" and self.take_word("not"):
            return Not(self._group(depth))
        if (token := self.peek()) is not None and token.text == "(" and token.kind == "mark":
            return self._group(depth)
        return self._attribute_expression(depth)

    def _group(self, depth: int) -> Expression:
        self.take_mark("(")
        expression = self.disjunction(depth + 1)
        if not self.take_mark(")"):
            self.fail("')'")
        return expression

    def _attribute_expression(self, depth: int) -> Expression:
        token = self.peek()
        if token is None or token.kind != "word":
            self.fail("an attribute")
        self.index += 1
        if self.take_mark("["):
            inner = self.disjunction(depth + 1)
            if not self.take_mark("]"):
                self.fail("']'")
            return self._value_path(token.text, inner)
        return self._test(token.text)

    def _value_path(self, path: str, inner: Expression) -> Expression:
        """Read what follows `path[...]`; Entra compares behind the bracket."""
        token = self.peek()
        if self.policy.filter_value_path_suffix and token is not None:
            if token.kind == "suffix":
                self.index += 1
                return ValuePath(path, Junction("and", (inner, self._test(token.text[1:]))))
            if token.kind == "word" and token.text.lower() in OPERATORS:
                return ValuePath(path, Junction("and", (inner, self._test("value"))))
        return ValuePath(path, inner)

    def _test(self, path: str) -> Expression:
        token = self.peek()
        if token is None or token.kind != "word":
            self.fail("an operator")
        operator = token.text.lower()
        if operator == "pr":
            self.index += 1
            return Present(path)
        if operator not in OPERATORS:
            self.fail("an operator (eq, ne, co, sw, ew, pr, gt, ge, lt, le)")
        self.index += 1
        return Comparison(path, operator, self._value())

    def _value(self) -> Any:
        token = self.peek()
        if token is None or token.kind == "mark":
            self.fail("a value")
        self.index += 1
        if token.kind == "text":
            return _string(token)
        if token.kind == "number":
            return _number(token)
        constants = {"true": True, "false": False, "null": None}
        if token.text.lower() in constants and token.kind == "word":
            return constants[token.text.lower()]
        if self.policy.unquoted_filter_values and is_storable(token.text):
            return token.text
        self.index -= 1
        return self.fail("a value in double quotes, a number, true, false or null")


def _number(token: _Token) -> int | Decimal:
    try:
        if len(token.text) <= MAX_DIGITS:
            return Decimal(token.text) if set(token.text) & set(".eE") else int(token.text)
    except InvalidOperation:
        pass
    raise InvalidFilter(f"The number at character {token.position + 1} is out of range.")


def _string(token: _Token) -> str:
    try:
        value = json.loads(token.text)
    except ValueError as error:
        raise InvalidFilter(f"The string at character {token.position + 1} has an unknown escape.") from error
    if not isinstance(value, str) or not is_storable(value):
        raise InvalidFilter(
            f"The string at character {token.position + 1} holds a NUL or an unpaired surrogate character."
        )
    return value
