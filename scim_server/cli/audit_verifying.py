"""Verifying for `scim-server audit verify`: whatever keeps it from a verdict is no verdict, and code 2."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scim_server.cli.audit_answers import CANNOT_TELL, Answer, Untold, notes_in
from scim_server.cli.output import CommandFailed
from scim_server.cli.store import lifecycle_of, open_store, refuse_stale
from scim_server.security.transparency.notes import BadNote, Keys, Verifier
from scim_server.services.transparency.assembling import sealing_of, signer_of
from scim_server.services.transparency.reporting import late
from scim_server.services.transparency.verification import Outside, Verdict, Verification
from scim_server.services.transparency.witnesses import unmatched
from scim_server.settings import Settings
from scim_server.store import chain, chain_walk
from scim_server.store.chain_walk import Owner
from scim_server.store.database import Database


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be verified, and what it is to be compared with."""

    tenant: str
    every: bool
    start: int | None
    end: int | None
    checkpoint: Path | None
    pubkeys: Sequence[str]
    allow_removed: int | None


def verified(settings: Callable[[], Settings], asked: Asked, progress: Callable[[int], Any]) -> Answer:
    """Verify what was asked. Raises Untold whatever else goes wrong.

    The store is taken as it is: one at another revision is not brought to this one.
    """
    try:
        return _verified(settings(), asked, progress)
    except CommandFailed as error:
        if getattr(error, "code", None) == CANNOT_TELL:
            raise
        raise Untold(str(error)) from error
    except Exception as error:
        raise Untold(f"nothing can be told: {error or type(error).__name__}") from error


def _verified(settings: Settings, asked: Asked, progress: Callable[[int], Any]) -> Answer:
    notes, untold = notes_in(asked.checkpoint) if asked.checkpoint else ([], [])
    outside = Outside(notes, keys_of(settings, asked.pubkeys), asked.allow_removed)
    registry, sealing = lifecycle_of(settings).registry, sealing_of(settings.audit_master_key_file)
    path = settings.sqlite_path
    if path is not None and not path.exists():
        raise Untold(f"there is no store {path}")

    async def work() -> Answer:
        async with open_store(settings) as database:
            await refuse_stale(database)
            verification = Verification(database, registry, sealing)
            owners = await database.read(chain_walk.owners)
            chosen = [owner for owner in owners if asked.every or owner.name == asked.tenant]
            if not chosen:
                raise Untold("there is no tenant" if asked.every else f"there is no tenant {asked.tenant}")
            verdicts = []
            with progress(await _total(database, chosen)) as told:
                for owner in chosen:
                    verdict = await _verdict(verification, owner, outside, asked, told)
                    waiting = await late(database, owner.id, settings.audit_lag_seconds)
                    verdicts.append((verdict, waiting))
            return Answer(verdicts, [*untold, *_unused(notes, owners, chosen)])

    return asyncio.run(work())


def _unused(notes: Sequence[str], owners: Sequence[Owner], chosen: Sequence[Owner]) -> list[str]:
    """Say of checkpoints that they are about no tenant there is, or all of them about others."""
    names = [owner.name for owner in chosen]
    found = unmatched(notes, [owner.name for owner in owners])
    others = unmatched(notes, names)
    if len(unmatched(notes, ())) == len(others):
        found = others
    return [f"checkpoints given are about {origin}, and no such tenant was looked at" for origin in found]


async def _verdict(
    verification: Verification, owner: Owner, outside: Outside, asked: Asked, told: Callable[[int], None]
) -> Verdict:
    try:
        verdict = await verification.verify(
            owner.id, owner.name, outside, start=asked.start, end=asked.end, progress=told
        )
    except Exception as error:  # noqa: BLE001 - the other tenants are verified nevertheless
        verdict = Verdict(owner.name)
        verdict.unknown.append(f"the store could not be read: {error or type(error).__name__}")
    if owner.is_deleted:
        verdict.remarks.append("the tenant is marked as deleted")
        if verdict.bad is not None:
            verdict.unknown.append(
                "its events are being deleted, or somebody marked it so: "
                f"first bad sequence {verdict.bad.sequence}: {verdict.bad.what}"
            )
            verdict.bad = None
    return verdict


def keys_of(settings: Settings, given: Sequence[str]) -> Keys:
    """Return the public keys given, which may be in files, or else those of the key file. Raises Untold."""
    if not given:
        signer = signer_of(settings.audit_key_file)
        return Keys() if signer is None else signer.keys
    found = []
    for text in given:
        lines = [text]
        if Path(text).is_file():
            try:
                lines = Path(text).read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise Untold(f"--pubkey: {text} cannot be read: {error}") from error
        for line in lines:
            if not line.strip() or line.startswith("#"):
                continue
            try:
                found.append(Verifier.parse(line))
            except BadNote as error:
                raise Untold(f"--pubkey: {error}") from error
    return Keys(found)


async def _total(database: Database, chosen: Sequence[Owner]) -> int:
    wanted = {owner.id for owner in chosen}
    found = await database.read(chain.heads)
    return sum(row.sequence for row in found if row.tenant_id in wanted and isinstance(row.sequence, int))
