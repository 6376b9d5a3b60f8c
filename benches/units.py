"""Times for people."""

from __future__ import annotations


def milliseconds(seconds: float) -> str:
    if seconds < 1e-6:
        return f"{1e9 * seconds:.1f} ns"
    return f"{1000 * seconds:,.1f}" if seconds >= 1e-4 else f"{1000 * seconds:.3f}"


def duration(seconds: float | None) -> str:
    """Milliseconds below a second, seconds above."""
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.1f} ms"
