"""A driver killed at any moment: what it left is read, and the states are those that the format describes."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

import xpframe
from conftest import changes, listing
from engine import load, table
from live_runs import start
from states import lines, states

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
KILLS = 50 if os.environ.get("XPFRAME_SLOW") else 3
SEED = int(os.environ.get("XPFRAME_SEED", "1"))
JOBS, SECONDS = 8, 0.2
# from the first file of the run to the end of the last job, roughly
LONGEST = 5.0


def judge(run: Path) -> Counter[str]:
    """Everything that xpframe says of what is left agrees with the files; gives the number of each state."""
    before = listing(run.parents[2])
    info = load(run)
    truth = states(run)
    frame = table(run, columns=["job_id", "state", "failure"])
    told = {row["job_id"]: (row["state"], row["failure"]) for row in frame.to_pylist()}
    assert told == truth
    assert info.states == {job_id: state for job_id, (state, _) in truth.items()}
    written = {row["job_id"]: row for row in lines(run / "jobs.jsonl")}
    assert list(told) == list(written)
    for job_id, config in info.jobs.items():
        assert config.n == written[job_id]["tags"]["n"]
        if xpframe.typename(config).endswith("Learn"):
            assert config.model.size == config.n % 2 + 1
    objects = {line["identifier"] for line in lines(run / "objects.jsonl")}
    assert set(info.jobs) >= objects & set(written)
    found = xpframe.Workspace(run.parents[2]).check()
    kinds = Counter(one.kind for one in found)
    assert found.seen["jobs"] == len(written)
    # of those that are lost, the ones that ran: the others only waited; a process may have ended since
    assert kinds["lost-job"] <= sum(state == "lost" for state, _ in states(run).values())
    is_cut = info.status == "running" and info.alive is False
    assert kinds["cut-short"] == is_cut, found
    assert {"reused-id", "not-what-ran", "duplicate-identifier", "unlisted-job"}.isdisjoint(kinds)
    assert changes(before, listing(run.parents[2])) == []
    counts = Counter(state for state, _ in truth.values())
    counts["runs cut short"] += is_cut
    return counts


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for the processes of jobs")  # noqa: PTH112
def test_killed_at_any_moment(tmp_path: Path) -> None:
    """After `kill -9` of the driver, with or without its jobs, each job has the state that its files tell."""
    chance = random.Random(SEED)
    seen: Counter[str] = Counter()
    for n in range(KILLS):
        home = tmp_path / str(n)
        home.mkdir()
        live = start(home, jobs=JOBS, seconds=SECONDS)
        run = live.wait_for("status.json")
        # evenly over the whole run, so that few kills see all of it
        time.sleep(LONGEST * (n + chance.random()) / KILLS)
        live.kill(with_jobs=n % 2 == 0)
        seen += judge(run)
    print(dict(seen))
    assert seen["runs cut short"] >= KILLS // 3
    assert seen["done"] >= KILLS
    assert seen["lost"] >= KILLS // 10


def test_alive_while_it_runs(tmp_path: Path) -> None:
    """While the driver holds its lock, jobs run and none is lost; when it is killed, none runs."""
    live = start(tmp_path, jobs=4, seconds=1.0)
    try:
        run = live.wait_for("jobs.jsonl")
        end = time.monotonic() + 30
        info = load(run)
        now: dict[str, Any] = {}
        while "running" not in now.values() and time.monotonic() < end:
            info = load(run)
            now = info.states
            time.sleep(0.05)
        assert "running" in now.values()
        assert info.alive is True
        assert "lost" not in now.values()
        found = xpframe.Workspace(live.workspace).check()
        assert {"cut-short", "lost-job", "cut-line"}.isdisjoint(
            one.kind for one in found if one.severity != "info"
        )
    finally:
        live.kill(with_jobs=True)
    assert load(run).alive is False
    assert "running" not in load(run).states.values()
