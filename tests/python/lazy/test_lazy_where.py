"""`scan_xp(where=…)` has the rows and columns of `xp_frame`, whatever the query calls the columns."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xpframe
from hostile import line, to
from lazy_runs import TASK, append_job, job_id, run_id, write_run, write_runs
from xpframe.errors import ColumnError, XpFrameError

pytestmark = pytest.mark.filterwarnings("ignore::xpframe.XpFrameWarning")

Outcome: TypeAlias = "pl.DataFrame | tuple[type[XpFrameError], str]"

RUNS, JOBS = 2, 6
TAGS: dict[str, list[Any]] = {
    "lr": [0.1, 0.2, 0.1, 0.3, None, 0.1],
    "task": ["a", "b", "c", "a", "b", None],
    "f": [float("nan"), 0.0, -0.0, 1.0, None, 2.5],
    "RR@10": [1, 2, 3, 4, 5, 6],
    "*": ["u", "v", "u", "v", "u", "v"],
    "^l.*$": [1, 2, 3, 4, 5, 6],
}
FIELDS: dict[str, list[Any]] = {
    "lr": [5, 4, 3, 2, 1, 0],
    "task": ["b", "b", "d", "d", None, "e"],
    "seed": [0, 1, 2, 3, 4, 5],
    "RR": [0.9, 0.8, 0.7, 0.2, 0.1, 0.0],
    "x": [1, "1", 2, "b", None, 1],
    "state": ["odd"] * 3 + ["even"] * 3,
}
# by the names that filters have, with values to compare them to
NUMBERS: dict[str, list[Any]] = {
    "lr": [0.1, 0.2],
    "tags.lr": [0.1, 7],
    "config.lr": [2, 4.0],
    "f": [0, 1.5],
    "RR": [0.2, 0.7],
    "RR@10": [2, 5],
    "seed": [1, 3],
    "m.size": [0, 2],
    "`^l.*$`": [2, 3],
}
TEXTS: dict[str, list[Any]] = {
    "task": ["a", "b"],
    "config.task": ["b", "d"],
    "`*`": ["u"],
    "config.state": ["odd"],
    "@name": [TASK],
    "@state": ["done", "unscheduled"],
    "run": [run_id(0), run_id(1)],
    "x": ["1", "b"],
    "m@type": ["lab.M"],
    "submitted_at": ["2026-03-19 12:00:01"],
    "job_id": [job_id(0, 2)],
}
PATTERNS = ["", ".*1", "0", "[ab]", "-", "lab", "2026"]
COLUMNS = [
    *(f"tags.{name}" for name in TAGS),
    *(f"config.{name}" for name in ("lr", "task", "seed", "RR", "state", "m.size", "m@type")),
    *("job_id", "state", "task", "run", "submitted_at", "seed", "exit_code", "tags.*"),
]
UNITED = [
    ["config.m.size", "config.seed"],
    ["tags.lr", "config.RR"],
    ["config.task", "tags.task"],
    ["tags.RR@10", "config.none"],
]
NEW_NAMES = ["x", "seed", "lr", "config.RR", "tags.lr", "*", "^s", "where: tags.lr", "task"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("narrowed") / "ws"
    for run in range(RUNS):
        path = write_run(root, run, 0)
        rows, objects = [], [line(1, '"size":0', "m0", "M"), line(2, '"size":null', "m1", "M")]
        for job in range(JOBS):
            tags = {name: values[job] for name, values in TAGS.items() if values[job] is not None}
            when = 1_773_921_600.0 + run * 1000 + job
            rows.append({"job_id": job_id(run, job), "task_id": TASK, "tags": tags, "timestamp": when})
            fields = json.dumps({name: values[job] for name, values in FIELDS.items()})[1:-1]
            model = "null" if job % 3 == 2 else to(1 + job % 2)
            objects.append(line(10 + job, f'{fields},"m":{model}', job_id(run, job)))
        (path / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (path / "objects.jsonl").write_text("\n".join(objects) + "\n")
    return root


@st.composite
def leaves(draw: st.DrawFn) -> str:
    name, values = draw(st.sampled_from([*NUMBERS.items(), *TEXTS.items()]))
    value = json.dumps(draw(st.sampled_from(values)))
    operators = ["=", "!=", "in", "null", "~", "pair"] + ["<", ">="] * (name in NUMBERS)
    match draw(st.sampled_from(operators)):
        case "in":
            return f"{name} in [{value}, {draw(st.sampled_from(['1', 'null']))}]"
        case "null":
            return f"{name} = null"
        case "~":
            return f'{name} ~ "{draw(st.sampled_from(PATTERNS))}"'
        case "pair":
            return f"{name} = {draw(st.sampled_from([*NUMBERS, *TEXTS]))}"
        case operator:
            return f"{name} {operator} {value}"


def filters() -> st.SearchStrategy[str]:
    several = st.tuples(st.sampled_from([" and ", " or "]), st.lists(leaves(), min_size=1, max_size=3))
    return st.one_of(several.map(lambda drawn: drawn[0].join(drawn[1])), leaves().map("not {}".format))


def columns() -> st.SearchStrategy[Any]:
    single = st.sampled_from(COLUMNS)
    renamed = st.dictionaries(
        st.sampled_from(NEW_NAMES), single | st.sampled_from(UNITED), min_size=1, max_size=3
    )
    listed = st.lists(single | renamed | st.just("*"), min_size=1, max_size=4)
    return st.none() | single | renamed | listed


def outcome(read: Any, workspace: Path, options: dict[str, Any]) -> Outcome:
    try:
        frame: pl.DataFrame = read("grid", workspace=workspace, **options)
    except XpFrameError as error:
        return type(error), str(error)
    return frame


@given(
    where=filters(),
    columns=columns(),
    names=st.sampled_from(["full", "short", "identifier"]),
    naive_times=st.booleans(),
    run=st.sampled_from(["latest", "all"]),
)
def test_lazy_equals_eager(workspace: Path, **options: Any) -> None:
    """Renamed, united and short columns, and those that only the filter needs, on both engines."""

    def eager(*args: Any, **options: Any) -> pl.DataFrame:
        return xpframe.xp_frame(*args, backend="polars", **options)

    expected = outcome(eager, workspace, options)
    for engine in ("streaming", "in-memory"):

        def lazy(*args: Any, engine: Any = engine, **options: Any) -> pl.DataFrame:
            return xpframe.scan_xp(*args, **options).collect(engine=engine)

        found = outcome(lazy, workspace, options)
        if isinstance(expected, tuple) or isinstance(found, tuple):
            assert found == expected
            continue
        if options["names"] == "short":
            # a parameter whose values are those of a tag is dropped, which a scan cannot know
            dropped = [name for name in found.columns if name not in expected.columns]
            assert all(name.removeprefix("config.") in expected.columns for name in dropped)
            found = found[expected.columns]
        assert found.equals(expected), (options, found, expected)
        assert found.schema == expected.schema


def ask(workspace: Path, **options: Any) -> pl.LazyFrame:
    return xpframe.scan_xp("grid", workspace=workspace, run="all", **options)


def test_a_hidden_column_stays_hidden(workspace: Path) -> None:
    """No schema has it; a user's filter, choice and order go past it; a pickle keeps it."""
    lazy = ask(workspace, columns={"x": ["tags.lr", "config.RR"], "seed": "seed"}, where="tags.lr < 0.15")
    assert lazy.collect_schema().names() == ["x", "seed"]
    assert lazy.collect().rows() == [(0.1, seed) for seed in (0, 2, 5)] * RUNS
    chosen = lazy.filter(pl.col("seed") > 0).sort("seed", descending=True).select("seed").head(3)
    for query in (chosen, pickle.loads(pickle.dumps(chosen))):
        assert query.collect()["seed"].to_list() == [5, 5, 2]
    assert lazy.select(pl.len()).collect().item() == 6
    assert lazy.drop("seed").collect().columns == ["x"]


def test_a_hidden_column_is_pushed_down(tmp_path: Path) -> None:
    """A tag that only the filter needs chooses jobs before a config is read, also renamed and short."""
    root = write_runs(tmp_path / "ws", 20, 3)
    for options in (
        {"columns": ["config.rate"]},
        {"columns": {"x": ["tags.of_run", "config.rate"], "rate": "config.rate"}},
        {"columns": ["config.rate"], "names": "short"},
        {"columns": [{"tags.of_run": "config.rate"}]},
    ):
        lazy = ask(root, keep_bytes=0, where="of_run = 7", **options)
        lazy.collect()  # which counts what deciding the columns has read
        assert lazy.collect().height == 3
        read = xpframe.last_read()
        assert (read.runs, read.jobs, read.objects) == (1, 3, 6)
        assert len(read.pushed) == 1
        # nothing but these columns
        assert "where: tags.of_run" in read.columns
        assert len(read.columns) == 1 + len(options["columns"])


def test_a_name_that_means_another_column_later(tmp_path: Path) -> None:
    """`size` is short for a parameter, then for a new tag: no filter on the tag."""
    root = tmp_path / "ws"
    path = write_run(root, 0, 0)
    (path / "jobs.jsonl").write_text("")
    append_job(path, 0, 1, fields={"width": 1})
    lazy = ask(root, columns=None, names="short", where="config.width = 1")
    hidden = ask(root, columns=["job_id"], names="short", where="config.width = 1")
    assert lazy.collect().height == hidden.collect().height == 1
    append_job(path, 0, 2, fields={"width": 2}, width=1)
    with pytest.raises(ColumnError, match=r"filter means config\.width by 'width'.*scan_xp"):
        lazy.collect()
    assert hidden.collect()["job_id"].to_list() == [job_id(0, 1)]


def test_max_columns_are_those_shown(workspace: Path) -> None:
    assert ask(workspace, columns=["seed"], max_columns=1, where="lr < 1 and RR > 0").collect().width == 1
