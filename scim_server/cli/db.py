"""`scim-server db`: the tables of the store."""

import asyncio
from typing import Annotated

import typer

from scim_server.cli import output
from scim_server.cli.output import CommandFailed
from scim_server.cli.store import DatabaseUrl, open_store, run_on_store, stale_message
from scim_server.settings import load_settings
from scim_server.store import roles
from scim_server.store.database import Database
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


@app.command("roles")
def roles_(
    app_role: Annotated[
        str, typer.Option(help="Role that the server connects as, or is granted.")
    ] = "scim_app",
    owner_role: Annotated[str, typer.Option(help="Role that owns the tables.")] = "scim_owner",
    apply: Annotated[bool, typer.Option("--apply", help="Run it, as a role that may make roles.")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Print the SQL for two roles on PostgreSQL, so that the server itself cannot rewrite the audit trail.

    Upgrades and `audit retain` are run as the owner then. The roles cannot log in before you say how.

    Example: scim-server db roles --app-role scim_app --apply
    """
    for name in (app_role, owner_role):
        if not roles.NAME.fullmatch(name):
            raise typer.BadParameter(f"{name!r} is no name of a role: small letters, digits and _.")

    async def work(database: Database) -> list[str]:
        if database.dialect == "sqlite":
            raise CommandFailed("SQLite has no roles: who can write the file can write all of it")
        tables, views = await roles.objects(database)
        found = roles.statements(owner_role, app_role, tables, views)
        if apply:
            await roles.apply(database, found)
        return found

    found = run_on_store(database_url, work)
    if apply:
        output.say(f"{app_role} and {owner_role} are set up")
        return
    for statement in found:
        output.say(f"{statement};")


async def _upgrade(database_url: str | None) -> list[str]:
    async with open_store(load_settings(database_url=database_url)) as database:
        return await upgrade_store(database)


async def _stored(database_url: str | None) -> str | None:
    settings = load_settings(database_url=database_url)
    if settings.sqlite_path is not None and not settings.sqlite_path.exists():
        return None
    async with open_store(settings) as database:
        return await stored_revision(database)
