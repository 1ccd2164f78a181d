"""The reader of marks finds every way in which a test can name requirements."""

import pytest

from tests.house.sources import source
from tests.requirements.proofs import Proof, proofs

PATH = "tests/test_it.py"


def found(text: str) -> list[tuple[str, str]]:
    return [(proof.id, proof.test) for proof in proofs([source(PATH, text)])]


def test_a_mark_on_a_function_counts_for_it() -> None:
    text = "@pytest.mark.proves('A-1', 'A-2')\ndef test_one(): ...\ndef test_two(): ..."
    assert proofs([source(PATH, text)]) == [Proof("A-1", PATH, "test_one"), Proof("A-2", PATH, "test_one")]


def test_a_mark_on_an_async_function_counts() -> None:
    assert found("@pytest.mark.proves('A-1')\nasync def test_one(): ...") == [("A-1", "test_one")]


def test_the_mark_of_a_module_counts_for_every_test() -> None:
    text = (
        "pytestmark = pytest.mark.proves('A-1')\ndef test_one(): ...\ndef helper(): ...\ndef test_two(): ..."
    )
    assert found(text) == [("A-1", "test_one"), ("A-1", "test_two")]


def test_a_list_of_marks_and_an_annotation_are_read() -> None:
    text = "pytestmark: list[object] = [pytest.mark.other, pytest.mark.proves('A-1')]\ndef test_one(): ..."
    assert found(text) == [("A-1", "test_one")]


@pytest.mark.parametrize(
    "text",
    [
        "@pytest.mark.proves('A-1')\nclass TestIt:\n    def test_one(self): ...",
        "class TestIt:\n    pytestmark = pytest.mark.proves('A-1')\n    def test_one(self): ...",
        "class TestIt:\n    @pytest.mark.proves('A-1')\n    def test_one(self): ...",
    ],
)
def test_marks_of_a_class_and_inside_it_count_for_its_tests(text: str) -> None:
    assert found(f"{text}\ndef test_other(): ...") == [("A-1", "TestIt::test_one")]


def test_a_mark_on_one_case_counts_for_its_test() -> None:
    case = "pytest.param(1, marks=pytest.mark.proves('A-1'))"
    assert found(f"@pytest.mark.parametrize('x', [{case}])\ndef test_one(x): ...") == [("A-1", "test_one")]


def test_a_mark_in_a_table_of_the_module_counts_for_the_test_that_runs_over_it() -> None:
    text = """
CASES = [pytest.param(1, marks=[pytest.mark.proves("A-1")])]
@pytest.mark.parametrize("x", CASES)
def test_one(x): ...
def test_two(): ...
"""
    assert found(text) == [("A-1", "test_one")]


def test_an_id_that_is_not_written_out_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tests/test_it.py:1: a requirement is named by its id, as text"):
        found("@pytest.mark.proves(NAME)\ndef test_one(): ...")
