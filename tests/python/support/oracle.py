"""What experimaestro itself says of a workspace, and objects put in the words of that dump.

A `Dump` walks the objects of any reader; a `View` says how to look at them.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from witness import EnumName, Missing, Obj, Set

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

TASK = "__task__"


class Seen(NamedTuple):
    """A config as a `View` sees it; `task` is None where there is none."""

    typename: str
    identifier: str
    meta: bool
    stub: bool
    task: Any
    fields: dict[str, Any]


class View(Protocol):
    """How a reader's objects are looked at."""

    def config(self, v: Any) -> Seen | None: ...
    def enum(self, v: Any) -> str | None: ...
    def set(self, v: Any) -> Iterable[Any] | None: ...


class WitnessView:
    def config(self, v: Any) -> Seen | None:
        return (
            Seen(v.typename, v.identifier, v.meta, v.stub, v.task, v.fields) if isinstance(v, Obj) else None
        )

    def enum(self, v: Any) -> str | None:
        return v.name if isinstance(v, EnumName) else None

    def set(self, v: Any) -> Iterable[Any] | None:
        return v.items if isinstance(v, Set) else None


class EngineView:
    """The objects of xpframe, by its public functions and the names that experimaestro's own objects have."""

    def config(self, v: Any) -> Seen | None:
        import xpframe

        if not isinstance(v, xpframe.Config):
            return None
        fields = dict(xpframe.fields(v))
        return Seen(
            xpframe.typename(v), xpframe.identifier(v), v.__xpmmeta__, v.__xpmstub__, v.__xpmtask__, fields
        )

    def enum(self, v: Any) -> str | None:
        import xpframe

        return str(v.name) if isinstance(v, xpframe.EnumValue) else None

    def set(self, v: Any) -> Iterable[Any] | None:
        return v if isinstance(v, frozenset) else None


@dataclass
class Dump:
    """Objects as the oracle writes them, and where each of them was met."""

    view: View
    positions: dict[int, list[Any]] = field(default_factory=dict)
    alive: list[Any] = field(default_factory=list)

    def value(self, v: Any, root: str, path: list[Any]) -> Any:
        if (seen := self.view.config(v)) is not None:
            return self.config(v, seen, root, path)
        if (name := self.view.enum(v)) is not None:
            return name
        if (items := self.view.set(v)) is not None:
            dumped = [self.value(x, root, [*path, "{}"]) for x in items]
            return sorted(dumped, key=lambda x: json.dumps(x, sort_keys=True))
        if isinstance(v, Missing) or type(v).__name__ == "Unresolved":
            return {"__missing__": True}
        if isinstance(v, (list, tuple)):
            return [self.value(x, root, [*path, i]) for i, x in enumerate(v)]
        if isinstance(v, dict):
            return {k: self.value(x, root, [*path, k]) for k, x in v.items()}
        return scalar(v)

    def config(self, v: Any, seen: Seen, root: str, path: list[Any]) -> dict[str, Any]:
        self.meet(v, root, path)
        found: dict[str, Any] = {"__typename__": seen.typename, "__identifier__": seen.identifier}
        if seen.meta:
            found["__meta__"] = True
        if (task := self.view.config(seen.task)) is not None:
            stub = {"stub": task.identifier, "typename": task.typename}
            found[TASK] = stub if task.stub else task.identifier
            if seen.task is not v and not task.stub:
                self.meet(seen.task, root, [*path, TASK])
        return found | {k: self.value(x, root, [*path, k]) for k, x in seen.fields.items()}

    def meet(self, v: Any, root: str, path: list[Any]) -> None:
        self.alive.append(v)
        self.positions.setdefault(id(v), []).append([root, path])

    def sharing(self) -> list[Any]:
        """The groups of positions that hold the identical object; groups of one left out."""
        return in_order(group for group in self.positions.values() if len(group) > 1)


def in_order(groups: Iterable[list[Any]]) -> list[Any]:
    return sorted((sorted(g, key=json.dumps) for g in groups), key=json.dumps)


def scalar(v: Any) -> Any:
    if isinstance(v, float) and not math.isfinite(v):
        return {"__float__": "nan" if math.isnan(v) else "inf" if v > 0 else "-inf"}
    if isinstance(v, int) and not isinstance(v, bool) and not -(2**63) <= v < 2**64:
        return {"__int__": str(v)}
    if isinstance(v, (str, PurePath)):
        try:
            str(v).encode()
        except UnicodeEncodeError:
            return {"__str__": ascii(str(v))[1:-1]}
        return str(v)
    if v is None or isinstance(v, (bool, int, float)):
        return v
    return {"__other__": type(v).__name__}


def without_task(v: Any) -> Any:
    """A dump without producers: whether a job names itself depends on when it was written."""
    if isinstance(v, dict):
        return {k: without_task(x) for k, x in v.items() if k != TASK}
    return [without_task(x) for x in v] if isinstance(v, list) else v


def at_home(v: Any, *roots: str) -> Any:
    """A dump with the workspace's root, wherever it was or is, written as `<ws>`."""
    written = json.dumps(v)
    for root in roots:
        written = written.replace(f'"{root}/', '"<ws>/')
    return json.loads(written)


def saved_at_home(v: Any, run: Path, name: str, *roots: str) -> Any:
    """The dump of a saved object, its data files relative to the directory that holds them."""
    here = str(run).replace(roots[0], "<ws>", 1)
    return json.loads(json.dumps(at_home(v, *roots)).replace(f'"{here}/data/{name}/', '"'))


class Oracle:
    """One `<name>.expected.json`."""

    def __init__(self, path: Path) -> None:
        self.name = path.name.removesuffix(".expected.json")
        self.content: dict[str, Any] = json.loads(path.read_text())
        self.roots = [str(self.content["__workspace__"]), "/lab/workspaces/v1161_full"]

    def runs(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Experiment, run id and what experimaestro said of every run, of both layouts."""
        for experiment, runs in self.content.get("runs", {}).items():
            for run_id, said in runs.items():
                yield experiment, run_id, said
        for experiment, said in self.content.get("experiments", {}).items():
            yield experiment, "v1", said

    def live(self, experiment: str, run_id: str) -> dict[str, Any]:
        """What the driver process knew: job id → depends_on, state …"""
        return dict(self.content.get("live", {}).get(experiment, {}).get(run_id) or {})

    def provider(self, experiment: str, run_id: str) -> dict[str, Any]:
        said = self.content.get("provider")
        said = said.get(experiment, {}).get("runs", {}).get(run_id) if isinstance(said, dict) else None
        return said if isinstance(said, dict) and "error" not in said else {}

    def task_dir(self, task_id: str, job_id: str) -> dict[str, Any] | None:
        """The config and sharing of one params.json, where experimaestro could read it."""
        said = self.content.get("task_dirs", {}).get(f"{task_id}/{job_id}", {})
        said = said.get("fallback", said)
        return said if "config" in said else None

    def marker(self, task_id: str, job_id: str) -> tuple[str, str | None] | None:
        """State and failure of a job where a marker file says them."""
        files = self.content["job_markers"].get(f"{task_id}/{job_id}", {})
        if "done" in files:
            return "done", None
        if "failed" not in files:
            return None
        try:
            said = json.loads(files["failed"])
        except ValueError:
            said = {}
        return "error", (said.get("reason", "failed") if isinstance(said, dict) else "failed").upper()
