"""Writes tables to files: Parquet, Arrow, CSV and JSON lines.

polars writes Parquet, Arrow and CSV. Python's ``json`` writes JSON lines: it keeps NaN, infinities (as bare
words, like experimaestro's own files) and integers of any size.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from xpframe.errors import InvalidArgumentError
from xpframe.libraries import missing_library
from xpframe.locate import expanded
from xpframe.whole_file import refuse_workspaces, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import polars

    from xpframe import _core

__all__ = ["escape_formula", "json_lines", "safe_text", "timed", "write"]

# starts of formulas in spreadsheets, in full width too, and the quote that marks text
_FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")
# control characters (C0 and C1), line separators, and characters that change the direction of text
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def write(
    table: _core.Table, path: str | os.PathLike[str], *, partition: bool = False, raw: bool = False
) -> Path:
    """Writes a table to a file, in the format of its ending. An existing file is replaced atomically.

    =========================  ==========================================================================
    ``.parquet``               all types are kept
    ``.arrow``, ``.feather``   all types are kept
    ``.jsonl``, ``.ndjson``    an object per job; times as ISO 8601; ``NaN`` and ``Infinity`` as bare words
    ``.csv``                   lists as JSON text; null is empty, empty text is ``""``
    =========================  ==========================================================================

    In CSV, text that a spreadsheet would read as a formula (``=``, ``+``, ``-``, ``@``), or that begins with
    ``'``, gets a ``'`` in front. Text with control characters, or that begins with ``"``, is written as
    JSON. Both are reversible, and apply to names of columns as well. Numbers do not change.

    Args:
        table: A table of :func:`xpframe.xp_table`.
        path: The file.
        partition: Writes ``experiment=…/run=…/part-0.parquet`` below the directory ``path``, as does a path
            that ends with a slash. The table must have the columns ``experiment`` and ``run``.
        raw: Writes text to CSV unchanged.

    Returns:
        The path.

    Raises:
        InvalidArgumentError: The ending is unknown, the path is a directory, or the path is inside a
            workspace, possibly through a symbolic link: nothing is ever written there.
        OSError: The file cannot be written.
        MissingLibraryError: polars is not installed.
    """
    target = expanded(path)
    refuse_workspaces(target)
    if partition or str(path).endswith(("/", os.sep)):
        return _write_partitions(table, target)
    writers: dict[str, Callable[[IO[bytes]], object]] = {
        ".parquet": lambda file: _write_parquet(_frame(table), file),
        ".arrow": lambda file: _write_arrow(_frame(table), file),
        ".feather": lambda file: _write_arrow(_frame(table), file),
        ".csv": lambda file: _csv(table, raw=raw).write_csv(file),
        ".jsonl": lambda file: _write_lines(table, file),
        ".ndjson": lambda file: _write_lines(table, file),
    }
    writer = writers.get(target.suffix.lower())
    if writer is None:
        hint = f"use one of the endings {', '.join(writers)}; or end the path with / for one file per run"
        if target.suffix.lower() in (".xlsx", ".xls"):
            hint += "; in Python, pandas writes it: xp_frame(…, naive_times=True).to_excel(path)"
        raise InvalidArgumentError(f"no writer for {target.name!r}", hint=hint)
    write_whole(target, writer)
    return target


def json_lines(table: _core.Table) -> Iterator[str]:
    """The jobs of a table as JSON objects, one line each."""
    names = table.column_names
    kinds = dict(table.schema)
    columns = [timed(table.column_values(name), kinds[name]) for name in names]
    for values in zip(*columns, strict=True) if columns else iter([()] * len(table)):
        yield json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=True)


def safe_text(text: str) -> str:
    """Text with control characters as escapes, for terminals."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def timed(values: list[Any], kind: str) -> list[Any]:
    """The values of a column of this Arrow type, with times as ISO 8601 text; times beyond the year 9999 stay
    microseconds since 1970.
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
    except Exception as error:
        needs, hint = "Parquet, Arrow and CSV need", "pip install 'xpframe[polars]'"
        raise missing_library(error, needs, "polars", hint=hint) from error
    return DataFrame(table)


def _write_parquet(frame: polars.DataFrame, file: IO[bytes]) -> None:
    from polars.exceptions import ComputeError

    try:
        frame.write_parquet(file)
    except ComputeError as error:  # polars raises this when the disk is full
        raise OSError(str(error)) from error


def _write_arrow(frame: polars.DataFrame, file: IO[bytes]) -> None:
    from polars import CompatLevel

    # without views of text, which pandas cannot read in lists and dictionaries
    frame.write_ipc(file, compat_level=CompatLevel.oldest())


def _write_lines(table: _core.Table, file: IO[bytes]) -> None:
    file.writelines(f"{line}\n".encode("ascii") for line in json_lines(table))


def _csv(table: _core.Table, *, raw: bool) -> polars.DataFrame:
    """The frame with text that no spreadsheet executes, and with lists as JSON."""
    frame = _frame(table)
    import polars as pl

    columns = []
    for column in frame:
        nested = column.dtype.is_nested()
        shown = column
        if nested or (column.dtype in (pl.String, pl.Categorical) and not raw):
            text = json.dumps if nested else escape_formula
            # values of the table, not of polars, which turns large integers into decimals: JSON has none
            values = table.column_values(column.name)
            shown = pl.Series([None if value is None else text(value) for value in values], dtype=pl.String)
        columns.append(shown.alias(column.name if raw else escape_formula(column.name)))
    return pl.DataFrame(columns)


def escape_formula(text: str) -> str:
    """Text as CSV files hold it: no spreadsheet executes it."""
    if _CONTROL.search(text) or text.startswith('"'):
        return json.dumps(text, ensure_ascii=True)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _write_partitions(table: _core.Table, directory: Path) -> Path:
    missing = {"experiment", "run"} - set(table.column_names)
    if missing:
        raise InvalidArgumentError(
            f"partitions need the columns experiment and run; missing: {', '.join(sorted(missing))}",
            hint="read with run='all', or select these columns",
        )
    for (experiment, run), part in (
        _frame(table).partition_by(["experiment", "run"], as_dict=True, include_key=False).items()
    ):
        partition = directory / f"experiment={_key(experiment)}" / f"run={_key(run)}"
        refuse_workspaces(partition)
        partition.mkdir(parents=True, exist_ok=True)
        write_whole(partition / "part-0.parquet", partial(_write_parquet, part))
    return directory


def _key(value: object) -> str:
    return "__HIVE_DEFAULT_PARTITION__" if value is None else quote(str(value), safe="")
