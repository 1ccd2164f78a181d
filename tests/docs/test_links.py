"""Links between the documents lead somewhere, and every document can be reached from the README."""

import pytest

from tests.docs.documents import ROOT, Document, document, documents

PATHS = [found.path for found in documents()]


def targets(source: Document) -> list[tuple[str, str]]:
    """Return path in the project and anchor of every link of a document to another place in it."""
    found = []
    for link in source.links:
        if "://" not in link:
            path, _, anchor = link.partition("#")
            file = (ROOT / source.path).parent / path if path else ROOT / source.path
            found.append((file.resolve().relative_to(ROOT).as_posix(), anchor))
    return found


@pytest.mark.parametrize("path", PATHS)
def test_every_link_resolves(path: str) -> None:
    broken = [
        (target, anchor)
        for target, anchor in targets(document(path))
        if not (ROOT / target).exists() or (anchor and anchor not in document(target).anchors)
    ]
    assert broken == []


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, pending = set[str](), ["README.md"]
    while pending:
        path = pending.pop()
        if path in reached:
            continue
        reached.add(path)
        folder = ROOT / path
        if folder.is_dir():
            pending.append(f"{path}/README.md")
        else:
            pending += [
                target for target, _ in targets(document(path)) if target.endswith(("md", "decisions"))
            ]
    assert set(PATHS) - reached == set()


@pytest.mark.parametrize("path", PATHS)
def test_a_document_begins_with_its_title(path: str) -> None:
    assert document(path).text.startswith("# ")


@pytest.mark.parametrize("path", [path for path in PATHS if "/decisions/0" in path])
def test_a_decision_says_what_and_why_on_one_page(path: str) -> None:
    text = document(path).text
    assert "**Decision.**" in text
    assert "**Why.**" in text
    assert len(text.splitlines()) <= 60
