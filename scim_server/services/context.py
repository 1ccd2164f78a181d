"""What every use case is told about the request it serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from scim_server.lifecycle.change import Actor
from scim_server.scim.registry import Registry
from scim_server.security.principals import Principal
from scim_server.store.callers import Claim
from scim_server.store.clock import now
from scim_server.store.database import Database
from scim_server.store.filters.compiler import FilterContext
from scim_server.store.filters.json import JSON_DIALECTS


@dataclass(frozen=True, slots=True)
class CallContext:
    """The principal of a call, the base URL under which it sees the server, and the id of the request.

    `is_dry_run` asks for what a change would do, with nothing written. `claim` is that the principal is still
    what the store says, where that was not read for this call; nothing is answered before it is confirmed.
    """

    principal: Principal
    base_url: str
    request_id: str = ""
    is_dry_run: bool = False
    claim: Claim | None = None

    @property
    def actor(self) -> Actor:
        """The client as the rules see it, without the roles of the user it is bound to."""
        principal = self.principal
        return Actor(
            principal.profile,
            principal.client,
            principal.client_id,
            principal.permissions,
            principal.user_id,
        )


def filter_context(
    database: Database, registry: Registry, call: CallContext, varying: frozenset[str] = frozenset()
) -> FilterContext:
    """Return what compiling a filter for a call needs; `varying` are the attributes that change with time."""
    return FilterContext(
        JSON_DIALECTS[database.dialect],
        call.principal.tenant_id,
        registry,
        _locations(registry, call.base_url),
        varying=varying,
        now=now(),
    )


@lru_cache(maxsize=64)
def _locations(registry: Registry, base_url: str) -> Mapping[str, str]:
    return {
        resource_type.name: f"{base_url}{resource_type.endpoint}/"
        for resource_type in registry.resource_types.values()
    }
