"""The states of jobs while a real driver runs, and the times of real drivers in zones of the world."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

import live_states
from engine import load, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from live_runs import Live

pytestmark = pytest.mark.slow

ZONES = ["America/St_Johns", "America/New_York", "Europe/Paris", "Asia/Kathmandu", "Asia/Tokyo"]


def states(live: Live, task: str) -> list[str]:
    """The states of the jobs of a task in the newest run; none before it is there."""
    run = live.run()
    if run is None or not (run / "jobs.jsonl").exists():
        return []
    rows = table(run, columns=["task", "state"]).to_pylist()
    return [row["state"] for row in rows if row["task"].endswith(task)]


def wait_until(fact: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 90
    while not fact():
        assert time.monotonic() < end, f"not after 90 s: {what}"
        time.sleep(0.05)


def has_marker(live: Live, suffix: str) -> bool:
    return any(live.workspace.glob(f"jobs/*/*/*.{suffix}"))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Live]]:
    """Starts drivers; those that still run after the test are killed with their jobs."""
    started: list[Live] = []

    def run(*arguments: Any) -> Live:
        started.append(live_states.start(tmp_path, *arguments))
        return started[-1]

    yield run
    for live in started:
        if live.driver.poll() is None:
            live.kill(with_jobs=True)


def test_a_resumable_task_that_timed_out_waits_again(start: Callable[..., Live]) -> None:
    """It has the marker of its first attempt, and waits for a token: it is no error."""
    live = start("timed_out", 12)
    wait_until(lambda: has_marker(live, "failed"), "the first attempt timed out")
    wait_until(lambda: states(live, "") == ["waiting", "running"], "it is queued again behind the other job")
    assert has_marker(live, "failed")
    assert live.driver.wait(90) == 0
    rows = table(
        "grid", workspace=live.workspace, columns=["task", "state", "failure", "retries"]
    ).to_pylist()
    (row,) = (row for row in rows if row["task"].endswith("resumed"))
    assert (row["state"], row["failure"], row["retries"]) == ("done", None, 1)


def test_a_failed_job_that_is_submitted_again_waits(start: Callable[..., Live]) -> None:
    """The marker is of the run before, and the driver of this one has it in its queue."""
    # a process of its own: within one, the job would keep the dependencies of its first submission
    first = start("failed", 0)
    first.driver.wait(90)
    assert states(first, "mended") == ["error"]
    live = start("submitted_again", 6)
    wait_until(lambda: len(list(live.workspace.glob("experiments/grid/2*"))) == 2, "a second run")
    wait_until(lambda: states(live, "hold") == ["running"], "another job has the token")
    wait_until(lambda: states(live, "mended") == ["waiting"], "it waits for the token")
    assert has_marker(live, "failed")
    assert live.driver.wait(90) == 0
    assert states(live, "mended") == ["done"]


def test_a_job_whose_driver_was_killed_while_it_waited_is_lost(start: Callable[..., Live]) -> None:
    """It waits while the driver is there, and is lost once nobody is left to start it."""
    live = start("waiting", 60)
    wait_until(lambda: states(live, "mended") == ["waiting"], "a job waits")
    wait_until(lambda: states(live, "hold") == ["running"], "another job has the token")
    live.kill(with_jobs=True)
    assert states(live, "mended") == ["lost"]
    assert states(live, "hold") == ["lost"]


READ = """
import json, sys, xpframe
run = sys.argv[1]
info = xpframe.load_xp_info(run)
frame = info.frame(columns=["submitted_at", "started_at", "ended_at", "duration_s"], backend="polars")
times = [info.started_at, info.ended_at, *frame.row(0)[:3]]
table = info.table(columns=["started_at"])
print(json.dumps([[t.timestamp() for t in times], frame.row(0)[3], table.column_metadata("started_at")]))
"""


def read_in(zone: str, run: Path) -> Any:
    """What a reader in a zone sees: Unix times of the run and its job, the duration, metadata of times."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(run)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TZ": zone, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("zone", ZONES)
def test_a_driver_in_any_zone_has_its_times(zone: str, start: Callable[..., Live]) -> None:
    """Times are those of the clock on the wall outside, whatever the zone of the driver and of the reader."""
    began = time.time()
    live = start("plain", 0.5, zone)
    assert live.driver.wait(90) == 0
    ended = time.time()
    (run,) = live.workspace.glob("experiments/grid/2*")
    (marker,) = live.workspace.glob("jobs/*/*/hold.done")
    for reader in ("UTC", "Asia/Tokyo", "America/New_York"):
        (run_start, run_end, submitted, started, stopped), duration, metadata = read_in(reader, run)
        order = [began, run_start, submitted, started, stopped, run_end, ended]
        # two clocks of one machine: the kernel's for files is coarse
        assert all(after - before > -0.02 for before, after in pairwise(order)), order
        assert stopped == pytest.approx(marker.stat().st_mtime, abs=0.02)
        assert 0.4 < duration < 30
        assert metadata["xpframe.zone"] == "recorded"


# a job of 45 minutes over a change of the clock, in UTC: when it starts
CHANGES = [
    ("America/New_York", datetime(2025, 11, 2, 5, 30, tzinfo=UTC)),  # 01:30 EDT to 01:15 EST
    ("America/New_York", datetime(2026, 3, 8, 6, 45, tzinfo=UTC)),  # 01:45 EST to 03:30 EDT
    ("Europe/Paris", datetime(2025, 10, 26, 0, 30, tzinfo=UTC)),
    ("Europe/Paris", datetime(2026, 3, 29, 0, 45, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 14, 40, tzinfo=UTC)),  # by half an hour
]


class Shifted:
    """A real run, moved to another time: Unix times, local texts and marker files alike."""

    def __init__(self, zone: str, start: float, length: float, base: datetime) -> None:
        self.zone, self.start, self.length, self.base = ZoneInfo(zone), start, length, base

    def time(self, seconds: float) -> float:
        """The moment at which the job runs for 45 minutes from the base on."""
        minutes = (seconds - self.start) / self.length * 45
        return (self.base + timedelta(minutes=minutes)).timestamp()

    def text(self, local: str) -> str:
        seconds = datetime.fromisoformat(local).replace(tzinfo=self.zone).timestamp()
        return datetime.fromtimestamp(self.time(seconds), self.zone).replace(tzinfo=None).isoformat()

    def value(self, key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {inner: self.value(inner, item) for inner, item in value.items()}
        if key == "timestamp" and isinstance(value, float):
            return self.time(value)
        is_local = key.endswith(("_time", "_at")) and isinstance(value, str)
        return self.text(value) if is_local else value

    def rewrite(self, file: Path) -> None:
        lines = file.read_text().splitlines() if file.suffix == ".jsonl" else [file.read_text()]
        file.write_text(
            "".join(json.dumps(self.value("", json.loads(line))) + "\n" for line in lines if line)
        )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The workspace of a real run by the zone of its driver."""
    made: dict[str, Path] = {}

    def run_in(zone: str) -> Path:
        if zone not in made:
            live = live_states.start(tmp_path_factory.mktemp("zone"), "plain", 1, zone)
            assert live.driver.wait(90) == 0
            made[zone] = live.workspace
        return made[zone]

    return run_in


@pytest.mark.parametrize(("zone", "base"), CHANGES)
def test_changes_of_the_clock(
    zone: str, base: datetime, recorded: Callable[[str], Path], tmp_path: Path
) -> None:
    """A job that runs while the clock is changed has its 45 minutes, for readers anywhere."""
    original = recorded(zone)
    (run,) = original.glob("experiments/grid/2*")
    (status,) = original.glob("jobs/*/*/.experimaestro/status.json")
    texts = json.loads(status.read_text())
    start, end = (
        datetime.fromisoformat(texts[key]).replace(tzinfo=ZoneInfo(zone)).timestamp()
        for key in ("started_time", "ended_time")
    )
    subprocess.run(["cp", "-a", str(original), str(tmp_path / "ws")], check=True)
    shifted = Shifted(zone, start, end - start, base)
    moved = tmp_path / "ws"
    for pattern in (
        "experiments/grid/2*/*.json*",
        "experiments/grid/2*/events/*",
        "jobs/*/*/.experimaestro/**/*.json*",
    ):
        for file in moved.glob(pattern):
            if file.name not in ("objects.jsonl", "environment.json"):
                shifted.rewrite(file)
    (marker,) = moved.glob("jobs/*/*/hold.done")
    at = shifted.time(marker.stat().st_mtime)
    os.utime(marker, (at, at))
    for reader in ("UTC", "Asia/Tokyo", "America/New_York"):
        (*_, started, stopped), duration, metadata = read_in(reader, moved / "experiments/grid" / run.name)
        assert started == pytest.approx(base.timestamp(), abs=1)
        assert stopped == pytest.approx((base + timedelta(minutes=45)).timestamp(), abs=1)
        assert duration == pytest.approx(45 * 60, abs=1)
        assert metadata["xpframe.zone"] == "recorded"
    assert load(moved / "experiments/grid" / run.name).errors == []
