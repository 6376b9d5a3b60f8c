"""Tables as files: what is written is what is read back, and nothing is written where it must not be."""

from __future__ import annotations

import csv
import errno
import json
import math
import subprocess
import sys
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given

import xpframe
from conftest import references
from random_runs import BASE_ID, RandomRun, digest, runs
from text_runs import HOSTILE, hostile_run
from xpframe.errors import InvalidArgumentError
from xpframe.export import json_lines, safe_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Workspaces


def whole(root: Path) -> xpframe.Table:
    """All runs of all experiments of a workspace."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xpframe.XpFrameWarning)
        return xpframe.xp_table("*", workspace=root, run="all")


def exact(value: Any) -> Any:
    """A value made so that NaN equals NaN, and 1 equals neither 1.0 nor True."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else (float, value, math.copysign(1, value))
    if isinstance(value, list):
        return [exact(item) for item in value]
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    return (type(value), value)


def from_time(cell: str | int | None) -> int | None:
    """What a time in a file stands for, in microseconds since 1970: a number where no calendar has it."""
    if cell is None:
        return None
    if isinstance(cell, int):
        assert not -62_135_596_800 <= cell / 1_000_000 < 253_402_300_800
        return cell
    return (datetime.fromisoformat(cell) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def from_csv(text: str | None, like: Any) -> Any:
    """What a cell of the CSV stands for, given a value of its column."""
    if text is None:
        return None
    if isinstance(like, (list, dict)):
        return json.loads(text)
    if isinstance(like, bool):
        return text == "true"
    if isinstance(like, int):
        return int(text)
    if isinstance(like, float):
        return float(text)
    if text.startswith('"'):
        return json.loads(text)
    return text.removeprefix("'") if text.startswith("'") else text


def enum(name: str) -> dict[str, str]:
    return {"type": "enum", "module": "lab", "enum": "Size", "value": name}


# a value of each type for a job
EVERY_TYPE: dict[str, Callable[[int], Any]] = {
    "flag": lambda at: at % 2 == 0,
    "steps": lambda at: 2**53 + 1 + at,
    "hash": lambda at: 2**64 - 1 - at,
    "digits": lambda at: 10**30 + at,
    "loss": lambda at: [float("nan"), float("-inf"), -0.0, 0.1][at % 4],
    "name": lambda at: f"=name {at}",
    "size": lambda at: enum(["SMALL", "LARGE"][at % 2]),
    "layers": lambda at: [at, 1],
    "numbers": lambda at: [10**30, at],
    "sizes": lambda at: [enum("SMALL"), enum("LARGE")][: at % 3],
    "grid": lambda at: [[at / 3, float("nan")], []],
    "blocks": lambda at: [{"width": at, "mode": "=x", "digits": 10**30 + at, "rate": float("nan")}],
}


def every_type_run(root: Path) -> Path:
    """A run with a column of each type; each fifth job has none of them."""
    objects, jobs = [], []
    for at in range(20):
        values = {name: None if at % 5 == 4 else value(at) for name, value in EVERY_TYPE.items()}
        names = {"module": "lab", "type": "T", "typename": "lab.T", "identifier": digest(at)}
        objects.append({"id": BASE_ID + 16 * at, **names, "fields": values})
        jobs.append(
            {"job_id": digest(at), "task_id": "lab.t", "tags": {"lr": at / 3}, "timestamp": 1.5e9 + at}
        )
    return RandomRun(objects, jobs).write(root / "types")


def names_of(path: Path) -> list[str]:
    """The names at the head of a CSV; polars leaves doubled quotes in names as they are."""
    with path.open(newline="") as file:
        return next(csv.reader(file), [])


def check_columnar(table: xpframe.Table, directory: Path) -> None:
    """Parquet and Arrow files give the very frame that was written."""
    frame = table.to_polars()
    for ending, read in (("parquet", pl.read_parquet), ("arrow", pl.read_ipc), ("feather", pl.read_ipc)):
        back = read(table.write(directory / f"grid.{ending}"))
        assert back.schema == frame.schema
        assert back.equals(frame, null_equal=True)


def check_lines(table: xpframe.Table, directory: Path) -> None:
    """Each line of a .jsonl is a job."""
    rows = [json.loads(line) for line in table.write(directory / "grid.jsonl").read_text().splitlines()]
    for name, kind in table.schema:
        cells = [row.pop(name) for row in rows]
        found = map(from_time, cells) if kind.startswith("Timestamp") else cells
        assert [exact(value) for value in found] == [exact(value) for value in table.column_values(name)]
    assert rows == [{}] * len(table)


def check_csv(table: xpframe.Table, directory: Path) -> None:
    """A CSV tells every value and name apart, once what made them harmless is undone."""
    path = table.write(directory / "grid.csv")
    back = pl.read_csv(path, infer_schema=False)
    assert [from_csv(name, "") for name in names_of(path)] == table.column_names
    for column, cells in zip(table.schema, back, strict=True):
        name, kind = column
        values = table.column_values(name)
        if kind.startswith("Timestamp"):
            times = cells.str.to_datetime(time_zone="UTC", time_unit="us")
            assert times.dt.timestamp("us").to_list() == values, name
            continue
        like = next((value for value in values if value is not None), None)
        found = [from_csv(cell, like) for cell in cells]
        assert [exact(value) for value in found] == [exact(value) for value in values], name


CHECKS = {"parquet and arrow": check_columnar, "jsonl": check_lines, "csv": check_csv}


@pytest.mark.parametrize("name", references())
@pytest.mark.parametrize("check", CHECKS)
def test_files_come_back_equal(name: str, check: str, workspaces: Workspaces, tmp_path: Path) -> None:
    """For every reference workspace: what is read back from a file is what was written."""
    table = whole(workspaces.path(name))
    assert len(table) > 0
    CHECKS[check](table, tmp_path)


@pytest.mark.parametrize("check", CHECKS)
def test_every_type_comes_back_equal(check: str, tmp_path: Path) -> None:
    """Large integers, enums, NaN and objects, in lists too: each type that a table has."""
    table = xpframe.xp_table(every_type_run(tmp_path))
    kinds = {kind for name, kind in table.schema if name.startswith("config.")}
    assert len(kinds) == len(EVERY_TYPE) == 12
    CHECKS[check](table, tmp_path)


@pytest.mark.parametrize("check", CHECKS)
@given(random_run=runs())
def test_random_runs_come_back_equal(
    check: str, random_run: RandomRun, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is in a run, hostile names of columns included, comes back from a file."""
    directory = tmp_path_factory.mktemp("random")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xpframe.XpFrameWarning)
        table = xpframe.xp_table(random_run.write(directory / "ws"))
    CHECKS[check](table, directory)


def test_csv_has_no_formula_and_no_control_character(tmp_path: Path) -> None:
    """Text that a spreadsheet would execute, or that would steer a terminal, is neither in a CSV; `raw`
    leaves it.
    """
    table = xpframe.xp_table(hostile_run(tmp_path), columns=["tags.text", "config.text", "config.many"])
    path = table.write(tmp_path / "x.csv")
    back = pl.read_csv(path, infer_schema=False)
    cells = [cell for column in back for cell in column.to_list()]
    assert len(cells) == 3 * len(HOSTILE)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert safe_text("".join(cells)) == "".join(cells)
    assert [from_csv(cell, "") for cell in back["config.text"]] == HOSTILE
    raw = pl.read_csv(table.write(tmp_path / "raw.csv", raw=True), infer_schema=False)
    assert raw["config.text"].to_list() == HOSTILE


def test_csv_has_no_formula_in_its_names(tmp_path: Path) -> None:
    """The names of columns are made harmless as text is, when they were shortened too; `raw` leaves them."""
    job = {"job_id": digest(0), "task_id": "lab.t", "tags": {"=1+1": 1, "a\tb": 2, "-x": 3}, "timestamp": 1.5}
    run = RandomRun([], [job]).write(tmp_path / "ws")
    table = xpframe.xp_table(run, columns=["tags.*"], names="short")
    assert names_of(table.write(tmp_path / "x.csv")) == ["'=1+1", '"a\\tb"', "'-x"]
    assert names_of(table.write(tmp_path / "raw.csv", raw=True)) == ["=1+1", "a\tb", "-x"]


def test_times_before_the_calendar_are_numbers(tmp_path: Path) -> None:
    """A time that Python's calendar has not is written as microseconds, not refused."""
    job = {"job_id": digest(0), "task_id": "lab.t", "tags": {}, "timestamp": -1e11}
    table = xpframe.xp_table(RandomRun([], [job]).write(tmp_path / "ws"), columns=["submitted_at"])
    line = table.write(tmp_path / "x.jsonl").read_text()
    assert json.loads(line) == {"submitted_at": -(10**17)}


def test_partitions_are_read_back_as_hive(workspaces: Workspaces, tmp_path: Path) -> None:
    """A directory has a file for each run, found again by experiment and run."""
    table = whole(workspaces.path("v270_full"))
    directory = table.write(f"{tmp_path / 'hive'}/")
    files = sorted(str(path.relative_to(directory)) for path in directory.rglob("*.parquet"))
    assert len(files) == 10
    assert "experiment=grid-search/run=20261123_071802/part-0.parquet" in files
    frame = table.to_polars()
    texts = {"experiment": pl.String, "run": pl.String}
    back = pl.read_parquet(directory, hive_schema=texts)
    keys = ["experiment", "run", "job_id"]
    assert back.select(frame.columns).sort(keys).equals(frame.sort(keys), null_equal=True)


def test_partitions_keep_null_apart(tmp_path: Path) -> None:
    """Jobs without a value are a partition of their own, not that of the text ``None``; odd texts return."""
    texts = [None, "None", "a/b", "..", "a=b", "%41", "é ", ""]
    jobs = [
        {
            "job_id": digest(at),
            "task_id": "lab.t",
            "tags": {} if text is None else {"x": text},
            "timestamp": 1.5,
        }
        for at, text in enumerate(texts)
    ]
    columns = {"experiment": "tags.x", "run": "task", "job": "job_id"}
    table = xpframe.xp_table(RandomRun([], jobs).write(tmp_path / "ws"), columns=columns)
    directory = table.write(tmp_path / "hive", partition=True)
    assert len(list(directory.glob("*/run=lab.t/part-0.parquet"))) == len(texts)
    back = pl.read_parquet(directory, hive_schema={"experiment": pl.String, "run": pl.String})
    assert back.select(table.column_names).sort("job").equals(table.to_polars().sort("job"))


def test_partitions_need_their_columns(workspaces: Workspaces, tmp_path: Path) -> None:
    """Without `experiment` and `run` there is nothing to partition by; the error says how to have them."""
    table = xpframe.xp_table("grid-search", workspace=workspaces.path("v270_full"))
    with pytest.raises(InvalidArgumentError, match=r"missing: experiment, run .*run='all'"):
        table.write(tmp_path / "hive", partition=True)


def test_nothing_is_written_into_a_workspace(workspaces: Workspaces) -> None:
    """A path inside a workspace is refused."""
    root = workspaces.path("v270_full")
    table = xpframe.xp_table("grid-search", workspace=root)
    for place in (root / "x.parquet", root / "experiments" / "grid-search" / "x.csv"):
        with pytest.raises(InvalidArgumentError, match="inside the workspace"):
            table.write(place)
        assert not place.exists()


def test_a_path_may_lead_out_of_a_workspace(workspaces: Workspaces, monkeypatch: pytest.MonkeyPatch) -> None:
    """`../x.csv` in a workspace is a file beside it; a path that leads back into it is refused."""
    root = workspaces.path("v270_full")
    table = xpframe.xp_table("grid-search", workspace=root)
    monkeypatch.chdir(root / "experiments")
    assert table.write("../../beside.csv").read_text("utf-8").count("\n") == len(table) + 1
    (root.parent / "beside.csv").unlink()
    for place in ("../x.csv", f"../../{root.name}/x.csv"):
        with pytest.raises(InvalidArgumentError, match="inside the workspace"):
            table.write(place)


def test_nothing_is_written_through_a_link_into_a_workspace(tmp_path: Path) -> None:
    """A symbolic link to a place inside a workspace is such a place, for files and for partitions."""
    run = hostile_run(tmp_path)
    table = xpframe.xp_table("x", workspace=tmp_path / "ws", run="all")
    before = sorted((tmp_path / "ws").rglob("*"))
    (tmp_path / "link").symlink_to(run)
    (tmp_path / "hive").mkdir()
    (tmp_path / "hive" / "experiment=x").symlink_to(run)
    for place in (f"{tmp_path}/link/x.jsonl", f"{tmp_path}/link/", f"{tmp_path}/hive/"):
        with pytest.raises(InvalidArgumentError, match="inside the workspace"):
            table.write(place)
    assert sorted((tmp_path / "ws").rglob("*")) == before
    assert len(before) == 5


def test_wrong_places_are_errors(workspaces: Workspaces, tmp_path: Path) -> None:
    """An unknown ending and a missing directory are told; a file that was there stays when writing fails."""
    table = xpframe.xp_table("grid-search", workspace=workspaces.path("v270_full"))
    with pytest.raises(
        InvalidArgumentError, match=r"no writer for 'x\.xlsx' \(use one of the endings \.parquet"
    ):
        table.write(tmp_path / "x.xlsx")
    with pytest.raises(InvalidArgumentError, match="no directory"):
        table.write(tmp_path / "nowhere" / "x.csv")
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(InvalidArgumentError, match=r"x\.csv' is a directory"):
        table.write(tmp_path / "x.csv")
    (tmp_path / "x.csv").rmdir()
    kept = tmp_path / "kept.jsonl"
    kept.write_text("before")
    with pytest.raises(AttributeError):
        xpframe.export.write(object(), kept)  # type: ignore[arg-type]
    assert kept.read_text() == "before"
    assert list(tmp_path.iterdir()) == [kept]


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv", "jsonl"])
def test_what_the_system_refuses_names_the_file(ending: str, tmp_path: Path) -> None:
    """A full disk is an OSError that names the file, whoever writes; nothing is left of it."""
    target = tmp_path / "out" / f"grid.{ending}"
    target.parent.mkdir()
    script = """
import resource, sys, xpframe
table = xpframe.xp_table(sys.argv[1])
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
try:
    table.write(sys.argv[2])
except OSError as error:
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    print(error.filename, error)
"""
    command = [sys.executable, "-c", script, str(every_type_run(tmp_path / "ws")), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    filename, _, words = done.stdout.partition(" ")
    assert filename == str(target)
    # of Parquet polars tells that it failed, not always why
    assert f"[Errno {errno.EFBIG}]" in words or (ending == "parquet" and f"[Errno {errno.EIO}]" in words)
    assert list(target.parent.iterdir()) == []


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C removes what was written so far, even if it comes once more meanwhile."""
    table = xpframe.xp_table("grid-search", workspace=xpframe.sample_workspace())
    unlink, asked = Path.unlink, []

    def interrupt(*_: object) -> None:
        assert len(list(tmp_path.iterdir())) == 1
        raise KeyboardInterrupt

    def interrupted_once(path: Path, **options: bool) -> None:
        asked.append(path)
        if len(asked) == 1:
            raise KeyboardInterrupt
        unlink(path, **options)

    monkeypatch.setattr("xpframe.export._write_lines", interrupt)
    monkeypatch.setattr(Path, "unlink", interrupted_once)
    with pytest.raises(KeyboardInterrupt):
        table.write(tmp_path / "x.jsonl")
    assert len(asked) == 2
    assert list(tmp_path.iterdir()) == []


def test_json_lines_are_ascii(tmp_path: Path) -> None:
    """A line has no character that a terminal acts on."""
    table = xpframe.xp_table(hostile_run(tmp_path))
    lines = list(json_lines(table))
    assert len(lines) == len(HOSTILE)
    assert all(line.isascii() and line.isprintable() for line in lines)
