"""What every use case is told about the request it serves."""

from dataclasses import dataclass

from scim_server.scim.registry import Registry
from scim_server.security.principals import Principal
from scim_server.store.database import Database
from scim_server.store.filters.compiler import FilterContext
from scim_server.store.filters.json import JSON_DIALECTS


@dataclass(frozen=True, slots=True)
class CallContext:
    """The principal of a call and the base URL under which it sees the server."""

    principal: Principal
    base_url: str


def filter_context(database: Database, registry: Registry, call: CallContext) -> FilterContext:
    """Return what compiling a filter for a call needs."""
    locations = {
        resource_type.name: f"{call.base_url}{resource_type.endpoint}/"
        for resource_type in registry.resource_types.values()
    }
    return FilterContext(JSON_DIALECTS[database.dialect], call.principal.tenant_id, registry, locations)
