"""The protocol document names every endpoint, error keyword, status and limit."""

import re
from collections.abc import Iterator

from starlette.routing import Route

from scim_server.cli import protocol
from scim_server.http.routes import routes
from scim_server.http.server import BASE_PATH
from scim_server.schema_files import load_registry
from scim_server.scim import documents, errors, normalize, paths, values
from scim_server.scim.errors import ScimError
from scim_server.scim.filters import grammar
from scim_server.scim.messages import query
from scim_server.scim.patch import operations
from tests.docs.documents import document

PROTOCOL = document("docs/protocol.md")
NEVER_SENT = {"invalidVers", "sensitive", "invalidCount"}


def served() -> Iterator[tuple[str, frozenset[str]]]:
    for route in routes(load_registry()):
        assert isinstance(route, Route)
        if route.path.startswith(BASE_PATH):
            path = route.path.removeprefix(BASE_PATH).replace("{id:resource}", "{id}")
            yield path or "/", frozenset(route.methods or ()) - {"HEAD"}


def failures() -> list[type[ScimError]]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ScimError)]
    return [kind for kind in kinds if kind is not ScimError]


def test_every_endpoint_is_listed_with_its_methods() -> None:
    documented = {
        cells[0].strip("`"): frozenset(cells[1].split(", ")) for cells in PROTOCOL.rows("Endpoints")
    }
    answered = {path: methods - {"POST"} if path == "/Me" else methods for path, methods in served()}
    assert documented == answered


def test_every_error_keyword_is_named() -> None:
    keywords = {kind.scim_type for kind in failures() if kind.scim_type}
    assert keywords - PROTOCOL.code == set()


def test_every_status_is_in_the_table_of_errors() -> None:
    statuses = set(re.findall(r"^\| (\d{3}) \|", PROTOCOL.text, re.MULTILINE))
    assert {str(kind.status) for kind in failures()} == statuses


def test_the_keywords_that_are_never_sent_are_not_in_the_table_of_errors() -> None:
    listed = set(re.findall(r"^\| \d{3} \| `(\w+)`", PROTOCOL.text, re.MULTILINE))
    assert listed == {kind.scim_type for kind in failures() if kind.scim_type} - NEVER_SENT


def test_the_limits_are_the_ones_of_the_code() -> None:
    section = PROTOCOL.text.partition("## Limits\n")[2].partition("\n## ")[0]
    limits = [
        f"{grammar.MAX_LENGTH:,} characters, {grammar.MAX_TERMS:,} terms",
        f"{grammar.MAX_DEPTH} levels of nesting, numbers of",
        f"numbers of {grammar.MAX_DIGITS} characters",
        f"| PATCH path, `sortBy` | {paths.MAX_LENGTH:,} characters;",
        f"| Operations of a PATCH request | {operations.MAX_OPERATIONS:,}; 413 |",
        f"| Values of one attribute in a request, such as `members` | {normalize.MAX_VALUES:,};",
        f"| Query parameters | {query.MAX_PARAMETERS}; 400",
        f"| Names in `attributes` or `excludedAttributes` | {query.MAX_NAMES:,}; 400",
        f"| Headers | {protocol.MAX_HEADERS} with {protocol.MAX_HEADER_BYTES:,} bytes together; 431 |",
        f"| URL | {protocol.MAX_URL:,} bytes; 414",
        f"| JSON | {documents.MAX_DEPTH} levels of nesting |",
        f"{values.MAX_STRING:,} characters; {values.MAX_UNIQUE} if the attribute is unique",
        f"{normalize.MAX_REFERENCE} characters",
        f"{values.WHOLE_DIGITS} digits before and {values.FRACTION_DIGITS} after the point",
    ]
    assert [limit for limit in limits if limit not in section] == []
