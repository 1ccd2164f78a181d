"""Structured logs: one JSON object a line on standard error."""

import logging
import sys
from contextlib import suppress

import structlog

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _PatientLogger(structlog.PrintLogger):
    """Writes lines while there is somewhere to write them: no request fails for a log on a full disk."""

    def msg(self, message: str) -> None:
        """Write a line, or lose it."""
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = error = critical = msg


def configure_logging(level: str) -> None:
    """Send the server's log lines of a level and above to standard error."""
    logger = _PatientLogger(sys.stderr)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: logger,
        cache_logger_on_first_use=False,
    )
