"""What there is to say of the jobs of a run: states, tasks, and the columns in which they differ."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

from xpframe.display.text import number, value_text
from xpframe.errors import XpFrameError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xpframe._core import Run, Table

__all__ = [
    "STATES",
    "Column",
    "Summary",
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
        values: Its values, one a job; None where a job has none.
        counts: How many jobs have each value that is not None.
    """

    names: list[str]
    group: str
    values: list[Any]
    counts: Counter[Any]

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


def table_of(run: Run, columns: Sequence[str] | None = None) -> Table:
    """The jobs of a run as a table; what could not be read is in its errors, and nothing is warned of."""
    from xpframe.frames import _read  # frames uses workspace, which shows itself by this module

    return _read([run], False, columns=columns, max_columns=1_000_000 if columns else 2000, quiet=True)


def summarize(run: Run) -> Summary:
    """Counts the states and tasks of the jobs of a run, and finds where they differ."""
    errors: list[XpFrameError] = []
    try:
        table = table_of(run)
    except XpFrameError as error:
        errors.append(error)
        table = table_of(run, ["job_id", "task", "state"])
    tasks = table.column_values("task")
    states = [shown_state(state) for state in table.column_values("state")]
    by_task: dict[str, Counter[str]] = {}
    for (task, state), count in Counter(zip(tasks, states, strict=True)).items():
        by_task.setdefault(task or "?", Counter())[state] += count
    columns, left_out = job_columns(table, tasks, f"{run.workspace}{os.sep}")
    return Summary(
        jobs=len(tasks),
        states=in_order(Counter(states)),
        tasks={task: in_order(counts) for task, counts in by_task.items()},
        columns=columns,
        left_out=left_out,
        errors=[*errors, *table.errors],
    )


def job_columns(table: Table, tasks: list[str | None], root: str) -> tuple[list[Column], int]:
    """The tags and the varying parameters of a table of jobs, and how many columns were not looked at.

    Lists are left out, and paths below ``root``, the workspace: those are outputs.
    """
    plain = [name for name, kind in table.schema if not kind.startswith(("LargeList", "List", "Struct"))]
    group_of = {name: table.column_metadata(name).get("xpframe.group", "system") for name in plain}
    asked = [name for name in plain if group_of[name] != "system"]
    by_values: dict[tuple[Any, ...], Column] = {}
    for name in asked[:MOST_COLUMNS]:
        values = table.column_values(name)
        key = tuple(values)
        if key in by_values and any(value is not None for value in key):
            by_values[key].names.append(name)
            continue
        counts = Counter(values)
        counts.pop(None, None)
        if group_of[name] != "tag" and (not varies(values, counts, tasks) or are_below(root, counts)):
            continue
        by_values[key] = Column([name], group_of[name], values, counts)
    return list(by_values.values()), max(0, len(asked) - MOST_COLUMNS)


def are_below(root: str, values: Counter[Any]) -> bool:
    """Whether all values are paths below a directory."""
    return all(isinstance(value, str) and value.startswith(root) for value in values)


def varies(values: list[Any], counts: Counter[Any], tasks: list[str | None]) -> bool:
    """Whether jobs differ in a column; that another task has no such parameter is no difference."""
    if len(counts) != 1:
        return len(counts) > 1
    seen = set(zip(tasks, [value is None for value in values], strict=True))
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
