"""Lists: filtered, sorted, paged by index or by cursor, over one or several resource types."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from scim_server.scim.attributes import Attribute
from scim_server.scim.cursors import CursorSeal
from scim_server.scim.errors import InvalidPath
from scim_server.scim.filters import grammar
from scim_server.scim.filters.binding import Condition, bind_filter
from scim_server.scim.messages.query import Query
from scim_server.scim.projection import Projection
from scim_server.scim.registry import Registry, ResourceType
from scim_server.scim.resources import Resource
from scim_server.scim.shown import Shown
from scim_server.security.principals import READING, VIEW
from scim_server.security.tenants import NOTHING_SET, TenantSettings
from scim_server.security.transparency.sealing import Sealing
from scim_server.services.audit import AUDIT_EVENT
from scim_server.services.completion import complete, hidden_paths
from scim_server.services.context import CallContext, filter_context
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.loading import Projections, load_references
from scim_server.services.row_scope import check_readable, confined, is_listed
from scim_server.services.settlement import Settlement
from scim_server.services.showing import all_current, is_current, is_shown
from scim_server.services.transparency.revealing import reveal
from scim_server.services.walks import Position, WalkMemory
from scim_server.store import clients as rows
from scim_server.store import resources
from scim_server.store.audit import AuditLister
from scim_server.store.clock import now
from scim_server.store.database import Database, Reader
from scim_server.store.listing import Lister, Row, Selection, live_count
from scim_server.store.showing import Unshown
from scim_server.store.shown_lists import ShownByKey, ShownLister, ShownMatches, ShownRow, shown_lister

AnyLister = Lister | ShownLister
AnyRow = Row | ShownRow
WALK_FROM = 1_000
"""Offsets below this are mostly cheap; above it a walk's key position is remembered instead."""


@dataclass(frozen=True, slots=True)
class PageLimits:
    """Page sizes and how long a cursor lives, in seconds."""

    default: int
    maximum: int
    cursor_seconds: int

    def of(self, own: TenantSettings) -> "PageLimits":
        """Return the limits with what is set for a tenant alone."""
        if own is NOTHING_SET:
            return self
        maximum = own.page_size_max or self.maximum
        return replace(self, default=min(own.page_size_default or self.default, maximum), maximum=maximum)

    def size(self, count: int | None) -> int:
        """Return the size of a page for a count."""
        return self.default if count is None else min(count, self.maximum)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: resources with references, the projections to render them, and paging facts.

    `start_index` is None and `next_cursor` may be set where the client pages by cursor.
    """

    resources: Sequence[Resource | Shown]
    projections: Projections
    total: int
    start_index: int | None
    next_cursor: str | None = None


class Search:
    """Answers list requests."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        lifecycle: Lifecycle,
        limits: PageLimits,
        sealing: Sealing | None = None,
    ) -> None:
        self._database = database
        self._registry = registry
        self._lifecycle = lifecycle
        self._settlement = Settlement(database, registry, lifecycle)
        self._limits = limits
        self._sealing = sealing or Sealing()
        self._walks = WalkMemory()
        self._seal: CursorSeal | None = None

    async def search(self, call: CallContext, types: Sequence[ResourceType], query: Query) -> Page:
        """Return one page of the resources of the given types that satisfy the query.

        Raises Forbidden, InvalidFilter, InvalidPath for an unknown sortBy, InvalidCursor, ExpiredCursor.
        """
        types = _readable(call, types)
        selection = self._selection(call, types, query)
        await self._settlement.settle(call)
        return await self._database.read(
            lambda reader: self._page(reader, call, selection, query), call.claim
        )

    def _selection(self, call: CallContext, types: Sequence[ResourceType], query: Query) -> Selection:
        conditions: list[tuple[ResourceType, Condition | None]] = [(kind, None) for kind in types]
        principal = call.principal
        policy = principal.policy
        if query.filter is not None:
            expression = grammar.parse_filter(query.filter, policy)
            known = _known_by_any(types) if len(types) > 1 else None
            conditions = [
                (
                    kind,
                    bind_filter(
                        expression,
                        kind,
                        policy,
                        known_elsewhere=known,
                        hidden=hidden_paths(principal, kind),
                    ),
                )
                for kind in types
            ]
        conditions = [
            (kind, confined(principal, self._registry, kind, condition)) for kind, condition in conditions
        ]
        sort: list[tuple[ResourceType, Attribute]] = []
        if query.sort_by is not None:
            sort = [
                (kind, found)
                for kind in types
                if (found := _sort_attribute(kind, query.sort_by)) is not None
                and found.path not in hidden_paths(principal, kind)
            ]
            if not sort:
                raise InvalidPath(
                    f"sortBy names no attribute that can be sorted by: {query.sort_by[:120]!r}."
                )
        return Selection(tuple(conditions), tuple(sort), query.descending)

    async def _page(self, reader: Reader, call: CallContext, selection: Selection, query: Query) -> Page:
        lister = self._lister(call, selection, query)
        size = self._limits.of(call.principal.settings).size(query.count)
        scope = _scope(call, selection, query)
        if query.cursor is not None:
            return await self._cursor_page(reader, call, lister, query, size, scope)
        found = await self._indexed_rows(reader, lister, query.start_index, size, scope)
        total = await self._total(reader, lister, query, scope, found, size)
        if query.start_index > total:
            found = []
        return await self._complete(reader, call, selection, query, found, total, query.start_index, None)

    def _lister(self, call: CallContext, selection: Selection, query: Query) -> AnyLister:
        varying = self._lifecycle.engine.varying
        context = filter_context(self._database, self._registry, call, varying)
        if [kind.name for kind, _ in selection.types] == [AUDIT_EVENT]:
            return AuditLister(context, selection)
        projections = _projections(call, selection, query)
        is_all_shown = all(is_shown(call, kind, projections[kind.name]) for kind, _ in selection.types)
        if not is_all_shown or selection.sort or len(selection.types) > 1:
            return Lister(context, selection)
        return shown_lister(context, selection) or Lister(context, selection)

    async def _indexed_rows(
        self, reader: Reader, lister: AnyLister, start_index: int, size: int, scope: tuple[object, ...]
    ) -> Sequence[AnyRow]:
        if size == 0:
            return []
        offset = start_index - 1
        mark, position = self._walks.nearest(scope, offset) or (0, None)
        found: Sequence[AnyRow]
        found = await lister.page(reader, limit=size, offset=offset - mark, after=position)
        end = offset + len(found)
        if found and (end >= WALK_FROM or (isinstance(lister, ShownMatches) and lister.is_common)):
            self._walks.mark(scope, end, _position(lister, found[-1]))
        return found

    async def _total(
        self,
        reader: Reader,
        lister: AnyLister,
        query: Query,
        scope: tuple[object, ...],
        found: Sequence[AnyRow],
        size: int,
    ) -> int:
        """Return the number of results without counting where something cheaper knows it."""
        scoped = any(condition is not None for _, condition in lister.selection.types)
        if isinstance(lister, ShownLister) and lister.total is not None:
            return lister.total
        if not scoped and not isinstance(lister, AuditLister):
            names = [kind.name for kind, _ in lister.selection.types]
            return await live_count(reader, lister.context.tenant_id, names)
        if isinstance(lister, ShownByKey) and query.start_index == 1:
            return len(found) if size else await lister.count(reader)
        if query.cursor in (None, "") and len(found) < size and (found or query.start_index == 1):
            return query.start_index - 1 + len(found)
        is_start = query.start_index == 1 and not query.cursor
        return await self._walks.total(scope, lambda: lister.count(reader), is_start=is_start, many=WALK_FROM)

    async def _cursor_page(
        self,
        reader: Reader,
        call: CallContext,
        lister: AnyLister,
        query: Query,
        size: int,
        scope: tuple[object, ...],
    ) -> Page:
        seal = await self._cursor_seal(reader)
        seconds = int(time.time())
        after = seal.open(query.cursor, scope, now=seconds) if query.cursor else None
        found: Sequence[AnyRow] = []
        if size:
            found = await lister.page(reader, limit=size + 1, after=after)
        more, found = len(found) > size, found[:size]
        next_cursor = None
        if more:
            expires = seconds + self._limits.cursor_seconds
            next_cursor = seal.seal(_position(lister, found[-1]), scope, expires=expires)
        if query.filter is not None and not query.cursor and not more and size:
            total = len(found)
        else:
            total = await self._total(reader, lister, query, scope, found, 0)
        return await self._complete(reader, call, lister.selection, query, found, total, None, next_cursor)

    async def _cursor_seal(self, reader: Reader) -> CursorSeal:
        if self._seal is None:
            self._seal = CursorSeal(await rows.secret_of(reader, "cursor"))
        return self._seal

    async def _complete(
        self,
        reader: Reader,
        call: CallContext,
        selection: Selection,
        query: Query,
        found: Sequence[AnyRow],
        total: int,
        start_index: int | None,
        next_cursor: str | None,
    ) -> Page:
        projections = _projections(call, selection, query)
        listed = [row.resource for row in found]
        if all_current(listed, call):
            return Page(listed, projections, total, start_index, next_cursor)
        missing = {one.id for one in listed if not isinstance(one, Resource) and not is_current(call, one)}
        moment, tenant_id = now(), call.principal.tenant_id
        events = [one for one in listed if isinstance(one, Resource) and one.type == AUDIT_EVENT]
        await reveal(reader, self._sealing, tenant_id, events)
        fetched = await resources.fetch_all(reader, tenant_id, sorted(missing), now=moment) if missing else {}
        whole = listed
        if missing:
            whole = [fetched.get(one.id, one) for one in listed if one.id not in missing or one.id in fetched]
        unfinished = [one for one in whole if isinstance(one, Resource)]
        if unfinished:
            await load_references(reader, tenant_id, self._registry, unfinished, projections, now=moment)
            catalogue = await self._lifecycle.catalogue(reader, tenant_id, call.principal.catalogue_version)
            await complete(
                reader, self._lifecycle, call.principal, catalogue, unfinished, projections, moment
            )
        shown = [one for one in whole if not isinstance(one, Unshown)]
        return Page(shown, projections, total, start_index, next_cursor)


def _projections(call: CallContext, selection: Selection, query: Query) -> Projections:
    policy = call.principal.policy
    return {
        kind.name: Projection.of(kind, query.attributes, query.excluded_attributes, policy)
        for kind, _ in selection.types
    }


def _readable(call: CallContext, types: Sequence[ResourceType]) -> Sequence[ResourceType]:
    """Return the types that a client may list; of several, audit events are left out, which live elsewhere.

    Raises Forbidden where none remains.
    """
    if len(types) == 1:
        call.principal.require_for(types[0].name, READING)
        check_readable(call.principal, types[0])
        return types
    allowed = [
        kind
        for kind in types
        if kind.name != AUDIT_EVENT
        and is_listed(call.principal, kind)
        and call.principal.may(kind.name, READING)
    ]
    if not allowed:
        call.principal.require(VIEW)
    return allowed


def _position(lister: AnyLister, row: AnyRow) -> Position:
    return [row.resource.id] if lister.sort_key is None else [row.sort_key, row.resource.id]


def _scope(call: CallContext, selection: Selection, query: Query) -> tuple[object, ...]:
    """Return what a position belongs to: tenant, client, types, filter and order."""
    names = tuple(kind.name for kind, _ in selection.types)
    principal = call.principal
    return (principal.tenant_id, principal.client_id, names, query.filter, query.sort_by, query.descending)


def _known_by_any(types: Sequence[ResourceType]) -> Callable[[str], bool]:
    return lambda path: any(kind.resolve(path) is not None for kind in types)


def _sort_attribute(resource_type: ResourceType, path: str) -> Attribute | None:
    attribute = resource_type.resolve(path)
    if attribute is not None and attribute.type == "complex":
        attribute = attribute.sub("value") or attribute.sub("formatted")
    if attribute is None or attribute.returned == "never" or attribute.container.reference_kind != "none":
        return None
    return attribute
