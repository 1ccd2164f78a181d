"""Turns: each step and each tenant has its own, and a failure in one does not keep the others waiting."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

_log = structlog.get_logger("scim_server")


class Turns:
    """Lets work go on after a failure, which is logged with whose it was, and raised at the end."""

    def __init__(self) -> None:
        """Begin with no failure."""
        self._failures: list[Exception] = []

    @contextmanager
    def taking(self, step: str, tenant: int | str | None = None) -> Iterator[None]:
        """Keep what is raised inside; it is logged once, by the innermost turn."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised by `end`
            if not getattr(error, "__notes__", None):
                error.add_note(f"{step} of tenant {tenant}" if tenant is not None else step)
                _log.error("audit trail not kept", step=step, tenant=tenant, error=type(error).__name__)
            self._failures.append(error)

    def end(self) -> None:
        """Raise the first failure, now that all had their turn."""
        if self._failures:
            raise self._failures[0]
