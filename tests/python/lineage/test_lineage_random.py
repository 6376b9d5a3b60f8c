"""Lineage of random workspaces: every cell equals what a slow reader finds."""

from __future__ import annotations

import hashlib
import json
import random
import warnings
from pathlib import Path
from typing import Any

import pytest

import xpframe
from lineage_witness import SEVERAL, Job, World
from witness import Obj, Run, runs_of
from xpframe.errors import ColumnError, XpFrameWarning

TASKS = ("lab.a", "lab.b", "other.c")
SEEDS = range(120)


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


class Writer:
    """Writes jobs and what they need as objects of one run, children first."""

    def __init__(self, rng: random.Random, jobs: list[dict[str, Any]], listed: set[int]) -> None:
        self.rng, self.jobs, self.listed = rng, jobs, listed
        self.lines: list[dict[str, Any]] = []
        self.ids: dict[str, int] = {}

    def write(self, name: str, typename: str, fields: dict[str, Any], **more: Any) -> int:
        if name not in self.ids:
            self.ids[name] = 140_000_000_000_000 + 16 * len(self.lines)
            module, _, kind = typename.rpartition(".")
            head = {"id": self.ids[name], "module": module, "type": kind, "typename": typename}
            self.lines.append({**head, "identifier": digest(name), **more, "fields": fields})
        return self.ids[name]

    def job(self, number: int) -> int:
        job = self.jobs[number]
        name = f"job {number}"
        if name in self.ids:
            return self.ids[name]
        if number not in self.listed and job["stub"]:
            identity = self.write(name, job["typename"], {})
            self.lines[-1]["stub"] = True
            return identity
        fields: dict[str, Any] = {"x": job["x"]}
        for key, (how, needed) in job["needs"].items():
            if key != "init":
                fields[key] = self.need(how, needed)
        more: dict[str, Any] = {}
        if "init" in job["needs"]:
            loader = f"loader {number}"
            value = self.need("output", job["needs"]["init"][1])
            more["init-tasks"] = [self.write(loader, "lab.Loader", {"value": value})]
        return self.write(name, job["typename"], fields, **more)

    def need(self, how: str, needed: Any) -> Any:
        if how == "list":
            return [self.need("output", number) for number in needed]
        if how == "dict":
            return {"k.1": self.need("output", needed)}
        job = self.job(needed)
        if how == "itself":
            return {"type": "python", "value": job}
        output = self.write(f"output {needed}", "lab.Output", {"note": "n"}, task=job)
        if how == "wrapped":
            output = self.write(
                f"wrapper {needed}", "lab.Wrapper", {"inner": {"type": "python", "value": output}}
            )
        return {"type": "python", "value": output}


def make(seed: int, root: Path) -> Path:
    """A workspace of two experiments with some runs, whose jobs come from one another."""
    rng = random.Random(seed)
    jobs: list[dict[str, Any]] = []
    for number in range(rng.randint(2, 14)):
        task = rng.choice(TASKS)
        needs: dict[str, Any] = {}
        earlier = range(number)
        for key in ("data", "init", "more", "many"):
            if number and rng.random() < 0.45:
                if key == "many":
                    needs[key] = ("list", rng.sample(earlier, min(number, 2)))
                else:
                    how = "output" if key == "init" else rng.choice(["output", "wrapped", "itself", "dict"])
                    needs[key] = ("output" if key == "data" else how, rng.choice(earlier[-4:]))
        typename = f"{task.rpartition('.')[0]}.{task.rpartition('.')[2].upper()}"
        described = {"task": task, "typename": typename, "x": number, "needs": needs}
        jobs.append({**described, "stub": rng.random() < 0.4})
    root.mkdir(parents=True)
    (root / ".__experimaestro__").touch()
    for number in range(rng.randint(1, 3)):
        listed = {job for job in range(len(jobs)) if rng.random() < rng.choice([0.4, 0.8, 1.0])} or {0}
        run = root / "experiments" / rng.choice(["one", "two"]) / f"2026010{number + 1}_000000"
        run.mkdir(parents=True)
        writer = Writer(rng, jobs, listed)
        for job in sorted(listed):
            writer.job(job)
        lines = [json.dumps(line, separators=(",", ":")) + "\n" for line in writer.lines]
        (run / "objects.jsonl").write_text("".join(lines))
        rows = [
            {"job_id": digest(f"job {job}"), "task_id": jobs[job]["task"], "tags": {"t": 100 * number + job}}
            for job in sorted(listed)
        ]
        (run / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return root


def place(job: Job, *keys: str) -> Any:
    value: Any = job.obj
    for key in keys:
        value = value.fields.get(key) if isinstance(value, Obj) else None
    return value


def value_of(job: Job | str | None, column: str) -> Any:
    """A cell of the row of a job."""
    if job is None or isinstance(job, str):
        return None
    if column == "job_id":
        return job.row.job_id if job.row else None
    if column == "tags.t":
        return job.row.tags["t"] if job.row else None
    return job.obj.fields.get("x")


def step(world: World, job: Job | str | None, name: str) -> Job | str | None:
    if job is None or isinstance(job, str):
        return job
    if name.startswith("up."):
        task = name.removeprefix("up.")
        return world.nearest(job, lambda task_id: task_id.rpartition(".")[2] == task)
    value = place(job, *name.removesuffix("@job").split(".")[1:])
    return world.producer(job.run, value) if isinstance(value, Obj) else None


STEPS = [
    ["up.a"],
    ["up.b"],
    ["up.c"],
    ["up.a", "up.b"],
    ["config.data@job"],
    ["config.more@job", "up.a"],
    ["config.data@job", "config.data@job"],
    ["up.b", "config.data@job"],
    ["config.more.inner@job"],
]


def read(run: Run, name: str) -> xpframe.Table | None:
    """The ids of the jobs of a run and a column; None if there is no such column, or only ambiguous rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XpFrameWarning)
        try:
            return xpframe.xp_table(run.path, columns=["job_id", name])
        except ColumnError:
            return None


def check(run: Run, world: World) -> int:
    """Compares the columns of all steps with the witness; returns the number of filled cells."""
    filled = 0
    jobs = {job.job_id: job for job in world.rows(run)}
    for steps in STEPS:
        ends: dict[str, Job | str | None] = dict(jobs)
        for name in steps:
            ends = {job_id: step(world, end, name) for job_id, end in ends.items()}
        for column in ("job_id", "tags.t", "config.x"):
            name = ".".join([*steps, column])
            table = read(run, name)
            if table is None:
                found = [end for end in ends.values() if end is not None]
                assert all(end == SEVERAL for end in found), name
                continue
            rows = dict(zip(table.column_values("job_id"), table.column_values(name), strict=True))
            assert rows == {job_id: value_of(end, column) for job_id, end in ends.items()}, name
            near = [error for error in table.errors if "equally near" in str(error)]
            assert len(near) == sum(end == SEVERAL for end in ends.values()), name
            filled += sum(value is not None for value in rows.values())
    return filled


@pytest.mark.parametrize("seed", SEEDS)
def test_every_cell(seed: int, tmp_path: Path) -> None:
    """Each step of each run of a random workspace leads to the job that the witness finds."""
    root = make(seed, tmp_path / "ws")
    runs = runs_of(root, move=False)
    for run in runs:
        check(run, World(runs, run))


def test_random_workspaces_say_something(tmp_path: Path) -> None:
    """The random workspaces have lineage to find, ambiguous jobs, and stubs of jobs of other runs."""
    filled = stubs = several = 0
    for seed in SEEDS[:40]:
        runs = runs_of(make(seed, tmp_path / str(seed)), move=False)
        for run in runs:
            world = World(runs, run)
            for job in world.rows(run):
                for task in "abc":
                    end = step(world, job, f"up.{task}")
                    filled += isinstance(end, Job)
                    several += end == SEVERAL
                    stubs += isinstance(end, Job) and end.run is not run
    assert filled > 200
    assert several > 20
    assert stubs > 10


def test_lazy_equals_eager(tmp_path: Path) -> None:
    """A lazy query over all runs gives the same columns, also where runs are forgotten in between."""
    pl = pytest.importorskip("polars")
    for seed in SEEDS[:20]:
        root = make(seed, tmp_path / str(seed))
        options: dict[str, Any] = {"workspace": root, "run": "all", "columns": ["job_id", "up.a.config.x"]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", XpFrameWarning)
            try:
                eager = xpframe.xp_frame("*", backend="polars", **options)
            except ColumnError:
                continue
            for keep in (0, 1 << 30):
                lazy = xpframe.scan_xp("*", keep_bytes=keep, **options)
                assert lazy.collect().equals(eager)
                some = lazy.filter(pl.col("job_id") == eager["job_id"][-1]).collect()
                assert some.equals(eager.filter(pl.col("job_id") == eager["job_id"][-1]))
