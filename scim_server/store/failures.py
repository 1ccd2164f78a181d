"""What an error of a database or its driver means for the work that met it."""

import sqlite3

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_UNREACHABLE_STATES = ("08", "28", "3D", "53", "57P", "58")
"""SQLSTATE classes: connection lost, not let in, no such database, no room on the disk, no memory, too many
connections, shutting down, trouble with files."""
_RETRIED_STATES = frozenset({"40001", "40P01"})
_QUERY_CANCELLED = "57014"
_WAITED_IN_VAIN = frozenset({"55P03", _QUERY_CANCELLED, "25P03"})
"""SQLSTATEs of writing that waited too long: for a lock, for a statement, for the work in between."""
_UNREACHABLE_TEXTS = (
    "unable to open database file",
    "connection is closed",
    "no active connection",
    "database or disk is full",
    "disk I/O error",
)
_DRIVER_ERRORS = (sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError, ValueError)


class DatabaseUnavailable(Exception):
    """The database does not answer; the same call may succeed later."""


class QueryTooLong(Exception):
    """A reading statement was stopped because it took longer than it may."""


class LostRace(Exception):
    """Another writer changed the row between its read and this write; the unit of work may be tried again."""


def _of_driver(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _state(error: BaseException) -> str:
    return getattr(_of_driver(error), "sqlstate", None) or ""


def was_interrupted(error: BaseException) -> bool:
    """Tell whether a statement was stopped because its time was up."""
    return _state(error) == _QUERY_CANCELLED or str(_of_driver(error)) == "interrupted"


def is_disconnect(error: BaseException) -> bool:
    """Tell whether an error means that the database could not be reached or went away."""
    if isinstance(error, PoolTimeout | ConnectionError | OSError | asyncpg.InternalClientError):
        return True  # the last is what asyncpg says of a connection whose end it had no time to note
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    inner = _of_driver(error)
    if _state(error).startswith(_UNREACHABLE_STATES) or isinstance(inner.__cause__, OSError):
        return True
    return isinstance(inner, _DRIVER_ERRORS) and any(text in str(inner) for text in _UNREACHABLE_TEXTS)


def took_too_long(error: BaseException) -> bool:
    """Tell whether a database was given up that did not answer in time, or a connection to it."""
    return isinstance(error, TimeoutError | PoolTimeout) or isinstance(_of_driver(error), TimeoutError)


def is_locked(error: BaseException) -> bool:
    """Tell whether a transaction gave up waiting for another one, or was stopped as it took too long."""
    if _state(error) in _WAITED_IN_VAIN:
        return True
    return "database is locked" in str(_of_driver(error)) and isinstance(error, DBAPIError | sqlite3.Error)


def may_retry(error: BaseException) -> bool:
    """Tell whether the same transaction may succeed when it is run again from the start."""
    if isinstance(error, LostRace | asyncpg.InvalidCachedStatementError):
        return True
    return _state(error) in _RETRIED_STATES or is_locked(error)
