"""Values and names that no experimaestro writes: `errors` and `check` say what is lost."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

import pytest

import xpframe
from odd_runs import job_id, row, write_run
from xpframe.errors import FormatError, InvalidNameError, XpFrameWarning


def quiet_table(root: Path, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XpFrameWarning)
        return xpframe.xp_table("odd", workspace=root, **options)


SECONDS = "a number of seconds"
ODD_TIMES = {
    '"2026-01-01T00:00:00"': f'"timestamp" is a text, not {SECONDS}',
    '"1700000000.0"': f'"timestamp" is a text, not {SECONDS}',
    "true": f'"timestamp" is a bool, not {SECONDS}',
    "[1]": f'"timestamp" is a list, not {SECONDS}',
    "{}": f'"timestamp" is a dict, not {SECONDS}',
    "NaN": '"timestamp" is NaN, which is no time',
    "Infinity": '"timestamp" is Infinity, which is no time',
    "-Infinity": '"timestamp" is -Infinity, which is no time',
    "1e300": '"timestamp" is 1e300, which is no time',
    "99999999999999999999": '"timestamp" is 99999999999999999999, which is no time',
}


@pytest.mark.parametrize("position", [0, 2, 4], ids=["first", "in the middle", "last"])
@pytest.mark.parametrize("text", ODD_TIMES)
def test_odd_timestamps_are_told(text: str, position: int, tmp_path: Path) -> None:
    """A timestamp that is no time becomes null, and an error that names line, job and value."""
    lines = [json.dumps(row(job)) for job in range(5)]
    lines[position] = json.dumps(row(position, timestamp="HERE")).replace('"HERE"', text)
    run = write_run(tmp_path, lines)
    table = quiet_table(tmp_path)
    (error,) = table.errors
    place = f"{run}/jobs.jsonl:{position + 1}, job {job_id(position)}, field timestamp"
    assert str(error) == f"{place}: {ODD_TIMES[text]} (its submitted_at is null)"
    times = table.column_values("submitted_at")
    assert [time is None for time in times] == [job == position for job in range(5)]
    assert table.column_values("tags.size") == [0, 1, 2, 3, 4]
    (finding,) = [one for one in xpframe.Workspace(tmp_path).check() if one.field == "timestamp"]
    assert (finding.kind, finding.line, finding.job_id) == ("bad-line", position + 1, job_id(position))
    assert finding.what == ODD_TIMES[text]
    with pytest.raises(FormatError, match="timestamp"):
        xpframe.xp_table("odd", workspace=tmp_path, strict=True)


@pytest.mark.parametrize(
    ("tags", "what"),
    [([1], "a list"), ("lr=1", "a text"), (3, "a number"), (True, "a bool")],
)
def test_odd_tags_are_told(tags: object, what: str, tmp_path: Path) -> None:
    """Tags that are no dict leave the job without tags, and an error; the other jobs keep theirs."""
    run = write_run(
        tmp_path, [json.dumps(row(job, **({"tags": tags} if job == 1 else {}))) for job in range(4)]
    )
    table = quiet_table(tmp_path)
    (error,) = table.errors
    place = f"{run}/jobs.jsonl:2, job {job_id(1)}, field tags"
    assert str(error) == f'{place}: "tags" is {what}, not a dict (it is read without tags)'
    assert table.column_values("tags.size") == [0, None, 2, 3]
    assert [one.what for one in xpframe.Workspace(tmp_path).check() if one.field == "tags"] == [
        f'"tags" is {what}, not a dict'
    ]


def test_null_and_missing_are_nothing_to_tell(tmp_path: Path) -> None:
    """Null, no timestamp and no tags lose nothing: no error."""
    bare = {"job_id": job_id(1), "task_id": "lab.train"}
    write_run(tmp_path, [json.dumps(line) for line in (row(0, tags=None, timestamp=None), bare, row(2))])
    table = xpframe.xp_table("odd", workspace=tmp_path)
    assert table.errors == []
    assert [time is None for time in table.column_values("submitted_at")] == [True, True, False]


def test_rows_of_version_1(tmp_path: Path) -> None:
    """The same in state.json: odd tags and rows that are none are told by their position."""
    run = tmp_path / "xp" / "old"
    (run / "jobs").mkdir(parents=True)
    (tmp_path / "jobs").mkdir()
    place = f"{tmp_path}/jobs/lab.train"
    rows = [
        {"id": job_id(0), "path": f"{place}/{job_id(0)}", "tags": {"lr": 1}},
        {"id": job_id(1), "path": f"{place}/{job_id(1)}", "tags": [1]},
        {"id": 3, "path": f"{place}/x"},
        "no row",
    ]
    (run / "state.json").write_text(json.dumps({"objects": [], "data": rows}))
    with pytest.warns(XpFrameWarning):
        info = xpframe.load_xp_info(run)
    told = [str(error) for error in info.errors if "state.json" in str(error)]
    lacks = 'is no job: it lacks "id" or a "path" below jobs/ (its row is left out)'
    assert told == [
        f'{run}/state.json, job {job_id(1)}, field tags: "tags" is not a dict (it is read without tags)',
        f'{run}/state.json: item 2 of "data" {lacks}',
        f'{run}/state.json: item 3 of "data" {lacks}',
    ]


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    """An experiment whose name is not UTF-8 is in no listing: `errors`, a warning and `check` say which."""
    write_run(tmp_path, [json.dumps(row(0))])
    for name in (
        b"experiments/gr\xeds",
        b"experiments/odd/2026\xff",
        b"jobs/lab.\xfe/x",
        b"jobs/lab.train/\xfd",
    ):
        (tmp_path / os.fsdecode(name)).mkdir(parents=True)
    (tmp_path / os.fsdecode(b"experiments/\xff.txt")).touch()
    workspace = xpframe.Workspace(tmp_path)
    (error,) = workspace.errors
    assert isinstance(error, InvalidNameError)
    assert str(error) == (
        f"{tmp_path}/experiments/gr\ufffds: the name of this experiment is not UTF-8, so it is in no listing"
        " (rename the directory to read what is in it)"
    )
    with pytest.warns(XpFrameWarning, match="not UTF-8") as caught:
        assert workspace.experiments() == ["odd"]
    message: Any = caught[0].message
    assert [str(one) for one in message.errors] == [str(error)]
    with pytest.warns(XpFrameWarning, match="not UTF-8"):
        assert len(xpframe.xp_table("*", workspace=tmp_path)) == 1
    told = {one.file: one.what for one in workspace.check() if "UTF-8" in one.what}
    assert told == {
        f"{tmp_path}/{path}": f"the name of this {what} is not UTF-8, so it is in no listing"
        for path, what in (
            ("experiments/gr\ufffds", "experiment"),
            ("experiments/odd/2026\ufffd", "run"),
            ("jobs/lab.\ufffd", "task"),
            ("jobs/lab.train/\ufffd", "job"),
        )
    }


def test_an_end_before_the_start(tmp_path: Path) -> None:
    """A job that ended before it started, by the clocks of two machines, is an error and has no duration."""
    write_run(tmp_path, [json.dumps(row(job)) for job in range(2)])
    for job, ended in enumerate(("2026-01-01T09:59:00", "2026-01-01T10:01:00")):
        directory = tmp_path / "jobs" / "lab.train" / job_id(job)
        (directory / ".experimaestro").mkdir(parents=True)
        status = {"state": "done", "started_time": "2026-01-01T10:00:00", "ended_time": ended}
        (directory / ".experimaestro/status.json").write_text(json.dumps(status))
        (directory / "train.done").touch()
        (directory / "params.json").write_text("{}")
    table = quiet_table(tmp_path, columns=["job_id", "started_at", "ended_at", "duration_s"])
    file = f"{tmp_path}/jobs/lab.train/{job_id(0)}/.experimaestro/status.json"
    (error,) = table.errors
    assert str(error) == (
        f"{file}, job {job_id(0)}, field ended_time: the job ended 60 s before it started:"
        " two clocks disagree, or one was set back (its times are shown as they are written)"
    )
    assert table.column_values("duration_s") == [None, 60.0]
    assert [one.job_id for one in xpframe.Workspace(tmp_path).check() if "before it started" in one.what] == [
        job_id(0)
    ]
