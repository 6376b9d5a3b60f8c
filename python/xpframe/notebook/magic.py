"""``%xpm``: experiments in a notebook, by name.

The magic parses its line, calls the public functions of xpframe, and returns their results.
"""

from __future__ import annotations

import argparse
import keyword
import shlex
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.magic import Magics, line_magic, magics_class
from traitlets import Bool, Enum, Int, Unicode

from xpframe.command_words import SEVERAL_RESULTS, column_words, results_argument, with_guess
from xpframe.errors import XpFrameError
from xpframe.failed_jobs import named_failures
from xpframe.frames import frame_of_runs, xp_table
from xpframe.html_report.command import add_report_arguments
from xpframe.locate import use
from xpframe.notebook.completion import matcher
from xpframe.notebook.run_cache import RunCache
from xpframe.options import COLUMN_DEFAULTS
from xpframe.remote.command import add_pull_arguments, pull_as_asked
from xpframe.resolve import resolve_runs
from xpframe.text import visible
from xpframe.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from xpframe._core import Config
    from xpframe.experiment import ExperimentInfo
    from xpframe.options import InfoOptions, TableOptions
    from xpframe.remote import Pulled

__all__ = ["XpmError", "load", "unload"]


class XpmError(Exception):
    """An error in one line: the cell fails without a traceback."""

    def _render_traceback_(self) -> list[str]:
        # names may contain line breaks, or characters that move the cursor
        return [f"\x1b[31mXpmError\x1b[0m: {visible(str(self), 2_000)}"]


class _Parser(argparse.ArgumentParser):
    """A parser that raises instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise XpmError(f"{with_guess(message)}; {self.format_usage().strip().replace(chr(10), ' ')}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise _HelpShownError(status, message)


class _Command(_Parser):
    """The parser of a sub-command: it reports unknown arguments with its own usage."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            words = " ".join(unknown)
            hint = SEVERAL_RESULTS if "--results" in (args or ()) else "a name with spaces needs quotes"
            self.error(f"unrecognized arguments: {visible(words)} ({hint})")
        return options, unknown


class _HelpShownError(Exception):
    """Help was printed."""


def parser() -> argparse.ArgumentParser:
    """The parser of ``%xpm``."""
    top = _Parser(prog="%xpm", description="Experiments by name.", usage="%%xpm COMMAND …")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Command)
    load = commands.add_parser("load", help="an experiment as a DataFrame", usage="%%xpm load NAME [options]")
    schema = commands.add_parser(
        "schema", help="the columns of an experiment", usage="%%xpm schema NAME [--run R]"
    )
    info = commands.add_parser("info", help="a run and its objects", usage="%%xpm info NAME [--run R]")
    runs = commands.add_parser("runs", help="the runs of an experiment", usage="%%xpm runs NAME")
    failures = commands.add_parser("failures", help="why jobs failed", usage="%%xpm failures NAME [options]")
    job = commands.add_parser("job", help="the config of a job", usage="%%xpm job NAME JOB [--run R]")
    for command in (load, schema, info, runs, failures, job):
        command.add_argument("name", metavar="NAME")
    job.add_argument("job", metavar="JOB", help="its id, or the beginning of it")
    for command in (load, schema, info, failures, job):
        which = "latest, or a run" if command in (info, job) else "latest, all, distinct, or a run"
        command.add_argument("--run", default="latest", help=which)
        command.add_argument("--quiet", action="store_true", help="show no progress")
    for command in (load, schema, failures):
        command.add_argument("--task", action="append", help="keep the jobs of this task; may be repeated")
        text = "keep the jobs that pass a filter, as in 'lr <= 0.1'; in quotes"
        command.add_argument("--where", metavar="FILTER", help=text)
    load.add_argument(
        "--columns", nargs="+", help="names, short names or globs, separated by commas or spaces"
    )
    text = "what jobs wrote: a path parameter or a file; NAME=HANDLE for several"
    load.add_argument("--results", action="append", metavar="HANDLE", help=text)
    load.add_argument("--backend", choices=("pandas", "polars", "pyarrow"))
    load.add_argument("--short", action="store_true", help="names without tags. and config.")
    load.add_argument("--names", choices=("full", "short", "identifier"), help="how columns are named")
    load.add_argument("--timezone", metavar="ZONE", help="the zone of times that the files hold without one")
    load.add_argument("--naive-times", action="store_true", help="times in UTC, without a zone")
    load.add_argument("--strict", action="store_true", help="stop at the first error")
    load.add_argument("--lazy", action="store_true", help="a polars LazyFrame")
    load.add_argument("--as", dest="variable", metavar="VAR", help="assign to this variable and show nothing")
    report = commands.add_parser(
        "report", help="a run as an HTML page", usage="%%xpm report NAME -o FILE [options]"
    )
    report.add_argument("name", metavar="NAME")
    report.add_argument("--quiet", action="store_true", help="show no progress")
    add_report_arguments(report)
    pull = commands.add_parser(
        "pull", help="copy a workspace from another machine", usage="%%xpm pull HOST:PATH DIR [EXPERIMENT …]"
    )
    add_pull_arguments(pull)
    commands.add_parser("ls", help="the experiments of the workspace", usage="%%xpm ls")
    use = commands.add_parser("use", help="set the workspace", usage="%%xpm use PATH")
    use.add_argument("path", metavar="PATH")
    return top


def options_by_command() -> dict[str, list[str]]:
    """The long options of each command, which Tab offers."""
    (commands,) = (one for one in parser()._actions if isinstance(one, argparse._SubParsersAction))  # noqa: SLF001 - argparse has no other list
    return {
        name: sorted(option for option in command._option_string_actions if option.startswith("--"))  # noqa: SLF001 - as above
        for name, command in sorted(commands.choices.items())
    }


def refuse(options: argparse.Namespace) -> None:
    """Raises an error for options that exclude each other, before reading."""
    variable = options.variable
    if variable is not None and (not variable.isidentifier() or keyword.iskeyword(variable)):
        raise XpmError(f"--as {variable!r}: not a valid variable name")
    if options.short and options.names not in (None, "short"):
        raise XpmError(f"--short with --names {options.names} (drop one)")
    if options.lazy and options.backend not in (None, "polars"):
        raise XpmError(f"--backend {options.backend} with --lazy: lazy queries need polars (drop one)")


@magics_class
class Xpm(Magics):  # type: ignore[misc]  # IPython has no types
    """Experiments in a notebook; ``%config Xpm.…`` sets the defaults of its options."""

    workspace = Unicode("", help="the workspace; empty for the usual rules").tag(config=True)
    backend = Enum(["pandas", "polars", "pyarrow"], "pandas", help="the library of frames").tag(config=True)
    names = Enum(["full", "short", "identifier"], "full", help="how columns are named").tag(config=True)
    max_columns = Int(COLUMN_DEFAULTS["max_columns"], help="the maximal number of columns").tag(config=True)
    quiet = Bool(False, help="hide progress").tag(config=True)
    _cache: RunCache | None = None

    @line_magic  # type: ignore[untyped-decorator]  # IPython has no types
    def xpm(self, line: str) -> Any:
        """Replaced by the parser's help."""
        try:
            options = parser().parse_args(shlex.split(line))
        except _HelpShownError:
            return None
        except ValueError as error:
            raise XpmError(f"{error} in %xpm {line}") from None
        if options.command is None:
            print(parser().format_help())  # noqa: T201 - help is for reading
            return None
        try:
            return getattr(self, f"_{options.command}")(options)
        except (XpFrameError, OSError, UnicodeError) as error:
            raise XpmError(str(error)) from None

    def _workspace(self) -> str | None:
        return self.workspace or None

    def _quiet(self, options: argparse.Namespace) -> bool:
        return self.quiet or options.quiet

    def _load(self, options: argparse.Namespace) -> Any:
        refuse(options)
        columns: Any = {
            "task": options.task,
            "where": options.where,
            "columns": column_words(options.columns),
            "results": results_argument(options.results),
            "max_columns": self.max_columns,
            "names": "short" if options.short else options.names or self.names,
            "timezone": options.timezone,
            "naive_times": options.naive_times,
            "strict": options.strict,
        }
        if options.lazy:
            from xpframe.lazy import scan_xp

            workspace, quiet = self._workspace(), self._quiet(options)
            frame: Any = scan_xp(options.name, workspace=workspace, run=options.run, quiet=quiet, **columns)
        else:
            columns["quiet"] = self._quiet(options)
            frame = self._frame(options, columns)
        if options.variable is None:
            return frame
        self.shell.push({options.variable: frame})
        return None

    def _frame(self, options: argparse.Namespace, arguments: InfoOptions) -> Any:
        """A frame. Runs in the cache are read again only where their files changed."""
        runs, several = resolve_runs(options.name, self._workspace(), options.run)
        if self._cache is None:
            self._cache = RunCache()
        backend: Any = options.backend or self.backend
        asked: TableOptions = {"workspace": None, "run": options.run, **arguments}
        return frame_of_runs(self._cache.refresh(runs), asked, several_runs=several, backend=backend)

    def _ls(self, _: argparse.Namespace) -> list[str]:
        return Workspace(self._workspace()).experiments()

    def _runs(self, options: argparse.Namespace) -> list[str]:
        return Workspace(self._workspace()).runs(options.name)

    def _info(self, options: argparse.Namespace) -> ExperimentInfo:
        run = None if options.run == "latest" else options.run
        return Workspace(self._workspace()).load_xp_info(options.name, run, quiet=self._quiet(options))

    def _job(self, options: argparse.Namespace) -> Config:
        config: Config = self._info(options).jobs[options.job]
        return config

    def _report(self, options: argparse.Namespace) -> Path:
        run = None if options.run == "latest" else options.run
        info = Workspace(self._workspace()).load_xp_info(options.name, run, quiet=self._quiet(options))
        return info.report(
            options.output,
            results=results_argument(options.results),
            curves=options.curves,
            title=options.title,
            strict=options.strict,
            quiet=self._quiet(options),
        )

    def _pull(self, options: argparse.Namespace) -> Pulled:
        return pull_as_asked(options)

    def _failures(self, options: argparse.Namespace) -> Any:
        return named_failures(
            options.name,
            workspace=self._workspace(),
            run=options.run,
            task=options.task,
            where=options.where,
            quiet=self._quiet(options),
        )

    def _schema(self, options: argparse.Namespace) -> list[tuple[str, str]]:
        return xp_table(
            options.name,
            workspace=self._workspace(),
            run=options.run,
            task=options.task,
            where=options.where,
            max_columns=self.max_columns,
            quiet=self._quiet(options),
        ).schema

    def _use(self, options: argparse.Namespace) -> None:
        use(options.path)
        self.workspace = ""


Xpm.xpm.__doc__ = parser().format_help()

_loaded: dict[int, tuple[Xpm, Any]] = {}


def load(shell: InteractiveShell) -> None:
    """Registers the magic and its completions."""
    unload(shell)
    magic = Xpm(shell)
    shell.register_magics(magic)
    complete = matcher(lambda: magic.workspace or None, lambda: shell.user_ns, options_by_command())
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(complete)
    _loaded[id(shell)] = (magic, complete)


def unload(shell: InteractiveShell) -> None:
    """Removes the magic and its completions."""
    magic, complete = _loaded.pop(id(shell), (None, None))
    if magic is None:
        return
    shell.configurables.remove(magic)
    shell.magics_manager.magics["line"].pop("xpm", None)
    if shell.Completer is not None and complete in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(complete)
