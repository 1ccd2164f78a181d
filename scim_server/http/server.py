"""What endpoints work with: services, limits, and the state of the store behind them."""

import asyncio
import re
from contextlib import suppress
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Network, ip_address
from urllib.parse import quote

from starlette.requests import Request

from scim_server.dialects import SCHEMA_NAMES
from scim_server.http.middleware import RequestFacts, facts_of
from scim_server.http.previews import asks_for_preview
from scim_server.scim.errors import NotFound, ServiceUnavailable, TooManyRequests
from scim_server.scim.messages.discovery import Limits
from scim_server.scim.registry import Registry, ResourceType
from scim_server.scim.resources import Renderer
from scim_server.security.principals import Principal
from scim_server.security.tenants import NOTHING_SET
from scim_server.services.authentication import Authenticator
from scim_server.services.bulk import Bulk
from scim_server.services.clients import Clients
from scim_server.services.context import CallContext
from scim_server.services.failed_attempts import FailedAttempts
from scim_server.services.jwks import KeySets
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.outside import OutsideTokens
from scim_server.services.provisioning import Provisioning
from scim_server.services.rates import RateLimiter, Rates
from scim_server.services.search import PageLimits, Search
from scim_server.services.signing_keys import SigningKeys
from scim_server.services.token_endpoint import TokenEndpoint
from scim_server.services.transparency.assembling import keeper_of, sealing_of
from scim_server.services.transparency.proofs import Proofs
from scim_server.services.transparency.verification import Verification
from scim_server.settings import Settings
from scim_server.store.callers import Claim
from scim_server.store.database import Database
from scim_server.store.failures import DatabaseUnavailable, is_disconnect
from scim_server.store.upgrade import head_revision, stored_revision, upgrade

BASE_PATH = "/scim/v2"
BOOTSTRAP_CLIENT = "bootstrap"
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?", re.ASCII)
"""A host as nearly every client names it, which needs no parsing."""


class Server:
    """The services of one application and the store they share.

    The store is prepared on first use, so that the application also works where nobody runs its
    lifespan, and comes up when its database does.
    """

    def __init__(self, settings: Settings, lifecycle: Lifecycle) -> None:
        self.settings = settings
        self.lifecycle = lifecycle
        self.registry = registry = lifecycle.registry
        self._named = {dialect: registry.renamed(names) for dialect, names in SCHEMA_NAMES.items()}
        self.database = Database(
            settings.database_url,
            pool_size=settings.database_pool_size,
            read_seconds=settings.query_timeout_seconds,
            write_seconds=settings.write_timeout_seconds,
        )
        self.limits = Limits(
            settings.bulk_max_operations,
            settings.max_body_bytes,
            settings.page_size_default,
            settings.page_size_max,
            settings.cursor_lifetime_seconds,
        )
        self._pages = pages = PageLimits(
            settings.page_size_default, settings.page_size_max, settings.cursor_lifetime_seconds
        )
        self.failures = FailedAttempts(self.database, registry, settings.failed_attempts_per_minute)
        self.key_sets = KeySets(settings.outbound_proxy)
        outside = OutsideTokens(self.database, registry, self.key_sets)
        self.authenticator = Authenticator(self.database, self.failures, outside)
        self.signing_keys = SigningKeys(self.database)
        rates = Rates(
            settings.rate_limit_client,
            settings.rate_limit_client_burst,
            settings.rate_limit_tenant,
            settings.rate_limit_tenant_burst,
        )
        self.rates = RateLimiter(self.database, registry, rates)
        self.tokens = TokenEndpoint(
            self.database,
            self.signing_keys,
            outside,
            self.failures,
            self.rates,
            settings.access_token_seconds,
        )
        sealing = sealing_of(settings.audit_master_key_file)
        self.provisioning = Provisioning(self.database, registry, lifecycle, sealing)
        self.search = Search(self.database, registry, lifecycle, pages, sealing)
        self.keeper = keeper_of(settings, self.database, registry)
        self.verification = Verification(self.database, registry, sealing)
        self.proofs = Proofs(self.database)
        self.bulk = Bulk(self.database, registry, lifecycle)
        self.is_draining = False
        self._ready = False
        self._preparing = asyncio.Lock()

    async def prepare(self) -> None:
        """Bring the store up once: upgrade SQLite, check PostgreSQL's schema, create the bootstrap client.

        Raises DatabaseUnavailable, and ServiceUnavailable for a schema of another version.
        """
        if self._is_ready():
            return
        async with self._preparing:
            if self._is_ready():
                return
            try:
                await self._prepare()
            except Exception as error:
                if is_disconnect(error):
                    raise DatabaseUnavailable(str(error)) from error
                raise
            self._ready = True

    def _is_ready(self) -> bool:
        return self._ready

    async def _prepare(self) -> None:
        if self.database.dialect == "sqlite" and await stored_revision(self.database) != head_revision():
            await upgrade(self.database)
        await self.check_revision()
        token = self.settings.bootstrap_token
        if token:
            try:
                await Clients(self.database).ensure(BOOTSTRAP_CLIENT, token)
            except ValueError as error:
                raise ServiceUnavailable(f"SCIM_BOOTSTRAP_TOKEN: {error}") from error

    async def check_revision(self) -> None:
        """Raise ServiceUnavailable unless the store has the schema that this version needs."""
        stored, needed = await stored_revision(self.database), head_revision()
        if stored != needed:
            raise ServiceUnavailable(
                f"The store's schema is at {stored or 'nothing'}, this server needs {needed}; "
                "run 'scim-server db upgrade'."
            )

    async def call(
        self, request: Request, kind: ResourceType | None = None, *, can_preview: bool = False
    ) -> CallContext:
        """Authenticate a request and return its context; raises Unauthorized.

        Raises NotFound where it is for a resource type that the tenant does not have, and InvalidValue where
        it asks for a preview and `can_preview` does not say there is one.
        """
        if not self._ready:
            await self.prepare()
        facts = facts_of(request.scope)
        header, tenant = request.headers.get("authorization"), request.path_params.get("tenant")
        known = None if facts.is_again else self.authenticator.remembered(header, tenant=tenant)
        principal, claim = known or (
            await self.authenticator.principal(header, tenant=tenant, source=source_of(request)),
            None,
        )
        facts.principal, facts.claim = principal, claim
        if not facts.is_counted:
            headers = self.rates.admit_at_once(principal)
            if headers is None and not await self._is_admitted(facts, principal, claim):
                source = source_of(request)
                principal = await self.authenticator.principal(header, tenant=tenant, source=source)
                claim = None
                facts.principal, headers = principal, await self.rates.admit(principal)
            facts.is_counted, facts.headers = True, headers or facts.headers
        if kind is not None and not self.has(principal, kind):
            raise no_endpoint(request)
        is_dry_run = asks_for_preview(request, is_possible=can_preview)
        return CallContext(principal, self.base_url(request), facts.request_id, is_dry_run, claim)

    async def _is_admitted(self, facts: RequestFacts, principal: Principal, claim: Claim | None) -> bool:
        """Count a request; False where it is refused and the caller is to be looked up, and counted, again.

        Raises TooManyRequests. A refusal says nothing but that, and needs no confirmed caller; once a second
        it is made sure that the limits of a remembered one are still those.
        """
        facts.is_counted = True
        try:
            facts.headers = await self.rates.admit(principal)
        except TooManyRequests:
            facts.claim = None
            if claim is not None and self.rates.is_to_be_sure(principal):
                return False
            raise
        return True

    async def confirm(self, claim: Claim) -> None:
        """Confirm a claim that nothing confirmed on the way; raises CallerChanged."""
        await self.database.read(lambda reader: reader.confirm(), claim)

    def base_url(self, request: Request) -> str:
        """Return the SCIM base URL as the client addressed it, without a trailing slash."""
        tenant = request.path_params.get("tenant")
        path = f"/t/{quote(tenant)}{BASE_PATH}" if tenant else BASE_PATH
        return f"{self.root_url(request)}{path}"

    def root_url(self, request: Request) -> str:
        """Return the address of the application as the client addressed it, without a trailing slash."""
        if self.settings.public_url:
            return self.settings.public_url.rstrip("/")
        root = facts_of(request.scope).root_path.rstrip("/")
        host = request.headers.get("host", "")
        if _HOST.fullmatch(host):
            return f"{request.scope['scheme']}://{host}{root}"
        return f"{request.url.scheme}://{request.url.netloc}{root}"

    async def keep_records(self, *, everything: bool = False) -> None:
        """Write down which tokens were used and which attempts failed."""
        await self.authenticator.record_uses()
        await self.failures.record(everything=everything)

    async def close(self) -> None:
        """Write down what is in memory alone, and close every connection."""
        try:
            with suppress(DatabaseUnavailable):
                await self.keep_records(everything=True)
        finally:
            await self.rates.close()
            await self.key_sets.close()
            await self.database.close()

    def limits_of(self, call: CallContext) -> Limits:
        """Return the limits for a call: the server's, with what is set for the tenant alone."""
        own, limits = call.principal.settings, self.limits
        if own is NOTHING_SET:
            return limits
        pages = self._pages.of(own)
        return replace(
            limits,
            bulk_operations=own.bulk_max_operations or limits.bulk_operations,
            payload_bytes=own.max_body_bytes or limits.payload_bytes,
            page_maximum=pages.maximum,
            page_default=pages.default,
        )

    def renderer(self, call: CallContext) -> Renderer:
        """Return the renderer for a call."""
        return Renderer(self.registry_of(call), call.base_url)

    def registry_of(self, call: CallContext) -> Registry:
        """Return the registry with the names that the dialect of the caller has for schemas.

        What is hidden from the tenant is not in it, nor what is private to others.
        """
        return self._registry_for(call.principal)

    def _registry_for(self, principal: Principal) -> Registry:
        own = principal.settings
        named = self._named.get(principal.dialect, self.registry)
        return named.of_tenant(own.private_schemas, own.hidden_resource_types)

    def has(self, principal: Principal, kind: ResourceType) -> bool:
        """Tell whether the tenant of a client has a resource type."""
        return kind.name in self._registry_for(principal).resource_types

    def kind(self, call: CallContext, name: str) -> ResourceType:
        """Return a resource type as the caller sees it, which has it."""
        return self.registry_of(call).resource_types[name]

    def kind_at(self, path: str) -> ResourceType | None:
        """Return the resource type whose endpoint a path is at or below of, None for any other path."""
        _, base, rest = path.partition(BASE_PATH)
        endpoints = self.registry.endpoints.items() if base else ()
        return next((kind for endpoint, kind in endpoints if f"{rest}/".startswith(f"{endpoint}/")), None)


def no_endpoint(request: Request) -> NotFound:
    """Return the error for a path that is none here."""
    return NotFound(f"There is no endpoint {request.url.path[:120]}.")


def source_of(request: Request) -> str:
    """Return the address that a request comes from, an IPv6 one by its network, which one host has whole."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ip_address(host)
    except ValueError:
        return host[:100]
    if isinstance(address, IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or IPv6Network((address.packed, 64), strict=False))


def server_of(request: Request) -> Server:
    """Return the server behind a request."""
    server: Server = request.app.state.server
    return server
