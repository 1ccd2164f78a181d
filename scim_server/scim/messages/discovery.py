"""Discovery documents: service provider configuration, resource types and schemas (RFC 7644 §4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scim_server.scim.errors import NotFound
from scim_server.scim.registry import RESOURCE_TYPE_URN, SCHEMA_URN, Registry

CONFIG_URN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that the configuration advertises; sizes in bytes, times in seconds."""

    bulk_operations: int
    payload_bytes: int
    page_default: int
    page_maximum: int
    cursor_seconds: int


def service_provider_config(base_url: str, limits: Limits) -> dict[str, Any]:
    """Return what the server can do (RFC 7643 §5, RFC 9865 §4)."""
    return {
        "schemas": [CONFIG_URN],
        "patch": {"supported": True},
        "bulk": {
            "supported": True,
            "maxOperations": limits.bulk_operations,
            "maxPayloadSize": limits.payload_bytes,
        },
        "filter": {"supported": True, "maxResults": limits.page_maximum},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": limits.page_default,
            "maxPageSize": limits.page_maximum,
            "cursorTimeout": limits.cursor_seconds,
        },
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "A token of 'scim-server client create' in the Authorization header.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            },
            {
                "type": "oauth2",
                "name": "OAuth 2.0 client credentials",
                "description": "A short-lived access token from the token endpoint /oauth/token.",
                "specUri": "https://www.rfc-editor.org/info/rfc6749",
            },
            {
                "type": "httpbasic",
                "name": "HTTP Basic",
                "description": "Any user name, with the same token as the password.",
                "specUri": "https://www.rfc-editor.org/info/rfc7617",
            },
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base_url}/ServiceProviderConfig"},
    }


def resource_types(registry: Registry, base_url: str) -> list[dict[str, Any]]:
    """Return every resource type."""
    return [_resource_type(kind.document, base_url) for kind in registry.resource_types.values()]


def resource_type(registry: Registry, name: str, base_url: str) -> dict[str, Any]:
    """Return one resource type by name; raises NotFound."""
    found = registry.resource_types.get(name)
    if found is None:
        raise NotFound(f"There is no resource type {name[:80]}.")
    return _resource_type(found.document, base_url)


def _resource_type(document: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    return {
        "schemas": [RESOURCE_TYPE_URN],
        "id": document["name"],
        "name": document["name"],
        "endpoint": document["endpoint"],
        "description": document.get("description", document["name"]),
        "schema": document["schema"],
        "schemaExtensions": [
            {"schema": entry["schema"], "required": bool(entry.get("required"))}
            for entry in document.get("schemaExtensions", ())
        ],
        "meta": {"resourceType": "ResourceType", "location": f"{base_url}/ResourceTypes/{document['name']}"},
    }


def schemas(registry: Registry, base_url: str) -> list[dict[str, Any]]:
    """Return every schema, the ones of the resource types first."""
    return [_schema(found, base_url) for found in registry.schemas.values()]


def schema(registry: Registry, urn: str, base_url: str) -> dict[str, Any]:
    """Return one schema by its URN, in any case; raises NotFound."""
    found = registry.schemas.get(urn.lower())
    if found is None:
        raise NotFound(f"There is no schema {urn[:120]}.")
    return _schema(found, base_url)


def _schema(document: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    return {
        "schemas": [SCHEMA_URN],
        "id": document["id"],
        "name": document.get("name", document["id"]),
        "description": document.get("description", document.get("name", document["id"])),
        "attributes": document.get("attributes", []),
        "meta": {"resourceType": "Schema", "location": f"{base_url}/Schemas/{document['id']}"},
    }
