"""Every requirement is proved or waits with a reason, and the document says which."""

from tests.requirements.papers import (
    DOCUMENT,
    OPEN,
    REASONS,
    document,
    listed,
    proved,
    rows,
    unproved,
    waiting,
)

IDS = [row["id"] for row in rows()]


def test_the_requirements_are_numbered_once_each() -> None:
    assert (len(IDS), len(set(IDS))) == (299, 299)


def test_a_requirement_says_what_where_from_and_of_what_class() -> None:
    members = {"id", "group", "requirement", "class", "source"}
    assert [row["id"] for row in rows() if set(row) != members or not all(row.values())] == []
    assert {number for row in rows() for number in row["class"]} == set(range(1, 8))


def test_tests_and_the_waiting_list_name_no_unknown_requirement() -> None:
    assert (set(proved()) | set(waiting())) - set(IDS) == set()


def test_no_requirement_is_both_proved_and_waiting() -> None:
    assert set(proved()) & set(waiting()) == set()


def test_what_is_neither_proved_nor_waiting_is_listed_as_open() -> None:
    assert OPEN.read_text(encoding="utf-8") == listed(unproved())


def test_what_waits_has_a_known_reason_and_one_sentence() -> None:
    assert {tuple(entry) for entry in waiting().values()} == {("reason", "note")}
    assert {entry["reason"] for entry in waiting().values()} == REASONS
    assert [name for name, entry in waiting().items() if not entry["note"].endswith(".")] == []


def test_the_committed_document_is_the_generated_one() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()
