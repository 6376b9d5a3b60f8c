"""A slow and obvious reader of run directories: the second opinion that judges the engine.

Standard library only, one file a time, recursion wherever it is natural. It shares nothing with the engine
but the description of the format. What its objects look like as a table is in `expected.py`.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

sys.set_int_max_str_digits(0)

# ------------------ values and objects


class EnumName(NamedTuple):
    cls: str
    name: str


class Set(NamedTuple):
    items: tuple[Any, ...]


class Missing(NamedTuple):
    """A reference to an object that no file holds."""

    id: int


@dataclass(eq=False)
class Obj:
    """A config: identity is Python's identity, as on experimaestro's own objects."""

    id: int
    typename: str
    identifier: str
    meta: bool
    stub: bool
    task: Obj | Missing | None = None
    init_tasks: list[Obj | Missing] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)


ENCODED: tuple[dict[str, type], ...] = (
    {"type": str, "value": object},
    {"type": str, "value": str, "base": str},
    {"type": str, "value": str, "is_folder": bool},
    {"type": str, "module": str, "enum": str, "value": str},
    {"type": str, "items": list},
)


class Graph:
    """The objects of one container; references that it lacks are asked of `elsewhere`."""

    def __init__(self, raw: Iterable[Any], moved: Callable[[str], str], job_dir: Path | None = None) -> None:
        self.raw = {o["id"]: o for o in raw}
        self.moved, self.job_dir = moved, job_dir
        self.made: dict[int, Obj] = {}
        self.dangling: list[int] = []
        self.elsewhere: list[Graph] = []
        self.lent: dict[int, Path | None] = {}
        self.data_dir: Path | None = None
        self.workspace: Path | None = None

    def obj(self, identity: int) -> Obj | Missing:
        if identity in self.made:
            return self.made[identity]
        if identity not in self.raw:
            for other in self.elsewhere:
                if identity in other.raw:
                    self.raw[identity], self.lent[identity] = other.raw[identity], other.job_dir
                    return self.obj(identity)
            self.dangling.append(identity)
            return Missing(identity)
        o = self.raw[identity]
        made = Obj(identity, o["typename"], identifier(o), bool(o.get("meta")), bool(o.get("stub")))
        self.made[identity] = made
        job_dir = self.lent.get(identity, self.job_dir)
        made.fields = {k: self.value(v, job_dir) for k, v in o["fields"].items()}
        made.task = self.obj(o["task"]) if "task" in o else None
        made.init_tasks = [self.obj(i) for i in o.get("init-tasks", [])]
        return made

    def value(self, v: Any, job_dir: Path | None = None) -> Any:
        if isinstance(v, list):
            return [self.value(x, job_dir) for x in v]
        if not isinstance(v, dict):
            return v
        if any(
            v.keys() == keys.keys() and all(isinstance(v[k], t) for k, t in keys.items()) for keys in ENCODED
        ):
            match v:
                case {"type": "python", "value": int(i), **rest} if not rest and not isinstance(i, bool):
                    return self.obj(i)
                case {"type": "path", "value": str(p), "base": "job"} if job_dir:
                    return PurePosixPath(job_dir, p)
                case {"type": "path", "value": str(p), "base": "workspace"} if self.workspace:
                    return PurePosixPath(self.workspace, p)
                case {"type": "path", "value": str(p), **rest} if not rest:
                    return PurePosixPath(self.moved(p))
                case {"type": "path.serialized", "value": str(p), "is_folder": bool()}:
                    return PurePosixPath(self.data_dir or "", self.moved(p))
                case {"type": "enum", "module": str(m), "enum": str(e), "value": str(name)}:
                    return EnumName(f"{m}.{e}", name)
                case {"type": "set", "items": list(items)}:
                    return Set(tuple(sort_set(self.value(x, job_dir) for x in items)))
        return {k: self.value(x, job_dir) for k, x in v.items()}

    def dependencies(self, root: Obj, job_ids: set[str]) -> list[str]:
        """The jobs first met when walking the fields and init tasks of a job."""
        found: dict[str, None] = {}
        seen = {id(root)}

        def visit(v: Any) -> None:
            if isinstance(v, (list, tuple)) and not isinstance(v, (EnumName, Missing)):
                for x in v:
                    visit(x)
            elif isinstance(v, dict):
                visit(list(v.values()))
            elif isinstance(v, Obj) and id(v) not in seen:
                seen.add(id(v))
                producer = v.task if v.task is not None else v
                if isinstance(producer, Obj) and producer.identifier in job_ids:
                    found[producer.identifier] = None
                else:
                    visit([*v.fields.values(), *v.init_tasks])

        visit([*root.fields.values(), *root.init_tasks])
        return list(found)


def differ(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether one id names two objects: Python gave it twice (format.md 13.7)."""
    return a["typename"] != b["typename"] or identifier(a) != identifier(b)


def identifier(o: dict[str, Any]) -> str:
    i = o["identifier"]
    return str(i if isinstance(i, str) else i["main"])


def sort_set(items: Iterable[Any]) -> list[Any]:
    """None, bool, numbers by value (NaN last), str by code point, the rest by JSON text; no value twice."""

    def key(x: Any) -> tuple[Any, ...]:
        if x is None:
            return (0,)
        if isinstance(x, bool):
            return (1, x)
        if isinstance(x, (int, float)):
            return (2, math.isnan(x), 0 if math.isnan(x) else x)
        if isinstance(x, str):
            return (3, x)
        return (4, json.dumps(plain(x), sort_keys=True))

    once = {key(x): x for x in reversed(list(items))}
    return [once[k] for k in sorted(once)]


def plain(v: Any) -> Any:
    """A value as JSON, objects by their identifier."""
    if isinstance(v, Obj):
        return [v.typename, v.identifier]
    if isinstance(v, EnumName):
        return v.name
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    return str(v) if isinstance(v, PurePosixPath) else v


# ------------------ a run


def json_lines(path: Path) -> Iterator[Any]:
    """The lines of a file that can be read: a cut or broken one is left out."""
    for line in path.read_bytes().split(b"\n") if path.is_file() else []:
        try:
            if line.strip():
                yield json.loads(line)
        except ValueError:
            continue


def json_file(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


@dataclass
class Row:
    """A job of a run, as the table shows it."""

    job_id: str
    task_id: str
    tags: dict[str, Any]
    submitted: float | None
    config: Obj | None = None
    depends_on: list[str] | None = None


class Run:
    """A run directory, of any version: `rows` in the table's order, `jobs` in experimaestro's."""

    def __init__(self, path: Path, workspace: Path, *, move: bool = True) -> None:
        self.path, self.workspace = path, workspace
        layout_1 = path.parent.name == "xp"
        self.experiment, self.run_id = (path.name, "v1") if layout_1 else (path.parent.name, path.name)
        state = json_file(path / "state.json")
        self.state = state if isinstance(state, dict) and "data" in state else None
        self.rows = self.read_rows()
        self.params = {r.job_id: self.params_json(r) for r in self.rows}
        self.roots = self.recorded_roots() if move else []
        self.jobs = self.read_jobs()
        for row in self.rows:
            row.config = self.jobs.get(row.job_id)
            if row.config is not None and row.depends_on is None:
                ids = {r.job_id for r in self.rows}
                row.depends_on = Graph([], str).dependencies(row.config, ids)

    def read_rows(self) -> list[Row]:
        if (self.path / "jobs.jsonl").exists():
            lines = [x for x in json_lines(self.path / "jobs.jsonl") if isinstance(x, dict) and "job_id" in x]
            last = {x["job_id"]: x for x in lines}
            return [
                Row(x["job_id"], x["task_id"], x.get("tags", {}), x.get("timestamp")) for x in last.values()
            ]
        if self.state:
            return [
                Row(d["id"], Path(d["path"]).parent.name, d.get("tags", {}), None, None, d.get("depends_on"))
                for d in self.state["data"]
            ]
        links = [p for d in ("jobs", "jobs.bak") for p in self.path.glob(f"{d}/*/*")]
        found = sorted({(p.parent.name, p.name) for p in links})
        rows = [Row(job_id, task_id, {}, None) for task_id, job_id in found]
        for row in rows:
            row.tags = (self.params_json(row) or {}).get("tags", {})
        return rows

    def job_dir(self, row: Row) -> Path:
        return self.workspace / "jobs" / row.task_id / row.job_id

    def params_json(self, row: Row) -> Any:
        found = json_file(self.job_dir(row) / "params.json")
        return found if isinstance(found, dict) and found.get("objects") else None

    def recorded_roots(self) -> list[str]:
        """Where the workspace was when the files were written."""
        found = {str(p["workspace"]) for p in self.params.values() if p}
        for link in self.path.glob("jobs/*/*"):
            if link.is_symlink():
                found.add(str(link.readlink().parents[2]))
        for row in self.rows:
            status = json_file(self.job_dir(row) / ".experimaestro" / "status.json") or {}
            if "path" in status:
                found.add(str(Path(status["path"]).parents[2]))
        return sorted(found - {str(self.workspace)})

    def moved(self, path: str) -> str:
        for root in self.roots:
            if path == root or path.startswith(root + "/"):
                return str(self.workspace) + path[len(root) :]
        return path

    def graph_of_params(self, row: Row) -> Graph | None:
        params = self.params[row.job_id]
        if params is None:
            return None
        graph = Graph(params["objects"], self.moved, self.job_dir(row))
        graph.workspace = self.workspace
        return graph

    def read_jobs(self) -> dict[str, Obj]:
        self.graph: Graph | None = None
        # jobs whose objects.jsonl names other objects than their params.json
        self.misled: dict[str, Graph] = {}
        roots: dict[str, int] = {}
        ids = {r.job_id for r in self.rows}
        self.actions: dict[str, Obj] = {}
        configs = json_file(self.path / "configs.json")
        if (self.path / "objects.jsonl").exists():
            lines = [o for o in json_lines(self.path / "objects.jsonl") if isinstance(o, dict) and "id" in o]
            self.graph = Graph(lines, self.moved)
            last = {identifier(o): o["id"] for o in lines}
            roots = {k: i for k, i in last.items() if k in ids}
        elif configs or self.state:
            container: dict[str, Any] = configs or self.state or {}
            self.graph = Graph(container["objects"], self.moved)
            pairs = configs["data"].items() if configs else ((d["id"], d["task"]) for d in container["data"])
            roots = {k: ref["value"] for k, ref in pairs}
        if self.graph:
            for row in self.rows:
                params = self.graph_of_params(row)
                root = next(reversed(params.raw.values())) if params else None
                if params and root and identifier(root) == row.job_id and roots.get(row.job_id) == root["id"]:
                    known = self.graph.raw
                    if any(i in known and differ(known[i], o) for i, o in params.raw.items()):
                        self.misled[row.job_id] = params
                    else:
                        self.graph.elsewhere.append(params)
        jobs = {k: o for k, i in roots.items() if self.graph and isinstance(o := self.graph.obj(i), Obj)}
        for job_id, params in self.misled.items():
            job = params.obj(next(reversed(params.raw)))
            if isinstance(job, Obj):
                jobs[job_id] = job
        for row in self.rows:
            if row.job_id not in jobs and (params := self.graph_of_params(row)):
                job = params.obj(next(reversed(params.raw)))
                if isinstance(job, Obj):
                    jobs[row.job_id] = job
        return jobs

    def action(self, action_id: str) -> Obj | None:
        """The last object of that identifier in objects.jsonl."""
        raw = self.graph.raw.values() if self.graph else []
        found = [o["id"] for o in raw if identifier(o) == action_id]
        action = self.graph.obj(found[-1]) if self.graph and found else None
        return action if isinstance(action, Obj) else None

    def saved(self, name: str) -> Any:
        """What `xp.save(…, name)` saved."""
        directory = self.path / "data" / name
        content = json_file(directory / "experimaestro.json") or json_file(directory / "definition.json")
        graph = Graph(content["objects"], self.moved)
        graph.data_dir = directory
        return graph.value(content["data"])

    def marker(self, row: Row) -> tuple[str, str | None] | None:
        """State and failure where a marker file says them."""
        name = row.task_id.rsplit(".", 1)[-1]
        if (self.job_dir(row) / f"{name}.done").exists():
            return "done", None
        failed = self.job_dir(row) / f"{name}.failed"
        if failed.exists():
            content = json_file(failed)
            if content == 0:
                return "done", None
            reason = (
                content.get("reason") or content.get("failure_status") if isinstance(content, dict) else None
            )
            return "error", (reason or "failed").upper()
        return None


def runs_of(workspace: Path, *, move: bool = True) -> list[Run]:
    """Every run of a workspace, of both layouts."""
    two = [p for p in workspace.glob("experiments/*/*") if p.is_dir() and not p.is_symlink()]
    one = [p for p in workspace.glob("xp/*") if p.is_dir()]
    return [Run(p, workspace, move=move) for p in sorted(two + one)]
