"""How many requests clients and tenants may make: counted once the caller is known, before anything is read.

On PostgreSQL the buckets are shared by all servers. A process takes a twentieth of the burst at a time, so
that one statement pays for many requests; what it has taken and not used is the most by which two servers
together may be ahead of the rate. Where the database does not answer each process counts for itself.
"""

import asyncio
import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import structlog

from scim_server.lifecycle.judgement import Finding
from scim_server.scim.errors import TooManyRequests
from scim_server.scim.registry import Registry
from scim_server.security.principals import Principal
from scim_server.security.rates import Bucket, Limit
from scim_server.security.tenants import TenantSettings
from scim_server.services import audit
from scim_server.services.context import CallContext
from scim_server.store import clients
from scim_server.store import rates as rows
from scim_server.store.clock import now
from scim_server.store.database import Database, Writer

REFUSED = "client.throttle"
"""Action of the event that says how many requests of a client were refused in a minute."""
_NOTED_EVERY = 60.0
_KEPT = 10_000
_SHARE = 20
_PAUSE = 0.25
_PATIENCE = 0.5
_ALONE = 5.0
_LEASE_ENDS = 60.0
_log = structlog.get_logger("scim_server")

T = TypeVar("T")
Key = tuple[int, str]
Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests a second, and at once, of one client and of one tenant; a rate of 0 is no limit."""

    client: float
    client_burst: int
    tenant: float
    tenant_burst: int

    def limits(self, own: TenantSettings) -> tuple[Limit, ...]:
        """Return the limits with what is set for a tenant alone, that of the client first."""
        given = (own.rate_limit_client, own.rate_limit_client_burst)
        of_all = (own.rate_limit_tenant, own.rate_limit_tenant_burst)
        found = (
            Limit.of("client", _either(given[0], self.client), _either(given[1], self.client_burst)),
            Limit.of("tenant", _either(of_all[0], self.tenant), _either(of_all[1], self.tenant_burst)),
        )
        return tuple(limit for limit in found if limit is not None)


def _either(own: T | None, other: T) -> T:
    return other if own is None else own


def _key(principal: Principal) -> Key:
    """Return whose bucket a request comes out of: a user's, whichever client speaks for it, or a client's."""
    return principal.tenant_id, principal.user_id or principal.client_id


class SharedBucket:
    """Permits of a bucket in the database, taken from it many at a time."""

    __slots__ = (
        "__weakref__",
        "_alone_until",
        "_asking",
        "_closed_until",
        "_database",
        "_key",
        "_leased",
        "_leased_at",
        "_local",
        "_stock",
    )

    def __init__(self, database: Database, key: Key, limit: Limit) -> None:
        self._database = database
        self._key = key
        self._leased, self._leased_at, self._stock = 0, 0.0, float(limit.burst)
        self._closed_until = self._alone_until = 0.0
        self._local: Bucket | None = None
        self._asking: asyncio.Task[None] | None = None

    @property
    def permits(self) -> float:
        """How many permits there are, as far as is known here."""
        return self._leased + self._stock

    def ready(self, _limit: Limit, moment: float) -> float:
        """Return how many permits there are at a moment, 0 where the database has to be asked."""
        if self._leased > 0 and moment - self._leased_at < _LEASE_ENDS:
            return self._leased + self._stock
        return 0.0

    def use(self) -> None:
        """Take one of the permits that are ready."""
        self._leased -= 1

    async def take(self, limit: Limit) -> float:
        """Take one permit; returns 0, or the seconds until there is one."""
        while True:
            moment = time.monotonic()
            if self._leased > 0 and moment - self._leased_at < _LEASE_ENDS:
                self._leased -= 1
                return 0.0
            if moment < self._closed_until:
                return self._closed_until - moment
            if moment < self._alone_until and self._local is not None:
                return self._local.take(limit, moment)
            if self._asking is None:
                self._asking = asyncio.ensure_future(self._ask(limit))
            await asyncio.shield(self._asking)

    def give_back(self) -> None:
        """Put back the permit that was taken last."""
        self._leased += 1

    async def _ask(self, limit: Limit) -> None:
        wanted = max(1, limit.burst // _SHARE)
        try:
            async with asyncio.timeout(_PATIENCE):
                granted, self._stock = await rows.lease(
                    self._database, *self._key, rate=limit.rate, burst=limit.burst, wanted=wanted
                )
        except Exception as error:  # noqa: BLE001 - no request may fail for not being counted
            self._alone_until = time.monotonic() + _ALONE
            self._local = self._local or Bucket(limit, time.monotonic())
            _log.warning("requests are counted by this process alone", error=type(error).__name__)
        else:
            self._local = None
            self._leased, self._leased_at = granted, time.monotonic()
            if not granted:
                pause = max((1 - self._stock) / limit.rate, min(wanted / limit.rate, _PAUSE))
                self._closed_until = time.monotonic() + pause
        finally:
            self._asking = None


@dataclass(slots=True)
class _Gate:
    """What a client has to pass: limits with their buckets, as of what is set for its tenant.

    `left` and `headers` are what the last answer said; many in a row say the same.
    """

    settings: TenantSettings
    buckets: tuple[tuple[Limit, Bucket | SharedBucket], ...]
    policy: bytes
    left: tuple[int, ...] = ()
    headers: Headers = ()

    def told(self, left: tuple[int, ...]) -> Headers:
        """Return the headers that say how many requests are left."""
        if left != self.left:
            standing = ", ".join(
                limit.standing(number) for (limit, _), number in zip(self.buckets, left, strict=True)
            )
            self.left = left
            self.headers = ((b"ratelimit-policy", self.policy), (b"ratelimit", standing.encode()))
        return self.headers


class RateLimiter:
    """Admits requests of callers that are known, within the limits of their client and tenant."""

    def __init__(self, database: Database, registry: Registry, rates: Rates) -> None:
        self._database = database
        self._registry = registry
        self._rates = rates
        self._gates: OrderedDict[Key, _Gate] = OrderedDict()
        self._of_tenants: WeakValueDictionary[int, Bucket | SharedBucket] = WeakValueDictionary()
        self._refused: OrderedDict[Key, tuple[float, int]] = OrderedDict()
        self._sure: OrderedDict[Key, float] = OrderedDict()
        self._noting: set[asyncio.Task[None]] = set()

    def admit_at_once(self, principal: Principal) -> Headers | None:
        """Count a request as `admit` does where that needs no waiting; None, and not counted, where it does.

        It is on the way of every request, and takes two microseconds.
        """
        key = _key(principal)
        gate = self._gates.get(key)
        if gate is None or gate.settings is not principal.settings:
            gate = self._gate(principal, key)
        else:
            self._gates.move_to_end(key)
        moment = time.monotonic()
        found = [bucket.ready(limit, moment) for limit, bucket in gate.buckets]
        for permits in found:
            if permits < 1:
                return None
        for _, bucket in gate.buckets:
            bucket.use()
        return gate.told(tuple([int(permits) - 1 for permits in found]))

    async def admit(self, principal: Principal) -> Headers:
        """Count a request and return the headers of its answer.

        Raises TooManyRequests, with those headers, where the client or its tenant makes too many.
        """
        headers = self.admit_at_once(principal)
        if headers is not None:
            return headers
        gate = self._gates[_key(principal)]
        left = []
        for number, (limit, bucket) in enumerate(gate.buckets):
            if isinstance(bucket, SharedBucket):
                seconds = await bucket.take(limit)
            else:
                seconds = bucket.take(limit, time.monotonic())
            if seconds > 0:
                for _, other in gate.buckets[:number]:
                    other.give_back()
                raise self._refusal(principal, limit, seconds, gate.policy)
            left.append(max(int(bucket.permits), 0))
        return gate.told(tuple(left))

    def is_to_be_sure(self, principal: Principal) -> bool:
        """Tell whether it is a second ago that this was asked of a client and answered by yes."""
        key, moment = _key(principal), time.monotonic()
        if moment - self._sure.get(key, -math.inf) < 1:
            return False
        self._sure[key] = moment
        _trim(self._sure)
        return True

    def _gate(self, principal: Principal, key: Key) -> _Gate:
        """Return what a client has to pass now; buckets stay as full as they are when limits change."""
        known = (
            {limit.name: bucket for limit, bucket in self._gates[key].buckets} if key in self._gates else {}
        )
        limits = self._rates.limits(principal.settings)
        buckets: list[tuple[Limit, Bucket | SharedBucket]] = []
        for limit in limits:
            if limit.name == "client":
                bucket = known.get("client") or self._bucket(limit, key)
            else:
                bucket = self._of_tenants.get(principal.tenant_id) or self._bucket(limit, (key[0], ""))
                self._of_tenants[principal.tenant_id] = bucket
            buckets.append((limit, bucket))
        policy = ", ".join(limit.policy for limit in limits).encode()
        gate = self._gates[key] = _Gate(principal.settings, tuple(buckets), policy)
        _trim(self._gates)
        return gate

    def _bucket(self, limit: Limit, key: Key) -> Bucket | SharedBucket:
        if self._database.dialect == "sqlite":
            return Bucket(limit, time.monotonic())
        return SharedBucket(self._database, key, limit)

    def _refusal(self, principal: Principal, limit: Limit, seconds: float, policy: bytes) -> TooManyRequests:
        self._note(principal, limit)
        whose = f"the client {principal.client}" if limit.name == "client" else "all clients of the tenant"
        wait = max(1, math.ceil(seconds))
        error = TooManyRequests(
            f"Too many requests: {whose} may make {limit.rate:g} a second and {limit.burst} at once; "
            f"try again in {wait} s.",
            retry_after=wait,
        )
        error.headers["RateLimit-Policy"] = policy.decode()
        error.headers["RateLimit"] = f'"{limit.name}";r=0;t={wait}'
        return error

    def _note(self, principal: Principal, limit: Limit) -> None:
        """Have one event a minute say how many requests of a client were refused."""
        key, moment = _key(principal), time.monotonic()
        since, count = self._refused.get(key, (-math.inf, 0))
        if moment - since < _NOTED_EVERY:
            self._refused[key] = since, count + 1
            return
        self._refused[key] = moment, 0
        _trim(self._refused)
        task = asyncio.ensure_future(self._record(principal, limit, count + 1))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _record(self, principal: Principal, limit: Limit, count: int) -> None:
        said = f"{count} requests were refused: more than {limit.rate:g} a second of the {limit.name}."

        async def work(writer: Writer) -> None:
            moment = now()
            await clients.lock_client(writer, principal.tenant_id, principal.client)
            since = moment - int(_NOTED_EVERY * 1_000_000)
            if await rows.is_noted(writer, principal.tenant_id, principal.client_id, REFUSED, since):
                return
            event = audit.Event(
                REFUSED, "Client", principal.client_id, outcome="refused",
                findings=[Finding("rateLimit", "refused", said)],
            )  # fmt: skip
            await audit.record(writer, self._registry, CallContext(principal, ""), event, moment)

        try:
            await self._database.write(work)
        except Exception as error:  # noqa: BLE001 - the refusal itself stands
            _log.error("refused requests are not on record", error=type(error).__name__)

    async def close(self) -> None:
        """Wait for what is being put on record."""
        if self._noting:
            await asyncio.wait(self._noting)


def _trim(kept: OrderedDict[Any, Any]) -> None:
    while len(kept) > _KEPT:
        kept.popitem(last=False)
