"""`scim-server db`: the tables of the store."""

import asyncio
from typing import Annotated

import typer

from scim_server.cli import output
from scim_server.cli.output import CommandFailed
from scim_server.cli.store import DatabaseUrl, open_store, stale_message
from scim_server.settings import load_settings
from scim_server.store.upgrade import head_revision, stored_revision
from scim_server.store.upgrade import upgrade as upgrade_store

app = typer.Typer(help="Bring the tables of the store up to date, or check that they are.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def upgrade(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Bring the tables to the revision this version needs; run it before starting a new version.

    Example: scim-server db upgrade --database-url postgresql://scim@db/scim
    """
    applied = asyncio.run(_upgrade(database_url))
    if as_json:
        output.show_json({"applied": applied, "revision": head_revision()})
    elif applied:
        output.say(f"upgraded: {', '.join(applied)}")
    else:
        output.say(f"nothing to do: the store is at revision {head_revision()}")


@app.command()
def check(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Exit with 0 when the store can be reached and is at the revision this version needs, else with 1.

    Example: scim-server db check --json
    """
    stored, needed = asyncio.run(_stored(database_url)), head_revision()
    if as_json:
        output.show_json({"revision": stored, "needed": needed, "current": stored == needed})
    elif stored == needed:
        output.say(f"the store is at revision {stored}, as this version needs")
    if stored != needed:
        raise CommandFailed(stale_message(stored, needed))


async def _upgrade(database_url: str | None) -> list[str]:
    async with open_store(load_settings(database_url=database_url)) as database:
        return await upgrade_store(database)


async def _stored(database_url: str | None) -> str | None:
    settings = load_settings(database_url=database_url)
    if settings.sqlite_path is not None and not settings.sqlite_path.exists():
        return None
    async with open_store(settings) as database:
        return await stored_revision(database)
