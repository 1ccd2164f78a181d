"""After an erasure nothing can be read, the chain still verifies, and that it happened is on record."""

import hashlib
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks.tamper import Trail
from scim_server.security.transparency.chain import key_id, receipt
from scim_server.security.transparency.parts import subject_of
from scim_server.services import audit
from scim_server.services.settlement import system_call
from scim_server.services.transparency.erasure import Erased, erase, mentions
from scim_server.store.clock import now
from scim_server.store.database import Database
from scim_server.store.residue import empty_log
from scim_server.store.tables import audit_event, audit_key, audit_private, audit_queue
from tests.requirements.records import rows_of


async def erased(trail: Trail, subject: str) -> Erased:
    call = system_call(trail.tenant_id, "default")
    return await erase(
        trail.database, trail.lifecycle.registry, trail.sealing, call, subject, reason="privacyRequest"
    )


async def test_the_chain_verifies_after_an_erasure(trail: Trail) -> None:
    await erased(trail, "user-1")
    await trail.chain()
    verdict = await trail.verify()
    assert (verdict.code, verdict.erased) == (0, 8)


async def test_the_receipt_is_of_the_destroyed_key(trail: Trail) -> None:
    query = sa.select(audit_key.c.secret).where(audit_key.c.subject_id == "user-1")
    ((secret,),) = await rows_of(trail.database, query)
    found = await erased(trail, "user-1")
    assert found.receipt == receipt(key_id(bytes(secret)))
    assert found.receipt == hashlib.sha256(hashlib.sha256(bytes(secret)).digest()).hexdigest()


async def test_the_erasure_is_an_event(trail: Trail) -> None:
    found = await erased(trail, "user-1")
    query = sa.select(audit_event.c.document).where(audit_event.c.id == found.event_id)
    ((document,),) = await rows_of(trail.database, query)
    event = json.loads(document)
    assert (event["action"], event["resource"]["value"]) == ("audit.erase", "user-1")
    assert (event["receipt"], event["reason"]) == (found.receipt, "privacyRequest")


async def test_what_still_waits_is_erased_too(trail: Trail) -> None:
    await trail.write(10)
    await erased(trail, "user-1")
    waiting = await rows_of(trail.database, sa.select(audit_queue.c.id, audit_queue.c.private))
    about = await rows_of(
        trail.database, sa.select(audit_event.c.id).where(audit_event.c.resource_id == "user-1")
    )
    in_the_open = {row[0] for row in waiting if row[1] is not None}
    assert in_the_open.isdisjoint({row[0] for row in about})
    await trail.chain()
    verdict = await trail.verify()
    assert (verdict.code, verdict.erased) == (0, 10)


async def test_later_events_get_a_new_key(trail: Trail) -> None:
    await erased(trail, "user-1")
    await trail.write(5)
    await trail.chain()
    query = sa.select(audit_private.c.key_id).where(audit_private.c.subject_id == "user-1").distinct()
    assert len(await rows_of(trail.database, query)) == 2
    assert (await trail.verify()).code == 0
    assert (await erased(trail, "user-1")).receipt is not None
    await trail.chain()
    assert (await trail.verify()).code == 0


async def test_without_a_key_there_is_nothing_to_erase(trail: Trail) -> None:
    assert await erased(trail, "nobody") == Erased(None, None)


async def write_about(trail: Trail, type: str, id: str, subject: str | None, said: str) -> None:
    event = audit.Event("x.create", type, id, None, {"title": said}, subject=subject)
    call = system_call(trail.tenant_id, "default")
    await trail.database.write(
        lambda writer: audit.record(writer, trail.lifecycle.registry, call, event, now())
    )


@pytest.mark.parametrize("is_queued", [True, False])
async def test_events_of_what_belongs_to_a_user_are_erased_with_the_user(
    begun: Trail, *, is_queued: bool
) -> None:
    await write_about(begun, "AccountAction", "action-1", "user-1", "Stole from the till.")
    await write_about(begun, "AccountAction", "action-2", "user-2", "Came late.")
    if not is_queued:
        await begun.chain()
    assert (await erased(begun, "user-1")).receipt is not None
    await begun.chain()
    query = sa.select(audit_private.c.subject_id, audit_private.c.id)
    kept = {row[0] for row in await rows_of(begun.database, query)}
    assert kept == {"user-1", "user-2"}
    verdict = await begun.verify()
    assert (verdict.code, verdict.erased) == (0, 1)


async def test_the_subject_is_public_only_where_it_is_not_the_resource(begun: Trail) -> None:
    await write_about(begun, "AccountAction", "action-1", "user-1", "x")
    await write_about(begun, "User", "user-1", "user-1", "x")
    query = sa.select(audit_event.c.document).order_by(audit_event.c.id)
    found = [json.loads(row[0]) for row in await rows_of(begun.database, query)]
    assert [event.get("subject") for event in found] == ["user-1", None]
    assert [subject_of(event, "own") for event in found] == ["user-1", "user-1"]


async def test_events_of_others_that_name_the_user_are_counted(begun: Trail) -> None:
    await begun.write(5)
    await write_about(begun, "Group", "group-1", None, 'members: "user-1"')
    await write_about(begun, "Group", "group-2", None, "members: user-11")
    await begun.chain()
    assert await mentions(begun.database, begun.sealing, begun.tenant_id, "user-1") == 1
    await erased(begun, "user-1")
    assert await mentions(begun.database, begun.sealing, begun.tenant_id, "user-1") == 1


async def test_nothing_that_was_erased_is_left_in_a_file_of_sqlite(begun: Trail) -> None:
    if begun.database.dialect != "sqlite":
        pytest.skip("PostgreSQL has VACUUM for that")
    await write_about(begun, "User", "user-1", None, "Stole-from-the-till " * 50)
    path = Path(begun.database.url.database or "")
    files = (path, path.with_name(f"{path.name}-wal"))
    assert any(b"Stole-from" in file.read_bytes() for file in files if file.exists())
    await erased(begun, "user-1")
    assert await empty_log(begun.database)
    assert not any(b"Stole-from" in file.read_bytes() for file in files if file.exists())


async def test_sqlite_overwrites_what_is_deleted(database: Database) -> None:
    if database.dialect != "sqlite":
        pytest.skip("PostgreSQL has VACUUM for that")
    found = await database.write(lambda writer: writer.execute(sa.text("PRAGMA secure_delete")))
    assert found.scalar() == 1
