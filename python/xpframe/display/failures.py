"""Failed jobs by cause, as they show themselves."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from xpframe.display.parts import (
    chips,
    id_html,
    left_out_text,
    path_html,
    table_html,
    title_html,
    words_of_tags,
)
from xpframe.display.style import SYMBOLS, panel
from xpframe.text import html, number, plural, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xpframe.failure import Failure, FailureGroup

__all__ = ["failures_html", "failures_text", "heading"]

MAX_GROUPS = 30
MAX_OPEN_GROUPS = 3
MAX_JOBS = 8  # of a group, by identifier
MAX_TAIL_LINES = 60
MAX_LINE = 400
SIGN = SYMBOLS["error"]


def heading(title: str, groups: Sequence[FailureGroup]) -> str:
    """What was read and how much failed: ``grid: 6 failed jobs, 2 causes``."""
    return f"{visible(title)}: {counts_in_words(groups)}"


def counts_in_words(groups: Sequence[FailureGroup]) -> str:
    """How much failed: ``6 failed jobs, 2 causes``."""
    jobs = sum(len(group.failures) for group in groups)
    return f"{plural(jobs, 'failed job')}, {plural(len(groups), 'cause')}" if groups else "no failed job"


def what(failure: Failure) -> str:
    """What went wrong with a job, on one line."""
    if failure.exception and failure.message:
        return visible(f"{failure.exception}: {failure.message}", MAX_LINE)
    said = failure.exception or failure.message
    words = {
        "KILLED": "killed: it left no exception",
        "LOST": "never started: its driver went away",
        "DEPENDENCY": "never started",
    }
    plain = words.get(failure.failure, failure.failure.lower())
    if failure.failure == "FAILED" and failure.exit_code is not None:
        plain = f"exit code {failure.exit_code}"
    if said and failure.failure not in ("FAILED", "KILLED"):
        return visible(f"{failure.failure.lower()}: {said}", MAX_LINE)
    return visible(said or plain, MAX_LINE)


def count_in_words(group: FailureGroup) -> str:
    """How many jobs a group has: ``3 jobs, 2 more blocked by them``."""
    crashed, blocked = len(group.crashed), len(group.blocked)
    if not crashed:
        return f"{plural(blocked, 'job')} blocked"
    by = "it" if crashed == 1 else "them"
    return plural(crashed, "job") + (f", {number(blocked)} more blocked by {by}" if blocked else "")


def tags_in_words(group: FailureGroup) -> list[str]:
    """The tags that the jobs of a group share, as ``lr=0.1``."""
    return words_of_tags(group.shared_tags)


def tasks_in_words(group: FailureGroup) -> str:
    """The tasks whose jobs failed by themselves, or were blocked if none did."""
    tasks = list(dict.fromkeys(failure.task for failure in group.crashed or group.failures))
    rest = f", … {len(tasks) - 3} more" if len(tasks) > 3 else ""
    return visible(", ".join(tasks[:3]), MAX_LINE) + rest


def facts(group: FailureGroup, *, whole: bool = False) -> list[tuple[str, str]]:
    """What is known of the example of a group, in (name, value) pairs; if ``whole`` with all jobs."""
    example = group.example
    if whole:
        jobs, more = [visible(failure.job_id, 300) for failure in group.failures], 0
    else:
        jobs = [visible(failure.job_id)[:8] for failure in group.failures[:MAX_JOBS]]
        more = len(group.failures) - MAX_JOBS
    code = None if example.exit_code is None else str(example.exit_code)
    said = [
        ("at", example.location),
        ("cause", example.cause),
        ("exit code", None if what(example) == f"exit code {code}" else code),  # the heading has it
        ("log", example.log),
        ("jobs", ", ".join(jobs) + (f", … {number(more)} more" if more > 0 else "")),
    ]
    limit = len(jobs) * 1_000 if whole else MAX_LINE
    return [(name, visible(value, max(limit, MAX_LINE))) for name, value in said if value]


def failures_text(title: str, groups: Sequence[FailureGroup], *, whole: bool = False) -> str:
    """The causes for a terminal: of each how many jobs, the tags they share, and one example. If ``whole``,
    none is left out, and no job.
    """
    lines = [heading(title, groups)]
    shown = groups if whole else groups[:MAX_GROUPS]
    for group in shown:
        lines += ["", f"{SIGN} {count_in_words(group)} · {tasks_in_words(group)}", f"  {what(group.example)}"]
        if tags := tags_in_words(group):
            lines.append(f"    all with {', '.join(tags)}")
        lines += [f"    {name} {value}" for name, value in facts(group, whole=whole)]
    return "\n".join(lines + left_out_text(len(groups) - len(shown)))


def failures_html(title: str, groups: Sequence[FailureGroup]) -> str:
    """The causes for a notebook, with the traceback of one example folded."""
    parts = [title_html(f"<bdi>{html(title)}</bdi>", counts_in_words(groups))]
    for position, group in enumerate(groups[:MAX_GROUPS]):
        parts.append(group_html(group, is_open=position < MAX_OPEN_GROUPS))
    if len(groups) > MAX_GROUPS:
        parts.append(f'<div class="o">… and {number(len(groups) - MAX_GROUPS)} more causes</div>')
    return panel("".join(parts))


def group_html(group: FailureGroup, *, is_open: bool) -> str:
    """One cause: a line that unfolds into facts and the traceback."""
    example = group.example
    line = (
        f'<b class="e">{SIGN}</b> <bdi class="t">{html(what(example), MAX_LINE)}</bdi> '
        f'<span class="l">{html(count_in_words(group))}</span>'
    )
    tags = chips(tags_in_words(group))
    rows = [f'<tr><th scope="row">task</th><td><bdi>{html(tasks_in_words(group), MAX_LINE)}</bdi></td></tr>']
    if tags:
        rows.append(f'<tr><th scope="row">all with</th><td>{tags}</td></tr>')
    rows += [
        f'<tr><th scope="row">{html(name)}</th><td><code>{path_html(value, MAX_LINE)}</code></td></tr>'
        for name, value in facts(group)
    ]
    shown = ' open=""' if is_open else ""
    title = f"<th>one example: job {id_html(example.job_id)}</th><th></th>"
    body = table_html(title, rows, 0) + tail_html(example)
    return f"<details{shown}><summary>{line}</summary>{body}</details>"


def tail_html(failure: Failure) -> str:
    """The end of a log, folded."""
    if not failure.tail:
        return ""
    lines = failure.tail.split("\n")
    shown = "\n".join(escape(visible(line, MAX_LINE)) for line in lines[-MAX_TAIL_LINES:])
    title = "traceback" if failure.exception else "end of the log"
    return f'<details><summary><span class="n">{title}</span></summary><pre>{shown}</pre></details>'
