"""Tables as files: Parquet, Arrow, CSV and JSON lines.

Parquet, Arrow and CSV are written by polars. JSON lines are written by Python's ``json``, the one of the two
that keeps NaN and infinities (as the bare words that experimaestro's own files have) and integers of any
size.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from xpframe import _core
from xpframe.errors import InvalidArgumentError, MissingLibraryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars

__all__ = ["json_lines", "safe_text", "timed", "write"]

# what a spreadsheet takes for a formula, and the mark that says it is none
_FORMULA = ("=", "+", "-", "@", "'")
# C0 and C1 control characters, and those that turn the direction of text round
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


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
    text. Both can be undone.

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
        InvalidArgumentError: An unknown ending, or a place inside a workspace: nothing is ever written there.
        MissingLibraryError: polars is not installed.
    """
    target = Path(path).expanduser()
    _refuse_workspaces(target)
    if partition or str(path).endswith(("/", os.sep)):
        return _write_partitions(table, target)
    writers: dict[str, Callable[[Path], object]] = {
        ".parquet": lambda to: _frame(table).write_parquet(to),
        ".arrow": lambda to: _frame(table).write_ipc(to),
        ".feather": lambda to: _frame(table).write_ipc(to),
        ".csv": lambda to: _csv(_frame(table), raw=raw).write_csv(to),
        ".jsonl": lambda to: _write_lines(table, to),
        ".ndjson": lambda to: _write_lines(table, to),
    }
    writer = writers.get(target.suffix.lower())
    if writer is None:
        raise InvalidArgumentError(
            f"no writer for {target.name!r}", hint=f"its ending is one of {', '.join(writers)}"
        )
    _whole(target, writer)
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
    """The values of a column of this Arrow type: times as ISO 8601 text, anything else as it is."""
    if not kind.startswith("Timestamp"):
        return values
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return [
        None if value is None else (epoch + timedelta(microseconds=value)).isoformat() for value in values
    ]


def _frame(table: _core.Table) -> polars.DataFrame:
    try:
        import polars as pl
    except ImportError as error:
        raise MissingLibraryError(
            "Parquet, Arrow and CSV are written by polars, which is not installed",
            hint="pip install 'xpframe[polars]'",
        ) from error
    return pl.DataFrame(table)


def _write_lines(table: _core.Table, to: Path) -> None:
    with to.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(f"{line}\n" for line in json_lines(table))


def _csv(frame: polars.DataFrame, *, raw: bool) -> polars.DataFrame:
    """The frame with text that no spreadsheet executes, and lists as JSON text."""
    import polars as pl

    columns = []
    for column in frame:
        kind = column.dtype
        if kind.is_nested():
            texts = [
                None if value is None else json.dumps(value, ensure_ascii=True) for value in column.to_list()
            ]
            columns.append(pl.Series(column.name, texts, dtype=pl.String))
        elif kind in (pl.String, pl.Categorical) and not raw:
            texts = [None if value is None else _harmless(value) for value in column.to_list()]
            columns.append(pl.Series(column.name, texts, dtype=pl.String))
        else:
            columns.append(column)
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
        place = (
            directory / f"experiment={quote(str(experiment), safe='')}" / f"run={quote(str(run), safe='')}"
        )
        place.mkdir(parents=True, exist_ok=True)
        _whole(place / "part-0.parquet", part.write_parquet)
    return directory


def _whole(target: Path, writer: Callable[[Path], object]) -> None:
    """Writes beside the target and puts it in place when it is whole."""
    if not target.parent.is_dir():
        raise InvalidArgumentError(f"there is no directory {str(target.parent)!r}", hint="make it first")
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    try:
        writer(Path(name))
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _refuse_workspaces(target: Path) -> None:
    for directory in (target, *target.absolute().parents):
        if directory.is_dir() and _core.is_workspace(directory):
            raise InvalidArgumentError(
                f"{str(target)!r} is inside the workspace {str(directory)!r}",
                hint="nothing is ever written into a workspace",
            )
