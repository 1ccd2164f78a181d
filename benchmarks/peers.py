"""Other servers, each in an environment of its own with what it asks for, filled over HTTP."""

import asyncio
import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks.loader import body_of, drive, request
from benchmarks.measure import Target
from benchmarks.operations import GROUP, World
from benchmarks.people import user
from benchmarks.processes import Process

LARGEST = 1_000
"""Users of the largest store at which they are measured: beyond it answers of theirs take seconds."""
PACKAGES = ("scim2-server==0.8.3", "uvicorn", "httptools", "uvloop")
COMPARED = frozenset(
    {
        "GET user",
        "filter userName",
        "filter work e-mail",
        "filter title, page of 100",
        "list, first page of 100",
        "POST user",
        "PATCH active (Okta)",
        "PUT user",
        "add a member of 1,000",
        "remove a member of 1,000",
        "GET group of 1,000 without members",
    }
)


async def started(stack: ExitStack, folder: Path, users: int) -> dict[str, Target]:
    """Install, start and fill the peers for a small store; none for a large one."""
    if users > LARGEST:
        return {}
    python = folder / "peer" / "bin" / "python"
    if not python.exists():
        for command in (
            [sys.executable, "-m", "venv", str(folder / "peer")],
            [str(python), "-m", "pip", "install", "--quiet", *PACKAGES],
        ):
            await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    command = [str(python), "-m", "uvicorn", "benchmarks.peer_scim2_server:app", "--port", "{port}"]
    command += ["--no-access-log", "--log-level", "warning"]
    peer = stack.enter_context(Process("scim2-server", command, path="/v2/ServiceProviderConfig"))
    return {"scim2-server": await _filled(peer.port, users)}


async def _filled(port: int, users: int) -> Target:
    ids = [await _created(port, "/v2/Users", user(n)) for n in range(users)]
    groups = {}
    for size in (one for one in (10, 1_000) if one <= users):
        members = [{"value": one} for one in ids[:size]]
        body = {"schemas": [GROUP], "displayName": f"Group of {size}", "members": members}
        groups[size] = await _created(port, "/v2/Groups", body)
    return Target(port, World("none", "none", ids, groups), b"/v2")


async def _created(port: int, path: str, body: object) -> str:
    sent = [request("POST", path, "none", json.dumps(body).encode())]
    _, (answer,) = await drive(port, lambda: sent.pop() if sent else None, connections=1, seconds=60, keep=1)
    return str(json.loads(body_of(answer))["id"])
