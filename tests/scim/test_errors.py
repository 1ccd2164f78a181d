"""Errors: one class for each keyword of RFC 7644 table 9, one body for all."""

import pytest

from scim_server.scim import errors

KEYWORDS = {
    errors.InvalidFilter: (400, "invalidFilter"),
    errors.Uniqueness: (409, "uniqueness"),
    errors.TooMany: (400, "tooMany"),
    errors.Mutability: (400, "mutability"),
    errors.InvalidSyntax: (400, "invalidSyntax"),
    errors.InvalidPath: (400, "invalidPath"),
    errors.NoTarget: (400, "noTarget"),
    errors.InvalidValue: (400, "invalidValue"),
    errors.InvalidCursor: (400, "invalidCursor"),
    errors.ExpiredCursor: (400, "expiredCursor"),
}
STATUSES = {
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.PayloadTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.InternalError: 500,
    errors.NotSupported: 501,
    errors.ServiceUnavailable: 503,
    errors.Unauthorized: 401,
}


@pytest.mark.parametrize("kind", KEYWORDS)
def test_a_keyword_has_the_status_of_the_rfc(kind: type[errors.ScimError]) -> None:
    status, keyword = KEYWORDS[kind]
    assert kind("why").body() == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(status),
        "scimType": keyword,
        "detail": "why",
    }


@pytest.mark.parametrize("kind", STATUSES)
def test_a_status_without_a_keyword_has_none_in_its_body(kind: type[errors.ScimError]) -> None:
    body = kind("why").body()
    assert body["status"] == str(STATUSES[kind])
    assert "scimType" not in body


def test_all_violations_are_one_error() -> None:
    assert errors.InvalidValue.of(["a is required", "b is too long"]).detail == "a is required; b is too long"


def test_a_refused_token_is_challenged() -> None:
    header = errors.Unauthorized("why", error="invalid_token").headers["WWW-Authenticate"]
    assert header == 'Bearer realm="scim", error="invalid_token"'


def test_a_missing_token_is_challenged_without_an_error() -> None:
    assert errors.Unauthorized("why").headers == {"WWW-Authenticate": 'Bearer realm="scim"'}


def test_a_wrong_method_is_told_the_right_ones() -> None:
    error = errors.MethodNotAllowed("TRACE", ["PUT", "GET"])
    assert (error.status, error.headers) == (405, {"Allow": "GET, PUT"})


def test_an_outage_tells_when_to_come_back_in_whole_seconds() -> None:
    assert errors.ServiceUnavailable("why", retry_after=7).headers == {"Retry-After": "7"}


def test_one_errors_headers_are_its_own() -> None:
    errors.NotFound("a").headers["X"] = "y"
    assert errors.NotFound("b").headers == {}
