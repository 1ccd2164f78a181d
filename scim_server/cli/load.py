"""`scim-server load`: users and groups from a file, as one client would create them."""

import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from scim_server.cli import output
from scim_server.cli.output import CommandFailed
from scim_server.cli.store import DatabaseUrl, lifecycle_of, run_on_store
from scim_server.services.loading_files import Loaded, Loader, UnknownLoader, numbered_lines
from scim_server.settings import load_settings
from scim_server.store.database import Database


def load(
    file: Annotated[
        Path, typer.Argument(help="A file of one JSON object a line.", exists=True, dir_okay=False)
    ],
    client: Annotated[str, typer.Option(help="The client in whose name, and under whose rules, it is done.")],
    tenant: Annotated[str, typer.Option(help="Tenant the client belongs to.")] = "default",
    start: Annotated[int, typer.Option("--from", min=1, help="The line to begin with.")] = 1,
    database_url: DatabaseUrl = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Create a resource for each line: a user, or of the type whose schema the line names.

    Lines that are refused are reported with their numbers and do not stop the others; the exit code is 1
    then. After a failure go on with --from.

    Example: scim-server load users.jsonl --client hr-import
    """
    lifecycle = lifecycle_of(load_settings(database_url=database_url))
    started = time.monotonic()

    async def work(database: Database) -> Loaded:
        loader, loaded = Loader(database, lifecycle), Loaded()
        try:
            call = await loader.call(tenant, client)
        except UnknownLoader as error:
            raise CommandFailed(str(error)) from error
        size, is_watched = file.stat().st_size, sys.stderr.isatty()
        shown = typer.progressbar(length=size, label="loading", file=sys.stderr) if is_watched else None
        with shown or nullcontext():
            for lines in numbered_lines(file, start):
                await loader.load(call, lines, loaded)
                if shown is not None:
                    shown.update(sum(len(text) for _, text in lines))
        return loaded

    loaded = run_on_store(database_url, work)
    seconds = max(time.monotonic() - started, 0.001)
    facts = {
        "created": loaded.created,
        "refused": loaded.refused,
        "seconds": round(seconds, 1),
        "rows_per_second": round(loaded.created / seconds),
    }
    if as_json:
        output.show_json({**facts, "refusals": loaded.refusals})
    else:
        output.show_facts(dict(facts))
        if loaded.refusals:
            output.show_table(("LINE", "WHY"), [(one.line, one.detail) for one in loaded.refusals])
    if loaded.refused:
        raise CommandFailed(f"{loaded.refused} lines were refused")
