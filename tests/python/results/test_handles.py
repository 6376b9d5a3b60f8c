"""How many jobs have each file: directories are listed by threads where listing takes long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from xpframe import handles

JOBS = [("task", f"{number:064}", Path(f"/jobs/{number}")) for number in range(2_000)]


@pytest.mark.parametrize("slow", [0.0, 3600.0], ids=["threads", "alone"])
def test_files_are_those_of_each_job(slow: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each job gets its own files, whichever thread listed them."""
    monkeypatch.setattr(handles, "_SLOW", slow)
    monkeypatch.setattr(handles, "_files_below", lambda directory, _: iter([(directory / "log.csv", 3)]))
    assert handles._files_of(JOBS, []) == [[(directory / "log.csv", 3)] for *_, directory in JOBS]


def test_ctrl_c_ends_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads do not go on to list directories for a display that nobody gets."""
    listed = []

    def list_slowly(directory: Path, refused: list[OSError]) -> Iterator[tuple[Path, int]]:
        listed.append(directory)
        time.sleep(0.01)
        if threading.current_thread() is threading.main_thread() and len(listed) > 50:
            raise KeyboardInterrupt
        return iter(())

    monkeypatch.setattr(handles, "_SLOW", 0.0)
    monkeypatch.setattr(handles, "_files_below", list_slowly)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        handles._files_of(JOBS, [])
    while threading.active_count() > before:
        time.sleep(0.01)
    assert len(listed) < 1_000
