"""Resource ids: UUID version 7, lower case, so that their order is the order of creation (RFC 9562 §5.7)."""

import os
import threading
import time

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Return an id greater than every id this process made before."""
    global _last  # noqa: PLW0603 - the one place that orders ids within a process
    with _lock:
        moment = time.time_ns() >> 8
        _last = moment = max(moment, _last + 1)
    return _format(moment)


def _format(moment: int) -> str:
    """Lay 256 ns ticks over the 48 bit milliseconds and the 12 bit sub-millisecond field."""
    nanoseconds = moment << 8
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    fraction = (rest << 12) // 1_000_000
    tail = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    value = (milliseconds & ((1 << 48) - 1)) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | tail
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
