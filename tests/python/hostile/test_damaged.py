"""Files that are cut, broken or hostile: what can be read comes back, the rest is an error with its place."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import xpframe
from conftest import unpack
from engine import load, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JOBS = 3


def write(workspace: Path, objects: bytes, jobs: str | None = None) -> Path:
    """A run of three jobs with the given objects.jsonl."""
    run = workspace / "experiments" / "x" / "20260101_000000"
    run.mkdir(parents=True)
    (workspace / ".__experimaestro__").touch()
    rows = [
        {"job_id": f"{n}" * 64, "task_id": "lab.train", "tags": {"n": n}, "timestamp": 1.5e9}
        for n in range(JOBS)
    ]
    (run / "jobs.jsonl").write_text(jobs if jobs is not None else "".join(json.dumps(r) + "\n" for r in rows))
    (run / "objects.jsonl").write_bytes(objects)
    return run


def line(n: int, **fields: Any) -> bytes:
    o = {"id": 100 + n, "module": "lab", "type": "Train", "typename": "lab.Train", "identifier": f"{n}" * 64}
    return json.dumps({**o, "fields": {"n": n, **fields}}, separators=(",", ":")).encode() + b"\n"


WHOLE = b"".join(line(n) for n in range(JOBS))


@pytest.mark.slow
def test_cut_at_every_byte(tmp_path: Path) -> None:
    """However an objects.jsonl is cut, every whole line is read and every job keeps its row."""
    run = write(tmp_path / "ws", WHOLE)
    for size in range(len(WHOLE) + 1):
        (run / "objects.jsonl").write_bytes(WHOLE[:size])
        whole = sum(size >= len(line(0)) * (n + 1) - 1 for n in range(JOBS))
        info = load(run)
        assert [job.n for job in info.jobs.values()] == list(range(whole)), size
        assert table(run)["tags.n"].to_pylist() == [0, 1, 2]


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff\xfe\x00garbage\n",
        b"[1, 2]\n",
        b"null\n",
        b"{}\n",
        b'{"id": "text", "fields": {}}\n',
        b'{"id": 7, "module": 3, "type": 4, "typename": 5, "identifier": 6, "fields": 8}\n',
        b'{"id": 7, "typename": "lab.Train", "identifier": "x", "fields": []}\n',
        b'{"id":1,"fields":{"a":tru\n',
        b'{"id":1,"fields":{"a":"\\ud8"}}\n',
        b'{"id":1,"fields":{"a":01}}\n',
        b"[" * 200_000 + b"]" * 200_000 + b"\n",
    ],
    ids=range(11),
)
def test_a_broken_line_costs_only_itself(bad: bytes, tmp_path: Path) -> None:
    """A line that is no object is an error that names file and line; the lines around it are read."""
    run = write(tmp_path / "ws", line(0) + bad + line(1) + b"\n" + line(2))
    info = load(run)
    assert [job.n for job in info.jobs.values()] == [0, 1, 2]
    # a line that a NUL byte cuts is one error, though both of its pieces are no objects
    assert len(info.errors) == 1
    assert all(str(error.file).endswith("objects.jsonl") for error in info.errors)
    assert {error.line for error in info.errors} == {2}
    with pytest.raises(xpframe.errors.XpFrameError, match=r"objects\.jsonl:2"):
        xpframe.load_xp_info(run, strict=True)


def test_deep_values_are_read_or_refused(tmp_path: Path) -> None:
    """Values nested a hundred deep are read; a hundred thousand deep are refused without harm."""
    nested: Any = 1
    for _ in range(100):
        nested = [nested]
    deep = json.dumps({"n": 1}).encode().replace(b"1", b"[" * 100_000 + b"]" * 100_000)
    content = line(0, deep=nested) + line(1).replace(b'{"n":1}', deep) + line(2)
    info = load(write(tmp_path / "ws", content))
    assert {job.n for k, job in info.jobs.items() if k[0] != "1"} == {0, 2}
    assert info.jobs["0" * 64].deep == nested


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("levels", [62, 63])
def test_every_library_takes_the_deepest_lists(levels: int, backend: str, tmp_path: Path) -> None:
    """Lists 62 deep are a column of every library; deeper values are left out, with a warning."""
    deep = b'"deep":' + b"[" * levels + b'"x"' + b"]" * levels
    write(tmp_path / "ws", b"".join(line(n, deep=0).replace(b'"deep":0', deep) for n in range(JOBS)))
    options: dict[str, Any] = {"workspace": tmp_path / "ws", "backend": backend, "columns": ["config.deep"]}
    if levels == 62:
        assert len(xpframe.xp_frame("x", **options)) == JOBS
    else:
        with pytest.warns(xpframe.errors.XpFrameWarning, match="nested more than 62 deep"):
            assert len(xpframe.xp_frame("x", **options)) == JOBS


def depth(value: list[Any]) -> int:
    levels = 1
    while value:
        (value,) = value
        levels += 1
    return levels


def test_the_deepest_values_fit_on_the_stack_of_each_thread(tmp_path: Path) -> None:
    """Values nested 990 deep are read by the caller, our threads, Python's, and those of polars."""
    deep = b"[" * 990 + b"]" * 990
    # so large that two of our threads share the file
    lines = [line(n, text="x" * 600_000, deep=0).replace(b'"deep":0', b'"deep":' + deep) for n in range(JOBS)]
    run = write(tmp_path / "ws", b"".join(lines))
    with ThreadPoolExecutor() as pool:
        for info in (load(run), pool.submit(load, run).result()):
            assert [depth(job.deep) for job in info.jobs.values()] == [990] * JOBS
    lazy = xpframe.scan_xp("x", workspace=tmp_path / "ws", columns=["config.n"])
    with pytest.warns(xpframe.errors.XpFrameWarning, match="nested too deep"):
        assert lazy.collect()["config.n"].to_list() == [0, 1, 2]


def test_long_lines(tmp_path: Path) -> None:
    """A line of many megabytes is a line."""
    text = "é" * 5_000_000
    info = load(write(tmp_path / "ws", line(0, text=text) + line(1) + line(2)))
    assert info.jobs["0" * 64].text == text
    assert len(info.jobs) == 3


def test_a_repeated_job_keeps_its_first_place(tmp_path: Path) -> None:
    """When jobs.jsonl names a job twice, the last line is right and stands where the first stood."""
    rows = [("0", {"n": 0}), ("1", {"n": 1}), ("0", {"n": 9})]
    lines = [
        json.dumps({"job_id": j * 64, "task_id": "lab.train", "tags": t, "timestamp": 1.0}) for j, t in rows
    ]
    frame = table(write(tmp_path / "ws", WHOLE, "\n".join(lines) + "\n"))
    assert frame["job_id"].to_pylist() == ["0" * 64, "1" * 64]
    assert frame["tags.n"].to_pylist() == [9, 1]


def fifo(path: Path) -> None:
    os.mkfifo(path)


def directory(path: Path) -> None:
    path.mkdir()


def dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [fifo, directory, dangling_link, device])
def test_a_file_that_is_none_blocks_nobody(make: Callable[[Path], None], tmp_path: Path) -> None:
    """A pipe, directory, dead link or device where objects.jsonl should be is an error; the rows remain."""
    run = write(tmp_path / "ws", WHOLE)
    (run / "objects.jsonl").unlink()
    make(run / "objects.jsonl")
    info = load(run)
    assert info.errors
    assert len(info.jobs) == 0
    assert table(run)["tags.n"].to_pylist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["../outside", "/etc", "..", ".", "", "x/../../outside", "a\x00b", "link"])
def test_names_do_not_leave_the_workspace(name: str, tmp_path: Path) -> None:
    """An experiment name that is a path out of the workspace, or a link out of it, is refused."""
    write(tmp_path / "ws", WHOLE)
    outside = write(tmp_path / "other", WHOLE).parent
    outside.rename(tmp_path / "outside")
    (tmp_path / "ws" / "experiments" / "link").symlink_to(tmp_path / "outside")
    workspace = xpframe.Workspace(tmp_path / "ws")
    for call in (workspace.load_xp_info, workspace.get_tags_map, workspace.runs):
        with pytest.raises((ValueError, FileNotFoundError)) as raised:
            call(name)
        assert isinstance(raised.value, xpframe.errors.XpFrameError)


def test_a_cycle_is_not_followed_forever(tmp_path: Path) -> None:
    """References in a circle, which only a user's dictionary can make, are cut and told."""
    circle = {"type": "python", "value": 100}
    run = write(tmp_path / "ws", line(0, other=circle) + line(1) + line(2))
    info = load(run)
    assert len(info.jobs) == 3
    assert table(run)["config.n"].to_pylist() == [0, 1, 2]
    assert repr(info.jobs["0" * 64])


def test_strict_raises_what_is_told_first(tmp_path: Path) -> None:
    """Of a run with a file cut or garbled, `strict=True` raises the first of the errors told else."""
    run = max(unpack("v270_full", tmp_path).glob("experiments/grid-search/2*"))
    told = 0
    for name in ("jobs.jsonl", "objects.jsonl", "status.json"):
        file = run / name
        content = file.read_bytes()
        cuts = [content[: len(content) * part // 12] for part in range(12)]
        for bad in [*cuts, content.replace(b"\n", b"]\n", 3), b"\xff" + content]:
            file.write_bytes(bad)
            info = load(run)
            frame = table(run)
            assert len(info.jobs) <= frame.num_rows
            if info.errors:
                told += 1
                with pytest.raises(xpframe.errors.XpFrameError) as raised:
                    xpframe.load_xp_info(run, strict=True)
                assert str(raised.value) == str(info.errors[0])
                assert str(file) in str(raised.value) or "params.json" in str(raised.value)
        file.write_bytes(content)
    assert told > 20
