"""The columns that pictures show: named by the user, or those in which jobs differ."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from xpframe.arguments import checked_text
from xpframe.errors import InvalidArgumentError
from xpframe.handles import handles_seen
from xpframe.summary import Column, columns_of, shown_state, table_of
from xpframe.text import at_microseconds, instant, plural, value_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from xpframe._core import Run
    from xpframe.options import Results

__all__ = [
    "Factor",
    "Scope",
    "agree",
    "factor",
    "factor_of",
    "label_of",
    "measure",
    "scope_of",
    "task_scopes",
    "varying",
]

MAX_OTHERS = 4  # tasks that are named
MAX_TASKS = 8  # tasks that are looked at for columns in which their jobs differ


# jobs whose directories are searched for what they wrote
MAX_JOBS_LOOKED_AT = 64


@dataclass
class Factor:
    """A column with one value per job.

    Attributes:
        name: Its full name.
        read: Returns its values, None where a job has none. Called at most once.
        known_values: Its distinct values, if they are known before reading.
        is_tag: Whether it is a tag.
    """

    name: str
    read: Callable[[], list[Any]]
    known_values: list[Any] | None = None
    is_tag: bool = False

    @cached_property
    def values(self) -> list[Any]:
        """Its values."""
        return self.read()

    @cached_property
    def different(self) -> list[Any]:
        """Its distinct values: numbers and times by size, others by first occurrence, None last."""
        values = list(dict.fromkeys(self.values)) if self.known_values is None else self.known_values
        present = [value for value in values if value is not None]
        if are_measured(present):
            present.sort(key=lambda value: (value != value, value))  # noqa: PLR0124 - NaN stands at the end
        return present + [None] * (None in values)

    @cached_property
    def is_measured(self) -> bool:
        """Whether it has only numbers, or only times."""
        return are_measured([value for value in self.different if value is not None])


def are_measured(values: list[Any]) -> bool:
    """Whether there are values, and all are numbers, or all are times."""
    kinds = set(map(type, values))
    return bool(kinds) and (kinds <= {int, float} or kinds == {datetime})


@dataclass(frozen=True)
class Scope:
    """The jobs that a picture shows: those of a run, or of one of its tasks.

    Attributes:
        run: The run.
        task: The task; None for all.
        left_out: The number of jobs of other tasks.
        others: Other tasks, by the names that ``task`` takes.
    """

    run: Run
    task: str | None = None
    left_out: int = 0
    others: tuple[str, ...] = ()

    @property
    def of_task(self) -> str:
        """`` of train``; empty for all jobs."""
        return "" if self.task is None else f" of {self.task.rpartition('.')[2]}"

    def factor(self, name: str, results: Results | None = None) -> Factor:
        """Reads a column, as :func:`factor`."""
        return factor(self.run, name, results, self.task)

    def varying(self, max_values: int) -> list[tuple[Factor, int]]:
        """The columns in which its jobs differ, as :func:`varying`."""
        return varying(self.run, max_values, self.task)

    def in_words(self) -> str:
        """What is not shown, and how to see it; empty if all jobs are."""
        if not self.left_out:
            return ""
        more = f"{plural(self.left_out, 'job')} of other tasks not shown"
        named = ", ".join(f"task={name!r}" for name in self.others[:MAX_OTHERS])
        return f"{more}: {named}" if named else more


def scope_of(run: Run, task: str | None) -> Scope:
    """The jobs of a run, or of a task: its name, its last component, or a glob."""
    if task is None:
        return Scope(run)
    task = checked_text("task", task, "a picture shows one task: its name, its last component, or a glob")
    counts = Counter(name for _, name in run.rows())
    shown = dict(table_of(run, ["task"], task=task).value_counts(["task"]))
    others = [name for name in counts if (name,) not in shown]
    last_parts = Counter(name.rpartition(".")[2] for name in counts)
    short = {name: name.rpartition(".")[2] for name in others}
    named = tuple(short[name] if last_parts[short[name]] == 1 else name for name in others)
    return Scope(run, task, sum(counts[name] for name in others), named)


def task_scopes(run: Run, chosen: Sequence[Factor]) -> Iterator[Scope]:
    """The tasks, the one of most jobs first, if there are several and they differ in their columns: then some
    jobs have no value in a chosen one.
    """
    counts = Counter(name for _, name in run.rows())
    if len(counts) > 1 and any(None in column.different for column in chosen):
        yield from (scope_of(run, name) for name, _ in counts.most_common(MAX_TASKS))


def factor(run: Run, name: str, results: Results | None = None, task: str | None = None) -> Factor:
    """Reads the column with this name, short name, or glob that matches one column.

    A column ``result.…`` without ``results`` is that of the only handle which leads to files of a known kind.
    """
    # the request refuses what is no text
    if results is None and str(name).startswith("result."):
        results = _only_handle(run, name)
    table = table_of(run, [name], results, task)
    if len(table.column_names) != 1:
        raise InvalidArgumentError(
            f"{name!r} matches {len(table.column_names)} columns", hint="a picture needs one column"
        )
    full = table.column_names[0]
    values = table.column_values(full)
    if full == "state":
        values = [shown_state(value) for value in values]
    elif dict(table.schema)[full].startswith("Timestamp"):
        values = [None if value is None else at_microseconds(value) for value in values]
    return factor_of(full, comparable(values))


def _only_handle(run: Run, name: str) -> str:
    """The only handle of a run that leads to files of a known kind."""
    handles = [handle for handle, (kind, _) in handles_seen(run, MAX_JOBS_LOOKED_AT)[0].items() if kind]
    if len(handles) == 1:
        return handles[0]
    hint = "no job wrote a file of a known kind: results= names one"
    if handles:
        choices = " or ".join(f"results={handle!r}" for handle in handles[:4])
        hint = f"say which file has it, as {choices}"
    raise InvalidArgumentError(f"{name} without results=", hint=hint)


def factor_of(name: str, values: list[Any]) -> Factor:
    """A column of these values."""
    return Factor(name, lambda: values)


def varying(run: Run, max_values: int, task: str | None = None) -> list[tuple[Factor, int]]:
    """The tags and parameters in which jobs differ, each with the number of jobs that have a value.

    Columns that are not numeric are left out if they have more than ``max_values`` distinct values.
    """
    columns = [column for column in columns_of(run, task) if len(column.counts) > 1]
    usable = [column for column in columns if column.is_numeric or len(column.counts) <= max_values]
    return [(of_column(column), sum(column.counts.values())) for column in usable]


def of_column(column: Column) -> Factor:
    """A column of a summary; its values are read when they are needed."""
    known_values = comparable(list(column.counts))
    if sum(column.counts.values()) < len(column.table):
        known_values.append(None)
    has_nan = any(value != value for value in column.counts)  # noqa: PLR0124 - NaN
    read = (lambda: comparable(column.values)) if has_nan else (lambda: column.values)
    is_tag = column.group == "tag"
    return Factor(column.names[0], read, list(dict.fromkeys(known_values)), is_tag=is_tag)


def comparable(values: list[Any]) -> list[Any]:
    """Values that can be compared and hashed: one NaN for all, and lists and dicts as text."""
    texts = [value_text(value) if isinstance(value, list | dict) else value for value in values]
    return [math.nan if value != value else value for value in texts]  # noqa: PLR0124 - NaN


def measure(value: object) -> float | None:
    """The position of a number or a time on a scale; None if it has none."""
    if isinstance(value, datetime):
        return value.timestamp()
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def agree(first: Factor, second: Factor) -> bool:
    """Whether two columns are equal on all jobs that have a value in both, and there is such a job."""
    both = False
    for a, b in zip(first.values, second.values, strict=True):
        if a is None or b is None:
            continue
        if a != b:
            return False
        both = True
    return both


def label_of(value: object) -> str:
    """The label of a value on an axis."""
    if value is None:
        return "none"
    if isinstance(value, datetime):
        return instant(value).removesuffix(" UTC")
    return value if isinstance(value, str) and value.strip() else value_text(value, 40)
