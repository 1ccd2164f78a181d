"""The parts of the audit trail, put together from the addresses and files that settings name."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from scim_server.scim.registry import Registry
from scim_server.security.transparency.notes import Signer
from scim_server.security.transparency.sealing import Sealing
from scim_server.services.transparency.checkpoints import KeyUnusable, read_signer, refuse_exposed
from scim_server.services.transparency.keeping import Habits, Keeper
from scim_server.services.transparency.sinks import Sink, sink_of
from scim_server.store.database import Database

LEAST_MASTER = 32


class AuditSettings(Protocol):
    """The settings of the audit trail."""

    @property
    def audit_key_file(self) -> Path | None:
        """File of the signing key."""

    @property
    def audit_master_key_file(self) -> Path | None:
        """File of the master key."""

    @property
    def audit_sinks(self) -> tuple[str, ...]:
        """Where checkpoints go."""

    @property
    def audit_checkpoint_seconds(self) -> float:
        """How often checkpoints are made."""

    @property
    def audit_checkpoint_events(self) -> int:
        """After how many events."""

    @property
    def audit_lag_seconds(self) -> float:
        """How long an event may wait."""

    @property
    def audit_retention_days(self) -> int | None:
        """How long events are kept."""


def keeper_of(settings: AuditSettings, database: Database, registry: Registry) -> Keeper:
    """Return what keeps the audit trail of a store going, as settings say; raises KeyUnusable."""
    signer, days = signer_of(settings.audit_key_file), settings.audit_retention_days
    habits = Habits(
        settings.audit_checkpoint_seconds,
        settings.audit_checkpoint_events,
        settings.audit_lag_seconds,
        None if days is None else timedelta(days=days),
    )
    sealing, sinks = sealing_of(settings.audit_master_key_file), sinks_of(settings.audit_sinks, signer)
    return Keeper(database, registry, sealing, signer, sinks, habits)


def sealing_of(path: Path | None) -> Sealing:
    """Return what seals private parts, with the master key of a file where there is one.

    Raises KeyUnusable where the file cannot be read, others can read it, or it is too short.
    """
    if path is None:
        return Sealing()
    try:
        refuse_exposed(path)
        master = path.read_bytes().strip()
    except OSError as error:
        raise KeyUnusable(f"the master key {path} cannot be read: {error.strerror}") from error
    if len(master) < LEAST_MASTER:
        raise KeyUnusable(f"the master key {path} has fewer than {LEAST_MASTER} bytes")
    return Sealing(master)


def signer_of(path: Path | None) -> Signer | None:
    """Return the signer of a file, None without one; raises KeyUnusable."""
    return None if path is None else read_signer(path)


def sinks_of(addresses: Sequence[str], signer: Signer | None) -> list[Sink]:
    """Return the sinks of the addresses; without a signer there is nothing to publish and no sink."""
    return [] if signer is None else [sink_of(address, signer) for address in addresses]
