"""Pictures: SVG that stands anywhere, the data behind it, and files."""

from __future__ import annotations

import builtins
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import xpframe
from conftest import REPOSITORY, Workspaces, references
from engine import load
from pictures import KINDS, SVG, check_svg, contrast, drawn, runs, texts
from xpframe.errors import ColumnError, InvalidArgumentError, MissingLibraryError
from xpframe.plots.canvas import INK, gradient
from xpframe.plots.ruler import ruler


def info_of(workspaces: Workspaces, workspace: str, experiment: str) -> Any:
    return load(workspaces.path(workspace) / "experiments" / experiment / "current")


@pytest.mark.parametrize("name", references())
def test_every_picture_of_every_run(name: str, workspaces: Workspaces) -> None:
    """Every run of every real workspace can be drawn; only jobs that do not differ have no parallel axes."""
    seen = 0
    for run in runs(xpframe.Workspace(workspaces.path(name)).path):
        info = load(run)
        for kind in KINDS:
            picture = drawn(info, kind)
            if picture is None:
                continue
            check_svg(picture.svg)
            assert picture._repr_mimebundle_() == {"image/svg+xml": picture.svg, "text/plain": repr(picture)}
            seen += 1
    assert seen >= 3


def test_states_over_two_factors(workspaces: Workspaces) -> None:
    """The grid counts each job once, by the values that were asked for."""
    info = info_of(workspaces, "v270_full", "grid-search")
    picture = info.plot.states("learning_rate", y="tags.size")
    rows = picture.data()
    assert sum(row["jobs"] for row in rows) == len(info.jobs) == 9
    assert {row["tags.learning_rate"] for row in rows} == {1e-05, 0.001}
    assert {row["tags.size"] for row in rows} == {128, 256}
    assert {"tags.learning_rate", "tags.size", "128", "256", "9 done"} <= set(texts(picture))
    assert (
        check_svg(picture.svg).attrib["aria-label"] == "9 jobs by state over tags.learning_rate and tags.size"
    )


def test_states_have_signs_beside_colours(workspaces: Workspaces) -> None:
    """Who sees no colours reads the signs; states that share a cell are all in its tooltip."""
    picture = info_of(workspaces, "v270_quirks", "die").plot.states("tags.how", "task")
    assert {"✓", "✗"} <= set(texts(picture))
    assert Counter(row["state"] for row in picture.data())["error"] >= 4


def test_parallel_coordinates(workspaces: Workspaces) -> None:
    """A line for each job through the columns that were asked for, coloured by a number."""
    info = info_of(workspaces, "v270_full", "grid-search")
    picture = info.plot.parallel(color="duration_s", columns=["tags.size", "learning_rate"])
    assert [*picture.data()[0]] == ["tags.size", "tags.learning_rate", "duration_s"]
    assert len(picture.data()) == 9
    root = check_svg(picture.svg)
    (lines,) = root.iter(f"{SVG}g")
    assert 4 <= len(lines) <= 9
    assert len({line.attrib["stroke"] for line in lines}) > 1


def test_axes_do_not_say_the_same_twice(workspaces: Workspaces) -> None:
    """A parameter that repeats a tag has no axis of its own."""
    names = info_of(workspaces, "v270_full", "grid-search").plot.parallel().data()[0]
    assert "tags.learning_rate" in names
    assert "config.learning_rate" not in names


def test_timeline(workspaces: Workspaces) -> None:
    """Each job that started has a bar, in the order of time."""
    picture = info_of(workspaces, "v270_full", "ablation").plot.timeline()
    started = [row["started_at"] for row in picture.data()]
    assert len(started) == 23
    assert all(isinstance(time, datetime) and time.tzinfo for time in started)
    assert started == sorted(started)
    assert "3 more not started or not shown" in texts(picture)
    assert sum(element.tag == f"{SVG}title" for element in ET.fromstring(picture.svg).iter()) == 23


def test_tasks_and_what_they_need(workspaces: Workspaces) -> None:
    """An arrow for each pair of kinds, with the number of dependencies between their jobs."""
    info = info_of(workspaces, "v270_full", "ablation")
    picture = info.plot.tasks()
    kinds = [(row["needs"].rpartition(".")[2], row["task"].rpartition(".")[2]) for row in picture.data()]
    needs = dict(zip(kinds, (row["dependencies"] for row in picture.data()), strict=True))
    assert needs[("train", "evaluate")] == 2
    assert sum(needs.values()) == sum(map(len, info.dependencies.values()))
    assert {"train", "evaluate", "sgdrun", "7 jobs"} <= set(texts(picture))


def tagged(home: Path, values: list[Any]) -> Any:
    """A run of 60 jobs that fail each third time, with one of the values and a number each as tags."""
    shutil.copytree(xpframe.sample_workspace(), home / "sample", symlinks=True)
    (path,) = (home / "sample").glob("experiments/*/2*/jobs.jsonl")
    record = json.loads(path.read_text().splitlines()[0])
    states, lines = {}, []
    for at in range(60):
        job_id = f"{at:064x}"
        states[job_id] = "done" if at % 3 else "error"
        tags = {"v": values[at % len(values)], "n": 2000 + at}
        lines.append(json.dumps(record | {"job_id": job_id, "tags": tags, "timestamp": 1.79e9 + at}) + "\n")
    path.write_text("".join(lines))
    status = json.loads((path.parent / "status.json").read_text()) | {"job_states": states}
    (path.parent / "status.json").write_text(json.dumps(status))
    return load(path.parent)


NAN, INF = float("nan"), float("inf")
ODD: dict[str, list[Any]] = {
    "one": [1],
    "none": [None],
    "nan": [NAN, *range(20)],
    "infinite": [INF, -INF, *(at / 7 for at in range(20))],
    "booleans": [True, False, None],
    "lists": [[1, 2], [], [1, 2], ["<script>"]],
    "extreme": [1e308, -1e308, 5e-324, *(at * 1e306 for at in range(-20, 20))],
    "tiny": [10.0 ** (-5 * at) for at in range(60)],
    "beyond floats": [10 ** (400 + at) for at in range(20)],
    "beyond 64 bits": [2**64 + at for at in range(20)],
    "alike": [1_795_434_058 + at for at in range(20)],
    "dates": [f"2026-01-{at:02}" for at in range(1, 29)],
    "categories": [f"category {at}" for at in range(60)],
    "hostile": ["</svg><script>alert(1)</script>", "a\0b", "\u202e", "\ud800", "", "x" * 1_000_000],
}


@pytest.mark.parametrize("kind", ODD)
def test_values_of_any_kind_are_drawn(kind: str, tmp_path: Path) -> None:
    """NaN, infinities, lists, numbers beyond floats, categories: each is drawn, as axis and as colour."""
    info = tagged(tmp_path, ODD[kind])
    pictures = [info.plot.states("tags.v"), info.plot.states("tags.n", "tags.v")]
    pictures += [info.plot.parallel("tags.v", ["tags.n", "tags.v"]), info.plot.parallel("tags.v", ["state"])]
    pictures += [info.plot.parallel(), info.plot.states("dependencies", "submitted_at")]
    for picture in pictures:
        check_svg(picture.svg)
        assert picture.png(0.2)[:4] == b"\x89PNG"
    assert len(pd.DataFrame(pictures[2].data())) == 60


def test_all_nan_are_one_value(tmp_path: Path) -> None:
    """NaN stands once at an axis, apart from the scale of the numbers."""
    picture = tagged(tmp_path, ODD["nan"]).plot.parallel("state", ["tags.v", "tags.n"])
    assert texts(picture).count("nan") == 1
    assert {"0", "5", "10", "15"} <= set(texts(picture))


def test_times_are_times(tmp_path: Path, workspaces: Workspaces) -> None:
    """A column of times shows times, and its data are datetimes."""
    info = info_of(workspaces, "v270_full", "grid-search")
    picture = info.plot.states("started_at", "task")
    assert all(isinstance(row["started_at"], datetime) for row in picture.data())
    assert any(text.startswith("2026-11-23 0") for text in texts(picture))
    picture = tagged(tmp_path, [1]).plot.parallel("submitted_at", ["submitted_at", "tags.n"])
    assert any(re.fullmatch(r"\d\d:\d\d:\d\d(\.\d+)?", text) for text in texts(picture))


def test_scales_have_round_marks_between_the_values() -> None:
    """Few round marks that differ, in order, also where numbers are alike, far apart or infinite in width."""
    scales: list[list[float]] = [
        [0.0019, 0.0988],
        [1e-5, 1.0],
        [-1e308, 1e308],
        [5e-324, 1e300],
        [1e9 + 1, 1e9 + 60],
        [-3, 7],
    ]
    for low, high in scales:
        share, marks = ruler({low: low, high: high})
        assert share(low) == 0.0
        assert share(high) == pytest.approx(1.0)
        assert 2 <= len(marks) <= 7
        assert len({label for _, label in marks}) == len(marks)
        places = [share(at) for at, _ in marks]
        assert places == sorted(places)
        assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)
    assert [label for _, label in ruler({0: 0.0019, 1: 0.0988})[1]] == ["0.02", "0.04", "0.06", "0.08"]
    assert [label for _, label in ruler({0: 1e-5, 1: 1.0})[1]] == [
        "1e-05",
        "0.0001",
        "0.001",
        "0.01",
        "0.1",
        "1",
    ]


def test_counts_stand_on_the_colour_that_they_count(tmp_path: Path) -> None:
    """A cell of several states says how many are in each, however few: never the sum on one colour."""
    picture = tagged(tmp_path, [1, 2]).plot.states("tags.v", "task")
    cells = Counter({(row["tags.v"], row["state"]): row["jobs"] for row in picture.data()})
    assert cells == {(1, "done"): 20, (1, "error"): 10, (2, "done"): 20, (2, "error"): 10}
    assert texts(picture).count("20") == texts(picture).count("10") == 2
    assert "30" not in texts(picture)


def test_rows_and_columns_differ_where_there_is_nothing_to_choose(tmp_path: Path) -> None:
    """Of a run whose jobs differ in too many values the grid is states by tasks."""
    picture = tagged(tmp_path, ["same"]).plot.states()
    assert list(picture.data()[0]) == ["state", "task", "jobs"]
    assert {"done", "error", "40", "20"} <= set(texts(picture))


def test_axes_are_those_of_the_most_jobs(tmp_path: Path) -> None:
    """Columns of few jobs are no axes unless asked for; jobs that have none of the axes are counted."""
    info = tagged(tmp_path, [1])
    path = info.path / "jobs.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for at, record in enumerate(records):
        record["tags"] = {"rare": at} if at < 10 else {"often": at} if at < 50 else {}
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    picture = load(info.path).plot.parallel()
    assert list(picture.data()[0]) == ["tags.often", "state"]
    assert len(picture.data()) == 40
    assert "40 jobs; 20 more have none of these" in texts(picture)
    assert len(load(info.path).plot.parallel(columns=["rare", "often"]).data()) == 60


def test_a_run_without_jobs_is_drawn(tmp_path: Path) -> None:
    """Of no jobs there are pictures too, that say so."""
    info = tagged(tmp_path, [1])
    (info.path / "jobs.jsonl").write_text("")
    empty = load(info.path)
    assert len(empty.jobs) == 0
    for picture in (empty.plot.states(), empty.plot.timeline(), empty.plot.tasks()):
        check_svg(picture.svg)
    assert texts(empty.plot.parallel(columns=["state"])) == ["no jobs"]


def test_data_makes_frames(workspaces: Workspaces) -> None:
    """What was drawn goes into pandas and polars as it is."""
    picture = info_of(workspaces, "v270_full", "grid-search").plot.timeline()
    assert pl.DataFrame(picture.data()).shape == (9, 6)
    assert pd.DataFrame(picture.data()).shape == (9, 6)


def test_save(workspaces: Workspaces, tmp_path: Path) -> None:
    """A picture is saved by the ending of the name: SVG, PNG, or an error that says what there is."""
    picture = info_of(workspaces, "v270_full", "grid-search").plot.tasks()
    svg, png = picture.save(tmp_path / "tasks.svg"), picture.save(str(tmp_path / "tasks.PNG"))
    assert svg.read_text() == picture.svg
    assert png.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    width = int(ET.fromstring(picture.svg).attrib["width"])
    assert int.from_bytes(png.read_bytes()[16:20], "big") == 2 * width
    with pytest.raises(InvalidArgumentError, match=r"'tasks\.jpg' \(end it in \.svg or \.png\)"):
        picture.save(tmp_path / "tasks.jpg")


def test_a_missing_converter_is_named(
    workspaces: Workspaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without resvg-py a PNG is refused with what to install, and nothing is written."""
    picture = info_of(workspaces, "v270_full", "grid-search").plot.tasks()
    original = builtins.__import__

    def without(name: str, *args: Any, **options: Any) -> Any:
        if name == "resvg_py":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return original(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingLibraryError, match=r"pip install 'xpframe\[png\]', or save as \.svg"):
        picture.save(tmp_path / "tasks.png")
    assert list(tmp_path.iterdir()) == []


def test_unknown_columns(workspaces: Workspaces) -> None:
    """A column that is not there, or a glob of several, is an error that names it."""
    plot = info_of(workspaces, "v270_full", "grid-search").plot
    with pytest.raises(ColumnError, match=r"tags\.learning_rat"):
        plot.states("tags.learning_rat")
    with pytest.raises(InvalidArgumentError, match=r"'tags\.\*' matches 7 columns"):
        plot.states("tags.*")


def test_colours_stand_out_on_light_and_dark() -> None:
    """The ink and every colour of the scale have contrast on white and on JupyterLab's black."""
    inks = [INK, *(gradient(step / 20) for step in range(21))]
    assert contrast(INK, "#ffffff") >= 4.5
    assert contrast(INK, "#111111") > 4
    assert min(contrast(ink, page) for ink in inks for page in ("#ffffff", "#111111")) > 2.1
    assert len(set(inks)) == 22


@pytest.mark.slow
def test_ten_thousand_jobs(tmp_path: Path) -> None:
    """A run of 10,000 jobs is drawn in pictures of less than 300 kB, its lines as a density."""
    generate = [sys.executable, str(REPOSITORY / "benches" / "gen.py"), "--shape", "rich"]
    subprocess.run([*generate, "--jobs", "10000", "--out", str(tmp_path)], check=True)
    info = xpframe.Workspace(tmp_path).load_xp_info("rich")
    for kind in KINDS:
        picture = getattr(info.plot, kind)()
        check_svg(picture.svg)
        assert kind != "parallel" or "bands: the wider, the more jobs" in texts(picture)
    assert sum(row["jobs"] for row in info.plot.states().data()) == 10_000
