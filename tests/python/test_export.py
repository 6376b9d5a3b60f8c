"""Tables as files: what is written is what is read back, and nothing is written where it must not be."""

from __future__ import annotations

import json
import math
import warnings
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import xpframe
from conftest import archives
from xpframe.errors import InvalidArgumentError
from xpframe.export import json_lines, safe_text, timed

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workspaces

HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@x",
    "'quoted",
    '"quoted"',
    "a\x00b",
    "a\tb",
    "a\nb",
    "\u202ertl",
    "",
    "plain",
    "é",
]


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


def columns_of(table: xpframe.Table) -> dict[str, list[Any]]:
    """The columns as Python values, times as text."""
    return {name: timed(table.column_values(name), kind) for name, kind in table.schema}


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


def hostile_run(root: Path) -> Path:
    """A run whose jobs have text that a spreadsheet or a terminal would act on."""
    run = root / "ws" / "experiments" / "x" / "20260101_000000"
    run.mkdir(parents=True)
    rows, objects = [], []
    for at, text in enumerate(HOSTILE):
        job_id = f"{at:064x}"
        rows.append({"job_id": job_id, "task_id": "lab.t", "tags": {"text": text}, "timestamp": 1.5})
        names = {"id": at, "module": "lab", "type": "T", "typename": "lab.T", "identifier": job_id}
        objects.append({**names, "fields": {"text": text, "many": [text], "n": at}})
    (run / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (run / "objects.jsonl").write_text("".join(json.dumps(o) + "\n" for o in objects))
    return run


@pytest.mark.parametrize("name", archives())
@pytest.mark.parametrize("ending", ["parquet", "arrow", "feather"])
def test_columnar_files_come_back_equal(
    name: str, ending: str, workspaces: Workspaces, tmp_path: Path
) -> None:
    """Parquet and Arrow files give the very frame that was written."""
    table = whole(workspaces.path(name))
    path = table.write(tmp_path / f"grid.{ending}")
    back = pl.read_parquet(path) if ending == "parquet" else pl.read_ipc(path)
    frame = table.to_polars()
    assert frame.height == len(table) > 0
    assert back.schema == frame.schema
    assert back.equals(frame, null_equal=True)


@pytest.mark.parametrize("name", archives())
def test_json_lines_come_back_equal(name: str, workspaces: Workspaces, tmp_path: Path) -> None:
    """Each line of a .jsonl is a job, NaN, infinities and large integers included."""
    table = whole(workspaces.path(name))
    lines = table.write(tmp_path / "grid.jsonl").read_text().splitlines()
    columns = columns_of(table)
    assert len(lines) == len(table) > 0
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    assert [exact(json.loads(line)) for line in lines] == [exact(row) for row in rows]


@pytest.mark.parametrize("name", archives())
def test_csv_comes_back_equal(name: str, workspaces: Workspaces, tmp_path: Path) -> None:
    """A CSV tells every value apart: null from empty text, and text that was made harmless can be had back."""
    table = whole(workspaces.path(name))
    back = pl.read_csv(table.write(tmp_path / "grid.csv"), infer_schema=False)
    compared = 0
    for column, values in columns_of(table).items():
        times = dict(table.schema)[column].startswith("Timestamp")
        like = next((value for value in values if value is not None), None)
        cells = [from_csv(cell, like) for cell in back[column].to_list()]
        if times:
            cells = [
                None if c is None else pl.Series([c]).str.to_datetime(time_zone="UTC", time_unit="us")[0]
                for c in cells
            ]
            cells = [None if c is None else c.isoformat() for c in cells]
        assert [exact(cell) for cell in cells] == [exact(value) for value in values], column
        compared += len(cells)
    assert compared == len(table) * len(table.column_names) > 0


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


def test_partitions_are_read_back_as_hive(workspaces: Workspaces, tmp_path: Path) -> None:
    """A directory has a file for each run, found again by experiment and run."""
    table = whole(workspaces.path("v270_full"))
    directory = table.write(f"{tmp_path / 'hive'}/")
    files = sorted(str(path.relative_to(directory)) for path in directory.rglob("*.parquet"))
    assert len(files) == 10
    assert "experiment=grid-search/run=20261123_071802/part-0.parquet" in files
    frame = table.to_polars()
    texts = {"experiment": pl.String, "run": pl.String}
    back = pl.concat(
        [
            pl.read_parquet(path, hive_partitioning=True, hive_schema=texts)
            for path in directory.rglob("*.parquet")
        ]
    )
    keys = ["experiment", "run", "job_id"]
    assert back.select(frame.columns).sort(keys).equals(frame.sort(keys), null_equal=True)


def test_partitions_need_their_columns(workspaces: Workspaces, tmp_path: Path) -> None:
    """Without `experiment` and `run` there is nothing to partition by, and the error says how to have them."""
    table = xpframe.xp_table("grid-search", workspace=workspaces.path("v270_full"))
    with pytest.raises(InvalidArgumentError, match=r"experiment and run is missing.*run='all'"):
        table.write(tmp_path / "hive", partition=True)


def test_nothing_is_written_into_a_workspace(workspaces: Workspaces) -> None:
    """A path inside a workspace is refused."""
    root = workspaces.path("v270_full")
    table = xpframe.xp_table("grid-search", workspace=root)
    for place in (root / "x.parquet", root / "experiments" / "grid-search" / "x.csv"):
        with pytest.raises(InvalidArgumentError, match="inside the workspace"):
            table.write(place)
        assert not place.exists()


def test_wrong_places_are_errors(workspaces: Workspaces, tmp_path: Path) -> None:
    """An unknown ending and a missing directory are told; a file that was there stays when writing fails."""
    table = xpframe.xp_table("grid-search", workspace=workspaces.path("v270_full"))
    with pytest.raises(
        InvalidArgumentError, match=r"no writer for 'x\.xlsx' \(its ending is one of \.parquet"
    ):
        table.write(tmp_path / "x.xlsx")
    with pytest.raises(InvalidArgumentError, match="no directory"):
        table.write(tmp_path / "nowhere" / "x.csv")
    kept = tmp_path / "kept.jsonl"
    kept.write_text("before")
    with pytest.raises(AttributeError):
        xpframe.export.write(object(), kept)  # type: ignore[arg-type]
    assert kept.read_text() == "before"
    assert list(tmp_path.iterdir()) == [kept]


def test_json_lines_are_ascii(tmp_path: Path) -> None:
    """A line has no character that a terminal acts on."""
    table = xpframe.xp_table(hostile_run(tmp_path))
    lines = list(json_lines(table))
    assert len(lines) == len(HOSTILE)
    assert all(line.isascii() and line.isprintable() for line in lines)
