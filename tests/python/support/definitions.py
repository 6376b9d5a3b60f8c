"""Runs of a few objects, defined one by one as objects.jsonl holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import load
from random_runs import RandomRun

JOB = "a" * 64


def thing(number: int, name: str, identity: str, /, **values: Any) -> dict[str, Any]:
    """An object definition as objects.jsonl holds it."""
    return {
        "id": 100 + number,
        "module": "lab",
        "type": name,
        "typename": f"lab.{name}",
        "identifier": identity,
        "fields": values,
    }


def refer(number: int) -> dict[str, Any]:
    return {"type": "python", "value": 100 + number}


def write(workspace: Path, *objects: dict[str, Any]) -> Path:
    """A run of these objects; those whose identifier has 64 digits are its jobs."""
    jobs = [
        {"job_id": o["identifier"], "task_id": "lab.train", "tags": {"lr": 0.1, "n": 3}, "timestamp": 1.5e9}
        for o in objects
        if len(o["identifier"]) == 64
    ]
    return RandomRun(list(objects), jobs).write(workspace)


def one(workspace: Path, /, **values: Any) -> Any:
    """The config of the only job of a run, which has these fields and may refer to a model as object 1."""
    model = thing(1, "Model", "model", name="cnn", layers=[1, 2])
    return load(write(workspace, model, thing(2, "Train", JOB, **values))).jobs[JOB]
