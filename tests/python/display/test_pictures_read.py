"""What makes pictures readable: labels, scales, contrast, density, one task at a time."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import xpframe
from conftest import Workspaces, references
from engine import load
from geometry import texts_of, texts_on_lines, texts_on_texts
from pages import quiet
from pictures import KINDS, SVG, check_svg, contrast, drawn, runs, texts
from xpframe.display.style import COLOURS, SYMBOLS
from xpframe.errors import XpFrameError
from xpframe.plots.parallel import MAX_BANDS, SCALE_STEPS, SCALE_WIDTH
from xpframe.plots.tasks import BOX_HEIGHT, Box, passes_below
from xpframe.summary import STATES


def sweep(home: Path, jobs: list[dict[str, Any]]) -> Any:
    """A run with a job for each dict: ``task`` and ``state``, the rest are tags."""
    shutil.copytree(xpframe.sample_workspace(), home / "sample", symlinks=True)
    (path,) = (home / "sample").glob("experiments/*/2*/jobs.jsonl")
    record = json.loads(path.read_text().splitlines()[0])
    states, lines = {}, []
    for index, job in enumerate(jobs):
        job_id = f"{index:064x}"
        states[job_id] = job.get("state", "done")
        task = job.get("task", record["task_id"])
        tags = {name: value for name, value in job.items() if name not in ("task", "state")}
        row = {"job_id": job_id, "task_id": task, "tags": tags, "timestamp": 1.79e9 + index}
        lines.append(json.dumps(record | row) + "\n")
    path.write_text("".join(lines))
    status = json.loads((path.parent / "status.json").read_text()) | {"job_states": states}
    (path.parent / "status.json").write_text(json.dumps(status))
    return load(path.parent)


@pytest.mark.parametrize("name", references())
def test_no_text_on_a_line(name: str, workspaces: Workspaces) -> None:
    """In no picture of a real run does a line go through a text."""
    seen = 0
    for path in runs(xpframe.Workspace(workspaces.path(name)).path):
        info = load(path)
        for kind in KINDS:
            if (picture := drawn(info, kind)) is None:
                continue
            root = ET.fromstring(picture.svg)
            assert texts_on_lines(root) == [], (path, kind)
            seen += len(texts_of(root))
    assert seen > 20


def test_lines_through_texts_are_seen() -> None:
    """The look at lines finds one through a text, and none where a mask hides it."""
    text = '<text x="10" y="20">label</text>'
    path = '<path d="M0 17C20 17 40 17 60 17" fill="none"/>'
    mask = '<mask><rect width="99" height="99"/><rect x="5" y="10" width="40" height="14"/></mask>'
    start = f'<svg xmlns="{SVG[1:-1]}">'
    assert texts_on_lines(ET.fromstring(f"{start}{path}{text}</svg>")) == ["label"]
    assert texts_on_lines(ET.fromstring(f"{start}{mask}<g>{path}</g>{text}</svg>")) == []
    assert texts_on_texts(ET.fromstring(f"{start}{text}{text}</svg>")) == [("label", "label")]


def test_every_state_has_a_word_a_colour_and_a_sign() -> None:
    """The words are those of the column; white text is readable on each colour, each colour on both pages."""
    states = ["done", "error", "running", "waiting", "ready", "scheduled", "unscheduled", "transient", "lost"]
    assert set(STATES) == set(COLOURS) == set(SYMBOLS) == set(states)
    assert len(set(COLOURS.values())) == len(set(SYMBOLS.values())) == len(states)
    assert min(contrast(colour, "#ffffff") for colour in COLOURS.values()) >= 4.5
    assert min(contrast(colour, "#111111") for colour in COLOURS.values()) >= 3


def test_words_are_those_of_the_column(tmp_path: Path) -> None:
    """Pictures, their data and displays have the words of the column, each state by itself."""
    info = sweep(tmp_path, [{"a": index % 2, "state": state} for index, state in enumerate(STATES)])
    column = quiet(lambda: info.table(columns=["state"])).column_values("state")
    words = set(column)
    assert words == set(info.states.values())
    assert len(words) >= 4
    assert {row["state"] for row in info.plot.states("tags.a", "task").data()} == words
    assert {row["state"] for row in info.plot.parallel("state", ["tags.a"]).data()} == words
    shown = info._display(as_html=False)
    for word, count in Counter(column).items():
        assert f"{count} {word}" in shown
    assert "failed" not in shown + repr(info) + info.jobs._display(as_html=False)


def test_states_prefer_tags_and_have_a_title(tmp_path: Path, workspaces: Workspaces) -> None:
    """Tags come before parameters, however many jobs have these; the title says what is drawn."""
    info = load(workspaces.path("v270_full") / "experiments" / "grid-search" / "20261123_071805")
    picture = info.plot.states()
    assert list(picture.data()[0])[:2] == ["tags.size", "tags.learning_rate"]
    assert "9 jobs by state over tags.size and tags.learning_rate" in texts(picture)
    one = sweep(tmp_path, [{"a": 1}, {"a": 2}])
    assert any(text.startswith("2 jobs by state over tags.a and") for text in texts(one.plot.states()))


def two_tasks(home: Path) -> Any:
    jobs = [{"task": "lab.tasks.train", "lr": index % 3, "seed": index % 2} for index in range(12)]
    jobs += [{"task": "lab.tasks.judge", "metric": str(index % 2), "split": index % 3} for index in range(6)]
    return sweep(home, [*jobs, {"task": "lab.tasks.report"}])


def test_one_task_at_a_time(tmp_path: Path) -> None:
    """Where tasks differ in their columns, a picture shows the one of most jobs, and names the others."""
    info = two_tasks(tmp_path)
    for picture in (info.plot.states(), info.plot.parallel()):
        rows = picture.data()
        assert {"tags.lr", "tags.seed"} <= set(rows[0])
        assert None not in {value for row in rows for value in row.values()}
        assert "12 jobs of train" in " ".join(texts(picture))
        assert "7 jobs of other tasks not shown: task='judge', task='report'" in texts(picture)
    assert sum(row["jobs"] for row in info.plot.states().data()) == len(info.plot.parallel().data()) == 12
    judge = info.plot.states(task="judge")
    assert list(judge.data()[0])[:2] == ["tags.metric", "tags.split"]
    assert sum(row["jobs"] for row in judge.data()) == 6
    assert len(info.plot.parallel(task="*judge", columns=["metric"]).data()) == 6
    # columns that are named are drawn for all jobs
    assert sum(row["jobs"] for row in info.plot.states("tags.lr", "task").data()) == 19
    assert len(info.plot.parallel(columns=["tags.lr"]).data()) == 19
    with pytest.raises(XpFrameError, match="jury"):
        info.plot.states(task="jury")


def test_tasks_with_the_same_columns_are_one_picture(tmp_path: Path) -> None:
    """Tasks whose jobs all have the chosen columns are not separated."""
    info = sweep(tmp_path, [{"task": f"lab.t{at % 2}", "a": at % 3, "b": at % 4} for at in range(12)])
    assert sum(row["jobs"] for row in info.plot.states().data()) == 12
    assert len(info.plot.parallel().data()) == 12


@pytest.mark.parametrize("values", [[1, 2, 4, 8], [10.0**-at for at in range(6)], list(range(30))])
def test_a_colour_scale_is_a_scale(values: list[float], tmp_path: Path) -> None:
    """Numbers are coloured by their position on a bar with ticks, not by their rank."""
    info = sweep(tmp_path, [{"a": at % 2, "n": values[at % len(values)]} for at in range(60)])
    picture = info.plot.parallel("tags.n", ["tags.a"])
    root = check_svg(picture.svg)
    bars = [rect for rect in root.iter(f"{SVG}rect") if rect.attrib.get("height") == "9.0"]
    lefts = [float(bar.attrib["x"]) for bar in bars]
    assert len(bars) == SCALE_STEPS
    assert lefts == sorted(lefts)
    assert lefts[-1] - lefts[0] < SCALE_WIDTH
    below = [box for box in texts_of(root) if abs(box.bottom - 351) < 1]
    assert len(below) >= 2
    assert all(lefts[0] - 20 < (box.left + box.right) / 2 < lefts[0] + SCALE_WIDTH + 20 for box in below)
    numbers = [float(box.text) for box in sorted(below, key=lambda box: box.left)]
    assert numbers == sorted(numbers)
    assert texts_on_texts(root) == []
    strokes = {path.attrib["stroke"] for group in root.iter(f"{SVG}g") for path in group}
    assert len(strokes) == len(values)


def test_many_jobs_are_a_density(tmp_path: Path) -> None:
    """10,000 different jobs are bands, all of them counted; rare states are drawn last."""
    jobs = [
        {"a": at / 7, "b": at * 7919 % 10_007, "c": at % 5, "state": "error" if at % 100 == 0 else "done"}
        for at in range(10_000)
    ]
    info = sweep(tmp_path, jobs)
    picture = info.plot.parallel(columns=["tags.a", "tags.b", "tags.c"])
    assert len(picture.data()) == 10_000
    root = check_svg(picture.svg)
    (group,) = root.iter(f"{SVG}g")
    paths = list(group)
    assert len(paths) <= MAX_BANDS
    widths = [float(path.attrib["stroke-width"]) for path in paths]
    assert widths == sorted(widths, reverse=True)
    assert paths[-1].attrib["stroke"] == COLOURS["error"]
    assert {path.attrib["stroke"] for path in paths} == {COLOURS["done"], COLOURS["error"]}
    # between two axes the bands together cover about the height of these
    height = 310 - 74
    between: dict[str, float] = {}
    for path in paths:
        left = path.attrib["d"].partition(" ")[0]
        between[left] = between.get(left, 0.0) + float(path.attrib["stroke-width"])
    assert all(0.3 * height < covered < 4 * height for covered in between.values())
    assert "bands: the wider, the more jobs" in texts(picture)
    assert texts_on_lines(root) == []
    numbers = info.plot.parallel("tags.b", ["tags.a", "tags.c"])
    check_svg(numbers.svg)
    assert len(numbers.data()) == 10_000


def test_arrows_pass_below_boxes(workspaces: Workspaces) -> None:
    """The count of each arrow stands in a gap of it; an arrow that skips a layer passes below its boxes."""
    boxes = [Box(name, Counter(), layer, 100.0 * layer, 8.0, 60.0) for layer, name in enumerate("abc")]
    assert passes_below(boxes[0], boxes[1], boxes) == 0
    assert passes_below(boxes[0], boxes[2], boxes) > boxes[1].y + BOX_HEIGHT
    info = load(workspaces.path("v270_full") / "experiments" / "ablation" / "current")
    root = ET.fromstring(info.plot.tasks().svg)
    assert texts_on_lines(root) == []
    assert texts_on_texts(root) == []


def test_texts_do_not_cover_each_other(workspaces: Workspaces) -> None:
    """In pictures of a grid no text covers another."""
    info = load(workspaces.path("v270_full") / "experiments" / "grid-search" / "20261123_071805")
    for kind in KINDS:
        picture = drawn(info, kind)
        assert picture is not None
        assert texts_on_texts(ET.fromstring(picture.svg)) == [], kind
