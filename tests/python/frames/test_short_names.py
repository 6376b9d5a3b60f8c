"""Frames with short names in libraries that parse names: Altair through polars, seaborn, R through CSV."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import matplotlib.pyplot as plt
import polars as pl
import pytest
import seaborn as sns

from xpframe import sample_workspace, xp_frame, xp_table

plt.switch_backend("Agg")
COLUMNS = {
    "size": "tags.hidden_size",
    "lr": "tags.learning_rate",
    "state": "state",
    "accuracy": "result.accuracy",
}


def short_frame() -> pl.DataFrame:
    return xp_frame(
        "grid-search", workspace=sample_workspace(), columns=COLUMNS, results="metrics.json", backend="polars"
    )


@pytest.mark.parametrize("kind", ["point", "line", "bar"])
def test_altair_by_polars(kind: str) -> None:
    """`df.plot` encodes columns by name, with their types and all rows."""
    pytest.importorskip("altair")
    chart = getattr(short_frame().plot, kind)(x="lr", y="accuracy", color="size")
    made = chart.to_dict()
    assert {part: made["encoding"][part] for part in ("x", "y")} == {
        "x": {"field": "lr", "type": "quantitative"},
        "y": {"field": "accuracy", "type": "quantitative"},
    }
    (rows,) = made["datasets"].values()
    assert len(rows) == 12
    assert sum(row["accuracy"] is None for row in rows) == 1


def test_altair_reads_names_with_dots_as_paths() -> None:
    """The reason for short names: Altair would look for `learning_rate` inside of `tags`."""
    pytest.importorskip("altair")
    frame = xp_frame("grid-search", workspace=sample_workspace(), backend="polars")
    encoded = frame.plot.point(x="tags.learning_rate", y="duration_s").to_dict()["encoding"]["x"]
    assert encoded["field"] == "tags.learning_rate"
    short = xp_frame("grid-search", workspace=sample_workspace(), backend="polars", names="short")
    assert {"learning_rate", "hidden_size"} <= set(short.columns)


@pytest.mark.slow
# seaborn 0.13 lags behind matplotlib 3.11 and pandas 3.1, whatever the frame
@pytest.mark.filterwarnings("ignore:vert. bool was deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated:DeprecationWarning")
def test_seaborn() -> None:
    """seaborn draws a frame with short names, a failed job without results included."""
    frame = xp_frame("grid-search", workspace=sample_workspace(), columns=COLUMNS, results="metrics.json")
    grid = sns.relplot(frame, x="lr", y="accuracy", hue="size", style="state", kind="scatter")
    grid.figure.canvas.draw()
    axes = sns.heatmap(frame.pivot_table(index="size", columns="lr", values="accuracy"), annot=True)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("lr", "size")
    plt.close("all")


def rscript(folder: Path, script: str) -> list[list[str]]:
    """What R prints, as words by line."""
    command = ["Rscript", "--vanilla", "-e", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


needs_r = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
SHOWN = """
    cat(nrow(jobs), ncol(jobs), sum(is.na(jobs[["result.accuracy"]])), "\\n")
    cat(class(jobs[["tags.hidden_size"]]), class(jobs[["tags.learning_rate"]]), class(jobs$state), "\\n")
    cat(sum(jobs[["tags.hidden_size"]]), "\\n")
"""


@needs_r
@pytest.mark.parametrize(
    "read",
    [
        'read.csv("jobs.csv", check.names = FALSE, na.strings = "")',
        'arrow::read_feather("jobs.arrow")',
        'arrow::read_parquet("jobs.parquet")',
    ],
)
def test_r_reads_files(read: str, tmp_path: Path) -> None:
    """R reads what `write` gives: names, types and missing values; CSV without any package."""
    if "arrow::" in read and rscript(tmp_path, 'cat(requireNamespace("arrow", quietly = TRUE))') != [
        ["TRUE"]
    ]:
        pytest.skip("the package arrow of R is not installed")
    table = xp_table("grid-search", workspace=sample_workspace(), results="metrics.json")
    for ending in ("csv", "arrow", "parquet"):
        table.write(tmp_path / f"jobs.{ending}")
    numbers, classes, total = rscript(tmp_path, f"jobs <- {read}\n{SHOWN}")
    assert numbers == [str(len(table)), str(len(table.column_names)), "1"]
    assert classes == ["integer", "numeric", "character"]
    assert total == [str(sum(table.column_values("tags.hidden_size")))]
