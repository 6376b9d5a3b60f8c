"""Lazy series: equal to eager ones, and no more is read than a query needs."""

from __future__ import annotations

import csv
import os
import pickle
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import xpframe
from reads import read_bytes
from xpframe import Result, sample_workspace, scan_series, scan_xp, xp_series
from xpframe.errors import FormatError
from xpframe.lazy.pushdown import names_wanted, range_wanted

CHAINS = 200
HANDLES = ("runs/*", "results.csv", "metrics.json")
COLUMNS = ["tags.*", "state"]


def plain(frame: Any) -> Any:
    """A frame with texts in place of categories, whose codes depend on what was read."""
    return frame.with_columns(pl.col(pl.Categorical).cast(pl.String))


def predicate(frame: pl.DataFrame, dice: random.Random) -> pl.Expr:
    """A filter on some column, mostly with a value of it."""
    name = dice.choice(frame.columns)
    column = pl.col(name)
    values = frame[name].drop_nulls().to_list()
    if not values:
        return column.is_null()
    value, other = dice.choice(values), dice.choice(values)
    kinds: list[pl.Expr] = [column == value, column != value, column.is_in([value, other])]
    if isinstance(value, str):
        kinds += [pl.lit(value) == column, column.cast(pl.String).str.starts_with(value[:3])]
    else:
        kinds += [column >= value, column < value, pl.lit(value) > column, column + 1 > value]
        kinds += [column.is_between(value, other), (column > value) | (column < other)]
    expr = dice.choice(kinds)
    return expr & predicate(frame, dice) if dice.random() < 0.4 else expr


def step(eager: pl.DataFrame, dice: random.Random) -> Callable[[Any], Any]:
    """A random call, of which the eager frame tells what is possible."""
    names = dice.sample(eager.columns, dice.randint(1, len(eager.columns)))
    expr = predicate(eager, dice)
    start, count = dice.choice([0, dice.randint(0, 20)]), dice.randint(0, 60)
    calls: list[Callable[[Any], Any]] = [
        lambda frame: frame.filter(expr),
        lambda frame: frame.filter(expr).select(names),
        lambda frame: frame.select(names),
        lambda frame: frame.slice(start, count),
        lambda frame: frame.sort(names[0], maintain_order=True),
        lambda frame: frame.group_by(names[0], maintain_order=True).agg(pl.len().alias("n")),
        lambda frame: frame.select(pl.len()),
    ]
    return dice.choice(calls)


def chain(frame: Any, eager: pl.DataFrame, seed: int) -> tuple[Any, pl.DataFrame]:
    """The same random calls on a LazyFrame and on the eager frame."""
    dice = random.Random(seed)
    for _ in range(dice.randint(1, 5)):
        call = step(eager, dice)
        frame, eager = call(frame), call(eager)
        if {"n", "len"} & set(eager.columns):
            break
    return frame, eager


@pytest.fixture(scope="module")
def frames() -> dict[str, tuple[pl.LazyFrame, pl.DataFrame]]:
    found = {}
    for handle in HANDLES:
        lazy = scan_series("grid-search", handle, workspace=sample_workspace(), columns=COLUMNS)
        eager = xp_series(
            "grid-search", handle, workspace=sample_workspace(), columns=COLUMNS, backend="polars"
        )
        # text is compared and sorted as text
        found[handle] = lazy, eager
    return found


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_random_chains(frames: dict[str, tuple[pl.LazyFrame, pl.DataFrame]], engine: Any) -> None:
    """Lazy equals eager, and the chains leave rows often enough to say so."""
    rows = 0
    for seed in range(CHAINS):
        lazy, eager = frames[HANDLES[seed % len(HANDLES)]]
        query, expected = chain(plain(lazy), plain(eager), seed)
        assert_frame_equal(query.collect(engine=engine), expected, check_row_order=True)
        # categories themselves, so that filters meet them as they are
        raw, rows_of_raw = chain(lazy, eager, seed)
        assert_frame_equal(plain(raw.collect(engine=engine)), plain(rows_of_raw), check_row_order=False)
        rows += expected.height > 0
    assert rows > CHAINS / 2


def test_pickled_query_is_a_new_one(frames: dict[str, tuple[pl.LazyFrame, pl.DataFrame]]) -> None:
    """A pickle holds the arguments, few bytes, and reads anew."""
    lazy, eager = frames["runs/*"]
    dumped = pickle.dumps(lazy)
    assert len(dumped) < 5_000
    assert plain(pickle.loads(dumped).collect()).equals(plain(eager))


# --- what filters say ---


def test_names_and_ranges_are_read_from_filters() -> None:
    """Equality, membership, prefixes and comparisons are understood in both orders, all else is left."""
    metric, step = pl.col("metric"), pl.col("step")
    assert names_wanted([metric == "a"], "metric") == ["a"]
    assert names_wanted([pl.lit("a") == metric], "metric") == ["a"]
    assert names_wanted([metric.is_in(["b", "a"]), metric.is_in(["b", "c"])], "metric") == ["b"]
    assert names_wanted([metric.str.starts_with("val/")], "metric") == ["val/*"]
    for unknown in (metric != "a", metric.str.starts_with("v*"), ~metric.is_in(["a"]), metric == pl.col("x")):
        assert names_wanted([unknown], "metric") is None
    assert range_wanted([step > 3, step <= 10], "step") == (3, 10)
    assert range_wanted([pl.lit(3) < step, step == 5], "step") == (5, 5)
    assert range_wanted([step > 2.5], "step") == (2, 2**63 - 1)
    assert range_wanted([step > 2**70], "step") == (2**63 - 1, 2**63 - 1)
    for unknown in (step != 3, step + 1 > 3, (step > 3) | (step < 1), step > pl.col("x")):
        assert range_wanted([unknown], "step") is None


def test_what_filters_leave_is_reported(frames: dict[str, tuple[pl.LazyFrame, pl.DataFrame]]) -> None:
    """A filter on a tag reads the files of its jobs; the report counts them."""
    lazy, eager = frames["runs/*"]
    query = pl.col("tags.learning_rate") == 0.01
    assert plain(lazy.filter(query).collect()).equals(plain(eager.filter(query)))
    report = xpframe.last_read()
    assert (report.jobs, report.all_jobs, report.files) == (4, 12, 4)
    assert len(report.pushed) == 1


# --- what is opened, by strace ---

SCRIPT = """
import os, sys
import polars as pl
import xpframe
from xpframe import Result

workspace, job = sys.argv[1:]
where = {"workspace": workspace, "columns": ["tags.*"]}
mine = pl.col("job_id") == job

def phase(name):
    os.access("/phase/" + name, os.F_OK)

phase("plan events")
events = xpframe.scan_series("grid-search", "runs/*", **where)
phase("job of events")
print(events.filter(mine).collect().height)
phase("head of events")
print(events.head(2).collect().height)
phase("plan csv")
rows = xpframe.scan_series("grid-search", "results.csv", **where)
phase("job of csv")
print(rows.filter(mine).collect().height)
phase("plan schema")
typed = xpframe.scan_series("grid-search", Result("results.csv", schema={"step": int}), **where)
phase("job of schema")
print(typed.filter(mine).collect().height)
phase("plan frame")
frame = xpframe.scan_xp("grid-search", workspace=workspace, results="metrics.json")
phase("tags of frame")
print(frame.select("tags.learning_rate").collect().height)
phase("plan tags")
frame = xpframe.scan_xp("grid-search", workspace=workspace, results="metrics.json", columns=["tags.*"])
phase("tags")
print(frame.collect().height)
phase("end")
"""
RESULT = re.compile(r"results\.csv|metrics\.json|tfevents")


def test_only_the_files_of_a_query_are_opened(tmp_path: Path) -> None:
    """A filter on a job opens its file only; a projection without results opens none; a schema saves the pass
    that decides types; small CSV files are read once.
    """
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    workspace = sample_workspace()
    job = xp_series("grid-search", "runs/*", workspace=workspace)["job_id"].iloc[-1]
    trace = tmp_path / "calls"
    command = ["strace", "-f", "-e", "trace=openat,open,access,faccessat", "-s", "4096", "-o", str(trace)]
    command += [sys.executable, "-c", SCRIPT, str(workspace), job]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "ptrace" in done.stderr.lower():
        pytest.skip("strace is not allowed here")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["20", "2", "10", "10", "12", "12"]
    opened: dict[str, list[str]] = {}
    phase = ""
    for line in trace.read_text(errors="replace").splitlines():
        if mark := re.search(r'"/phase/([^"]*)"', line):
            phase = mark[1]
            opened[phase] = []
        elif phase and (path := re.search(r'open(?:at)?\(.*?"([^"]*)"', line)) and RESULT.search(path[1]):
            opened[phase].append(path[1])
    counts = {phase: len(set(paths)) for phase, paths in opened.items()}
    assert counts == {
        "plan events": 1,
        "job of events": 1,
        "head of events": 4,
        "plan csv": 12,
        "job of csv": 0,
        "plan schema": 0,
        "job of schema": 1,
        "plan frame": 11,
        "tags of frame": 0,
        "plan tags": 0,
        "tags": 0,
        "end": 0,
    }
    assert all(job in path for path in opened["job of events"] + opened["job of schema"])


# --- files that change ---


def copy_of_sample(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    shutil.copytree(sample_workspace(), root, symlinks=True)
    return root


# 110 bytes a row: a workspace of 60,000 rows in each file is more than is kept
PADDING = "." * 100


def test_a_file_that_grows_is_read_up_to_what_was_there(tmp_path: Path) -> None:
    """Columns and rows are those of one moment, whether the rows were kept or are read again."""
    root = copy_of_sample(tmp_path)
    files = [path.parent / "log.csv" for path in sorted(root.glob("jobs/*/*/params.json"))]
    for count in (3, 60_000):
        for file in files:
            file.write_text("step,loss,note\n" + f"1,0.5,{PADDING}\n" * count)
        lazy = scan_series("grid-search", "log.csv", workspace=root, strict=True)
        with files[0].open("a") as end:
            end.write("2,broken,\n")
        assert lazy.select(pl.len()).collect().item() == 12 * count
        assert lazy.collect_schema()["loss"] == pl.Float64
        assert scan_series("grid-search", "log.csv", workspace=root).collect_schema()["loss@str"] == pl.String


def test_a_file_that_was_written_anew_is_said(tmp_path: Path) -> None:
    """Types that the columns do not have are an error, never a silent null."""
    root = copy_of_sample(tmp_path)
    files = [path.parent / "log.csv" for path in sorted(root.glob("jobs/*/*/params.json"))]
    for file in files:
        file.write_text("step,loss,note\n" + f"1,0.5,{PADDING}\n" * 60_000)
    lazy = scan_series("grid-search", "log.csv", workspace=root, strict=True)
    files[0].write_text("step,loss,note\n" + f"1,abc,{PADDING}\n" * 60_000)
    with pytest.raises(FormatError, match="had not when its columns were decided"):
        lazy.collect()


WRITER = """
import csv, json, struct, sys, time
from tensorboardX import SummaryWriter
folder = sys.argv[1]
board = SummaryWriter(folder + "/live", flush_secs=0)
with open(folder + "/live.csv", "w") as rows, open(folder + "/live.jsonl", "w") as lines:
    rows.write("step,loss\\n")
    print("ready", flush=True)
    for step in range(4000):
        rows.write(f"{step},{step / 8}\\n")
        lines.write(json.dumps({"step": step, "loss": step / 8}) + "\\n")
        board.add_scalar("loss", step / 8, step)
        if step % 7 == 0:
            rows.flush(); lines.flush(); board.flush()
board.close()
"""


def test_growing_files_give_a_consistent_prefix(tmp_path: Path) -> None:
    """While a job writes, each read is a beginning of what it writes, and never less than the read before."""
    root = copy_of_sample(tmp_path)
    job = next(iter(sorted(root.glob("jobs/*/*/params.json")))).parent
    handles = {"live.csv": "loss", "live.jsonl": "loss", "live/*": "value"}
    lengths: dict[str, list[int]] = {handle: [] for handle in handles}
    is_last = False
    command = [sys.executable, "-c", WRITER, str(job)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        while not is_last:
            is_last = writer.poll() is not None
            for handle, value in handles.items():
                table = xp_series_quietly(root, handle)
                if value not in table.columns:
                    continue
                # a number whose last digits are missing is the only row that may be wrong: nobody can tell
                complete = table[: -1 if handle == "live.csv" and not is_last else None]
                assert complete["step"].to_list() == list(range(complete.height))
                assert complete[value].to_list() == [step / 8 for step in range(complete.height)]
                lengths[handle].append(table.height)
    for counts in lengths.values():
        assert counts == sorted(counts)
        assert counts[-1] == 4000
    assert len(lengths["live.csv"]) > 3


def xp_series_quietly(root: Path, handle: str) -> pl.DataFrame:
    """The rows; a last row that is not finished yet is a warning, as it should be."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xpframe.XpFrameWarning)
        return xp_series("grid-search", handle, workspace=root, backend="polars", quiet=True)


def test_streaming_keeps_few_rows_in_memory(tmp_path: Path) -> None:
    """`sink_parquet` writes all rows of all jobs."""
    lazy = scan_series("grid-search", "results.csv", workspace=sample_workspace(), columns=["tags.*"])
    lazy.sink_parquet(tmp_path / "rows.parquet")
    written = pl.read_parquet(tmp_path / "rows.parquet")
    count = 0
    for path in sample_workspace().glob("jobs/*/*/results.csv"):
        with path.open(newline="") as rows:
            count += len(list(csv.DictReader(rows)))
    assert written.height == count == 111


def test_scan_keeps_results_lazy() -> None:
    """`scan_xp` with results filters as the eager frame does."""
    lazy = scan_xp("grid-search", workspace=sample_workspace(), results=Result("results.csv", max="accuracy"))
    assert lazy.filter(pl.col("result.accuracy") > 0.9).collect().height == 1


def test_ctrl_c_stops_one_query_and_not_the_next(tmp_path: Path) -> None:
    """An interrupted read raises, and the same query reads everything afterwards."""
    root = copy_of_sample(tmp_path)
    files = [path.parent / "log.csv" for path in sorted(root.glob("jobs/*/*/params.json"))]
    for file in files:
        file.write_text("step,loss\n" + "1,0.5\n" * 300_000)
    result = Result("log.csv", schema={"step": int, "loss": float})
    lazy = scan_series("grid-search", result, workspace=root)
    interrupter = threading.Thread(target=interrupt_reading, args=[read_bytes()])
    with pytest.raises(KeyboardInterrupt):
        collect_forever(lazy, interrupter)
    interrupter.join()
    assert lazy.select(pl.len()).collect().item() == 12 * 300_000


def interrupt_reading(before: int) -> None:
    """Ctrl-C in the middle of rows: where polars asks for the columns, it has its own words for it."""
    while read_bytes() < before + 2_000_000:
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)


def collect_forever(lazy: pl.LazyFrame, interrupter: threading.Thread) -> None:
    interrupter.start()  # here: the signal must not come before the block that expects it
    while True:
        lazy.select(pl.col("loss").sum()).collect()


def test_a_function_is_called_once_for_each_job() -> None:
    """Deciding the columns reads each file, and the query uses what was read."""
    seen: list[Path] = []

    def look(path: Path) -> dict[str, int]:
        seen.append(path)
        return {"size": path.stat().st_size}

    lazy = scan_series("grid-search", Result("results.csv", format=look), workspace=sample_workspace())
    assert lazy.collect().height == 12
    assert lazy.filter(pl.col("size") > 0).collect().height == 12
    assert len(seen) == len(set(seen)) == 12


def test_a_function_may_read_experiments_itself() -> None:
    """A function that calls xpframe with a function does not wait for itself."""

    def outer(path: Path) -> dict[str, int]:
        inner = Result("metrics.json", format=lambda _: {"n": 1})
        frame = xpframe.xp_frame("grid-search", workspace=sample_workspace(), results=inner)
        return {"read": int(frame["result.n"].sum()), "length": len(path.name)}

    table = xpframe.xp_frame(
        "grid-search", workspace=sample_workspace(), results=Result("results.csv", format=outer)
    )
    assert table["result.read"].to_list() == [11] * 12


def test_columns_with_names_that_polars_takes_for_patterns(tmp_path: Path) -> None:
    """A header may hold nothing (as pandas writes an index), a star or a regular expression."""
    root = copy_of_sample(tmp_path)
    for path in root.glob("jobs/*/*/params.json"):
        (path.parent / "log.csv").write_text(",*,^ab$,ab,a.b\n0,1,2,3,4\n")
    lazy = scan_series("grid-search", "log.csv", workspace=root)
    eager = xp_series("grid-search", "log.csv", workspace=root, backend="polars")
    assert eager.columns == ["job_id", "", "*", "^ab$", "ab", "a\\.b"]
    assert plain(lazy.collect()).equals(plain(eager))
    assert lazy.filter(pl.col("ab") == 3).collect().row(0)[1:] == (0, 1, 2, 3, 4)
