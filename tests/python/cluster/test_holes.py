"""NUL holes that a crash leaves inside a file, and byte order marks: the rows around them are read."""

from __future__ import annotations

import json
import random
import warnings
from pathlib import Path
from typing import Any

import pytest

import xpframe
from odd_runs import job_id, row, write_run
from xpframe.errors import XpFrameWarning

JOBS = 10


def hole(count: int) -> str:
    """What is told of a hole of so many bytes."""
    nul, them = ("1 NUL byte is", "it") if count == 1 else (f"{count} NUL bytes are", "them")
    return (
        f"{nul} skipped: a crash lost what was written there (what is whole before and after {them} is read)"
    )


MARK = (
    "a byte order mark is skipped: another program wrote this file"
    " (the line is read; experimaestro refuses it)"
)


def read(root: Path) -> tuple[Any, list[str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XpFrameWarning)
        table = xpframe.xp_table("odd", workspace=root, columns=["job_id", "tags.*", "config.*"])
    return {name: table.column_values(name) for name in table.column_names}, [str(e) for e in table.errors]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of ten jobs."""
    return write_run(tmp_path, [json.dumps(row(job)) for job in range(JOBS)])


@pytest.mark.parametrize("name", ["jobs.jsonl", "objects.jsonl"])
@pytest.mark.parametrize("count", [1, 4096, 200_000])
@pytest.mark.parametrize("line", [0, 4, JOBS - 1])
@pytest.mark.parametrize("where", ["before", "after", "instead of the line end", "on a line of its own"])
def test_nothing_is_lost_around_a_hole(
    where: str, line: int, count: int, name: str, run: Path, tmp_path: Path
) -> None:
    """NUL bytes between rows cost no row, wherever they are; the error says how many, and in which line."""
    expected, errors = read(tmp_path)
    assert errors == []
    file = run / name
    lines = file.read_bytes().splitlines(keepends=True)
    nul = bytes(count)
    last = line == JOBS - 1
    lines[line] = {
        "before": nul + lines[line],
        "after": lines[line][:-1] + nul + b"\n",
        "instead of the line end": lines[line][:-1] + nul,
        "on a line of its own": nul + b"\n" + lines[line],
    }[where]
    file.write_bytes(b"".join(lines))
    found, errors = read(tmp_path)
    assert found == expected
    assert errors == [f"{file}:{line + 1}: {hole(count)}"], last


@pytest.mark.parametrize("name", ["jobs.jsonl", "objects.jsonl"])
def test_a_row_with_a_hole_inside(name: str, run: Path, tmp_path: Path) -> None:
    """A hole inside a row costs that row only, with one error; the row behind is read."""
    file = run / name
    lines = file.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3][:30] + bytes(50) + lines[4]
    del lines[4]
    file.write_bytes(b"".join(lines))
    found, errors = read(tmp_path)
    ids = [job_id(job) for job in range(JOBS) if name != "jobs.jsonl" or job != 3]
    assert found["job_id"] == ids
    assert found["tags.size"] == [job for job in range(JOBS) if name != "jobs.jsonl" or job != 3]
    of_line = [error for error in errors if error.startswith(f"{file}:4")]
    assert of_line == [f"{file}:4: {hole(50)}"]


@pytest.mark.parametrize("name", ["jobs.jsonl", "objects.jsonl"])
def test_a_byte_order_mark(name: str, run: Path, tmp_path: Path) -> None:
    """A byte order mark at the start of a file, or of a later line, costs no row, and is told."""
    expected, _ = read(tmp_path)
    file = run / name
    text = file.read_bytes()
    mark = "\ufeff".encode()
    file.write_bytes(mark + text)
    assert read(tmp_path) == (expected, [f"{file}:1: {MARK}"])
    lines = text.splitlines(keepends=True)
    lines[5] = mark + lines[5]
    file.write_bytes(b"".join(lines))
    assert read(tmp_path) == (expected, [f"{file}:6: {MARK}"])


def test_check_tells_holes_and_marks(run: Path, tmp_path: Path) -> None:
    """`check` has both as findings, with file and line."""
    jobs, objects = run / "jobs.jsonl", run / "objects.jsonl"
    jobs.write_bytes("\ufeff".encode() + jobs.read_bytes())
    objects.write_bytes(objects.read_bytes().replace(b"\n", bytes(7) + b"\n", 1))
    told = {(one.file, one.line, one.kind) for one in xpframe.Workspace(tmp_path).check() if one.line}
    assert told >= {(str(jobs), 1, "bad-line"), (str(objects), 1, "bad-line")}


def test_small_files_with_a_mark(run: Path, tmp_path: Path) -> None:
    """A byte order mark before a small file of JSON is skipped too: nothing is lost, nothing is told."""
    mark = "\ufeff".encode()
    status = {"run_id": run.name, "status": "done", "hostname": "node7"}
    (run / "status.json").write_bytes(mark + json.dumps(status).encode())
    (run / "environment.json").write_bytes(mark + b'{"python_version": "3.12.1"}')
    info = xpframe.load_xp_info(run)
    assert (info.hostname, info.environment["python_version"]) == ("node7", "3.12.1")
    assert info.errors == []


def test_events_around_a_hole(run: Path) -> None:
    """Events glued to a hole are read, and the hole is told."""
    events = run / "events"
    events.mkdir()
    event = {"event_type": "ActionAddedEvent", "run_id": run.name, "action_id": "a1", "description": "does"}
    (run / "status.json").write_text(json.dumps({"run_id": run.name, "status": "running"}))
    line = json.dumps(event | {"action_class": "lab.Act"}).encode()
    (events / "event-1.jsonl").write_bytes(b'{"x": 1}' + bytes(9) + line + b"\n")
    info = xpframe.load_xp_info(run)
    _ = info.status
    assert f"{events}/event-1.jsonl:1: {hole(9)}" in [str(error) for error in info.errors]
    assert "a1" in str(xpframe.Workspace(run.parents[2]).check())


def test_random_holes(tmp_path: Path) -> None:
    """Files with many holes anywhere: each row without one is read, and no error is without its line."""
    generator = random.Random(17)
    for trial in range(30):
        root = tmp_path / str(trial)
        run = write_run(root, [json.dumps(row(job)) for job in range(JOBS)])
        file = run / "jobs.jsonl"
        text = bytearray(file.read_bytes())
        damaged = set()
        for _ in range(generator.randrange(1, 4)):
            start = generator.randrange(len(text))
            end = min(start + generator.choice([1, 2, 60, 300]), len(text))
            text[start:end] = bytes(end - start)
            damaged |= {bytes(text).count(b"\n", 0, start)}
        before = file.read_bytes().splitlines()
        file.write_bytes(text)
        whole = {
            json.loads(line)["job_id"]
            for line in before
            if line in bytes(text).replace(b"\n", b"\0").split(b"\0")
        }
        found, errors = read(root)
        assert whole <= set(found["job_id"])
        assert any(" NUL byte" in error for error in errors)
        assert damaged
