"""What the rules need to know of other resources, read before they run and only where it matters."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from scim_server.lifecycle.assignments import ROLES, valid_entries
from scim_server.lifecycle.catalogue import Catalogue, Entry
from scim_server.lifecycle.change import Change, Lookups, Obligation
from scim_server.lifecycle.documents import Document, get, primary_email, put
from scim_server.lifecycle.reference_rules import MANAGER
from scim_server.lifecycle.state import moment
from scim_server.lifecycle.urns import CONNECTOR, ENTERPRISE, LIFECYCLE, MAPPING
from scim_server.scim.documents import is_storable
from scim_server.scim.filters.binding import bind_filter
from scim_server.scim.filters.grammar import parse_filter
from scim_server.scim.identifiers import canonical_id
from scim_server.scim.policy import Policy
from scim_server.scim.resources import Resource
from scim_server.scim.values import fold_text
from scim_server.store import audit, holders, pending, people, references, resources
from scim_server.store.database import Writer
from scim_server.store.deleted import find_deleted_by
from scim_server.store.filters.compiler import FilterContext
from scim_server.store.listing import Lister, Selection

MANAGER_KEY = "enterprise:2.0:User:manager"
GROUP = "Group"
_MOST = 1_000
_IS_TO_END = 'status eq "scheduled" and (kind eq "deactivate" or kind eq "suspend")'
_COUNTED = {
    "deletions": "user.delete",
    "deactivations": "user.deactivate",
    "role_grants": "user.assignRole",
}
"""What the policies count in a window, with the action that it has in the audit trail."""


def quoted(text: str) -> str:
    """Return a text as a value of a filter."""
    return json.dumps(text, ensure_ascii=False)


@dataclass(slots=True)
class Foreseen:
    """What many creations of one transaction ask for, read at once, and kept up as each of them is done.

    `holders` are the ids of users by folded primary e-mail address, `users` the ids that are of users,
    `is_waited_for` tells whether anybody waits for a user who is not there yet.
    """

    holders: dict[str, set[str]]
    users: set[str]
    is_waited_for: bool

    @classmethod
    async def of(cls, writer: Writer, tenant_id: int, bodies: Iterable[Any]) -> "Foreseen":
        """Return what the POST bodies of users ask for, as far as that can be seen from what they say."""
        addresses, named = set[str](), set[str]()
        for body in bodies:
            stated = {key.lower(): value for key, value in body.items()} if isinstance(body, dict) else {}
            addresses |= {fold_text(text) for text in _texts(stated.get("emails"))}
            named |= {
                canonical_id(text) for text in _texts(_member(stated.get(ENTERPRISE.lower()), "manager"))
            }
        holders = await people.holders_by_email(
            writer, tenant_id, [text for text in addresses if is_storable(text)]
        )
        types = await resources.lock_targets(writer, tenant_id, sorted(named))
        users = {own_id for own_id, type_name in types.items() if type_name == "User"}
        return cls(holders, users, await pending.is_any_waited_for(writer, tenant_id, "User"))

    def add(self, id: str, document: Document) -> None:
        """Note that a user was made."""
        self.users.add(id)
        address = people.main_address(document.get("emails", ()))
        if address is not None:
            self.holders.setdefault(fold_text(address), set()).add(id)


def _texts(value: Any) -> list[str]:
    """Return the texts that a value, or the `value` of its elements, may be."""
    items = value if isinstance(value, list) else [value]
    found = [_member(item, "value") if isinstance(item, dict) else item for item in items]
    return [text for text in found if isinstance(text, str)]


def _member(value: Any, name: str) -> Any:
    """Return a member of an object, in any case."""
    if not isinstance(value, dict):
        return None
    return next((item for key, item in value.items() if key.lower() == name), None)


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds resources of one tenant inside a transaction.

    `foreseen` is there where all that the transaction does is to create users, none of which another one
    that comes before it names.
    """

    writer: Writer
    context: FilterContext
    client_id: str
    foreseen: Foreseen | None = None

    async def find(
        self, type_name: str, filter: str, limit: int = _MOST, *, by: str | None = None
    ) -> list[Resource]:
        """Return the resources of a type that satisfy a filter, without references.

        They come by an attribute in ascending order, or the oldest first.
        """
        kind = self.context.registry.resource_types[type_name]
        condition = bind_filter(parse_filter(filter), kind, Policy())
        attribute = kind.resolve(by) if by else None
        sort = ((kind, attribute),) if attribute else ()
        lister = Lister(self.context, Selection(((kind, condition),), sort))
        return [row.resource for row in await lister.page(self.writer, limit=limit)]

    async def users_called(self, text: str) -> list[str]:
        """Return the ids of the users that an id, user name, e-mail or employee number names."""
        tenant_id, named = self.context.tenant_id, canonical_id(text)
        if self.foreseen is not None and named in self.foreseen.users:
            return [named]
        if (await resources.lock_targets(self.writer, tenant_id, [named])).get(named) == "User":
            return [named]
        key = fold_text(text)
        return (await people.lookup_users(self.writer, tenant_id, [key])).get(key, [])


async def settle_manager(finder: Finder, before: Document | None, after: Document) -> tuple[str, str] | None:
    """Name the manager by id in place where it is known; returns path and text of one that is not."""
    manager = get(after, ENTERPRISE, "manager")
    if not manager or manager == get(before or {}, ENTERPRISE, "manager"):
        return None
    found = await finder.users_called(manager["value"])
    if len(found) != 1:
        return MANAGER, manager["value"]
    put(after, ENTERPRISE, "manager", {**manager, "value": found[0]})
    return None


async def lookups_for(change: Change, catalogue: Catalogue, finder: Finder, now: int) -> Lookups:
    """Return the lookups for a change of a user.

    Access that ends asks for what others may be adding at the same moment, such as obligations and tokens:
    they wait for the user's row, which has to be locked for that.
    """
    if change.is_deletion or change.is_deactivation:
        finder.writer.needs_transaction()
    lost = _lost_roles(change, catalogue, now)
    ends = _end_of_administration(change, catalogue, now)
    await _lock_counted(lost, catalogue, finder, is_ending=ends is not None)
    return Lookups(
        email_taken=await _email_taken(change, finder),
        team_state=await _team_state(change, finder),
        managers=await _managers(change, finder),
        sole_roles=frozenset([entry.display for entry in lost if await _is_sole(entry, change, finder, now)]),
        is_last_administrator=await _is_last_administrator(change, catalogue, finder, ends),
        obligations=tuple(await _obligations(change, finder)),
        recent=await _recent(change, catalogue, finder, now),
    )


async def _email_taken(change: Change, finder: Finder) -> bool:
    address = primary_email(change.new)
    if address is None or address == primary_email(change.old):
        return False
    folded = fold_text(address)
    if finder.foreseen is not None and folded in finder.foreseen.holders:
        return bool(finder.foreseen.holders[folded] - {change.id})
    return bool(await people.email_holders(finder.writer, finder.context.tenant_id, [folded], change.id))


async def _team_state(change: Change, finder: Finder) -> str:
    """Return what became of the new team; any is good where no group is a team (S4 §13, §19)."""
    team = get(change.new, CONNECTOR, "teamCode")
    if not team or team == get(change.old, CONNECTOR, "teamCode"):
        return ""
    is_team, tenant_id = f'{MAPPING}:kind eq "team"', finder.context.tenant_id
    if await finder.find(GROUP, f"displayName eq {quoted(team)} and {is_team}", 1):
        return ""
    former = await find_deleted_by(finder.writer, tenant_id, GROUP, "displayName", fold_text(team))
    if former is not None and get(former.document, MAPPING, "kind") == "team":
        return "gone"
    return "unknown" if await finder.find(GROUP, is_team, 1) else ""


async def _managers(change: Change, finder: Finder) -> tuple[str, ...]:
    """Return the user itself where the new manager reports to it, directly or through others."""
    manager = get(change.new, ENTERPRISE, "manager")
    if not manager or manager == get(change.old, ENTERPRISE, "manager"):
        return ()
    if change.is_creation and finder.foreseen is not None:
        return (change.id,) if manager["value"] == change.id else ()
    starts, tenant_id = [manager["value"]], finder.context.tenant_id
    circular = await references.is_reachable(finder.writer, tenant_id, MANAGER_KEY, starts, change.id)
    return (change.id,) if circular else ()


def _lost_roles(change: Change, catalogue: Catalogue, now: int) -> list[Entry]:
    """Return the roles that a change takes from the user: by removal, deactivation or deletion."""
    before = [entry for _, entry in valid_entries(change.old, ROLES, catalogue, now)]
    if change.is_deletion or change.is_deactivation:
        return before if change.old.get("active") else []
    after = {entry.id for _, entry in valid_entries(change.new, ROLES, catalogue, now)}
    return [entry for entry in before if entry.id not in after] if change.old.get("active") else []


async def _lock_counted(
    lost: Sequence[Entry], catalogue: Catalogue, finder: Finder, *, is_ending: bool
) -> None:
    """Let those who take holders away from roles of which somebody has to remain do so one by one."""
    counted = {entry.id for entry in lost if _least(entry) > 0}
    if is_ending:
        counted |= {entry.id for entry in _administrating(catalogue)}
    if counted:
        await holders.lock_holders(finder.writer, finder.context.tenant_id, sorted(counted))


def _administrating(catalogue: Catalogue) -> list[Entry]:
    names = {name.lower() for name in catalogue.policies.administrator_roles}
    return [entry for entry in catalogue.roles if entry.value.lower() in names]


def _least(entry: Entry) -> int:
    return int(entry.fact("minimumAssignees") or 0)


async def _is_sole(entry: Entry, change: Change, finder: Finder, now: int) -> bool:
    least = _least(entry)
    if least < 1:
        return False
    others = await holders.other_active_holders(
        finder.writer, finder.context.tenant_id, [entry.id], change.id, now, least
    )
    return len(others) < least


async def _is_last_administrator(
    change: Change, catalogue: Catalogue, finder: Finder, ends: int | None
) -> bool:
    """Tell whether nobody else administers when the user is to do so no more."""
    if ends is None:
        return False
    ids = [entry.id for entry in _administrating(catalogue)]
    others = await holders.other_active_holders(
        finder.writer, finder.context.tenant_id, ids, change.id, ends, _MOST
    )
    for other in others:
        if not await finder.find("ScheduledChange", f'user.value eq "{other}" and {_IS_TO_END}', 1):
            return False
    return True


def _end_of_administration(change: Change, catalogue: Catalogue, now: int) -> int | None:
    """Return the moment from which the user administers no more; None where the change brings no such end."""
    before = _administrates_until(change.old, catalogue, now)
    if before <= now:
        return None
    is_gone = change.is_deletion or change.is_deactivation
    after = now if is_gone else max(now, _administrates_until(change.new, catalogue, now))
    return int(after) if after < before else None


def _administrates_until(document: Document, catalogue: Catalogue, now: int) -> float:
    """Return until when an active user has a role that administers; 0 where it has none now."""
    if not document.get("active"):
        return 0
    ids = {entry.id for entry in _administrating(catalogue)}
    held = [row for row, entry in valid_entries(document, ROLES, catalogue, now) if entry.id in ids]
    ends = [moment(row.get("validTo")) for row in held]
    latest = max((inf if end is None else end for end in ends), default=0)
    own = moment(get(document, LIFECYCLE, "validTo"))
    return min(latest, inf if own is None else own)


async def leaves_no_administrator(finder: Finder, catalogue: Catalogue, role_id: str, now: int) -> bool:
    """Tell whether somebody administers now and nobody would without a role."""
    ids = [entry.id for entry in _administrating(catalogue)]
    if role_id not in ids:
        return False
    writer, tenant_id = finder.writer, finder.context.tenant_id
    await holders.lock_holders(writer, tenant_id, ids)
    kept = [other for other in ids if other != role_id]
    if not await holders.other_active_holders(writer, tenant_id, [role_id], "", now):
        return False
    return not await holders.other_active_holders(writer, tenant_id, kept, "", now)


async def _obligations(change: Change, finder: Finder) -> list[Obligation]:
    if not change.is_deletion and not change.is_deactivation:
        return []
    found = await holders.open_obligations(finder.writer, finder.context.tenant_id, [change.id])
    return [
        Obligation(
            own_id,
            document.get("kind", ""),
            document.get("display", ""),
            frozenset(document.get("blocks", ("delete",))),
        )
        for own_id, document in found.get(change.id, ())
    ]


async def _recent(change: Change, catalogue: Catalogue, finder: Finder, now: int) -> dict[str, int]:
    """Return how often this client did the same in the window, where the policies count it."""
    kind = _counted(change, catalogue, now)
    if kind is None or change.actor.is_human or change.actor.profile == "system":
        return {}
    since = now - catalogue.policies.burst.window_minutes * 60_000_000
    most = getattr(catalogue.policies.burst, kind)
    tenant_id, action = finder.context.tenant_id, _COUNTED[kind]
    return {kind: await audit.count_recent(finder.writer, tenant_id, finder.client_id, action, since, most)}


def _counted(change: Change, catalogue: Catalogue, now: int) -> str | None:
    if change.is_deletion:
        return "deletions"
    if change.is_deactivation:
        return "deactivations"
    before, after = (
        {entry.id for _, entry in valid_entries(one, ROLES, catalogue, now)}
        for one in (change.old, change.new)
    )
    return "role_grants" if after - before and not change.is_creation else None
