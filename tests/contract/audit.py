"""Audit events: appended once, listed by columns and by content, and the outbox beside them."""
# ruff: noqa: D102 - a test's name states its fact

from typing import Any

import pytest
import sqlalchemy as sa

from scim_server.scim.normalize import fold_document
from scim_server.scim.resources import Resource
from scim_server.security.transparency.canonical import canonical
from scim_server.store import audit, clients
from scim_server.store.database import Reader, Writer
from scim_server.store.identifiers import new_id
from scim_server.store.listing import Selection
from scim_server.store.tables import audit_event, outbox
from tests.contract.base import BASE, StoreGround
from tests.scim.samples import REGISTRY, bound, known

EVENT = REGISTRY.resource_types["AuditEvent"]
EVENTS: dict[str, dict[str, Any]] = {
    "first": {
        "action": "user.Create",
        "outcome": "success",
        "actor": {"value": "U1", "type": "user", "display": "Ann", "client": "Portal"},
        "resource": {"value": "r1", "type": "User"},
        "changes": [{"path": "active", "from": "false", "to": "true"}],
        "requestId": "Q1",
    },
    "second": {
        "action": "user.update",
        "outcome": "refused",
        "actor": {"type": "client", "client": "Entra"},
        "resource": {"value": "r2", "type": "Group"},
        "reason": "security",
        "note": "Seen",
        "rules": [{"value": "self", "effect": "deny", "message": "No."}],
    },
    "third": {"action": "job.run", "outcome": "noop", "actor": {"type": "system"}},
}
ALL = {"first", "second", "third"}
FOUND: dict[str, set[str]] = {
    'action eq "USER.CREATE"': {"first"},
    'action sw "user."': {"first", "second"},
    'action ne "job.run"': {"first", "second"},
    "action pr": ALL,
    'outcome eq "refused"': {"second"},
    'actor.value eq "U1"': {"first"},
    'actor.value eq "u1"': set(),
    'not (actor.value eq "U1")': {"second", "third"},
    "actor.value pr": {"first"},
    'actor[type eq "user" and client eq "portal"]': {"first"},
    'actor[type eq "user" and client eq "entra"]': set(),
    'actor[not (type eq "user")]': {"second", "third"},
    'actor.display eq "ann"': {"first"},
    'actor.client co "NTR"': {"second"},
    "actor pr": ALL,
    'resource.value eq "r2"': {"second"},
    'resource.type eq "group"': {"second"},
    "not (resource pr)": {"third"},
    'reason eq "Security"': {"second"},
    "reason pr": {"second"},
    'requestId eq "Q1"': {"first"},
    'requestId eq "q1"': set(),
    'changes.path eq "ACTIVE"': {"first"},
    'changes[path eq "active" and to eq "true"]': {"first"},
    'changes[path eq "active" and to eq "false"]': set(),
    'rules.effect eq "deny"': {"second"},
    'note co "see"': {"second"},
    'at eq "1970-01-01T00:00:02Z"': {"second"},
    'at gt "1970-01-01T00:00:01.9999999Z"': {"second", "third"},
    "at pr": ALL,
    'meta.created lt "1970-01-01T00:00:02Z"': {"first"},
    'meta.lastModified ge "1970-01-01T00:00:03Z"': {"third"},
    'meta.version eq "W/\\"1\\""': ALL,
    'meta.resourceType eq "AuditEvent"': ALL,
    f'meta.location sw "{BASE}/AuditEvents/"': ALL,
    'schemas eq "urn:scim-server:schemas:2.0:AuditEvent"': ALL,
    'outcome eq "success" or reason eq "security"': {"first", "second"},
}


def event(tenant: int, name: str, second: int) -> audit.Event:
    """Return an event of that name."""
    document = {"at": f"1970-01-01T00:00:{second:02d}Z", **EVENTS[name]}
    folded = fold_document(document, EVENT)
    return audit.Event(tenant, new_id(), second * 1_000_000, canonical(document), folded, client_id="c")


class AuditContract(StoreGround):
    """The record of what happened."""

    async def logged(self) -> dict[str, str]:
        """Append the events, a second apart; return names by id."""
        events = [event(self.tenant, name, second) for second, name in enumerate(EVENTS, 1)]
        await self.store.write(lambda writer: audit.append(writer, events))
        return dict(zip((each.id for each in events), EVENTS, strict=True))

    def lister(self, filter: str | None = None, **order: Any) -> audit.AuditLister:
        """Return the lister of a filter."""
        condition = None if filter is None else bound(filter, EVENT)
        return audit.AuditLister(self.context, Selection(((EVENT, condition),), **order))

    async def events(self, lister: audit.AuditLister, **page: Any) -> list[Resource]:
        """Return the events of a page."""
        rows = await self.store.read(lambda reader: lister.page(reader, **{"limit": 9, **page}))
        return [row.resource for row in rows]

    async def test_events_are_found_by_columns_and_by_content(self) -> None:
        names = await self.logged()
        found, counted = {}, {}
        for text in FOUND:
            lister = self.lister(text)
            found[text] = {names[each.id] for each in await self.events(lister)}
            counted[text] = await self.store.read(lister.count)
        assert {text: hits for text, hits in found.items() if hits != FOUND[text]} == {}
        assert counted == {text: len(hits) for text, hits in FOUND.items()}

    async def test_an_event_is_a_resource_that_never_changed(self) -> None:
        (own_id, *_) = await self.logged()
        document = {"at": "1970-01-01T00:00:01Z", **EVENTS["first"]}
        expected = Resource("AuditEvent", own_id, 1, 1_000_000, 1_000_000, document)
        assert (await self.events(self.lister(f'id eq "{own_id}"'))) == [expected]
        assert await self._fetched(own_id) == expected

    async def _fetched(self, own_id: str) -> Resource | None:
        return await self.store.read(lambda reader: audit.fetch_event(reader, self.tenant, own_id))

    async def test_events_of_other_tenants_are_not_seen(self) -> None:
        (own_id, *_) = await self.logged()
        self.tenant = await self.store.write(lambda writer: clients.ensure_tenant(writer, "two", 1))
        assert await self.events(self.lister()) == []
        assert await self._fetched(own_id) is None
        assert await self._fetched("\x00") is None

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize(
        ("path", "order"),
        [
            (None, ["first", "second", "third"]),
            ("id", ["first", "second", "third"]),
            ("at", ["first", "second", "third"]),
            ("meta.created", ["first", "second", "third"]),
            ("meta.lastModified", ["first", "second", "third"]),
            ("meta.version", ["first", "second", "third"]),
            ("meta.resourceType", ["first", "second", "third"]),
            ("action", ["third", "first", "second"]),
            ("actor.client", ["second", "first", "third"]),
            ("note", ["second", "first", "third"]),
            ("changes.path", ["first", "second", "third"]),
        ],
    )
    async def test_events_are_sorted_and_walked(
        self, path: str | None, order: list[str], descending: bool
    ) -> None:
        names = await self.logged()
        sort = () if path is None else ((EVENT, known(EVENT, path)),)
        lister = self.lister(sort=sort, descending=descending)
        walked: list[str] = []
        after: list[Any] | None = None
        while page := await self.store.read(lambda reader: lister.page(reader, limit=1, after=after)):  # noqa: B023
            walked.append(names[page[0].resource.id])
            after = [page[0].resource.id] if path is None else [page[0].sort_key, page[0].resource.id]
        assert walked == (order[::-1] if descending else order)
        assert [names[each.id] for each in await self.events(lister, offset=1)] == walked[1:]

    async def test_an_event_is_kept_with_the_client_that_caused_it(self) -> None:
        await self.logged()

        async def work(reader: Reader) -> list[Any]:
            query = sa.select(audit_event.c.client_id, audit_event.c.client).order_by(audit_event.c.id)
            return [tuple(row) for row in await reader.execute(query)]

        assert await self.store.read(work) == [("c", "portal"), ("c", "entra"), ("c", None)]

    async def _recent(self, action: str, second: int, client: str = "c", most: int = 9) -> int:
        return await self.store.read(
            lambda reader: audit.count_recent(reader, self.tenant, client, action, second * 1_000_000, most)
        )

    async def test_what_a_client_did_with_success_is_counted_from_a_moment_on(self) -> None:
        await self.logged()
        assert [await self._recent("user.create", second) for second in (1, 2)] == [1, 0]
        assert await self._recent("user.Create", 1) == 1
        assert await self._recent("user.create", 1, client="other") == 0
        assert await self._recent("user.update", 1) == 0
        assert await self._recent("user.create", 1, most=0) == 0

    async def test_the_outbox_keeps_what_is_to_be_sent(self) -> None:
        notice = audit.Notice(self.tenant, "1", "a1", "prov:activate", 5, {"id": "é"}, "u1")

        async def work(writer: Writer) -> None:
            await audit.outbox(writer, [notice])
            await audit.outbox(writer, [])
            await audit.append(writer, [])

        async def rows(reader: Reader) -> list[Any]:
            return [tuple(row) for row in await reader.execute(sa.select(outbox))]

        await self.store.write(work)
        assert await self.store.read(rows) == [
            (self.tenant, "1", "a1", "prov:activate", "u1", 5, '{"id":"é"}')
        ]
