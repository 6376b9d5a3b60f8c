"""The mosaic and the two columns, as HTML and text; the commands `diff` and `missing`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import xpframe
from pages import HOSTILE, check_html, text_of
from small_runs import SmallRun
from xpframe.analysis import coverage, mosaic, side_by_side
from xpframe.cli import main
from xpframe.errors import InvalidArgumentError


def printable(text: str) -> bool:
    return all(character.isprintable() or character == "\n" for character in text)


def test_hostile_values_are_inert_in_a_mosaic() -> None:
    """Scripts, quotes, escapes and long texts in names and values are text, in a page and in a terminal."""
    texts = list(HOSTILE.values())
    jobs = pl.DataFrame(
        {
            "task": [HOSTILE["script"]] * len(texts) + [HOSTILE["ansi"]],
            "state": [HOSTILE["quotes"], *["done"] * len(texts)],
            "tags.x": [*(text.encode("utf-8", "replace").decode()[:300] for text in texts), texts[0]],
            f"tags.{HOSTILE['closing']}": range(len(texts) + 1),
        }
    )
    shown = mosaic(jobs, by=["x", f"tags.{HOSTILE['closing']}"])
    check_html(shown._repr_html_())
    assert printable(str(shown))
    assert repr(shown).isprintable()
    assert "<script>alert('x')</script>" in text_of(shown._repr_html_())


def test_hostile_values_are_inert_in_two_columns() -> None:
    """Names and values of any kind are text in both forms of a diff, and long ones are cut."""
    sides: list[dict[str, Any]] = [
        {f"config.{name}": value for name, value in HOSTILE.items()} | {f"config.{HOSTILE['script']}": 1},
        {f"config.{name}": 1 for name in HOSTILE} | {f"config.{HOSTILE['script']}": HOSTILE["closing"]},
    ]
    shown = side_by_side(*sides)
    check_html(shown._repr_html_())
    assert printable(str(shown))
    assert max(map(len, str(shown).splitlines())) < 600
    assert len(shown) == len(HOSTILE) + 1


def test_a_mosaic_in_html() -> None:
    """Tiles have the colour, sign and count of their jobs; a missing cell is outlined and named."""
    jobs = pl.DataFrame(
        {
            "task": ["t"] * 4,
            "state": ["done", "error", "done", "running"],
            "tags.lr": [1, 1, 2, 2],
            "tags.seed": [1, 2, 1, 1],
        }
    )
    page = mosaic(jobs)._repr_html_()
    check_html(page)
    text = text_of(page)
    assert "4 cells: 3 with jobs, 1 missing" in text
    assert "t tags.lr=2, tags.seed=2" in text
    assert "▸2" in text
    assert 'title="tags.lr=2, tags.seed=1: 1 done, 1 running"' in page
    assert 'title="tags.lr=2, tags.seed=2: missing"' in page


def test_large_and_odd_mosaics_are_capped() -> None:
    """Hundreds of rows, tasks and missing cells are cut; no jobs and no factors are shown too."""
    cells = [(f"task{at % 30}", at // 30, at * 7 % 90) for at in range(3000)]
    jobs = pl.DataFrame(cells, schema=["task", "tags.a", "tags.b"], orient="row")
    shown = mosaic(jobs)
    check_html(shown._repr_html_())
    assert "… and more tasks" in str(shown)
    assert len(str(shown).splitlines()) < 2000
    assert str(mosaic(jobs[:0])) == "0 cells: 0 with jobs, 0 missing"
    alone = mosaic(pl.DataFrame({"task": ["t", "t"]}))
    assert "1 cell: 1 with jobs, 0 missing" in str(alone)
    check_html(alone._repr_html_())


def test_a_mosaic_says_what_is_no_grid() -> None:
    """A mosaic of sampled jobs says so instead of warning."""
    jobs = pl.DataFrame({"task": ["t"] * 50, "tags.lr": [at / 7 for at in range(50)], "tags.n": [1, 2] * 25})
    shown = mosaic(jobs)
    assert "not a grid: t: 50 of 100 combinations" in str(shown)
    assert "not a grid" in text_of(shown._repr_html_())


def test_a_diff_in_html() -> None:
    """Two columns with a row for each difference; identical jobs say so."""
    info = xpframe.Workspace(xpframe.sample_workspace()).load_xp_info("grid-search")
    first, *_, last = info.jobs.values()
    shown = side_by_side(first, last)
    page = shown._repr_html_()
    check_html(page)
    for part in (
        "2 differences",
        first.__xpmidentifier__[:8],
        "config.model.hidden_size",
        "counts for the id",
    ):
        assert part in text_of(page)
    check_html(side_by_side(first, first)._repr_html_())
    assert "no difference" in text_of(side_by_side(first, first)._repr_html_())


def test_ipython_takes_both_forms() -> None:
    """IPython shows the HTML and the text, and in a list each thing on one line."""
    from IPython.core.formatters import DisplayFormatter

    shown = (
        mosaic(pl.DataFrame({"task": ["t"], "tags.a": [1]})),
        side_by_side({"config.a": 1}, {"config.a": 2}),
    )
    for thing in shown:
        bundle, _ = DisplayFormatter().format(thing)
        assert bundle["text/plain"] == str(thing)
        check_html(bundle["text/html"])
    bundle, _ = DisplayFormatter().format(list(shown))
    assert bundle["text/plain"] == f"[{shown[0]!r}, {shown[1]!r}]"


# --- commands ---


def run(*arguments: str) -> None:
    assert main([*arguments, "-w", str(xpframe.sample_workspace())]) == 0


def test_missing_cells_as_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """`missing` prints a line for each cell without a job; with --failed those of which all jobs failed."""
    run("missing", "grid-search")
    assert capsys.readouterr().out == ""
    run("missing", "grid-search", "--by", "learning_rate,hidden_size", "--failed")
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "task": "lab.tasks.train",
        "learning_rate": 0.1,
        "hidden_size": 512,
        "state": "error",
    }


def test_missing_cells_of_a_run_with_a_hole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A job that was never submitted is one line, by the full names of the tags without --by."""
    import shutil

    workspace = tmp_path / "sample"
    shutil.copytree(xpframe.sample_workspace(), workspace, symlinks=True)
    (run_directory,) = workspace.glob("experiments/*/2*")
    lines = (run_directory / "jobs.jsonl").read_text().splitlines(keepends=True)
    (run_directory / "jobs.jsonl").write_text("".join(lines[1:]))
    assert main(["missing", "grid-search", "-w", str(workspace)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "task": "lab.tasks.train",
        "tags.hidden_size": 64,
        "tags.learning_rate": 0.1,
        "state": "missing",
    }
    jobs = xpframe.xp_frame("grid-search", workspace=workspace, backend="polars")
    assert coverage(jobs).filter(n=0).height == 1


def test_missing_cells_say_what_they_pool(capsys: pytest.CaptureFixture[str]) -> None:
    """With --by, jobs that differ in another tag share a cell: a note names the tag. Else there is none."""
    run("missing", "grid-search", "--by", "learning_rate")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "xpframe: cells pool jobs that differ in hidden_size: add to --by what should not be pooled\n"
    )
    for by in ([], ["--by", "learning_rate,hidden_size"], ["--by", "tags.*"]):
        run("missing", "grid-search", *by)
        assert capsys.readouterr().err == ""


def test_runs_without_jobs_have_no_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the first job nothing is missing; pictures say that there is no job."""
    small = SmallRun(tmp_path / "ws")
    small.write("jobs.jsonl", "")
    small.write("objects.jsonl", "")
    assert main(["missing", "grid", "-w", str(small.root)]) == 0
    assert capsys.readouterr() == ("", "xpframe: there is no job, so no cell\n")
    with pytest.raises(InvalidArgumentError, match=r"^the run has no jobs \("):
        xpframe.load_xp_info(small.path).plot.parallel()


def test_diff_of_two_ids(capsys: pytest.CaptureFixture[str]) -> None:
    """`diff` prints two columns, or with --json a list of objects."""
    first, *_, last = xpframe.Workspace(xpframe.sample_workspace()).load_xp_info("grid-search").jobs
    run("diff", first[:8], last)
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == [first[:8], last[:12]]
    assert out[-1] == "2 differences"
    run("diff", first, last, "--json")
    assert json.loads(capsys.readouterr().out) == [
        {"place": "config.model.hidden_size", "a": "64", "b": "512", "counts": True},
        {"place": "config.learning_rate", "a": "0.1", "b": "0.001", "counts": None},
    ]


def test_light_import() -> None:
    """Importing the functions imports no library of frames, and not narwhals."""
    import subprocess
    import sys

    code = (
        "import sys, xpframe.analysis; "
        "print(sorted({'narwhals', 'pandas', 'polars', 'pyarrow', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
