"""The document of the views names every view and column, in order, and no other."""

import re

from scim_server.store.views import views
from tests.docs.documents import document

SQL = document("docs/sql.md")


def test_the_document_has_a_section_for_every_view_and_no_other() -> None:
    assert re.findall(r"^## (.*)$", SQL.text, re.MULTILINE) == list(views("sqlite"))


def test_the_document_names_every_column_and_no_other() -> None:
    named = {name: [row[0].strip("`") for row in SQL.rows(name)] for name in views("sqlite")}
    assert named == {name: list(view.columns) for name, view in views("sqlite").items()}
    assert named == {name: list(view.columns) for name, view in views("postgresql").items()}


def test_every_column_is_described() -> None:
    assert [row for name in views("sqlite") for row in SQL.rows(name) if not row[1]] == []


def test_the_grant_names_every_view() -> None:
    granted = re.findall(r"GRANT SELECT ON (.*) TO", SQL.text)
    assert granted == [", ".join(views("sqlite"))]
