"""The threat model names tests that there are."""

import re

import pytest

from tests.docs.documents import ROOT, document

_TEST = re.compile(r"`(tests/[\w/]+\.py)`")
TEXT = (ROOT / "docs/security.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(set(_TEST.findall(TEXT))))
def test_every_test_that_is_named_is_there_and_has_tests(path: str) -> None:
    assert re.search(r"^(async )?def test_", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_threat_names_a_test() -> None:
    threats = TEXT.partition("## Threats")[2].partition("\n\nNot stopped")[0]
    rows = [line for line in threats.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 15
    assert [row for row in rows if not _TEST.search(row.rpartition(" | ")[2])] == []


def test_the_promises_lead_to_the_threats() -> None:
    assert any(link.startswith("docs/security.md") for link in document("SECURITY.md").links)
