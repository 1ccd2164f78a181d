"""The store a command works on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, TypeVar

import typer

from scim_server.cli.output import CommandFailed
from scim_server.services.clients import Lifetimes
from scim_server.services.lifecycle import Lifecycle
from scim_server.settings import Settings, load_settings
from scim_server.store.database import Database
from scim_server.store.failures import DatabaseUnavailable, is_disconnect
from scim_server.store.upgrade import head_revision, stored_revision, upgrade
from scim_server.store.urls import has_password, shown

T = TypeVar("T")


def _without_password(url: str | None) -> str | None:
    """Refuse a password where every user of the machine can read it: in the list of processes."""
    if url is not None and has_password(url):
        raise typer.BadParameter(
            "a password is visible to every user of this machine here; put it into SCIM_DATABASE_URL, "
            "PGPASSWORD or a file that PGPASSFILE names."
        )
    return url


DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        help="The store, instead of SCIM_DATABASE_URL; without a password.",
        metavar="URL",
        show_default=False,
        callback=_without_password,
    ),
]


def run_on_store(
    database_url: str | None,
    work: Callable[[Database], Awaitable[T]],
    *,
    refusals: tuple[type[Exception], ...] = (),
) -> T:
    """Run work on the store at its newest revision, a refusal becoming the failure of the command.

    Raises CommandFailed for that, and as `current_store` does.
    """

    async def run() -> T:
        async with current_store(load_settings(database_url=database_url)) as database:
            try:
                return await work(database)
            except refusals as error:
                raise CommandFailed(str(error)) from error

    return asyncio.run(run())


def lifecycle_of(settings: Settings) -> Lifecycle:
    """Return the life cycle that the settings describe. Raises SchemaError and ExtensionError."""
    return Lifecycle.of(settings.schema_folders, settings.extensions)


def lifetimes_of(settings: Settings) -> Lifetimes:
    """Return how long tokens and secrets last by the settings."""
    return Lifetimes(settings.token_lifetime_days, settings.token_allow_never)


@asynccontextmanager
async def current_store(settings: Settings) -> AsyncIterator[Database]:
    """Give the store, which is at the newest revision: SQLite is brought to it, PostgreSQL is not.

    Raises CommandFailed where PostgreSQL is at another revision or the store cannot be reached.
    """
    async with open_store(settings) as database:
        if settings.sqlite_path is not None:
            await upgrade(database)
        else:
            await refuse_stale(database)
        yield database


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Database]:
    """Give the store at whatever revision it is. Raises CommandFailed where it cannot be reached."""
    database = Database(settings.database_url, pool_size=settings.database_pool_size)
    try:
        yield database
    except Exception as error:
        if isinstance(error, DatabaseUnavailable) or is_disconnect(error):
            named = shown(database.url)
            raise CommandFailed(f"the database {named} cannot be reached: {_reason(error)}") from error
        raise
    finally:
        await database.close()


async def refuse_stale(database: Database) -> None:
    """Raise CommandFailed unless the store is at the revision this version needs."""
    stored, needed = await stored_revision(database), head_revision()
    if stored != needed:
        raise CommandFailed(stale_message(stored, needed))


def stale_message(stored: str | None, needed: str) -> str:
    """Return what is wrong with the revision of a store and the command that mends it."""
    state = "the store is empty" if stored is None else f"the store is at revision {stored}"
    return f"{state}, this version needs revision {needed}; run: scim-server db upgrade"


def _reason(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error)
