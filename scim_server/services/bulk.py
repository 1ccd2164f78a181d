"""Bulk requests: operations in order of their references, circular ones made together (RFC 7644 §3.7)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from scim_server.scim.errors import (
    BadRequest,
    Conflict,
    InvalidPath,
    InvalidValue,
    MethodNotAllowed,
    ScimError,
)
from scim_server.scim.identifiers import canonical_id
from scim_server.scim.messages.bulk import BulkOperation, BulkRequest, replace_references
from scim_server.scim.patch.operations import parse_patch
from scim_server.scim.registry import Registry, ResourceType
from scim_server.scim.resources import etag
from scim_server.security.principals import BULK_UPDATE
from scim_server.services.changes import Changes
from scim_server.services.context import CallContext, filter_context
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.lookups import Foreseen
from scim_server.services.refusals import REFUSED, record
from scim_server.services.row_scope import stays_in_scope
from scim_server.services.settlement import Settlement
from scim_server.store import resources
from scim_server.store.callers import Caller
from scim_server.store.database import Database, Writer
from scim_server.store.failures import LostRace
from scim_server.store.identifiers import new_id

_SEVERAL, _BATCH = 2, 50
_TOGETHER = ("/Users", "/Groups")
"""The endpoints whose operations may share a transaction."""
_WORKS = {"POST": "create", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of one operation: a status, and the resource or the error."""

    operation: BulkOperation
    status: int
    resource_type: ResourceType | None = None
    id: str | None = None
    version: int | None = None
    error: ScimError | None = None

    @property
    def etag(self) -> str | None:
        """The entity tag of the version that the operation made."""
        return None if self.version is None else etag(self.version)


@dataclass(slots=True)
class _Run:
    """The state of one bulk request: fixed ids by bulkId, dependencies by index, results by index."""

    request: BulkRequest
    endpoints: Mapping[str, ResourceType]
    ids: dict[str, str]
    types: dict[str, str]
    needs: list[set[int]]
    results: dict[int, BulkResult] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        return sum(1 for result in self.results.values() if result.error is not None)

    @property
    def stopped(self) -> bool:
        limit = self.request.fail_on_errors
        return limit is not None and self.errors >= limit


class Bulk:
    """Carries out bulk requests."""

    def __init__(self, database: Database, registry: Registry, lifecycle: Lifecycle) -> None:
        self._database = database
        self._registry = registry
        self._lifecycle = lifecycle
        self._settlement = Settlement(database, registry, lifecycle)

    async def run(self, call: CallContext, request: BulkRequest) -> list[BulkResult]:
        """Return a result for every operation that was tried, in the order of the request.

        An operation runs after those its bulkIds point at; operations that point at each other are
        done together or not at all, every other on its own, and each is authorised on its own. After
        failOnErrors errors nothing more is tried.

        Where nothing goes wrong several are one transaction, which costs half as much; where anything
        does, that transaction is taken back and each of them gets one of its own.
        """
        policies = await self._lifecycle.policies(self._database, call)
        if len(request.operations) > policies.bulk_threshold:
            call.principal.require(BULK_UPDATE)
        await self._settlement.settle(call)
        run = self._prepare(call, request)
        for units in self._batches(run):
            if run.stopped:
                break
            if len(units) < _SEVERAL or not await self._run_together(call, run, units):
                await self._run_apart(call, run, units)
        return [run.results[index] for index in sorted(run.results)]

    def _prepare(self, call: CallContext, request: BulkRequest) -> _Run:
        own = call.principal.settings
        endpoints = self._registry.of_tenant(own.private_schemas, own.hidden_resource_types).endpoints
        ids: dict[str, str] = {}
        types: dict[str, str] = {}
        by_bulk_id = {
            operation.bulk_id: index
            for index, operation in enumerate(request.operations)
            if operation.bulk_id
        }
        for operation in request.operations:
            resource_type = endpoints.get(operation.path.rstrip("/"))
            if operation.method == "POST" and operation.bulk_id and resource_type is not None:
                ids[operation.bulk_id] = new_id()
                types[ids[operation.bulk_id]] = resource_type.name
        needs = [
            {by_bulk_id[name] for name in operation.references if name in by_bulk_id}
            for operation in request.operations
        ]
        return _Run(request, endpoints, ids, types, needs)

    def _batches(self, run: _Run) -> Iterator[list[list[int]]]:
        """Yield the units of a request in their order, several together where that is possible.

        Changes of the catalogue come alone: what a transaction has made of it nobody else may see.
        """
        batch: list[list[int]] = []
        for unit in _units(run.needs):
            paths = [run.request.operations[index].path for index in unit]
            if not all(path.startswith(_TOGETHER) for path in paths):
                yield batch
                yield [unit]
                batch = []
                continue
            batch.append(unit)
            if len(batch) == _BATCH:
                yield batch
                batch = []
        yield batch

    async def _run_apart(self, call: CallContext, run: _Run, units: list[list[int]]) -> None:
        for unit in units:
            if run.stopped:
                return
            await self._run_unit(call, run, unit)

    async def _run_together(self, call: CallContext, run: _Run, units: list[list[int]]) -> bool:
        """Carry several units out in one transaction; returns whether that went well."""
        done: dict[int, BulkResult] = {}
        together = [index for unit in units for index in unit]

        async def work(writer: Writer) -> None:
            done.clear()
            caller: Caller | None = None
            await resources.lock_all(writer, call.principal.tenant_id, _named(run, together))
            foreseen = await self._foreseen(writer, call, run, units)
            for unit in units:
                changes = self._changes(writer, call, run, unit)
                changes.caller = caller
                changes.finder = replace(changes.finder, foreseen=foreseen)
                for index in unit:
                    done[index] = await self._operate(changes, run, index, together)
                caller = changes.caller
                await writer.flush_meanwhile()

        try:
            await self._database.write(work, is_once=True)
        except (ScimError, LostRace):
            return False
        run.results |= done
        return True

    async def _foreseen(
        self, writer: Writer, call: CallContext, run: _Run, units: list[list[int]]
    ) -> Foreseen | None:
        """Return what creations of users ask for, None where anything else may be among the operations."""
        operations = [run.request.operations[index] for unit in units for index in unit]
        is_all = all(one.method == "POST" and one.path.rstrip("/") == "/Users" for one in operations)
        if not is_all or len(operations) > len(units) or call.principal.policy.revive_former_users:
            return None
        bodies = [replace_references(one.data, run.ids, "data") for one in operations if not one.fault]
        return await Foreseen.of(writer, call.principal.tenant_id, bodies)

    def _changes(self, writer: Writer, call: CallContext, run: _Run, unit: list[int]) -> Changes:
        expected = {
            run.ids[name]: run.types[run.ids[name]]
            for index in unit
            if len(unit) > 1
            and (name := run.request.operations[index].bulk_id) in run.ids
            and name is not None
        }
        varying = self._lifecycle.engine.varying
        context = filter_context(self._database, self._registry, call, varying)
        return Changes(writer, self._registry, self._lifecycle, call, context, expected)

    async def _run_unit(self, call: CallContext, run: _Run, unit: list[int]) -> None:
        done: dict[int, BulkResult] = {}
        current = unit[0]

        async def work(writer: Writer) -> None:
            nonlocal current
            done.clear()
            changes = self._changes(writer, call, run, unit)
            for index in unit:
                current = index
                done[index] = await self._operate(changes, run, index, unit)

        try:
            await self._database.write(work)
        except ScimError as error:
            await self._record(call, run, current, error)
            run.results |= {
                index: _failure(run.request.operations[index], error, index == current) for index in unit
            }
        else:
            run.results |= done

    async def _record(self, call: CallContext, run: _Run, index: int, error: ScimError) -> None:
        """Put a refused operation on record where it names a resource type."""
        operation = run.request.operations[index]
        path = replace_references(operation.path, run.ids)
        endpoint, _, own_id = (path, "", None) if operation.method == "POST" else path.rpartition("/")
        resource_type = run.endpoints.get(endpoint.rstrip("/"))
        if resource_type is not None and error.status in REFUSED:
            work = _WORKS.get(operation.method, "update")
            await record(self._database, self._registry, call, resource_type, work, own_id, error)

    async def _operate(self, changes: Changes, run: _Run, index: int, unit: list[int]) -> BulkResult:
        operation = run.request.operations[index]
        if operation.fault is not None:
            raise BadRequestFault(operation.fault)
        _check_references(run, index, unit)
        data = replace_references(operation.data, run.ids, "data")
        path = replace_references(operation.path, run.ids)
        resource_type, own_id = _target(run, path, operation.method)
        if operation.method == "POST":
            created = await changes.create(resource_type, data, id=run.ids.get(operation.bulk_id or ""))
            await stays_in_scope(changes, created)
            version = changes.persistence.versions.get(created.id, created.version)
            return BulkResult(operation, 201, resource_type, created.id, version)
        if operation.method == "DELETE":
            await changes.delete(resource_type, own_id, if_match=operation.version)
            return BulkResult(operation, 204, resource_type, own_id)
        if operation.method == "PUT":
            changed = await changes.replace(resource_type, own_id, data, if_match=operation.version)
        else:
            operations = parse_patch(data, changes.principal.policy)
            changed = await changes.patch(resource_type, own_id, operations, if_match=operation.version)
        await stays_in_scope(changes, changed)
        version = changes.persistence.versions.get(changed.id, changed.version)
        return BulkResult(operation, 200, resource_type, changed.id, version)


def _target(run: _Run, path: str, method: str) -> tuple[ResourceType, str]:
    """Return the resource type and, except for POST, the id that a path names.

    Raises MethodNotAllowed where the type does not take the method.
    """
    if method == "POST":
        resource_type = run.endpoints.get(path.rstrip("/"))
        own_id = ""
    else:
        endpoint, _, own_id = path.rpartition("/")
        resource_type = run.endpoints.get(endpoint)
    if resource_type is None or (method != "POST" and not own_id):
        wanted = "/Users" if method == "POST" else "/Users/{id}"
        raise InvalidPath(f"{method} needs a path such as {wanted}, not {path[:120]!r}.")
    allowed = resource_type.resource_methods if own_id else resource_type.collection_methods
    if method not in allowed:
        raise MethodNotAllowed(method, allowed)
    return resource_type, own_id


def _named(run: _Run, indexes: list[int]) -> list[str]:
    """Return the ids in the paths of some operations."""
    operations = [run.request.operations[index] for index in indexes]
    paths = [replace_references(one.path, run.ids) for one in operations if one.method != "POST"]
    return [canonical_id(path.rstrip("/").rpartition("/")[2]) for path in paths]


class BadRequestFault(BadRequest):
    """An operation of a bulk request that is not of the form RFC 7644 §3.7 gives."""

    scim_type = "invalidSyntax"


def _check_references(run: _Run, index: int, unit: list[int]) -> None:
    operation = run.request.operations[index]
    unknown = sorted(name for name in operation.references if name not in run.ids)
    if unknown:
        raise InvalidValue(f"The bulkId {', '.join(unknown)} names no POST operation of this request.")
    failed = [
        need
        for need in run.needs[index]
        if need not in unit and (need not in run.results or run.results[need].error)
    ]
    if failed:
        names = ", ".join(str(run.request.operations[need].bulk_id) for need in sorted(failed))
        raise Conflict(f"The operation depends on the bulkId {names}, which failed.")


def _failure(operation: BulkOperation, error: ScimError, own: bool) -> BulkResult:
    if not own:
        error = Conflict(f"The operation depends on one that failed: {error.detail}")
    return BulkResult(operation, error.status, error=error)


def _units(needs: list[set[int]]) -> list[list[int]]:
    """Return the operations in an order that honours references; those in a circle come as one unit.

    Tarjan's strongly connected components, which come out with every need before what needs it; an
    explicit stack, since a chain of references may be as long as the request.
    """
    order: dict[int, int] = {}
    lowest: dict[int, int] = {}
    open_operations: list[int] = []
    is_open: set[int] = set()
    units: list[list[int]] = []
    for start in range(len(needs)):
        if start in order:
            continue
        pending = [(start, iter(sorted(needs[start])))]
        order[start] = lowest[start] = len(order)
        open_operations.append(start)
        is_open.add(start)
        while pending:
            index, remaining = pending[-1]
            following = next(remaining, None)
            if following is None:
                pending.pop()
                if pending:
                    above = pending[-1][0]
                    lowest[above] = min(lowest[above], lowest[index])
                if lowest[index] == order[index]:
                    position = open_operations.index(index)
                    units.append(sorted(open_operations[position:]))
                    is_open.difference_update(open_operations[position:])
                    del open_operations[position:]
            elif following not in order:
                order[following] = lowest[following] = len(order)
                open_operations.append(following)
                is_open.add(following)
                pending.append((following, iter(sorted(needs[following]))))
            elif following in is_open:
                lowest[index] = min(lowest[index], order[following])
    return units
