"""Work that is tried and taken back inside a transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scim_server.store.database import Writer


@asynccontextmanager
async def whole(writer: Writer) -> AsyncIterator[None]:
    """Take back what is written inside where it fails; the transaction goes on."""
    await writer.exec_driver_sql("SAVEPOINT whole")
    try:
        yield
        await writer.flush()
    except Exception:
        await writer.forget()
        await writer.exec_driver_sql("ROLLBACK TO SAVEPOINT whole")
        raise
    finally:
        await writer.exec_driver_sql("RELEASE SAVEPOINT whole")


@asynccontextmanager
async def undone(writer: Writer) -> AsyncIterator[None]:
    """Take back what is written inside, whether or not it succeeds; the transaction goes on."""
    await writer.exec_driver_sql("SAVEPOINT trial")
    try:
        yield
        await writer.flush()
    finally:
        await writer.forget()
        await writer.exec_driver_sql("ROLLBACK TO SAVEPOINT trial")
        await writer.exec_driver_sql("RELEASE SAVEPOINT trial")
