"""Fixtures of the tests that prove requirements over HTTP."""

from tests.support.time import clock

__all__ = ["clock"]
