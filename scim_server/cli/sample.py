"""A few users and groups to look at, loaded through the application as any client would."""

import json
import os
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message

from scim_server.cli.output import CommandFailed
from scim_server.scim.documents import MEDIA_TYPE
from scim_server.settings import Settings

CLIENT = "sample"
_FOLDER = Path(__file__).parents[2] / "samples"
_FILE = _FOLDER / "sample.json"
CATALOGUE = _FOLDER / "catalogue.toml"


def token_path(settings: Settings) -> Path:
    """Return where the sample's token is kept: beside the SQLite file, else under `var`."""
    return (settings.sqlite_path or Path("var/scim.db")).parent / "token"


def keep_token(path: Path, token: str) -> None:
    """Write the token to a file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{token}\n")


def kept_token(path: Path) -> str | None:
    """Return the token that was kept, None where there is none."""
    return path.read_text(encoding="ascii").strip() if path.is_file() else None


async def load_sample(application: ASGIApp, token: str) -> int:
    """Send the sample as one Bulk request (RFC 7644 §3.7) and return how many resources it made.

    Raises CommandFailed with the application's answer where any of them was refused.
    """
    status, body = await _post(application, "/scim/v2/Bulk", token, _FILE.read_bytes())
    answer = json.loads(body)
    operations = answer.get("Operations", [])
    refused = [operation for operation in operations if operation["status"] != "201"]
    if status != HTTPStatus.OK or refused:
        raise CommandFailed(f"the sample was refused: {json.dumps(refused or answer)}")
    return len(operations)


async def _post(application: ASGIApp, path: str, token: str, body: bytes) -> tuple[int, bytes]:
    """Call the application without a network and return the status and the body of its answer."""
    sent: list[Message] = []
    requests: list[Message] = [
        {"type": "http.request", "body": body, "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return requests.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await application(_scope(path, token, len(body)), receive, send)
    status: int = sent[0]["status"]
    return status, b"".join(message.get("body", b"") for message in sent)


def _scope(path: str, token: str, length: int) -> dict[str, Any]:
    headers: Mapping[str, str] = {
        "host": "localhost",
        "authorization": f"Bearer {token}",
        "content-type": MEDIA_TYPE,
        "content-length": str(length),
    }
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 0),
        "server": ("localhost", 80),
    }
