"""`scim-server issuer`: outside issuers whose tokens a tenant takes."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, TypeVar

import typer

from scim_server.cli import output
from scim_server.cli.credentials import AsJson
from scim_server.cli.output import CommandFailed
from scim_server.cli.parsing import parse_pairs
from scim_server.cli.store import DatabaseUrl, run_on_store
from scim_server.services.clients import UnknownClient
from scim_server.services.issuers import Issuers, IssuerSummary, Trust, UnknownIssuer, entra

T = TypeVar("T")

app = typer.Typer(help="Add, list and remove outside issuers whose tokens are taken.")

Name = Annotated[str, typer.Argument(help="Name of the issuer here.", show_default=False)]
Tenant = Annotated[str, typer.Option(help="Tenant that trusts the issuer.")]


@app.command()
def add(
    name: Name,
    tenant: Tenant = "default",
    issuer: Annotated[
        str | None, typer.Option(metavar="URL", help="The iss of its tokens.", show_default=False)
    ] = None,
    audience: Annotated[
        str | None, typer.Option(help="The aud that its tokens have for this server.", show_default=False)
    ] = None,
    entra_tenant: Annotated[
        str | None,
        typer.Option(
            "--entra",
            metavar="DIRECTORY",
            help="Id of an Entra directory whose provisioning service is trusted; with --client.",
            show_default=False,
        ),
    ] = None,
    client: Annotated[
        str | None, typer.Option(help="With --entra, the client it is.", show_default=False)
    ] = None,
    jwks_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Where its keys are; without it discovery says.", show_default=False
        ),
    ] = None,
    algorithm: Annotated[
        list[str] | None,
        typer.Option(help="An algorithm it signs with, RS256 if none; may be repeated.", show_default=False),
    ] = None,
    client_claim: Annotated[
        str | None,
        typer.Option(help="The claim that names the client, azp if not given.", show_default=False),
    ] = None,
    map: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VALUE=CLIENT", help="Which value is which client; may be repeated.", show_default=False
        ),
    ] = None,
    narrow_claim: Annotated[
        str | None,
        typer.Option(help="A claim that names what of its permissions is left.", show_default=False),
    ] = None,
    user_claim: Annotated[
        str | None, typer.Option(help="A claim that names the user it is.", show_default=False)
    ] = None,
    user_attribute: Annotated[
        str, typer.Option(help="What the claim is of the user: externalId, userName or id.")
    ] = "externalId",
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take the tokens of an outside issuer from now on, for clients that are there.

    Example: scim-server issuer add corp --issuer https://idp.example.com/realms/corp --audience scim
    """
    clients = parse_pairs(map or [])
    try:
        trust = _trust(entra_tenant, client, issuer, audience)
    except ValueError as error:
        raise CommandFailed(str(error)) from error
    trust = replace(
        trust,
        jwks_url=jwks_url,
        algorithms=tuple(algorithm or trust.algorithms),
        client_claim=client_claim or trust.client_claim,
        clients={**trust.clients, **clients},
        narrow_claim=narrow_claim,
        user_claim=user_claim,
        user_attribute=user_attribute,
    )
    added = _on_issuers(database_url, lambda issuers: issuers.add(name, trust, tenant=tenant))
    if as_json:
        output.show_json(added)
    else:
        output.say(f"tokens of {trust.issuer} for {trust.audience} are taken in {tenant}")


def _trust(entra_tenant: str | None, client: str | None, issuer: str | None, audience: str | None) -> Trust:
    if entra_tenant is not None:
        if issuer is not None or client is None:
            raise ValueError("--entra goes with --client, and not with --issuer.")
        return entra(entra_tenant, client, audience)
    if issuer is None or audience is None or client is not None:
        raise ValueError("Give --issuer and --audience, or --entra and --client.")
    return Trust(issuer, audience)


@app.command("list")
def list_issuers(
    tenant: Tenant = "default", database_url: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """List the issuers that a tenant trusts.

    Example: scim-server issuer list --json
    """
    found = _on_issuers(database_url, lambda issuers: issuers.list(tenant=tenant))
    if as_json:
        output.show_json(found)
    else:
        output.show_table(("NAME", "ISSUER", "AUDIENCE", "CLIENTS", "CREATED"), map(_row, found))


@app.command()
def remove(
    name: Name, tenant: Tenant = "default", database_url: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """Take no tokens of an issuer any more; the next request with one is answered with 401.

    Example: scim-server issuer remove corp
    """
    ended = _on_issuers(database_url, lambda issuers: issuers.remove(name, tenant=tenant))
    if as_json:
        output.show_json({"issuer": name, "tenant": tenant, "revoked_tokens": ended})
    else:
        output.say(f"removed {name}, live tokens ended: {ended}")


def _row(issuer: IssuerSummary) -> tuple[object, ...]:
    trust = issuer.trust
    named = ", ".join(f"{value}={client}" for value, client in trust.clients.items())
    return issuer.name, trust.issuer, trust.audience, named or trust.client_claim, issuer.created_at


def _on_issuers(database_url: str | None, work: Callable[[Issuers], Awaitable[T]]) -> T:
    refusals = (ValueError, UnknownClient, UnknownIssuer)
    return run_on_store(database_url, lambda database: work(Issuers(database)), refusals=refusals)
