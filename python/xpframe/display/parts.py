"""Titles, tables, bars and legends, which the displays share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.display.style import SYMBOLS
from xpframe.text import html, number, plural, value_text, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xpframe._core import Run

__all__ = [
    "bar",
    "chips",
    "id_html",
    "in_words",
    "left_out_text",
    "legend",
    "line_html",
    "of_run",
    "path_html",
    "table_html",
    "task_html",
    "title_html",
    "words_of_tags",
]

MAX_ROWS = 40
MAX_TEXT_LINES = 120
MAX_TAGS = 12
MAX_UNBROKEN = 30  # characters of a path that fits on every line
MAX_SEPARATORS = 40


def title_html(title: str, note: str, label: tuple[str, str] | None = None) -> str:
    """The first line of a display: a title (HTML), a note (text), a label in the colour of a state."""
    shown = ""
    if label:
        shown = f' <span class="l"><span class="dot s-{label[1]}"></span>driver {html(label[0])}</span>'
    return f'<div class="h"><b>{title}</b> <span class="n"><bdi>{html(note)}</bdi></span>{shown}</div>'


def table_html(head: str, rows: list[str], left_out: int) -> str:
    """A table of rows, and a last row with the number of rows left out."""
    body = "".join(rows)
    if left_out > 0:
        body += f'<tr><td colspan="{head.count("<th")}" class="m">… and {number(left_out)} more</td></tr>'
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def bar(states: dict[str, int]) -> str:
    """Counts of states as a bar without text."""
    spans = "".join(
        f'<span class="s-{state}" style="flex:{count}" title="{number(count)} {state}"></span>'
        for state, count in states.items()
    )
    return f'<div class="bar">{spans}</div>'


def legend(states: dict[str, int], jobs: int) -> str:
    """Counts of states in words, with their colours."""
    words = [
        f'<span><span class="dot s-{state}"></span>{number(count)} {state} {SYMBOLS[state]}</span>'
        for state, count in states.items()
    ]
    return f'<div class="legend"><b>{plural(jobs, "job")}</b> {" ".join(words)}</div>'


def in_words(states: dict[str, int]) -> str:
    return ", ".join(f"{number(count)} {state}" for state, count in states.items()) or "none"


def task_html(task: str) -> str:
    module, dot, name = visible(task).rpartition(".")
    return f'<bdi class="t"><i>{html(module)}{dot}</i>{html(name)}</bdi>'


def id_html(job_id: str) -> str:
    """The first eight characters of an identifier; the tooltip has all."""
    return f'<code class="id" title="{html(job_id)}">{html(job_id[:8])}</code>'


def line_html(path: object) -> str:
    """A path on one line, which scrolls where it does not fit."""
    return f'<span class="path">{html(path, 1_000)}</span>'


def path_html(text: object, limit: int = 400) -> str:
    """A path, or a text with paths. A long path breaks after separators only."""
    return " ".join(map(in_parts, html(text, limit).split(" ")))


def in_parts(word: str) -> str:
    """A word of HTML, its parts up to each separator kept whole if it is a long path."""
    if len(word) <= MAX_UNBROKEN or not 0 < word.count("/") <= MAX_SEPARATORS:
        return word
    *parts, last = word.split("/")
    return "".join(f'<span class="pc">{part}/</span>' for part in parts) + f'<span class="pc">{last}</span>'


def words_of_tags(tags: Mapping[str, object]) -> list[str]:
    """The first tags as ``name=value``."""
    words = [f"{visible(name, 60)}={value_text(value, 60)}" for name, value in [*tags.items()][:MAX_TAGS]]
    return words + ([f"… {number(len(tags) - MAX_TAGS)} more"] if len(tags) > MAX_TAGS else [])


def chips(words: Sequence[str]) -> str:
    """Words on grey, as for tags."""
    return " ".join(f'<span class="c"><bdi>{html(word)}</bdi></span>' for word in words)


def left_out_text(count: int) -> list[str]:
    return [f"  … and {number(count)} more"] if count > 0 else []


def of_run(run: Run) -> str:
    """The run that something belongs to, for titles."""
    return f"of {visible(run.experiment)} {visible(run.run_id)}"
