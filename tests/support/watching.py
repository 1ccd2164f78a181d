"""Every statement that the product runs in this process, looked at by the rule of `tests.support.isolation`.

There are two ways to a database: `Statement`, whose text is looked at when it is compiled, and SQLAlchemy,
where it is when it is run. Statements that the tests write themselves are not of the product.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from scim_server.store.sessions import Connection
from scim_server.store.statements import Compiled, Statement
from scim_server.store.tenants import tables_of_tenants
from tests.support.isolation import untied

TABLES = frozenset(table.name for table in tables_of_tenants()) | {"folded_value", "phase_value"}
ACROSS: Mapping[str, str] = {
    r"FROM token JOIN client .* JOIN tenant .* WHERE token\.digest = ": "A token's digest names its tenant.",
    r"UPDATE token SET last_used=.* WHERE token\.digest IN ": "Digests of what is in use.",
    r"UPDATE token SET revoked=.* WHERE token\.digest IN ": "Digests that were read under their tenant.",
    r"FROM client JOIN tenant .* LEFT OUTER JOIN token ON (false|0 = 1)": "No token at all is joined.",
    r"FROM resource WHERE resource\.folded @> .* (matching|anon_\d+)\.tenant_id = ": "The example "
    "that is looked for names the tenant, and only what is of this one goes on (matches.py).",
    r"FROM client_secret JOIN client .* .* WHERE client_secret\.digest = ": "Digests of one tenant.",
    r"FROM client_key JOIN client .* JOIN tenant .* WHERE client_key\.client_id = ": "So does a client's id.",
    r"FROM issuer JOIN tenant .* WHERE issuer\.issuer = ": "Of several the URL decides.",
    r"DELETE FROM token WHERE token\.expires < ": "Tidying by the worker: tokens that ended long ago.",
    r"DELETE FROM (assertion|client_secret) WHERE \w+\.expires < ": "Tidying by the worker, likewise.",
    r"WITH RECURSIVE waiting .* FROM audit_queue ": "Tenants with something to chain.",
    r"FROM audit_publication JOIN audit_checkpoint ON .*next_try": "What waits to be published.",
    r"^SELECT audit_head\.tenant_id, audit_head\.sequence FROM audit_head$": "How far each chain is.",
    r"FROM audit_head JOIN tenant ON .*checkpoint_(at|size)": "Chains for which a checkpoint is due.",
}
"""Statements that are across tenants on purpose, and why they may."""
_PRODUCT = tuple(str(Path(__file__).parents[2] / part) for part in ("scim_server", "extensions"))
_CARRIER = str(Path(__file__).parents[2] / "scim_server" / "store" / "database.py")
"""Runs the work it is given; a statement that comes straight from there is that of a test's own lambda."""
_origin: ContextVar[str] = ContextVar("origin", default="")


def faults(text: str) -> list[str]:
    """Return what a statement leaves open, nothing where that is on purpose."""
    plain = " ".join(text.split())
    found = untied(plain, TABLES)
    if not found or any(re.search(pattern, plain) for pattern in ACROSS):
        return []
    return [f"{', '.join(found)}: {plain}"]


@contextmanager
def watching() -> Iterator[list[str]]:
    """Give the list to which every statement of the product is added that is not bound to one tenant."""
    found: list[str] = []
    known: set[str] = set()

    def look(text: str) -> None:
        if text not in known:
            known.add(text)
            found.extend(faults(text))

    def before_execution(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if _origin.get().startswith(_PRODUCT) and _origin.get() != _CARRIER:
            look(statement)

    def compiled(self: Statement, dialect: str) -> Compiled:
        is_new = dialect not in self._compiled
        result = original(self, dialect)
        if is_new and _file_of(self._build).startswith(_PRODUCT):
            look(result.text)
        return result

    original = Statement.compiled
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Statement, "compiled", compiled)
        for name in ("execute", "exec_driver_sql"):
            patch.setattr(Connection, name, _noting_origin(getattr(Connection, name)))
        sa.event.listen(Engine, "before_cursor_execute", before_execution)
        try:
            yield found
        finally:
            sa.event.remove(Engine, "before_cursor_execute", before_execution)


def _file_of(build: Any) -> str:
    """Return the file of a function, or of the one that a partial application calls."""
    return inspect.getfile(getattr(build, "func", build))


def _noting_origin(method: Any) -> Any:
    async def execute(self: Connection, *arguments: Any) -> Any:
        frame = inspect.currentframe()
        caller = frame.f_back if frame is not None else None
        token = _origin.set(caller.f_code.co_filename if caller is not None else "")
        try:
            return await method(self, *arguments)
        finally:
            _origin.reset(token)

    return execute
