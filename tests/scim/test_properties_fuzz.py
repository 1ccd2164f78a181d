"""Fuzz: whatever arrives, the answer is a result or a ScimError."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scim_server.dialects import DIALECTS, STRICT
from scim_server.scim.documents import decode, encode
from scim_server.scim.errors import ScimError
from scim_server.scim.filters.binding import bind_filter
from scim_server.scim.filters.grammar import parse_filter
from scim_server.scim.messages.bulk import parse_bulk
from scim_server.scim.messages.query import query_from_message, query_from_parameters
from scim_server.scim.normalize import Normalizer, fold_document
from scim_server.scim.patch.apply import apply_patch
from scim_server.scim.patch.operations import parse_patch
from scim_server.scim.paths import parse_path
from scim_server.scim.policy import Policy
from scim_server.scim.preconditions import tag_matches
from scim_server.scim.projection import Projection
from scim_server.scim.registry import ResourceType
from tests.scim.samples import ENTERPRISE, EXTRA_URN, GROUP, PROBE, PROBE_URN, USER, USER_URN
from tests.scim.strategies import JSON_VALUES, TEXT

many = settings(deadline=None, max_examples=80)
POLICIES = st.sampled_from(
    [*DIALECTS.values(), DIALECTS["generic"].switched({"unquoted_filter_values": True})]
)
TYPES = st.sampled_from([USER, GROUP, PROBE])
WORDS = st.sampled_from(
    [
        *[
            "and",
            "or",
            "not",
            "(",
            ")",
            "[",
            "]",
            "pr",
            "eq",
            "co",
            "gt",
            "true",
            "null",
            "userName",
            "emails",
            "type",
            "value",
            "entries",
            ".",
            ".value",
            "count",
            ":",
        ],
        *['"x"', '"', "\\", "5", "-1e9", "1e", EXTRA_URN, "\x00"],
    ]
)
FILTERS = st.lists(WORDS, max_size=12).map(" ".join) | st.lists(WORDS, max_size=12).map("".join) | st.text()
NAMES = st.sampled_from(
    [
        *[
            "title",
            "TEXT",
            "whole",
            "flag",
            "entries",
            "place",
            "texts",
            "owners",
            "members",
            "userName",
            "emails",
            "roles",
            "name",
            "id",
            "meta",
        ],
        *[
            "schemas",
            "made",
            "serial",
            "secret",
            "emails.value",
            "place.city",
            "moment",
            "amount",
            "data",
            "value",
            "type",
            "primary",
        ],
        *["$ref", "displayName", "Value", "password", "active", "groups", "number"],
        *['entries[type eq "red"]', 'entries[type eq "red"].value', 'members[value eq "x"]'],
        *[EXTRA_URN, ENTERPRISE, PROBE_URN, USER_URN, f"{EXTRA_URN}:level", f"{ENTERPRISE}:manager"],
    ]
)
ROLE_TEXTS = st.sampled_from(
    ['{"value": "x"}', '{"value": "\\u0000"}', "{", '{"value": {}}', '{"value": "\\ud800"}']
)
VALUES = st.recursive(
    JSON_VALUES | ROLE_TEXTS | st.sampled_from(["", "true", "2026-01-01T00:00:00Z", [], {}, 10**25, "AA=="]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=6)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "Add", "x"])},
    optional={"path": NAMES | FILTERS, "value": VALUES},
)


def answered(work: Callable[[], Any]) -> Any:
    """Return the result of work, None where it was refused as a SCIM error."""
    with suppress(ScimError):
        return work()
    return None


@many
@given(st.binary(max_size=64) | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    answered(lambda: decode(body))


@many
@given(st.lists(st.sampled_from(['"', "\\", "u0000", "[", "{", "]", "}", ":", ",", "1e9", "-", "null", "a"])))
def test_anything_like_json_is_decoded_or_refused(parts: list[str]) -> None:
    answered(lambda: decode("".join(parts).encode()))


@many
@given(st.from_regex(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,25})?", fullmatch=True))
def test_any_number_is_decoded_or_refused_in_bodies_and_filters(number: str) -> None:
    answered(lambda: decode(number.encode()))
    for path in ("whole", "amount", "text"):
        answered(lambda path=path: bind_filter(parse_filter(f"{path} ge {number}"), PROBE, STRICT))  # type: ignore[misc]


@many
@given(st.from_regex(r"-?[0-9]{1,40}(\.[0-9]{1,14})?([eE][+-]?[0-9]{1,2})?", fullmatch=True))
def test_any_number_that_is_accepted_can_be_stored(number: str) -> None:
    decoded = answered(lambda: decode(number.encode()))
    document = answered(
        lambda: Normalizer(PROBE, DIALECTS["generic"]).resource({"title": "a", "amount": decoded})
    )
    if document is not None:
        encode(document)
        encode(fold_document(document, PROBE))


@many
@given(FILTERS, TYPES, POLICIES)
def test_any_filter_is_bound_or_refused(text: str, resource_type: ResourceType, policy: Policy) -> None:
    expression = answered(lambda: parse_filter(text, policy))
    if expression is not None:
        answered(lambda: bind_filter(expression, resource_type, policy))


@many
@given(FILTERS | NAMES, TYPES, POLICIES)
def test_any_path_is_read_or_refused(text: str, resource_type: ResourceType, policy: Policy) -> None:
    answered(lambda: parse_path(text, resource_type, policy))
    answered(lambda: Projection.of(resource_type, [text], [], policy))


@many
@given(OBJECTS | VALUES, TYPES, POLICIES)
def test_any_body_is_normalized_or_refused(body: Any, resource_type: ResourceType, policy: Policy) -> None:
    document = answered(lambda: Normalizer(resource_type, policy).resource(body))
    if document is not None:
        fold_document(document, resource_type)


@many
@given(st.lists(OPERATIONS | VALUES, max_size=4) | VALUES, TYPES, POLICIES)
def test_any_patch_is_applied_or_refused(
    operations: Any, resource_type: ResourceType, policy: Policy
) -> None:
    before = {
        "userName": "a",
        "displayName": "a",
        "title": "a",
        "serial": "1",
        "entries": [{"value": "x", "type": "red", "primary": True}],
        "emails": [{"value": "x", "type": "work"}],
        "texts": ["a"],
    }
    message = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}
    parsed = answered(lambda: parse_patch(message, policy))
    if parsed is None:
        return
    kept = json.dumps(before)
    result = answered(lambda: apply_patch(before, parsed, resource_type, policy, id="1"))
    assert json.dumps(before) == kept
    if result is not None:
        fold_document(result.document, resource_type)
        for name in ("entries", "emails"):
            assert sum(entry.get("primary") is True for entry in result.document.get(name, [])) <= 1


@many
@given(VALUES, VALUES, POLICIES)
def test_any_message_is_read_or_refused(message: Any, schemas: Any, policy: Policy) -> None:
    for body in (
        message,
        {"schemas": schemas, "Operations": message},
        {"schemas": schemas, "filter": message},
    ):
        answered(lambda body=body: parse_patch(body, policy))  # type: ignore[misc]
        answered(lambda body=body: parse_bulk(body, policy, maximum=3))  # type: ignore[misc]
        answered(lambda body=body: query_from_message(body, policy))  # type: ignore[misc]


@many
@given(
    st.lists(st.tuples(st.sampled_from(["count", "startIndex", "sortOrder", "filter", "attributes"]), TEXT)),
    POLICIES,
)
def test_any_query_string_is_read_or_refused(parameters: list[tuple[str, str]], policy: Policy) -> None:
    answered(lambda: query_from_parameters(parameters, policy))


@many
@given(st.text())
def test_any_entity_tag_is_compared(header: str) -> None:
    assert tag_matches(header, 'W/"3"') in (True, False)
