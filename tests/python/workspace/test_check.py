"""The doctor names what is wrong with a workspace, where, and what to do, and nothing else."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import xpframe
from reused_runs import Driver
from xpframe.check import Finding, Findings
from xpframe.cli import main

if TYPE_CHECKING:
    from conftest import Workspaces

# what stands in every archive, because it is unpacked elsewhere than where it was written
MOVED = {"moved", "dangling-link"}
GONE = {("warning", "path-gone"): 4}
FULL = {
    **GONE,
    ("warning", "driver-failed"): 1,
    ("info", "detached"): 1,
}
# 1.x and 2.0 write no params.json for jobs that failed because of another one
NEVER_STARTED = {("warning", "no-config"): 3}
EXPECTED: dict[str, dict[tuple[str, str], int]] = {
    "v1161_full": {
        **GONE,
        **NEVER_STARTED,
        ("warning", "driver-failed"): 1,
        ("warning", "cut-short"): 1,
        ("info", "duplicate-identifier"): 1,
    },
    "v200_full": {**FULL, **NEVER_STARTED},
    "v216_full": {**FULL, ("info", "duplicate-identifier"): 1},
    "v270_full": {**FULL, ("info", "duplicate-identifier"): 1},
    "v270_idreuse": {("warning", "reused-id"): 2, ("warning", "duplicate-identifier"): 1},
    "v270_killed": {
        ("warning", "cut-short"): 1,
        ("warning", "lost-job"): 1,
        ("info", "state-disagrees"): 1,
    },
    "v270_quirks": {
        ("error", "dangling-reference"): 1,
        ("warning", "dangling-reference"): 1,
        ("warning", "empty-params"): 1,
        ("warning", "encoded-dict"): 5,
        ("warning", "no-config"): 1,
        ("warning", "path-gone"): 3,
        ("warning", "save-failed"): 1,
        ("warning", "stale-pid"): 1,
        ("info", "duplicate-identifier"): 1,
        ("info", "job-directory-gone"): 1,
        ("info", "stub"): 1,
    },
    "v270_relaunched": {
        ("warning", "cut-short"): 1,
        ("warning", "not-what-ran"): 1,
        ("info", "shared-events"): 2,
    },
    "v270_script": {},
}
EXPECTED["v1161_migrated"] = EXPECTED["v1161_full"]


def check(root: Path, *arguments: Any, **options: Any) -> Findings:
    return xpframe.Workspace(root).check(*arguments, **options)


def counted(findings: Findings) -> dict[tuple[str, str], int]:
    """How often each severity and kind was found, but for what every moved workspace has."""
    return dict(Counter((one.severity, one.kind) for one in findings if one.kind not in MOVED))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_defect_is_named(name: str, workspaces: Workspaces) -> None:
    """Of each real workspace, every known defect is found, and nothing besides."""
    findings = check(workspaces.path(name))
    assert counted(findings) == EXPECTED[name]
    assert findings.seen["jobs"] >= 5
    assert all(one.what and one.advice for one in findings)
    assert [one.kind for one in findings].count("moved") == 1


def found(findings: Findings, kind: str) -> list[Finding]:
    return [one for one in findings if one.kind == kind]


def test_quirks_are_told_where_they_are(workspaces: Workspaces) -> None:
    """Each oddity is told with its experiment, job, file, line and field."""
    root = workspaces.path("v270_quirks")
    findings = check(root)
    dangling, completed = sorted(found(findings, "dangling-reference"), key=lambda one: one.severity)
    assert (dangling.experiment, dangling.line, dangling.field) == ("dict-type-dangling", 3, "d")
    assert dangling.what == "refers to object 12345, which no file holds"
    assert completed.experiment == "serial-fail"
    assert "it was found in the params.json of the job" in completed.what
    (empty,) = found(findings, "empty-params")
    assert empty.file is not None
    assert Path(empty.file).stat().st_size == 0
    (killed,) = found(findings, "stale-pid")
    assert (killed.experiment, Path(killed.file or "").name) == ("die", "die.pid")
    dicts = {(one.experiment, one.line, one.field) for one in found(findings, "encoded-dict")}
    assert {("dict-type", 3, "d"), *(("dict-type-masq", line, "d") for line in (2, 3, 4))} == dicts
    (twice,) = found(findings, "duplicate-identifier")
    assert (twice.experiment, twice.line) == ("same-id-ref", 3)
    (saved,) = found(findings, "save-failed")
    assert Path(saved.file or "").relative_to(root).parts[-2:] == ("data", "tuple")


def test_reused_ids_are_told_with_what_ran(workspaces: Workspaces) -> None:
    """Both jobs that Python led astray are named, and the action that was."""
    findings = check(workspaces.path("v270_idreuse"))
    assert [one.line for one in found(findings, "reused-id")] == [57, 60]
    assert all("Python gave the id to two objects" in one.what for one in found(findings, "reused-id"))
    (action,) = found(findings, "duplicate-identifier")
    assert (action.line, action.field) == (56, "model")
    assert findings.seen["compared"] == 3  # the two others were read from their params.json already


def test_what_ran_otherwise_is_told(workspaces: Workspaces) -> None:
    """A job that ran with another value than the run recorded: no part of its identifier."""
    (one,) = found(check(workspaces.path("v270_relaunched")), "not-what-ran")
    assert one.run == "20261123_071942"
    assert (one.line, one.field) == (4, "seconds")
    assert one.what == "is 60.0 in the run, and 0.1 in the params.json of the job, which is what ran"


# --- one defect at a time, made by hand in a healthy workspace ---


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    """A workspace of three jobs, two of them done, in which nothing is wrong."""
    driver = Driver()
    leaf = driver.make("Leaf", 1)
    for n in (1, 2, 3):
        driver.submit(driver.make("Train", n, leaf))
    root = tmp_path / "ws"
    run = driver.save(root)
    states = {}
    for job in driver.jobs:
        directory = root / "jobs" / "lab.train" / job.identifier
        (directory / ".experimaestro").mkdir()
        status = {"state": "done", "path": str(directory)}
        (directory / ".experimaestro" / "status.json").write_text(json.dumps(status))
        (directory / "train.done").touch()
        states[job.identifier] = "done"
    (run.parent / "lock").touch()
    (run.parent / "current").symlink_to(run.name)
    facts = {"status": "done", "ended_at": "2026-01-01T00:01:00", "job_states": states, "actions": {}}
    (run / "status.json").write_text(json.dumps({"run_id": run.name, **facts}))
    assert list(check(root)) == []
    return root


def the_run(root: Path) -> Path:
    return root / "experiments" / "reused" / "20260101_000000"


def jobs(root: Path) -> list[Path]:
    """The job directories, in the order of submission."""
    rows = (the_run(root) / "jobs.jsonl").read_text().splitlines()
    return [root / "jobs" / "lab.train" / json.loads(row)["job_id"] for row in rows]


def only(root: Path, kind: str, severity: str) -> Finding:
    """The one finding that there is."""
    (one,) = check(root)
    assert (one.kind, one.severity) == (kind, severity)
    return one


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_every_value_is_compared_with_what_ran(healthy: Path) -> None:
    """A deep value that differs from the params.json of the same process is told as an id used twice."""
    second = jobs(healthy)[1]
    replace(second / "params.json", '"n": 1}', '"n": 7}')
    one = only(healthy, "reused-id", "error")
    assert one.field == "held0.n"
    assert one.job_id == second.name
    assert (
        one.what == "is 1 in the run, and 7 in the params.json of the job: Python gave one id to two objects"
    )
    assert (one.file, one.line) == (str(the_run(healthy) / "objects.jsonl"), 3)


def test_another_process_may_have_run_it(healthy: Path) -> None:
    """A value that differs from the params.json of another process is told as what ran."""
    first = jobs(healthy)[0]
    objects = json.loads((first / "params.json").read_text())
    objects["objects"][-1]["id"] += 8
    objects["objects"][-1]["fields"]["n"] = 9
    (first / "params.json").write_text(json.dumps(objects))
    one = only(healthy, "not-what-ran", "warning")
    assert (one.field, one.what) == (
        "n",
        "is 1 in the run, and 9 in the params.json of the job, which is what ran",
    )


def test_configs_that_hold_each_other(healthy: Path) -> None:
    """A reference that leads back to where it stands is told where it was cut."""
    path, job = the_run(healthy) / "objects.jsonl", jobs(healthy)[0]
    names = {"module": "lab", "type": "Ring", "typename": "lab.Ring"}

    def ring(at: int, to: int) -> str:
        fields = {"next": {"type": "python", "value": to}}
        return json.dumps({"id": at, **names, "identifier": f"{at:064}", "fields": fields})

    path.write_text(f"{ring(1, 2)}\n{ring(2, 1)}\n" + path.read_text())
    for file in (path, job / "params.json"):
        text = '"n": 1, "held0"' if file.suffix == ".json" else '"n":1,"held0"'
        replace(file, text, '"n": 1, "ring": {"type": "python", "value": 2}, "held0"')
    replace(job / "params.json", '"objects": [', f'"objects": [{ring(1, 2)}, {ring(2, 1)}, ')
    one = only(healthy, "cyclic-reference", "error")
    assert (one.job_id, one.what) == (job.name, "refers to a config that holds it")
    assert one.field in ("ring.next", "ring.next.next")


def test_lines_that_are_bad_or_cut(healthy: Path) -> None:
    """A bad line is an error with its number; the last one without an end is told as cut."""
    path = the_run(healthy) / "jobs.jsonl"
    rows = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([rows[0], b"{nonsense}\n", rows[1], rows[2][:40]]))
    findings = check(healthy)
    assert [(one.kind, one.severity, one.line) for one in findings if one.file == str(path)] == [
        ("bad-line", "error", 2),
        ("cut-line", "error", 4),
    ]
    # the row that was cut: nobody else says that the run has the job
    assert [one.kind for one in findings if one.file != str(path)] == ["orphan-job"]


def test_a_job_that_the_run_only_links_to(healthy: Path) -> None:
    """A job whose line was lost is told by the link that the run has."""
    lost = jobs(healthy)[2]
    links = the_run(healthy) / "jobs" / "lab.train"
    links.mkdir(parents=True)
    (links / lost.name).symlink_to(lost)
    path = the_run(healthy) / "jobs.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    one = only(healthy, "unlisted-job", "error")
    assert (one.job_id, one.file) == (lost.name, str(lost))


def test_jobs_without_config(healthy: Path) -> None:
    """A job that ran and has no config anywhere is an error; one that never started is not."""
    path = the_run(healthy) / "objects.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    second, third = jobs(healthy)[1:]
    for job in (second, third):
        (job / "params.json").unlink()
    (third / "train.done").unlink()
    shutil.rmtree(third / ".experimaestro")
    replace(the_run(healthy) / "status.json", f'"{third.name}": "done"', f'"{third.name}": "unscheduled"')
    told = {one.job_id: (one.kind, one.severity) for one in check(healthy)}
    assert told == {second.name: ("no-config", "error"), third.name: ("no-config", "warning")}


def test_an_action_without_its_object(healthy: Path) -> None:
    """An action that experimaestro could not write is noted, and no reason to fail: no job lacks a value."""
    actions = {"f" * 64: {"action_id": "f" * 64, "description": "", "class": "lab.Export"}}
    replace(the_run(healthy) / "status.json", '"actions": {}', f'"actions": {json.dumps(actions)}')
    assert "lab.Export" in only(healthy, "no-config", "info").what
    assert main(["check", str(healthy)]) == 0


@pytest.mark.parametrize("is_known", [True, False], ids=["found in params.json", "nowhere"])
def test_init_tasks_that_dangle(is_known: bool, healthy: Path) -> None:
    """An init task without its object loses no column, and experimaestro passes over it: only noted."""
    job = jobs(healthy)[0]
    initial = '"init-tasks": [77], "fields"'
    replace(the_run(healthy) / "objects.jsonl", f'{job.name}","fields"', f'{job.name}",{initial}')
    replace(job / "params.json", f'{job.name}", "fields"', f'{job.name}", {initial}')
    if is_known:
        task = {"id": 77, "module": "lab", "type": "Load", "typename": "lab.Load", "identifier": "e" * 64}
        params = json.loads((job / "params.json").read_text())
        params["objects"].insert(0, {**task, "fields": {}})
        (job / "params.json").write_text(json.dumps(params))
    one = only(healthy, "dangling-reference", "info")
    assert one.job_id == job.name
    assert "init" in one.advice
    assert main(["check", str(healthy)]) == 0


def test_copies_of_runs_are_named(healthy: Path) -> None:
    """`scp -r` makes `current` a directory, and people copy runs: both are named, with the run."""
    run = the_run(healthy)
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps({"run_id": run.name, **status}))
    (run.parent / "current").unlink()
    for copy in ("current", "run.bak", "run (copy)"):
        shutil.copytree(run, run.parent / copy)
    findings = check(healthy)
    named = [(Path(one.file or "").name, one.run, one.severity) for one in found(findings, "copied-run")]
    assert named == [(name, run.name, "info") for name in ("current", "run (copy)", "run.bak")]
    assert findings.seen["runs"] == 1
    assert findings.is_clean
    assert len(xpframe.load_xp_info(run.parent / "run.bak").jobs) == len(jobs(healthy))


@pytest.mark.parametrize(
    ("state", "failed", "severity"),
    [("running", False, "info"), ("error", False, "warning"), ("done", True, "warning")],
)
def test_states_that_disagree(state: str, failed: bool, severity: str, healthy: Path) -> None:
    """A status file that says another end than the marker is a warning; one that is behind is not."""
    job = jobs(healthy)[0]
    replace(job / ".experimaestro" / "status.json", '"done"', f'"{state}"')
    if failed:
        (job / "train.done").rename(job / "train.failed")
        replace(the_run(healthy) / "status.json", f'"{job.name}": "done"', f'"{job.name}": "error"')
    one = only(healthy, "state-disagrees", severity)
    assert one.what == f"the marker file says {'error' if failed else 'done'}, this file {state}"


def test_both_markers(healthy: Path) -> None:
    """A job with a marker of success and one of failure is told."""
    (jobs(healthy)[0] / "train.failed").write_text("{}")
    assert "success counts" in only(healthy, "state-disagrees", "warning").advice


def test_killed_runs_and_lost_jobs(healthy: Path) -> None:
    """A driver that never said how it ended and holds no lock was killed; jobs that ran then are lost."""
    run, job = the_run(healthy), jobs(healthy)[0]
    replace(run / "status.json", '"status": "done"', '"status": "running"')
    replace(run / "status.json", '"ended_at": "2026-01-01T00:01:00"', '"ended_at": null')
    (job / "train.done").unlink()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (job / "train.pid").write_text(
        json.dumps({"type": "local", "pid": dead.pid, "host": socket.gethostname()})
    )
    told = {one.kind: one for one in check(healthy)}
    assert set(told) == {"cut-short", "lost-job"}
    assert told["lost-job"].file == str(job / "train.pid")
    assert {one.severity for one in told.values()} == {"warning"}


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
def test_a_lost_job_whose_process_goes_on(healthy: Path) -> None:
    """A job outlives its driver: while its own process is there, nothing is lost yet."""
    run, job = the_run(healthy), jobs(healthy)[0]
    replace(run / "status.json", '"status": "done"', '"status": "running"')
    replace(run / "status.json", '"ended_at": "2026-01-01T00:01:00"', '"ended_at": null')
    (job / "train.done").unlink()
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", str(job)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        pid = {"type": "local", "pid": process.pid, "host": socket.gethostname()}
        (job / "train.pid").write_text(json.dumps(pid))
        (one,) = found(check(healthy), "lost-job")
        process.communicate()
    assert (one.severity, one.what) == (
        "info",
        "was running when the driver went away, and its process still runs",
    )


def test_stale_pid_files(healthy: Path) -> None:
    """A pid file beside a marker is told, and is nothing bad."""
    (jobs(healthy)[0] / "train.pid").write_text('{"type": "local", "pid": 1}')
    only(healthy, "stale-pid", "info")


def test_equal_identifiers_that_differ(healthy: Path) -> None:
    """Two objects of a job with one identifier and other values: which one ran stands in params.json."""
    path = the_run(healthy) / "objects.jsonl"
    again = json.loads(path.read_text().splitlines()[1])
    again["id"] += 8
    again["fields"]["n"] = 5
    path.write_text(path.read_text() + json.dumps(again) + "\n")
    told = {(one.kind, one.severity): one for one in check(healthy)}
    assert set(told) == {
        ("duplicate-identifier", "warning"),
        ("duplicate-identifier", "info"),
        ("not-what-ran", "warning"),
    }
    differs = told["duplicate-identifier", "warning"]
    assert (differs.field, differs.line) == ("n", 5)
    assert differs.what.endswith("but this is 1 in line 2 and 5 in line 5")


def test_paths_that_are_gone(healthy: Path) -> None:
    """A path that a job needs is told once; one that the job itself should have written is only noted."""
    first, second, third = jobs(healthy)
    for file in (
        the_run(healthy) / "objects.jsonl",
        first / "params.json",
        second / "params.json",
        third / "params.json",
    ):
        replace(
            file,
            '"n": 1}' if file.suffix == ".json" else '"n":1}',
            f'"n": 1, "data": {path_value("/no/such/data")}}}',
        )
    one = only(healthy, "path-gone", "warning")
    assert (one.field, one.job_id, one.what) == ("held0.data", first.name, "/no/such/data does not exist")


def path_value(path: str) -> str:
    return json.dumps({"type": "path", "value": path})


def test_links_and_orphans(healthy: Path) -> None:
    """Links to nothing and out of the workspace, and jobs that no run knows, are told with their place."""
    elsewhere = healthy.parent / "elsewhere"
    elsewhere.mkdir()
    current = healthy / "experiments" / "reused" / "current"
    current.unlink()
    current.symlink_to("20270101_000000")
    (healthy / "experiments" / "other").symlink_to(elsewhere)
    (healthy / "jobs" / "lab.train" / ("e" * 64)).mkdir()
    (healthy / "jobs" / "lab.train" / ("d" * 64)).symlink_to(elsewhere)
    (healthy / "jobs" / "lab.train" / ("c" * 64)).symlink_to("nothing")
    told = sorted((one.kind, one.severity, Path(one.file or "").name[:7]) for one in check(healthy))
    assert told == [
        ("dangling-link", "warning", "ccccccc"),
        ("dangling-link", "warning", "current"),
        ("orphan-job", "info", "ccccccc"),
        ("orphan-job", "info", "ddddddd"),
        ("orphan-job", "info", "eeeeeee"),
        ("outside-link", "info", "ddddddd"),
        ("outside-link", "warning", "other"),
    ]
    assert all(one.kind == "dangling-link" for one in check(healthy, "reused"))


def test_files_that_cannot_be_read(healthy: Path) -> None:
    """A file that cannot be read is an error with its path."""
    path = the_run(healthy) / "objects.jsonl"
    path.unlink()
    path.mkdir()
    one = only(healthy, "unreadable-file", "error")
    assert (one.file, one.what) == (str(path), "is not a regular file")


# --- what it gives ---


def test_findings_are_a_frame_and_text(workspaces: Workspaces) -> None:
    """Findings are a sequence, a table for any Arrow library, text and escaped HTML."""
    root = workspaces.path("v270_killed")
    findings = check(root)
    frame = findings.frame(backend="polars")
    assert frame.equals(pl.DataFrame(findings))
    assert frame.columns == list(Finding.__slots__)
    assert len(frame) == len(findings) == len(findings.frame())
    assert frame["line"].dtype == pl.Int64
    assert repr(findings) == f"<Findings of {root}: 0 errors, 2 warnings, 3 notes>"
    assert repr(findings.table()) == "<xpframe.Table: 5 findings, 10 columns>"
    assert not findings.is_clean
    text = str(findings).splitlines()
    assert text[0] == f"workspace {root}: 0 errors, 2 warnings, 3 notes"
    assert (
        text[1]
        == "(looked at 1 run with 6 jobs: 4 compared with their params.json, 0 recorded paths looked for)"
    )
    assert "warning cut-short (1)" in text
    assert "    experiments/killed/20261123_071933/status.json" in text
    assert "    → launch the experiment again: jobs that are done are not run again" in text
    html = findings._repr_html_()
    assert "cut-short" in html
    assert "<script" not in html


def test_hostile_names_are_escaped(healthy: Path) -> None:
    """What a file says reaches HTML escaped and a terminal as visible text."""
    path = the_run(healthy) / "objects.jsonl"
    replace(path, '"n":1}', '"n":1,"<b>\\u001b[31m":{"type":"<script>"}}')
    findings = check(healthy)
    assert "<script>" not in findings._repr_html_()
    assert "&lt;b&gt;" in findings._repr_html_()
    assert "\x1b" not in str(findings)
    assert "\\x1b[31m" in str(findings)


def test_one_experiment_one_run(workspaces: Workspaces) -> None:
    """`experiment` and `run` choose what is looked at; an unknown one is an error with near misses."""
    root = workspaces.path("v270_quirks")
    assert {one.experiment for one in check(root, "serial-fail") if one.experiment} == {"serial-fail"}
    assert check(root, ["die", "dict-*"]).seen["runs"] == 4
    assert check(workspaces.path("v270_relaunched"), run="latest").seen["runs"] == 1
    with pytest.raises(xpframe.errors.ExperimentNotFoundError, match="did you mean"):
        check(root, "serial-fial")


def test_command_line(workspaces: Workspaces, healthy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`xpframe check` ends with 0 when nothing is wrong, 1 with findings, 2 when it cannot look."""
    assert main(["check", str(healthy)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"workspace {healthy}: 0 errors, 0 warnings, 0 notes"
    # notes alone are no reason to stop a script
    assert main(["check", "-w", str(workspaces.path("v270_script"))]) == 0
    assert "info moved (1)" in capsys.readouterr().out
    quirks = str(workspaces.path("v270_quirks"))
    assert main(["check", quirks, "--json", "-e", "die", "-e", "serial-fail"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert {one["experiment"] for one in told} == {"die", "serial-fail", None}
    assert set(told[0]) == set(Finding.__slots__)
    assert main(["check", quirks, "-e", "nothing"]) == 2
    assert main(["check", str(healthy.parent / "no-such")]) == 2
    assert capsys.readouterr().err.startswith("xpframe: ")


@pytest.mark.parametrize("count", [20, 200])
def test_every_file_is_read_once(count: int, tmp_path: Path) -> None:
    """A check reads three files a job and some a run: its time grows with the jobs, not faster."""
    driver = Driver()
    leaf = driver.make("Leaf", 1)
    for n in range(count):
        driver.submit(driver.make("Train", n, leaf))
    root = tmp_path / "ws"
    driver.save(root)
    before = xpframe._core.progress_counters()
    assert check(root).seen["compared"] == count
    files, size, objects = (
        after - then for after, then in zip(xpframe._core.progress_counters()[:3], before[:3], strict=True)
    )
    assert count <= files <= count + 8
    assert size <= 2 * sum(path.stat().st_size for path in root.rglob("*.json*"))
    assert objects <= 4 * count
