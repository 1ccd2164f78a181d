"""`scim-server audit`: verify the audit trail, prove things of it, and look after it."""

import re
import secrets
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from scim_server.cli import output
from scim_server.cli.audit_answers import code_of, facts_of, show_verdicts, write_key
from scim_server.cli.audit_verifying import Asked, keys_of, verified
from scim_server.cli.output import CommandFailed
from scim_server.cli.parsing import parse_duration
from scim_server.cli.store import DatabaseUrl, lifecycle_of, run_on_store
from scim_server.scim.errors import ScimError
from scim_server.scim.identifiers import canonical_id
from scim_server.security.transparency.notes import BadNote, Signer
from scim_server.services.settlement import system_call
from scim_server.services.transparency import erasure, exporting
from scim_server.services.transparency.assembling import sealing_of, signer_of
from scim_server.services.transparency.overdue import overdue
from scim_server.services.transparency.proofs import Proofs
from scim_server.services.transparency.reporting import status_of
from scim_server.services.transparency.retention import Kept, Retention
from scim_server.settings import Settings, load_settings
from scim_server.store import chain
from scim_server.store.clients import tenant_id_of
from scim_server.store.clock import now
from scim_server.store.database import Database
from scim_server.store.residue import empty_log

T = TypeVar("T")
app = typer.Typer(help="Verify the audit trail, prove things of it, and look after it.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Tenant = Annotated[str, typer.Option(help="Tenant whose events it is about.")]
From = Annotated[int | None, typer.Option("--from", min=1, help="Number of the first event.")]
To = Annotated[int | None, typer.Option("--to", min=1, help="Number of the last event.")]
_MASTER_BYTES = 32
_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@app.command()
def verify(
    tenant: Tenant = "default",
    every: Annotated[bool, typer.Option("--all", help="Every tenant.")] = False,
    start: From = None,
    end: To = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Checkpoints kept elsewhere: a note, or the file of a sink.", show_default=False),
    ] = None,
    pubkey: Annotated[
        list[str] | None,
        typer.Option(
            help="Public key, name+hash+base64, or a file with one in each line; any number of times. "
            "In place of those of the key file.",
            show_default=False,
        ),
    ] = None,
    allow_removed: Annotated[
        int | None,
        typer.Option(min=0, help="Number up to which you know events removed.", show_default=False),
    ] = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Exit with 0 when the audit trail is as it was written, 1 when it is not, 2 when that cannot be told.

    Says at which number of the chain the first difference is, and what. Bring a checkpoint that was kept
    elsewhere to find out whether the end was cut off or all of it written anew.

    Example: scim-server audit verify --all --checkpoint /mnt/worm/checkpoints.jsonl
    """
    if start is not None and end is not None and start > end:
        raise typer.BadParameter("--from is not after --to.")
    asked = Asked(tenant, every, start, end, checkpoint, tuple(pubkey or ()), allow_removed)
    answer = verified(lambda: _settings(database_url), asked, _progress)
    if as_json:
        output.show_json([facts_of(verdict, late) for verdict, late in answer.verdicts])
    else:
        show_verdicts(answer.verdicts)
    for text in answer.unknown:
        output.complain(text)
    if code := code_of(answer):
        raise typer.Exit(code)


@app.command()
def prove(
    event: Annotated[str, typer.Argument(help="Id of the event.", show_default=False)],
    tenant: Tenant = "default",
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Print the proof that an event is in the tree of a checkpoint, which anybody can check.

    Example: scim-server audit prove 0190b5c4-7a3e-7cc1-8b1f-2f0d3c4b5a69 --json
    """
    proof = _of_tenant(database_url, tenant, lambda db, own: Proofs(db).inclusion(own, event.lower()))
    _show_proof(proof, as_json=as_json)


@app.command()
def consistency(
    first: Annotated[int, typer.Argument(min=1, help="Size of the earlier tree.", show_default=False)],
    second: Annotated[int, typer.Argument(min=1, help="Size of the later tree.", show_default=False)],
    tenant: Tenant = "default",
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Print the proof that one tree is the beginning of another: nothing of it was changed since.

    Example: scim-server audit consistency 10000 20000 --json
    """
    proof = _of_tenant(database_url, tenant, lambda db, own: Proofs(db).consistency(own, first, second))
    _show_proof(proof, as_json=as_json)


@app.command()
def export(
    tenant: Tenant = "default",
    start: From = None,
    end: To = None,
    format: Annotated[str, typer.Option(help="jsonl, ocsf or cef.")] = "jsonl",
    private: Annotated[bool, typer.Option("--private", help="With the values and words of people.")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Print the events as lines for a SIEM, in the order of the chain; never their private parts unasked.

    Example: scim-server audit export --from 1001 --format ocsf
    """
    if format not in exporting.FORMATS:
        raise typer.BadParameter(
            f"there is no format {format}; choose one of {', '.join(exporting.FORMATS)}."
        )
    sealing = sealing_of(_settings(database_url).audit_master_key_file)

    async def work(database: Database, tenant_id: int) -> None:
        line = exporting.FORMATS[format]
        async for text in exporting.lines(
            database, sealing, tenant_id, tenant, line, start=start or 1, end=end, is_private=private
        ):
            output.say(text)

    _of_tenant(database_url, tenant, work)


@app.command()
def status(tenant: Tenant = "default", database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Print how far the chain is, what waits for it, the last checkpoint, and what sinks have yet to take.

    Example: scim-server audit status --json
    """
    settings = _settings(database_url)
    has_key = signer_of(settings.audit_key_file) is not None

    async def work(database: Database, tenant_id: int) -> dict[str, object]:
        facts = await status_of(database, tenant_id, has_key=has_key)
        seconds = settings.audit_checkpoint_seconds
        late_one = await overdue(database, tenant_id, seconds) if has_key else None
        return facts if late_one is None else {**facts, "checkpoint_overdue": late_one}

    found = _of_tenant(database_url, tenant, work)
    if as_json:
        output.show_json(found)
    else:
        output.show_facts(found)


@app.command()
def keygen(
    file: Annotated[Path, typer.Argument(help="File to make; it must not be there.", show_default=False)],
    name: Annotated[str, typer.Option(help="What the log is called in checkpoints, such as a host.")] = (
        "scim-server"
    ),
    master: Annotated[
        bool, typer.Option("--master", help="Make a master key for private parts instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the key that signs checkpoints, readable by you alone, and print the public key for verifiers.

    Keep the file outside of the database and of its backups, and name it in SCIM_AUDIT_KEY_FILE.

    Example: scim-server audit keygen /etc/scim/audit.pem --name scim.example.com
    """
    try:
        signer = Signer.generate(name)
    except BadNote as error:
        raise typer.BadParameter(str(error)) from error
    write_key(file, secrets.token_hex(_MASTER_BYTES) if master else signer.stored())
    verifier = None if master else str(signer.verifier)
    if as_json:
        output.show_json({"file": str(file), "public_key": verifier})
    else:
        output.show_facts({"file": file, "public key": verifier})


@app.command()
def retain(
    older_than: Annotated[
        timedelta,
        typer.Option(
            parser=parse_duration, metavar="TIME", help="Age of what goes: 400d, 52w.", show_default=False
        ),
    ],
    tenant: Tenant = "default",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, write nothing.")] = False,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Remove old events in whole ranges below a checkpoint; what is left still verifies.

    Example: scim-server audit retain --older-than 400d --dry-run
    """
    settings = _settings(database_url)
    registry, keys = lifecycle_of(settings).registry, keys_of(settings, ())
    before = now() - older_than // timedelta(microseconds=1)

    async def work(database: Database, tenant_id: int) -> Kept:
        call = system_call(tenant_id, tenant)
        return await Retention(database, registry, keys).retain(call, before, is_dry_run=dry_run)

    kept = _of_tenant(database_url, tenant, work)
    facts = {"removed": kept.removed, "up_to": kept.up_to, "dry_run": dry_run}
    if as_json:
        output.show_json(facts)
    elif kept.up_to is None:
        output.say("nothing to remove: no checkpoint has only events that old below it")
    else:
        output.say(
            f"{'would remove' if dry_run else 'removed'} {kept.removed} events, up to number {kept.up_to}"
        )


@app.command()
def erase(
    user: Annotated[str, typer.Argument(help="Id of the user, or of what else it is.", show_default=False)],
    tenant: Tenant = "default",
    type: Annotated[str, typer.Option(help="Resource type.")] = "User",
    reason: Annotated[
        str | None, typer.Option(help="Why, as a code: it is public.", show_default=False)
    ] = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Destroy the key of all that the audit trail knows of a person; the chain still verifies.

    Counts the events of others, such as groups, that name the person by id; they stay as they are.

    Example: scim-server audit erase 0190b5c4-7a3e-7cc1-8b1f-2f0d3c4b5a69 --reason privacyRequest
    """
    if reason is not None and not _CODE.fullmatch(reason):
        raise typer.BadParameter("a reason is a code of letters, digits, dots, dashes and underscores.")
    settings = _settings(database_url)
    registry, sealing = lifecycle_of(settings).registry, sealing_of(settings.audit_master_key_file)

    subject = canonical_id(user)

    async def work(database: Database, tenant_id: int) -> tuple[erasure.Erased, int, bool]:
        call = system_call(tenant_id, tenant)
        erased = await erasure.erase(database, registry, sealing, call, subject, type=type, reason=reason)
        if erased.receipt is None and not await database.read(
            lambda reader: chain.is_known(reader, tenant_id, subject)
        ):
            raise CommandFailed(f"there is no event about {subject}")
        is_clean = await empty_log(database)
        return erased, await erasure.mentions(database, sealing, tenant_id, subject), is_clean

    erased, mentions, is_clean = _of_tenant(database_url, tenant, work)
    facts = {"receipt": erased.receipt, "event": erased.event_id, "mentions": mentions}
    if as_json:
        output.show_json({"subject": subject, **facts})
    elif erased.receipt is None:
        output.say(f"there is nothing to erase of {subject}: it has no key")
    else:
        output.show_facts({"erased": subject, **facts})
    if mentions:
        output.complain(f"{mentions} events of others name {subject} by its id and stay as they are")
    if not is_clean:
        output.complain("what was deleted may be in the write-ahead log until nobody uses the store")


def _show_proof(proof: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.show_json(proof)
        return
    output.show_facts({name: value for name, value in proof.items() if name not in {"proof", "checkpoint"}})
    for number, value in enumerate(proof["proof"], 1):
        output.say(f"{number}. {value}")
    if proof.get("checkpoint"):
        output.say(f"\n{proof['checkpoint']}")


def _settings(database_url: str | None) -> Settings:
    return load_settings(database_url=database_url)


def _of_tenant(database_url: str | None, tenant: str, work: Callable[[Database, int], Awaitable[T]]) -> T:
    """Run work on a tenant of the store, a refusal becoming the failure of the command."""

    async def run(database: Database) -> T:
        tenant_id = await database.read(lambda reader: tenant_id_of(reader, tenant))
        if tenant_id is None:
            raise CommandFailed(f"there is no tenant {tenant}")
        return await work(database, tenant_id)

    return run_on_store(database_url, run, refusals=(ScimError,))


def _progress(length: int) -> Any:
    """Return the context of a bar on stderr where somebody watches, whose update is given."""
    if not sys.stderr.isatty():
        return nullcontext(lambda _count: None)
    return _Bar(typer.progressbar(length=length, label="verifying", file=sys.stderr))


class _Bar:
    """A progress bar that gives its update."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def __enter__(self) -> Callable[[int], None]:
        update: Callable[[int], None] = self._bar.__enter__().update
        return update

    def __exit__(self, *failure: object) -> None:
        self._bar.__exit__(*failure)
