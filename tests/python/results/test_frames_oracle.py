"""Result columns and series of the reference workspaces, against independent readers of the same files."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from conftest import SHARED, archives, unpack
from judge import escaped, plain
from xpframe import scan_series, xp_frame, xp_series

pytestmark = pytest.mark.filterwarnings("ignore::xpframe.errors.XpFrameWarning")


def escape(key: str) -> str:
    """A key as column names spell it."""
    text = key.replace("\\", "\\\\").replace(".", "\\.")
    return "".join(
        f"\\{c}" if c == "@" and text[i + 1 : i + 2].isascii() and text[i + 1 : i + 2].isalpha() else c
        for i, c in enumerate(text)
    )


def workspace_of(archive: str, name: str, home: Path) -> Path:
    """An unpacked workspace that has another name than its archive."""
    if archive not in archives():
        pytest.skip(f"{archive} is not here")
    unpack(archive, home)
    return home / name


def equal(value: Any, expected: Any) -> bool:
    """The same value; an int that stands in a float column is that float."""
    if isinstance(expected, float) and isinstance(value, float):
        return value == expected or (math.isnan(value) and math.isnan(expected))
    if isinstance(expected, int) and not isinstance(expected, bool) and isinstance(value, str):
        return value == str(expected)
    if isinstance(expected, bool) is not isinstance(value, bool):
        return False
    if isinstance(expected, str) and isinstance(value, str):
        return escaped(value) == escaped(expected)
    return bool(value == expected)


def test_states_and_scalars_of_the_oracle(tmp_path: Path) -> None:
    """Each state and each scalar of the oracle stands in the frame of its handle."""
    oracle = SHARED / "res_dev.results.json"
    if not oracle.is_file():
        pytest.skip("res_dev is not here")
    root = workspace_of("res_dev", "res_dev", tmp_path)
    compared, wrong = 0, []
    for name, told in json.loads(oracle.read_text(encoding="utf-8"))["experiments"].items():
        for handle, entries in told["handles"].items():
            frame = xp_frame(name, workspace=root, results=handle, backend="polars", quiet=True)
            columns = frame.to_dict(as_series=False)
            rows = {job: row for row, job in enumerate(columns["job_id"])}
            for job, entry in entries.items():
                label, row = f"{name} {handle} {job[:8]}", rows[job]
                states = {entry["state"], *entry.get("also_ok", [])}
                for alternative in entry.get("alt", {}).values():
                    states.add(alternative.get("state", entry["state"]))
                state = {"elsewhere": "not_own"}.get(columns["result@file"][row], columns["result@file"][row])
                compared += 1
                if state not in states:
                    wrong.append(f"{label}: {state}, expected {states}")
                if state != entry["state"]:
                    continue
                for scalar in entry.get("scalars", []):
                    expected = plain(scalar["value"])
                    if isinstance(expected, (dict, list)):
                        continue
                    keys = [key.strip() for key in scalar["path"]] if "col" in scalar else scalar["path"]
                    full = ".".join(["result", *(escape(escaped(key)) for key in keys)])
                    split = [n for n in columns if n == full or n.rpartition("@")[0] == full]
                    values = [columns[n][row] for n in split if columns[n][row] is not None]
                    compared += 1
                    if expected is None:
                        if values:
                            wrong.append(f"{label} {full}: {values}, expected null")
                    elif len(values) != 1 or not equal(values[0], expected):
                        wrong.append(f"{label} {full}: {values}, expected {expected!r}")
    print(f"{compared - len(wrong)} of {compared}")
    assert compared > 700
    assert wrong == []


def test_series_of_csv_files_equal_their_rows(tmp_path: Path) -> None:
    """results.csv of each job, row by row, as the csv module reads it."""
    root = workspace_of("lab_cifar", "cifar", tmp_path)
    frame = xp_series("cifar", "results.csv", workspace=root, backend="polars", columns=["tags.*", "path"])
    compared = 0
    for (path,), part in frame.group_by("path", maintain_order=True):
        with (Path(str(path)) / "results.csv").open(newline="") as file:
            expected = list(csv.DictReader(file))
        rows = part.to_dicts()
        assert len(rows) == len(expected)
        for row, told in zip(rows, expected, strict=True):
            for key, text in told.items():
                assert row[key] is None if text == "" else equal(float(row[key]), float(text))
                compared += 1
    assert compared > 500


def test_series_of_event_files_of_the_oracle(tmp_path: Path) -> None:
    """Count, first, last and sum of each metric of each run directory are the oracle's."""
    oracle = SHARED / "res_dev.results.json"
    if not oracle.is_file():
        pytest.skip("res_dev is not here")
    root = workspace_of("res_dev", "res_dev", tmp_path)
    compared, wrong = 0, []
    handle = "runs/**/events.out.tfevents.*"
    for name, told in json.loads(oracle.read_text(encoding="utf-8"))["experiments"].items():
        if handle not in told["handles"]:
            continue
        frame = xp_series(name, handle, workspace=root, backend="polars")
        frame = frame.with_columns(pl.col(pl.Categorical).cast(pl.String))
        for job, entry in told["handles"][handle].items():
            for directory, board in entry.get("dirs", {}).items():
                for metric, points in board["tags"].items():
                    part = frame.filter(pl.col("job_id") == job, pl.col("metric") == metric)
                    if "file" in frame.columns:
                        part = part.filter(pl.col("file") == directory)
                    read = part.select("step", "wall_time", "value").rows()
                    finite = math.fsum(v for _, _, v in read if math.isfinite(v))
                    told_points = [points["count"], plain(points["first"]), plain(points["last"])]
                    compared += 2
                    ends = [len(read), *(list(read[end]) if read else None for end in (0, -1))]
                    if repr(ends) != repr(told_points):
                        wrong.append(f"{name} {job[:8]} {metric}: {ends}, expected {told_points}")
                    if not equal(finite, float(plain(points["sum_finite"]))):
                        wrong.append(f"{name} {job[:8]} {metric}: sum {finite}")
    print(f"{compared - len(wrong)} of {compared}")
    assert compared > 100
    assert wrong == []


def test_lazy_series_equal_eager(tmp_path: Path) -> None:
    """Filters on jobs and on rows, projections and limits give the rows of the eager frame."""
    root = workspace_of("lab_cifar", "cifar", tmp_path)
    handle, columns = "runs/**/events.out.tfevents.*", ["tags.lr"]
    eager = xp_series("cifar", handle, workspace=root, backend="polars", columns=columns)
    lazy = scan_series("cifar", handle, workspace=root, columns=columns)
    text = pl.col(pl.Categorical).cast(pl.String)
    queries: list[Any] = [
        lambda frame: frame,
        lambda frame: frame.filter(pl.col("tags.lr") == eager["tags.lr"][0]),
        lambda frame: frame.filter(pl.col("metric") == eager["metric"][0], pl.col("step") > 1),
        lambda frame: frame.select("step", "value").head(17),
        lambda frame: frame.filter(pl.col("job_id") == eager["job_id"][-1]).select("metric", "value"),
    ]
    for query in queries:
        expected = query(eager.lazy()).with_columns(text).collect()
        assert query(lazy).with_columns(text).collect().equals(expected)
        assert len(expected)


def test_metrics_that_no_job_has_leave_the_columns(tmp_path: Path) -> None:
    """A filter that keeps no metric gives an empty frame of the same columns."""
    root = workspace_of("lab_cifar", "cifar", tmp_path)
    handle = "runs/**/events.out.tfevents.*"
    every = xp_series("cifar", handle, workspace=root, backend="polars")
    none = xp_series("cifar", handle, workspace=root, backend="polars", metrics="no such*")
    some = xp_series("cifar", handle, workspace=root, backend="polars", metrics=every["metric"][0])
    assert (none.schema, len(none)) == (every.schema, 0)
    assert some.equals(every.filter(pl.col("metric") == every["metric"][0]))
    assert len(some)


def test_aggregated_equals_the_text(tmp_path: Path) -> None:
    """Measures of `aggregated` are the columns of an evaluation, value by value."""
    root = workspace_of("pkg_ir", "ir", tmp_path)
    options: Any = {"workspace": root, "task": "evaluate", "backend": "polars"}
    columns = xp_frame("toy-ir", results="aggregated", **options).to_dict(as_series=False)
    compared = 0
    for row, state in enumerate(columns["result@file"]):
        if state != "read":
            continue
        files = [file for file in Path(columns["path"][row]).rglob("*aggregated*") if file.is_file()]
        for line in files[0].read_text().splitlines():
            measure, query, value = line.split()
            if query == "all" and re_number(value):
                assert columns[f"result.{escape(measure)}"][row] == float(value)
                compared += 1
    assert compared > 20


def re_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
