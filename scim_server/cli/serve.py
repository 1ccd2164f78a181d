"""`scim-server serve`: the server itself."""

import asyncio
import os
import socket
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from scim_server.cli import output, sample
from scim_server.cli.audit_answers import write_key
from scim_server.cli.output import CommandFailed
from scim_server.cli.protocol import ScimHttpProtocol
from scim_server.cli.serving import DrainingServer, Workers
from scim_server.cli.store import DatabaseUrl, current_store, lifecycle_of, lifetimes_of
from scim_server.security.transparency.notes import Signer
from scim_server.services.catalogue_files import Catalogues, read_file
from scim_server.services.clients import Clients
from scim_server.services.lifecycle import Lifecycle
from scim_server.settings import Settings, load_settings

_BACKLOG = 2048
_SECONDS_TO_ANSWER = 20
"""After which a process counts as stuck; on a busy machine one takes some to start."""
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared with, not bound to


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8080,
    workers: Annotated[int, typer.Option(min=1, help="Server processes.")] = 1,
    database_url: DatabaseUrl = None,
    with_sample: Annotated[
        bool, typer.Option("--sample", help="Fill an empty store with a sample and print a token for it.")
    ] = False,
) -> None:
    """Serve SCIM until SIGTERM or Ctrl-C, then finish what is under way.

    A SQLite store is created and brought up to date; on PostgreSQL run `scim-server db upgrade` first.

    Example: scim-server serve --host 0.0.0.0 --workers 4 --database-url postgresql://scim@db/scim
    """
    settings = load_settings(database_url=database_url)
    lifecycle = lifecycle_of(settings)  # refused here, before an address is announced
    token = asyncio.run(_prepare(settings, lifecycle, with_sample=with_sample))
    with _listen(host, port) as listener:
        _announce(_address(host, listener), token)
        if with_sample and token is None:
            output.say("No token is kept here; make one with: scim-server client create NAME")
        _run(settings, workers, listener)


async def _prepare(settings: Settings, lifecycle: Lifecycle, *, with_sample: bool) -> str | None:
    """Bring the store up to date, or refuse it; return the token of the sample where it is asked for."""
    async with current_store(settings) as database:
        clients = Clients(database, lifetimes_of(settings))
        if not with_sample:
            return None
        path = sample.token_path(settings)
        _provide_key(settings, path.with_name("audit.pem"))
        if await clients.list():
            return sample.kept_token(path)
        issued = await clients.create(sample.CLIENT, profile="admin", dialect="generic")
        await Catalogues(database, lifecycle).load("default", read_file(sample.CATALOGUE))
    sample.keep_token(path, issued.token)
    await _load(settings, issued.token)
    return issued.token


def _provide_key(settings: Settings, path: Path) -> None:
    """Have the sample's checkpoints signed with a key beside its store, where no other is named."""
    if settings.audit_key_file is None:
        if not path.exists():
            write_key(path, Signer.generate("sample").stored())
        os.environ["SCIM_AUDIT_KEY_FILE"] = str(path)


async def _load(settings: Settings, token: str) -> None:
    from scim_server.app import create_app

    application = create_app(settings.model_copy(update={"log_level": "warning"}))
    async with application.router.lifespan_context(application):
        count = await sample.load_sample(application, token)
    output.say(f"loaded a sample of {count} users and groups")


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, so that the address is known, and connections wait, from here on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CommandFailed(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    listener.set_inheritable(True)
    return listener


def _address(host: str, listener: socket.socket) -> str:
    name = _ANY_ADDRESS.get(host, host)
    port = listener.getsockname()[1]
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _announce(address: str, token: str | None) -> None:
    base = f"{address}/scim/v2"
    output.say(f"SCIM base URL  {base}")
    if token is not None:
        output.say(f"Token          {token}")
        output.say(f"Try            curl -H 'Authorization: Bearer {token}' '{base}/Users?count=3'")


def _run(settings: Settings, workers: int, listener: socket.socket) -> None:
    # The processes make the application themselves, from the environment.
    os.environ["SCIM_DATABASE_URL"] = settings.database_url
    config = uvicorn.Config(
        "scim_server.app:application_from_environment",
        factory=True,
        http=ScimHttpProtocol,
        ws="none",
        workers=workers,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=settings.trusted_proxies is not None,
        forwarded_allow_ips=settings.trusted_proxies,
        lifespan="on",
        timeout_graceful_shutdown=settings.shutdown_seconds,
        timeout_worker_healthcheck=_SECONDS_TO_ANSWER,
    )
    if workers > 1:
        Workers(config, listener, settings).run()
        return
    server = DrainingServer(config)
    server.run(sockets=[listener])
    if not server.started:
        raise CommandFailed("the server did not start")
