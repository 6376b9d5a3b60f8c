"""Two jobs side by side, where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from xpframe.display.parts import path_html, table_html, title_html
from xpframe.display.style import panel
from xpframe.text import html, number, plural, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    # place, the value there of the one and of the other, whether the difference counts
    Row: TypeAlias = tuple[str, str | None, str | None, bool | None]

__all__ = ["diff_html", "diff_text", "heading"]

MAX_ROWS = 200
LONGEST = 300  # characters of a value
MISSING = "missing"
COUNTS = {True: "counts for the id", False: "does not count for the id", None: ""}


def diff_html(differences: Sequence[Row], names: tuple[str, str]) -> str:
    """Where two jobs differ, for a notebook: a row a difference, the two values beside each other."""
    title = title_html("diff", heading(differences))
    if not differences:
        return panel(title)
    rows = [
        f'<tr><th scope="row"><bdi class="k">{html(place, LONGEST)}</bdi></th>'
        f'<td>{value_html(a)}</td><td>{value_html(b)}</td><td class="n">{COUNTS[counts]}</td></tr>'
        for place, a, b, counts in differences[:MAX_ROWS]
    ]
    head = (
        f"<th></th><th><bdi>{html(names[0], 60)}</bdi></th><th><bdi>{html(names[1], 60)}</bdi></th><th></th>"
    )
    return panel(title + table_html(head, rows, len(differences) - MAX_ROWS))


def value_html(value: str | None) -> str:
    return (
        f'<bdi class="v">{path_html(value, LONGEST)}</bdi>'
        if value is not None
        else f'<span class="a">{MISSING}</span>'
    )


def value_text(value: str | None) -> str:
    return MISSING if value is None else visible(value, 60)


def heading(differences: Sequence[Row]) -> str:
    return plural(len(differences), "difference") if differences else "no difference"


def diff_text(differences: Sequence[Row], names: tuple[str, str]) -> str:
    """The same for a terminal: three columns, and whether a difference counts."""
    if not differences:
        return heading(differences)
    rows = [("", visible(names[0], 60), visible(names[1], 60), "")]
    rows += [
        (visible(place, LONGEST), value_text(a), value_text(b), COUNTS[counts])
        for place, a, b, counts in differences[:MAX_ROWS]
    ]
    widths = [max(len(cells[index]) for cells in rows) for index in range(4)]
    lines = ["  ".join(map(str.ljust, cells, widths)).rstrip() for cells in rows]
    if len(differences) > MAX_ROWS:
        lines.append(f"… and {number(len(differences) - MAX_ROWS)} more")
    return "\n".join([*lines, heading(differences)])
