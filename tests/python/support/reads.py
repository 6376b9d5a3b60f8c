"""What this process reads, on whatever thread."""

from __future__ import annotations

import time

import pytest

from xpframe import _core


def read_bytes() -> int:
    """How much was read so far."""
    return _core.progress_counters()[1]


def wait_until_nothing_is_read() -> None:
    """Reads that an earlier test gave up end in a moment; they would be counted with the next."""
    for _ in range(3_000):
        *_, opened, parsed = _core.progress_counters()
        if opened == parsed:
            return
        time.sleep(0.02)
    pytest.fail("something is still being read")
