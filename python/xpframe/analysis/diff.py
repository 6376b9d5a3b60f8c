"""Where two jobs or configs differ, and whether that makes them different jobs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe._core import Config, EnumValue, Unresolved
from xpframe.analysis.job_frame import build
from xpframe.analysis.names import escape, is_factor, is_identifier
from xpframe.analysis.values import OutputPaths, text_key
from xpframe.backends.convert import converter_for
from xpframe.errors import InvalidArgumentError, JobNotFoundError
from xpframe.locate import find_workspace

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from xpframe.options import Backend

__all__ = ["Difference", "compare_sides", "diff", "find_job"]

MAX_DIFFERENCES = 100_000
MIN_PREFIX = 4  # characters of a job id that may stand for it
MAX_DIGITS = 4000  # Python refuses to print longer ints


def diff(
    a: Any,
    b: Any,
    *,
    workspace: str | os.PathLike[str] | None = None,
    backend: Backend = "pandas",
) -> Any:
    """Compares two jobs or configs: values and classes, place by place, upstream jobs included.

    >>> from xpframe import Workspace, sample_workspace
    >>> from xpframe.analysis import diff
    >>> first, *_, last = Workspace(sample_workspace()).load_xp_info("grid-search").jobs.values()
    >>> for row in diff(first, last, backend="polars").rows():
    ...     print(*row)
    config.model.hidden_size 64 512 True
    config.learning_rate 0.1 0.001 None

    Args:
        a: A job of ``info.jobs`` or any other config; a job's id or the beginning of one; or a row of a
            frame of jobs as a mapping from columns to values (a dict, a pandas Series).

        b: The other one.

        workspace: Where ids are looked for; without it, where :func:`xpframe.xp_frame` would look.

        backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``.

    Returns:
        A frame, one row a difference:

        * ``place`` (text): as a column would be called: ``config.model.lr``, ``config.model@type`` for a
          class, ``config.layers[0].size``, ``config.trained@job.config.epochs`` for what differs in the job
          that made ``config.trained``, ``init-tasks[0].path`` for a task that runs before. Where identifiers
          differ and nothing that is stored does, there is a row ``…@id``.
        * ``a``, ``b`` (text): the values as Python writes them, ``'1'`` apart from ``'1.0'`` and
          ``'True'``; null where the place is missing, ``'None'`` where its value is null. Paths below a
          job's directory are compared relative to it.
        * ``counts`` (bool): whether the difference counts for the identifier of the config that holds it:
          false if both identifiers agree, true if they do not and it is the only difference there, else null.

    Raises:
        InvalidArgumentError: Something else than jobs, configs or rows.
        JobNotFoundError: The workspace has no such job, or several whose ids begin so.
        MissingLibraryError: The backend or narwhals is not installed.
    """
    converter_for(backend)  # raises at once if the backend is not installed
    differences = compare_sides(a, b, workspace)
    columns: dict[str, tuple[str, Sequence[Any]]] = {
        "place": ("text", [difference.place for difference in differences]),
        "a": ("text", [difference.a for difference in differences]),
        "b": ("text", [difference.b for difference in differences]),
        "counts": ("flag", [difference.counts for difference in differences]),
    }
    return build(backend, columns).to_native()


@dataclass(slots=True, frozen=True)
class Difference:
    """One difference.

    Attributes:
        place: Where, as a column would be called.
        a: The value there as Python writes it; None if there is no such place.
        b: The other one's.
        counts: Whether it counts for the identifier of the holder; None if that cannot be told.
    """

    place: str
    a: str | None
    b: str | None
    counts: bool | None = None


def compare_sides(a: Any, b: Any, workspace: str | os.PathLike[str] | None = None) -> list[Difference]:
    """The differences of two jobs, configs, ids or rows."""
    sides = [find_job(side, workspace) if isinstance(side, str) else side for side in (a, b)]
    configs = [getattr(side, "config", side) if type(side).__name__ == "Action" else side for side in sides]
    if all(isinstance(side, Config) for side in configs):
        try:
            return Comparer().jobs(configs[0], configs[1])
        except RecursionError:
            raise InvalidArgumentError("the configs are nested too deeply to be compared") from None
    rows = [row_of(side) for side in configs]
    if rows[0] is None or rows[1] is None:
        kinds = [type(side).__name__ for side in sides]
        hint = "give two configs, two ids of jobs, or two rows of a frame"
        if "ExperimentInfo" in kinds:
            hint = "two runs: earlier.compare(later)"
        raise InvalidArgumentError(f"{' and '.join(kinds)} cannot be compared", hint=hint)
    return compare_rows(rows[0], rows[1])


def find_job(job_id: str, workspace: str | os.PathLike[str] | None = None) -> Config:
    """The config of a job of any experiment, by its id or the beginning of it; of the newest run that
    lists it.

    Raises:
        JobNotFoundError: The workspace has no such job, or several.
    """
    home = find_workspace(workspace)
    listing: dict[str, list[_core.Run]] = {}
    if len(job_id) >= MIN_PREFIX:
        for experiment in home.experiments():
            # newest first; one experiment that cannot be read hides no job of the others
            for run in reversed(home.readable_runs(experiment, "all")):
                for listed, _ in run.rows():
                    if listed.startswith(job_id):
                        listing.setdefault(listed, []).append(run)
    if len(listing) > 1 and job_id not in listing:
        shown = ", ".join(identifier[:12] for identifier in list(listing)[:5])
        raise JobNotFoundError(f"{len(listing)} jobs have an id that begins with {job_id!r}: {shown}")
    if not listing:
        hint = f"give its id, or at least {MIN_PREFIX} of its first digits"
        raise JobNotFoundError(f"no job {job_id!r} in {home.root}", hint=hint)
    identifier = job_id if job_id in listing else next(iter(listing))
    runs = listing[identifier]
    for run in runs[:-1]:
        try:
            return run.job(identifier)
        except JobNotFoundError:
            continue
    return runs[-1].job(identifier)


# --- configs ---

_MISSING: Any = object()


@dataclass(slots=True)
class Part:
    """What differs in one field of a holder.

    Attributes:
        differences: The differences, places relative to the holder.
        direct: Whether they are values of the holder itself.
        affects: Whether they can be why the identifiers of the holders differ.
    """

    differences: list[Difference]
    direct: bool
    affects: bool


class Comparer:
    """Compares configs; each pair of them once, wherever they are shared."""

    def __init__(self) -> None:
        self._outputs = OutputPaths()
        # the configs are held, since ids of objects are used again
        self._seen: dict[tuple[int, int], tuple[Config, Config, list[Difference]]] = {}

    def jobs(self, a: Config, b: Config) -> list[Difference]:
        """The differences of two jobs, or of two other configs: those of the config and of init tasks."""
        differences = moved("config", self.configs(a, b))
        first, second = (list(side.__xpminittasks__ or ()) for side in (a, b))
        for position in range(max(len(first), len(second))):
            name = f"init-tasks[{position}]"
            for part in self.parts(name, item(first, position), item(second, position)):
                differences += part.differences
        return differences

    def configs(self, a: Config, b: Config) -> list[Difference]:
        """The differences of two configs, places relative to them."""
        if a is b:
            return []
        pair = id(a), id(b)
        if pair not in self._seen:
            self._seen[pair] = a, b, []  # what leads back here adds nothing
            self._seen[pair] = a, b, self._configs(a, b)
        return self._seen[pair][2]

    def _configs(self, a: Config, b: Config) -> list[Difference]:
        parts: list[Part] = []
        kinds = _core.typename(a), _core.typename(b)
        if kinds[0] != kinds[1]:
            parts.append(Part([Difference("@type", *kinds)], direct=True, affects=True))
        fields_a, fields_b = _core.fields(a), _core.fields(b)
        for name in dict.fromkeys([*fields_a, *fields_b]):
            sides = fields_a.get(name, _MISSING), fields_b.get(name, _MISSING)
            parts += self.parts(f".{escape(name)}", *sides)
        parts += self.producers(a, b)
        ids = _core.identifier(a), _core.identifier(b)
        if ids[0] != ids[1] and not any(part.affects for part in parts):
            parts.append(Part([Difference("@id", *ids)], direct=True, affects=False))
        return judged(parts, same=ids[0] == ids[1])

    def producers(self, a: Config, b: Config) -> Iterator[Part]:
        """What differs in the jobs that made two configs."""
        first, second = a.__xpmtask__, b.__xpmtask__
        made_a = first if first is not a and isinstance(first, Config) else None
        made_b = second if second is not b and isinstance(second, Config) else None
        if made_a and made_b:
            if differences := moved("@job.", self.jobs(made_a, made_b)):
                affects = _core.identifier(made_a) != _core.identifier(made_b)
                yield Part(differences, direct=False, affects=affects)
        elif made_a or made_b:
            ids = [_core.identifier(job) if job else None for job in (made_a, made_b)]
            yield Part([Difference("@job", ids[0], ids[1])], direct=True, affects=True)

    def parts(self, place: str, a: Any, b: Any) -> Iterator[Part]:
        """What differs in two values: of a list or dict of configs, item by item."""
        if isinstance(a, Config) and isinstance(b, Config):
            if differences := self.configs(a, b):
                affects = _core.identifier(a) != _core.identifier(b)
                yield Part(moved(place, differences), direct=False, affects=affects)
        elif isinstance(a, dict) and isinstance(b, dict):
            for key in dict.fromkeys([*a, *b]):
                yield from self.parts(
                    f"{place}.{escape(str(key))}", a.get(key, _MISSING), b.get(key, _MISSING)
                )
        elif isinstance(a, list | tuple) and isinstance(b, list | tuple) and (nested(a) or nested(b)):
            for position in range(max(len(a), len(b))):
                yield from self.parts(f"{place}[{position}]", item(a, position), item(b, position))
        else:
            texts = [self.text(value, relative=True) for value in (a, b)]
            if texts[0] != texts[1]:
                if self.is_output(a) != self.is_output(b):
                    texts = [self.text(value, relative=False) for value in (a, b)]
                yield Part([Difference(place, texts[0], texts[1])], direct=True, affects=True)

    def is_output(self, value: Any) -> bool:
        return isinstance(value, PurePath) and self._outputs.parse(str(value)) is not None

    def text(self, value: Any, *, relative: bool) -> str | None:
        """A value as Python writes it, in full; None if there is none."""
        return None if value is _MISSING else written(value, self._outputs if relative else None)


def item(items: Sequence[Any], position: int) -> Any:
    return items[position] if position < len(items) else _MISSING


def nested(items: Sequence[Any]) -> bool:
    return any(
        isinstance(item, Config | dict) or (isinstance(item, list | tuple) and nested(item)) for item in items
    )


def moved(place: str, differences: Sequence[Difference]) -> list[Difference]:
    """Differences below another place."""
    if len(differences) > MAX_DIFFERENCES:
        raise InvalidArgumentError(
            f"more than {MAX_DIFFERENCES:,} differences", hint="compare parts of the configs"
        )
    return [replace(difference, place=place + difference.place) for difference in differences]


def judged(parts: Sequence[Part], *, same: bool) -> list[Difference]:
    """The differences of a holder, with whether they count for its identifier."""
    alone = sum(part.affects for part in parts) == 1
    differences = []
    for part in parts:
        counts = False if same else True if alone and part.affects else None
        differences += (
            [replace(difference, counts=counts) for difference in part.differences]
            if part.direct
            else part.differences
        )
    return differences


def written(value: Any, outputs: OutputPaths | None) -> str:
    if isinstance(value, Config):
        return f"{_core.typename(value)} {_core.identifier(value)[:8]}"
    if isinstance(value, EnumValue):
        return f"{value.enum}.{value.name}"
    if isinstance(value, PurePath):
        output = outputs.parse(str(value)) if outputs else None
        return f"{output.task}/…/{output.relative}" if output else str(value)
    if isinstance(value, dict):
        items = (f"{written(key, outputs)}: {written(item, outputs)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(written(item, outputs) for item in value))}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(written(item, outputs) for item in value)}]"
    if isinstance(value, int) and value.bit_length() > 3 * MAX_DIGITS:
        return hex(value)
    if isinstance(value, Unresolved):
        return repr(value).strip("<>")
    return repr(value)


# --- rows of frames ---


def row_of(side: Any) -> Mapping[str, Any] | None:
    """A row of a frame as a mapping; None for anything else."""
    if hasattr(side, "to_dict") and hasattr(side, "index"):  # a pandas Series
        side = side.to_dict()
    return side if isinstance(side, dict) and all(isinstance(name, str) for name in side) else None


def compare_rows(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Difference]:
    """The differences of two rows, in tags, parameters and the task."""
    outputs = OutputPaths(str(row["path"]) for row in (a, b) if isinstance(row.get("path"), str))
    differences: list[tuple[str | None, Difference]] = []
    for name in dict.fromkeys([*a, *b]):
        if is_factor(name) is False or is_identifier(name):
            continue
        texts = [row_text(row[name], outputs) if name in row else None for row in (a, b)]
        if texts[0] != texts[1]:
            differences.append((holder(name, a, b), Difference(name, texts[0], texts[1])))
    names = [difference.place for _, difference in differences]
    return [
        replace(difference, counts=row_counts(column, names, a, b) if column else None)
        for column, difference in differences
    ]


def row_text(value: Any, outputs: OutputPaths) -> str:
    """A cell as Python writes it; the nulls of pandas are None."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return "None"
    if hasattr(value, "item") and hasattr(value, "dtype") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    return text_key(value, outputs)[0]


def holder(name: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> str | None:
    """The column with the identifier of the config that holds a column's value, if both rows have it."""
    if not name.startswith("config."):
        return None
    place = name
    while "." in place:
        place = place.rpartition(".")[0]
        column = "job_id" if place == "config" else f"{place}@id"
        if column in a and column in b:
            return column
    return None


def row_counts(column: str, names: Sequence[str], a: Mapping[str, Any], b: Mapping[str, Any]) -> bool | None:
    if a[column] == b[column]:
        return False
    inside = "config." if column == "job_id" else f"{column.removesuffix('@id')}."
    return True if sum(name.startswith(inside) for name in names) == 1 else None
