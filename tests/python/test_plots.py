"""Pictures: SVG that stands anywhere, the data behind it, and files."""

from __future__ import annotations

import builtins
import re
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
from conftest import REPOSITORY, Workspaces, archives
from engine import load
from xpframe.errors import ColumnError, InvalidArgumentError, MissingLibraryError
from xpframe.plots import Picture
from xpframe.plots.canvas import INK, gradient
from xpframe.plots.columns import varying

SVG = "{http://www.w3.org/2000/svg}"
KINDS = ("states", "parallel", "timeline", "tasks")


def check_svg(svg: str) -> ET.Element:
    """An SVG is well-formed, small, and holds neither scripts nor anything to be fetched."""
    assert len(svg) < 300_000
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "g", "rect", "path", "text", "title", "mask"}
    names = {name for element in root.iter() for name in element.attrib}
    assert not any(":" in name or name.startswith("on") for name in names)
    numbers = re.sub(r">[^<]*<|aria-label=\"[^\"]*\"", "", svg).replace(SVG[1:-1], "")
    assert not re.search(r"https?:|nan|inf", numbers)
    assert svg.isprintable()
    return root


def texts(picture: Picture) -> list[str]:
    return [element.text or "" for element in ET.fromstring(picture.svg).iter(f"{SVG}text")]


def info_of(workspaces: Workspaces, workspace: str, experiment: str) -> Any:
    return load(workspaces.path(workspace) / "experiments" / experiment / "current")


@pytest.mark.parametrize("name", archives())
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


def drawn(info: Any, kind: str) -> Picture | None:
    """A picture of a run; None for parallel axes of a run whose jobs do not differ."""
    if kind != "parallel" or varying(info._run, 1_000):
        picture: Picture = getattr(info.plot, kind)()
        return picture
    with pytest.raises(InvalidArgumentError, match="the jobs differ in no column"):
        info.plot.parallel()
    return None


def runs(root: Path) -> list[Path]:
    return [path for path in (*root.glob("experiments/*/2*"), *root.glob("xp/*")) if path.is_dir()]


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
    assert Counter(row["state"] for row in picture.data())["failed"] >= 4


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
            raise ImportError(name)
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
    with pytest.raises(InvalidArgumentError, match=r"'tags\.\*' means 7 columns"):
        plot.states("tags.*")


def test_colours_stand_out_on_light_and_dark() -> None:
    """The ink and every colour of the scale have contrast on white and on JupyterLab's black."""
    inks = [INK, *(gradient(step / 20) for step in range(21))]
    assert contrast(INK, "#ffffff") > 4
    assert contrast(INK, "#111111") > 4
    assert min(contrast(ink, page) for ink in inks for page in ("#ffffff", "#111111")) > 2.1
    assert len(set(inks)) == 22


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_ten_thousand_jobs(tmp_path: Path) -> None:
    """A run of 10,000 jobs is drawn in pictures of less than 300 kB that count what they leave out."""
    generate = [sys.executable, str(REPOSITORY / "benches" / "gen.py"), "--shape", "rich"]
    subprocess.run([*generate, "--jobs", "10000", "--out", str(tmp_path)], check=True)
    info = xpframe.Workspace(tmp_path).load_xp_info("rich")
    for kind in KINDS:
        picture = getattr(info.plot, kind)()
        check_svg(picture.svg)
        assert kind != "parallel" or any("more lines not shown" in text for text in texts(picture))
    assert sum(row["jobs"] for row in info.plot.states().data()) == 10_000
