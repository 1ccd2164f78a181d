"""Settings from arguments, the environment and a TOML file."""

import subprocess
import sys
from pathlib import Path

import pytest

from scim_server.settings import Settings, SettingsError, load_settings


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "scim.toml"
    monkeypatch.setenv("SCIM_CONFIG", str(path))
    return path


def refusal(**overrides: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(**overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_file_is_read(config: Path) -> None:
    config.write_text(f'page_size_max = 500\nschema_folders = ["{config.parent}"]\n', encoding="utf-8")
    settings = load_settings()
    assert (settings.page_size_max, settings.schema_folders) == (500, (config.parent,))


def test_the_environment_wins_over_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text("page_size_max = 500\n", encoding="utf-8")
    monkeypatch.setenv("SCIM_PAGE_SIZE_MAX", "600")
    assert load_settings().page_size_max == 600


def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIM_DATABASE_URL", "sqlite:///one.db")
    assert load_settings(database_url="sqlite:///two.db").database_url == "sqlite:///two.db"
    assert load_settings(database_url=None).database_url == "sqlite:///one.db"


def test_a_variable_that_is_empty_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIM_PUBLIC_URL", "")
    assert load_settings().public_url is None


def test_an_unknown_key_of_the_file_is_refused(config: Path) -> None:
    config.write_text('databse_url = "sqlite:///x.db"\n', encoding="utf-8")
    assert "databse_url" in refusal()


def test_a_file_that_is_not_toml_is_refused(config: Path) -> None:
    config.write_text("page_size_max: 5", encoding="utf-8")
    assert str(config) in refusal()


def test_a_file_that_is_not_there_is_refused(config: Path) -> None:
    assert str(config) in refusal()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "mysql://scim:secret-word@host/x"),
        ("public_url", "scim.example.com"),
        ("public_url", "https://scim.example.com?x=1"),
        ("page_size_max", 0),
        ("log_level", "loud"),
        ("schema_folders", "/nowhere/at/all"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name_and_never_repeated_if_secret(
    name: str, value: object
) -> None:
    message = refusal(**{name: value})
    assert message.startswith(f"{name}: ")
    assert "secret-word" not in message


def test_a_default_page_above_the_largest_page_is_refused() -> None:
    assert "page_size_default" in refusal(page_size_default=50, page_size_max=10)


def test_secrets_are_not_shown_by_repr() -> None:
    settings = Settings(
        database_url="postgresql://u:secret-word@h/x", bootstrap_token="secret-word-of-some-length"
    )
    assert "secret-word" not in repr(settings)


def test_folders_in_the_environment_are_separated_as_in_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCIM_SCHEMA_FOLDERS", f"{tmp_path}:{tmp_path.parent}")
    assert load_settings().schema_folders == (tmp_path, tmp_path.parent)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///var/scim.db", Path("var/scim.db")),
        ("sqlite:////var/scim.db", Path("/var/scim.db")),
        ("postgresql://h/x", None),
    ],
)
def test_the_file_of_a_sqlite_store_is_known(url: str, path: Path | None) -> None:
    assert Settings(database_url=url).sqlite_path == path


@pytest.mark.parametrize(
    ("spelling", "url"),
    [
        ("sqlite+aiosqlite:///x.db", "sqlite:///x.db"),
        ("postgres://u@h/x", "postgresql://u@h/x"),
        ("postgresql+asyncpg://u@h/x?host=/run", "postgresql://u@h/x?host=/run"),
    ],
)
def test_a_url_that_names_a_driver_is_the_same_store(spelling: str, url: str) -> None:
    assert Settings(database_url=spelling).database_url == url


def test_nothing_is_read_at_import() -> None:
    code = "import os; os.environ['SCIM_CONFIG'] = '/nowhere'; import scim_server.app, scim_server.cli"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
