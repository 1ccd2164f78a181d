"""The tables of the documents say what the code says."""

from pathlib import Path

import pytest

from scim_server.lifecycle.extension import discover
from tests.docs.documents import ROOT
from tests.docs.tables import documents, rewritten

EXTENSIONS = [extension.name for extension in discover()]


@pytest.mark.parametrize("file", documents(), ids=lambda file: file.name)
def test_the_tables_of_a_document_are_those_of_the_code(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert rewritten(text) == text


@pytest.mark.parametrize("name", EXTENSIONS)
def test_every_extension_has_a_page_with_its_attributes_and_rules(name: str) -> None:
    text = (ROOT / "docs" / "extensions" / f"{name}.md").read_text(encoding="utf-8")
    assert f"<!-- table: rules {name} -->" in text
    assert "<!-- table: attributes " in text
    assert "```sh run" in text
