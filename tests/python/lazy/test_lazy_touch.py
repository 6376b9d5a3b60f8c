"""What a lazy query opens: witnessed by the system calls of a fresh process, and by `last_read`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pytest

import xpframe
from lazy_runs import TASK, job_id, run_id, write_runs

if TYPE_CHECKING:
    from xpframe import ReadReport

RUNS, JOBS = 200, 3
# the columns that are told by the directory of a job
OF_DIRECTORIES = ("state", "failure", "started_at", "ended_at", "duration_s")
WITNESSED = 11 + len(OF_DIRECTORIES)

# each query is a phase of its own in the trace; what comes before its `begin` is not counted
SCRIPT = """
import os, sys
import polars as pl
import xpframe

workspace, run, *of_directories = sys.argv[1:]
everything = {"workspace": workspace, "run": "all"}
col = pl.col

def begin(name):
    os.access("/phase/" + name, os.F_OK)

def end():
    os.access("/phase/", os.F_OK)

def ask(name, lazy, engine="streaming"):
    begin(name)
    print(name, lazy.collect(engine=engine).height)
    end()

begin("decide the columns")
kept = xpframe.scan_xp("grid", **everything)
end()
cold = xpframe.scan_xp("grid", keep_bytes=0, **everything)
parameters = ["job_id", "config.rate", "tags.size"]
ask("parameters of one run", cold.filter(col("run") == run).select(parameters))
ask("parameters of one run, in memory", cold.filter(col("run") == run).select(parameters), "in-memory")
ask("parameters of the run with a tag", cold.filter(col("tags.of_run") == 7).select(parameters))
ask("head", cold.select(parameters).head(2))
ask("head, in memory", cold.select(parameters).head(2), "in-memory")
ask("tags", cold.select("tags.size"))
ask("tags, kept", kept.select("tags.size"))
begin("only tags")
columns = ["tags.*", "job_id", "task", "run", "submitted_at", "path", *of_directories]
tags = xpframe.scan_xp("grid", columns=columns, **everything)
print("only tags", tags.select("tags.size").collect().height)
end()
ask("system columns", tags.select("job_id", "task", "run", "submitted_at", "path"))
for column in of_directories:
    ask(column + " of one run", tags.filter(col("run") == run).select(column))
# the last, as what is read ahead may come to its end later
ask("head of a filter", cold.filter(col("config.rate") > 0).select(parameters).head(1))
"""


class Touched(NamedTuple):
    """What a phase did with the workspace."""

    rows: int
    opened: list[str]
    job_directories: int

    def files(self, name: str) -> list[str]:
        return [path for path in self.opened if path.endswith(name)]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_runs(tmp_path_factory.mktemp("many") / "ws", RUNS, JOBS)
    for job in range(JOBS):
        directory = root / "jobs" / TASK / job_id(7, job)
        directory.mkdir(parents=True)
        # a job that was done would be looked at once, for the first of the columns
        (directory / f"{TASK.rpartition('.')[2]}.pid").touch()
    return root


@pytest.fixture(scope="module")
def witnessed(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Touched]:
    """What each phase of the script touched, by the system calls of its process."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    trace = tmp_path_factory.mktemp("trace") / "calls"
    command = ["strace", "-f", "-e", "trace=file", "-s", "4096", "-o", str(trace)]
    command += [sys.executable, "-c", SCRIPT, str(workspace), run_id(7), *OF_DIRECTORIES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "ptrace" in done.stderr.lower():
        pytest.skip("strace is not allowed here")
    assert done.returncode == 0, done.stderr
    rows = {
        name: int(count) for name, _, count in (line.rpartition(" ") for line in done.stdout.splitlines())
    }
    return phases(trace, workspace, rows)


def phases(trace: Path, workspace: Path, rows: dict[str, int]) -> dict[str, Touched]:
    found: dict[str, Touched] = {}
    opened: list[str] = []
    looked: list[str] = []
    name = ""
    for line in trace.read_text(errors="replace").splitlines():
        if mark := re.search(r'access\("/phase/([^"]*)"', line):
            if name:
                found[name] = Touched(rows.get(name, -1), opened, len(looked))
            name, opened, looked = mark[1], [], []
        elif path := re.search(rf'"({re.escape(str(workspace))}/[^"]*)"', line):
            if " openat(" in line and "O_DIRECTORY" not in line and "ENOENT" not in line:
                opened.append(path[1])
            if f"{workspace}/jobs/" in path[1]:
                looked.append(path[1])
    return found


def test_every_query_was_witnessed(witnessed: dict[str, Touched]) -> None:
    """The counts below are about something: the trace sees that deciding the columns opens all files."""
    assert len(witnessed) == WITNESSED
    first = witnessed["decide the columns"]
    assert len(first.files("/objects.jsonl")) == RUNS
    # its first lines say where the workspace was, and are read before the rest
    assert len(first.files("/jobs.jsonl")) <= 2 * RUNS
    assert len(set(first.files("/jobs.jsonl"))) == RUNS


@pytest.mark.parametrize("query", ["parameters of one run", "parameters of one run, in memory"])
def test_filter_on_run_opens_one_run(witnessed: dict[str, Touched], query: str) -> None:
    """Of 200 runs, a filter that keeps one opens its files and none of another."""
    found = witnessed[query]
    assert found.rows == JOBS
    assert {Path(path).parent.name for path in found.opened} == {run_id(7)}
    assert len(found.files("/objects.jsonl")) == 1


def test_filter_on_tag_opens_one_graph(witnessed: dict[str, Touched]) -> None:
    """A filter on tags is answered from jobs.jsonl: the configs of one run are read."""
    found = witnessed["parameters of the run with a tag"]
    assert found.rows == JOBS
    assert [Path(path).parent.name for path in found.files("/objects.jsonl")] == [run_id(7)]


@pytest.mark.parametrize("query", ["head", "head, in memory"])
def test_head_opens_what_it_needs(witnessed: dict[str, Touched], query: str) -> None:
    """`head(2)` of runs with three jobs opens the first run."""
    found = witnessed[query]
    assert found.rows == 2
    assert [Path(path).parent.name for path in found.files("/objects.jsonl")] == [run_id(0)]


def test_head_of_a_filter_stops(witnessed: dict[str, Touched]) -> None:
    """`filter(…).head(1)` stops once it has a row; a few runs are read ahead."""
    found = witnessed["head of a filter"]
    assert found.rows == 1
    assert 1 <= len(found.files("/objects.jsonl")) <= 40


@pytest.mark.parametrize("query", ["tags", "tags, kept", "only tags", "system columns"])
def test_tags_open_no_objects(witnessed: dict[str, Touched], query: str) -> None:
    """A query on tags or jobs opens no objects.jsonl once the columns are known, or with `columns=` ever."""
    found = witnessed[query]
    assert found.rows == RUNS * JOBS
    assert found.files("/objects.jsonl") == []
    assert len(found.files("/jobs.jsonl")) == {"tags": RUNS, "only tags": RUNS}.get(query, 0)


@pytest.mark.parametrize("column", OF_DIRECTORIES)
def test_job_directories_are_looked_at_when_asked(witnessed: dict[str, Touched], column: str) -> None:
    """What only the directory of a job tells looks into those of the jobs that are asked for."""
    found = witnessed[f"{column} of one run"]
    assert found.rows == JOBS
    assert found.job_directories >= JOBS
    assert found.files("/objects.jsonl") == []
    assert {Path(path).parent.name for path in found.files("/jobs.jsonl")} <= {run_id(7)}


@pytest.mark.parametrize("query", ["tags", "tags, kept", "only tags", "system columns"])
def test_job_directories_are_left_alone(witnessed: dict[str, Touched], query: str) -> None:
    """Tags and the other system columns look into no directory of a job."""
    assert witnessed[query].rows == RUNS * JOBS
    assert witnessed[query].job_directories == 0


def read_by(lazy: pl.LazyFrame) -> tuple[int, ReadReport]:
    height = lazy.collect().height
    return height, xpframe.last_read()


def test_last_read_tells_what_was_read(workspace: Path) -> None:
    """`last_read` counts runs, jobs, files, bytes and objects, each file once, and names what was pushed."""
    cold = xpframe.scan_xp("grid", workspace=workspace, run="all", keep_bytes=0)
    first = read_by(cold.select("tags.size"))[1]
    # deciding the columns counts for the first query; then jobs.jsonl once more, as nothing was kept
    assert (first.files, first.objects) == (3 * RUNS, 2 * RUNS * JOBS)
    rows, one = read_by(cold.filter(pl.col("run") == run_id(7)).select("config.rate"))
    assert (rows, one.runs, one.all_runs, one.jobs, one.all_jobs) == (JOBS, 1, RUNS, JOBS, RUNS * JOBS)
    assert (one.files, one.objects) == (2, 2 * JOBS)
    assert one.columns == ("run", "config.rate")
    assert len(one.pushed) == 1
    assert run_id(7) in one.pushed[0]
    run = workspace / "experiments" / "grid" / run_id(7)
    assert one.bytes == sum((run / name).stat().st_size for name in ("jobs.jsonl", "objects.jsonl"))


QUERIES: dict[str, tuple[Callable[[pl.LazyFrame], pl.LazyFrame], int, int, int]] = {
    # rows, runs, jobs that were built
    "none": (lambda lazy: lazy.filter(pl.col("run") == "no such run"), 0, 0, 0),
    "or": (lambda lazy: lazy.filter((pl.col("run") == run_id(3)) | (pl.col("run") == run_id(9))), 6, 2, 6),
    "not": (lambda lazy: lazy.filter(pl.col("experiment") != "grid"), 0, 0, 0),
    "tag": (lambda lazy: lazy.filter(pl.col("tags.size") == 1), RUNS, RUNS, RUNS),
    "both": (lambda lazy: lazy.filter(pl.col("tags.size") == 1, pl.col("run") == run_id(3)), 1, 1, 1),
    "or a tag": (
        lambda lazy: lazy.filter((pl.col("tags.size") > 1) | (pl.col("run") == run_id(3))),
        202,
        RUNS,
        202,
    ),
    "or a parameter": (
        lambda lazy: lazy.filter((pl.col("config.rate") > 1) | (pl.col("run") == run_id(3))),
        3,
        RUNS,
        600,
    ),
    "limit first": (lambda lazy: lazy.head(4).filter(pl.col("run") == run_id(1)), 1, 2, 4),
    "a function": (
        lambda lazy: lazy.filter(pl.col("run").map_elements(_last_of_all, return_dtype=pl.Boolean)),
        3,
        1,
        3,
    ),
}


def _last_of_all(run: str) -> bool:
    return max(run, run_id(RUNS - 1)) == run


@pytest.mark.parametrize("query", QUERIES)
def test_filters_choose(workspace: Path, query: str) -> None:
    """What each kind of filter leaves of 200 runs, before any config is built."""
    ask, rows, runs, jobs = QUERIES[query]
    scan = xpframe.scan_xp("grid", workspace=workspace, run="all")
    found, read = read_by(ask(scan))
    assert (found, read.runs, read.jobs) == (rows, runs, jobs)
