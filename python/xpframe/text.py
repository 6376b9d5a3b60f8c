"""Values as text that is safe to show: one line, printable, truncated with a count."""

from __future__ import annotations

from xpframe._core import Config, EnumValue, Unresolved, identifier, typename

# datetime, pathlib, html and typing each take longer to import than to read a run of some hundred jobs
TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import TypeAlias

    Collection: TypeAlias = (
        list[object] | tuple[object, ...] | set[object] | frozenset[object] | dict[object, object]
    )

__all__ = [
    "at_microseconds",
    "html",
    "in_order",
    "instant",
    "number",
    "plural",
    "short_type",
    "span",
    "value_text",
    "visible",
]

MAX_CHARACTERS = 200
MAX_DIGITS = 4000  # Python refuses to print more digits of an int at once


def visible(text: str, limit: int = MAX_CHARACTERS) -> str:
    r"""Text on one line, with invisible characters as escapes (``\x1b``), truncated with a count."""
    shown = text[:limit]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown)
    return shown if len(text) <= limit else f"{shown}… ({number(len(text))} characters)"


def html(text: object, limit: int = MAX_CHARACTERS) -> str:
    """Text for HTML, visible and escaped, for content and for attributes."""
    from html import escape

    return escape(visible(str(text), limit))


def value_text(value: object, limit: int = MAX_CHARACTERS) -> str:
    """A value as Python would write it, on one line, truncated with a count."""
    if isinstance(value, str):
        return quoted(value, limit)
    if isinstance(value, int) and not isinstance(value, bool):
        return integer(value)
    if isinstance(value, EnumValue):
        return visible(f"{value.enum}.{value.name}", limit)
    if isinstance(value, Config):
        return visible(f"{short_type(value)} {identifier(value)[:8]}", limit)
    if isinstance(value, Unresolved):
        return visible(repr(value).strip("<>").replace("unresolved", "dangling reference", 1), limit)
    if isinstance(value, list | tuple | set | frozenset | dict):
        return collection(value, limit)
    return visible(_path_text(value), limit)


def _path_text(value: object) -> str:
    """A path as its text, anything else as ``repr`` writes it."""
    from pathlib import PurePath

    return str(value) if isinstance(value, PurePath) else repr(value)


def quoted(text: str, limit: int = MAX_CHARACTERS) -> str:
    """A string in quotes, as ``repr`` writes it."""
    return repr(text) if len(text) <= limit else f"{text[:limit]!r}… ({number(len(text))} characters)"


def integer(value: int) -> str:
    """An int, or its number of digits if Python refuses to print it."""
    digits = value.bit_length() * 30_103 // 100_000 + 1  # log10(2)
    return str(value) if digits < MAX_DIGITS else f"an int of about {number(digits)} digits"


def collection(value: Collection, limit: int) -> str:
    """A list, set or dict on one line; if it does not fit, with a count."""
    opening, closing = "[]" if isinstance(value, list | tuple) else "{}"
    parts: list[str] = []
    length = 0
    for item in in_order(value):
        part = value_text(item, 40)
        if isinstance(value, dict):
            part += f": {value_text(value[item], 40)}"
        length += len(part) + 2
        if length > limit:
            parts.append(f"… {number(len(value) - len(parts))} more")
            break
        parts.append(part)
    return opening + ", ".join(parts) + closing


def in_order(value: Collection) -> list[object]:
    """The members; those of a set in a reproducible order."""
    if isinstance(value, set | frozenset):
        return sorted(value, key=lambda member: (type(member).__name__, value_text(member)))
    return list(value)


def short_type(config: Config) -> str:
    """The class of a config without its module."""
    return typename(config).rpartition(".")[2]


def number(count: int) -> str:
    """A count with thousands separators."""
    return f"{count:,}"


def plural(count: int, noun: str) -> str:
    """A count with its noun: ``1 job``, ``2 jobs``."""
    return f"{number(count)} {noun}" if count == 1 else f"{number(count)} {noun}s"


def instant(time: datetime | None) -> str:
    """A time in UTC, to the second; empty for None."""
    from datetime import UTC

    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if time else ""


def at_microseconds(time: int) -> datetime:
    """The time for microseconds since 1970, in UTC."""
    from datetime import UTC, datetime, timedelta

    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)


def span(seconds: float) -> str:
    """A duration in its two largest units: ``850 ms``, ``3.4 s``, ``2 min 5 s``, ``3 h 20 min``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    for small, large, per, step in (("s", "min", 60, 1), ("min", "h", 60, 60), ("h", "d", 24, 3600)):
        whole = round(seconds / step)
        if whole < per * per or large == "d":
            high, low = divmod(whole, per)
            return f"{high} {large} {low} {small}" if low else f"{high} {large}"
    return f"{seconds:.0f} s"
