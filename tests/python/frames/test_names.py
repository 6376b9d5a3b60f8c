"""Names that other tools take: identifiers, short names in lazy queries, and times without a zone."""

from __future__ import annotations

import json
import keyword
import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd
import polars as pl
import pytest

import xpframe
from random_runs import RandomRun
from situations import JOBS
from small_runs import SmallRun
from xpframe import Workspace, scan_xp, xp_frame, xp_table
from xpframe.errors import ColumnError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workspaces


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Path:
    root = xpframe.sample_workspace()
    monkeypatch.setenv("XPFRAME_WORKSPACE", str(root))
    return root


@pytest.mark.parametrize("name", ["v1161_full", "v270_full", "v270_quirks"])
def test_identifiers_are_identifiers(name: str, workspaces: Workspaces) -> None:
    """With `names="identifier"` each column has a name of its own that Python takes, and the same values."""
    root = workspaces.path(name)
    count = 0
    for experiment in Workspace(root).experiments():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", xpframe.XpFrameWarning)
            full = xp_table(experiment, workspace=root, columns="*", run="all")
            named = xp_table(experiment, workspace=root, columns="*", run="all", names="identifier")
        names = named.column_names
        assert all(each.isidentifier() and not keyword.iskeyword(each) for each in names)
        assert len(set(names)) == len(names)
        for whole, each in zip(full.column_names, names, strict=True):
            assert repr(full.column_values(whole)) == repr(named.column_values(each))
            assert full.column_metadata(whole) == named.column_metadata(each)
            count += 1
    assert count > 50


def run_with(tmp_path: Path, tags: dict[str, Any], fields: dict[str, Any]) -> Path:
    objects = [
        {"id": n, "module": "lab", "type": "T", "typename": "lab.T", "identifier": job_id, "fields": fields}
        for n, job_id in enumerate(JOBS)
    ]
    jobs = [{"job_id": j, "task_id": "lab.train", "tags": tags, "timestamp": 1.5e9} for j in JOBS]
    return RandomRun(objects, jobs).write(tmp_path)


def test_names_that_meet_stay_apart(tmp_path: Path) -> None:
    """A tag comes before a parameter, the system before both; then the whole name, then a number."""
    fields = {"lr": 1, "a_b": 2, "a": {"b": 3, "x": 1}, "state": 4, "lambda": 5, "a@b": 6, "10k": 7}
    run = run_with(tmp_path, {"lr": 0.5}, fields)
    table = xp_table(run, columns=["state", "tags.*", "config.*"], names="identifier")
    by_path = {table.column_metadata(name).get("xpframe.path"): name for name in table.column_names}
    assert by_path == {
        None: "state",
        '["tags","lr"]': "lr",
        '["config","lr"]': "config_lr",
        '["config","a_b"]': "a_b",
        '["config","a","b"]': "config_a_b",
        '["config","a","x"]': "a_x",
        '["config","state"]': "config_state",
        '["config","lambda"]': "lambda_",
        '["config","a@b"]': "config_a_b_2",
        '["config","10k"]': "_10k",
    }
    renamed = xp_table(run, columns={"a.b": "config.lr", "lr": "tags.lr"}, names="identifier")
    assert renamed.column_names == ["a.b", "lr"]


@pytest.mark.parametrize("names", ["short", "identifier"])
@pytest.mark.parametrize("naive", [False, True])
def test_lazy_queries_have_the_names_of_frames(names: Any, naive: bool, sample: Path) -> None:
    """`scan_xp` takes `names` and `naive_times`; filters still choose what is read."""
    eager = xp_frame("grid-search", backend="polars", names="identifier", naive_times=naive)
    lazy = scan_xp("grid-search", names="identifier", naive_times=naive)
    assert lazy.collect().equals(eager)
    assert lazy.collect_schema() == eager.schema
    short = scan_xp("grid-search", names=names).filter(pl.col("hidden_size") == 64)
    assert short.collect().height == 3
    assert xpframe.last_read().jobs == 3
    assert sample.is_dir()
    time = eager.schema["submitted_at"]
    assert time == pl.Datetime("us", None if naive else "UTC")


def test_naive_times_are_in_utc(sample: Path) -> None:
    """Without their zone, times are the same moments in UTC, in each library."""
    for backend in ("pandas", "polars", "pyarrow"):
        frames = [xp_frame("grid-search", backend=backend, naive_times=naive) for naive in (False, True)]
        aware, naive = (pl.DataFrame(frame)["submitted_at"] for frame in frames)
        assert naive.dt.replace_time_zone("UTC").equals(aware)
    info = Workspace(sample).load_xp_info("grid-search")
    assert str(info.frame(naive_times=True)["started_at"].dtype) == "datetime64[us]"


@pytest.mark.usefixtures("sample")
def test_excel(tmp_path: Path) -> None:
    """`to_excel` takes a frame with naive times; its values come back."""
    pytest.importorskip("openpyxl")
    frame = xp_frame("grid-search", names="identifier", naive_times=True, results="metrics.json")
    frame.to_excel(tmp_path / "grid.xlsx", index=False)
    back = pd.read_excel(tmp_path / "grid.xlsx")
    assert list(back.columns) == list(frame.columns)
    assert back["learning_rate"].tolist() == frame["learning_rate"].tolist()
    assert back["state"].tolist() == frame["state"].tolist()
    moments = (back["submitted_at"] - frame["submitted_at"]).abs()
    assert moments.max() < pd.Timedelta("1ms")
    with pytest.raises(ValueError, match="timezone"):
        xp_frame("grid-search").to_excel(tmp_path / "grid.xlsx")


def test_excel_takes_every_column(workspaces: Workspaces, tmp_path: Path) -> None:
    """So do frames with lists, structs, enums and large integers."""
    pytest.importorskip("openpyxl")
    root = workspaces.path("v270_full")
    frame = xp_frame("grid-search", workspace=root, columns=["*", "dependencies"], naive_times=True)
    frame.to_excel(tmp_path / "grid.xlsx")
    assert len(pd.read_excel(tmp_path / "grid.xlsx")) == len(frame)


@pytest.mark.usefixtures("sample")
def test_altair_query_and_attributes() -> None:
    """Altair, `query` and attributes take identifiers as they are, pandas and polars alike."""
    altair = pytest.importorskip("altair")
    for backend in ("pandas", "polars"):
        frame = xp_frame("grid-search", names="identifier", backend=backend, results="metrics.json")
        chart = (
            altair.Chart(frame)
            .mark_point()
            .encode(x="learning_rate:Q", y="result_accuracy:Q", color="model_name")
        )
        spec = chart.to_dict()
        assert spec["encoding"]["x"] == {"field": "learning_rate", "type": "quantitative"}
        assert spec["encoding"]["color"] == {"field": "model_name", "type": "nominal"}
        (rows,) = spec["datasets"].values()
        assert len(rows) == 12
        assert {row["learning_rate"] for row in rows} == {0.1, 0.01, 0.001}
    frame = xp_frame("grid-search", names="identifier")
    assert len(frame.query("learning_rate == 0.1 and state == 'done'")) == 3
    assert set(frame.model_name) == {"transformer"}


@pytest.mark.usefixtures("sample")
def test_names_are_hinted_at_as_they_are_written() -> None:
    """A column is asked for by its own name: that of another naming is a near miss."""
    with pytest.raises(xpframe.errors.ColumnError, match=r"did you mean model\.name"):
        xp_table("grid-search", columns=["model_name"], names="identifier")
    table = xp_table("grid-search", names="identifier")
    with pytest.raises(xpframe.errors.ColumnError, match="did you mean"):
        table.select("model.name")


def test_a_config_in_the_place_of_a_name_is_meant(tmp_path: Path) -> None:
    """A short name of a config is no value of that name far below: the error says how to ask."""
    run = SmallRun(tmp_path)
    below = {"id": 7, "module": "lab", "type": "M", "typename": "lab.M", "identifier": "c", "fields": {}}
    for number, m in ((0, None), (1, {"type": "python", "value": 7})):
        run.append("objects.jsonl", {**below, "fields": {"size": 3}})
        run.append("objects.jsonl", {**below, "id": 8, "fields": {"m": None, "rate": 1}})
        run.submit(number)
        lines = (run.path / "objects.jsonl").read_text().splitlines()
        job = json.loads(lines[-1])
        job["id"] += 100
        job["fields"] |= {"m": m, "pre": {"type": "python", "value": 8}}
        (run.path / "objects.jsonl").write_text("\n".join([*lines[:-1], json.dumps(job)]) + "\n")
    with pytest.raises(ColumnError) as caught:
        xpframe.xp_table("grid", workspace=tmp_path, columns="m")
    assert caught.value.hint == "it holds other values: ask for m.* or m@type"
    for number in (0, 1):
        run.execute(number).joinpath("metrics.json").write_text(json.dumps({"m": number}))
    table = xpframe.xp_table("grid", workspace=tmp_path, columns="m", results="metrics.json")
    assert table.column_values("result.m") == [0, 1]
    table = xpframe.xp_table("grid", workspace=tmp_path, columns="rate")
    assert table.column_values("config.pre.rate") == [1, 1]
