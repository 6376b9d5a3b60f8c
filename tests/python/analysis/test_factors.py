"""factors: levels, roles, classes of aliases, and what decides what."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xpframe
from analysis_frames import TYPES, each_backend, frame, rows
from xpframe.analysis import factors
from xpframe.errors import ColumnError, InvalidArgumentError

GRID: dict[str, list[Any]] = {
    "job_id": [f"job{at}" for at in range(12)],
    "task": ["learn"] * 12,
    "tags.lr": [0.1] * 6 + [0.2] * 6,
    "config.optimizer.lr": [0.1] * 6 + [0.2] * 6,
    "config.model.name": ["a", "a", "b", "b", "c", "c"] * 2,
    "config.model.wide": [True, True, True, True, False, False] * 2,
    "config.seed": [1, 2] * 6,
    "config.epochs": [10] * 12,
    "config.out": [f"/ws/jobs/learn/{at:064x}/model.pt" for at in range(12)],
    "config.note": [f"note {at}" for at in range(12)],
    "config.model@id": ["x", "x", "y", "y", "z", "z"] * 2,
    "result.loss": [float(at) for at in range(12)],
    "state": ["done"] * 12,
}


def by_column(result: Any) -> dict[str, dict[str, Any]]:
    return {row["column"]: row for row in rows(result)}


@each_backend
def test_a_row_a_factor(backend: str) -> None:
    """Levels, role, class and deciders of each factor; results, ids, states and outputs are none."""
    result = factors(frame(GRID, backend))
    assert isinstance(result, TYPES[backend])
    assert [tuple(row.values()) for row in rows(result)] == [
        ("task", 1, "constant", None, []),
        ("tags.lr", 2, "varies", "tags.lr", []),
        ("config.optimizer.lr", 2, "varies", "tags.lr", []),
        ("config.model.name", 3, "varies", None, []),
        ("config.model.wide", 2, "varies", None, ["config.model.name"]),
        ("config.seed", 2, "varies", None, []),
        ("config.epochs", 1, "constant", None, []),
        ("config.note", 12, "unique", None, []),
    ]


@each_backend
def test_values_are_never_merged(backend: str) -> None:
    """NaN is not null, 0.0 is not -0.0, and an empty list is not a missing one."""
    jobs = {
        "task": ["t"] * 6,
        "config.x": [float("nan"), float("nan"), None, 0.0, -0.0, 1.0],
        "config.items": [[1], [1], None, [], [1, 2], [2, 1]],
    }
    assert [row["levels"] for row in rows(factors(frame(jobs, backend)))] == [1, 5, 5]


def test_types_are_told_apart_in_a_column_of_objects() -> None:
    """1, 1.0, True and "1" are four values of an object column of pandas, and so they are inside lists."""
    values = [1, 1.0, True, "1", None, 1]
    jobs = pd.DataFrame(
        {"config.x": pd.Series(values, dtype=object), "config.y": [[value] for value in values]}
    )
    assert [row["levels"] for row in rows(factors(jobs))] == [5, 5]


@each_backend
def test_a_parameter_that_a_task_lacks_does_not_vary(backend: str) -> None:
    """Null in all jobs of a task means that there is no such parameter; any other null is a value."""
    jobs = {
        "task": ["learn", "learn", "learn", "eval", "eval", "eval"],
        "config.epochs": [10, 10, 10, None, None, None],
        "config.clip": [1.0, None, None, None, None, None],
        "config.beam": [None, None, None, 1, 2, 2],
    }
    named = by_column(factors(frame(jobs, backend)))
    assert (named["config.epochs"]["levels"], named["config.epochs"]["role"]) == (1, "constant")
    assert (named["config.clip"]["levels"], named["config.clip"]["role"]) == (2, "varies")
    assert (named["config.beam"]["levels"], named["config.beam"]["role"]) == (2, "varies")
    assert all(row["alias"] is None and row["decided_by"] == [] for row in named.values())


@each_backend
def test_over_two_tasks_a_tag_decides_the_parameter_of_one(backend: str) -> None:
    """A tag of all jobs decides the parameter that one task has, and is in no class with it."""
    jobs = {
        "task": ["learn"] * 4 + ["eval"] * 4,
        "tags.lr": [1, 1, 2, 2] * 2,
        "config.lr": [1, 1, 2, 2, None, None, None, None],
    }
    named = by_column(factors(frame(jobs, backend)))
    assert named["config.lr"]["decided_by"] == ["tags.lr"]
    assert named["tags.lr"]["decided_by"] == []
    assert named["config.lr"]["alias"] is None


@each_backend
def test_unique_columns_share_a_class_only_by_their_values(backend: str) -> None:
    """Two columns with a value of its own in each job vary together only if their values are equal."""
    jobs = {"tags.lr": [0.1, 0.2, 0.3], "config.lr": [0.1, 0.2, 0.3], "config.note": ["a", "b", "c"]}
    named = by_column(factors(frame(jobs, backend)))
    assert [named[name]["alias"] for name in jobs] == ["tags.lr", "tags.lr", None]
    assert {row["role"] for row in named.values()} == {"unique"}


@each_backend
def test_output_paths_in_lists_are_no_factors(backend: str) -> None:
    """A list of output paths is left out; a list with a value beside them counts by that value."""
    out = [f"/ws/jobs/learn/{at:064x}/log.csv" for at in range(4)]
    jobs = {
        "config.logs": [[path] for path in out],
        "config.mixed": [[path, kind] for path, kind in zip(out, "aabb", strict=True)],
        "config.corpus": ["/data/a", "/data/b"] * 2,
    }
    named = by_column(factors(frame(jobs, backend)))
    assert {name: row["levels"] for name, row in named.items()} == {"config.mixed": 2, "config.corpus": 2}


@each_backend
def test_output_paths_are_told_by_the_column_path(backend: str) -> None:
    """With the column `path`, a path below any job directory of the workspace is an output."""
    jobs = {
        "config.out": ["/ws/jobs/a/1/x", "/ws/jobs/b/9/x"],
        "config.data": ["/ws/data/1", "/ws/data/2"],
        "path": ["/ws/jobs/a/1", "/ws/jobs/a/2"],
    }
    assert [row["column"] for row in rows(factors(frame(jobs, backend)))] == ["config.data"]


@each_backend
def test_upstream_tags_and_parameters_are_factors(backend: str) -> None:
    """Tags and parameters of upstream jobs are factors; their ids, states and results are not."""
    names = [
        *("up.learn.config.lr", "up.lab.learn.tags.name", "config.trained@job.config.lr", "config.m@type"),
        *("config.trained@job", "config.trained@job.state", "up.learn.state", "up.learn.result.loss"),
        *("config.m@id", "result@file", "config.only\\@id", "config.x@int"),
    ]
    jobs = {name: [1, 2] for name in names}
    assert [row["column"] for row in rows(factors(frame(jobs, backend)))] == [
        *("up.learn.config.lr", "up.lab.learn.tags.name", "config.trained@job.config.lr", "config.m@type"),
        *("config.only\\@id", "config.x@int"),
    ]


@each_backend
def test_renamed_columns_need_by(backend: str) -> None:
    """A frame with renamed columns is refused without `by`, which takes names, short names and globs."""
    jobs = frame({"task": ["t", "t"], "lr": [1, 2], "config.model.size": [3, 3]}, backend)
    with pytest.raises(
        InvalidArgumentError, match=r"renamed or short columns: 'lr' \(name the factors, as in by="
    ):
        factors(jobs)
    assert [row["column"] for row in rows(factors(jobs, by=["lr", "size"]))] == ["lr", "config.model.size"]
    assert [row["column"] for row in rows(factors(jobs, by="config.*"))] == ["config.model.size"]
    with pytest.raises(ColumnError, match=r"^no column 'lrr' \(did you mean lr\?\)$"):
        factors(jobs, by="lrr")


def test_ambiguous_short_names_are_refused() -> None:
    """A short name of several columns is an error that names them; a tag goes first."""
    jobs = pl.DataFrame({"config.a.lr": [1], "config.b.lr": [1]})
    with pytest.raises(
        ColumnError, match=r"'lr' means several columns \(it is one of config.a.lr, config.b.lr\)"
    ):
        factors(jobs, by="lr")
    assert rows(factors(jobs.with_columns(pl.lit(1).alias("tags.lr")), by="lr"))[0]["column"] == "tags.lr"


def test_what_is_no_frame_is_refused() -> None:
    """A lazy frame and what is no frame at all are errors that say what to do."""
    with pytest.raises(
        InvalidArgumentError, match=r"^polars.LazyFrame is not a DataFrame \(collect\(\) it first\)$"
    ):
        factors(pl.LazyFrame({"task": ["t"]}))
    with pytest.raises(InvalidArgumentError, match=r"^builtins.dict is not a DataFrame"):
        factors({"task": ["t"]})
    info = xpframe.Workspace(xpframe.sample_workspace()).load_xp_info("grid-search")
    with pytest.raises(InvalidArgumentError, match=r"is not a DataFrame \(give info.frame\(\)\)$"):
        factors(info)
    twice = pd.DataFrame([[1, 2]], columns=["tags.a", "tags.a"])
    with pytest.raises(
        InvalidArgumentError, match=r"'tags.a' 2 times \(give each column a name of its own\)$"
    ):
        factors(twice)
    with pytest.raises(InvalidArgumentError, match=r"^column 0 has a name that is not text \(rename it\)$"):
        factors(pd.DataFrame({0: [1]}))


@each_backend
def test_frames_without_rows(backend: str) -> None:
    """A frame without jobs has factors without levels."""
    jobs = frame({"task": ["t"], "tags.lr": [1]}, backend)[:0]
    assert [tuple(row.values())[:3] for row in rows(factors(jobs))] == [
        ("task", 0, "constant"),
        ("tags.lr", 0, "constant"),
    ]


def test_a_table_comes_back_as_arrow() -> None:
    """An xpframe.Table is accepted and comes back as pyarrow."""
    table = xpframe.xp_table("grid-search", workspace=xpframe.sample_workspace())
    result = factors(table)
    assert isinstance(result, TYPES["pyarrow"])
    named = by_column(result)
    assert named["config.learning_rate"]["alias"] == "tags.learning_rate"


# --- against an obvious implementation ---

values = st.sampled_from([None, 0, 1, 2])
columns = st.integers(1, 12).flatmap(
    lambda height: st.fixed_dictionaries(
        {"task": st.lists(st.sampled_from("ab"), min_size=height, max_size=height)}
        | {f"config.{name}": st.lists(values, min_size=height, max_size=height) for name in "vwxyz"}
    )
)


def obvious(jobs: dict[str, list[Any]]) -> dict[str, tuple[int, str, set[str], set[str]]]:
    """(levels, role, columns that vary together with it, columns that decide it), by pairs of rows."""
    every = range(len(jobs["task"]))
    having = {
        name: [
            at
            for at in every
            if any(jobs[name][b] is not None for b in every if jobs["task"][b] == jobs["task"][at])
        ]
        for name in jobs
    }
    levels = {name: len({jobs[name][at] for at in having[name]}) for name in jobs}

    def role(name: str) -> str:
        if levels[name] <= 1:
            return "constant"
        return "unique" if levels[name] == len(having[name]) else "varies"

    def own_values(name: str, here: list[int]) -> bool:
        """Whether no two jobs of a task have the same value."""
        return not any(
            jobs[name][a] == jobs[name][b] and jobs["task"][a] == jobs["task"][b]
            for a, b in itertools.combinations(here, 2)
        )

    def together(one: str, two: str) -> bool:
        if "constant" in (role(one), role(two)) or having[one] != having[two]:
            return False
        if own_values(one, having[one]) or own_values(two, having[two]):
            return jobs[one] == jobs[two]
        return all(
            (jobs[one][a] == jobs[one][b]) == (jobs[two][a] == jobs[two][b])
            for a, b in itertools.combinations(every, 2)
        )

    def decides(cause: str, effect: str) -> bool:
        here = having[effect]
        if not set(here) <= set(having[cause]) or own_values(cause, here):
            return False
        return all(
            jobs[effect][a] == jobs[effect][b]
            for a, b in itertools.combinations(here, 2)
            if jobs[cause][a] == jobs[cause][b]
        )

    result = {}
    for name in jobs:
        alike = {other for other in jobs if other == name or together(name, other)}
        causes = {
            other
            for other in jobs
            if other not in alike and "constant" not in (role(other), role(name)) and decides(other, name)
        }
        result[name] = (levels[name], role(name), alike if len(alike) > 1 else set(), causes)
    return result


@given(columns)
def test_factors_against_pairs_of_rows(jobs: dict[str, list[Any]]) -> None:
    """Levels, roles, classes and deciders are those that a comparison of all pairs of rows gives."""
    named = by_column(
        factors(pl.DataFrame(jobs, schema_overrides={n: pl.Int64 for n in jobs if n != "task"}))
    )
    expected = obvious(jobs)
    classes: dict[str, set[str]] = {}
    for name, row in named.items():
        if row["alias"]:
            classes.setdefault(row["alias"], set()).add(name)
    for name, row in named.items():
        levels, role, alike, causes = expected[name]
        assert (row["levels"], row["role"]) == (levels, role), name
        assert classes.get(row["alias"], set()) == alike, name
        # of a class the first column stands for all
        assert {other for first in row["decided_by"] for other in classes.get(first, {first})} == causes, name
