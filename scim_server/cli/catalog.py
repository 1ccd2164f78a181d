"""`scim-server catalog`: departments, locations, roles, entitlements and policies from one file."""

from pathlib import Path
from typing import Annotated

import typer

from scim_server.cli import output
from scim_server.cli.output import CommandFailed
from scim_server.cli.store import DatabaseUrl, lifecycle_of, run_on_store
from scim_server.scim.errors import ScimError
from scim_server.services.catalogue_files import CatalogueFileError, Catalogues, Summary, read_file
from scim_server.services.tenants import UnknownTenant
from scim_server.settings import load_settings
from scim_server.store.database import Database

app = typer.Typer(help="Load the organisation's reference data and policies.")


@app.callback()
def catalog() -> None:
    """Load the organisation's reference data and policies."""


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="A TOML or JSON file.", show_default=False)],
    tenant: Annotated[str, typer.Option(help="Tenant the data belongs to.")] = "default",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, write nothing.")] = False,
    database_url: DatabaseUrl = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Create what is not there, update what differs, leave the rest; all of the file or nothing of it.

    Entries are matched by `code` or `value`. What the file does not name stays as it is.

    Example: scim-server catalog load samples/catalogue.toml --dry-run
    """
    lifecycle = lifecycle_of(load_settings(database_url=database_url))

    async def work(database: Database) -> Summary:
        try:
            content = read_file(file)
            return await Catalogues(database, lifecycle).load(tenant, content, is_dry_run=dry_run)
        except CatalogueFileError as error:
            raise CommandFailed(f"{file}: {error}") from error
        except ScimError as error:
            raise CommandFailed(f"{file}: {error.detail}") from error
        except UnknownTenant as error:
            raise CommandFailed(str(error)) from error

    summary = run_on_store(database_url, work)
    if as_json:
        output.show_json({"dry_run": dry_run, **summary.as_dict()})
        return
    output.show_table(("WHAT", "CREATED", "UPDATED", "UNCHANGED"), summary.rows())
    if dry_run:
        output.say("dry run: nothing was written")
