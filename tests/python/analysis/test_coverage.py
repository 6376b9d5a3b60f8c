"""coverage: the cells of a grid, the missing ones, and what is no grid."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_frames import TYPES, each_backend, frame, rows
from xpframe.analysis import coverage, mosaic
from xpframe.errors import ColumnError, InvalidArgumentError, XpFrameWarning

JOBS: dict[str, list[Any]] = {
    "task": ["learn"] * 5 + ["eval"],
    "state": ["done", "error", "done", "done", None, "done"],
    "tags.lr": [0.1, 0.1, 0.2, 0.2, 0.2, 0.1],
    "tags.seed": [1, 2, 1, 1, None, 1],
}


@each_backend
def test_cells_with_counts(backend: str) -> None:
    """A row a cell, within each task and set of tags: jobs, jobs by state, and 0 where there is none."""
    result = coverage(frame(JOBS, backend))
    assert isinstance(result, TYPES[backend])
    assert rows(result) == [
        dict(zip(("task", "tags.lr", "tags.seed", "n", "done", "error", "unknown"), cell, strict=True))
        for cell in (
            ("learn", 0.1, 1, 1, 1, 0, 0),
            ("learn", 0.1, 2, 1, 0, 1, 0),
            ("learn", 0.2, 1, 2, 2, 0, 0),
            ("learn", 0.2, 2, 0, 0, 0, 0),  # the missing one
            ("learn", 0.2, None, 1, 0, 0, 1),  # a job without the tag has cells of its own
            ("eval", 0.1, 1, 1, 1, 0, 0),
        )
    ]


@each_backend
def test_types_of_factors_stay(backend: str) -> None:
    """The columns of factors keep their types: big ints are not rounded, NaN stays apart from null."""
    jobs = {
        "task": ["t"] * 3,
        "config.big": [2**60, 2**60 + 1, 2**60],
        "config.x": [float("nan"), None, None],
    }
    cells = coverage(frame(jobs, backend), by=["big", "x"])
    pairs = [(row["config.big"], str(row["config.x"]), row["n"]) for row in rows(cells)]
    assert pairs == [
        (2**60, "nan", 1),
        (2**60, "None", 1),
        (2**60 + 1, "nan", 0),
        (2**60 + 1, "None", 1),
    ]


@each_backend
def test_what_varies_together_multiplies_nothing(backend: str) -> None:
    """Of tags that vary together the first makes cells; those that follow from another stand beside it."""
    jobs = {
        "task": ["t"] * 8,
        "tags.name": list("aabbccaa"),
        "tags.size": [1, 1, 2, 2, 3, 3, 1, 1],
        "tags.kind": ["x", "x", "x", "x", "y", "y", "x", "x"],
        "tags.seed": [1, 2, 1, 2, 1, 2, 3, 3],
    }
    cells = rows(coverage(frame(jobs, backend)))
    assert [(row["tags.name"], row["tags.size"], row["tags.kind"], row["tags.seed"]) for row in cells] == [
        (name, size, kind, seed)
        for name, size, kind in (("a", 1, "x"), ("b", 2, "x"), ("c", 3, "y"))
        for seed in (1, 2, 3)
    ]
    assert [(row["tags.name"], row["tags.seed"]) for row in cells if not row["n"]] == [("b", 3), ("c", 3)]


@each_backend
def test_by_makes_every_combination(backend: str) -> None:
    """With `by`, all combinations of these factors are cells, whatever varies together."""
    jobs = {"task": ["t"] * 2, "tags.a": [1, 2], "tags.b": [1, 2], "config.c": [1, 1]}
    cells = rows(coverage(frame(jobs, backend), by=["a", "b"]))
    assert [(row["tags.a"], row["tags.b"], row["n"]) for row in cells] == [
        (1, 1, 1),
        (1, 2, 0),
        (2, 1, 0),
        (2, 2, 1),
    ]
    assert list(cells[0]) == ["task", "tags.a", "tags.b", "n"]


@each_backend
def test_parameters_where_there_are_no_tags(backend: str) -> None:
    """Without tags the parameters that vary make the cells; where a task has no such one they are null."""
    jobs = {
        "task": ["learn"] * 4 + ["eval"] * 2,
        "config.lr": [1, 1, 2, 2, None, None],
        "config.seed": [1, 2, 1, 2, None, None],
        "config.beam": [None] * 4 + [1, 2],
        "config.same": [7] * 6,
    }
    cells = rows(coverage(frame(jobs, backend)))
    assert [tuple(row.values()) for row in cells] == [
        *(("learn", lr, seed, None, 1) for lr in (1, 2) for seed in (1, 2)),
        ("eval", None, None, 1, 1),
        ("eval", None, None, 2, 1),
    ]


@each_backend
def test_task_is_always_a_column(backend: str) -> None:
    """A frame without the column task has it in its cells, null."""
    cells = rows(coverage(frame({"tags.lr": [1, 2]}, backend)))
    assert cells == [{"task": None, "tags.lr": 1, "n": 1}, {"task": None, "tags.lr": 2, "n": 1}]


@each_backend
def test_a_sampled_factor_is_no_grid(backend: str) -> None:
    """Where a factor was sampled, only the cells with jobs are listed, and it is said."""
    jobs = {
        "task": ["t"] * 40,
        "tags.lr": [0.001 + at / 7 for at in range(40)],
        "tags.name": ["a", "b"] * 20,
    }
    with pytest.warns(XpFrameWarning) as told:
        cells = rows(coverage(frame(jobs, backend)))
    assert [str(warning.message) for warning in told] == [
        (
            "not a grid: t: 40 of 80 combinations occur in 40 jobs, since tags.lr (40 values) was sampled; "
            "no cell is called missing (by= names the factors of a grid)"
        )
    ]
    assert len(cells) == 40
    assert all(row["n"] == 1 for row in cells)


@pytest.mark.parametrize("missing", [1, 2, 6, 11, 17])
def test_a_grid_with_holes_is_a_grid(missing: int) -> None:
    """However much of a small grid is missing, it is named."""
    cells = list(itertools.product("ab", (0.1, 0.2, 0.3), (1, 2, 3, 4)))
    there = [cell for index, cell in enumerate(cells) if (index * 7) % 24 >= missing]
    jobs = pl.DataFrame(there, schema=["tags.name", "tags.lr", "tags.seed"], orient="row")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = coverage(jobs)
    empty = found.filter(pl.col("n") == 0).select("tags.name", "tags.lr", "tags.seed").rows()
    assert sorted(empty) == sorted(set(cells) - set(there))


def test_a_product_that_cannot_be_listed_is_no_grid() -> None:
    """Factors of whose product a billion cells would come are no grid, named or not."""
    jobs = pl.DataFrame(
        {f"tags.{name}": [at * (5 + index) % 1000 for at in range(1000)] for index, name in enumerate("abc")}
    )
    with pytest.warns(XpFrameWarning, match="not a grid"):
        assert len(coverage(jobs, by=["a", "b", "c"])) <= 1000


@each_backend
def test_errors_of_columns(backend: str) -> None:
    """Renamed columns without `by`, and unknown columns, are errors."""
    jobs = frame({"task": ["t"], "lr": [1]}, backend)
    with pytest.raises(InvalidArgumentError, match="renamed or short columns: 'lr'"):
        coverage(jobs)
    with pytest.raises(ColumnError, match=r"no column 'sed'"):
        coverage(jobs, by=["lr", "sed"])
    assert rows(coverage(jobs, by="lr")) == [{"task": "t", "lr": 1, "n": 1}]


@each_backend
def test_a_factor_called_like_a_state(backend: str) -> None:
    """A count of a state whose name a factor has is called n_ and its name."""
    jobs = frame({"task": ["t"], "done": [3], "state": ["done"]}, backend)
    assert rows(coverage(jobs, by="done")) == [{"task": "t", "done": 3, "n": 1, "n_done": 1}]


@each_backend
def test_frames_without_rows(backend: str) -> None:
    """No jobs, no cells."""
    assert rows(coverage(frame(JOBS, backend)[:0])) == []


# --- against itertools.product ---

levels = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from([1, 2]), st.sampled_from("xyz")), min_size=1, max_size=14
)


@given(levels)
def test_cells_against_a_product(jobs: list[tuple[Any, ...]]) -> None:
    """The cells of each task are the product of the values that occur in it, with how often each occurs."""
    narrow = pl.DataFrame(jobs, schema=["task", "tags.lr", "tags.name"], orient="row")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # at most six cells a task, of which some occur: always a grid
        cells = coverage(narrow, by=["lr", "name"])
    expected = []
    for task in dict.fromkeys(job[0] for job in jobs):
        here = [job for job in jobs if job[0] == task]
        names = [dict.fromkeys(job[column] for job in here) for column in (1, 2)]
        expected += [(task, *cell, here.count((task, *cell))) for cell in itertools.product(*names)]
    assert cells.rows() == expected


# --- the mosaic ---


def test_a_mosaic_in_text() -> None:
    """A row for each combination, a column for each value of the last factor, missing cells by name."""
    jobs = pl.DataFrame(JOBS)[:4]
    assert str(mosaic(jobs)).splitlines() == [
        "4 cells: 3 with jobs, 1 missing",
        "",
        "learn  (across: tags.seed)",
        "  tags.lr  1   2",
        "  0.1      ✓   ✗",
        "  0.2      ✓2  □",
        "",
        "missing",
        "  learn  tags.lr=0.2, tags.seed=2",
    ]
    assert repr(mosaic(jobs)) == "<Mosaic: 4 cells: 3 with jobs, 1 missing>"
    assert len(mosaic(jobs).frame) == 4
