"""What changed between two runs: jobs, parameters, and parameters that look renamed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xpframe.analysis.job_frame import JobFrame, any_frame, build
from xpframe.analysis.names import is_tag, last_component, without_kind
from xpframe.backends.convert import converter_for
from xpframe.errors import ColumnError, InvalidArgumentError
from xpframe.report import report
from xpframe.request import read_table, table_request
from xpframe.text import plural, visible

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from xpframe import _core
    from xpframe.options import Backend

__all__ = ["Comparison", "compare"]

MIN_SHARE = 0.5  # of the jobs, those that have to have the same value under both names
MAX_CANDIDATES = 20_000  # pairs of a removed and an added parameter that are looked at
_NULL = ("NoneType", None)


def compare(a: Any, b: Any, *, backend: Backend = "pandas") -> Comparison:
    """Compares two runs: which jobs and parameters came, went, changed their type or look renamed.

    >>> import polars as pl
    >>> from xpframe.analysis import compare
    >>> old = pl.DataFrame({"job_id": ["a", "b"], "config.lr": [0.1, 0.2], "config.epochs": [10, 10]})
    >>> new = pl.DataFrame(
    ...     {"job_id": ["c", "d"], "config.learning_rate": [0.1, 0.2], "config.epochs": [10.0, 10.0]}
    ... )
    >>> result = compare(old, new)
    >>> result.renamed.select("a", "b").rows()
    [('config.lr', 'config.learning_rate')]
    >>> result.parameters.select("column", "change").rows()
    [('config.lr', 'removed'), ('config.learning_rate', 'added'), ('config.epochs', 'retyped')]

    Args:
        a: The earlier run: an :class:`xpframe.ExperimentInfo`, or a frame of its jobs with their columns'
            full names.

        b: The later one.

        backend: The library of the frames: ``"pandas"``, ``"polars"`` or ``"pyarrow"``. Of two frames the
            result is of the library of ``a``.

    Returns:
        A :class:`Comparison` with the frames ``jobs``, ``parameters`` and ``renamed``.

    Raises:
        InvalidArgumentError: Neither a run nor a frame, or the frame has no ``job_id``.
        MissingLibraryError: The backend or narwhals is not installed.
    """
    converter_for(backend)  # raises at once if the backend is not installed
    first, second = jobs_of(a), jobs_of(b)
    library = backend if type(a).__name__ == "ExperimentInfo" else first.implementation
    ids = [dict(zip(side.values("job_id"), tasks_of(side), strict=True)) for side in (first, second)]
    jobs = ids[0] | ids[1]
    types = [types_of(first), types_of(second)]
    changes = list(changed(types[0], types[1]))
    renamed = renames(first, second, types[0], types[1])
    frames: tuple[dict[str, tuple[str, Sequence[Any]]], ...] = (
        {
            "job_id": ("text", list(jobs)),
            "task": ("text", list(jobs.values())),
            "change": ("text", [change_of(job_id, ids[0], ids[1]) for job_id in jobs]),
        },
        {
            "column": ("text", [name for name, _ in changes]),
            "change": ("text", [change for _, change in changes]),
            "a": ("text", [types[0].get(name) for name, _ in changes]),
            "b": ("text", [types[1].get(name) for name, _ in changes]),
        },
        {
            "a": ("text", [rename.a for rename in renamed]),
            "b": ("text", [rename.b for rename in renamed]),
            "jobs": ("int", [rename.jobs for rename in renamed]),
            "of": ("int", [rename.possible for rename in renamed]),
            "levels": ("int", [rename.levels for rename in renamed]),
        },
    )
    counts = Counter(change_of(job_id, ids[0], ids[1]) for job_id in jobs)
    kinds = Counter(change for _, change in changes)
    pairs = [(rename.a, rename.b) for rename in renamed]
    made = [build(library, columns).to_native() for columns in frames]
    words = in_words(counts, kinds, pairs)
    if all(type(side).__name__ == "ExperimentInfo" for side in (a, b)):
        words = f"{' → '.join(visible(f'{side.experiment} {side.run_id}') for side in (a, b))}: {words}"
    return Comparison(made[0], made[1], made[2], words)


@dataclass(slots=True, frozen=True, eq=False)
class Comparison:
    """What changed between two runs.

    Attributes:
        jobs: A frame, one row a job of either run: ``job_id``, ``task``, ``change`` (``added``, ``gone``,
            ``same``).
        parameters: A frame, one row a tag or parameter that is not the same: ``column``, ``change``
            (``added``, ``removed``, ``retyped``), and its type in each run, ``a`` and ``b``, null where it
            is not there.
        renamed: A frame, one row a pair that looks renamed: its name in each run, ``a`` and ``b``;
            ``jobs``, how many jobs of ``b`` have under the new name what jobs of ``a`` that agree in all
            else have under the old one, ``of`` how many that could; ``levels``, how many different values
            these are. Both names stand in ``parameters`` too.
    """

    jobs: Any
    parameters: Any
    renamed: Any
    _words: str

    def __str__(self) -> str:
        return self._words

    def __repr__(self) -> str:
        return f"<Comparison: {self._words}>"


@dataclass(slots=True, frozen=True)
class Rename:
    """A parameter that is gone and one that came, with the same values in the same jobs."""

    a: str
    b: str
    jobs: int
    possible: int
    levels: int


def in_words(counts: Mapping[str, int], kinds: Mapping[str, int], pairs: Sequence[tuple[str, str]]) -> str:
    words = [plural(counts.get("added", 0), "job") + " added"]
    words += [f"{counts.get(change, 0):,} {change}" for change in ("gone", "same")]
    words += [f"{plural(count, 'parameter')} {change}" for change, count in kinds.items()]
    words += [f"{visible(old)} looks renamed to {visible(new)}" for old, new in pairs[:5]]
    return ", ".join(words)


def jobs_of(side: Any) -> JobFrame:
    """The jobs of a run with their tags and parameters, or those of a frame."""
    if type(side).__name__ == "ExperimentInfo":
        side = any_frame(table_of(side))
    jobs = JobFrame(side, "a run, as Workspace().load_xp_info(name, run_id) loads it, or ")
    if "job_id" not in jobs.names:
        raise InvalidArgumentError("the frame has no column job_id", hint="read it with that column")
    jobs.factors(None)  # refuses renamed columns
    return jobs


def table_of(info: Any) -> _core.Table:
    """The jobs of a run with their tags and parameters; what its loading warned of is not said again."""
    told = {str(error) for error in info.errors}
    runs = [info._run]  # noqa: SLF001 - its table() would warn again
    asked = {"columns": ["job_id", "task", "*.*"], "max_columns": 1_000_000}
    try:
        table = read_table(runs, table_request(asked), quiet=True)
    except ColumnError:  # no job has a tag or parameter
        asked["columns"] = ["job_id", "task"]
        table = read_table(runs, table_request(asked), quiet=True)
    report([error for error in table.errors if str(error) not in told], [], strict=False)
    return table


def tasks_of(jobs: JobFrame) -> list[Any]:
    return jobs.values("task") if "task" in jobs.names else [None] * len(jobs)


def change_of(job_id: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    return "gone" if job_id not in b else "added" if job_id not in a else "same"


# --- parameters ---


def types_of(jobs: JobFrame) -> dict[str, str]:
    """The type of each tag and parameter that some job has: of a split one (``x@int``, ``x@str``) all
    types.
    """
    types: dict[str, list[str]] = {}
    for name in jobs.parameters():
        if jobs.column(name).keys not in ([], [None]):
            types.setdefault(without_kind(name), []).append(str(jobs.frame.schema[name]))
    return {name: ", ".join(sorted(kinds)) for name, kinds in types.items()}


def changed(a: Mapping[str, str], b: Mapping[str, str]) -> list[tuple[str, str]]:
    """(parameter, change) of those that are not the same, removed ones first."""
    removed = [(name, "removed") for name in a if name not in b]
    added = [(name, "added") for name in b if name not in a]
    return removed + added + [(name, "retyped") for name in a if name in b and a[name] != b[name]]


def renames(first: JobFrame, second: JobFrame, a: Mapping[str, str], b: Mapping[str, str]) -> list[Rename]:
    """The pairs of a removed and an added parameter that have the same values in the same jobs, the
    likeliest first.

    Jobs are the same if they agree in the tags and parameters that both runs have: their ids do not, since
    the names are part of what an id is made of.
    """
    removed = [name for name in a if name not in b and name in first.names]
    added = [name for name in b if name not in a and name in second.names]
    if not removed or not added or len(removed) * len(added) > MAX_CANDIDATES:
        return []
    shared = [
        name
        for name in first.names
        if (name in a and b.get(name) == a[name]) or (name == "task" and "task" in second.names)
    ]
    keys = [job_keys(side, shared) for side in (first, second)]
    pairs = []
    for old in removed:
        values = values_by_job(first, old, keys[0])
        for new in added:
            if result := evidence(values, values_by_job(second, new, keys[1]), old, new):
                group, near, letters = likeness(old, new)
                pairs.append(((group, result.jobs / result.possible, near, letters), result))
    chosen: list[Rename] = []
    for _, rename in sorted(pairs, key=lambda pair: pair[0], reverse=True):
        if not any(rename.a == other.a or rename.b == other.b for other in chosen):
            chosen.append(rename)
    return sorted(chosen, key=lambda rename: removed.index(rename.a))


def job_keys(jobs: JobFrame, shared: Sequence[str]) -> list[Hashable]:
    """What each job is, apart from the parameters that only one run has."""
    columns = [jobs.column(name) for name in shared]
    keyed = [[column.keys[code] for code in column.codes] for column in columns if not column.is_output]
    return list(zip(*keyed, strict=True)) if keyed else [()] * len(jobs)


def values_by_job(jobs: JobFrame, name: str, keys: Sequence[Hashable]) -> dict[Hashable, Counter[Hashable]]:
    """How often jobs of each key have each value."""
    column = jobs.column(name)
    result: dict[Hashable, Counter[Hashable]] = {}
    for key, code in zip(keys, column.codes, strict=True):
        value = column.keys[code]
        result.setdefault(key, Counter())[type(value).__name__, value] += 1
    return result


def evidence(
    old_values: Mapping[Hashable, Counter[Hashable]],
    new_values: Mapping[Hashable, Counter[Hashable]],
    old: str,
    new: str,
) -> Rename | None:
    """The pair, if most values agree: the later run may have fewer jobs, and some values that are new."""
    jobs = possible = 0
    levels: set[Hashable] = set()
    for key in old_values.keys() & new_values.keys():
        before, after = old_values[key], new_values[key]
        if (_NULL in before) != (_NULL in after):
            return None
        common = before & after
        jobs += sum(common.values()) - common[_NULL]
        possible += min(sum(before.values()) - before[_NULL], sum(after.values()) - after[_NULL])
        levels.update(value for value in common if value != _NULL)
    # one value in all jobs says little: then the names have to be alike
    if jobs < MIN_SHARE * possible or not levels or (len(levels) == 1 and not likeness(old, new)[1]):
        return None
    return Rename(old, new, jobs, possible, len(levels))


def likeness(old: str, new: str) -> tuple[bool, bool, float]:
    """How alike two names are: of one group, under one parent or with one last component, by letters."""
    from difflib import SequenceMatcher

    same_parent = old.rpartition(".")[0] == new.rpartition(".")[0]
    same_name = last_component(old) == last_component(new)
    return (
        is_tag(old) == is_tag(new),
        not is_tag(old) and (same_parent or same_name),
        SequenceMatcher(None, old, new, autojunk=False).ratio(),
    )
