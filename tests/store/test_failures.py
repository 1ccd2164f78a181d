"""What an error of a driver means for the work that met it."""

import sqlite3

import asyncpg
import pytest

from scim_server.store.failures import is_disconnect


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.DiskFullError("no space left on device"),
        asyncpg.OutOfMemoryError("out of memory"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        asyncpg.PostgresIOError("could not fsync file"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
        sqlite3.OperationalError("database or disk is full"),
        sqlite3.OperationalError("disk I/O error"),
        ConnectionResetError(),
    ],
    ids=repr,
)
def test_what_passes_by_itself_is_no_defect_of_the_server(error: Exception) -> None:
    assert is_disconnect(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError("duplicate key"),
        asyncpg.UndefinedTableError("no such relation"),
        sqlite3.OperationalError("no such table: resource"),
        ValueError("x"),
    ],
    ids=repr,
)
def test_what_would_fail_again_is_one(error: Exception) -> None:
    assert not is_disconnect(error)
