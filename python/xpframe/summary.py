"""What there is to say of the jobs of a run: states, tasks, and the columns in which they differ."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

from xpframe.errors import ColumnError, XpFrameError
from xpframe.request import read_table
from xpframe.text import number, value_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xpframe._core import Run, Table

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

# the word for each state, in the order of a state bar
STATES = {
    "done": "done",
    "error": "failed",
    "running": "running",
    "waiting": "waiting",
    "ready": "waiting",
    "scheduled": "waiting",
    "unscheduled": "waiting",
    "lost": "lost",
    "transient": "transient",
}
MOST_VALUES = 8
MOST_COLUMNS = 300  # columns that are looked at; comparing more would keep the reader waiting


@dataclass(slots=True)
class Column:
    """A column in which jobs differ, or a tag.

    Attributes:
        names: Its name, and those of the columns with the same values.
        group: ``tag``, ``parameter`` or ``fact``.
        counts: How many jobs have each value that is not None.
        table: The table that it is of.
    """

    names: list[str]
    group: str
    counts: dict[Any, int]
    table: Table

    @property
    def values(self) -> list[Any]:
        """Its values, one a job; None where a job has none."""
        return self.table.column_values(self.names[0])

    @property
    def is_numeric(self) -> bool:
        """Whether all its values are numbers."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.counts)

    def ordered(self) -> list[Any]:
        """Its different values: numbers by size, others as they first occur."""
        if not self.is_numeric:
            return list(self.counts)
        return sorted(self.counts, key=lambda value: (isnan(value), value))


@dataclass(slots=True)
class Summary:
    """The jobs of a run in a few counts.

    Attributes:
        jobs: How many there are.
        states: How many are in each state, by the word for it, in the order of a state bar.
        tasks: For each task, how many of its jobs are in each state; in the order of submission.
        columns: The tags, and the parameters that vary.
        left_out: How many columns were not looked at.
        errors: What could not be read for this.
    """

    jobs: int
    states: dict[str, int]
    tasks: dict[str, dict[str, int]]
    columns: list[Column] = field(default_factory=list)
    left_out: int = 0
    errors: list[XpFrameError] = field(default_factory=list)


def shown_state(state: str | None) -> str:
    """The word for a state."""
    return STATES.get(state or "lost", "lost")


def in_order(states: Counter[str]) -> dict[str, int]:
    return {state: states[state] for state in dict.fromkeys(STATES.values()) if states[state]}


def table_of(run: Run, columns: Sequence[str], most: int = 1_000_000) -> Table:
    """Columns of the jobs of a run; what could not be read is in its errors, and nothing is warned of."""
    return read_table([run], False, columns=columns, max_columns=most, quiet=True)


def summarize(run: Run) -> Summary:
    """Counts the states and tasks of the jobs of a run, and finds where they differ."""
    errors: list[XpFrameError] = []
    try:
        # with a dot: tags and parameters, without the times, for which a file of each job would be read
        table = table_of(run, ["task", "state", "*.*"], 2000)
    except XpFrameError as error:
        # that there is neither is no error
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


def columns_of(run: Run) -> list[Column]:
    """The tags and the varying parameters of the jobs of a run; for them no state is looked up."""
    try:
        table = table_of(run, ["task", "*.*"], 2000)
    except XpFrameError:
        return []
    return job_columns(table, f"{run.workspace}{os.sep}")[0]


def job_columns(table: Table, root: str) -> tuple[list[Column], int]:
    """The tags and the varying parameters of a table of jobs, and how many columns were not looked at.

    Lists are left out, and paths below ``root``, the workspace: those are outputs.
    """
    plain = [name for name, kind in table.schema if not kind.startswith(("LargeList", "List", "Struct"))]
    group_of = {name: table.column_metadata(name).get("xpframe.group", "system") for name in plain}
    asked = [name for name in plain if group_of[name] != "system"]
    columns: list[Column] = []
    alike: dict[tuple[Any, ...], list[Column]] = {}
    for name in asked[:MOST_COLUMNS]:
        found = table.value_counts([name])
        counts = {value: count for (value,), count in found if value is not None}
        known = alike.setdefault(tuple(found), [])
        same = next((column for column in known if counts and are_same(table, column.names[0], name)), None)
        if same:
            same.names.append(name)
        elif group_of[name] == "tag" or (varies(table, name, counts) and not are_below(root, counts)):
            columns.append(Column([name], group_of[name], counts, table))
            known.append(columns[-1])
    return columns, max(0, len(asked) - MOST_COLUMNS)


def are_same(table: Table, one: str, other: str) -> bool:
    """Whether two columns have the same values."""
    return all(a == b for (a, b), _ in table.value_counts([one, other]))


def are_below(root: str, values: Iterable[Any]) -> bool:
    """Whether all values are paths below a directory."""
    return all(isinstance(value, str) and value.startswith(root) for value in values)


def varies(table: Table, name: str, counts: dict[Any, int]) -> bool:
    """Whether jobs differ in a column; that another task has no such parameter is no difference."""
    if len(counts) != 1:
        return len(counts) > 1
    seen = {(task, value is None) for (task, value), _ in table.value_counts(["task", name])}
    return any((task, False) in seen for task, missing in seen if missing)


def values_in_words(column: Column, most: int = MOST_VALUES) -> tuple[list[tuple[str, int]], str]:
    """The values of a column with how many jobs have each, and what to say of those that are left out."""
    values = column.ordered()
    if len(values) <= most:
        return [(brief(value), column.counts[value]) for value in values], ""
    if column.is_numeric:
        return [], f"{value_text(values[0])} … {value_text(values[-1])} ({number(len(values))} values)"
    shown = [(brief(value), column.counts[value]) for value in values[: most // 2]]
    return shown, f"… {number(len(values) - len(shown))} more values"


def brief(value: object, most: int = 60) -> str:
    """A value in few characters; of a long text its two ends, since paths differ at theirs."""
    if isinstance(value, str) and len(value) > most:
        return f"{value[: most // 3]}…{value[-most // 2 :]}"
    return value_text(value, most)


def count_states(run: Run) -> dict[str, int]:
    """How many jobs of a run are in each state, by the word for it."""
    return in_order(Counter(shown_state(state) for state, _ in run.states().values()))
