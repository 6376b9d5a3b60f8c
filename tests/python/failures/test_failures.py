"""Failed jobs as frames, objects and displays, of a workspace that the tests write."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import xpframe
from xpframe import _core
from xpframe.cli import main
from xpframe.failed_jobs import Failures, failures, named_failures

RUN = "20260101_000000"
TASK = "lab.tasks.train"
LOG = """INFO:7:26-11-26 23:24:06 [xpm] Running task
{said}
ERROR:7:26-11-26 23:24:08 [xpm] Got exception while running
Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/experimaestro/run.py", line 58, in run
    task.execute()
  File "/code/ines/lab/tasks.py", line {line}, in execute
    work()
{error}
INFO:7:26-11-26 23:24:08 [xpm] Error handler: finished with code 1, reason=failed
INFO:7:26-11-26 23:24:08 [xpm] Cleaning up
"""
HOSTILE = "<script>alert(1)</script> \x1b[31mred\x1b[0m \x1b]0;title\x07 \u202egnp.exe\x00"


class Lab:
    """A workspace with one experiment ``grid``, written job by job."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / ".__experimaestro__").touch()
        (root / "experiments").mkdir()

    def run(self, jobs: dict[str, dict[str, Any]], run: str = RUN) -> None:
        """A run that lists these jobs with these tags."""
        home = self.root / "experiments" / "grid" / run
        home.mkdir(parents=True)
        rows = [
            {"job_id": job, "task_id": TASK, "tags": tags, "timestamp": 1767225600.5 + number}
            for number, (job, tags) in enumerate(jobs.items())
        ]
        (home / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        objects = [
            {
                "id": number,
                "module": "lab.tasks",
                "type": "Train",
                "typename": TASK,
                "identifier": job,
                "fields": {},
            }
            for number, job in enumerate(jobs, 1)
        ]
        (home / "objects.jsonl").write_text("".join(json.dumps(value) + "\n" for value in objects))
        (home / "status.json").write_text(json.dumps({"status": "done", "run_id": run}))

    def file(self, job: str, name: str, content: str | bytes = "") -> None:
        """A file of a job."""
        path = self.root / "jobs" / TASK / job / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def failed(self, job: str, error: str, *, line: int = 12, said: str = "step 1") -> None:
        """A job that raised an error."""
        self.file(job, "train.failed", '{"code": 1, "reason": "failed"}')
        self.file(job, "train.err", LOG.format(error=error, line=line, said=said))

    def read(self, **options: Any) -> Any:
        return failures("grid", workspace=self.root, quiet=True, **options)

    def shown(self) -> Failures:
        return named_failures("grid", workspace=self.root, quiet=True)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab(tmp_path)
    lab.run(
        {
            "aa01": {"lr": 0.1, "model": "big"},
            "aa02": {"lr": 0.2, "model": "big"},
            "bb01": {"lr": 0.1, "model": "small"},
            "cc01": {"lr": 0.1},
        }
    )
    lab.failed("aa01", "ValueError: nan at step 17")
    lab.failed("aa02", "ValueError: nan at step 9")
    lab.failed("bb01", "KeyError: 'lr'", line=30)
    lab.file("cc01", "train.done")
    return lab


def test_a_row_for_each_failed_job(lab: Lab) -> None:
    """The frame has the tags of the failed jobs and says why they failed."""
    frame = lab.read(backend="polars")
    assert frame.columns == [
        *("job_id", "task", "tags.lr", "tags.model", "failure", "exit_code", "exception", "message"),
        *("location", "cause", "blocked_by", "cause_group", "log", "tail"),
    ]
    assert frame["job_id"].to_list() == ["aa01", "aa02", "bb01"]
    assert frame["exit_code"].to_list() == [1, 1, 1]
    assert frame["message"].to_list() == ["nan at step 17", "nan at step 9", "'lr'"]
    assert frame["location"][2] == "/code/ines/lab/tasks.py:30 in execute"
    assert frame["cause_group"].n_unique() == 2
    assert frame["log"][0] == str(lab.root / "jobs" / TASK / "aa01" / "train.err")
    assert frame["tail"][0].startswith("step 1\nTraceback")


@pytest.mark.parametrize("backend", ["pandas", "pyarrow"])
def test_every_backend_has_the_same_rows(lab: Lab, backend: str) -> None:
    """pandas and pyarrow give what polars gives."""
    frame = lab.read(backend=backend)
    texts = frame["exception"].to_list() if backend == "pandas" else frame["exception"].to_pylist()
    assert texts == ["ValueError", "ValueError", "KeyError"]
    codes = frame["exit_code"]
    assert str(codes.dtype if backend == "pandas" else codes.type).lower() == "int64"


def test_tasks_are_chosen(lab: Lab) -> None:
    """`task` keeps the jobs of a task, and names what is near to one that is not there."""
    assert len(lab.read(task="train")) == 3
    with pytest.raises(xpframe.errors.InvalidArgumentError, match="no job of task"):
        lab.read(task="trian")


def test_jobs_without_tags_have_no_tag_columns(tmp_path: Path) -> None:
    """Tags are not needed."""
    lab = Lab(tmp_path)
    lab.run({"aa01": {}})
    lab.failed("aa01", "ValueError: x")
    frame = lab.read(backend="polars")
    assert frame.columns[:3] == ["job_id", "task", "failure"]


def test_nothing_failed(tmp_path: Path) -> None:
    """Without failures there is a frame without rows, and a display that says so."""
    lab = Lab(tmp_path)
    lab.run({"aa01": {"lr": 1}})
    lab.file("aa01", "train.done")
    assert lab.read(backend="polars").shape[0] == 0
    assert "no failed job" in str(lab.shown())


def test_a_job_that_several_runs_list_is_told_once(tmp_path: Path) -> None:
    """The directory holds the last attempt, so the last run has the row."""
    lab = Lab(tmp_path)
    lab.run({"aa01": {}, "aa02": {}}, "20260101_000000")
    lab.run({"aa01": {}}, "20260102_000000")
    lab.failed("aa01", "ValueError: x")
    lab.failed("aa02", "ValueError: x")
    frame = lab.read(run="all", backend="polars")
    assert frame.select("run", "job_id").rows() == [("20260101_000000", "aa02"), ("20260102_000000", "aa01")]


def test_groups_share_tags(lab: Lab) -> None:
    """A group knows its jobs, the tags that all of them have, and an example."""
    first, second = lab.shown().groups
    assert [failure.job_id for failure in first.failures] == ["aa01", "aa02"]
    assert first.shared_tags == {"model": "big"}
    assert second.example.exception == "KeyError"
    assert second.shared_tags == {"lr": 0.1, "model": "small"}
    assert repr(second) == "<FailureGroup of 1 failed job: KeyError: 'lr'>"
    assert "Traceback" not in repr(second.example)


def test_failures_are_a_sequence_and_a_table(lab: Lab) -> None:
    """The object behind the display is a sequence of failures that Arrow libraries take."""
    found = lab.shown()
    assert (len(found), found[2].tags) == (3, {"lr": 0.1, "model": "small"})
    assert pl.DataFrame(found)["job_id"].to_list() == [failure.job_id for failure in found]
    assert "Table: 3 failures" in repr(found.table())
    assert repr(found) == "<Failures of grid: 3 failed jobs, 2 causes>"


def test_the_text_names_causes_tags_and_an_example(lab: Lab) -> None:
    """A terminal sees how many jobs, which tags they share, where, and the log."""
    text = str(lab.shown())
    for part in (
        "grid: 3 failed jobs, 2 causes",
        "✗ 2 jobs · lab.tasks.train",
        "ValueError: nan at step 17",
        "all with model='big'",
        "at /code/ines/lab/tasks.py:12 in execute",
        "jobs aa01, aa02",
    ):
        assert part in text
    assert "Traceback" not in text


def test_an_exit_code_is_said_once(tmp_path: Path) -> None:
    """Without an exception the code is the heading, and is not repeated below it."""
    lab = Lab(tmp_path)
    lab.run({"aa01": {}, "bb01": {}})
    lab.file("aa01", "train.failed", '{"code": 3, "reason": "failed"}')
    lab.failed("bb01", "ValueError: nan")
    first, second = str(lab.shown()).split("\n\n")[1:]
    assert first.splitlines()[1] == "  exit code 3"
    assert first.count("exit code") == 1
    assert second.splitlines()[1] == "  ValueError: nan"
    assert "    exit code 1" in second.splitlines()


class Tags(HTMLParser):
    """The elements of a document, and whether they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002  # called by name
        self.seen.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_notebook_folds_tracebacks(lab: Lab) -> None:
    """The traceback of one example of each cause is in a closed details."""
    shown = lab.shown()._repr_html_()
    tags = Tags()
    tags.feed(shown)
    assert tags.open == []
    assert tags.seen.count("pre") == 2
    assert shown.count('<details><summary><span class="n">traceback</span>') == 2


def test_hostile_texts_are_inert(tmp_path: Path) -> None:
    """Markup, terminal sequences and marks that reorder text reach neither frame nor display."""
    lab = Lab(tmp_path)
    lab.run({"aa01": {HOSTILE.rstrip("\x00"): HOSTILE}})
    lab.failed("aa01", f"ValueError: {HOSTILE}\nmore {HOSTILE}", said=HOSTILE)
    row = lab.read(backend="polars").to_dicts()[0]
    for column in ("message", "tail"):
        assert not set(row[column]) & {"\x1b", "\x00", "\x07", "\u202e", "\r"}
    assert (
        row["message"]
        == "<script>alert(1)</script> red  gnp.exe\nmore <script>alert(1)</script> red  gnp.exe"
    )
    found = lab.shown()
    tags = Tags()
    tags.feed(found._repr_html_())
    assert "script" not in tags.seen
    for shown in (str(found), found._repr_html_()):
        assert not set(shown) & {"\x1b", "\x00", "\x07", "\u202e"}


@pytest.mark.parametrize(
    "log",
    [
        b"x" * 60_000_000,
        b"\r" * 5_000_000,
        b"\x00" * 5_000_000,
        b"\x1b[" * 2_000_000,
        b"\xff" * 5_000_000,
        b"Traceback (most recent call last):\n" * 100_000,
    ],
    ids=["no newline", "carriage returns", "zeros", "escapes", "no text", "headers"],
)
def test_a_large_log_is_read_at_its_ends(tmp_path: Path, log: bytes) -> None:
    """Of a log of any size some kilobytes are read, and the error at its end is found."""
    lab = Lab(tmp_path)
    lab.run({"aa01": {}})
    lab.failed("aa01", "ValueError: x")
    end = (tmp_path / "jobs" / TASK / "aa01" / "train.err").read_bytes()
    lab.file("aa01", "train.err", log + b"\n" + end)
    before = _core.progress_counters()[1]
    row = lab.read(backend="polars").to_dicts()[0]
    assert row["message"] == "x"
    assert len(row["tail"]) < 20_000
    assert _core.progress_counters()[1] - before < 200_000


def test_a_log_that_cannot_be_read_warns(tmp_path: Path) -> None:
    """What a log lacks is told, and the row stands."""
    lab = Lab(tmp_path)
    lab.run({"aa01": {}})
    lab.file("aa01", "train.failed", '{"code": 3, "reason": "failed"}')
    (tmp_path / "jobs" / TASK / "aa01" / "train.err").mkdir()
    with pytest.warns(xpframe.XpFrameWarning, match="is not a regular file"):
        frame = lab.read(backend="polars")
    assert frame["exit_code"].to_list() == [3]
    with pytest.raises(xpframe.XpFrameError, match="is not a regular file"):
        lab.read(strict=True)


def test_exit_code_and_retries_are_columns_by_name(lab: Lab) -> None:
    """The marker has the exit code and status.json the retries; neither is shown unless it is named."""
    lab.file("bb01", "train.failed", '{"code": 3, "reason": "failed"}')
    lab.file("bb01", ".experimaestro/status.json", '{"state": "error", "exit_code": 9, "retry_count": 2}')
    options: dict[str, Any] = {"workspace": lab.root, "backend": "polars", "quiet": True}
    frame = xpframe.xp_frame("grid", columns=["job_id", "exit_code", "retries"], **options)
    assert frame.rows() == [("aa01", 1, None), ("aa02", 1, None), ("bb01", 3, 2), ("cc01", None, None)]
    assert str(frame.schema["exit_code"]) == "Int64"
    for columns in (None, "*", "e*"):
        assert "exit_code" not in xpframe.xp_frame("grid", columns=columns, **options).columns


def test_the_info_leads_to_its_failures(lab: Lab) -> None:
    """The display of a run names the call that says why its jobs failed."""
    info = xpframe.Workspace(lab.root).load_xp_info("grid")
    assert "info.failures()" in info._repr_html_()
    found = info.failures(task="train")
    assert [group.example.exception for group in found.groups] == ["ValueError", "KeyError"]


def test_the_command_line_says_why(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """`xpframe failures NAME` prints the causes, and with --json a line a job."""
    assert main(["failures", "grid", "--workspace", str(lab.root)]) == 0
    assert "grid: 3 failed jobs, 2 causes" in capsys.readouterr().out
    assert main(["failures", "grid", "--workspace", str(lab.root), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["exception"] for line in lines] == ["ValueError", "ValueError", "KeyError"]
