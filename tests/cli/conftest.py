"""The command line, run in this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from scim_server import cli


@dataclass(frozen=True)
class Outcome:
    """What a command did: its exit code and what it printed."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return what a command that succeeded printed as JSON."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    def complaint(self) -> str:
        """Return the one line a command that failed wrote to stderr."""
        assert self.code == 1, self.out
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs a command; the URL of a store with a password goes into the environment."""

    def run(*arguments: str) -> Outcome:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            if "--database-url" in arguments[:-1]:
                where = arguments.index("--database-url")
                if make_url(arguments[where + 1]).password:
                    patch.setenv("SCIM_DATABASE_URL", arguments[where + 1])
                    arguments = arguments[:where] + arguments[where + 2 :]
            code = cli.run(arguments)
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def run_on(run: Run, database_url: str) -> Run:
    """Give a function that runs a command on the store of the test."""
    return lambda *arguments: run(*arguments, "--database-url", database_url)
