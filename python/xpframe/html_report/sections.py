"""The sections of a report, from the displays that notebooks show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xpframe.analysis.coverage import cover
from xpframe.analysis.job_frame import any_frame
from xpframe.analysis.show import Mosaic
from xpframe.display.info import info_html
from xpframe.display.parts import table_html
from xpframe.display.style import panel
from xpframe.errors import XpFrameError
from xpframe.plots import Plots
from xpframe.summary import brief
from xpframe.text import html, number, plural

if TYPE_CHECKING:
    from xpframe._core import Run
    from xpframe.failed_jobs import Failures
    from xpframe.html_report.jobs_table import ReportJobs

__all__ = [
    "coverage_section",
    "factors_section",
    "failures_section",
    "graph_section",
    "head_section",
    "software_section",
]

MAX_CONSTANTS = 300
MAX_PACKAGES = 2_000


def head_section(run: Run, title: str | None) -> str:
    """What ran, when and where, and how far it came."""
    heading = f"<h1><bdi>{html(title)}</bdi></h1>" if title else ""
    # which call says why jobs failed is nothing for a page that says it
    head = info_html(run).replace('<div class="o">why did they fail: <code>info.failures()</code></div>', "")
    return f'<header id="head">{heading}{head}</header>'


def factors_section(jobs: ReportJobs) -> str:
    """What is the same in all jobs. What varies is in the head, and in the table."""
    if not jobs.constants:
        return ""
    rows = [
        f'<tr><th scope="row"><bdi class="k">{html(name)}</bdi></th>'
        f'<td><bdi class="v">{html(brief(value, 120))}</bdi></td></tr>'
        for name, value in list(jobs.constants.items())[:MAX_CONSTANTS]
    ]
    table = table_html("<th>constant</th><th>value</th>", rows, len(jobs.constants) - MAX_CONSTANTS)
    return _folded("constants", f"{plural(len(jobs.constants), 'constant')} in all jobs", panel(table))


def coverage_section(jobs: ReportJobs) -> str:
    """Which cells of the grid have jobs; nothing where there is no grid."""
    names = [name for name in jobs.table.column_names if jobs.group(name) != "result"]
    try:
        coverage = cover(any_frame(jobs.table.select(names)))
    except XpFrameError as error:
        return _section("coverage", "Coverage", f'<p class="o"><bdi>{html(error, 400)}</bdi></p>')
    if not coverage.factors:
        return ""
    return _section("coverage", "Coverage", Mosaic(coverage)._repr_html_())


def failures_section(failures: Failures) -> str:
    """Why jobs failed, with folded tracebacks; nothing if none did."""
    return _section("failures", "Failures", failures._repr_html_()) if len(failures) else ""


def graph_section(run: Run) -> str:
    """The tasks, and which needs which."""
    return _section("tasks", "Tasks", f'<div class="wide">{Plots(run).tasks().svg}</div>')


def software_section(run: Run) -> str:
    """The packages of the driver, and the state of its repositories."""
    record = run.record()
    repositories = [
        f'<tr><th scope="row"><bdi>{html(each.get("path") or each.get("name") or "")}</bdi></th>'
        f"<td><code>{html(each.get('commit') or '')}</code></td>"
        f"<td><bdi>{html(each.get('branch') or '')}</bdi></td>"
        f"<td>{'with changes' if each.get('dirty') else ''}</td></tr>"
        for each in record["git"]
    ]
    packages = sorted(_pairs(record["packages"]))
    rows = [
        f'<tr><th scope="row"><bdi>{html(name)}</bdi></th><td><code>{html(version)}</code></td></tr>'
        for name, version in packages[:MAX_PACKAGES]
    ]
    parts = []
    if repositories:
        head = "<th>repository</th><th>commit</th><th>branch</th><th></th>"
        parts.append(table_html(head, repositories, 0))
    if rows:
        table = table_html("<th>package</th><th>version</th>", rows, len(packages) - MAX_PACKAGES)
        title = f"{number(len(packages))} {'package' if len(packages) == 1 else 'packages'}"
        parts.append(f"<details><summary>{title}</summary>{table}</details>")
    return _section("software", "Software", panel("".join(parts))) if parts else ""


def _pairs(packages: Any) -> list[tuple[str, str]]:
    return [(str(name), str(version)) for name, version in dict(packages or {}).items()]


def _section(name: str, title: str, content: str) -> str:
    return f'<section id="{name}"><h2>{title}</h2>{content}</section>'


def _folded(name: str, title: str, content: str) -> str:
    return f'<section id="{name}"><details><summary>{title}</summary>{content}</details></section>'
