"""How result files are read, where a handle is not enough."""

from __future__ import annotations

from dataclasses import dataclass

from xpframe import _core

# typing takes longer to import than to read a small run
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any, Literal, TypeAlias

    FormatName: TypeAlias = Literal["json", "jsonl", "csv", "tsv", "tensorboard", "trec"]

__all__ = ["Result"]


@dataclass(frozen=True)
class Result:
    """What jobs wrote: a handle, and how its files are read.

    >>> from xpframe import Result, sample_workspace, xp_frame
    >>> results = Result("metrics.json", format="json")
    >>> frame = xp_frame("grid-search", workspace=sample_workspace(), results=results)
    >>> frame["result@file"].iloc[0]
    'read'

    Args:
        handle: The name of a path parameter, or a file or pattern below the job's directory.
        format: ``"json"``, ``"jsonl"``, ``"csv"``, ``"tsv"``, ``"tensorboard"`` or ``"trec"``; by default the
            name and the content of the file decide. Or a function that gets the path of a file or directory
            and returns a dict, or a list of dicts for a row each. It is called on a thread of its own, once
            for each job, never twice at the same time; what it raises is in the errors.
        max: The row in which this column is greatest is the result; NaN never is. By default the row that
            was written last; of event files, the values of the highest step.
        min: The row in which this column is least is the result.
        first: The first row is the result.
        columns: The columns, keys, metrics or measures to read: names or globs, as in ``"eval.*"``.
        schema: The columns of CSV files and JSON lines with their types: ``bool``, ``int``, ``float`` or
            ``str``, or these names. Other columns are left out; a value of another type is null, which the
            errors say. With it :func:`xpframe.scan_series` opens no file before the query runs.
        separator: The character between the cells of CSV files.
        header: The names of the columns of CSV files that have no header.

    Raises:
        InvalidArgumentError: An argument has a wrong type or value.
    """

    handle: str
    format: FormatName | Callable[[Path], Any] | None = None
    max: str | None = None
    min: str | None = None
    first: bool = False
    columns: str | Sequence[str] | None = None
    schema: Mapping[str, type[bool | int | float | str] | str] | None = None
    separator: str | None = None
    header: Sequence[str] | None = None

    def __post_init__(self) -> None:
        # refuses what the engine would refuse later
        rest = {"task": None, "columns": None, "names": "full", "timezone": None}
        _core.TableRequest(results=self, max_columns=1, naive_times=False, **rest)
