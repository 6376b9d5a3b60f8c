"""Builds the request that the engine answers, and reads runs with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe import _core
from xpframe.options import COLUMN_DEFAULTS, NAME_DEFAULTS
from xpframe.progress import reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from xpframe.options import Backend

__all__ = ["plan_scan", "read_table", "table_request", "title_of"]


def table_request(options: Mapping[str, object] | None = None) -> _core.TableRequest:
    """The request that these options mean; those that are no argument of a request are left out.

    Raises:
        InvalidArgumentError: An option has a wrong type or value.
    """
    arguments: dict[str, object] = {**COLUMN_DEFAULTS, **NAME_DEFAULTS}
    del arguments["where"]  # it chooses rows, which are another argument of the engine
    arguments |= {name: value for name, value in (options or {}).items() if name in arguments}
    arguments["distinct"] = (options or {}).get("run") == "distinct"
    return _core.TableRequest(**arguments)


def read_table(
    runs: list[_core.Run],
    request: _core.TableRequest,
    *,
    several_runs: bool = False,
    backend: Backend = "polars",
    quiet: bool = False,
    rows: list[list[int]] | None = None,
) -> _core.Table:
    """Reads runs into a table, laid out for a backend. What could not be read is in its ``errors``.

    ``rows`` has the positions of the jobs of each run to keep, among those of the requested tasks.
    """
    with _progress(runs, quiet=quiet):
        return _core.read_table(runs, request, several_runs=several_runs, backend=backend, rows=rows)


def plan_scan(
    runs: list[_core.Run],
    request: _core.TableRequest,
    *,
    several_runs: bool = False,
    keep_bytes: int = 1 << 62,
    quiet: bool = False,
    rows: list[list[int]] | None = None,
    paths: bytes | None = None,
    listed_later: list[list[int]] | None = None,
) -> _core.ScanPlan:
    """Decides the columns of runs, without building any.

    ``rows`` has the positions of the jobs of each run to keep; ``paths``, of a plan of more runs, decides the
    columns instead of these runs. ``listed_later`` has the positions of the jobs that a later one of those
    lists too.
    """
    with _progress(runs, quiet=quiet):
        return _core.plan_scan(
            runs,
            request,
            several_runs=several_runs,
            keep_bytes=keep_bytes,
            rows=rows,
            paths=paths,
            listed_later=listed_later,
        )


def title_of(runs: Sequence[tuple[str, str]]) -> str:
    """A short title for these (experiment, run) pairs."""
    experiments = {experiment for experiment, _ in runs}
    names = next(iter(experiments)) if len(experiments) == 1 else f"{len(experiments):,} experiments"
    return names if len(runs) == len(experiments) else f"{names}, {len(runs):,} runs"


def _progress(runs: list[_core.Run], *, quiet: bool) -> AbstractContextManager[None]:
    title = title_of([(run.experiment, run.run_id) for run in runs])
    return reading(title, quiet=quiet, size=lambda: sum(run.size for run in runs))
