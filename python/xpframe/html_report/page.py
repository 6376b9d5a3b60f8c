"""Puts the sections of a report into one page that asks for nothing outside of it."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpframe.display.style import STYLE
from xpframe.errors import InvalidArgumentError, MissingLibraryError
from xpframe.failed_jobs import unreported_failures
from xpframe.html_report.curves import curves_html
from xpframe.html_report.jobs_table import read_jobs, table_parts
from xpframe.html_report.sections import (
    coverage_section,
    factors_section,
    failures_section,
    graph_section,
    head_section,
    software_section,
)
from xpframe.libraries import missing_library
from xpframe.locate import expanded
from xpframe.report import report
from xpframe.text import html
from xpframe.whole_file import write_whole

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from xpframe._core import Run
    from xpframe.results import Result

__all__ = ["write_report"]

HINT = "pip install 'xpframe[report]'"


def write_report(
    run: Run,
    path: str | os.PathLike[str],
    *,
    results: Any = None,
    curves: str | Result | Sequence[str | Result] | None = None,
    title: str | None = None,
    strict: bool = False,
    quiet: bool = False,
) -> Path:
    """Writes the page of a run; :meth:`xpframe.ExperimentInfo.report` documents the arguments."""
    target = expanded(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise InvalidArgumentError(f"cannot write a report as {target.name!r}", hint="end it in .html")
    script, style = _table_library()
    # a missing library is an error before anything is read
    from xpframe.analysis.job_frame import load_narwhals

    load_narwhals()
    page, errors, notes = _page(run, script, style, results, curves, title, quiet=quiet)
    report(errors, notes, strict=strict)
    # unpaired surrogates are in no file of UTF-8
    content = page.encode("utf-8", errors="backslashreplace")
    write_whole(target, lambda to: to.write(content))
    return target


def _page(
    run: Run, script: str, style: str, results: Any, curves: Any, title: str | None, *, quiet: bool
) -> tuple[str, list[Any], list[str]]:
    jobs = read_jobs(run, results, quiet=quiet)
    errors, notes = list(jobs.errors), list(jobs.warnings)
    curve_section, more = curves_html(run, _handles(curves), jobs, quiet=quiet)
    failures = unreported_failures(run)
    told = {str(error) for error in errors}
    errors += [*more, *(error for error in failures.errors if str(error) not in told)]
    table, data = table_parts(jobs)
    sections = [
        head_section(run, title),
        factors_section(jobs),
        f"<section id='jobs'><h2>Jobs</h2>{table}</section>",
        coverage_section(jobs),
        failures_section(failures),
        curve_section,
        graph_section(run),
        software_section(run),
    ]
    # each display brings the style sheet of all
    body = "\n".join(part.replace(STYLE, "") for part in sections if part)
    shown_title = html(title or f"{run.experiment} {run.run_id}")
    policy = (
        f"default-src 'none'; script-src 'sha256-{_digest(script)}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{shown_title}</title>
<style>{style}</style>
{STYLE}
<style>{_own("page.css")}</style>
</head>
<body>
<main class="xpf">
{body}
</main>
<script type="application/json" id="data">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""
    return page, errors, notes


def _handles(curves: Any) -> list[Any]:
    if curves is None:
        return []
    return [curves] if isinstance(curves, str) or not hasattr(curves, "__iter__") else list(curves)


def _table_library() -> tuple[str, str]:
    """The script and the style sheet of the table: DataTables, as itables ships it, then ours."""
    try:
        import itables

        home = files(itables) / "html"
        bundle = (home / "dt_bundle.js").read_text(encoding="utf-8")
        style = (home / "dt_bundle.css").read_text(encoding="utf-8")
    except Exception as error:
        raise missing_library(error, "a report needs", "itables", hint=HINT) from error
    # a module that exports cannot be part of a page; its names are used by the script that follows it
    exported = re.search(r"export\s*\{([^}]*)\}\s*;?", bundle)
    names = dict(re.findall(r"([\w$]+) as (\w+)", exported[1])) if exported else {}
    names = {public: own for own, public in names.items()}
    if (
        exported is None
        or "default" not in names
        or "</script" in bundle.lower()
        or "</style" in style.lower()
    ):
        raise MissingLibraryError("the installed itables has another form than xpframe knows", hint=HINT)
    bundle = bundle.replace(exported[0], f"\nconst XpframeTable = {names['default']};\n")
    return f"{bundle}\n{_own('page.js')}", style


def _own(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    """What the policy of the page knows the script by."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
