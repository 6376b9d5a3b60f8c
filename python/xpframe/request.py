"""What is asked of runs, and the reading that answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from xpframe import _core
from xpframe.arguments import checked_text, checked_texts
from xpframe.errors import InvalidArgumentError
from xpframe.progress import reading

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from xpframe.backends.convert import Backend

__all__ = ["Columns", "Names", "read_model", "read_table", "title_of"]

Columns: TypeAlias = str | Sequence[str] | Mapping[str, str]
Names: TypeAlias = Literal["full", "short"]


def read_model(
    runs: list[_core.Run], several_runs: bool, *, keep_bytes: int, quiet: bool = False, **options: Any
) -> _core.Model:
    """The columns of runs, for lazy queries."""
    asked = question(several_runs, **options)
    with _watched(runs, quiet=quiet):
        return _core.read_model(runs, asked, keep_bytes=keep_bytes)


def read_table(
    runs: list[_core.Run],
    several_runs: bool,
    *,
    backend: Backend = "polars",
    quiet: bool = False,
    **options: Any,
) -> _core.Table:
    asked = question(several_runs, **options)
    with _watched(runs, quiet=quiet):
        return _core.read_table(runs, asked, backend=backend)


def question(
    several_runs: bool,
    *,
    task: str | Sequence[str] | None = None,
    columns: Columns | None = None,
    names: Names = "full",
    max_columns: int = 2000,
    timezone: str | None = None,
) -> dict[str, object]:
    """What is asked of runs, as the engine takes it."""
    if names not in ("full", "short"):
        raise InvalidArgumentError(f"names={names!r}", hint="it is 'full' or 'short'")
    if not isinstance(max_columns, int) or not 0 <= max_columns < 1 << 63:
        raise InvalidArgumentError(f"max_columns={max_columns!r}", hint="it is a number, 0 or more")
    return {
        "several_runs": several_runs,
        "tasks": None if task is None else checked_texts("task", task),
        "columns": _chosen(columns),
        "max_columns": max_columns,
        "short_names": names == "short",
        "zone": None if timezone is None else checked_text("timezone", timezone),
    }


def title_of(runs: Sequence[tuple[str, str]]) -> str:
    """What is read, in a few words: of these (experiment, run) pairs."""
    experiments = {experiment for experiment, _ in runs}
    named = next(iter(experiments)) if len(experiments) == 1 else f"{len(experiments):,} experiments"
    return named if len(runs) == len(experiments) else f"{named}, {len(runs):,} runs"


def _watched(runs: list[_core.Run], *, quiet: bool) -> AbstractContextManager[None]:
    """Shows how far the reading of runs is."""
    title = title_of([(run.experiment, run.run_id) for run in runs])
    return reading(title, quiet=quiet, size=lambda: sum(run.size for run in runs))


def _chosen(columns: Columns | None) -> list[tuple[str, str | None]] | None:
    """The columns as (pattern, new name) pairs."""
    if columns is None:
        return None
    if isinstance(columns, Mapping):
        names, patterns = checked_texts("columns", columns), checked_texts("columns", columns.values())
        return list(zip(patterns, names, strict=True))
    return [(pattern, None) for pattern in checked_texts("columns", columns)]
