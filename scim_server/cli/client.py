"""`scim-server client`: who may call, and the tokens they call with."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import typer

from scim_server.cli import credentials, output
from scim_server.cli.credentials import AsJson, Expires, Name, Tenant
from scim_server.cli.output import CommandFailed
from scim_server.cli.parsing import (
    check_permissions,
    check_scope,
    parse_bundle,
    parse_duration,
    parse_switches,
)
from scim_server.cli.store import DatabaseUrl, lifecycle_of, lifetimes_of, run_on_store
from scim_server.security.principals import BUNDLES
from scim_server.services.clients import Clients, ClientSummary, IssuedToken, UnknownClient
from scim_server.services.undo import Undo, Undone
from scim_server.settings import load_settings
from scim_server.store.clock import now
from scim_server.store.database import Database

T = TypeVar("T")

app = typer.Typer(help="Create, list, rotate and revoke the clients that may call.")

app.command()(credentials.secret)
app.add_typer(credentials.key_app, name="key")


@app.command()
def create(
    name: Name,
    tenant: Tenant = "default",
    profile: Annotated[str, typer.Option(help="What it is: idp, hris, admin, import or app.")] = "idp",
    dialect: Annotated[str, typer.Option(help="How it speaks: okta, entra, generic or strict.")] = "generic",
    permission: Annotated[
        list[str] | None,
        typer.Option(
            help="A permission instead of those of the profile; may be repeated.", show_default=False
        ),
    ] = None,
    bundle: Annotated[
        str | None,
        typer.Option(help="Permissions by what it is for, such as hr-manager.", show_default=False),
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(
            metavar="FILTER", help="The only users it sees and changes, as a SCIM filter.", show_default=False
        ),
    ] = None,
    switch: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=on|off", help="A leniency of the dialect; may be repeated.", show_default=False
        ),
    ] = None,
    user: Annotated[str | None, typer.Option(help="Id of the user that /Me is.", show_default=False)] = None,
    expires: Expires = None,
    oauth: Annotated[
        bool, typer.Option("--oauth", help="Print an id and a secret for the token endpoint, and no token.")
    ] = False,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Create a client and print its token, which is shown only this once.

    Example: scim-server client create okta --dialect okta --expires 90d
    """
    switches = parse_switches(switch or [])
    permissions = [*(permission or ()), *(BUNDLES[parse_bundle(bundle)] if bundle else ())]
    check_permissions(permission or [])
    check_scope(scope)
    facts: dict[str, Any] = {
        "tenant": tenant,
        "profile": profile,
        "dialect": dialect,
        "permissions": permissions or None,
        "switches": switches,
        "user": user,
        "row_scope": scope,
    }
    if oauth:
        lifetimes_of(load_settings()).end(expires, now())  # refused before the client is made
        on_clients(database_url, lambda clients: clients.register(name, **facts))
        credentials.secret(name, tenant, expires, database_url, as_json)
        return
    issued = on_clients(database_url, lambda clients: clients.create(name, **facts, expires_in=expires))
    _show_token(issued, tenant, as_json=as_json)


@app.command("list")
def list_clients(
    tenant: Tenant = "default",
    tokens: Annotated[
        bool, typer.Option("--tokens", help="One line for each token: permissions, age, end, last use.")
    ] = False,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the clients of a tenant with the prefixes of their live tokens.

    Example: scim-server client list --json
    """
    found = on_clients(database_url, lambda clients: clients.list(tenant=tenant))
    if as_json:
        output.show_json(found)
    elif tokens:
        headings = ("CLIENT", "TOKEN", "CREATED", "EXPIRES", "LAST USED", "REVOKED", "PERMISSIONS")
        output.show_table(headings, (row for client in found for row in _token_rows(client)))
    else:
        columns = ("NAME", "PROFILE", "DIALECT", "LIVE TOKENS", "CREATED", "REVOKED")
        output.show_table(columns, map(_row, found))


@app.command()
def rotate(
    name: Name,
    tenant: Tenant = "default",
    expires: Expires = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Print a new token; the one before it stays good until the next rotation, so no request is lost.

    Example: scim-server client rotate okta --expires 90d
    """
    issued = on_clients(database_url, lambda clients: clients.rotate(name, tenant=tenant, expires_in=expires))
    _show_token(issued, tenant, as_json=as_json)


@app.command()
def revoke(
    name: Name, tenant: Tenant = "default", database_url: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """Revoke a client with all its tokens; its next request is answered with 401.

    Example: scim-server client revoke okta
    """
    ended = on_clients(database_url, lambda clients: clients.revoke(name, tenant=tenant))
    if as_json:
        output.show_json({"client": name, "tenant": tenant, "revoked_tokens": ended})
    else:
        output.say(f"revoked {name}, live tokens ended: {ended}")


@app.command()
def undo(
    name: Name,
    since: Annotated[
        timedelta,
        typer.Option(
            parser=parse_duration, metavar="TIME", help="How far back: 30m, 2h, 1d.", show_default=False
        ),
    ],
    tenant: Tenant = "default",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be lifted, write nothing.")
    ] = False,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take back a batch of deactivations: lift exactly the holds that a client has made since then.

    Holds of others stay, and so does everybody whom they hold.

    Example: scim-server client undo okta --since 2h --dry-run
    """
    lifecycle = lifecycle_of(load_settings(database_url=database_url))
    moment = now() - since // timedelta(microseconds=1)

    async def run(database: Database) -> Undone:
        try:
            return await Undo(database, lifecycle).deactivations(
                name, moment, tenant=tenant, is_dry_run=dry_run
            )
        except UnknownClient as error:
            raise CommandFailed(str(error)) from error

    undone = run_on_store(database_url, run)
    if as_json:
        output.show_json(
            {"client": name, "dry_run": dry_run, "deactivated": undone.deactivated, "lifted": undone.lifted}
        )
        return
    verb = "would lift" if dry_run else "lifted"
    output.say(
        f"{name} deactivated {undone.deactivated} users since then; {verb} its holds of {undone.lifted}"
    )


def on_clients(database_url: str | None, work: Callable[[Clients], Awaitable[T]]) -> T:
    """Run work on the clients of the store, a refusal becoming the failure of the command."""
    lifetimes = lifetimes_of(load_settings())
    refusals = (ValueError, UnknownClient)
    return run_on_store(database_url, lambda database: work(Clients(database, lifetimes)), refusals=refusals)


def _show_token(issued: IssuedToken, tenant: str, *, as_json: bool) -> None:
    if as_json:
        output.show_json(
            {
                "client": issued.client,
                "tenant": tenant,
                "token": issued.token,
                "prefix": issued.prefix,
                "expires_at": issued.expires_at,
            }
        )
        return
    output.show_facts(
        {"client": issued.client, "token": issued.token, "expires": issued.expires_at or "never"}
    )
    output.say("The token is shown only this once.")


def _row(client: ClientSummary) -> tuple[object, ...]:
    live = [token.prefix for token in client.tokens if token.is_live(datetime.now(UTC))]
    return (
        client.name, client.profile, client.dialect, ", ".join(live), client.created_at, client.revoked_at,
    )  # fmt: skip


def _token_rows(client: ClientSummary) -> Iterator[tuple[object, ...]]:
    for token in client.tokens:
        ends = token.expires_at or "never"
        times = (token.created_at, ends, token.last_used_at, token.revoked_at)
        yield (client.name, token.prefix, *times, ", ".join(client.permissions))
