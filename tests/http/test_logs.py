"""Logs tell what happened and to whom the server spoke, and nothing about the people it keeps."""

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette

from scim_server.http.logging import configure_logging
from scim_server.http.server import Server
from scim_server.store.failures import DatabaseUnavailable
from tests.support.client import ScimClient

Lines = Callable[[], list[dict[str, Any]]]

PERSONAL = ("zelda.personal", "Zelda", "Link-Secret", "zelda%40", "hyrule")


@pytest.fixture
def lines(application: Starlette, monkeypatch: pytest.MonkeyPatch) -> Lines:
    """Give a function that returns what was logged since the last call."""
    assert application.routes  # making the application configures logging too, so it comes first
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure_logging("info")

    def read() -> list[dict[str, Any]]:
        text = written.getvalue()
        written.seek(0)
        written.truncate()
        return [json.loads(line) for line in text.splitlines()]

    return read


async def test_a_request_is_one_line_that_names_route_client_and_status(
    scim: ScimClient, lines: Lines
) -> None:
    lines()
    response = await scim.get("/Users", filter='userName eq "zelda.personal"')
    (line,) = lines()
    assert line.pop("milliseconds") >= 0
    assert line.pop("timestamp")
    assert line == {
        "event": "request",
        "level": "info",
        "request_id": response.headers["x-request-id"],
        "method": "GET",
        "route": "/Users",
        "status": 200,
        "tenant": "default",
        "client": "client-1",
    }


async def test_no_line_holds_personal_data(scim: ScimClient, lines: Lines) -> None:
    user = await scim.create_user(
        "zelda.personal", name={"givenName": "Zelda"}, emails=[{"value": "zelda@hyrule.example"}]
    )
    await scim.post("/Users", {"schemas": [], "userName": "zelda.personal"})
    await scim.get("/Users", filter='emails.value eq "zelda@hyrule.example"', sortBy="zelda.personal")
    await scim.get("/Users/zelda.personal")
    await scim.get("/Nothing/zelda.personal")
    await scim.patch(f"/Users/{user['id']}", {"op": "replace", "path": "Link-Secret", "value": "Zelda"})
    await scim.request("POST", "/Users", content=b'{"userName": "zelda.personal"')
    await scim.request(
        "GET", "/Users?filter=userName+eq+zelda%40hyrule.example", headers={"user-agent": "Zelda"}
    )
    text = json.dumps(lines())
    assert [word for word in PERSONAL if word in text] == []
    assert scim.token is not None
    assert scim.token not in text


async def test_a_defect_is_logged_without_what_its_message_quotes(
    application: Starlette, scim: ScimClient, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    server: Server = application.state.server

    async def fail(*_arguments: Any, **_named: Any) -> None:
        raise RuntimeError("zelda.personal")

    monkeypatch.setattr(server.provisioning, "read", fail)
    lines()
    response = await scim.get("/Users/1")
    assert response.status_code == 500
    failure, request = lines()
    assert (failure["event"], failure["error"], request["status"]) == ("request failed", "RuntimeError", 500)
    assert failure["request_id"] == request["request_id"] == response.headers["x-request-id"]
    assert any("test_logs.py" in frame for frame in failure["stack"])
    assert "zelda" not in json.dumps([failure, request]) + response.text


@pytest.mark.proves("AUD-03")
async def test_a_connection_that_fails_is_logged(
    application: Starlette, scim: ScimClient, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    server: Server = application.state.server

    async def fail(*_arguments: Any, **_named: Any) -> None:
        raise DatabaseUnavailable("postgresql://user:secret@db")

    monkeypatch.setattr(server.provisioning, "read", fail)
    lines()
    response = await scim.get("/Users/1")
    assert response.status_code == 503
    failure, request = lines()
    assert (failure["event"], request["status"]) == ("database unavailable", 503)
    assert failure["request_id"] == request["request_id"] == response.headers["x-request-id"]
    assert "secret" not in json.dumps([failure, request]) + response.text


async def test_a_defect_tells_the_client_the_request_id_and_nothing_else(
    application: Starlette, scim: ScimClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    server: Server = application.state.server

    async def fail(*_arguments: Any, **_named: Any) -> None:
        raise KeyError("internals")

    monkeypatch.setattr(server.search, "search", fail)
    response = await scim.get("/Users")
    body = response.json()
    assert (response.status_code, body["status"]) == (500, "500")
    assert response.headers["x-request-id"] in body["detail"]
    assert "internals" not in response.text
    assert "KeyError" not in response.text


class FullDisk(io.StringIO):
    """A file on a disk without room."""

    def write(self, _text: str) -> int:
        """Fail as such a file does."""
        raise OSError(28, "No space left on device")


async def test_a_log_on_a_full_disk_fails_no_request(
    scim: ScimClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", FullDisk())
        configure_logging("info")
    assert (await scim.get("/Users")).status_code == 200
