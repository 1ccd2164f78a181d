"""scim2-filter-parser 0.7.0 beside the server: where the two agree, and where the library is wrong.

The library turns a filter into SQL, which runs here on the same users in a SQLite database of its own.
Each difference is shown by what the library does and settled by the sentence of RFC 7644 §3.4.2.2
beside it; the server is asked the same filter where there is an answer to compare.
"""

import sqlite3
from collections.abc import Iterator

import pytest
from scim2_filter_parser.lexer import SCIMLexer
from scim2_filter_parser.parser import SCIMParser, SCIMParserError
from scim2_filter_parser.queries.sql import SQLiteQuery

from tests.oracles.population import SIZE, population, provision
from tests.protocol.messages import accepted, refused
from tests.support.client import ScimClient

COLUMNS = ("userName", "title", "externalId", "displayName", "active")
ATTRIBUTES: dict[tuple[str, str | None, str | None], str] = {
    **{(name, None, None): f"users.{name}" for name in COLUMNS},
    ("emails", "type", None): "emails.type",
    ("emails", "value", None): "emails.value",
}
JOINS = ("LEFT JOIN emails ON emails.userName = users.userName",)

AGREED = (
    'userName eq "user01"',
    'userName eq "USER01"',
    'userName sw "user0"',
    'userName ew "9"',
    'userName co "er1"',
    'userName gt "user30"',
    'userName le "USER05"',
    "title pr",
    "not (title pr)",
    'not (userName sw "user0")',
    'userName eq "user01" or userName eq "user02"',
    'userName sw "user0" and title pr',
    'userName eq "user01" and title pr or userName eq "user02"',
    '(userName eq "user01" or userName eq "user02") and title pr',
    'emails[type eq "work" and value co "user1"]',
    'emails[type eq "home"].value co "user1"',
    'emails.type eq "other"',
    'title co "guide" AND NOT (displayName pr)',
)

# filter: the sentence of the RFC the library does not follow
MISREAD = {
    'userName eq "USER00" or userName eq "user01" and userName eq "user02"': (
        '"and" [...] takes precedence over "or"'
    ),
    'shoeSize eq "43" or userName eq "user01"': (
        "Providers MUST decline to filter results if the specified filter operation is not recognized"
    ),
    'shoeSize eq "43"': "the same: nothing is left of the filter, so it selects everybody",
    'USERNAME eq "user01"': "Attribute names and attribute operators used in filters are case insensitive",
    'title co "%"': "The entire operator value must be a substring of the attribute value for a match",
    'title eq "GUIDE"': 'case sensitivity SHALL be determined by the attribute\'s "caseExact" characteristic',
    'title ne "guide"': "The attribute and operator values are not identical",
    "title eq null": "built on JSON [...] ABNF rules: null is a value of its own, not text",
    "active eq true": "built on JSON [...] ABNF rules: true is a value of its own, not text",
    'title eq "A\\\\B"': "built on JSON [...] ABNF rules: a backslash is written as two",
    'displayName co "\\u00f6"': "built on JSON [...] ABNF rules: a character may be written by its code",
}


@pytest.fixture(scope="module")
def store() -> Iterator[sqlite3.Connection]:
    store = sqlite3.connect(":memory:")
    store.execute(f"CREATE TABLE users ({', '.join(COLUMNS)})")
    store.execute("CREATE TABLE emails (userName, type, value)")
    for person in population():
        values = [person.get(name, True if name == "active" else None) for name in COLUMNS]
        values[COLUMNS.index("title")] = "Promoted" if person["userName"] == "user07" else person.get("title")
        store.execute("INSERT INTO users VALUES (?, ?, ?, ?, ?)", values)
        for email in person.get("emails", []):
            row = (person["userName"], email.get("type"), email["value"])
            store.execute("INSERT INTO emails VALUES (?, ?, ?)", row)
    yield store
    store.close()


def of_library(store: sqlite3.Connection, text: str) -> set[str]:
    query = SQLiteQuery(text, "users", ATTRIBUTES, JOINS)
    return {row[0] for row in store.execute(query.sql, query.params)}


async def of_server(scim: ScimClient, text: str) -> set[str]:
    body = accepted(await scim.get("/Users", filter=text, count=1000))
    return {user["userName"] for user in body["Resources"]}


def parsed(text: str) -> str:
    return str(SQLiteQuery(text, "users", ATTRIBUTES, JOINS).where_sql)


async def test_where_it_is_right_the_server_agrees(scim: ScimClient, store: sqlite3.Connection) -> None:
    await provision(scim)
    ours = {text: await of_server(scim, text) for text in AGREED}
    assert {text: of_library(store, text) for text in AGREED} == ours


async def test_where_it_is_wrong_the_server_differs(scim: ScimClient, store: sqlite3.Connection) -> None:
    await provision(scim)
    alike = []
    for text in MISREAD:
        if text.startswith("shoeSize"):
            refused(await scim.get("/Users", filter=text), 400, "invalidFilter")
        elif of_library(store, text) == await of_server(scim, text):
            alike.append(text)
    assert alike == []


def test_it_reads_and_and_or_from_left_to_right() -> None:
    assert parsed("title pr or userName pr and externalId pr") == parsed(
        "(title pr or userName pr) and externalId pr"
    )


def test_it_drops_a_clause_it_does_not_know() -> None:
    assert parsed('shoeSize eq "43" and title pr') == parsed("title pr")


def test_it_selects_everybody_when_it_knows_nothing(store: sqlite3.Connection) -> None:
    assert "WHERE" not in SQLiteQuery('shoeSize eq "43"', "users", ATTRIBUTES).sql
    assert len(of_library(store, 'shoeSize eq "43"')) == SIZE


def test_it_reads_numbers_of_one_digit_only() -> None:
    with pytest.raises(SCIMParserError):
        parsed("title eq 12")


@pytest.mark.parametrize("text", ["title eq -1", "title eq 1.5", 'title eq\n"x"'])
def test_it_stops_at_characters_json_allows(text: str) -> None:
    with pytest.raises(ValueError, match="Illegal character"):
        parsed(text)


def test_it_cannot_read_a_quotation_mark_in_text() -> None:
    with pytest.raises(SCIMParserError):
        parsed('title eq "The \\"Boss\\""')


def test_it_keeps_escapes_as_they_are_written() -> None:
    assert SQLiteQuery('title eq "\\u0041"', "users", ATTRIBUTES).params == ["\\u0041"]


def test_it_takes_the_beginning_of_a_name_for_a_literal() -> None:
    with pytest.raises(SCIMParserError):
        parsed('trueName eq "x"')


def test_it_turns_the_text_true_into_a_literal() -> None:
    assert SQLiteQuery('title eq "true"', "users", ATTRIBUTES).params == ["TRUE"]


def test_it_gives_up_beyond_twenty_six_terms() -> None:
    with pytest.raises(IndexError, match="Too many params"):
        parsed(" or ".join(['title eq "x"'] * 27))


def test_one_parser_cannot_read_two_filters_at_a_time() -> None:
    parser = SCIMParser()
    assert parser.parse(SCIMLexer().tokenize('userName eq "outer"')) is not None

    def interrupted() -> Iterator[object]:
        for number, token in enumerate(SCIMLexer().tokenize('userName eq "outer"')):
            if number == 2:
                parser.parse(SCIMLexer().tokenize('title eq "inner"'))
            yield token

    with pytest.raises(SCIMParserError):
        parser.parse(interrupted())
