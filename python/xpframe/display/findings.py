"""The findings of a check: by kind, worst first, a few of each."""

from __future__ import annotations

from itertools import groupby
from pathlib import PurePath
from typing import TYPE_CHECKING

from xpframe.display.parts import path_html, table_html, title_html
from xpframe.display.style import panel
from xpframe.finding import SEVERITIES, Finding
from xpframe.text import html, number, plural, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["findings_html", "findings_text"]

SIGNS = {"error": "✗", "warning": "!", "info": "·"}
MAX_OF_KIND = 5


def findings_text(
    root: str, findings: Sequence[Finding], examined: dict[str, int], *, whole: bool = False
) -> str:
    """The findings for a terminal, a few of each kind, or all if ``whole``; ``root`` is the workspace,
    ``examined`` what the check looked at.
    """
    lines = [f"workspace {visible(root)}: {heading(findings)}", f"({examined_in_words(examined)})"]
    for severity, kind, of_kind in by_kind(findings):
        lines += ["", f"{severity} {kind} ({number(len(of_kind))})"]
        shown = of_kind if whole else of_kind[:MAX_OF_KIND]
        for finding in shown:
            about = subject(finding, whole=whole)
            prefix = f"{about}: " if about else ""
            lines.append(f"  {SIGNS[severity]} {prefix}{visible(finding.what, 400)}")
            where = location(finding, root)
            lines += [f"    {where}"] if where else []
        if len(of_kind) > len(shown):
            lines.append(f"    … and {number(len(of_kind) - len(shown))} more")
        advice = dict.fromkeys(finding.advice for finding in shown)
        lines += [f"    → {visible(text, 400)}" for text in advice]
    return "\n".join(lines)


def findings_html(root: str, findings: Sequence[Finding], examined: dict[str, int]) -> str:
    """The findings for a notebook."""
    title = title_html("check", heading(findings))
    about = f'<div class="o"><code>{path_html(root)}</code> {html(examined_in_words(examined))}</div>'
    head = "<th>fault</th><th>where</th><th>what to do</th>"
    parts = []
    for severity, kind, of_kind in by_kind(findings):
        rows = [
            f'<tr><th scope="row">{html(finding.what, 400)}</th>'
            f"<td><bdi>{html(subject(finding))}</bdi> <code>{path_html(location(finding, root))}</code></td>"
            f"<td>{html(finding.advice, 400)}</td></tr>"
            for finding in of_kind[:MAX_OF_KIND]
        ]
        mark = ' class="e"' if severity == "error" else ""
        name = f"<b{mark}>{SIGNS[severity]} {html(severity)}</b> {html(kind)}"
        count = f'<span class="l">{number(len(of_kind))}</span>'
        opened = ' open=""' if severity != "info" else ""
        table = table_html(head, rows, len(of_kind) - MAX_OF_KIND)
        parts.append(f"<details{opened}><summary>{name} {count}</summary>{table}</details>")
    return panel(title + about + "".join(parts))


def by_kind(findings: Sequence[Finding]) -> list[tuple[str, str, list[Finding]]]:
    """The findings of each severity and kind, worst first; kinds in the order of their first finding."""
    kinds = {kind: index for index, kind in enumerate(dict.fromkeys(finding.kind for finding in findings))}

    def rank(finding: Finding) -> tuple[int, int]:
        return SEVERITIES.index(finding.severity), kinds[finding.kind]

    groups = groupby(sorted(findings, key=rank), key=lambda finding: (finding.severity, finding.kind))
    return [(severity, kind, list(of_kind)) for (severity, kind), of_kind in groups]


def heading(findings: Sequence[Finding]) -> str:
    nouns = {"error": "error", "warning": "warning", "info": "note"}
    counts = {severity: sum(finding.severity == severity for finding in findings) for severity in nouns}
    return ", ".join(plural(count, nouns[severity]) for severity, count in counts.items())


def examined_in_words(examined: dict[str, int]) -> str:
    return (
        f"looked at {plural(examined['runs'], 'run')} with {plural(examined['jobs'], 'job')}: "
        f"{number(examined['compared'])} compared with their params.json, "
        f"{plural(examined['paths'], 'recorded path')} looked for"
    )


def subject(finding: Finding, *, whole: bool = False) -> str:
    """The run, job and field that a finding is about, in one line; if ``whole`` with its whole id."""
    run = "/".join(name for name in (finding.experiment, finding.run) if name)
    job = f"job {finding.job_id if whole else finding.job_id[:8]}" if finding.job_id else ""
    field = f"field {finding.field}" if finding.field else ""
    return visible(", ".join(part for part in (run, job, field) if part), 1_000 if whole else 200)


def location(finding: Finding, root: str) -> str:
    """The file, relative to the workspace, and its line."""
    if finding.file is None or finding.file == root:
        return ""
    path = PurePath(finding.file)
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    return visible(f"{shown}:{finding.line}" if finding.line else str(shown), 400)
