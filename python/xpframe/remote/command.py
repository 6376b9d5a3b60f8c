"""The command ``xpframe pull``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from xpframe.remote.outcome import Pulled

__all__ = ["add_pull_arguments", "pull_as_asked", "pull_command"]

PULL_HELP = "copy what xpframe reads of a workspace on another machine, with rsync over ssh"


def add_pull_arguments(parser: Any) -> None:
    """Adds the arguments of ``pull`` to its parser."""
    parser.add_argument("source", metavar="HOST:WORKSPACE", help="the workspace on the other machine")
    parser.add_argument(
        "directory", metavar="DIR", help="the copy: a new directory, or that of an earlier pull"
    )
    text = "names or globs of experiments, whose upstream jobs come along; by default all"
    parser.add_argument("experiments", metavar="EXPERIMENT", nargs="*", help=text)
    text = "result files of jobs, as in metrics.json or 'runs/**/events.*'; may be repeated"
    parser.add_argument("--results", metavar="GLOB", action="append", default=[], help=text)
    parser.add_argument("--dry-run", "-n", action="store_true", help="only say what would be copied")
    parser.add_argument(
        "--ssh", metavar="COMMAND", help="the command that reaches the host, as 'ssh -p 2222'"
    )
    parser.add_argument("--strict", action="store_true", help="an error if a file could not be copied")


def pull_command(options: argparse.Namespace) -> int:
    """Copies, and says how much. Returns 1 if something could not be copied."""
    done = pull_as_asked(options)
    print(done)
    return int(bool(done.problems))


def pull_as_asked(options: argparse.Namespace) -> Pulled:
    """Copies what the words of a command ask for, in a shell or a notebook."""
    from xpframe.remote.copy import pull

    return pull(
        options.source,
        options.directory,
        options.experiments,
        results=options.results,
        dry_run=options.dry_run,
        ssh=options.ssh,
        strict=options.strict,
    )
