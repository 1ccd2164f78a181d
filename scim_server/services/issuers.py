"""Outside issuers whose tokens a tenant takes: added, listed, removed."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from scim_server.security.jwts import ALGORITHMS
from scim_server.services.clients import Clients, UnknownClient
from scim_server.store import clients as tenants
from scim_server.store import issuers as rows
from scim_server.store import oauth
from scim_server.store.clock import datetime_of, now
from scim_server.store.database import Database, Reader, Writer
from scim_server.store.identifiers import new_id

_URL = re.compile(
    r"https://[^\s?#]+|http://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?(?:/[^\s?#]*)?", re.ASCII
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
USER_ATTRIBUTES = ("externalId", "userName", "id")
ENTRA_AUDIENCE = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
"""The audience of tokens that Entra's provisioning service sends to applications outside of its gallery."""
ENTRA_SERVICE = "00000014-0000-0000-c000-000000000000"
"""The application id of Entra's provisioning service, the same in every directory."""


class UnknownIssuer(LookupError):
    """The tenant trusts no issuer of that name."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What is taken from an issuer, and for whom.

    `clients` maps values of `client_claim` to names of clients; without any the value is the name. Of the
    permissions of the client, `narrow_claim` leaves those that it names, where one is set. `user_claim` names
    the user that the token stands for, by `user_attribute`.
    """

    issuer: str
    audience: str
    jwks_url: str | None = None
    algorithms: tuple[str, ...] = ("RS256",)
    client_claim: str = "azp"
    clients: Mapping[str, str] = field(default_factory=dict)
    narrow_claim: str | None = None
    user_claim: str | None = None
    user_attribute: str = "externalId"

    def check(self) -> None:
        """Raise ValueError for what cannot be trusted."""
        for url in filter(None, (self.issuer, self.jwks_url)):
            if _URL.fullmatch(url) is None:
                raise ValueError(f"{url} is not an https address (http is for this machine alone).")
        if not self.audience:
            raise ValueError("An audience has to be named: the one that tokens for this server are made for.")
        for algorithm in self.algorithms:
            if algorithm not in ALGORITHMS:
                raise ValueError(f"There is no algorithm {algorithm}; choose from {', '.join(ALGORITHMS)}.")
        if not self.algorithms:
            raise ValueError("At least one algorithm has to be allowed.")
        if self.user_attribute not in USER_ATTRIBUTES:
            raise ValueError(
                f"A user is named by {', '.join(USER_ATTRIBUTES)}, not by {self.user_attribute}."
            )


@dataclass(frozen=True, slots=True)
class IssuerSummary:
    """An issuer that a tenant trusts."""

    name: str
    tenant: str
    trust: Trust
    created_at: datetime


class Issuers:
    """The outside issuers of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, name: str, trust: Trust, *, tenant: str = "default") -> IssuerSummary:
        """Trust an issuer from now on; the clients it speaks for have to be there.

        Raises ValueError for a name that is taken and for what cannot be trusted, UnknownClient.
        """
        trust.check()
        if _NAME.fullmatch(name) is None:
            raise ValueError("An issuer's name has 1 to 63 letters, digits, dots, hyphens and underscores.")
        known = {client.name for client in await Clients(self._database).list(tenant=tenant)}
        for client in trust.clients.values():
            if client not in known:
                raise UnknownClient(f"The tenant {tenant} has no client {client}.")
        facts = asdict(trust)
        moment = now()
        row = {
            "id": new_id(),
            "name": name,
            "issuer": facts.pop("issuer"),
            "audience": facts.pop("audience"),
            "facts": json.dumps(facts),
            "created": moment,
        }

        async def work(writer: Writer) -> IssuerSummary:
            tenant_id = await tenants.tenant_id_of(writer, tenant)
            if tenant_id is None:
                raise UnknownClient(f"There is no tenant {tenant}; create a client of it first.")
            if not await rows.insert_issuer(writer, {"tenant_id": tenant_id, **row}):
                raise ValueError(f"There is an issuer {name} already.")
            return IssuerSummary(name, tenant, trust, datetime_of(moment))

        return await self._database.write(work)

    async def list(self, *, tenant: str = "default") -> list[IssuerSummary]:
        """Return the issuers that a tenant trusts, by name."""

        async def work(reader: Reader) -> Sequence[Any]:
            tenant_id = await tenants.tenant_id_of(reader, tenant)
            return [] if tenant_id is None else await rows.issuers_of(reader, tenant_id)

        found = await self._database.read(work)
        return [IssuerSummary(row.name, tenant, trust_of(row), datetime_of(row.created)) for row in found]

    async def remove(self, name: str, *, tenant: str = "default") -> int:
        """Trust an issuer no longer, from the next request on; returns how many of its tokens were live.

        Raises UnknownIssuer.
        """

        async def work(writer: Writer) -> int:
            tenant_id = await tenants.tenant_id_of(writer, tenant)
            found = [] if tenant_id is None else await rows.issuers_of(writer, tenant_id)
            own = next((row for row in found if row.name == name), None)
            if own is None:
                raise UnknownIssuer(f"The tenant {tenant} trusts no issuer {name}.")
            await rows.lock_issuer(writer, own.tenant_id, own.id)
            await rows.remove_issuer(writer, own.tenant_id, own.id)
            return await oauth.revoke_tokens_of_issuer(writer, own.tenant_id, own.id, now())

        return await self._database.write(work)


def trust_of(row: Any) -> Trust:
    """Return what a row says is trusted."""
    facts = json.loads(row.facts)
    facts["algorithms"] = tuple(facts["algorithms"])
    return Trust(issuer=row.issuer, audience=row.audience, **facts)


def entra(directory: str, client: str, audience: str | None) -> Trust:
    """Return what to trust of Entra's provisioning service, which needs no secret then; raises ValueError.

    Its tokens are those of the directory, and their `appid` is its own; the audience is that of the
    application, or of all that are not of the gallery.
    """
    if _UUID.fullmatch(directory) is None:
        raise ValueError("An Entra directory is named by its id, a UUID in lower case.")
    return Trust(
        issuer=f"https://sts.windows.net/{directory}/",
        audience=audience or ENTRA_AUDIENCE,
        client_claim="appid",
        clients={ENTRA_SERVICE: client},
    )
