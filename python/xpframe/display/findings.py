"""What is wrong with a workspace, as it shows itself: by kind, worst first, a few of each."""

from __future__ import annotations

from itertools import groupby
from pathlib import PurePath
from typing import TYPE_CHECKING

from xpframe.display.info import table_html, title_html
from xpframe.display.style import panel
from xpframe.display.text import html, number, plural, visible

if TYPE_CHECKING:
    from xpframe.check import Finding, Findings

__all__ = ["findings_html", "findings_text"]

ORDER = {"error": 0, "warning": 1, "info": 2}
SIGNS = {"error": "✗", "warning": "!", "info": "·"}
MOST = 5  # findings that are shown of each kind


def by_kind(findings: Findings) -> list[tuple[str, str, list[Finding]]]:
    """The findings of each severity and kind, worst first, in the order in which kinds were met."""
    met = {kind: at for at, kind in enumerate(dict.fromkeys(one.kind for one in findings))}

    def key(one: Finding) -> tuple[int, int]:
        return ORDER[one.severity], met[one.kind]

    groups = groupby(sorted(findings, key=key), key=lambda one: (one.severity, one.kind))
    return [(severity, kind, list(found)) for (severity, kind), found in groups]


def heading(findings: Findings) -> str:
    counts = findings.counts
    words = [plural(counts["error"], "error"), plural(counts["warning"], "warning")]
    return ", ".join([*words, plural(counts["info"], "note")])


def looked_at(findings: Findings) -> str:
    seen = findings.seen
    return (
        f"looked at {plural(seen['runs'], 'run')} with {plural(seen['jobs'], 'job')}: "
        f"{number(seen['compared'])} compared with their params.json, "
        f"{plural(seen['paths'], 'recorded path')} looked for"
    )


def subject(one: Finding) -> str:
    """What a finding is about, in one line."""
    run = "/".join(part for part in (one.experiment, one.run) if part)
    job = f"job {one.job_id[:8]}" if one.job_id else ""
    field = f"field {one.field}" if one.field else ""
    return visible(", ".join(part for part in (run, job, field) if part))


def place(one: Finding, root: str) -> str:
    """The file, from the root of the workspace on, and its line."""
    if one.file is None or one.file == root:
        return ""
    path = PurePath(one.file)
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    return visible(f"{shown}:{one.line}" if one.line else str(shown), 400)


def findings_text(findings: Findings) -> str:
    """The findings for a terminal: of each kind at most five, and the number of the others."""
    lines = [f"workspace {visible(findings.place)}: {heading(findings)}", f"({looked_at(findings)})"]
    for severity, kind, found in by_kind(findings):
        lines += ["", f"{severity} {kind} ({number(len(found))})"]
        for one in found[:MOST]:
            about = subject(one)
            lines.append(f"  {SIGNS[severity]} {about + ': ' if about else ''}{visible(one.what, 400)}")
            where = place(one, findings.place)
            lines += [f"    {where}"] if where else []
        if len(found) > MOST:
            lines.append(f"    … and {number(len(found) - MOST)} more")
        advice = dict.fromkeys(one.advice for one in found[:MOST])
        lines += [f"    → {visible(text, 400)}" for text in advice]
    return "\n".join(lines)


def findings_html(findings: Findings) -> str:
    """The findings for a notebook."""
    title = title_html("check", heading(findings))
    about = f'<div class="o"><code>{html(findings.place)}</code> {html(looked_at(findings))}</div>'
    head = "<th>what</th><th>where</th><th>what to do</th>"
    parts = []
    for severity, kind, found in by_kind(findings):
        rows = [
            f'<tr><th scope="row">{html(one.what, 400)}</th>'
            f"<td><bdi>{html(subject(one))}</bdi> <code>{html(place(one, findings.place), 400)}</code></td>"
            f"<td>{html(one.advice, 400)}</td></tr>"
            for one in found[:MOST]
        ]
        mark = ' class="e"' if severity == "error" else ""
        name = f"<b{mark}>{SIGNS[severity]} {html(severity)}</b> {html(kind)}"
        count = f'<span class="l">{number(len(found))}</span>'
        shown = " open" if severity != "info" else ""
        table = table_html(head, rows, len(found) - MOST)
        parts.append(f"<details{shown}><summary>{name} {count}</summary>{table}</details>")
    return panel(title + about + "".join(parts))
