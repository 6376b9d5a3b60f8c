"""Which row of a file is the result: exact comparisons, and rows that are not finished."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

import xpframe
from small_runs import SmallRun
from xpframe import Result
from xpframe.errors import XpFrameWarning


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two jobs that ran."""
    run = SmallRun(tmp_path / "ws")
    for number in range(2):
        run.submit(number)
        (run.execute(number) / "results.csv").write_text("epoch,loss\n1,0.5\n2,0.25\n")
    return tmp_path / "ws"


@pytest.mark.parametrize(
    ("end", "state", "losses"),
    [
        ("2,9.87e-", "cut", [0.5]),
        ("2,9.87E", "cut", [0.5]),
        ("2,-1e+", "cut", [0.5]),
        ("2,9.87e-5", "read", [0.5, 9.87e-5]),
        ("2,0.25", "read", [0.5, 0.25]),
    ],
)
def test_a_number_that_is_not_finished(end: str, state: str, losses: list[float], root: Path) -> None:
    """A job that was killed within a number leaves a cut row, which makes no text of the column."""
    directory = next(path for path in (root / "jobs" / "lab.train").iterdir() if path.is_dir())
    (directory / "results.csv").write_text(f"epoch,loss\n1,0.5\n{end}")
    options: dict[str, Any] = {"workspace": root, "results": "results.csv"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XpFrameWarning)
        table = xpframe.xp_table("grid", columns=["job_id", "result@file", "result.loss"], **options)
        rows = xpframe.xp_series("grid", "results.csv", workspace=root, backend="polars")
    row = table.column_values("job_id").index(directory.name)
    assert table.column_values("result@file")[row] == state
    assert table.column_values("result.loss")[row] == losses[-1]
    assert rows.filter(job_id=directory.name)["loss"].to_list() == losses


@pytest.mark.parametrize("name", ["times.csv", "times.jsonl"])
def test_the_greatest_of_large_integers(name: str, root: Path) -> None:
    """Nanoseconds since 1970 are compared exactly: as floats, neighbours are equal."""
    rows = [(1, 1795829411093446001), (2, 1795829411093446002), (3, 2**70), (4, 2**70 + 1), (5, 0)]
    for directory in (root / "jobs" / "lab.train").iterdir():
        lines = [json.dumps({"step": step, "t": t}) for step, t in rows]
        if name.endswith("csv"):
            lines = ["step,t", *(f"{step},{t}" for step, t in rows)]
        (directory / name).write_text("\n".join(lines) + "\n")
    steps = [
        xpframe.xp_table("grid", workspace=root, results=result).column_values("result.step")[0]
        for result in (Result(name, max="t"), Result(name, min="t"))
    ]
    assert steps == [4, 5]
    result = Result(name, max="t")
    for directory in (root / "jobs" / "lab.train").iterdir():
        lines = (directory / name).read_text().splitlines()
        keep = [line for line in lines if str(2**70)[:-1] not in line]
        (directory / name).write_text("\n".join(keep) + "\n")
    assert xpframe.xp_table("grid", workspace=root, results=result).column_values("result.step")[0] == 2
