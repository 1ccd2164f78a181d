"""A secret is shown once, to whom it is for: never in logs, errors, audit trail, store or process list."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from scim_server.store.database import Database, Reader
from tests.support.client import MEDIA_TYPE, PATCH_SCHEMA
from tests.support.server import LiveServer

_SERVER = Path(sys.executable).with_name("scim-server")
LIFECYCLE = "urn:ietf:params:scim:schemas:extension:lifecycle:2.0:User"


@dataclass
class Run:
    """A server at its most talkative, everything it was told in confidence, and everything it said."""

    server: LiveServer
    secrets: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None, token: str | None = None) -> httpx2.Response:
        """Send a request and keep its answer."""
        answer = httpx2.request(
            method,
            f"{self.server.base_url}{path}",
            content=None if body is None else json.dumps(body),
            headers={"authorization": f"Bearer {token or self.server.token}", "content-type": MEDIA_TYPE},
            trust_env=False,
        )
        self.said[f"{len(self.said)} {method} {path}"] = f"{answer.headers} {answer.text}"
        return answer

    def command(self, *arguments: str, url: str | None = None) -> str:
        """Run a command of the server and keep what it says."""
        outcome = subprocess.run(
            [_SERVER, *arguments],
            env={"SCIM_DATABASE_URL": url or self.server.database_url, "PATH": "", **self.files},
            capture_output=True,
            text=True,
            check=False,
        )
        self.said[f"{len(self.said)} scim-server {' '.join(arguments)}"] = outcome.stdout + outcome.stderr
        return outcome.stdout

    def forget_last(self) -> None:
        """Take back the last answer, the one in which a secret is shown."""
        del self.said[list(self.said)[-1]]

    def places(self, text: str) -> list[str]:
        """Return where a text was said."""
        return [place for place, said in self.said.items() if text in said]


@pytest.fixture
def confidential_url(database_url: str) -> tuple[str, str]:
    """Return the URL of the store with a password in it, where the database takes one, and the password."""
    password = f"hunter-{secrets.token_hex(8)}"
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return database_url, password
    return url.set(password=password).render_as_string(hide_password=False), password


@pytest.fixture
def run(confidential_url: tuple[str, str], tmp_path: Path) -> Iterator[Run]:
    url, password = confidential_url
    signing, master = tmp_path / "audit.pem", tmp_path / "master.key"
    for path, kind in ((signing, ()), (master, ("--master",))):
        subprocess.run([_SERVER, "audit", "keygen", path, *kind], check=True, capture_output=True)
    files = {"SCIM_AUDIT_KEY_FILE": str(signing), "SCIM_AUDIT_MASTER_KEY_FILE": str(master)}
    server = LiveServer.start(url, tmp_path, environment={"SCIM_LOG_LEVEL": "debug", **files})
    run = Run(server, {"bootstrap token": server.token, "password of the database": password}, files=files)
    run.secrets["key of the audit trail"] = signing.read_text(encoding="ascii").splitlines()[1]
    run.secrets["master key"] = master.read_text(encoding="ascii").strip()
    yield run
    server.stop()


def use_every_secret(run: Run) -> None:
    """Make tokens and passwords of every kind, and let requests with them succeed and fail."""
    made = json.loads(run.command("client", "create", "okta", "--json"))
    run.forget_last()
    run.secrets["token of a client"] = made["token"]
    rotated = json.loads(run.command("client", "rotate", "okta", "--json"))
    run.forget_last()
    run.secrets["token of a rotated client"] = rotated["token"]
    run.secrets["password of a user"] = password = "Pa55-of-ann-%" + secrets.token_hex(4)
    run.secrets["a later password"] = later = "L8ter-of-ann-%" + secrets.token_hex(4)
    run.secrets["a refused password"] = refused = "short" + secrets.token_hex(2)
    person = {"userName": "ann", "password": password, "active": True, "emails": [{"value": "a@example.com"}]}
    user = run.send("POST", "/Users", person, made["token"]).json()["id"]
    for body in ({"password": later}, {"password": later, "nope": 1}, {"password": [refused]}):
        operation = {"op": "replace", "value": body}
        run.send("PATCH", f"/Users/{user}", {"schemas": [PATCH_SCHEMA], "Operations": [operation]})
    run.send("PUT", f"/Users/{user}", {**person, "password": refused})
    run.send("GET", f"/Users?filter=password%20eq%20%22{later}%22")
    run.send("POST", "/Users", person)
    token = {"displayName": "ci", "owner": {"value": user}, "scopes": ["users:read"]}
    run.secrets["API token"] = run.send("POST", "/ApiTokens", token).json()["token"]
    run.forget_last()
    temporary = run.send(
        "POST",
        "/AccountActions",
        {"user": {"value": user}, "action": "setTemporaryPassword", "reason": "other"},
    ).json()
    run.forget_last()
    run.secrets["temporary password"] = temporary["temporaryPassword"]
    exchange(run)
    run.secrets["a token that nobody has"] = wrong = f"scim_{secrets.token_urlsafe(32)}"
    for shown in (*run.secrets.values(), wrong):
        run.send("GET", "/Users", token=shown)
    for path in ("/ApiTokens", "/AccountActions", "/AuditEvents", f"/Users/{user}", "/LoginReports", "/"):
        run.send("GET", f"{path}?count=1000")
    run.send("GET", f"/Users/{user}?attributes=password,{LIFECYCLE}")
    run.command("client", "list", "--tokens", "--json")
    for command in (("audit", "verify", "--all"), ("audit", "status"), ("keys", "list"), ("tenant", "list")):
        run.command(*command, "--json")
    run.command("audit", "export", "--private")


def exchange(run: Run) -> None:
    """Get an access token for the secret of a client, and fail to."""
    made = json.loads(run.command("client", "create", "app", "--oauth", "--json"))
    run.forget_last()
    run.secrets["secret of a client"] = secret = made["client_secret"]
    url = f"{run.server.root_url}/oauth/token"
    form = {"grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": secret}
    granted = httpx2.post(url, data=form, trust_env=False)
    run.secrets["access token"] = granted.json()["access_token"]
    for changed in (
        {"client_id": "x"},
        {"scope": secret},
        {"grant_type": secret},
        {"client_assertion": secret},
    ):
        refused = httpx2.post(url, data=form | changed, trust_env=False)
        run.said[f"{len(run.said)} {changed.keys()}"] = f"{refused.headers} {refused.text}"
    run.send("GET", "/Users", token=run.secrets["access token"])
    run.send("GET", "/Users", token=f"{run.secrets['access token'][:-3]}AAA")


async def everything_in(database: Database) -> str:
    """Return all rows of all tables as text."""

    async def work(reader: Reader) -> str:
        names = "SELECT name FROM sqlite_master WHERE type = 'table'"
        if reader.dialect.name == "postgresql":
            names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        tables = [row[0] for row in await reader.execute(sa.text(names))]
        rows = []
        for table in tables:
            rows += [repr(tuple(row)) for row in await reader.execute(sa.text(f'SELECT * FROM "{table}"'))]
        return "\n".join(rows)

    return await database.read(work)


def process_list() -> str:
    """Return the command lines of every process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return "\n".join(found)


async def test_no_secret_is_said_where_it_is_not_asked_for(run: Run, database: Database) -> None:
    use_every_secret(run)
    run.said["process list"] = process_list()
    run.said["store"] = await everything_in(database)
    run.said["log"] = run.server.log.read_text(encoding="utf-8")
    assert "GET" in run.said["log"]
    assert len(run.secrets) == 14
    assert {name: run.places(value) for name, value in run.secrets.items() if run.places(value)} == {}


async def test_a_store_that_cannot_be_reached_is_not_named_with_its_password(tmp_path: Path) -> None:
    password = f"hunter-{secrets.token_hex(8)}"
    url = f"postgresql://scim:{password}@127.0.0.1:1/scim"
    server = LiveServer("", "", url, None, tmp_path / "none")  # type: ignore[arg-type]
    run = Run(server, {"password of the database": password})
    for arguments in (
        ("db", "check"),
        ("db", "upgrade"),
        ("client", "list"),
        ("worker", "--once"),
        ("serve",),
    ):
        run.command(*arguments)
    assert all(said.strip() for said in run.said.values())
    assert run.places(password) == []
