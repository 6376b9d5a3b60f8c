"""Progress: shown of what takes long, where somebody looks; gone, or one line, when it is over."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import xpframe
from lazy_runs import run_id, write_runs
from reads import wait_until_nothing_is_read
from xpframe import progress
from xpframe.progress import Position


class Shown:
    """A place that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[Position] = []
        self.closed: list[Position] = []

    def update(self, position: Position) -> None:
        self.told.append(position)

    def close(self, position: Position) -> None:
        self.closed.append(position)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress that is shown after 50 ms."""
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    monkeypatch.setattr(progress, "PERIOD", 0.01)


def test_long_work_is_shown_and_closed_once(hasty: None) -> None:
    """Long work is told of in bytes that grow, and its end once; by the outer watch only."""
    place, inner, done = Shown(), Shown(), iter(range(1, 10_000))
    with (
        progress.watch(lambda: (next(done), 10_000, "bytes"), "grid", output=place),
        progress.watch(lambda: (1, 2, "bytes"), "inner", output=inner),
    ):
        time.sleep(0.3)
    assert len(place.told) > 3
    assert [p.done for p in place.told] == sorted({p.done for p in place.told})
    assert len(place.closed) == 1
    assert inner.told == []
    with progress.watch(lambda: (1, 2, "bytes"), "next", output=inner):
        time.sleep(0.2)
    assert inner.told


@pytest.mark.parametrize("quiet", [True, False])
def test_short_and_quiet_work_is_not_shown(hasty: None, quiet: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is shown of what is over soon, nor with quiet=True, and no thread stays."""
    if not quiet:
        monkeypatch.setattr(progress, "PATIENCE", 60)
    place = Shown()
    with progress.watch(lambda: (1, 2, "bytes"), output=place, quiet=quiet):
        time.sleep(0.2)
    assert (place.told, place.closed) == ([], [])
    assert [thread.name for thread in threading.enumerate() if thread.name == "xpframe"] == []


def test_what_comes_before_the_first_file_is_not_reading(hasty: None) -> None:
    """While the counter stands at nothing, as when pandas is imported, nothing is shown."""
    place = Shown()
    with progress.watch(lambda: (0, 0, "bytes"), output=place):
        time.sleep(0.2)
    assert (place.told, place.closed) == ([], [])


def interrupted(place: Shown) -> None:
    with progress.watch(lambda: (1, 2, "bytes"), output=place):
        time.sleep(0.2)
        raise KeyboardInterrupt


def test_an_exception_ends_the_watch(hasty: None) -> None:
    """An error inside comes out as it is, the display is closed, and the next watch shows again."""
    for _ in range(2):
        place = Shown()
        with pytest.raises(KeyboardInterrupt):
            interrupted(place)
        assert len(place.closed) == 1


def test_a_terminal_has_one_line_that_goes(capsys: pytest.CaptureFixture[str], hasty: None) -> None:
    """On a terminal the line is rewritten in place, on stderr, and is gone at the end."""
    place = progress.TerminalProgress()
    with progress.watch(lambda: (84_000_000, 312_000_000, "bytes"), "grid", output=place):
        time.sleep(0.2)
    out, err = capsys.readouterr()
    assert out == ""
    assert "grid: 84 MB of 312 MB (27%)" in err
    assert "\n" not in err
    assert err.endswith("\r\x1b[K")


def test_nothing_is_shown_where_nobody_looks() -> None:
    """A script whose stderr is a pipe gets no progress."""
    assert not sys.stderr.isatty()
    assert progress.detect_output() is None


# --- the calls that show it ---

RUNS, JOBS = 30, 900


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose reading takes some tenths of a second."""
    return write_runs(tmp_path_factory.mktemp("progress") / "workspace", RUNS, JOBS)


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> list[Shown]:
    """The places where progress was shown, as if somebody looked and were very impatient."""
    wait_until_nothing_is_read()
    made: list[Shown] = []

    def detect_output() -> Shown:
        made.append(Shown())
        return made[-1]

    monkeypatch.setattr(progress, "PATIENCE", 0.005)
    monkeypatch.setattr(progress, "PERIOD", 0.002)
    monkeypatch.setattr(progress, "detect_output", detect_output)
    return made


def collected(runs: Path, engine: Any, **options: Any) -> Any:
    """What a lazy query gives; its columns are known before."""
    options |= {"workspace": runs, "run": "all", "keep_bytes": 0}
    return xpframe.scan_xp("grid", **options).collect(engine=engine)


CALLS: dict[str, Callable[..., Any]] = {
    "xp_frame": lambda runs, **o: xpframe.xp_frame("grid", workspace=runs, run="all", backend="polars", **o),
    "xp_table": lambda runs, **o: xpframe.xp_table("grid", workspace=runs, run="all", **o),
    "scan_xp": lambda runs, **o: xpframe.scan_xp("grid", workspace=runs, run="all", **o),
    "collect, streaming": lambda runs, **o: collected(runs, "streaming", **o),
    "collect, in memory": lambda runs, **o: collected(runs, "in-memory", **o),
}


def shown_by(call: Callable[[], Any], places: list[Shown]) -> Shown:
    """What a call showed; who looks may come too late on a busy machine, then it is called anew."""
    for _ in range(10):
        call()
        if places[-1].told:
            return places[-1]
    pytest.fail("nothing was shown in ten calls")


@pytest.mark.parametrize("call", CALLS)
def test_calls_show_how_far_they_are(call: str, runs: Path, places: list[Shown]) -> None:
    """Each call that reads tells how much it read, of how much there is, and once that it is over."""
    shown = shown_by(lambda: CALLS[call](runs), places)
    assert len(shown.closed) == 1
    (last,) = shown.closed
    assert last.title == f"grid, {RUNS} runs"
    assert last.done == last.total > 0
    # what there is to read is known from the first moment, but for a few small files
    assert min(p.total for p in shown.told) > 0.9 * last.total
    jobs = RUNS * JOBS
    if call.startswith("collect"):
        assert last.summary().startswith(f"grid, {RUNS} runs: {jobs:,} jobs in ")
    else:
        assert last.unit == "bytes"


@pytest.mark.parametrize("call", CALLS)
def test_calls_are_quiet_when_asked(call: str, runs: Path, places: list[Shown]) -> None:
    """With `quiet=True` nobody is told."""
    CALLS[call](runs, quiet=True)
    assert places == []


def test_objects_show_how_far_they_are(tmp_path: Path, places: list[Shown]) -> None:
    """`load_xp_info` shows progress under the name of the experiment, unless it shall be quiet."""
    root = write_runs(tmp_path, 1, 4000)
    path = root / "experiments" / "grid" / run_id(0)
    assert len(xpframe.load_xp_info(path, quiet=True).jobs) == 4000
    assert len(xpframe.Workspace(root).load_xp_info("grid", quiet=True).jobs) == 4000
    assert places == []
    shown = shown_by(lambda: xpframe.load_xp_info(path), places)
    assert [p.title for p in shown.closed] == ["grid"]
    before = len(places)
    xpframe.load_xp_info(path).frame(quiet=True)
    assert len(places) == before + 1


def test_a_check_shows_how_much_it_read(runs: Path, places: list[Shown]) -> None:
    """The doctor, who does not know how much there is, tells how much was read, unless it shall be quiet."""
    workspace = xpframe.Workspace(runs)
    assert len(workspace.check(quiet=True)) > 0
    assert places == []
    shown = shown_by(workspace.check, places)
    (last,) = shown.closed
    assert (last.title, last.total) == ("check", 0)
    assert last.done > 1_000_000
    assert str(last) == f"check: {last.done / 1e6:.0f} MB read"
    assert last.summary().startswith(f"check: {last.done / 1e6:.0f} MB in ")
    stopped = Position("check", 2_000_000, 0, "bytes", 1.25, stopped=True)
    assert stopped.summary() == "check: stopped at 2 MB in 1.2 s"


def test_a_query_that_was_left_lets_others_be_shown(
    runs: Path, places: list[Shown], monkeypatch: pytest.MonkeyPatch
) -> None:
    """polars keeps the query behind batches that nobody asks for: its progress ends, others show theirs."""
    monkeypatch.setattr(progress, "LEFT", 0.1)
    lazy = xpframe.scan_xp("grid", workspace=runs, run="all", keep_bytes=0)
    batches = iter(lazy.collect_batches(chunk_size=JOBS, engine="streaming"))
    next(batches)
    left = places[-1]
    deadline = time.monotonic() + 60
    while progress._watching.locked():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert all(position.stopped for position in left.closed)
    assert shown_by(lambda: CALLS["xp_frame"](runs), places) is not left
    # somebody asks again
    assert sum(batch.height for batch in batches) == (RUNS - 1) * JOBS
    del batches


def slowly(*items: str) -> Iterator[str]:
    for item in items:
        time.sleep(0.2)
        yield item


def test_work_goes_on_after_it_was_left(hasty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where much time passes between two steps, the display is closed, and the next step opens it again."""
    monkeypatch.setattr(progress, "LEFT", 0.05)
    place, other = Shown(), Shown()
    told = []
    with progress.Watch(lambda: (1, 2, "jobs"), "slow", output=place) as work:
        for step in work.steps(slowly("first", "second", "third")):
            told.append(len(place.told))
            if step == "second":
                time.sleep(0.3)
                assert [position.stopped for position in place.closed] == [True]
                with progress.watch(lambda: (1, 2, "bytes"), "other", output=other):
                    time.sleep(0.2)
    assert other.told != []
    assert told == sorted(set(told))
    assert [position.stopped for position in place.closed] == [True, False]


def test_what_was_stopped_says_how_far_it_was() -> None:
    """What a stopped query leaves says how far it was."""
    position = Position("grid", 2_000_000, 12_000_000, "bytes", 1.25, stopped=True)
    assert position.summary() == "grid: stopped at 2 MB of 12 MB in 1.2 s"
    position = Position("grid", 700, 9000, "jobs", 3, stopped=True)
    assert position.summary() == "grid: stopped at 700 of 9,000 jobs in 3.0 s"
    assert str(position) == "grid: 700 of 9,000 jobs (8%)"


def test_a_hostile_name_is_harmless() -> None:
    """The name of an experiment cannot move the cursor, and in a notebook is text."""
    position = Position("\x1b[2Jx\r\n<script>\u202e" + 500 * "y", 1, 2, "bytes", 1)
    for text in (str(position), position.summary()):
        assert text.isprintable()
        assert "\\x1b[2Jx\\r\\n<script>\\u202e" in text
        assert len(text) < 160
    from xpframe.progress import NotebookProgress

    shown: list[tuple[str, str]] = []
    place = NotebookProgress()
    place._show = lambda text, markup: shown.append((text, markup))  # type: ignore[method-assign]
    place.update(position)
    assert "<script>" not in shown[0][1]
    assert "&lt;script&gt;" in shown[0][1]


SCRIPT = """
    import sys
    import xpframe, xpframe.progress as p
    p.PATIENCE, p.PERIOD = 0.005, 0.002
    options = {"workspace": sys.argv[1], "run": "all", "quiet": "-q" in sys.argv}
    print(len(xpframe.xp_frame("grid", backend="polars", **options)))
"""


def read_terminal(terminal: int) -> bytes:
    """What is written until the other end is closed; a writer waits where nobody reads a full terminal."""
    read = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # EIO: the other end is closed
            return read
        read += part


@pytest.mark.parametrize("quiet", [False, True])
def test_a_terminal_is_shown_and_cleaned(quiet: bool, runs: Path) -> None:
    """Of a script in a terminal stderr shows progress and is left clean; stdout has only what it printed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(runs), *(["-q"] if quiet else [])]
    with ThreadPoolExecutor(1) as pool:
        shown = pool.submit(read_terminal, ours)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
            os.close(theirs)
            printed, _ = process.communicate()
        err = shown.result()
    os.close(ours)
    assert process.returncode == 0, err
    assert printed == f"{RUNS * JOBS}\n"
    if quiet:
        assert err == b""
        return
    assert f"grid, {RUNS} runs: ".encode() in err
    assert err.endswith(b"\r\x1b[K")
    assert b"\n" not in err
