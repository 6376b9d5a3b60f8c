"""replicates: groups of jobs that differ in their seed only."""

from __future__ import annotations

import itertools
import warnings
from collections import Counter
from typing import Any

import pandas as pd
import polars as pl
import pytest

from analysis_frames import TYPES, each_backend, frame, rows
from xpframe.analysis import replicates
from xpframe.errors import ColumnError, InvalidArgumentError, XpFrameWarning

CELLS = list(itertools.product(("a", "b"), (0.1, 0.2), (1, 2, 3)))
GRID: dict[str, list[Any]] = {
    "job_id": [f"{at:08x}{'0' * 56}" for at in range(12)],
    "task": ["learn"] * 12,
    "tags.name": [name for name, _, _ in CELLS],
    "config.lr": [lr for _, lr, _ in CELLS],
    "tags.seed": [seed for _, _, seed in CELLS],
    "config.data.seed": [seed for _, _, seed in CELLS],
    "config.out": [f"/ws/jobs/learn/{at:064x}/x" for at in range(12)],
    "result.loss": [float(at) for at in range(12)],
    "duration_s": [float(at) for at in range(12)],
}


def numbers(result: Any) -> list[int]:
    return [row["replicate"] for row in rows(result)]


@each_backend
def test_groups_over_seeds(backend: str) -> None:
    """The frame comes back with one more column; jobs that differ in seeds and results are a group."""
    jobs = frame(GRID, backend)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = replicates(jobs)
    assert isinstance(result, TYPES[backend])
    assert [{**row, "replicate": None} for row in rows(result)] == [
        {**row, "replicate": None} for row in rows(jobs)
    ]
    assert numbers(result) == [at // 3 for at in range(12)]


@each_backend
def test_what_seeds_decide_is_left_out_and_said(backend: str) -> None:
    """A parameter that follows from the seed does not part replicates, and the columns left out are named."""
    jobs = frame(GRID | {"config.comment": [f"seed {seed}" for _, _, seed in CELLS]}, backend)
    with pytest.warns(XpFrameWarning) as told:
        result = replicates(jobs)
    assert [str(warning.message) for warning in told] == [
        "replicates over 'seed': left out: tags.seed, config.data.seed, and what these decide: config.comment"
    ]
    assert numbers(result) == [at // 3 for at in range(12)]


def test_what_follows_the_seed_by_chance_stays() -> None:
    """In a few jobs of a grid the learning rate may follow the seed: it parts the groups all the same."""
    jobs = pl.DataFrame(
        {"tags.name": list("aaabbb"), "config.lr": [0.1, 0.2, 0.2] * 2, "tags.seed": [1, 2, 3] * 2},
    )
    with pytest.warns(XpFrameWarning, match="2 of 4 groups have one job only"):
        assert numbers(replicates(jobs)) == [0, 1, 1, 2, 3, 3]


@each_backend
def test_sampled_parameters_are_said(backend: str) -> None:
    """Where a parameter differs in each job, a warning says so, with the column and what to do."""
    jobs = frame(GRID | {"config.momentum": [at / 7 for at in range(12)]}, backend)
    with pytest.warns(XpFrameWarning) as told:
        result = replicates(jobs)
    assert [str(warning.message) for warning in told] == [
        (
            "replicates over 'seed': 12 of 12 groups have one job only: config.momentum has 12 values, "
            "without it there were 4 groups; by= names the factors that matter"
        )
    ]
    assert numbers(result) == list(range(12))
    assert numbers(replicates(jobs, by=["name", "lr"])) == [at // 3 for at in range(12)]


def test_a_seed_of_its_own_in_each_job_decides_nothing() -> None:
    """Where no two jobs have the same seed, nothing is left out on its account: it would decide all."""
    jobs = pl.DataFrame(GRID).with_columns(
        pl.Series("tags.seed", range(12)), pl.Series("config.data.seed", range(12))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert numbers(replicates(jobs)) == [at // 3 for at in range(12)]
    with pytest.warns(
        XpFrameWarning, match="each job has a seed of its own, which leaves open what it decides"
    ):
        replicates(jobs.with_columns(pl.Series("config.note", range(12))))


@each_backend
def test_repeated_seeds_are_refused(backend: str) -> None:
    """Two jobs of a group with the same seed are an error that names them."""
    jobs = frame({**GRID, "config.lr": [0.1] * 12}, backend)
    with pytest.raises(
        InvalidArgumentError,
        match=r"^jobs 00000000 and 00000003: same factors and same seed "
        r"\(tags.seed=1, config.data.seed=1\), 6 such in all",
    ):
        replicates(jobs)


def test_a_job_of_two_runs_is_refused() -> None:
    """A job that is in the frame twice is an error that says why."""
    jobs = pl.DataFrame(GRID)
    with pytest.raises(
        InvalidArgumentError, match=r"job 00000000 is there twice: .* \(the frame has several runs"
    ):
        replicates(pl.concat([jobs, jobs]))


@each_backend
def test_other_names_of_the_seed(backend: str) -> None:
    """`over` is a short name, a column, or several; an unknown one is an error with near misses."""
    jobs = frame(
        {**{name: GRID[name] for name in ("task", "tags.name", "config.lr")}, "tags.fold": GRID["tags.seed"]},
        backend,
    )
    for over in ("fold", "tags.fold", ["fold"]):
        assert numbers(replicates(jobs, over=over)) == [at // 3 for at in range(12)]
    assert numbers(replicates(jobs, over=["fold", "lr"])) == [at // 6 for at in range(12)]
    with pytest.raises(
        ColumnError, match=r"^no tag and no parameter is called 'fald' \(did you mean fold\?\)$"
    ):
        replicates(jobs, over="fald")


@each_backend
def test_short_columns_with_by(backend: str) -> None:
    """On a frame with short columns `by` is asked for, and `over` is a column."""
    jobs = frame({"task": ["t"] * 4, "lr": [1, 1, 2, 2], "seed": [1, 2, 1, 2]}, backend)
    with pytest.raises(InvalidArgumentError, match="renamed or short columns"):
        replicates(jobs)
    assert numbers(replicates(jobs, by=["lr", "seed"])) == [0, 0, 1, 1]
    assert numbers(replicates(jobs, by=["lr"])) == [0, 0, 1, 1]


def test_twice_is_once() -> None:
    """The column of an earlier call is replaced."""
    once = replicates(pl.DataFrame(GRID))
    assert replicates(once).equals(once)


def test_an_index_of_pandas_stays() -> None:
    """A pandas frame of chosen and turned rows keeps its index, and each row its group."""
    jobs = pd.DataFrame(GRID).iloc[::-2]
    with pytest.warns(XpFrameWarning, match="2 of 4 groups have one job only"):
        result = replicates(jobs)
    assert result.index.equals(jobs.index)
    for _, group in result.groupby("replicate"):
        assert len(set(zip(group["tags.name"], group["config.lr"], strict=True))) == 1
    assert Counter(result["replicate"]) == {0: 2, 1: 1, 2: 2, 3: 1}


@each_backend
def test_tasks_stay_apart(backend: str) -> None:
    """Jobs of two tasks are never replicates."""
    jobs = frame({"task": ["learn", "eval"] * 2, "tags.lr": [1] * 4, "tags.seed": [1, 1, 2, 2]}, backend)
    assert numbers(replicates(jobs)) == [0, 1, 0, 1]
