"""Runs whose writer gave ids to two objects: a driver played with an allocator of its own.

The writer remembers the ids that it wrote for the whole run. What an action held alone is freed when an
equal action takes its place; a new object at its address is taken for written, so objects.jsonl leads to the
old one.
What a job held that could not be written is marked as written too, though no line has it. Each params.json is
written afresh, so it tells what ran.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from random_runs import compact

if TYPE_CHECKING:
    from pathlib import Path

BASE_ID = 140_000_000_000_000


@dataclass(eq=False)
class Made:
    """A config of the driver: it lives as long as something that is kept holds it."""

    id: int
    cls: str
    n: int
    held: list[Made] = field(default_factory=list)
    task: Made | None = None

    @property
    def identifier(self) -> str:
        text = f"{self.cls} {self.n} {[x.identifier for x in self.below()]}"
        return hashlib.sha256(text.encode()).hexdigest()

    def below(self) -> list[Made]:
        return [*self.held, *([self.task] if self.task else [])]

    def everything(self) -> list[Made]:
        """All that it holds, children first, and itself: the order of writing."""
        found: dict[Made, None] = {}
        for x in self.below():
            found.update(dict.fromkeys(x.everything()))
        return [*found, self]

    def definition(self) -> dict[str, Any]:
        task = {"task": self.task.id} if self.task else {}
        held = {f"held{i}": {"type": "python", "value": x.id} for i, x in enumerate(self.held)}
        names = {"id": self.id, "module": "lab", "type": self.cls, "typename": f"lab.{self.cls}"}
        return {**names, "identifier": self.identifier, **task, "fields": {"n": self.n, **held}}


@dataclass
class Driver:
    """A driver that submits jobs and adds actions, with the addresses that are free again, latest last."""

    free: list[int] = field(default_factory=list)
    marked: set[int] = field(default_factory=set)
    written: dict[int, dict[str, Any]] = field(default_factory=dict)
    jobs: list[Made] = field(default_factory=list)
    lost: list[Made] = field(default_factory=list)
    submitted: list[str] = field(default_factory=list)
    actions: dict[str, Made] = field(default_factory=dict)
    made: int = 0

    def make(self, cls: str, n: int, *held: Made, task: Made | None = None) -> Made:
        """A new config, where the latest freed one was if there is such a place."""
        self.made += 1
        at = self.free.pop() if self.free else BASE_ID + 16 * self.made
        return Made(at, cls, n, list(held), task)

    def submit(self, job: Made) -> None:
        """A job that is written, and kept by the scheduler."""
        self.jobs.append(job)
        self.submitted.append(job.identifier)
        self.write(job)

    def lose(self, job: Made) -> None:
        """A job whose last field cannot be written: it has no line, nor has what it brought."""
        self.submitted.append(job.identifier)
        self.lost.append(job)
        if job.id not in self.marked:
            self.marked.update(x.id for below in job.below() for x in below.everything())

    def act(self, action: Made) -> None:
        """Adds an action, in the place of an equal one."""
        self.write(action)
        before = self.actions.get(action.identifier)
        self.actions[action.identifier] = action
        if before:
            kept = self.kept()
            self.free += [gone.id for gone in before.everything() if gone not in kept]

    def write(self, x: Made) -> None:
        if x.id in self.marked:
            return
        self.marked.add(x.id)
        for below in x.below():
            self.write(below)
        self.written[x.id] = x.definition()

    def kept(self) -> list[Made]:
        roots = (*self.jobs, *self.lost, *self.actions.values())
        return [x for root in roots for x in root.everything()]

    def misled(self) -> list[str]:
        """The jobs whose objects.jsonl says something else than what ran."""

        def wrong(job: Made) -> bool:
            there = [(x, self.written.get(x.id)) for x in job.everything()]
            return any(line is not None and line["identifier"] != x.identifier for x, line in there)

        return [job.identifier for job in self.jobs if wrong(job) and self.is_written(job)]

    def aliased(self) -> set[str]:
        """The jobs that hold an object in the place of a freed one that was just like it, but held others.

        Their values are right by any file, but not which of them are shared.
        """

        def alias(x: Made) -> bool:
            line = self.written.get(x.id, {})
            return line.get("identifier") == x.identifier and line != x.definition()

        return {job.identifier for job in self.jobs if any(alias(x) for x in job.everything())}

    def is_written(self, job: Made) -> bool:
        return self.written.get(job.id, {}).get("identifier") == job.identifier

    def save(self, workspace: Path) -> Path:
        """Writes all of it into a new workspace; gives the run directory."""
        run = workspace / "experiments" / "reused" / "20260101_000000"
        run.mkdir(parents=True)
        (workspace / ".__experimaestro__").touch()
        (run / "objects.jsonl").write_text("".join(compact(o) + "\n" for o in self.written.values()))
        task_ids = {job.identifier: f"lab.{job.cls.lower()}" for job in (*self.jobs, *self.lost)}
        rows = [
            {"job_id": job_id, "task_id": task_ids[job_id], "tags": {}, "timestamp": 1.5e9}
            for job_id in dict.fromkeys(self.submitted)
        ]
        (run / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        actions = {
            action_id: {"action_id": action_id, "description": "", "class": f"lab.{a.cls}"}
            for action_id, a in self.actions.items()
        }
        (run / "status.json").write_text(json.dumps({"version": 1, "status": "done", "actions": actions}))
        for job in self.jobs:
            path = workspace / "jobs" / task_ids[job.identifier] / job.identifier
            path.mkdir(parents=True, exist_ok=True)
            objects = [x.definition() for x in job.everything()]
            params = {"workspace": str(workspace), "version": 3, "objects": objects}
            (path / "params.json").write_text(json.dumps(params))
        return run


@st.composite
def drivers(draw: st.DrawFn) -> Driver:
    """A driver that did some things in some order."""
    driver = Driver()
    number = st.integers(0, 2)

    def config(depth: int) -> Made:
        known = [x for x in driver.kept() if x.cls in ("Leaf", "Branch")]
        if known and draw(st.integers(0, 3)) == 0:
            return draw(st.sampled_from(known))
        held = [config(depth - 1) for _ in range(draw(st.integers(0, 2)))] if depth else []
        producer = draw(st.sampled_from([None, None, None, *driver.jobs]))
        return driver.make("Branch" if held else "Leaf", draw(number), *held, task=producer)

    for n in range(draw(st.integers(2, 8))):
        held = [config(1) for _ in range(draw(st.integers(0, 2)))]
        if driver.jobs and draw(st.integers(0, 4)) == 0:
            held.append(draw(st.sampled_from(driver.jobs)))
        match draw(st.sampled_from(["job", "job", "action", "lost"])):
            case "job":
                driver.submit(driver.make("Train", n, *held))
            case "lost":
                driver.lose(driver.make("Odd", n, *held))
            case "action":
                driver.act(driver.make("Export", draw(number), *held))
                for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
                    again = [
                        x if x in driver.jobs else driver.make(x.cls, x.n, *x.held, task=x.task) for x in held
                    ]
                    action = next(reversed(driver.actions.values()))
                    driver.act(driver.make("Export", action.n, *again))
    if not driver.jobs:
        driver.submit(driver.make("Train", 99))
    return driver
