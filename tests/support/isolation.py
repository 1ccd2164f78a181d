"""Statements that could reach the rows of another tenant, found in their text.

For each table of tenants that a SELECT, UPDATE, DELETE or INSERT names, the same part of the statement has
to tie its `tenant_id` by equality, joined by AND, to a parameter, or to the tenant of something beside or
around it.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""\s+ | (?P<text>'(?:[^']|'')*') | "(?P<quoted>[^"]+)" | (?P<word>[A-Za-z_][\w$]*)
    | (?P<given>\$\d+|\?|:\w+|%\(\w+\)s|\d+(?:\.\d+)?) | (?P<cast>::\s*[\w ]*?(?=[\s,()=;]|$))
    | (?P<mark><=|>=|<>|!=|.)""",
    re.VERBOSE | re.DOTALL,
)
_SET_OPERATIONS = frozenset({"UNION", "INTERSECT", "EXCEPT"})
_BEFORE_TABLES = frozenset({"FROM", "JOIN", "UPDATE", "INTO", "USING"})
_AFTER_TABLES = frozenset(
    [
        "WHERE",
        "ON",
        "SET",
        "VALUES",
        "GROUP",
        "ORDER",
        "LIMIT",
        "RETURNING",
        "JOIN",
        "LEFT",
        "INNER",
        "CROSS",
        "OUTER",
        "FULL",
        "RIGHT",
        "SELECT",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "HAVING",
        "FOR",
        "OFFSET",
        "USING",
        "DEFAULT",
        "AND",
        "OR",
        "NOT",
        "DO",
    ]
)
_CONDITIONS = frozenset({"WHERE", "ON"})
_END_OF_CONDITION = frozenset(
    [
        "GROUP",
        "ORDER",
        "LIMIT",
        "RETURNING",
        "HAVING",
        "FOR",
        "OFFSET",
        "JOIN",
        "LEFT",
        "INNER",
        "CROSS",
        "SET",
        "UNION",
        "INTERSECT",
        "EXCEPT",
    ]
)
_TENANT = "tenant"

Token = str


@dataclass
class Group:
    """What stands in parentheses, or the whole statement."""

    nodes: "list[Token | Group]" = field(default_factory=list)


@dataclass(frozen=True)
class _Source:
    table: str
    alias: str


def parsed(text: str) -> Group:
    """Return the tokens of a statement, nested as its parentheses are; casts are left out."""
    stack = [Group()]
    for match in _TOKEN.finditer(text):
        if match["mark"] == "(":
            stack.append(Group())
            stack[-2].nodes.append(stack[-1])
        elif match["mark"] == ")":
            stack.pop()
        elif match["quoted"]:
            stack[-1].nodes.append(match["quoted"])
        elif match["given"] or match["text"]:
            stack[-1].nodes.append("?")
        elif match["word"] or match["mark"]:
            stack[-1].nodes.append(match["word"] or match["mark"])
    return stack[0]


def _selects(group: Group) -> Iterator[list[Token | Group]]:
    """Give the parts of a group that have conditions of their own: those of UNION, and of WITH its body."""
    part: list[Token | Group] = []
    for node in group.nodes:
        if isinstance(node, str) and node.upper() in _SET_OPERATIONS:
            yield part
            part = []
        else:
            part.append(node)
    yield part


def untied(text: str, tables: Collection[str]) -> list[str]:
    """Return the tables of tenants in a statement of which rows of any tenant could be reached."""
    return list(_untied(parsed(text), frozenset(tables)))


def _untied(group: Group, tables: frozenset[str]) -> Iterator[str]:
    for part in _selects(group):
        sources = list(_sources(part))
        ties = list(_ties(_flat(part), sources))
        beside = {one.alias for one in sources if one.table in tables or one.table == _TENANT}
        verb = next((node.upper() for node in part if isinstance(node, str)), "")
        for source in sources:
            if source.table not in tables:
                continue
            if verb == "INSERT" and source is sources[0]:
                if not _names_tenant(part):
                    yield source.table
            elif not _is_tied(source.alias, ties, beside):
                yield source.table
        for node in part:
            if isinstance(node, Group):
                yield from _untied(node, tables)


def _sources(part: Sequence[Token | Group]) -> Iterator[_Source]:  # noqa: C901 - a small reader of SQL
    """Give the tables of FROM, JOIN, UPDATE, DELETE and INSERT at this level, with their aliases."""
    index = 0
    while index < len(part):
        node = part[index]
        index += 1
        if not isinstance(node, str) or node.upper() not in _BEFORE_TABLES:
            if isinstance(node, str) and node.upper() in {"IS", "DISTINCT"}:
                index += _is_distinct(part, index)
            continue
        if node.upper() == "UPDATE" and index < len(part) and part[index] in {"SET", "OF"}:
            continue
        while index < len(part):
            table = part[index]
            index += 1
            alias = table if isinstance(table, str) else ""
            is_called = index < len(part) and isinstance(part[index], Group) and isinstance(table, str)
            if is_called and node.upper() != "INTO":
                table, index = "", index + 1  # a function
            if index < len(part) and isinstance(part[index], str) and str(part[index]).upper() == "AS":
                alias, index = str(part[index + 1]), index + 2
            elif index < len(part) and isinstance(part[index], str) and _is_name(str(part[index])):
                alias, index = str(part[index]), index + 1
            if isinstance(table, str) and table:
                yield _Source(table, alias)
            elif isinstance(table, Group):
                yield from _sources(table.nodes) if not _is_query(table) else ()
                yield _Source("", alias)
            if index < len(part) and part[index] == ",":
                index += 1
                continue
            break


def _is_distinct(part: Sequence[Token | Group], index: int) -> int:
    """Return how far to go past `DISTINCT FROM`, which names no table."""
    words = [node.upper() if isinstance(node, str) else "" for node in part[index : index + 3]]
    return words.index("FROM") + 1 if "DISTINCT" in words and "FROM" in words else 0


def _is_query(group: Group) -> bool:
    return any(
        isinstance(node, str) and node.upper() in {"SELECT", "VALUES", "WITH"} for node in group.nodes[:1]
    )


def _is_name(word: str) -> bool:
    return re.fullmatch(r"[A-Za-z_]\w*", word) is not None and word.upper() not in _AFTER_TABLES


def _names_tenant(part: Sequence[Token | Group]) -> bool:
    columns = next((node for node in part if isinstance(node, Group)), Group())
    return "tenant_id" in columns.nodes


def _flat(part: Sequence[Token | Group]) -> Iterator[list[Token | Group]]:
    """Give the conditions at this level that all have to hold."""
    condition: list[Token | Group] | None = None
    for node in [*part, "ORDER"]:
        word = node.upper() if isinstance(node, str) else ""
        if word in _CONDITIONS or word in _END_OF_CONDITION:
            if condition:
                yield from _conjuncts(condition)
            condition = [] if word in _CONDITIONS else None
        elif condition is not None:
            condition.append(node)
        elif (
            isinstance(node, Group)
            and not _is_query(node)
            and any(isinstance(each, str) and each.upper() == "JOIN" for each in node.nodes)
        ):
            yield from _flat(node.nodes)


def _conjuncts(condition: Sequence[Token | Group]) -> Iterator[list[Token | Group]]:
    if any(isinstance(node, str) and node.upper() == "OR" for node in condition):
        return
    one: list[Token | Group] = []
    for node in [*condition, "AND"]:
        if isinstance(node, str) and node.upper() == "AND":
            if len(one) == 1 and isinstance(one[0], Group) and not _is_query(one[0]):
                yield from _conjuncts(one[0].nodes)
            elif one:
                yield one
            one = []
        else:
            one.append(node)


def _ties(conditions: Iterator[list[Token | Group]], sources: Sequence[_Source]) -> Iterator[tuple[str, str]]:
    """Give which tenant is equal to which: aliases, or an empty text for a parameter."""
    for condition in conditions:
        if condition.count("=") != 1:
            continue
        at = condition.index("=")
        left, right = (_tenant_of(side, sources) for side in (condition[:at], condition[at + 1 :]))
        if left is not None and right is not None:
            yield left, right


def _tenant_of(side: Sequence[Token | Group], sources: Sequence[_Source]) -> str | None:
    if list(side) == ["?"]:
        return ""
    if len(side) == 1 and isinstance(side[0], Group) and side[0].nodes == ["?"]:
        return ""
    if len(side) == 1 and side[0] == "tenant_id":
        return sources[0].alias if sources else None
    if len(side) == 3 and side[1] == "." and side[2] == "tenant_id":
        return str(side[0])
    tenants = {one.alias for one in sources if one.table == _TENANT} or {_TENANT}
    if len(side) == 3 and side[1:] == [".", "id"] and side[0] in tenants:
        return str(side[0])
    return None


def _is_tied(alias: str, ties: Sequence[tuple[str, str]], beside: Collection[str]) -> bool:
    """Tell whether a chain of equalities leads from an alias to a parameter or to what stands elsewhere."""
    seen, open_ = {alias}, [alias]
    while open_:
        one = open_.pop()
        for pair in ties:
            if one not in pair:
                continue
            other = pair[1] if pair[0] == one else pair[0]
            if other not in beside:
                return True
            if other not in seen:
                seen.add(other)
                open_.append(other)
    return False
