"""Which jobs of which runs pass a filter: reads the columns of the filter, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xpframe._core import near_misses
from xpframe.errors import ColumnError
from xpframe.request import plan_scan, table_request
from xpframe.where.bind import bind_node
from xpframe.where.bound import columns_of, evaluate
from xpframe.where.parse import parse
from xpframe.where.tree import Name, names_in, nulls_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xpframe import _core
    from xpframe.where.bound import Test

__all__ = ["bind", "chosen_rows"]

SPECIAL = {"@state": "state", "@name": "task"}
WILDCARDS = "*?["


def bind(
    runs: list[_core.Run], where: str | Mapping[str, Any], options: Mapping[str, Any], *, quiet: bool = False
) -> Test:
    """The filter on the columns of these runs. Configs are read only for names that are no tags.

    Raises:
        InvalidArgumentError: It is no filter.
        ColumnError: The runs have no such column, or several.
    """
    node = parse(where)
    names = names_in(node)
    columns = _Columns(runs, options, quiet=quiet)
    found = {name.text: columns.find(name) for name in names}
    for name in nulls_in(node):
        columns.check_null(name, found[name.text])
    full = list(dict.fromkeys(name for each in found.values() for name in each))
    types = dict(columns.plan(full).empty().schema) if full else {}
    return bind_node(node, lambda name: [(each, types[each]) for each in found[name.text]])


def chosen_rows(
    runs: list[_core.Run], where: str | Mapping[str, Any], options: Mapping[str, Any], *, quiet: bool = False
) -> list[list[int]]:
    """The positions of the jobs that pass, for each run, among the jobs of the requested tasks."""
    test = bind(runs, where, options, quiet=quiet)
    names = columns_of(test)
    # something that each job has
    is_distinct = options.get("run") == "distinct"
    asked = [*names, "job_id"] if is_distinct else names or ["job_id"]
    plan = _Columns(runs, options, quiet=quiet).plan(asked)
    tables = plan.batches(asked, [(index, None) for index in range(len(runs))])
    rows, ids = [], []
    for table in tables:
        values = {name: table.column_values(name) for name in names}
        mask = evaluate(test, values, len(table))
        rows.append([row for row, passes in enumerate(mask) if passes])
        if is_distinct:
            jobs = table.column_values("job_id")
            ids.append([jobs[row] for row in rows[-1]])
    return _among_all(runs, ids, options, quiet=quiet) if is_distinct else rows


def _among_all(
    runs: list[_core.Run], ids: list[list[str]], options: Mapping[str, Any], *, quiet: bool
) -> list[list[int]]:
    """The positions of jobs of each run, by their identifiers, among all jobs of the requested tasks."""
    plan = _Columns(runs, {**options, "run": "all"}, quiet=quiet).plan(["job_id"])
    tables = plan.batches(["job_id"], [(index, None) for index in range(len(runs))])
    return [
        [row for row, job in enumerate(table.column_values("job_id")) if job in chosen]
        for table, chosen in zip(tables, map(set, ids), strict=True)
    ]


class _Columns:
    """The columns of runs, found by name: tags first, which jobs.jsonl has."""

    def __init__(self, runs: list[_core.Run], options: Mapping[str, Any], *, quiet: bool) -> None:
        self.runs, self.quiet = runs, quiet
        self.options = {name: options.get(name) for name in ("task", "results", "timezone", "run")}
        self.asked = options.get("columns")
        self.tags: list[str] | None = None
        self.whole: _core.ScanPlan | None = None

    def plan(self, columns: Sequence[str] | None) -> _core.ScanPlan:
        options = {**self.options, "columns": columns, "max_columns": 1_000_000}
        return plan_scan(self.runs, table_request(options), several_runs=True, quiet=self.quiet)

    def find(self, name: Name) -> list[str]:
        """The full names of the columns that a name means: one, or several of different types."""
        text = SPECIAL.get(name.text, name.text)
        if name.text in SPECIAL:
            return [text]
        if (found := self._tag(text)) and not self._is_other_column(text, found):
            return found
        cheap = ("workspace", "experiment", "run", "job_id", "task", "state", "submitted_at")
        if text in cheap:
            return [text]
        try:
            found = self._all().find(text)
        except ColumnError:
            try:
                # the columns of upstream jobs are known by name only
                found = [full for _, full, _ in self.plan([text]).columns]
            except ColumnError as error:
                raise self._unknown(name, error) from None
        if not found:  # a glob of results before the first job has written one
            raise self._unknown(name, ColumnError(f"no column {text!r}", field=text))
        is_glob = any(character in text for character in WILDCARDS)
        if len(found) > 1 and (is_glob or len({_whole(each) for each in found}) > 1):
            raise ColumnError(
                f"{text!r} could be any of {len(found)} columns",
                field=text,
                hint=f"write one of {', '.join(found[:5])}",
            )
        return found

    def _tag(self, text: str) -> list[str]:
        if self.tags is None:
            self.tags = self._all_tags()
        for name in dict.fromkeys((text, f"tags.{text}", f"tags.{_escaped(text)}")):
            if name in self.tags:
                return [name]
            if split := [tag for tag in self.tags if _whole(tag) == name]:
                return split
        return []

    def _all_tags(self) -> list[str]:
        pattern = "tags.*"
        try:
            plan = self.plan([pattern])
        except ColumnError:
            return []  # no job has a tag
        tags = plan.column_names
        while pattern in tags:  # a tag of this name, which comes before what a glob matches
            pattern += "*"
            tags = plan.find(pattern)
        return tags

    def _is_other_column(self, text: str, tags: list[str]) -> bool:
        """Whether a text that means a tag called ``config.seed`` is the full name of a column."""
        if not text.startswith(("config.", "result.")) or tags == [text]:
            return False
        try:
            return self._all().find(text) == [text]
        except ColumnError:
            return False

    def check_null(self, name: Name, found: list[str]) -> None:
        """Raises an error where null in the columns of a short name does not mean that there is no value."""
        place = _whole(found[0]) or found[0]
        is_short = name.text not in found and _whole(name.text) is None
        if is_short and place.startswith("config.") and self._holds_values(place):
            reason = f"{name.text!r} holds other values in some jobs"
            hint = f"write {' and '.join(f'{each} = null' for each in found)}"
            raise self._unknown(name, ColumnError(reason, field=name.text, hint=hint))

    def _holds_values(self, place: str) -> bool:
        """Whether a place has columns below it, or its class."""
        for pattern in (f"{place}.*", f"{place}@type"):
            try:
                found = self._all().find(pattern)
            except ColumnError:
                continue
            if any(each == pattern or each.startswith(f"{place}.") for each in found):
                return True
        return False

    def _all(self) -> _core.ScanPlan:
        if self.whole is None:
            for run in self.runs:
                # kept for the plans to come
                run.load()
            self.whole = self.plan(None)
        return self.whole

    def _unknown(self, name: Name, error: ColumnError) -> ColumnError:
        near = near_misses(name.text, [*SPECIAL, *(tag.removeprefix("tags.") for tag in self.tags or [])])
        hint = f"did you mean {near[0]}?" if near and name.text.startswith("@") else error.hint
        if before := _renamed(self.asked).get(name.text):
            hint = f"where takes names as they are before renaming: {before}"
        if name.compared:
            # most forgot the quotes: state = done
            near_name = f"{hint}; " if hint and "did you mean" in hint else ""
            hint = f'{near_name}a text stands in quotes: {name.compared} "{name.text}"'
        place = f"where, character {name.position + 1}: " if name.position else "where: "
        return ColumnError(f"{place}{error.reason}", field=name.text, hint=hint)


def _renamed(columns: Any) -> dict[str, str]:
    """The columns that ``columns=`` renames, by their new names."""
    asked = columns if isinstance(columns, (list, tuple)) else [columns]
    pairs = [pair for each in asked if isinstance(each, Mapping) for pair in each.items()]
    return {new: old if isinstance(old, str) else ", ".join(old) for new, old in pairs}


def _whole(column: str) -> str | None:
    """The place of a column that was split by type: ``x`` of ``x@int``. ``RR@10`` is a place itself, as keys
    have no ``@`` before a letter unless it is escaped.
    """
    place, _, kind = column.rpartition("@")
    escapes = len(place) - len(place.rstrip("\\"))
    return place if place and kind[:1].isascii() and kind[:1].isalpha() and escapes % 2 == 0 else None


def _escaped(key: str) -> str:
    """A key as the name of a column spells it: dots and backslashes escaped, ``@`` before a letter."""
    written = ""
    for position, character in enumerate(key):
        after = key[position + 1 : position + 2]
        if character in ".\\" or (character == "@" and after.isascii() and after.isalpha()):
            written += "\\"
        written += character
    return written
