"""A summary of the jobs of a run: states, tasks, and the columns in which jobs differ."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

from xpframe.errors import ColumnError, XpFrameError
from xpframe.request import read_table, table_request
from xpframe.text import number, value_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xpframe._core import Run, Table
    from xpframe.options import Results

__all__ = [
    "STATES",
    "Column",
    "Summary",
    "columns_of",
    "count_states",
    "job_columns",
    "shown_state",
    "summarize",
    "table_of",
]

# the words of the column ``state``, in the order of a state bar
STATES = ("done", "error", "running", "scheduled", "ready", "waiting", "unscheduled", "lost", "transient")
MAX_VALUES = 8
MAX_COLUMNS = 300  # comparing more columns would take too long for a display


@dataclass(slots=True)
class Column:
    """A column in which jobs differ, or a tag.

    Attributes:
        names: Its name, and the names of the columns with the same values.
        group: ``tag``, ``parameter`` or ``fact``.
        counts: The number of jobs with each value that is not None.
        table: Its table.
    """

    names: list[str]
    group: str
    counts: dict[Any, int]
    table: Table

    @property
    def values(self) -> list[Any]:
        """Its values, one per job; None where a job has none."""
        return self.table.column_values(self.names[0])

    @property
    def is_numeric(self) -> bool:
        """Whether all its values are numbers."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.counts)

    def ordered(self) -> list[Any]:
        """Its distinct values: numbers by size, others in the order of first occurrence."""
        if not self.is_numeric:
            return list(self.counts)
        return sorted(self.counts, key=lambda value: (isnan(value), value))


@dataclass(slots=True)
class Summary:
    """Counts of the jobs of a run.

    Attributes:
        jobs: The number of jobs.
        states: The number of jobs in each state, in the order of a state bar.
        tasks: The same for the jobs of each task, in the order of submission.
        columns: The tags, and the parameters that vary.
        left_out: The number of columns that were not compared.
        errors: Errors of reading.
    """

    jobs: int
    states: dict[str, int]
    tasks: dict[str, dict[str, int]]
    columns: list[Column] = field(default_factory=list)
    left_out: int = 0
    errors: list[XpFrameError] = field(default_factory=list)


def shown_state(state: str | None) -> str:
    """A state as displays show it: a word that is no state of a job counts as ``lost``."""
    return state if state in STATES else "lost"


def in_order(states: Counter[str]) -> dict[str, int]:
    return {state: states[state] for state in STATES if states[state]}


def table_of(
    run: Run, columns: Sequence[str], results: Results | None = None, task: str | None = None
) -> Table:
    """Columns of the jobs of a run, or of a task. Its ``errors`` have what could not be read: no warning."""
    request = table_request({"columns": columns, "results": results, "task": task})
    return read_table([run], request, quiet=True)


def summarize(run: Run) -> Summary:
    """Counts the states and tasks of the jobs of a run, and finds the columns in which they differ."""
    errors: list[XpFrameError] = []
    try:
        # "*.*": tags and parameters, but no times, which would need a file of each job
        table = table_of(run, ["task", "state", "*.*"])
    except XpFrameError as error:
        # a run without tags and parameters is no error
        errors += [] if isinstance(error, ColumnError) else [error]
        table = table_of(run, ["task", "state"])
    by_task: dict[str, Counter[str]] = {}
    for (task, state), count in table.value_counts(["task", "state"]):
        by_task.setdefault(task or "?", Counter())[shown_state(state)] += count
    columns, left_out = job_columns(table, f"{run.workspace}{os.sep}")
    return Summary(
        jobs=len(table),
        states=in_order(sum(by_task.values(), Counter())),
        tasks={task: in_order(counts) for task, counts in by_task.items()},
        columns=columns,
        left_out=left_out,
        errors=[*errors, *table.errors],
    )


def columns_of(run: Run, task: str | None = None) -> list[Column]:
    """The tags and the varying parameters of the jobs of a run, or of a task, without looking up states."""
    try:
        table = table_of(run, ["task", "*.*"], task=task)
    except XpFrameError:
        return []
    return job_columns(table, f"{run.workspace}{os.sep}")[0]


def job_columns(table: Table, root: str) -> tuple[list[Column], int]:
    """The tags and the varying parameters of a table of jobs, and the number of columns not compared.

    Lists are left out, and so are paths below ``root``, the workspace: they are outputs.
    """
    plain = [name for name, kind in table.schema if not kind.startswith(("LargeList", "List", "Struct"))]
    group_of = {name: table.column_metadata(name).get("xpframe.group", "system") for name in plain}
    names = [name for name in plain if group_of[name] != "system"]
    columns: list[Column] = []
    by_counts: dict[tuple[Any, ...], list[Column]] = {}
    for name in names[:MAX_COLUMNS]:
        pairs = table.value_counts([name])
        counts = {value: count for (value,), count in pairs if value is not None}
        equal_counts = by_counts.setdefault(tuple(pairs), [])
        same = next(
            (column for column in equal_counts if counts and are_same(table, column.names[0], name)), None
        )
        if same:
            same.names.append(name)
        elif group_of[name] == "tag" or (varies(table, name, counts) and not are_below(root, counts)):
            columns.append(Column([name], group_of[name], counts, table))
            equal_counts.append(columns[-1])
    return columns, max(0, len(names) - MAX_COLUMNS)


def are_same(table: Table, first_name: str, second_name: str) -> bool:
    """Whether two columns have the same values."""
    return all(a == b for (a, b), _ in table.value_counts([first_name, second_name]))


def are_below(root: str, values: Iterable[Any]) -> bool:
    """Whether all values are paths below a directory."""
    return all(isinstance(value, str) and value.startswith(root) for value in values)


def varies(table: Table, name: str, counts: dict[Any, int]) -> bool:
    """Whether jobs of a task differ in a column; a task without the parameter makes no difference."""
    if len(counts) != 1:
        return len(counts) > 1
    seen = {(task, value is None) for (task, value), _ in table.value_counts(["task", name])}
    return any((task, False) in seen for task, missing in seen if missing)


def values_in_words(column: Column, limit: int = MAX_VALUES) -> tuple[list[tuple[str, int]], str]:
    """The first values of a column with their numbers of jobs, and a text about the other values."""
    values = column.ordered()
    if len(values) <= limit:
        return [(brief(value), column.counts[value]) for value in values], ""
    if column.is_numeric:
        return [], f"{value_text(values[0])} … {value_text(values[-1])} ({number(len(values))} values)"
    shown = [(brief(value), column.counts[value]) for value in values[: limit // 2]]
    return shown, f"… {number(len(values) - len(shown))} more values"


def brief(value: object, limit: int = 60) -> str:
    """A short text for a value; of a long string the two ends, since paths differ there."""
    if isinstance(value, str) and len(value) > limit:
        return f"{value[: limit // 3]}…{value[-limit // 2 :]}"
    return value_text(value, limit)


def count_states(run: Run) -> dict[str, int]:
    """The number of jobs of a run in each state, in the order of a state bar."""
    return in_order(Counter(shown_state(state) for state, _ in run.states().values()))
