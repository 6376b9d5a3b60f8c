"""Random workspaces in which a column is rarely of one type, and rarely everywhere."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from random_runs import BASE_ID, digest

NAMES = ["lr", "learning_rate", "size", "kind", "flag", "layers", "options", "blocks", "path", "nothing"]
TAGS = ["lr", "name", "a.b", "seed"]
KEYS = ["loss", "acc", "eval", "note", "nothing"]


def enum(name: str, kind: str = "Optimizer") -> dict[str, str]:
    return {"type": "enum", "module": "lab", "enum": kind, "value": name}


def value_of(random: Random, kind: str) -> Any:
    """A value of a field of a kind; some are null."""
    if random.random() < 0.2:
        return None
    number = random.randrange(-3, 9)
    choices: dict[str, Any] = {
        "null": None,
        "bool": number % 2 == 0,
        "int": number,
        "big": 2**63 + abs(number),
        "huge": 10**30 + number,
        "digits": 10**50 + number,
        "edge": 2**53 + 1,
        "float": random.choice([number / 8, float("nan"), float("inf"), -0.0]),
        "text": random.choice(
            ["", "a", "é世", "NaN", "a text that is longer than twelve bytes", str(number)]
        ),
        "enum": enum(random.choice(["SGD", "ADAM", "LION"])),
        "other enum": enum(random.choice(["SGD", "FAST"]), "Mode"),
        "ints": [number] * random.randrange(3),
        "floats": [number / 8, 1.0],
        "texts": ["x", str(number)][: random.randrange(3)],
        "enums": [enum("SGD")],
        "mixed": random.choice([[1, "a"], [1.5, None], []]),
        "lists": [[number], []],
        "dict": {"x": number, "a.b": str(number)},
        "dicts": [{"width": number}, {"width": number / 2, "mode": "x"}],
        "path": {"type": "path", "value": f"/data/{number}"},
        "set": {"type": "set", "items": [number]},
    }
    return choices[kind]


KINDS = [
    "null",
    "bool",
    "int",
    "big",
    "huge",
    "digits",
    "edge",
    "float",
    "text",
    "enum",
    "other enum",
    "ints",
    "floats",
    "texts",
    "enums",
    "mixed",
    "lists",
    "dict",
    "dicts",
    "path",
    "set",
]
TAG_KINDS = ["null", "bool", "int", "big", "float", "text", "edge", "digits"]


def write_world(root: Path, seed: int) -> list[str]:
    """Writes some experiments of some runs; gives the names of the experiments."""
    random = Random(seed)
    (root / ".__experimaestro__").parent.mkdir(parents=True, exist_ok=True)
    (root / ".__experimaestro__").touch()
    names = [f"xp-{number}" for number in range(random.randrange(1, 4))]
    numbers = [*range(12)]
    for experiment in names:
        for run in range(random.randrange(1, 4)):
            # a run has fields of its own kinds, and jobs that others list too
            jobs = [] if random.random() < 0.15 else sorted(random.sample(numbers, random.randrange(1, 9)))
            write_run(random, root, experiment, f"2026010{run + 1}_000000", jobs)
    write_directories(random, root, numbers)
    return names


def write_run(random: Random, root: Path, experiment: str, run_id: str, jobs: list[int]) -> None:
    """A run of learning jobs, and of jobs that evaluate what those learned."""
    fields = {name: random.sample(KINDS, random.choice([1, 1, 1, 2, 3])) for name in NAMES}
    present = random.sample(NAMES, random.randrange(2, len(NAMES) + 1))
    tags = {name: random.choice(TAG_KINDS) for name in random.sample(TAGS, random.randrange(len(TAGS) + 1))}
    objects: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []

    def add(cls: str, identifier: str, values: dict[str, Any], **more: Any) -> dict[str, Any]:
        identity = BASE_ID + 16 * len(objects)
        head = {"id": identity, "module": "lab", "type": cls, "typename": f"lab.{cls}"}
        objects.append({**head, "identifier": identifier, **more, "fields": values})
        return {"type": "python", "value": identity}

    learned = None
    for number in jobs:
        values = {name: value_of(random, random.choice(fields[name])) for name in present}
        if random.random() < 0.5:
            model = {"width": value_of(random, random.choice(["int", "float"])), "name": "m"}
            values["model"] = add(random.choice(["Model", "Deep"]), digest(100 + number % 3), model)
        # every third job evaluates; its number says so in all runs
        cls = "Evaluate" if number % 3 == 2 else "Learn"
        if cls == "Evaluate" and learned is not None:
            values["trained"] = learned
        path = {"type": "path", "value": f"{root}/jobs/lab.learn/{digest(number)}/metrics.json"}
        job = add(cls, digest(number), {**values, "out": path} if cls == "Learn" else values)
        if cls == "Learn":
            learned = add("Trained", digest(200 + number), {"path": path}, task=job["value"])
        own = {name: value_of(random, kind) for name, kind in tags.items() if random.random() < 0.8}
        task = f"lab.{cls.lower()}"
        rows.append({"job_id": digest(number), "task_id": task, "tags": own, "timestamp": 1.5e9 + number})
    run = root / "experiments" / experiment / run_id
    run.mkdir(parents=True)
    (run / "objects.jsonl").write_text("".join(json.dumps(line) + "\n" for line in objects))
    (run / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (run / "status.json").write_text(json.dumps({"version": 1, "status": "done", "run_id": run_id}))


def write_directories(random: Random, root: Path, numbers: list[int]) -> None:
    """Directories of most jobs, with results of several kinds and shapes."""
    kinds = {key: random.sample(["null", "bool", "int", "big", "float", "text", "ints"], 2) for key in KEYS}
    for number in numbers:
        task = "evaluate" if number % 3 == 2 else "learn"
        directory = root / "jobs" / f"lab.{task}" / digest(number)
        if random.random() < 0.2:
            continue
        directory.mkdir(parents=True)
        (directory / f"{task}.{random.choice(['done', 'done', 'failed'])}").touch()
        found: dict[str, Any] = {
            key: value_of(random, random.choice(kinds[key])) for key in KEYS if random.random() < 0.7
        }
        if random.random() < 0.5:
            found["eval"] = {"f1": number, "deep": {"x": 1.5}}
        if random.random() < 0.8:
            (directory / "metrics.json").write_text(random.choice([json.dumps(found), json.dumps(found), ""]))
        lines = [{**found, "step": step} for step in range(random.randrange(4))]
        if random.random() < 0.8:
            (directory / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        header = random.sample(["epoch", "loss", "note"], random.randrange(1, 4))
        cells = [",".join(random.choice(["1", "2.5", "x", "", "nan"]) for _ in header) for _ in range(2)]
        if random.random() < 0.8:
            text = "\n".join([",".join(header), *cells[: random.randrange(3)]])
            (directory / "rows.csv").write_text(text + "\n")
