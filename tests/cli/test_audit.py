"""`scim-server audit` on both databases."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.tamper import AT, ATTACKS, EVENTS, Trail
from scim_server import cli
from scim_server.security.transparency.notes import Checkpoint, Signer
from scim_server.services import audit
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.settlement import system_call
from scim_server.store import chain
from scim_server.store.clock import now
from scim_server.store.database import Database
from scim_server.store.tables import (
    audit_chain,
    audit_event,
    audit_private,
    audit_queue,
    tenant,
)
from scim_server.store.upgrade import head_revision
from tests.cli.conftest import Run
from tests.requirements.records import rows_of

LIFECYCLE = Lifecycle.of()
Told = Callable[[str], None]


@pytest.fixture
def trail(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trail:
    """Give a trail of 40 events whose key and published checkpoints are in files, its store closed."""

    async def work() -> Trail:
        trail = Trail(Database(database_url), LIFECYCLE)
        await trail.fill()
        await trail.database.close()
        return trail

    trail = asyncio.run(work())
    key = tmp_path / "key.pem"
    key.write_text(trail.signer.stored(), encoding="utf-8")
    key.chmod(0o600)
    monkeypatch.setenv("SCIM_AUDIT_KEY_FILE", str(key))
    lines = [json.dumps({"tenant": "default", "checkpoint": note}) for note in trail.notes]
    (tmp_path / "published.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return trail


@pytest.fixture
def tamper(trail: Trail, database_url: str) -> Told:
    """Give a function that does what an attack of a name does."""

    def tamper(name: str) -> None:
        async def work() -> None:
            trail.database = Database(database_url)
            await trail.tamper(next(one for one in ATTACKS if one.name.startswith(name)).work)
            await trail.database.close()

        asyncio.run(work())

    return tamper


def seventeenth(database_url: str) -> str:
    async def work() -> str:
        database = Database(database_url)
        query = sa.select(audit_chain.c.event_id).where(audit_chain.c.sequence == AT)
        ((event_id,),) = await rows_of(database, query)
        await database.close()
        return str(event_id)

    return asyncio.run(work())


@pytest.mark.usefixtures("trail")
def test_verify_exits_with_0_where_all_is_as_it_was(run_on: Run) -> None:
    (found,) = run_on("audit", "verify", "--all", "--json").json()
    assert (found["verdict"], found["events"], found["checkpoints"]) == ("intact", EVENTS, 4)


def test_verify_exits_with_1_and_names_the_first_bad_number(run_on: Run, tamper: Told) -> None:
    tamper("edit the public bytes")
    found = run_on("audit", "verify")
    assert found.code == 1
    assert f"first bad sequence {AT}" in found.out


def test_verify_with_a_published_checkpoint_finds_that_all_was_rewritten(
    run_on: Run, tamper: Told, tmp_path: Path
) -> None:
    tamper("rewrite the end")
    assert run_on("audit", "verify").code == 0
    found = run_on("audit", "verify", "--checkpoint", str(tmp_path / "published.jsonl"))
    assert found.code == 1
    assert "between 11 and 20" in found.out


def test_verify_with_a_single_note_finds_that_the_end_is_missing(
    run_on: Run, tamper: Told, trail: Trail, tmp_path: Path
) -> None:
    tamper("cut off the end, set")
    note = tmp_path / "note"
    note.write_text(trail.notes[-1], encoding="utf-8")
    found = run_on("audit", "verify", "--checkpoint", str(note), "--pubkey", str(trail.signer.verifier))
    assert found.code == 1
    assert "first bad sequence 35" in found.out


@pytest.mark.usefixtures("trail")
def test_verify_exits_with_2_where_it_cannot_tell(
    run_on: Run, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SCIM_AUDIT_KEY_FILE")
    codes = [
        run_on("audit", "verify").code,
        run_on("audit", "verify", "--checkpoint", str(tmp_path / "missing")).code,
        run_on("audit", "verify", "--pubkey", "nonsense").code,
        run_on("audit", "verify", "--tenant", "nobody").code,
        run("audit", "verify", "--database-url", f"sqlite:///{tmp_path}/none.db").code,
    ]
    assert codes == [2] * 5


def changed(database_url: str, *statements: Any) -> None:
    async def work() -> None:
        database = Database(database_url)
        async with database.engine.begin() as connection:
            for statement in statements:
                await connection.execute(statement)
        await database.close()

    asyncio.run(work())


@pytest.mark.usefixtures("trail")
def test_verify_exits_with_2_whatever_keeps_it_from_looking(
    run_on: Run, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str
) -> None:
    no_store = tmp_path / "no.db"
    no_store.write_text("this is no database" * 100, encoding="utf-8")
    codes = [
        run("audit", "verify", "--database-url", f"sqlite:///{no_store}").code,
        run("audit", "verify", "--database-url", "oracle://host/name").code,
        run_on("audit", "verify", "--from", "10", "--to", "5").code,
        run_on("audit", "verify", "--from", "100").code,
    ]
    for name in ("SCIM_AUDIT_KEY_FILE", "SCIM_AUDIT_MASTER_KEY_FILE"):
        with monkeypatch.context() as patch:
            patch.setenv(name, str(tmp_path / "missing"))
            found = run_on("audit", "verify")
            assert "cannot be reached" not in found.err
            codes.append(found.code)
    (tmp_path / "key.pem").chmod(0o644)
    codes.append(run_on("audit", "verify").code)
    (tmp_path / "key.pem").chmod(0o600)
    changed(database_url, sa.text("UPDATE alembic_version SET version_num = '0010'"))
    found = run_on("audit", "verify")
    changed(database_url, sa.text(f"UPDATE alembic_version SET version_num = '{head_revision()}'"))
    assert [*codes, found.code] == [2] * 8
    assert "revision 0010" in found.err


def test_verify_with_keys_that_were_retired(run_on: Run, trail: Trail, tmp_path: Path) -> None:
    old, new = trail.signer.verifier, Signer.generate("demonstration")
    key = tmp_path / "key.pem"
    key.write_text(new.stored(), encoding="utf-8")
    assert run_on("audit", "verify").code == 2
    keys = tmp_path / "keys"
    keys.write_text(f"# since 2026\n{new.verifier}\n\n{old}\n", encoding="utf-8")
    assert run_on("audit", "verify", "--pubkey", str(keys)).code == 0
    assert run_on("audit", "verify", "--pubkey", str(new.verifier), "--pubkey", str(old)).code == 0
    key.write_text(f"retired: {old}\n{new.stored()}", encoding="utf-8")
    assert run_on("audit", "verify").code == 0
    assert Signer.parse(key.read_text(encoding="utf-8")).stored().count("retired: ") == 1


@pytest.mark.usefixtures("trail")
def test_verify_says_which_checkpoints_no_tenant_is_there_for(
    run_on: Run, database_url: str, tmp_path: Path
) -> None:
    published = str(tmp_path / "published.jsonl")
    assert run_on("audit", "verify", "--all", "--checkpoint", published).code == 0
    changed(database_url, tenant.update().values(deleted=1))
    found = run_on("audit", "verify", "--all", "--checkpoint", published)
    assert (found.code, "marked as deleted" in found.out) == (0, True)
    for table in (audit_private, audit_event):
        changed(database_url, table.delete())
    assert run_on("audit", "verify", "--all", "--checkpoint", published).code == 2
    changed(database_url, tenant.update().values(deleted=None, name="renamed"))
    found = run_on("audit", "verify", "--all", "--checkpoint", published)
    assert found.code == 1
    assert "about demonstration/default" in found.err


def test_verify_with_checkpoints_of_another_tenant_alone_cannot_tell(
    run_on: Run, trail: Trail, tmp_path: Path
) -> None:
    lines = (tmp_path / "published.jsonl").read_text(encoding="utf-8").splitlines()
    other = Checkpoint("demonstration/other", 3, bytes(32), "2026-01-01T00:00:00Z", bytes(32))
    note = json.dumps({"checkpoint": trail.signer.note(other)})
    path = tmp_path / "other.jsonl"
    path.write_text(note, encoding="utf-8")
    found = run_on("audit", "verify", "--checkpoint", str(path))
    assert found.code == 2
    assert "demonstration/other" in found.err
    path.write_text("\n".join([*lines, lines[0][:40]]), encoding="utf-8")
    found = run_on("audit", "verify", "--checkpoint", str(path))
    assert found.code == 2
    assert "line 5" in found.err


@pytest.mark.usefixtures("trail")
def test_verify_exits_with_2_where_events_wait_too_long(run_on: Run, database_url: str) -> None:
    changed(database_url, audit_queue.insert().values(tenant_id=1, id="0ghost"))
    found = run_on("audit", "verify")
    assert (found.code, "queued events are not there" in found.out) == (2, True)


@pytest.mark.usefixtures("trail")
def test_prove_prints_a_proof(run_on: Run, database_url: str) -> None:
    event_id = seventeenth(database_url)
    proof = run_on("audit", "prove", event_id, "--json").json()
    assert (proof["id"], proof["sequence"], proof["size"]) == (event_id, AT, EVENTS)
    assert f"sequence      {AT}" in run_on("audit", "prove", event_id).out
    assert "no place in the chain" in run_on("audit", "prove", "nothing").complaint()


@pytest.mark.usefixtures("trail")
def test_consistency_prints_a_proof(run_on: Run) -> None:
    proof = run_on("audit", "consistency", "10", "40", "--json").json()
    assert (proof["first"], proof["second"]) == (10, 40)
    assert "Sizes are from 1 to 40" in run_on("audit", "consistency", "1", "41").complaint()


@pytest.mark.usefixtures("trail")
def test_export_prints_a_line_for_each_event(run_on: Run) -> None:
    lines = run_on("audit", "export", "--from", "11", "--to", "20").out.splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == list(range(11, 21))
    assert run_on("audit", "export", "--format", "xml").code == 2


@pytest.mark.usefixtures("trail")
def test_status_tells_how_far_the_chain_is(run_on: Run) -> None:
    found = run_on("audit", "status", "--json").json()
    assert {name: found[name] for name in ("queued", "sequence", "checkpoint_size", "signing")} == {
        "queued": 0,
        "sequence": EVENTS,
        "checkpoint_size": EVENTS,
        "signing": "yes",
    }


def test_keygen_makes_a_key_that_only_its_owner_reads(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "new.pem"
    made = run("audit", "keygen", str(path), "--name", "log.test", "--json").json()
    assert made["public_key"].startswith("log.test+")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "File exists" in run("audit", "keygen", str(path)).complaint()
    assert cli.run(["audit", "keygen", str(tmp_path / "m"), "--master"]) == 0
    assert len((tmp_path / "m").read_text(encoding="utf-8")) == 64


@pytest.mark.usefixtures("trail")
def test_erase_leaves_a_receipt_and_an_intact_chain(run_on: Run) -> None:
    erased = run_on("audit", "erase", "user-1", "--reason", "privacyRequest", "--json").json()
    assert len(erased["receipt"]) == 64
    assert run_on("audit", "verify").code == 0
    assert run_on("audit", "erase", "user-2", "--reason", "Ann Smith left").code == 2
    assert "nothing to erase" in run_on("audit", "erase", "user-1").out


@pytest.mark.usefixtures("trail")
def test_erase_of_what_no_event_is_about_exits_with_1(run_on: Run) -> None:
    found = run_on("audit", "erase", "nobody")
    assert found.code == 1
    assert "no event about nobody" in found.err


def test_erase_takes_an_id_in_upper_case_and_counts_who_else_names_it(
    run_on: Run, trail: Trail, database_url: str
) -> None:
    user = "0190b5c4-7a3e-7cc1-8b1f-2f0d3c4b5a69"

    async def work() -> None:
        trail.database = Database(database_url)
        call = system_call(trail.tenant_id, "default")
        about = audit.Event("user.update", "User", user, {"title": "Clerk"}, {"title": "Boss"})
        naming = audit.Event("group.update", "Group", "g", changes=[("members", None, [user])])
        for event in (about, naming):
            await trail.database.write(
                lambda writer, own=event: audit.record(writer, LIFECYCLE.registry, call, own, now())  # type: ignore[misc]
            )
        await trail.chain()
        await trail.database.close()

    asyncio.run(work())
    found = run_on("audit", "erase", user.upper(), "--json")
    erased = json.loads(found.out)
    assert (erased["subject"], erased["mentions"]) == (user, 1)
    assert erased["receipt"]
    assert "1 events of others name" in found.err


def test_status_tells_of_an_overdue_checkpoint(run_on: Run, trail: Trail, database_url: str) -> None:
    assert "checkpoint_overdue" not in run_on("audit", "status", "--json").json()

    async def work() -> None:
        database = Database(database_url)
        await database.write(
            lambda writer: chain.move_head(writer, trail.tenant_id, checkpoint_at=9 * 10**18)
        )
        await database.close()

    asyncio.run(work())
    assert "cannot be" in run_on("audit", "status", "--json").json()["checkpoint_overdue"]


@pytest.mark.usefixtures("trail")
def test_retain_removes_nothing_young_and_says_so(run_on: Run) -> None:
    assert "nothing to remove" in run_on("audit", "retain", "--older-than", "400d").out
