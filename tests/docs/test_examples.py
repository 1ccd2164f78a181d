"""The examples of the documents do what the documents say, as pasted."""

import pytest

from tests.docs.answers import same
from tests.docs.conftest import Run
from tests.docs.documents import ROOT, document
from tests.docs.shell import ADDRESS, run_examples

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "extensions").glob("*.md"))
DOCUMENTS = ["README.md", "docs/getting-started.md", "docs/custom-schemas.md", "docs/lifecycle.md", *PAGES]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_example_prints_what_the_document_says(path: str, make_run: Run) -> None:
    examples = [example for example in document(path).examples if "make " not in example.commands]
    server = make_run(path)
    printed = run_examples(examples, server.root_url, server.database_url, server.log.parent)
    differing = {
        example.commands: output
        for example, output in zip(examples, printed, strict=True)
        if example.answer is not None and not same(output, example.answer)
    }
    assert differing == {}
    assert any(example.answer for example in examples)


def test_make_run_prints_what_the_readme_says(make_run: Run) -> None:
    (example,) = (each for each in document("README.md").examples if each.commands == "make run\n")
    server = make_run("README.md")
    lines = server.log.read_text(encoding="utf-8").replace(server.root_url, ADDRESS).splitlines()
    started = [line for line in lines if not line.startswith("{")]
    assert example.answer is not None
    assert same("\n".join(started), example.answer)


@pytest.mark.parametrize(
    ("printed", "documented"),
    [
        ('{"a": 1}', '{"a": 2}'),
        ('{"a": 1}', '{"a": 1, "b": "..."}'),
        ('{"b": 1, "a": 1}', '{"a": 1, "b": 1}'),
        ("[1, 2]", "[1]"),
        ("no JSON", '{"a": "..."}'),
        ("204", "200"),
        ("token  x\nmore", "token  ..."),
    ],
)
def test_another_answer_is_noticed(printed: str, documented: str) -> None:
    assert not same(printed, documented)


@pytest.mark.parametrize(
    ("printed", "documented"),
    [
        ('{"id":"7","a":[1]}', '{"id": "...", "a": [1]}'),
        ("204\n", "204"),
        ("token  x", "token  ..."),
        ("before\nand before\nlast", "...\nlast"),
    ],
)
def test_the_same_answer_is_recognised(printed: str, documented: str) -> None:
    assert same(printed, documented)
