"""API tokens of users: made for a time and for scopes, shown once, dead with their owner."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from scim_server.lifecycle.dates import text_of
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.policies import TokenPolicy
from scim_server.lifecycle.state import moment as moment_of
from scim_server.scim.errors import Forbidden, InvalidValue, TooManyRequests
from scim_server.scim.resources import Resource
from scim_server.security import tokens
from scim_server.security.principals import API_TOKENS, SCOPES, permissions_of
from scim_server.services.hooks.base import Hook, Members, name_user
from scim_server.store import clients, holders
from scim_server.store.identifiers import new_id

if TYPE_CHECKING:
    from scim_server.services.changes import Changes

MAX_NAME = 100
PREFIX_LENGTH = 10
_HOUR, _DAY = 3_600_000_000, 86_400_000_000


class ApiTokenHook(Hook):
    """Issues and revokes the token that the resource describes (S4 §15)."""

    async def creating(self, changes: "Changes", id: str, document: Document) -> Document:
        """Check name, scopes and expiry, and issue the token; its digest is all that is kept."""
        named = await name_user(changes, document, "owner")
        policy = (await changes.catalogue()).policies.tokens
        owner = named["owner"]["value"]
        _check_scopes(changes, named)
        if not await holders.is_active(changes.writer, changes.tenant_id, owner, changes.moment):
            raise InvalidValue("owner: The user is not active.")
        client_id = await _lock_client(changes)
        await _refuse_many(changes, owner, policy)
        expires = _expiry(changes, named, policy)
        secret = tokens.new_token(policy.prefix)
        await _issue(changes, client_id, id, named, secret, expires)
        changes.shown = {"token": secret}
        shown = {} if expires is None else {"expiresAt": text_of(expires)}
        return {**named, **shown, "tokenPrefix": secret[:PREFIX_LENGTH], "status": "active"}

    async def created(
        self, changes: "Changes", created: Resource, _document: Document, _members: dict[str, list[str]]
    ) -> None:
        """Show the token in this one answer."""
        created.document = {**created.document, **changes.shown}

    async def changing(
        self, changes: "Changes", _current: Resource, before: Document, after: Document
    ) -> Document:
        """Take name and scopes over; the only status a client can set is revoked."""
        _check_name(after)
        if after["scopes"] != before["scopes"]:
            _check_scopes(changes, after)
        if after.get("status") == before.get("status"):
            return after
        if after.get("status") != "revoked":
            raise InvalidValue("status can be set to revoked only.")
        by = changes.call.actor.author
        return {**after, "revokedAt": text_of(changes.moment), "revokedBy": by}

    async def changed(
        self,
        changes: "Changes",
        changed: Resource,
        before: Document,
        after: Document,
        _members: Members | None,
    ) -> None:
        """Revoke the token, or let it go by its new name and scopes."""
        if after.get("status") == "revoked" and before.get("status") != "revoked":
            await _revoke(changes, changed.id)
        facts = {"name": after["displayName"], "scopes": json.dumps(after["scopes"])}
        await clients.describe_token(changes.writer, changes.tenant_id, changed.id, facts)

    async def deleted(self, changes: "Changes", current: Resource, _before: Document) -> None:
        """Revoke the token."""
        await _revoke(changes, current.id)


async def _revoke(changes: "Changes", id: str) -> None:
    await clients.revoke_token_of(
        changes.writer, changes.tenant_id, id, changes.moment, changes.principal.user_id
    )


async def _refuse_many(changes: "Changes", owner: str, policy: TokenPolicy) -> None:
    since = changes.moment - _HOUR
    count = await clients.tokens_created_since(changes.writer, changes.tenant_id, owner, since)
    if count >= policy.per_hour:
        raise TooManyRequests(message("R-TOKENS"), retry_after=3_600)


def _check_name(document: Document) -> None:
    if len(document.get("displayName", "")) > MAX_NAME:
        raise InvalidValue(f"Token name cannot exceed {MAX_NAME} characters")


def _check_scopes(changes: "Changes", document: Document) -> None:
    """Raise InvalidValue for an unknown scope, Forbidden for one that lends what the client has not."""
    for scope in document["scopes"]:
        if scope not in SCOPES:
            raise InvalidValue(f"There is no scope {scope}")
    for permission in sorted(permissions_of(document["scopes"])):
        changes.principal.require(permission)


def _expiry(changes: "Changes", document: Document, policy: TokenPolicy) -> int | None:
    """Return when the token ends: as asked, else as late as the policy allows (X-25)."""
    _check_name(document)
    latest = changes.moment + policy.maximum_days * _DAY
    asked = moment_of(document.get("expiresAt"))
    if asked is None:
        return None if policy.allow_never else latest
    if asked <= changes.moment:
        raise InvalidValue("expiresAt must be in the future")
    if asked > latest and not policy.allow_never:
        raise InvalidValue(f"A token cannot last longer than {policy.maximum_days} days")
    return asked


async def _lock_client(changes: "Changes") -> str:
    """Return the id of the client for the tokens, made where it is not there, and issue one at a time.

    Raises Forbidden where somebody has revoked it or given it more than such tokens may have.
    """
    name = _client_name(changes)
    own = _client(changes, name)
    await clients.insert_client(changes.writer, own)
    client = await clients.lock_client(changes.writer, changes.tenant_id, name)
    if client is None or client.revoked is not None:
        raise Forbidden(f"The client {name}, for which tokens of users call, has been revoked.")
    if (client.permissions, client.row_scope) != (own["permissions"], own["row_scope"]):
        raise Forbidden(f"The client {name} is not one that tokens of users can call for.")
    return str(client.id)


async def _issue(
    changes: "Changes", client_id: str, id: str, document: Document, secret: str, expires: int | None
) -> None:
    row: Mapping[str, object] = {
        "digest": tokens.digest(secret),
        "tenant_id": changes.tenant_id,
        "client_id": client_id,
        "prefix": secret[:PREFIX_LENGTH],
        "created": changes.moment,
        "expires": expires,
        "id": id,
        "name": document["displayName"],
        "owner_id": document["owner"]["value"],
        "scopes": json.dumps(document["scopes"]),
    }
    await clients.insert_token(changes.writer, dict(row))


def _client_name(changes: "Changes") -> str:
    """Return the name of the client for what this one issues: one for each that sees some users only."""
    issuer = changes.principal
    return API_TOKENS if issuer.row_scope is None else f"{API_TOKENS} of {issuer.client}"


def _client(changes: "Changes", name: str) -> dict[str, object]:
    """Return the client under which the tokens of users call; it sees what their issuer sees."""
    return {
        "tenant_id": changes.tenant_id,
        "id": new_id(),
        "name": name,
        "profile": "admin",
        "dialect": "generic",
        "permissions": "[]",
        "switches": "{}",
        "user_id": None,
        "row_scope": changes.principal.row_scope,
        "created": changes.moment,
    }
