"""The ListResponse message."""

from scim_server.scim.messages.listing import LIST_URN, list_response


def test_a_page_by_index_tells_where_it_begins() -> None:
    assert list_response([{"id": "1"}], total=7, start_index=3) == {
        "schemas": [LIST_URN],
        "totalResults": 7,
        "startIndex": 3,
        "itemsPerPage": 1,
        "Resources": [{"id": "1"}],
    }


def test_an_empty_page_has_an_empty_array() -> None:
    assert list_response([], total=0)["Resources"] == []


def test_a_page_by_cursor_tells_the_next_one_and_no_index() -> None:
    message = list_response([], total=7, start_index=None, next_cursor="n")
    assert message["nextCursor"] == "n"
    assert "startIndex" not in message


def test_the_last_page_by_cursor_has_no_next_one() -> None:
    assert list_response([], total=7, start_index=None).keys() == {
        "schemas",
        "totalResults",
        "itemsPerPage",
        "Resources",
    }
