"""The command ``xpframe report``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

__all__ = ["add_report_arguments", "report_command"]

REPORT_HELP = "write a run as one HTML page: jobs with results, failures, curves, packages"


def add_report_arguments(parser: Any) -> None:
    """Adds the arguments of ``report`` to its parser, but the experiment and the workspace."""
    parser.add_argument("--run", default="latest", help="latest, or a run id")
    parser.add_argument("--output", "-o", metavar="FILE", required=True, help="the page, ending in .html")
    text = "what jobs wrote: a path parameter or a file; NAME=HANDLE for several"
    parser.add_argument("--results", action="append", metavar="HANDLE", help=text)
    text = "files with rows by step, drawn as curves; may be repeated"
    parser.add_argument("--curves", action="append", metavar="HANDLE", help=text)
    parser.add_argument("--title", metavar="TEXT", help="a heading")
    parser.add_argument("--strict", action="store_true", help="stop at the first error")


def report_command(options: argparse.Namespace) -> None:
    """Writes the page, and says how large it is."""
    from xpframe.command_words import results_argument
    from xpframe.html_report.page import write_report
    from xpframe.resolve import resolve_runs
    from xpframe.text import visible

    runs, _ = resolve_runs(options.experiment, options.workspace, options.run)
    if len(runs) != 1:
        from xpframe.errors import InvalidArgumentError

        names = ", ".join(f"{run.experiment} {run.run_id}" for run in runs[:5])
        raise InvalidArgumentError(f"a report is of one run, not of {len(runs)}: {names}", hint="name one")
    page = write_report(
        runs[0],
        options.output,
        results=results_argument(options.results),
        curves=options.curves,
        title=options.title,
        strict=options.strict,
    )
    print(f"wrote {visible(str(page))}, {page.stat().st_size / 1e6:.1f} MB")
