"""Other servers, each in an environment of its own with what it asks for, filled over HTTP."""

import asyncio
import json
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks.loader import body_of, drive, request
from benchmarks.measure import Target
from benchmarks.operations import GROUP, World
from benchmarks.people import user
from benchmarks.processes import ROOT, Process

LARGEST = 1_000
"""Users of the largest store at which they are measured: beyond it answers of theirs take seconds."""
PACKAGES = ("scim2-server==0.8.3", "uvicorn", "httptools", "uvloop")
NODE_PACKAGES = ("scimmy@1.3.5", "scimmy-routers@1.3.2", "express@5.3.0")
_CONFIGURATION = "/v2/ServiceProviderConfig"
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
    """Install, start and fill the peers for a small store; none for a large one.

    One that cannot be installed or started is left out, with a line that says so.
    """
    found: dict[str, Target] = {}
    for name, process in (("scim2-server", _scim2_server), ("SCIMMY", _scimmy)) if users <= LARGEST else ():
        try:
            peer = stack.enter_context(await asyncio.to_thread(process, folder / name))
            found[name] = await _filled(peer.port, users)
        except (OSError, subprocess.CalledProcessError, RuntimeError) as error:
            sys.stderr.write(f"without {name}: {error}\n")
    return found


def _scim2_server(folder: Path) -> Process:
    """Return the peer, in an environment of its own that is made where it is not there yet."""
    python = folder / "bin" / "python"
    if not python.exists():
        for command in (
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", *PACKAGES],
        ):
            subprocess.run(command, check=True, capture_output=True)
    command = [str(python), "-m", "uvicorn", "benchmarks.peer_scim2_server:app", "--port", "{port}"]
    command += ["--no-access-log", "--log-level", "warning"]
    return Process("scim2-server", command, path=_CONFIGURATION)


def _scimmy(folder: Path) -> Process:
    """Return the peer, whose packages are installed beside a copy of it; raises OSError without Node."""
    if not (folder / "node_modules").exists():
        folder.mkdir(exist_ok=True)
        shutil.copy(ROOT / "benchmarks" / "peer_scimmy.mjs", folder)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *NODE_PACKAGES]
        subprocess.run(command, check=True, capture_output=True)
    command = ["node", str(folder / "peer_scimmy.mjs"), "{port}"]
    return Process("SCIMMY", command, {"NODE_ENV": "production"}, _CONFIGURATION)


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
