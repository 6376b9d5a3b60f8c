"""compare: which jobs and parameters came, went, changed their type or look renamed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

import xpframe
from analysis_frames import TYPES, each_backend, frame, rows
from xpframe.analysis import compare
from xpframe.errors import InvalidArgumentError

CELLS = list(itertools.product(("a", "b"), (0.1, 0.2), (1, 2)))
OLD: dict[str, list[Any]] = {
    "job_id": [f"old{at}" for at in range(8)],
    "task": ["learn"] * 8,
    "tags.lr": [lr for _, lr, _ in CELLS],
    "config.model.name": [name for name, _, _ in CELLS],
    "config.optimizer.lr": [lr for _, lr, _ in CELLS],
    "config.seed": [seed for _, _, seed in CELLS],
    "config.epochs": [10] * 8,
    "state": ["done"] * 8,
}


def renamed(names: dict[str, str], **columns: list[Any]) -> dict[str, list[Any]]:
    jobs = {names.get(name, name): values for name, values in OLD.items()} | columns
    return jobs | {"job_id": [f"new{at}" for at in range(len(jobs["task"]))]}


def pairs(result: Any) -> list[tuple[str, str]]:
    return [(row["a"], row["b"]) for row in rows(result.renamed)]


@each_backend
def test_jobs_by_their_ids(backend: str) -> None:
    """Jobs are added, gone or the same, by their ids."""
    new = OLD | {"job_id": [*OLD["job_id"][2:], "x", "y"]}
    result = compare(frame(OLD, backend), frame(new, backend))
    assert isinstance(result.jobs, TYPES[backend])
    changes = [(row["job_id"], row["change"]) for row in rows(result.jobs)]
    assert changes == [
        *((f"old{at}", "gone" if at < 2 else "same") for at in range(8)),
        ("x", "added"),
        ("y", "added"),
    ]
    assert str(result) == "2 jobs added, 2 gone, 6 same"
    assert rows(result.parameters) == rows(result.renamed) == []


@each_backend
def test_renamed_parameters(backend: str) -> None:
    """A removed and an added parameter with the same values in jobs that agree otherwise look renamed."""
    names = {"tags.lr": "tags.rate", "config.optimizer.lr": "config.optimizer.learning_rate"}
    result = compare(frame(OLD, backend), frame(renamed(names), backend))
    assert rows(result.renamed) == [
        {"a": "tags.lr", "b": "tags.rate", "jobs": 8, "of": 8, "levels": 2},
        {
            "a": "config.optimizer.lr",
            "b": "config.optimizer.learning_rate",
            "jobs": 8,
            "of": 8,
            "levels": 2,
        },
    ]
    assert [(row["column"], row["change"]) for row in rows(result.parameters)] == [
        ("tags.lr", "removed"),
        ("config.optimizer.lr", "removed"),
        ("tags.rate", "added"),
        ("config.optimizer.learning_rate", "added"),
    ]
    assert "config.optimizer.lr looks renamed to config.optimizer.learning_rate" in str(result)


@each_backend
def test_other_values_are_not_renamed(backend: str) -> None:
    """What has other values, or the same ones in other jobs, is removed and added only."""
    names = {"config.optimizer.lr": "config.optimizer.rate"}
    other = renamed(names, **{"config.optimizer.rate": [0.5 + lr for _, lr, _ in CELLS]})
    assert pairs(compare(frame(OLD, backend), frame(other, backend))) == []
    swapped = renamed(names, **{"config.optimizer.rate": [0.3 - lr for _, lr, _ in CELLS]})
    # by the tag, which stayed, the two swapped their jobs
    assert pairs(compare(frame(OLD, backend), frame(swapped, backend))) == []


@each_backend
def test_one_value_needs_a_like_name(backend: str) -> None:
    """A parameter of one value looks renamed only under the same parent or with the same last name."""
    moved = renamed({"config.epochs": "config.trainer.epochs"})
    assert pairs(compare(frame(OLD, backend), frame(moved, backend))) == [
        ("config.epochs", "config.trainer.epochs")
    ]
    other = renamed({"config.epochs": "config.model.layers"})
    assert pairs(compare(frame(OLD, backend), frame(other, backend))) == []


@each_backend
def test_smaller_and_larger_grids(backend: str) -> None:
    """That the later run has fewer jobs and some new values does not hide that a parameter was renamed."""
    names = {"config.optimizer.lr": "config.optimizer.rate"}
    fewer = {name: values[1:] for name, values in renamed(names).items()}
    assert pairs(compare(frame(OLD, backend), frame(fewer, backend))) == [tuple(*names.items())]


@each_backend
def test_retyped_parameters(backend: str) -> None:
    """A parameter of another type is retyped, with both types; one that no job has is not there."""
    seeds: list[Any] = [float(seed) for _, _, seed in CELLS]
    new = renamed({}, **{"config.seed": seeds, "config.none": [None] * 8})
    result = compare(frame(OLD, backend), frame(new, backend))
    assert rows(result.parameters) == [
        {"column": "config.seed", "change": "retyped", "a": "Int64", "b": "Float64"}
    ]


def test_split_parameters_are_one(  # the types are listed together
) -> None:
    """A parameter that is split by type in one run is retyped, not removed and added."""
    split = {**OLD, "config.seed@int": [1] * 8, "config.seed@str": [None, *"abcdefg"]}
    del split["config.seed"]
    result = compare(frame(OLD, "polars"), frame(split, "polars"))
    assert rows(result.parameters) == [
        {"column": "config.seed", "change": "retyped", "a": "Int64", "b": "Int64, String"}
    ]


def test_runs() -> None:
    """Runs are compared as they are loaded; a run equals itself."""
    info = xpframe.Workspace(xpframe.sample_workspace()).load_xp_info("grid-search")
    result = compare(info, info, backend="polars")
    assert isinstance(result.jobs, TYPES["polars"])
    named = f"grid-search {info.run_id}"
    assert repr(result) == f"<Comparison: {named} → {named}: 0 jobs added, 0 gone, 12 same>"


def test_frames_that_cannot_be_compared() -> None:
    """A frame without job_id, or with renamed columns, is an error."""
    info = xpframe.Workspace(xpframe.sample_workspace()).load_xp_info("grid-search")
    for other in ("20260101_000000", 5):
        with pytest.raises(InvalidArgumentError) as raised:
            info.compare(other)  # type: ignore[arg-type]  # wrong on purpose
        assert raised.value.hint is not None
        assert raised.value.hint.startswith(
            "give a run, as Workspace().load_xp_info(name, run_id) loads it, or"
        )
    with pytest.raises(InvalidArgumentError, match="no column job_id"):
        compare(frame({"tags.lr": [1]}, "polars"), frame(OLD, "polars"))
    with pytest.raises(InvalidArgumentError, match="renamed or short columns"):
        compare(frame(OLD, "polars"), frame({"job_id": ["a"], "lr": [1]}, "polars"))
