"""Retention: the oldest events are removed in whole ranges below a checkpoint, which stays provable."""

from dataclasses import dataclass

from scim_server.scim.errors import Conflict
from scim_server.scim.registry import Registry
from scim_server.security.transparency.chain import GENESIS
from scim_server.security.transparency.notes import BadNote, Checkpoint, Keys, Signature
from scim_server.services import audit
from scim_server.services.context import CallContext
from scim_server.services.transparency.tree import Removed, Tree
from scim_server.store import chain, chain_walk, checkpoints
from scim_server.store.checkpoints import Cut, StoredCheckpoint
from scim_server.store.clock import now
from scim_server.store.database import Database, Reader, Writer

AT_ONCE = 500
RETAIN = "audit.retain"


@dataclass(frozen=True, slots=True)
class Kept:
    """What retention did, or would do: events removed, up to which number; None where there is nothing."""

    removed: int
    up_to: int | None


class Retention:
    """Removes what is old enough."""

    def __init__(self, database: Database, registry: Registry, keys: Keys | None = None) -> None:
        """Take the store, and the keys by one of which a checkpoint has to be signed; None asks for none."""
        self._keys = keys
        self._database = database
        self._registry = registry

    async def retain(self, call: CallContext, moment: int, *, is_dry_run: bool = False) -> Kept:
        """Remove the events that happened before a moment, up to the last checkpoint with none younger below.

        The removal is an event itself. One that was cut short before is finished first. Raises Conflict where
        the checkpoint is not what the tree is, or not signed.
        """
        tenant_id = call.principal.tenant_id
        cut = await self._database.read(lambda reader: checkpoints.last_cut(reader, tenant_id))
        if cut is not None and not is_dry_run:
            await self._remove(tenant_id, cut.size)
        found = await self._database.read(lambda reader: _last_old(reader, tenant_id, cut, moment))
        if found is None:
            return Kept(0, None)
        await self._database.read(lambda reader: self._refuse_unsound(reader, tenant_id, cut, found))
        removed = found.size - (0 if cut is None else cut.size)
        if not is_dry_run:
            await self._database.write(lambda writer: self._record(writer, call, found))
            await self._remove(tenant_id, found.size)
        return Kept(removed, found.size)

    async def _record(self, writer: Writer, call: CallContext, found: StoredCheckpoint) -> None:
        tenant_id, moment = call.principal.tenant_id, now()
        await chain.locked_head(writer, tenant_id, GENESIS)
        cut = await checkpoints.last_cut(writer, tenant_id)
        frontier = (await Tree(writer, tenant_id, cut).frontier(found.size)).stored()
        await checkpoints.add_cut(
            writer, tenant_id, Cut(found.size, moment, found.root, found.hash, frontier)
        )
        note = f"The events up to number {found.size} were removed."
        event = audit.Event(RETAIN, audit.AUDIT_EVENT, "", context={"note": note}, receipt=found.hash.hex())
        await audit.record(writer, self._registry, call, event, moment)

    async def _refuse_unsound(
        self, reader: Reader, tenant_id: int, cut: Cut | None, found: StoredCheckpoint
    ) -> None:
        """Raise Conflict where a checkpoint does not say what the chain is, or no key at hand signed it."""
        try:
            root = (await Tree(reader, tenant_id, cut).frontier(found.size)).root()
            said = Checkpoint.parse(found.note)
        except (Removed, BadNote, ValueError, TypeError, AttributeError):
            is_sound = False
        else:
            last = await chain_walk.hash_at(reader, tenant_id, found.size)
            own = (found.size, found.root, found.hash)
            is_sound = own == (found.size, root, last) == (said.size, said.root, said.chain)
        if is_sound and self._keys is not None:
            is_sound = self._keys.judge(found.note) is Signature.GOOD
        if not is_sound:
            raise Conflict(
                f"The checkpoint of {found.size} events is not what the chain is, or not signed by a key at "
                "hand; nothing was removed. See what scim-server audit verify says."
            )

    async def _remove(self, tenant_id: int, size: int) -> None:
        while await self._database.write(lambda writer: checkpoints.remove(writer, tenant_id, size, AT_ONCE)):
            pass


async def _last_old(reader: Reader, tenant_id: int, cut: Cut | None, moment: int) -> StoredCheckpoint | None:
    """Return the largest checkpoint below which every event happened before a moment."""
    removed = 0 if cut is None else cut.size
    found = await checkpoints.last(reader, tenant_id, made_before=moment)
    while found is not None and found.size > removed:
        young = await checkpoints.first_since(reader, tenant_id, removed, found.size, moment)
        if young is None:
            return found
        found = await checkpoints.last(reader, tenant_id, size_below=young)
    return None
