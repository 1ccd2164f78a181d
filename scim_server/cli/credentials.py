"""`scim-server client secret` and `client key`: what clients prove themselves with at the token endpoint."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from scim_server.cli import output
from scim_server.cli.output import CommandFailed
from scim_server.cli.parsing import parse_lifetime
from scim_server.cli.store import DatabaseUrl, lifetimes_of, run_on_store
from scim_server.services.clients import UnknownClient
from scim_server.services.credentials import Credentials, UnknownKey
from scim_server.settings import load_settings

T = TypeVar("T")

key_app = typer.Typer(help="Public keys with which a client proves itself at the token endpoint.")

Name = Annotated[str, typer.Argument(help="Name of the client.", show_default=False)]
Tenant = Annotated[str, typer.Option(help="Tenant the client belongs to.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Expires = Annotated[
    timedelta | None,
    typer.Option(
        parser=parse_lifetime,
        metavar="TIME",
        help="Time after which it ends: 30m, 12h, 90d, 4w, or never where that is allowed. "
        "Without it SCIM_TOKEN_LIFETIME_DAYS.",
        show_default=False,
    ),
]


def secret(
    name: Name,
    tenant: Tenant = "default",
    expires: Expires = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Print a new secret for the token endpoint; the one before it stays good until the next one is made.

    Example: scim-server client secret okta --expires 90d
    """
    issued = _on_credentials(
        database_url, lambda credentials: credentials.new_secret(name, tenant=tenant, expires_in=expires)
    )
    if as_json:
        output.show_json(
            {
                "client": issued.client,
                "tenant": tenant,
                "client_id": issued.client_id,
                "client_secret": issued.secret,
                "prefix": issued.prefix,
                "expires_at": issued.expires_at,
            }
        )
        return
    output.show_facts(
        {
            "client": issued.client,
            "client id": issued.client_id,
            "secret": issued.secret,
            "expires": issued.expires_at or "never",
        }
    )
    output.say("The secret is shown only this once.")


@key_app.command("add")
def add_key(
    name: Name,
    file: Annotated[
        Path, typer.Argument(help="The public key, as JWK or PEM.", show_default=False, metavar="FILE")
    ],
    tenant: Tenant = "default",
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take assertions that are signed with a key (private_key_jwt).

    Example: scim-server client key add payroll payroll-public.pem
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{file} cannot be read: {error}") from error
    added = _on_credentials(database_url, lambda credentials: credentials.add_key(name, text, tenant=tenant))
    if as_json:
        output.show_json(added)
        return
    output.show_facts({"client": added.client, "client id": added.client_id, "key": added.thumbprint})


@key_app.command("list")
def list_keys(
    name: Name, tenant: Tenant = "default", database_url: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """List the public keys of a client.

    Example: scim-server client key list payroll
    """
    found = _on_credentials(database_url, lambda credentials: credentials.keys(name, tenant=tenant))
    if as_json:
        output.show_json(found)
        return
    output.show_table(
        ("KEY", "ID", "TYPE", "CREATED"),
        ((key.thumbprint, key.kid, key.type, key.created_at) for key in found),
    )


@key_app.command("remove")
def remove_key(
    name: Name,
    key: Annotated[str, typer.Argument(help="The key, as listed, or its id.", show_default=False)],
    tenant: Tenant = "default",
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take no assertions of a key any more.

    Example: scim-server client key remove payroll 2024-key
    """
    _on_credentials(database_url, lambda credentials: credentials.remove_key(name, key, tenant=tenant))
    if as_json:
        output.show_json({"client": name, "tenant": tenant, "removed": key})
    else:
        output.say(f"removed the key {key} of {name}")


def _on_credentials(database_url: str | None, work: Callable[[Credentials], Awaitable[T]]) -> T:
    lifetimes = lifetimes_of(load_settings())
    refusals = (ValueError, UnknownClient, UnknownKey)
    return run_on_store(
        database_url, lambda database: work(Credentials(database, lifetimes)), refusals=refusals
    )
