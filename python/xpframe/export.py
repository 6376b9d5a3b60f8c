"""Tables as files: Parquet, Arrow, CSV and JSON lines.

Parquet, Arrow and CSV are written by polars. JSON lines are written by Python's ``json``, the one of the two
that keeps NaN and infinities (as the bare words that experimaestro's own files have) and integers of any
size.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from xpframe import _core
from xpframe.errors import InvalidArgumentError
from xpframe.libraries import missing_library
from xpframe.locate import expanded
from xpframe.whole_file import refuse_workspaces, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import polars

__all__ = ["json_lines", "safe_text", "timed", "write"]

# what a spreadsheet takes for a formula, in full width too, and the mark that says it is none
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")
# C0 and C1 control characters, separators of lines, and those that turn the direction of text round
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def write(
    table: _core.Table, path: str | os.PathLike[str], *, partition: bool = False, raw: bool = False
) -> Path:
    """Writes a table to a file, by the ending of its name; a file that is there is replaced when the new one
    is whole.

    =========================  ==========================================================================
    ``.parquet``               all types are kept
    ``.arrow``, ``.feather``   all types are kept
    ``.jsonl``, ``.ndjson``    an object a job; times as ISO 8601 text; ``NaN`` and ``Infinity`` as bare words
    ``.csv``                   lists as JSON text; null is empty, empty text is ``""``
    =========================  ==========================================================================

    In CSV, text that a spreadsheet would take for a formula (``=``, ``+``, ``-``, ``@``), or that begins with
    ``'``, gets a ``'`` in front; text with control characters, or that begins with ``"``, is written as JSON
    text. Both can be undone, and both are done to the names of columns too. Numbers are left alone.

    Args:
        table: What :func:`xpframe.xp_table` gave.

        path: Where to write.

        partition: Whether ``path`` is a directory, to be filled with ``experiment=…/run=…/part-0.parquet``;
        so too if the path
            ends with a slash. The table must have the columns ``experiment`` and ``run``.

        raw: Whether CSV has text as it is.

    Returns:
        The path.

    Raises:
        InvalidArgumentError: An unknown ending, a directory, or a place inside a workspace, by a symbolic
            link too: nothing is ever written there.
        OSError: The file cannot be written.
        MissingLibraryError: polars is not installed.
    """
    target = expanded(path)
    refuse_workspaces(target)
    if partition or str(path).endswith(("/", os.sep)):
        return _write_partitions(table, target)
    writers: dict[str, Callable[[IO[bytes]], object]] = {
        ".parquet": lambda to: _write_parquet(_frame(table), to),
        ".arrow": lambda to: _frame(table).write_ipc(to),
        ".feather": lambda to: _frame(table).write_ipc(to),
        ".csv": lambda to: _csv(table, raw=raw).write_csv(to),
        ".jsonl": lambda to: _write_lines(table, to),
        ".ndjson": lambda to: _write_lines(table, to),
    }
    writer = writers.get(target.suffix.lower())
    if writer is None:
        raise InvalidArgumentError(
            f"no writer for {target.name!r}",
            hint=f"its ending is one of {', '.join(writers)}; or end the path with / for a file a run",
        )
    write_whole(target, writer)
    return target


def json_lines(table: _core.Table) -> Iterator[str]:
    """The jobs of a table as JSON texts, an object each."""
    names = table.column_names
    kinds = dict(table.schema)
    columns = [timed(table.column_values(name), kinds[name]) for name in names]
    for values in zip(*columns, strict=True) if columns else iter([()] * len(table)):
        yield json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=True)


def safe_text(text: str) -> str:
    """Text whose control characters are shown as escapes, for terminals."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def timed(values: list[Any], kind: str) -> list[Any]:
    """The values of a column of this Arrow type: times as ISO 8601 text, or as microseconds since 1970 where
    the year has not four digits; anything else as it is.
    """
    return [_iso(value) for value in values] if kind.startswith("Timestamp") else values


def _iso(microseconds: int | None) -> str | int | None:
    if microseconds is None:
        return None
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)).isoformat()
    except OverflowError:
        return microseconds


def _frame(table: _core.Table) -> polars.DataFrame:
    try:
        from polars import DataFrame
    except Exception as error:  # noqa: BLE001 - a broken library may raise anything
        needs, hint = "Parquet, Arrow and CSV are written by", "pip install 'xpframe[polars]'"
        raise missing_library(error, needs, "polars", hint=hint) from error
    return DataFrame(table)


def _write_parquet(frame: polars.DataFrame, to: IO[bytes]) -> None:
    from polars.exceptions import ComputeError

    try:
        frame.write_parquet(to)
    except ComputeError as error:  # what polars makes of a full disk
        raise OSError(str(error)) from error


def _write_lines(table: _core.Table, to: IO[bytes]) -> None:
    to.writelines(f"{line}\n".encode("ascii") for line in json_lines(table))


def _csv(table: _core.Table, *, raw: bool) -> polars.DataFrame:
    """The frame with text that no spreadsheet executes, and lists as JSON text."""
    frame = _frame(table)
    import polars as pl

    columns = []
    for column in frame:
        nested = column.dtype.is_nested()
        shown = column
        if nested or (column.dtype in (pl.String, pl.Categorical) and not raw):
            text = json.dumps if nested else _harmless
            # the table's own values: polars gives large integers as decimals, which JSON has not
            values = table.column_values(column.name)
            shown = pl.Series([None if value is None else text(value) for value in values], dtype=pl.String)
        columns.append(shown.alias(column.name if raw else _harmless(column.name)))
    return pl.DataFrame(columns)


def _harmless(text: str) -> str:
    if _CONTROL.search(text) or text.startswith('"'):
        return json.dumps(text, ensure_ascii=True)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _write_partitions(table: _core.Table, directory: Path) -> Path:
    missing = {"experiment", "run"} - set(table.column_names)
    if missing:
        raise InvalidArgumentError(
            f"partitions need the columns experiment and run; {' and '.join(sorted(missing))} is missing",
            hint="read with run='all', or name the columns",
        )
    for (experiment, run), part in (
        _frame(table).partition_by(["experiment", "run"], as_dict=True, include_key=False).items()
    ):
        place = directory / f"experiment={_key(experiment)}" / f"run={_key(run)}"
        refuse_workspaces(place)
        place.mkdir(parents=True, exist_ok=True)
        write_whole(place / "part-0.parquet", partial(_write_parquet, part))
    return directory


def _key(value: object) -> str:
    return "__HIVE_DEFAULT_PARTITION__" if value is None else quote(str(value), safe="")
