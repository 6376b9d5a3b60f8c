"""Random runs, written as experimaestro 2.7.0 writes them: compact lines, children first."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

EDGES = [
    2**53,
    2**53 + 1,
    -(2**53) - 1,
    2**63 - 1,
    2**63,
    -(2**63),
    -(2**63) - 1,
    2**64 - 1,
    2**64,
    10**38,
    10**60,
]
FLOATS = [
    float("nan"),
    float("inf"),
    float("-inf"),
    -0.0,
    0.0,
    5e-324,
    1.7976931348623157e308,
    1.0,
    2.0**53,
    0.1,
]
TEXTS = [
    "",
    "a",
    "lone \ud800 surrogate",
    "\udc80",
    "\ud83d\ude00",
    "é世",
    "\x00",
    "\u2028\n\x0b",
    "NaN",
    "\\ud800",
    "/p",
]
KEYS = ["type", "value", "a", "b", "int", "a.b", "x@int", "back\\slash", "", "*", "é"]
FIELDS = ["lr", "model", "name", "x", "steps"]
CLASSES = ["Model", "Train", "Outer.Inner"]
AGAIN = "again\x01"  # written as a second key "a"
BASE_ID = 140_000_000_000_000


def evenly(*choices: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One of some strategies, each as likely as the other however many alternatives it has itself."""
    return st.sampled_from(choices).flatmap(lambda choice: choice)


ints = st.one_of(st.integers(-3, 3), st.sampled_from(EDGES), st.integers())
floats = st.one_of(st.sampled_from(FLOATS), st.floats())
texts = st.one_of(st.sampled_from(TEXTS), st.text(max_size=5))
scalars = st.one_of(st.none(), st.booleans(), ints, floats, texts)
paths = st.sampled_from(
    ["/data/x", "relative/x", ".", "/", "/gone/ws/jobs/t/1/out", "/gone/ws2/x", "/u\udcff"]
)
same_kind = st.one_of(st.lists(ints, max_size=3), st.lists(floats, max_size=3), st.lists(texts, max_size=3))

enums = st.builds(
    lambda module, name: {"type": "enum", "module": module, "enum": "Opt", "value": name},
    st.sampled_from("mn"),
    st.sampled_from(["SGD", "ADAM"]),
)


def encoded() -> st.SearchStrategy[Any]:
    """Values with an encoding of their own, and dictionaries that only look like one."""
    sets = st.sets(st.one_of(st.integers(-3, 3), st.sampled_from(["a", "b", "é"])), max_size=4)
    return st.one_of(
        paths.map(lambda p: {"type": "path", "value": p}),
        paths.map(lambda p: {"type": "path.serialized", "value": p, "is_folder": False}),
        enums,
        sets.map(lambda s: {"type": "set", "items": list(s)}),
        scalars.map(lambda v: {"type": "adam", "lr": v}),
        st.sampled_from(
            [
                {"type": "path", "value": 3},
                {"type": "path", "value": "/x", "more": 1},
                {"type": "python", "value": "12"},
                {"type": "python", "value": True},
                {"type": "set", "items": None},
                {"type": "enum", "value": "SGD"},
                {"type": "path.serialized", "value": "/x", "is_folder": 0},
                {"type": None},
            ]
        ),
    )


def values(references: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What a field may hold, as JSON."""
    leaves = evenly(scalars, encoded(), references)
    deeper = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*KEYS, AGAIN]), inner, max_size=3)
        ),
        max_leaves=6,
    )
    return evenly(scalars, references, same_kind, encoded(), deeper)


@dataclass
class RandomRun:
    """The JSON of a run: what each file is to hold."""

    objects: list[dict[str, Any]]
    jobs: list[dict[str, Any]]
    lost: set[int] = field(default_factory=set)  # objects whose line was never written
    params: bool = False  # whether each job has its params.json
    cut: int = 0  # bytes missing at the end of objects.jsonl

    def write(self, workspace: Path) -> Path:
        """Writes the run into a new workspace; gives the run directory."""
        run = workspace / "experiments" / "random" / "20260101_000000"
        run.mkdir(parents=True)
        (workspace / ".__experimaestro__").touch()
        lines = [compact(o) + "\n" for o in self.objects if o["id"] not in self.lost]
        content = "".join(lines).encode()
        if lines and self.cut:
            content = content[: -min(self.cut, len(lines[-1]) - 1)]
        (run / "objects.jsonl").write_bytes(content)
        (run / "jobs.jsonl").write_text("".join(json.dumps(j) + "\n" for j in self.jobs))
        status = {
            "version": 1,
            "experiment_id": "random",
            "run_id": run.name,
            "status": "done",
            "actions": {},
        }
        (run / "status.json").write_text(json.dumps(status))
        for job in self.jobs if self.params else []:
            self.write_params(workspace, job)
        return run

    def write_params(self, workspace: Path, job: dict[str, Any]) -> None:
        """The closure of a job's object, the job last: complete even where objects.jsonl is not."""
        roots = [o for o in self.objects if o["identifier"] == job["job_id"]]
        if not roots:
            return
        by_id = {o["id"]: o for o in self.objects}
        needed, found = {}, [roots[-1]["id"]]
        while found:
            if (i := found.pop()) in by_id and i not in needed:
                needed[i] = by_id[i]
                found += [*references(by_id[i]["fields"]), *[by_id[i][k] for k in ("task",) if k in by_id[i]]]
        objects = [o for o in self.objects if o["id"] in needed and o is not roots[-1]] + [roots[-1]]
        path = workspace / "jobs" / job["task_id"] / job["job_id"]
        path.mkdir(parents=True, exist_ok=True)
        content = {"workspace": "/gone/ws", "version": 3, "objects": objects}
        (path / "params.json").write_text(json.dumps(content).replace(json.dumps(AGAIN), '"a"'))


def compact(o: Any) -> str:
    return json.dumps(o, separators=(",", ":")).replace(json.dumps(AGAIN), '"a"')


def references(v: Any) -> list[int]:
    """The ids that a value refers to."""
    if isinstance(v, list):
        return [i for x in v for i in references(x)]
    if not isinstance(v, dict):
        return []
    if v.keys() == {"type", "value"} and v["type"] == "python" and type(v["value"]) is int:
        return [v["value"]]
    return [i for x in v.values() for i in references(x)]


def digest(n: int) -> str:
    return hashlib.sha256(str(n).encode()).hexdigest()


# dicts of two keys, not always the same two
pairs = st.dictionaries(st.sampled_from(KEYS[2:5]), ints, min_size=2, max_size=2)


@st.composite
def runs(draw: st.DrawFn) -> RandomRun:
    """A run of a few jobs over a few objects that they share."""
    objects: list[dict[str, Any]] = []
    jobs: dict[str, dict[str, Any]] = {}
    referred: set[int] = set()
    sweep = draw(st.booleans())
    tidy = {
        f: draw(
            st.sampled_from([*[None] * (0 if sweep else 3), ints, floats, texts, enums, paths, st.booleans()])
        )
        for f in FIELDS
    }
    for n in range(draw(st.integers(1, 12))):
        known = [o["id"] for o in objects]
        refer = st.sampled_from([*known[-3:], BASE_ID - 16]).map(lambda i: {"type": "python", "value": i})
        wild = values(refer if known else st.none())
        names = draw(st.lists(st.sampled_from(FIELDS), unique=True, max_size=4))
        fields = {f: draw(wild if tidy[f] is None else tidy[f]) for f in names}
        task = draw(st.sampled_from(CLASSES))
        if objects and sweep:
            # the same class and fields as the last object, of which few change
            task, fields = objects[-1]["type"], {**objects[-1]["fields"], "x": draw(pairs)}
            if draw(st.integers(0, 9)) == 0:
                fields[draw(st.sampled_from([*fields]))] = draw(wild)
        referred.update(references(fields))
        is_job = draw(st.booleans()) or n == 0 or sweep
        identity = draw(st.sampled_from([n, n, n, 0])) if is_job else 1_000 + draw(st.integers(0, 2))
        name = f"lab.{task}"
        o: dict[str, Any] = {
            "id": BASE_ID + 16 * n,
            "module": "lab",
            "type": task,
            "typename": name,
            "identifier": digest(identity),
        }
        if known and not sweep and draw(st.integers(0, 4)) == 0:
            o["task"] = draw(st.sampled_from(known))
            referred.add(o["task"])
        if sweep and draw(st.booleans()):
            # its own, or that of the last object
            o["task"] = draw(st.sampled_from([o["id"], (objects or [o])[-1].get("task", o["id"])]))
            referred.add(o["task"])
        if draw(st.integers(0, 9)) == 0:
            o["meta"] = True
        objects.append({**o, "fields": fields})
        if is_job:
            tags = draw(
                st.dictionaries(st.sampled_from(["lr", "note"]), st.one_of(scalars, same_kind), max_size=2)
            )
            row: dict[str, Any] = {
                "job_id": digest(identity),
                "task_id": name.lower(),
                "tags": tags,
                "timestamp": 1.5e9 + n,
            }
            jobs.setdefault(row["job_id"], row)
    job_ids = set(jobs)
    free = [o["id"] for o in objects if o["identifier"] not in job_ids or o["id"] not in referred]
    unique = [
        i
        for i in free
        if sum(o["identifier"] == objects[(i - BASE_ID) // 16]["identifier"] for o in objects) == 1
    ]
    lost = set(draw(st.lists(st.sampled_from(unique), max_size=1))) if unique else set()
    last_may_be_cut = objects[-1]["id"] in unique
    cut = draw(st.sampled_from([0, 0, 1, 2, 20])) if last_may_be_cut else draw(st.sampled_from([0, 1]))
    return RandomRun(objects, list(jobs.values()), lost, draw(st.booleans()), cut)
