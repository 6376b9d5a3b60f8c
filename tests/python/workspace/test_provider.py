"""The reading methods of experimaestro's provider: its own tests, and what they leave out."""

from __future__ import annotations

import json
import pickle
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

import xpframe
from conftest import Workspaces, changes, listing
from own_tests import FILES, READERS, copy_own_tests, installed_tests, run_own_tests, with_our_readers
from xpframe import WorkspaceStateProvider
from xpframe.errors import InvalidNameError, RunNotFoundError, WorkspaceNotFoundError
from xpframe.provided_job import Job
from xpframe.state import State

pytestmark = pytest.mark.slow

PROVIDER = "test_workspace_state_provider"
# the tests of experimaestro that cannot pass, with the reason
EXPECTED = {
    f"{PROVIDER}::TestEventWatcher::test_detects_new_job_event": "watching",
    f"{PROVIDER}::TestEventWatcher::test_detects_multiple_events": "watching",
    f"{PROVIDER}::TestEventWatcher::test_detects_job_state_from_job_events": "watching",
    f"{PROVIDER}::TestEventWatcher::test_detects_job_progress_from_job_events": "watching",
    f"{PROVIDER}::TestEventWatcher::test_detects_experiment_finalization": "watching",
    f"{PROVIDER}::TestEventWatcher::test_event_file_ordering_enforced": "watching",
    f"{PROVIDER}::TestEventFileOrderingWithStartCount::test_event_ordering_starts_from_status_count": (
        "watching"
    ),
    f"{PROVIDER}::TestCleanJob::test_clean_job_marks_state_as_deleted": "writing: deletes a job",
    f"{PROVIDER}::TestCleanJob::test_clean_job_persists_deleted_state_to_status_json": (
        "writing: deletes a job"
    ),
    f"{PROVIDER}::TestCrashRecovery::test_consolidates_orphaned_events_on_init": "writing: cleans up",
    f"{PROVIDER}::TestCrashRecovery::test_skips_already_consolidated_experiments": "writing: cleans up",
    f"{PROVIDER}::TestCrashRecovery::test_consolidates_multiple_event_files": "writing: cleans up",
    f"{PROVIDER}::TestCrashRecovery::test_handles_missing_status_json": "writing: cleans up",
    f"{PROVIDER}::TestJobStateFromJobEvents::test_job_state_updated_from_job_events": (
        "scheduler: nobody holds the lock of the experiment, so its unfinished job is lost, not running"
    ),
    "test_stray_jobs::test_running_state_detection": "scheduler: calls a private method of the provider",
}


@pytest.mark.slow
def test_own_tests_of_experimaestro(tmp_path: Path) -> None:
    """All of experimaestro's own tests of reading pass with xpframe in the place of its readers."""
    copy_own_tests(tmp_path)
    outcomes = run_own_tests(tmp_path)
    # tests of the scheduler wait for processes, for some seconds: on a busy machine one may fail
    again = [name for name, outcome in outcomes.items() if outcome != "passed" and name not in EXPECTED]
    outcomes |= run_own_tests(tmp_path, again) if again else {}
    passed = sum(outcome == "passed" for outcome in outcomes.values())
    print(f"{passed} of {len(outcomes)} pass")
    assert len(outcomes) == 81
    failed = {name: text for name, text in outcomes.items() if text != "passed"}
    assert {name: text for name, text in failed.items() if name not in EXPECTED} == {}
    assert set(EXPECTED) - set(failed) == set()


def test_only_imports_change() -> None:
    """In the tests of experimaestro only lines that import its readers are replaced."""
    total = 0
    for name in FILES:
        source = (installed_tests() / f"{name}.py").read_text(encoding="utf-8")
        ours, changed = with_our_readers(source)
        total += changed
        lines = {line.strip() for line in ours.splitlines()} - {line.strip() for line in source.splitlines()}
        assert all(line.startswith(("from xpframe import ", "from experimaestro")) for line in lines)
        left = [line for line in ours.splitlines() if line.strip().startswith("from experimaestro")]
        assert not any(reader in line.split() for reader in READERS for line in left)
    assert total >= 8


@pytest.mark.parametrize("name", ["v1161_full", "v216_full", "v270_full", "v270_quirks"])
def test_jobs_agree_with_the_table(name: str, workspaces: Workspaces) -> None:
    """Jobs and counts of the provider are those of the tables."""
    root = workspaces.path(name)
    provider = WorkspaceStateProvider(root)
    runs = provider.get_experiments()
    assert {run.experiment_id for run in runs} == set(provider.experiments())
    seen = 0
    for run in runs:
        names = ["job_id", "state"]
        table = xpframe.xp_table(run.experiment_id, workspace=root, run=run.run_id, columns=names)
        states = dict(zip(table.column_values("job_id"), table.column_values("state"), strict=True))
        jobs = provider.get_jobs(run.experiment_id)
        assert {job.identifier: str(job.state) for job in jobs} == states
        assert run.total_jobs == len(run.jobs) == len(states)
        assert run.finished_jobs == list(states.values()).count("done")
        assert run.failed_jobs == list(states.values()).count("error")
        assert repr(run.tags) == repr({job.identifier: job.tags for job in jobs if job.tags})
        assert run.dependencies == provider.get_dependencies_map(run.experiment_id)
        for job in jobs:
            seen += 1
            assert job.failure_reason is None or job.state.is_error()
            assert (provider.get_job(job.task_id, job.identifier) is not None) == job.path.is_dir()
    assert seen >= 9


def ids(jobs: list[Job]) -> list[str]:
    # tags may be NaN, which equals nothing
    return [job.identifier for job in jobs]


def test_jobs_are_filtered(workspaces: Workspaces) -> None:
    """By experiment, run, task, state, tags and time."""
    provider = WorkspaceStateProvider(workspaces.path("v270_full"), no_cleanup=True)
    jobs = provider.get_jobs("ablation")
    failed = provider.get_jobs("ablation", state="ERROR")
    assert len(jobs) == 26
    assert len(failed) == 5
    assert all(job.state.is_error() and job.state.failure_reason for job in failed)
    task = jobs[0].task_id
    of_task = provider.get_jobs("ablation", task_id=task)
    assert ids(of_task) == [job.identifier for job in jobs if job.task_id == task]
    tagged = next(job for job in jobs if job.tags)
    assert tagged in provider.get_jobs("ablation", tags=tagged.tags)
    assert provider.get_jobs("ablation", tags={"no such tag": 1}) == []
    assert provider.get_jobs("ablation", state=SimpleNamespace(name="ERROR")) == failed  # type: ignore[arg-type]
    for wrong in ({"state": "finished"}, {"state": 3}, {"since": "yesterday"}):
        with pytest.raises(xpframe.errors.InvalidArgumentError, match=r"state|since"):
            provider.get_jobs("ablation", **wrong)
    assert provider.get_jobs("ablation", since=datetime.now(UTC) + timedelta(days=10**4)) == []
    assert ids(provider.get_jobs("ablation", since=datetime(2020, 1, 1))) == ids(jobs)  # noqa: DTZ001 - local
    assert len(provider.get_all_jobs()) == len(provider.get_jobs()) > len(jobs)
    assert provider.get_jobs("no such experiment") == provider.get_jobs("ablation", run_id="none") == []


def test_a_job_by_itself(workspaces: Workspaces) -> None:
    """A job is found by task and id; names that lead out of the workspace are no jobs."""
    root = workspaces.path("v270_full")
    provider = WorkspaceStateProvider(root)
    job = provider.get_jobs("grid-search")[0]
    same = provider.get_job(job.task_id, job.identifier)
    assert same is not None
    assert (same.identifier, same.state, same.path) == (job.identifier, job.state, job.path)
    assert same.full_id == f"{job.task_id}:{job.identifier}"
    assert same.locator == f"{job.task_id}/{job.identifier}"
    assert pickle.loads(pickle.dumps(same)) == same
    assert provider.get_job(job.task_id, "0" * 64) is None
    with pytest.raises(xpframe.XpFrameError):
        provider.get_job(job.task_id, "\ud800")
    with pytest.raises(InvalidNameError, match=r"'\.\.' cannot be the name of one task"):
        provider.get_job("..", "experiments")


def test_orphans(workspaces: Workspaces, tmp_path: Path) -> None:
    """Jobs whose runs were removed are orphans, with the states that their own files tell."""
    root = tmp_path / "ws"
    shutil.copytree(workspaces.path("v270_full"), root, symlinks=True)
    provider = WorkspaceStateProvider(root)
    before = {job.identifier: job for job in provider.get_jobs("ablation")}
    assert provider.get_orphan_jobs() == []
    shutil.rmtree(root / "experiments" / "ablation")
    orphans = provider.get_orphan_jobs()
    assert {job.identifier for job in orphans} <= set(before)
    assert len(orphans) >= 20
    for job in orphans:
        assert job.run_id == job.experiment_id == ""
        assert job.submittime is None
        assert job.path.is_dir()
        if (job.path / f"{job.task_id.rpartition('.')[2]}.done").exists():
            assert (job.state, job.starttime, job.endtime) == (
                "done",
                before[job.identifier].starttime,
                before[job.identifier].endtime,
            )
    assert provider.get_job(orphans[0].task_id, orphans[0].identifier) == orphans[0]


def test_unreadable_runs_are_no_orphans(workspaces: Workspaces, tmp_path: Path) -> None:
    """Where the jobs of a run cannot be read, orphans cannot be told; the other runs still can be read."""
    root = tmp_path / "ws"
    shutil.copytree(workspaces.path("v270_full"), root, symlinks=True)
    provider = WorkspaceStateProvider(root)
    (run,) = root.glob("experiments/ablation/2*")
    content = (run / "jobs.jsonl").read_text()
    (run / "jobs.jsonl").unlink()
    (run / "jobs.jsonl").mkdir()
    with pytest.raises(xpframe.XpFrameError, match=r"jobs\.jsonl"):
        provider.get_orphan_jobs()
    (run / "jobs.jsonl").rmdir()
    (run / "jobs.jsonl").write_text(content[:-20])
    with pytest.warns(xpframe.XpFrameWarning, match=r"jobs\.jsonl:26"):
        assert len(provider.get_orphan_jobs()) == 1
    assert len(provider.get_jobs("grid-search")) == 9


def test_a_provider_is_pickled(workspaces: Workspaces) -> None:
    """A copy in another process is a provider of the same workspace."""
    provider = WorkspaceStateProvider(workspaces.path("v270_full"))
    copy = pickle.loads(pickle.dumps(provider))
    assert type(copy) is WorkspaceStateProvider
    assert copy.path == provider.path


def test_runs_of_an_experiment(workspaces: Workspaces) -> None:
    """Newest first, with the facts of the run; nothing for an unknown experiment."""
    provider = WorkspaceStateProvider(workspaces.path("v270_full"))
    runs = provider.get_experiment_runs("quick")
    assert [run.run_id for run in runs] == provider.runs("quick")
    assert [run.runs_count for run in runs] == [4] * 4
    latest = provider.get_experiment("quick")
    assert latest is not None
    info = provider.load_xp_info("quick")
    assert (latest.run_id, latest.hostname, latest.started_at, latest.ended_at) == (
        info.run_id,
        info.hostname,
        info.started_at,
        info.ended_at,
    )
    assert latest.workdir == latest.run_dir == info.path
    assert (str(latest.status), latest.alive) == (info.status, info.alive)
    assert latest.run_tags == set(info.environment["run_tags"])
    assert repr(latest) == f"<ExperimentRun 'quick' {latest.run_id}>"
    assert provider.get_experiment("none") is None
    assert provider.get_current_run("none") is None
    assert provider.get_experiment_runs("none") == []
    unended = [run.run_id for run in provider.get_experiments() if run.ended_at is None]
    later = provider.get_experiments(since=datetime(2100, 1, 1, tzinfo=UTC))
    assert [run.run_id for run in later] == unended


def test_states_equal_those_of_experimaestro() -> None:
    """Each state equals the one of experimaestro with its name, and no other, and is a text."""
    from experimaestro.scheduler.interfaces import ExperimentStatus, JobFailureStatus, JobState

    names = ["UNSCHEDULED", "WAITING", "READY", "SCHEDULED", "RUNNING", "DONE", "ERROR", "TRANSIENT"]
    for name in names:
        state, theirs = State(name.lower()), getattr(JobState, name)
        assert [other for other in names if state == getattr(JobState, other)] == [name]
        assert state == name.lower() == state.name
        for method in ("is_error", "finished", "running", "notstarted", "is_unscheduled"):
            assert getattr(state, method)() == getattr(theirs, method)(), (name, method)
    for status in ExperimentStatus:
        assert State(status.value) == status
        assert status == State(status.value)
    assert State("done") != ExperimentStatus.FAILED
    assert State("error", "TIMEOUT").failure_reason == JobFailureStatus.TIMEOUT
    assert State("error", "TIMEOUT").failure_reason == "TIMEOUT"
    copy = pickle.loads(pickle.dumps(State("error", "TIMEOUT")))
    assert (copy, copy.failure_reason) == ("error", "TIMEOUT")
    assert hash(State("done")) == hash("done")
    assert State("lost") != 5
    assert not State("lost").finished()


def test_services(workspaces: Workspaces) -> None:
    """Services have what the files say, with paths where the workspace is now."""
    root = workspaces.path("v270_quirks")
    provider = WorkspaceStateProvider(root)
    (service,) = provider.get_services("service")
    assert (service.id, service.description(), service.typename) == (
        "dummy",
        "A dummy service",
        "__main__.Dummy",
    )
    assert service.state_dict() == {"log_dir": root / "somewhere", "port": 12}
    assert (service.state, service.url) == ("STOPPED", None)
    assert (service.experiment_id, service.run_id) == ("service", provider.get_current_run("service"))
    info = provider.load_xp_info("service")
    assert info.services == {"dummy": service}
    assert info.results_path == info.path / "results"
    assert provider.get_services() == [service]
    assert provider.get_services("die") == provider.get_services("no such experiment") == []


def test_services_of_a_run_that_has_not_ended(workspaces: Workspaces, tmp_path: Path) -> None:
    """Until the final status is written, the events tell of services and of their states."""
    from experimaestro.scheduler.services import ServiceState

    root = tmp_path / "ws"
    shutil.copytree(workspaces.path("v270_quirks"), root, symlinks=True)
    (run,) = root.glob("experiments/service/2*")
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps(status | {"services": {}, "ended_at": None}))
    environment = json.loads((run / "environment.json").read_text())
    environment["run"]["ended_at"] = environment["run"]["status"] = None
    (run / "environment.json").write_text(json.dumps(environment))
    info = xpframe.load_xp_info(run)
    assert info.services["dummy"].settings == {"log_dir": root / "somewhere", "port": 12}
    assert info.services["dummy"].state == ServiceState.STOPPED
    event = {"event_type": "ServiceStateChangedEvent", "service_id": "dummy", "run_id": run.name}
    other = {**event, "run_id": "20200101_000000", "state": "ERROR"}
    with (run / "events" / "event-0.jsonl").open("a") as events:
        events.write(json.dumps(event | {"state": "RUNNING"}) + "\n" + json.dumps(other) + "\n")
    assert xpframe.load_xp_info(run).services["dummy"].state == ServiceState.RUNNING


def test_workspaces_without_experiments(tmp_path: Path) -> None:
    """An empty directory, and one that has only jobs, are workspaces of a provider; others are not."""
    empty, other = tmp_path / "empty", tmp_path / "other"
    empty.mkdir()
    other.mkdir()
    (other / "file").touch()
    provider = WorkspaceStateProvider(empty)
    assert (provider.get_experiments(), provider.get_orphan_jobs(), provider.get_jobs()) == ([], [], [])
    assert provider.workspace_path == provider.path == empty
    assert provider.read_only
    provider.close()
    with pytest.raises(WorkspaceNotFoundError, match="is not an experimaestro workspace"):
        WorkspaceStateProvider(other)
    with pytest.raises(WorkspaceNotFoundError, match="no such directory"):
        WorkspaceStateProvider(tmp_path / "missing")
    with pytest.raises(WorkspaceNotFoundError):
        xpframe.Workspace(empty)
    (tmp_path / "jobs" / "lab.train" / "1").mkdir(parents=True)
    (tmp_path / "jobs" / "lab.train" / "1" / "train.done").touch()
    (job,) = WorkspaceStateProvider(tmp_path).get_orphan_jobs()
    assert (job.identifier, job.task_id, job.state) == ("1", "lab.train", "done")


def test_a_run_without_files_is_not_found(workspaces: Workspaces, tmp_path: Path) -> None:
    """A run that wrote nothing is an error, as in experimaestro; one without jobs is an empty info."""
    root = tmp_path / "ws"
    shutil.copytree(workspaces.path("v270_quirks"), root, symlinks=True)
    run = root / "experiments" / "die" / "20990101_000000"
    run.mkdir()
    with pytest.raises(RunNotFoundError, match=r"this run has no files \(its driver wrote nothing, or not"):
        xpframe.load_xp_info(run)
    (run / "objects.jsonl").touch()
    info = xpframe.load_xp_info(run)
    assert (len(info.jobs), len(info.actions), info.errors) == (0, 0, [])


def test_nothing_is_written(tmp_path: Path) -> None:
    """Each method of the provider leaves the workspace as it was."""
    root = tmp_path / "ws"
    shutil.copytree(xpframe.sample_workspace(), root, symlinks=True)
    before = listing(root)
    provider = WorkspaceStateProvider(root)
    provider.get_experiments()
    provider.get_experiment_runs("grid-search")
    provider.get_services()
    provider.get_orphan_jobs()
    provider.get_stray_jobs()
    for job in provider.get_jobs():
        provider.get_job(job.task_id, job.identifier)
    provider.close()
    assert changes(before, listing(root)) == []
