"""What lazy queries read: the report of the last one, and the counters it is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from xpframe import _core

__all__ = ["Counts", "ReadReport", "add", "last_read", "read_counters", "read_since", "set_last_read"]

Counts: TypeAlias = tuple[int, int, int]  # files, bytes, objects


@dataclass(frozen=True)
class ReadReport:
    """What a lazy query read.

    Each opened file is reported once: files that were read to decide the columns count for the next query.

    Args:
        columns: The columns that were built.
        runs: The number of runs after filters, of ``all_runs``.
        jobs: The number of jobs that were built, of ``all_jobs``. It is smaller than that of the runs if
            jobs.jsonl answered a filter, or if the query had enough rows.
        files: The number of files that were opened for their content, by the whole process.
        bytes: Their size in bytes.
        objects: The number of parsed object definitions.
        pushed: The filters that chose runs and jobs before configs were read, as text.
    """

    columns: tuple[str, ...] = ()
    runs: int = 0
    all_runs: int = 0
    jobs: int = 0
    all_jobs: int = 0
    files: int = 0
    bytes: int = 0
    objects: int = 0
    pushed: tuple[str, ...] = ()


_last = ReadReport()


def last_read() -> ReadReport:
    """What the last lazy query of this process read; complete once its result is available.

    For a query over several scans (a join), it is the scan that was read last.
    """
    return _last


def set_last_read(report: ReadReport) -> None:
    """Sets the report that :func:`last_read` returns."""
    global _last  # noqa: PLW0603 - the last query of the whole process
    _last = report


def read_counters() -> Counts:
    """The files, bytes and objects that this process has read so far."""
    files, size, objects, *_ = _core.progress_counters()
    return files, size, objects


def read_since(before: Counts) -> Counts:
    """The reads since the counters were ``before``."""
    now = read_counters()
    return now[0] - before[0], now[1] - before[1], now[2] - before[2]


def add(a: Counts, b: Counts) -> Counts:
    """The sum of two counts."""
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]
