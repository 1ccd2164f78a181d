"""The documents name what the code has, and nothing it has not."""

import re
from collections.abc import Iterator
from typing import Any

import typer.main

from scim_server.cli import app
from scim_server.settings import CONFIG_VARIABLE, Settings
from tests.house.sources import ROOT
from tests.support.postgres import URL_VARIABLE

SETTINGS = {f"SCIM_{name.upper()}" for name in Settings.model_fields}
CONFIGURATION = ROOT / "docs" / "configuration.md"
COMMANDS = ROOT / "docs" / "commands.md"


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    nested = getattr(command, "commands", {})
    for name, child in nested.items():
        yield from commands(child, f"{path} {name}")
    if not nested:
        yield path, command


ALL_COMMANDS = dict(commands(typer.main.get_command(app), "scim-server"))


def section(text: str, heading: str) -> str:
    """Return what stands below a heading of commands.md, up to the next one."""
    return text.partition(f"## `{heading}")[2].partition("\n## ")[0]


def test_every_setting_is_named_in_the_configuration_document() -> None:
    text = CONFIGURATION.read_text(encoding="utf-8")
    assert {name for name in SETTINGS if f"`{name}`" not in text} == set()


def test_the_configuration_document_names_no_setting_that_does_not_exist() -> None:
    named = set(re.findall(r"\bSCIM_[A-Z_]+", CONFIGURATION.read_text(encoding="utf-8")))
    assert named - SETTINGS == {CONFIG_VARIABLE, URL_VARIABLE}


def test_the_configuration_document_states_every_default() -> None:
    text = CONFIGURATION.read_text(encoding="utf-8")
    stated = [
        f"| `SCIM_{name.upper()}` | `{field.default}` |"
        for name, field in Settings.model_fields.items()
        if field.default not in (None, ())
    ]
    assert [row for row in stated if row not in text] == []


def test_every_command_has_a_section_in_the_commands_document() -> None:
    text = COMMANDS.read_text(encoding="utf-8")
    assert [path for path in ALL_COMMANDS if not section(text, path)] == []


def test_every_option_of_a_command_is_named_in_its_section() -> None:
    text = COMMANDS.read_text(encoding="utf-8")
    missing = [
        f"{path} {option}"
        for path, command in ALL_COMMANDS.items()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option != "--help" and option not in section(text, path)
    ]
    assert missing == []


def test_every_command_and_setting_says_what_it_does() -> None:
    assert [path for path, command in ALL_COMMANDS.items() if "Example: " not in (command.help or "")] == []
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
