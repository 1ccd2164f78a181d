"""`scim-server tenant`: the organisations that share one store."""

import gzip
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from scim_server.cli import output
from scim_server.cli.output import CommandFailed
from scim_server.cli.store import DatabaseUrl, lifecycle_of, run_on_store
from scim_server.security.tenants import TenantSettings
from scim_server.services import tenant_export
from scim_server.services.tenants import Tenants
from scim_server.settings import load_settings
from scim_server.store.database import Database

T = TypeVar("T")

app = typer.Typer(help="Create, list, set up, suspend, export and delete tenants.")

Name = Annotated[str, typer.Argument(help="Name of the tenant.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def create(name: Name, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Make a tenant; its clients come with `client create --tenant NAME`.

    Example: scim-server tenant create acme
    """
    _on_tenants(database_url, lambda tenants: tenants.create(name))
    _tell({"tenant": name, "state": "active"}, f"created {name}", as_json=as_json)


@app.command("list")
def list_tenants(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the tenants with their state and how many users, groups and live clients they have.

    Example: scim-server tenant list --json
    """
    found = _on_tenants(database_url, lambda tenants: tenants.list())
    if as_json:
        output.show_json(found)
        return
    headings = ("NAME", "STATE", "USERS", "GROUPS", "CLIENTS", "CREATED")
    output.show_table(
        headings, [(one.name, one.state, one.users, one.groups, one.clients, one.created_at) for one in found]
    )


@app.command()
def suspend(name: Name, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Refuse every token of a tenant from its next request on, with 403; nothing is lost.

    Example: scim-server tenant suspend acme
    """
    changed = _on_tenants(database_url, lambda tenants: tenants.suspend(name))
    said = f"suspended {name}" if changed else f"{name} was suspended already"
    _tell({"tenant": name, "state": "suspended", "changed": changed}, said, as_json=as_json)


@app.command()
def resume(name: Name, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Let the tokens of a suspended tenant be good again.

    Example: scim-server tenant resume acme
    """
    changed = _on_tenants(database_url, lambda tenants: tenants.resume(name))
    said = f"resumed {name}" if changed else f"{name} was not suspended"
    _tell({"tenant": name, "state": "active", "changed": changed}, said, as_json=as_json)


@app.command("set")
def set_settings(
    name: Name,
    assignments: Annotated[
        list[str],
        typer.Argument(
            metavar="SETTING=VALUE...", help="What to set; no value takes it away.", show_default=False
        ),
    ],
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Set limits and hidden resource types for one tenant, from its next request on.

    Example: scim-server tenant set acme rate_limit_client=50 page_size_max=500
    """
    wanted = {}
    for assignment in assignments:
        setting, found, value = assignment.partition("=")
        if not found:
            raise CommandFailed(f"{assignment} is no assignment; write {assignment}=VALUE")
        wanted[setting] = value
    _show_settings(_on_tenants(database_url, lambda tenants: tenants.set(name, wanted)), as_json=as_json)


@app.command()
def show(name: Name, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show what is set for one tenant; `-` stands for the setting of the server.

    Example: scim-server tenant show acme
    """
    _show_settings(_on_tenants(database_url, lambda tenants: tenants.settings(name)), as_json=as_json)


@app.command()
def export(
    name: Name,
    to: Annotated[Path, typer.Option(metavar="FILE", help="The file; compressed where it ends in .gz.")],
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Write everything of a tenant, as of one moment, as lines of JSON with a manifest at the end.

    Example: scim-server tenant export acme --to acme.jsonl.gz
    """
    part = to.with_name(f"{to.name}.part")

    async def work(database: Database) -> bytes:
        text = b""
        with _opened(part, is_compressed=to.suffix == ".gz") as file:
            async for text in tenant_export.lines(database, name):
                file.write(text)
        return text

    try:
        manifest = run_on_store(database_url, work, refusals=(ValueError,))
        part.replace(to)
    except OSError as error:
        raise CommandFailed(f"{to} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    if as_json:
        output.say(manifest.decode().strip())
    else:
        output.say(f"exported {name} to {to}")


@app.command()
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the name again.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be removed, write nothing.")
    ] = False,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Remove a suspended tenant with everything it has, its audit trail included, for good.

    Stopped on the way, it goes on where it was with the same command. Export the tenant first.

    Example: scim-server tenant delete acme --dry-run
    """
    counts = _on_tenants(database_url, lambda tenants: tenants.counts(name))
    if dry_run:
        if as_json:
            output.show_json({"tenant": name, "dry_run": True, "rows": counts})
            return
        output.show_table(("WHAT", "ROWS"), counts.items())
        output.say("dry run: nothing was removed")
        return
    if not yes and typer.prompt(f"Type {name} to delete it with all it has", err=True) != name:
        raise CommandFailed("that is not its name; nothing was removed")
    is_watched = sys.stderr.isatty()
    shown = typer.progressbar(length=sum(counts.values()), label="deleting", file=sys.stderr)
    with shown if is_watched else nullcontext():
        progress: Callable[[int], None] = shown.update if is_watched else lambda _removed: None
        removed = _on_tenants(database_url, lambda tenants: tenants.delete(name, progress))
    _tell({"tenant": name, "removed": removed}, f"deleted {name}, rows removed: {removed}", as_json=as_json)


def _on_tenants(database_url: str | None, work: Callable[[Tenants], Awaitable[T]]) -> T:
    """Run work on the tenants of the store, a refusal becoming the failure of the command."""
    registry = lifecycle_of(load_settings(database_url=database_url)).registry
    return run_on_store(
        database_url, lambda database: work(Tenants(database, registry)), refusals=(ValueError,)
    )


def _opened(path: Path, *, is_compressed: bool) -> Any:
    """Open a new file that nobody else may read."""
    path.unlink(missing_ok=True)
    raw = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")
    return _Compressed(raw) if is_compressed else raw


class _Compressed(gzip.GzipFile):
    """A compressed file that closes the one below it."""

    def __init__(self, raw: Any) -> None:
        super().__init__(fileobj=raw, mode="wb")
        self._raw = raw

    def close(self) -> None:
        """Close both."""
        super().close()
        self._raw.close()


def _tell(facts: dict[str, object], said: str, *, as_json: bool) -> None:
    if as_json:
        output.show_json(facts)
    else:
        output.say(said)


def _show_settings(settings: TenantSettings, *, as_json: bool) -> None:
    if as_json:
        output.show_json(settings.model_dump(mode="json", exclude_defaults=True))
        return
    output.show_facts(
        {
            setting: ", ".join(value) if isinstance(value, tuple) else value
            for setting, value in settings.model_dump().items()
        }
    )
