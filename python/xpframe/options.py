"""The keyword arguments that the public calls share: their types and defaults, written once.

``xp_frame``, ``xp_table``, ``scan_xp``, ``info.frame`` and ``info.table`` take them as ``**options``.
:func:`keyword_options` gives these functions real keyword parameters. A new option is a line in one of the
classes below, a default in the dict beside it, and, where the engine answers it, an argument of
``_core.TableRequest``.
"""

from __future__ import annotations

# typing takes longer to import than to read a small run
TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Literal, TypeAlias, TypedDict, TypeVar

    from xpframe.results import Result

    Experiments: TypeAlias = str | os.PathLike[str] | Sequence[str]
    Workspaces: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None
    Renaming: TypeAlias = Mapping[str, str | Sequence[str]]
    Columns: TypeAlias = str | Renaming | Sequence[str | Renaming]
    Results: TypeAlias = str | Result | Mapping[str, str | Result]
    Where: TypeAlias = str | Mapping[str, Any]
    Names: TypeAlias = Literal["full", "short", "identifier"]
    Backend: TypeAlias = Literal["pandas", "polars", "pyarrow"]
    Function = TypeVar("Function", bound=Callable[..., Any])

    class RunOptions(TypedDict, total=False):
        """Which runs are read."""

        workspace: Workspaces
        run: str | Sequence[str]

    class JobOptions(TypedDict, total=False):
        """Which jobs are read."""

        task: str | Sequence[str] | None
        where: Where | None

    class ColumnOptions(JobOptions, total=False):
        """Which jobs and columns are read: arguments of ``_core.TableRequest`` but ``where``."""

        columns: Columns | None
        results: Results | None
        max_columns: int
        timezone: str | None
        naive_times: bool

    class NameOptions(TypedDict, total=False):
        """How columns are named: arguments of ``_core.TableRequest``."""

        names: Names

    class ReportOptions(TypedDict, total=False):
        """How errors and progress are reported."""

        strict: bool
        quiet: bool

    class SeriesOptions(JobOptions, ReportOptions, total=False):
        """The options of ``info.series``, without its own."""

        metrics: str | Sequence[str] | None
        columns: Columns | None

    class RunSeriesOptions(RunOptions, SeriesOptions, total=False):
        """The options of ``xp_series`` and ``scan_series``, without their own."""

    class FailureOptions(JobOptions, ReportOptions, total=False):
        """The options of ``info.failures``."""

    class RunFailureOptions(RunOptions, FailureOptions, total=False):
        """The options of ``failures``, without its own."""

    class ScanOptions(RunOptions, ColumnOptions, NameOptions, ReportOptions, total=False):
        """The options of ``scan_xp``, without its own."""

    class InfoOptions(ColumnOptions, NameOptions, ReportOptions, total=False):
        """The options of ``info.table`` and, with ``backend``, of ``info.frame``."""

    class TableOptions(RunOptions, InfoOptions, total=False):
        """The options of ``xp_table`` and, with ``backend``, of ``xp_frame``."""


__all__ = [
    "COLUMN_DEFAULTS",
    "FAILURE_DEFAULTS",
    "INFO_DEFAULTS",
    "JOB_DEFAULTS",
    "NAME_DEFAULTS",
    "REPORT_DEFAULTS",
    "RUN_DEFAULTS",
    "SERIES_DEFAULTS",
    "keyword_options",
]

RUN_DEFAULTS: RunOptions = {"workspace": None, "run": "latest"}
JOB_DEFAULTS: JobOptions = {"task": None, "where": None}
COLUMN_DEFAULTS: ColumnOptions = {
    **JOB_DEFAULTS,
    "columns": None,
    "results": None,
    "max_columns": 2000,
    "timezone": None,
    "naive_times": False,
}
NAME_DEFAULTS: NameOptions = {"names": "full"}
REPORT_DEFAULTS: ReportOptions = {"strict": False, "quiet": False}
INFO_DEFAULTS: InfoOptions = {**COLUMN_DEFAULTS, **NAME_DEFAULTS, **REPORT_DEFAULTS}
FAILURE_DEFAULTS: FailureOptions = {**JOB_DEFAULTS, **REPORT_DEFAULTS}
SERIES_DEFAULTS: SeriesOptions = {"metrics": None, "columns": None, **FAILURE_DEFAULTS}


def keyword_options(*groups: Mapping[str, object]) -> Callable[[Function], Function]:
    """Turns ``**options`` of a function into keyword parameters with these defaults.

    The public function is generated, as ``dataclasses`` generates ``__init__``: ``help`` and
    ``inspect.signature`` show each keyword, and Python refuses unknown ones. The decorated function is called
    with all options.
    """
    defaults: dict[str, object] = {}
    for group in groups:
        defaults |= group

    def decorate(function: Function) -> Function:
        code = function.__code__
        positional = code.co_varnames[: code.co_argcount]
        keywords = {**defaults, **(function.__kwdefaults__ or {})}
        parameters = ", ".join([*positional, "*", *(f"{name}=None" for name in keywords)])
        arguments = ", ".join([*positional, *(f"{name}={name}" for name in keywords)])
        namespace: dict[str, Any] = {"function": function, "__name__": function.__module__}
        source = f"def {function.__name__}({parameters}):\n    return function({arguments})"
        exec(source, namespace)  # noqa: S102 - made of the names of parameters only
        public = namespace[function.__name__]
        public.__kwdefaults__, public.__doc__ = keywords, function.__doc__
        public.__qualname__ = function.__qualname__
        types = function.__annotations__
        public.__annotations__ = {name: types[name] for name in types if name != "options"}
        # so that editors and tracebacks find the source
        public.__code__ = public.__code__.replace(
            co_filename=code.co_filename, co_firstlineno=code.co_firstlineno
        )
        return public  # type: ignore[no-any-return]  # the function that was generated

    return decorate
