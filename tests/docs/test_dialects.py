"""The table of switches says what the code has."""

from collections.abc import Iterator

import pytest

from scim_server.dialects import DIALECTS, SCHEMA_NAMES, switch_names
from tests.docs.documents import document

ROWS = {cells[0].strip("`"): cells for cells in document("docs/dialects.md").rows("Switches")}
STATES = {"on": True, "off": False}


def columns() -> Iterator[tuple[int, str]]:
    head = next(
        line for line in document("docs/dialects.md").text.splitlines() if line.startswith("| Switch |")
    )
    cells = [cell.strip() for cell in head.strip("|").split("|")]
    return ((number, name) for number, name in enumerate(cells) if name in DIALECTS)


def test_every_switch_has_a_row_and_every_row_a_switch() -> None:
    assert set(ROWS) == switch_names()


def test_every_dialect_has_a_column() -> None:
    assert {name for _, name in columns()} == set(DIALECTS)


@pytest.mark.parametrize("switch", sorted(switch_names()))
def test_a_switch_is_on_where_the_table_says_so(switch: str) -> None:
    documented = {name: STATES[ROWS[switch][number]] for number, name in columns()}
    assert documented == {name: getattr(policy, switch) for name, policy in DIALECTS.items()}


@pytest.mark.parametrize("switch", sorted(switch_names()))
def test_a_switch_is_explained(switch: str) -> None:
    assert len(ROWS[switch][1]) > 20


def test_every_schema_with_another_name_is_in_the_table_of_names() -> None:
    rows = document("docs/dialects.md").rows("Names of schemas")
    assert {cells[0].strip("`"): cells[1].strip("`") for cells in rows} == SCHEMA_NAMES["okta"]
    assert SCHEMA_NAMES.keys() == {"okta"}
