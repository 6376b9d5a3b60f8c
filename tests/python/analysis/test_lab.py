"""What the functions say of a real two-stage grid with holes and failures, and of 10,000 sampled jobs."""

from __future__ import annotations

import itertools
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pytest

import xpframe
from analysis_frames import BACKENDS, each_backend, rows
from conftest import REPOSITORY, archives, unpack
from xpframe.analysis import compare, coverage, diff, factors, replicates
from xpframe.errors import XpFrameWarning


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace `cifar`: Learn → Evaluate, 2 models, 3 learning rates, 4 seeds; 46 jobs, 6 failed."""
    if "lab_cifar" not in archives():
        pytest.skip("the full set of reference workspaces is not here")
    home = tmp_path_factory.mktemp("lab")
    unpack("lab_cifar", home)
    return home / "cifar"


def read(lab: Path, backend: Any = "polars", **options: Any) -> Any:
    return xpframe.xp_frame("cifar", workspace=lab, backend=backend, **options)


@each_backend
def test_coverage_names_the_missing_cells(backend: str, lab: Path) -> None:
    """Of 48 cells the two that were never submitted are missing, and 6 have a job that failed."""
    cells = rows(coverage(read(lab, backend)))
    assert len(cells) == 48
    missing = [cell for cell in cells if cell["n"] == 0]
    assert missing == [
        {"task": task, "tags.name": "lstm", "tags.lr": 0.1, "tags.seed": 3, "n": 0, "done": 0, "error": 0}
        for task in ("lab.learn", "lab.evaluate")
    ]
    assert sum(cell["error"] for cell in cells) == 6
    assert sum(cell["n"] for cell in cells) == 46
    assert rows(coverage(read(lab, backend), by=["name", "lr", "seed"])) == cells


@each_backend
def test_replicates_are_twelve_groups(backend: str, lab: Path) -> None:
    """46 jobs are 12 groups over seeds, 6 of each task, and nothing has to be said."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grouped = rows(replicates(read(lab, backend)))
        learned = rows(replicates(read(lab, backend, task="learn")))
    assert len({row["replicate"] for row in grouped}) == 12
    assert len({row["replicate"] for row in learned}) == 6
    for rows_ in (grouped, learned):
        agree = {(row["replicate"], row["task"], row["tags.name"], row["tags.lr"]) for row in rows_}
        assert len(agree) == len({row["replicate"] for row in rows_})


def test_factors_of_one_task(lab: Path) -> None:
    """Of the Learn jobs three factors vary, each a tag and a parameter; outputs are no factors."""
    varying = factors(read(lab, task="learn")).filter(pl.col("role") != "constant")
    assert varying.select("column", "levels", "alias").rows() == [
        ("tags.name", 2, "tags.name"),
        ("tags.lr", 3, "tags.lr"),
        ("tags.seed", 4, "tags.seed"),
        ("config.model.name", 2, "tags.name"),
        ("config.optimizer.lr", 3, "tags.lr"),
        ("config.seed", 4, "tags.seed"),
    ]


def test_diff_names_the_fields_that_differ(lab: Path) -> None:
    """Of every two Learn jobs, diff names the fields that differ and no other; so of Evaluate jobs."""
    info = xpframe.Workspace(lab).load_xp_info("cifar")
    table = read(lab, columns=["job_id", "task", "config.model.name", "config.optimizer.lr", "config.seed"])
    learned = table.filter(pl.col("task") == "lab.learn").rows(named=True)
    fields = ("config.model.name", "config.optimizer.lr", "config.seed")
    evaluate = {
        job.trained.__xpmtask__.__xpmidentifier__: job for job in info.jobs.values() if "trained" in dir(job)
    }
    compared = 0
    for a, b in itertools.combinations(learned, 2):
        differing = [(name, repr(a[name]), repr(b[name])) for name in fields if a[name] != b[name]]
        result = diff(info.jobs[a["job_id"]], info.jobs[b["job_id"]], backend="polars")
        assert result.select("place", "a", "b").rows() == differing
        counts = dict(result.select("place", "counts").rows())
        own = [name for name in fields if a[name] != b[name]]
        # the seed is the job's own: it alone counts, beside others nobody knows
        assert counts == {name: True if name != "config.seed" or own == [name] else None for name in own}
        upstream = diff(evaluate[a["job_id"]], evaluate[b["job_id"]], backend="polars")
        seen = {place for place in upstream["place"] if "@job." in place}
        assert seen == {f"config.trained@job.{name}" for name in own}
        compared += 1
    assert compared == 23 * 22 // 2


def test_compare_says_what_was_renamed(lab: Path) -> None:
    """Of cifar and cifar-v2, where `lr` is called `learning_rate`, the parameter and its tag look renamed."""
    workspace = xpframe.Workspace(lab)
    later = workspace.load_xp_info("cifar-v2")
    renamed = [
        ("tags.lr", "tags.learning_rate"),
        ("config.optimizer.lr", "config.optimizer.learning_rate"),
    ]
    for run_id in workspace.runs("cifar"):
        result = compare(workspace.load_xp_info("cifar", run_id), later, backend="polars")
        assert result.renamed.select("a", "b").rows() == renamed
        assert sorted(result.parameters.select("column", "change").rows()) == sorted(
            [(old, "removed") for old, _ in renamed] + [(new, "added") for _, new in renamed]
        )
    runs = [workspace.load_xp_info("cifar", run_id) for run_id in workspace.runs("cifar")]
    result = compare(runs[1], runs[0], backend="polars")
    old, new = (set(run.states) for run in (runs[1], runs[0]))
    changes = {
        change: set(result.jobs.filter(change=change)["job_id"]) for change in ("added", "gone", "same")
    }
    assert changes == {"added": new - old, "gone": old - new, "same": old & new}
    assert len(result.renamed) == len(result.parameters) == 0


# --- sampled parameters ---


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of 10,000 jobs with about 100 parameters; learning rates were sampled."""
    root = tmp_path_factory.mktemp("rich")
    generate = [sys.executable, str(REPOSITORY / "benches" / "gen.py"), "--shape", "rich", "--jobs", "10000"]
    subprocess.run([*generate, "--out", str(root)], check=True)
    return root


@pytest.mark.slow
def test_ten_thousand_jobs_have_no_false_alias(rich: Path) -> None:
    """Over 10,000 jobs the columns of each class vary together."""
    jobs = xpframe.xp_frame("rich", workspace=rich, backend="polars", quiet=True)
    result = factors(jobs)
    texts = {name: [repr(value) for value in jobs[name].to_list()] for name in result["column"]}
    classes = (
        result.filter(pl.col("alias").is_not_null()).group_by("alias", maintain_order=True).agg("column")
    )
    pairs = 0
    for members in classes["column"]:
        for one, two in itertools.combinations(members, 2):
            pairs += 1
            both = set(zip(texts[one], texts[two], strict=True))
            assert len(both) == len(set(texts[one])) == len(set(texts[two])), (one, two)
    assert pairs > 50
    for name, deciders in result.select("column", "decided_by").rows():
        for cause in deciders:
            having = [row for row, value in enumerate(texts[name]) if value != "None"]
            both = {(texts[cause][row], texts[name][row]) for row in having}
            assert len(both) == len({value for value, _ in both}), (name, cause)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_sampled_parameters_are_spoken_of(backend: Any, rich: Path) -> None:
    """Where learning rates were sampled, coverage says that this is no grid, and replicates what it did."""
    jobs = xpframe.xp_frame("rich", workspace=rich, backend=backend, quiet=True)
    with pytest.warns(
        XpFrameWarning, match=r"not a grid: xpbench.rich.train: .* since tags.lr \(\d+ values\) was"
    ):
        cells = nw.from_native(coverage(jobs))
    assert cells["n"].min() >= 1
    assert cells["n"].sum() == 10_000
    with pytest.warns(XpFrameWarning) as told:
        groups = nw.from_native(replicates(jobs))["replicate"].n_unique()
    assert groups == 4_000
    (warning,) = told
    assert "2,000 of 4,000 groups have one job only: config.resume has 7 values" in str(warning.message)
