"""A run is looked at again: what is new is there, the old one stays, and what happened is told."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import xpframe
from engine import load
from live_runs import start
from pages import check_html, text_of
from reused_runs import Driver
from xpframe.changes import Changes
from xpframe.notebook.run_cache import RunCache

if TYPE_CHECKING:
    from conftest import Workspaces


class Growing:
    """A run that grows: its files as they were after each job."""

    def __init__(self, root: Path, count: int) -> None:
        driver = Driver()
        leaf = driver.make("Leaf", 1)
        for n in range(count):
            driver.submit(driver.make("Train", n, leaf))
        self.run = driver.save(root)
        self.root, self.jobs = root, [job.identifier for job in driver.jobs]
        self.files = {name: (self.run / name).read_bytes() for name in ("jobs.jsonl", "objects.jsonl")}
        (self.run / "status.json").write_text('{"status": "running", "ended_at": null}')
        self.grow(1)

    def grow(self, jobs: int) -> None:
        """Leaves the first jobs; the first line of objects.jsonl is the leaf they share."""
        for name, more in (("jobs.jsonl", 0), ("objects.jsonl", 1)):
            rows = self.files[name].splitlines(keepends=True)
            (self.run / name).write_bytes(b"".join(rows[: jobs + more]))

    def mark(self, job: int, suffix: str) -> None:
        (self.root / "jobs" / "lab.train" / self.jobs[job] / f"train.{suffix}").write_text("")


@pytest.fixture
def growing(tmp_path: Path) -> Growing:
    return Growing(tmp_path / "ws", 5)


def test_refresh_gives_what_is_new_and_leaves_the_old(growing: Growing) -> None:
    """New jobs are in the new info only; the old one keeps its jobs, configs and frame."""
    first = load(growing.run)
    config = first.jobs[growing.jobs[0]]
    growing.grow(4)
    second = first.refresh()
    assert list(first.jobs) == growing.jobs[:1]
    assert list(second.jobs) == growing.jobs[:4]
    assert second.jobs[growing.jobs[0]] == config
    assert second.jobs[growing.jobs[0]].held0 is second.jobs[growing.jobs[3]].held0
    assert (len(first.frame()), len(second.frame())) == (1, 4)


def test_what_did_not_change_is_not_read_again(growing: Growing) -> None:
    """A refresh of a run that did not grow reads no jobs and no configs, but the states anew."""
    growing.grow(5)
    first = load(growing.run)
    before = xpframe._core.progress_counters()
    second = first.refresh()
    assert xpframe._core.progress_counters()[:3] == before[:3]
    assert second._run.signature == first._run.signature
    growing.mark(2, "done")
    assert second.states[growing.jobs[2]] == "done"
    with (growing.run / "jobs.jsonl").open("ab") as file:
        file.write(b"\n")
    first.refresh()
    assert xpframe._core.progress_counters()[0] > before[0]


def test_a_config_that_came_later(growing: Growing) -> None:
    """A job without config is looked for again, though the run's files did not change."""
    params = growing.root / "jobs" / "lab.train" / growing.jobs[0] / "params.json"
    content = params.read_bytes()
    params.unlink()
    (growing.run / "objects.jsonl").write_bytes(b"")
    first = load(growing.run)
    assert list(first.jobs) == []
    params.write_bytes(content)
    assert list(first.refresh().jobs) == growing.jobs[:1]


@pytest.mark.parametrize("asked", [True, False], ids=["states known", "states never asked for"])
def test_since_tells_what_happened(asked: bool, growing: Growing) -> None:
    """Added, started, finished and failed jobs are told, each in the order of submission."""
    growing.grow(3)
    growing.mark(0, "done")
    time.sleep(0.05)
    first = load(growing.run)
    if asked:
        assert first.states[growing.jobs[0]] == "done"
    growing.grow(5)
    for job, marker in ((1, "done"), (2, "failed"), (3, "done")):
        growing.mark(job, marker)
    second = first.refresh()
    happened = second.since(first)
    jobs = growing.jobs
    assert happened == Changes(
        added=(jobs[3], jobs[4]), started=(), finished=(jobs[1], jobs[3]), error=(jobs[2],), lost=()
    )
    assert list(happened) == [jobs[3], jobs[4], jobs[1], jobs[2]]
    assert len(happened) == 4
    assert str(happened) == "2 added, 2 finished, 1 error"
    assert repr(happened) == "<Changes: 2 added, 2 finished, 1 error>"
    assert jobs[3][:8] in happened._repr_html_()
    lines = happened._display(as_html=False).splitlines()
    assert lines[:2] == ["2 added, 2 finished, 1 error", "added"]
    assert lines[2].startswith(f"  {jobs[3][:8]}  ")
    check_html(happened._repr_html_())
    assert happened.failed == happened.error
    frame = happened.frame(backend="polars")
    assert frame["job_id"].to_list() == jobs[1:]
    assert frame["state"].to_list() == ["done", "error", "done", "unscheduled"]
    assert frame["config.n"].to_list() == [1, 2, 3, 4]
    assert happened.frame("error")["job_id"].tolist() == [jobs[2]]
    assert len(happened.frame("lost", backend="polars")) == 0
    with pytest.raises(xpframe.errors.InvalidArgumentError, match="it is one of added"):
        happened.frame("gone")


def test_changes_list_tags() -> None:
    """Changed jobs are listed with their tasks and tags; of many, the first."""
    info = xpframe.Workspace(xpframe.sample_workspace()).load_xp_info("grid-search")
    ids = list(info.states)
    changes = Changes(added=tuple(ids), error=tuple(ids[:1]), _run=info._run)
    lines, page = changes._display(as_html=False).splitlines(), changes._repr_html_()
    assert lines[:2] == ["12 added, 1 error", "added"]
    assert lines[2] == f"  {ids[0][:8]}  lab.tasks.train  hidden_size=64 learning_rate=0.1"
    assert lines[10:12] == ["  … and 4 more", "error"]
    check_html(page)
    for word in (ids[0][:8], "hidden_size=64", "learning_rate=0.1", "lab.tasks. train", "… and 4 more"):
        assert word in text_of(page)
    assert Changes(added=("ab",))._display(as_html=False) == "1 added\nadded\n  ab"
    check_html(Changes(added=("ab",))._repr_html_())


def test_nothing_happened(growing: Growing) -> None:
    """Without a change, the answer is false and says so."""
    first = load(growing.run)
    assert first.states
    happened = first.refresh().since(first)
    assert not happened
    assert len(happened) == 0
    assert str(happened) == "nothing happened"
    assert "nothing happened" in happened._repr_html_()
    assert isinstance(happened.frame(backend="polars"), pl.DataFrame)


def test_jobs_are_lost_with_their_driver(growing: Growing) -> None:
    """A job with a pid file is running while the driver holds the lock, and lost when it lets go."""
    import fcntl

    growing.mark(0, "pid")
    lock = growing.run.parent / "lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        first = load(growing.run)
        assert first.alive
        assert first.states == {growing.jobs[0]: "running"}
    second = first.refresh()
    assert (first.alive, second.alive) == (True, False)
    assert second.since(first) == Changes(lost=(growing.jobs[0],))


def test_another_run_is_compared_and_another_experiment_is_not(workspaces: Workspaces) -> None:
    """`since` another run of the experiment compares the two runs; another experiment is refused."""
    workspace = xpframe.Workspace(workspaces.path("v270_full"))
    first, second = (workspace.load_xp_info("grid-search", run) for run in workspace.runs("grid-search")[:2])
    compared = first.since(second)
    assert str(compared) == str(second.compare(first))
    other = next(name for name in workspace.experiments() if name != "grid-search")
    with pytest.raises(xpframe.errors.InvalidArgumentError, match="cannot compare grid-search"):
        first.since(workspace.load_xp_info(other))


@pytest.mark.parametrize("told", ["nothing", "states", "a display"])
def test_since_tells_failures_by_dependency(told: str, growing: Growing) -> None:
    """A job that another one kept from starting leaves no marker: the event of its failure dates it."""
    growing.grow(3)
    run_id = growing.run.name

    def event(job: int, state: str, reason: str | None, at: float) -> str:
        facts = {"timestamp": at, "job_id": growing.jobs[job], "run_id": run_id, "scheduler_state": state}
        return json.dumps({**facts, "failure_reason": reason, "event_type": "ExperimentJobStateEvent"}) + "\n"

    (growing.run / "status.json").write_text(json.dumps({"run_id": run_id, "status": "running"}))
    events = growing.run / "events" / "event-0.jsonl"
    events.parent.mkdir()
    long_ago = time.time() - 1000
    before = event(1, "error", "DEPENDENCY", long_ago) + event(2, "waiting", None, long_ago)
    events.write_text(before)
    first = load(growing.run)
    if told == "states":
        assert first.states[growing.jobs[1]] == "error"
    if told == "a display":
        assert first._repr_html_()
    time.sleep(0.02)
    events.write_text(before + event(2, "error", "DEPENDENCY", time.time()))
    second = first.refresh()
    assert second.since(first).failed == (growing.jobs[2],)


def test_magic_reads_again_only_what_changed(growing: Growing) -> None:
    """A second `%xpm load` reads no configs of a run that did not change, and all jobs of one that did."""
    from IPython.core.interactiveshell import InteractiveShell

    growing.grow(3)
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "xpframe")
    shell.run_line_magic("config", f"Xpm.workspace = {str(growing.root)!r}")
    try:
        assert len(shell.run_line_magic("xpm", "load reused")) == 3
        before = xpframe._core.progress_counters()
        assert len(shell.run_line_magic("xpm", "load reused")) == 3
        assert xpframe._core.progress_counters()[2] == before[2]
        growing.grow(5)
        assert len(shell.run_line_magic("xpm", "load reused")) == 5
        growing.mark(4, "done")
        assert shell.run_line_magic("xpm", "load reused")["state"].tolist()[4] == "done"
    finally:
        shell.run_line_magic("unload_ext", "xpframe")


@pytest.mark.parametrize(("max_bytes", "is_cached"), [(10, False), (1 << 20, True)])
def test_cached_runs_are_bounded(growing: Growing, max_bytes: int, is_cached: bool) -> None:
    """The cache keeps a run only if its files are small enough."""
    cache = RunCache(max_bytes=max_bytes)
    (run,) = cache.refresh([xpframe._core.open_run(growing.run)])
    run.load()
    before = xpframe._core.progress_counters()[2]
    (again,) = cache.refresh([xpframe._core.open_run(growing.run)])
    again.load()
    assert (xpframe._core.progress_counters()[2] == before) == is_cached


@pytest.mark.slow
def test_a_real_experiment_is_followed(tmp_path: Path) -> None:
    """Refreshed while it runs, an experiment tells each job once as added, and each end once."""
    live = start(tmp_path, jobs=6, seconds=0.2)
    told: Counter[tuple[str, str]] = Counter()
    looks = 0
    try:
        info = load(live.wait_for("jobs.jsonl"))
        known: dict[str, Any] = dict.fromkeys(info.states)
        ended = {job_id for job_id, state in info.states.items() if state in ("done", "error")}
        end = time.monotonic() + 60
        while time.monotonic() < end:
            is_over = live.driver.poll() is not None
            new = load_quietly(info)
            happened = new.since(info)
            assert list(new._run.rows())[: len(known)] == [
                (job, task) for job, task in new._run.rows() if job in known
            ]
            told.update((kind, job_id) for kind, jobs in happened.kinds().items() for job_id in jobs)
            known.update(dict.fromkeys(happened.added))
            info, looks = new, looks + 1
            if is_over:
                break
            time.sleep(0.05)
    finally:
        live.kill(with_jobs=True) if live.driver.poll() is None else live.driver.wait()
    assert looks >= 5
    states = info.states
    rows = (info.path / "jobs.jsonl").read_text().splitlines()
    assert list(known) == list(states) == [json.loads(row)["job_id"] for row in rows]
    assert set(states.values()) == {"done", "error"}
    assert max(told.values()) == 1
    for state, kind in (("done", "finished"), ("error", "error")):
        expected = {job_id for job_id, now in states.items() if now == state} - ended
        assert {job_id for what, job_id in told if what == kind} == expected
    assert not [job_id for what, job_id in told if what == "lost"]


def load_quietly(info: Any) -> Any:
    """`refresh`, its warning kept quiet: the last line may be half written."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xpframe.XpFrameWarning)
        return info.refresh()
