"""Results in pictures and displays, against the frames of the same values."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import xpframe
from conftest import archives, unpack
from pictures import check_svg
from xpframe import Result, sample_workspace, xp_frame, xp_series
from xpframe.errors import ColumnError, InvalidArgumentError
from xpframe.plots.series import thinned, thinned_band

METRICS = "metrics.json"


def info(root: Path | None = None, name: str = "grid-search") -> Any:
    return xpframe.Workspace(root or sample_workspace()).load_xp_info(name)


@pytest.fixture(scope="module")
def cifar(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if "lab_cifar" not in archives():
        pytest.skip("lab_cifar is not here")
    home = tmp_path_factory.mktemp("cifar")
    unpack("lab_cifar", home)
    return info(home / "cifar", "cifar")


def test_lines_coloured_by_a_result() -> None:
    """`color="result.accuracy"` colours each job by what it wrote; one without it has the colour of none."""
    picture = info().plot.parallel(color="result.accuracy", results=METRICS)
    check_svg(picture.svg)
    frame = xp_frame("grid-search", workspace=sample_workspace(), results=METRICS)
    drawn = pd.DataFrame(picture.data())
    assert drawn["result.accuracy"].isna().sum() == 1
    expected = sorted(frame["result.accuracy"].dropna())
    assert sorted(drawn["result.accuracy"].dropna()) == expected


def test_results_may_be_left_out_where_only_one_file_is_there(tmp_path: Path) -> None:
    """With one handle nothing is to be said; with several the error names them; with none it says so."""
    root = tmp_path / "workspace"
    shutil.copytree(sample_workspace(), root, symlinks=True)
    with pytest.raises(InvalidArgumentError, match=r"results='metrics\.json' or results='results\.csv'"):
        info(root).plot.parallel(color="result.accuracy")
    for path in [*root.glob("jobs/*/*/results.csv"), *root.glob("jobs/*/*/runs/*")]:
        path.unlink()
    named = info(root).plot.parallel(color="result.accuracy", results=METRICS)
    assert info(root).plot.parallel(color="result.accuracy").data() == named.data()
    assert "results: metrics.json \N{MULTIPLICATION SIGN}11 json" in info(root)._display(as_html=False)
    for path in root.glob("jobs/*/*/metrics.json"):
        path.unlink()
    with pytest.raises(InvalidArgumentError, match="no job wrote a file of a known kind"):
        info(root).plot.states(metric="result.accuracy")
    assert "results:" not in info(root)._display(as_html=False)


def test_states_beside_the_mean_of_a_metric(cifar: Any) -> None:
    """Each cell has the mean over its jobs; a cell without a number has none."""
    picture = cifar.plot.states("tags.lr", "tags.name", metric="result.val.accuracy", results=METRICS)
    check_svg(picture.svg)
    frame = cifar.frame(results=METRICS)
    means = frame.groupby(["tags.lr", "tags.name"])["result.val.accuracy"].mean()
    seen = 0
    for row in picture.data():
        expected = means[row["tags.lr"], row["tags.name"]]
        assert row["mean"] == pytest.approx(expected)
        assert f"{row['mean']:.4g}" in picture.svg
        seen += 1
    assert seen >= 6
    with pytest.raises(InvalidArgumentError, match=r"tags\.name is no number"):
        cifar.plot.states(metric="tags.name")


def test_curves_are_the_points_of_the_series() -> None:
    """A line for each job and metric, with the points of `xp_series`, coloured by a column of the job."""
    picture = info().plot.series("runs/*", metrics="val/*", color="learning_rate")
    check_svg(picture.svg)
    drawn = pd.DataFrame(picture.data())
    series = xp_series("grid-search", "runs/*", workspace=sample_workspace(), columns=["tags.learning_rate"])
    key = ["job_id", "metric", "step", "value"]
    series[["job_id", "metric"]] = series[["job_id", "metric"]].astype("str")
    expected = series.sort_values(key)[key].reset_index(drop=True)
    read = drawn.sort_values(key)[key].astype({"step": "int64"}).reset_index(drop=True)
    pd.testing.assert_frame_equal(read, expected, check_dtype=False)
    assert set(drawn["tags.learning_rate"]) == {0.1, 0.01, 0.001}
    assert set(drawn["jobs"]) == {1}


def test_mean_and_band_over_seeds(cifar: Any) -> None:
    """Jobs that differ in the seed alone are one line: the mean, and a standard deviation around it."""
    picture = cifar.plot.series("results.csv", metrics="val_acc", color="tags.lr", over="seed")
    check_svg(picture.svg)
    assert "mean and standard deviation" in repr(picture)
    drawn = pd.DataFrame(picture.data())
    rows = cifar.series("results.csv", columns=["tags.*"], quiet=True)
    grouped = rows.groupby(["tags.name", "tags.lr", "epoch"], observed=True)["val_acc"].agg(["mean", "std"])
    assert len(drawn) == len(grouped)
    assert sorted(drawn["value"]) == pytest.approx(sorted(grouped["mean"]))
    spread = (drawn["high"] - drawn["low"]) / 2
    assert sorted(spread) == pytest.approx(sorted(grouped["std"].fillna(0)))
    assert drawn["jobs"].max() == 4


def test_curves_without_steps_and_without_numbers(tmp_path: Path) -> None:
    """Rows without a step are counted; NaN and infinities leave gaps; text is no curve; nothing is drawn as
    that.
    """
    root = tmp_path / "workspace"
    shutil.copytree(sample_workspace(), root, symlinks=True)
    for path in root.glob("jobs/*/*/params.json"):
        (path.parent / "log.csv").write_text("loss,note\n1,a\nnan,b\ninf,c\n0.5,d\n")
        (path.parent / "text.csv").write_text("note\na\n")
    picture = info(root).plot.series("log.csv")
    check_svg(picture.svg)
    drawn = pd.DataFrame(picture.data())
    assert set(zip(drawn["step"], drawn["value"], strict=True)) == {(1, 1.0), (4, 0.5)}
    nothing = info(root).plot.series("text.csv")
    assert nothing.data() == []
    assert "no job wrote such a series" in nothing.svg
    for path in root.glob("jobs/*/*/params.json"):
        (path.parent / "measures.txt").write_text("AP q1 0.5\nAP all 0.5\n")
    with pytest.raises(InvalidArgumentError, match="measures of queries have no steps"):
        info(root).plot.series("measures.txt")
    with pytest.raises(ColumnError):
        info(root).plot.series("log.csv", color="no such column")
    with pytest.raises(InvalidArgumentError):
        info(root).plot.series("no_such_parameter")


def test_many_long_curves_stay_small() -> None:
    """Twelve jobs of 20,000 points: the picture is small, `data` has every point."""

    def noise(path: Path) -> list[dict[str, float]]:
        seed = int(path.parent.name[:4], 16)
        return [
            {"step": step, "loss": math.sin(seed + step / 300) + (step * seed % 7)} for step in range(20_000)
        ]

    picture = info().plot.series(Result("results.csv", format=noise), color="learning_rate")
    check_svg(picture.svg)
    assert len(picture.data()) == 12 * 20_000


def test_thinned_lines_keep_their_extremes() -> None:
    """The least and greatest values of a line are drawn, however long it is."""
    points = [(float(step), math.sin(step) * (50 if step == 4_321 else 1)) for step in range(10_000)]
    short = thinned(points, 100)
    assert len(short) <= 110
    assert {min(points, key=lambda p: p[1]), max(points, key=lambda p: p[1])} <= set(short)
    assert short == sorted(short)
    assert thinned(points[:50], 100) == points[:50]
    band = [(step, value - 1, value + 1) for step, value in points]
    assert len(thinned_band(band, 100)) == 100
    assert min(low for _, low, _ in thinned_band(band, 100)) == min(low for _, low, _ in band)


def test_a_run_lists_its_handles() -> None:
    """The display names what `results=` takes, with kinds and numbers of jobs."""
    shown = info()._display(as_html=False)
    times = "\N{MULTIPLICATION SIGN}"
    line = f"results: metrics.json {times}11 json, results.csv {times}12 csv, "
    line += f"runs/events.out.tfevents.* {times}12 TensorBoard"
    assert line in shown
    assert line in info()._display(as_html=True)
