"""Scales of numbers and times, and the tick marks on them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ruler"]

MAX_TICKS = 6


def ruler(measured: dict[Any, float]) -> tuple[Callable[[float], float], list[tuple[float, str]]]:
    """A scale from numbers to 0 … 1, logarithmic from three powers of ten on, and its labelled ticks."""
    low, high = min(measured.values()), max(measured.values())
    if isinstance(next(iter(measured)), datetime):
        return lambda number: share_of(number, low, high), time_ticks(low, high)
    if low > 0 and math.log10(high) - math.log10(low) >= 3:
        first, last = math.log10(low), math.log10(high)
        return lambda number: share_of(math.log10(number), first, last), powers(low, high)
    return lambda number: share_of(number, low, high), ticks(low, high)


def share_of(number: float, low: float, high: float) -> float:
    """The position of a number in a range, from 0 to 1; halves are compared, as the width may overflow."""
    width = high / 2 - low / 2
    return (number / 2 - low / 2) / width if width > 0 else 0.0


def powers(low: float, high: float) -> list[tuple[float, str]]:
    """Powers of ten between two numbers, with their labels."""
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    every = max(1, math.ceil((last - first + 1) / MAX_TICKS))
    marks = [float(f"1e{power}") for power in range(first, last + 1, every)]
    return labelled([tick for tick in marks if low <= tick <= high])


def ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Round numbers between two, with their labels."""
    width = high - low
    if not math.isfinite(width) or width < 1e-300:
        return labelled([low, high])
    power = 10.0 ** math.floor(math.log10(width / MAX_TICKS))
    step = next(power * factor for factor in (1, 2, 5, 10) if width / (power * factor) <= MAX_TICKS)
    marks = [step * index for index in range(math.ceil(low / step), math.floor(high / step) + 1)]
    # more digits than the step has would be noise of the multiplication
    digits = max(0, -math.floor(math.log10(step)))
    return labelled([round(tick, digits) + 0.0 for tick in marks])


def time_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Five times from the first to the last, with labels as precise as needed to differ."""
    width = high - low
    form = "%Y-%m-%d" if width > 5 * 86_400 else "%d. %H:%M" if width > 86_400 else "%H:%M:%S"
    times = [low + width * index / 4 for index in range(5 if width else 1)]
    labels = [datetime.fromtimestamp(time, UTC).strftime(f"{form}.%f") for time in times]
    # microseconds, milliseconds, or whole seconds
    dropped = 0 if width < 0.1 else 3 if width < 20 else 7
    return [(time, label[: len(label) - dropped]) for time, label in zip(times, labels, strict=True)]


def labelled(numbers: list[float]) -> list[tuple[float, str]]:
    """Numbers with labels that have enough digits to differ."""
    labels: list[str] = []
    for digits in range(4, 18):
        labels = [f"{n:.0f}" if 1e4 <= abs(n) < 1e7 else f"{n:.{digits}g}" for n in numbers]
        if len(set(labels)) == len(set(numbers)):
            break
    return list(zip(numbers, labels, strict=True))
