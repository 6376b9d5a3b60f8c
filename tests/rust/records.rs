//! The small files: runs, states, times, and what is wrong in them.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use xpframe::error::{Error, ErrorKind};
use xpframe::records::{
    JobStatuses, Moment, RecordedRoots, RunRecord, State, Zone, recorded_roots, run_record,
};

use xpframe::workspace::Workspace;

use crate::tree::{RUN, TASK, Tree};

fn error(reason: &str) -> (State, Option<String>) {
    (State::Error, Some(reason.to_owned()))
}

fn moment(text: &str) -> Moment {
    Moment::parse(text).unwrap()
}

fn set_time(path: &Path, seconds: u64) -> Option<Moment> {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    Moment::from_system(time)
}

/// The done marker wins over everything else, also over a status that still says `running`.
#[test]
fn a_done_marker_is_always_right() {
    let tree = Tree::new();
    let marker = tree.job_file("a", "train.done", "");
    tree.job_file("a", "train.failed", "1");
    tree.job_file("a", "train.pid", "{}");
    tree.job_status(
        "a",
        r#"{"state": "running", "scheduler_state": "error", "ended_time": "2020-01-01T00:00:00"}"#,
    );
    let ended = set_time(&marker, 1_700_000_000);
    let job = tree.job("a");
    assert_eq!((job.state, job.failure, job.ended_at), (State::Done, None, ended));
}

/// The content of the failed marker says why: of 1.x, of 2.x, with a synonym, or nothing readable.
#[test]
fn a_failed_marker_tells_the_reason() {
    let cases = [
        ("1", error("FAILED"), Some(1_i64)),
        ("0", (State::Done, None), Some(0)),
        ("", error("FAILED"), None),
        ("oops", error("FAILED"), None),
        (r#"{"code": 3, "reason": "failed"}"#, error("FAILED"), Some(3)),
        (r#"{"code": 1, "reason": "timeout", "message": "not enough time"}"#, error("TIMEOUT"), Some(1)),
        (r#"{"failure_status": "memory"}"#, error("MEMORY"), None),
        (r#"{"reason": "deleted"}"#, error("MISSING_OUTPUTS"), None),
    ];
    for (content, expected, code) in cases {
        let tree = Tree::new();
        tree.job_file("a", "train.failed", content);
        let job = tree.job("a");
        assert_eq!(((job.state, job.failure), job.exit_code), (expected, code), "{content}");
        let message = content.contains("message").then_some("not enough time");
        assert_eq!(job.message.as_deref(), message);
    }
}

/// Before 2.1.4 the task of a job may be written in another case than its files.
#[test]
fn markers_are_found_in_any_case() {
    let tree = Tree::new();
    tree.file("jobs/my.org.specialtask/a/SpecialTask.failed", "2");
    tree.file("jobs/my.org.SpecialTask/b/SpecialTask.done", "");
    let (job, errors) = tree.job_and_errors("my.org.specialtask", "a");
    assert_eq!((job.state, job.exit_code, errors), (State::Error, Some(2), vec![]));
    assert_eq!(tree.job_and_errors("my.org.SpecialTask", "b").0.state, State::Done);
}

/// A job that failed by a dependency never ran: its status file, or that of 2.0.x, or the events of the run
/// tell it.
#[test]
fn dependency_failures_are_found() {
    let tree = Tree::new();
    tree.job_status(
        "new",
        r#"{"state": "unscheduled", "scheduler_state": "error", "scheduler_failure_reason": "DEPENDENCY",
            "started_time": "2026-01-01T10:00:00"}"#,
    );
    tree.job_status("old", r#"{"state": "error", "failure_reason": "DEPENDENCY"}"#);
    tree.events(&[("event", "waiting", "null"), ("event", "error", "\"DEPENDENCY\"")]);
    tree.run_file(
        "status.json",
        r#"{"ended_at": "2026-01-01T11:00:00", "job_states": {"new": "unscheduled", "event": "unscheduled",
            "run": "error:DEPENDENCY"}}"#,
    );
    for id in ["new", "old", "event", "run"] {
        let job = tree.job(id);
        assert_eq!((job.state, job.failure.as_deref()), (State::Error, Some("DEPENDENCY")), "{id}");
        assert_eq!((job.started_at, job.ended_at), (None, None), "{id} never ran");
    }
}

/// An error without a reason anywhere is `FAILED`, so that every error has one.
#[test]
fn every_error_has_a_reason() {
    let tree = Tree::new();
    tree.job_file("a", "params.json", "");
    tree.job_status("a", r#"{"state": "unscheduled", "scheduler_state": "error"}"#);
    tree.run_file("status.json", r#"{"job_states": {"b": "error"}}"#);
    assert_eq!(tree.state("a"), error("FAILED"));
    assert_eq!(tree.state("b"), error("FAILED"));
}

/// A pid file means running only while the driver holds its lock; else the job is lost.
#[test]
fn a_running_job_needs_a_living_run() {
    let tree = Tree::new();
    tree.job_file("pid", "train.pid", "{}");
    tree.job_file("word", "params.json", "{}");
    tree.job_status("word", r#"{"state": "running", "started_time": "2026-01-01T10:00:00"}"#);
    assert_eq!(tree.record().0.alive, Some(false), "no lock file");
    let lock = File::create(tree.path("experiments/grid/lock")).unwrap();
    assert_eq!(tree.record().0.alive, Some(false), "nobody holds it");
    assert_eq!((tree.state("pid").0, tree.state("word").0), (State::Lost, State::Lost));
    lock.lock().unwrap();
    assert_eq!(tree.record().0.alive, Some(true));
    assert_eq!((tree.state("pid").0, tree.state("word").0), (State::Running, State::Running));
    let job = tree.job("word");
    assert_eq!((job.started_at, job.ended_at), (Some(moment("2026-01-01T10:00:00")), None));
    tree.file("experiments/grid/20260101_000000.1/jobs.jsonl", "");
    assert_eq!(tree.record().0.alive, Some(false), "the driver runs a newer run");
    // the newer run shares the directories of jobs: the pid file may be of its own
    assert_eq!((tree.state("pid").0, tree.state("word").0), (State::Running, State::Lost));
    lock.unlock().unwrap();
    assert_eq!(tree.state("pid").0, State::Lost, "it ended too");
}

/// Asking whether a run is alive leaves the lock as it was: not created, not written, not held.
#[test]
fn the_lock_is_left_alone() {
    let tree = Tree::new();
    assert_eq!(tree.record().0.alive, Some(false));
    assert!(!tree.path("experiments/grid/lock").exists());
    let lock = tree.file("experiments/grid/lock", "");
    let before = fs::metadata(&lock).unwrap().modified().unwrap();
    assert_eq!(tree.record().0.alive, Some(false));
    assert_eq!(fs::metadata(&lock).unwrap().modified().unwrap(), before);
    File::open(&lock).unwrap().try_lock().expect("nobody holds it");
}

/// 1.x drivers hold a POSIX record lock, which is read from the system's list and never tried.
#[cfg(target_os = "linux")]
#[test]
fn a_driver_of_version_1_is_seen() {
    use rustix::fs::{FlockOperation, fcntl_lock};
    let tree = Tree::new();
    let lock = tree.file("xp/old/lock", "");
    let alive = || {
        let run = Workspace::open(tree.0.path()).unwrap().latest("old").unwrap();
        run_record(&run, &mut Vec::new()).alive
    };
    assert_eq!(alive(), Some(false));
    let held = File::options().write(true).open(&lock).unwrap();
    fcntl_lock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
    assert_eq!(alive(), Some(true));
    assert_eq!(alive(), Some(true), "looking did not drop the lock");
}

/// While the run is alive its own events count, not an error that an earlier run left in the job's directory.
#[test]
fn a_living_run_overrules_stale_errors() {
    let tree = Tree::new();
    tree.job_status("a", r#"{"scheduler_state": "error", "scheduler_failure_reason": "DEPENDENCY"}"#);
    tree.events(&[("a", "submitted", "null"), ("a", "waiting", "null")]);
    assert_eq!(tree.state("a"), error("DEPENDENCY"));
    let lock = File::create(tree.path("experiments/grid/lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(tree.state("a"), (State::Waiting, None));
}

/// A transient job that was run and removed is done; one that was not needed is transient.
#[test]
fn transient_jobs_have_no_directory() {
    let tree = Tree::new();
    tree.events(&[
        ("removed", "done", "null"),
        ("unneeded", "submitted", "null"),
        ("unneeded", "transient", "null"),
    ]);
    let states = r#"{"removed": "done", "unneeded": "unscheduled"}"#;
    tree.run_file(
        "status.json",
        &format!(r#"{{"ended_at": "2026-01-01T11:00:00", "job_states": {states}}}"#),
    );
    assert_eq!(tree.state("removed"), (State::Done, None));
    assert_eq!(tree.state("unneeded"), (State::Transient, None));
}

/// While its driver lives, a job that did not run has the scheduler's last word; a job nobody knows is unscheduled.
#[test]
fn jobs_that_did_not_run_keep_the_schedulers_word() {
    let tree = Tree::new();
    let lock = File::create(tree.path("experiments/grid/lock")).unwrap();
    lock.lock().unwrap();
    tree.events(&[("a", "submitted", "null"), ("a", "waiting", "null"), ("b", "submitted", "null")]);
    tree.job_status("c", r#"{"state": "unscheduled", "scheduler_state": "scheduled"}"#);
    tree.job_status("d", r#"{"state": "a state of the future"}"#);
    let states = ["a", "b", "c", "d", "unknown"].map(|id| tree.state(id).0);
    let expected =
        [State::Waiting, State::Unscheduled, State::Scheduled, State::Unscheduled, State::Unscheduled];
    assert_eq!(states, expected);
}

/// After a kill the next run appends to the same event file: only events with this run's identifier count.
#[test]
fn events_of_another_run_are_not_ours() {
    let tree = Tree::new();
    let event = |run: &str, state: &str| {
        format!(
            r#"{{"job_id":"a","run_id":"{run}","scheduler_state":"{state}","event_type":"ExperimentJobStateEvent"}}"#
        )
    };
    let action = |run: &str, id: &str| {
        format!(
            r#"{{"run_id":"{run}","action_id":"{id}","description":"d","action_class":"lab.Export.XPMConfig","event_type":"ActionAddedEvent"}}"#
        )
    };
    let lines = [event(RUN, "waiting"), action(RUN, "x"), event("other", "error"), action("other", "y")];
    tree.run_file("events/event-0.jsonl", &(lines.join("\n") + "\n"));
    assert_eq!(tree.state("a"), (State::Lost, None));
    let (record, errors) = tree.record();
    assert_eq!(record.actions.keys().collect::<Vec<_>>(), ["x"]);
    assert_eq!(errors, []);
}

/// `status.json` first, then the events in numeric order; the proxy class of the writer is named as the
/// user's.
#[test]
fn actions_come_from_status_and_events() {
    let tree = Tree::new();
    let event = |id: &str| {
        format!(
            "{{\"run_id\":\"{RUN}\",\"action_id\":\"{id}\",\"description\":\"to {id}\",\
             \"action_class\":\"lab.Export.XPMConfig\",\"event_type\":\"ActionAddedEvent\"}}\n"
        )
    };
    tree.run_file("events/event-10.jsonl", &event("late"));
    tree.run_file("events/event-2.jsonl", &(event("early") + &event("stored") + &event("early")));
    tree.file(".events/experiments/grid-11.jsonl", &(event("live") + "{\"run_id\":\"ActionAddedEvent"));
    let stored =
        r#"{"stored": {"action_id": "stored", "description": "kept", "class": "lab.Export.XPMConfig"}}"#;
    tree.run_file(
        "status.json",
        &format!(r#"{{"status": "running", "ended_at": null, "actions": {stored}}}"#),
    );
    let (record, errors) = tree.record();
    assert_eq!(errors, [], "a last line that is being written is not wrong");
    let found: Vec<_> =
        record.actions.iter().map(|(id, action)| (id.as_str(), action.description.as_str())).collect();
    assert_eq!(found, [("stored", "kept"), ("early", "to early"), ("late", "to late"), ("live", "to live")]);
    assert!(record.actions.values().all(|action| action.class == "lab.Export"));
}

/// Everything that a run's files say is in the record, legacy words in today's.
#[test]
fn a_run_record_joins_its_files() {
    let tree = Tree::new();
    tree.run_file(
        "status.json",
        r#"{"version": 1, "run_id": "20260101_000000", "status": "completed", "hostname": "vm",
            "started_at": "2026-01-01T10:00:00.250000", "ended_at": null, "job_states": {"a": "done"},
            "services": {"s": {"url": null}}, "run_tags": ["paper", "v2"], "finished_jobs": 3}"#,
    );
    tree.run_file(
        "environment.json",
        r#"{"python_version": "3.11.7", "packages": {"torch": "2.9", "odd": null},
            "editable_packages": {"lab": {"version": "0.1", "path": "/src/lab", "git": {"commit": "c0ffee", "dirty": true}}},
            "projects": [{"path": "/src/project", "commit": "beef", "branch": "main", "dirty": false, "new": [1]}],
            "run": {"hostname": "other", "started_at": null, "ended_at": "2026-01-01T11:00:00", "status": "completed"}}"#,
    );
    let (record, errors) = tree.record();
    assert_eq!(errors, []);
    assert_eq!(record.status.as_deref(), Some("done"));
    assert_eq!(record.outcome.as_deref(), Some("completed"));
    assert_eq!(record.hostname.as_deref(), Some("vm"));
    assert_eq!(record.started_at, Some(moment("2026-01-01T10:00:00.25")));
    assert_eq!(record.ended_at, Some(moment("2026-01-01T11:00:00")));
    assert_eq!(record.job_states.get("a"), Some("done"));
    assert_eq!(record.job_states.get("b"), None);
    assert_eq!(record.run_tags, ["paper", "v2"]);
    assert_eq!(record.python_version.as_deref(), Some("3.11.7"));
    let packages: Vec<_> =
        record.packages.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect();
    assert_eq!(packages, [("torch", "2.9"), ("lab", "0.1")]);
    let git: Vec<_> =
        record.git.iter().map(|git| (git.package.as_deref(), git.path.as_deref(), git.dirty)).collect();
    assert_eq!(git, [(None, Some("/src/project"), Some(false)), (Some("lab"), Some("/src/lab"), Some(true))]);
    assert_eq!(record.alive, Some(false));
}

/// States of jobs are read from any JSON: packed or not, with escapes, and an identifier twice, of which the last counts.
#[test]
fn states_are_read_from_any_text() {
    let texts = [
        r#"{"job_states": {"b": "done", "a": "error:TIMEOUT"}, "run_id": "r"}"#,
        "{\n  \"run_id\": \"r\",\n  \"job_states\": {\n    \"a\": \"error:TIMEOUT\",\n    \"b\": \"done\"\n  }\n}\n",
        r#"{"run_id": "r", "job_states": {"a": "done", "b": "done", "a": "error:TIMEOUT"}}"#,
        r#"{"run_id": "r", "job_states": {"\u0061": "error:TIMEOUT", "b": "do\u006ee"}}"#,
        r#"{"run_id": "r", "other": {"job_states": {"a": "done"}}, "job_states": {"a": "error:TIMEOUT", "b": "done"}}"#,
        r#"{"run_id": "r", "job\u005fstates": {"a": "error:TIMEOUT", "b": "done"}}"#,
    ];
    for text in texts {
        let tree = Tree::new();
        tree.run_file("status.json", text);
        let (record, errors) = tree.record();
        assert_eq!((record.run_id.as_str(), errors), ("r", Vec::new()), "{text}");
        let states = ["a", "b", "c"].map(|job_id| record.job_states.get(job_id));
        assert_eq!(states, [Some("error:TIMEOUT"), Some("done"), None], "{text}");
    }
}

/// A run directory without any of the small files is a run of which nothing is known.
#[test]
fn missing_files_are_no_errors() {
    let tree = Tree::new();
    let (record, errors) = tree.record();
    assert_eq!(errors, []);
    let expected = RunRecord { run_id: RUN.to_owned(), alive: Some(false), ..RunRecord::default() };
    assert_eq!(record, expected);
}

/// Each wrong file is told once, with its path and job; the rest is read.
#[test]
fn wrong_files_are_told_and_passed_over() {
    let tree = Tree::new();
    let status = tree.run_file("status.json", r#"{"status": "done", "job_st"#);
    let environment = tree.run_file("environment.json", "");
    let events = tree.run_file("events/event-0.jsonl", "{\"event_type\": \"ActionAddedEvent\"\n");
    let job_status = tree.job_status("a", "[]");
    tree.job_file("a", "train.done", "");
    let (job, errors) = tree.job_and_errors(TASK, "a");
    assert_eq!(job.state, State::Done);
    let places: Vec<_> =
        errors.iter().map(|error| (error.location().file.clone().unwrap(), error.location().line)).collect();
    assert_eq!(places, [(status, None), (environment, None), (events, Some(1)), (job_status, None)]);
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Format), "{errors:?}");
    assert_eq!(errors[1].reason(), "is empty");
    assert_eq!(errors[3].location().job.as_deref(), Some("a"));
}

/// A directory, a pipe, or a huge file in the place of a small one is an error, and nobody waits for it.
#[cfg(target_os = "linux")]
#[test]
fn what_is_no_regular_file_is_never_opened() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let tree = Tree::new();
    fs::create_dir(tree.run().path().join("status.json")).unwrap();
    let pipe = tree.run().path().join("environment.json");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let huge = tree.job_status("a", "");
    File::options().write(true).open(&huge).unwrap().set_len(1 << 40).unwrap();
    fs::create_dir(tree.path(&format!("jobs/{TASK}/a/train.done"))).unwrap();
    let (job, errors) = tree.job_and_errors(TASK, "a");
    assert_eq!(job.state, State::Unscheduled);
    let mut told: Vec<_> = errors.iter().map(Error::reason).collect();
    told.sort_unstable();
    let regular = "is not a regular file";
    assert_eq!(told, ["is larger than the 256 MiB that such a file may have", regular, regular, regular]);
}

/// Names that files give are not followed out of the workspace.
#[test]
fn a_job_with_an_impossible_name_keeps_its_row() {
    let tree = Tree::new();
    let (job, errors) = tree.job_and_errors("../..", "a");
    assert_eq!(job.state, State::Unscheduled);
    assert_eq!(errors.len(), 1);
    assert_eq!((errors[0].kind(), errors[0].location().job.as_deref()), (ErrorKind::InvalidName, Some("a")));
}

/// Times of the status file first; those of 1.x are the times of its pid and marker files.
#[test]
fn times_come_from_the_status_or_the_markers() {
    let tree = Tree::new();
    tree.job_file("new", "train.done", "");
    tree.job_status(
        "new",
        r#"{"state": "done", "submitted_time": "2026-01-01T09:59:00", "started_time": "2026-01-01T10:00:00.5",
            "ended_time": "2026-01-01T10:00:02", "retry_count": 2}"#,
    );
    let job = tree.job("new");
    assert_eq!(job.submitted_at, Some(moment("2026-01-01T09:59:00")));
    assert_eq!(
        (job.started_at, job.ended_at),
        (Some(moment("2026-01-01T10:00:00.5")), Some(moment("2026-01-01T10:00:02")))
    );
    assert_eq!(job.retry_count, Some(2));
    let started = set_time(&tree.job_file("old", "train.pid", "{}"), 1_600_000_000);
    let ended = set_time(&tree.job_file("old", "train.done", ""), 1_600_000_060);
    let job = tree.job("old");
    assert_eq!((job.started_at, job.ended_at), (started, ended));
    assert_eq!(started, Some(Moment::Utc(1_600_000_000_000_000)));
    tree.job_file("odd", "train.done", "");
    let file = tree.job_status("odd", r#"{"state": "done", "started_time": "yesterday"}"#);
    let (_, errors) = tree.job_and_errors(TASK, "odd");
    let place = format!("{}, job odd, field started_time", file.display());
    assert_eq!(
        errors.iter().map(Error::to_string).collect::<Vec<_>>(),
        [format!("{place}: 'yesterday' is not a time")]
    );
}

/// A naive time is read in the zone asked for, the other moments have their own.
#[test]
fn moments_become_utc() {
    let (paris, utc) = (Zone::named("Europe/Paris").unwrap(), Zone::named("UTC").unwrap());
    let hour = 3_600_000_000;
    let summer = Moment::parse("2026-07-01T12:00:00.000001").unwrap();
    assert!(matches!(summer, Moment::Naive(_)));
    assert_eq!(summer.to_utc(&utc) - summer.to_utc(&paris), 2 * hour);
    assert_eq!(summer.to_utc(&utc) % 1_000_000, 1);
    let fixed = Moment::parse("2026-07-01T12:00:00+02:00").unwrap();
    assert_eq!(fixed, Moment::Utc(fixed.to_utc(&paris)));
    assert_eq!(fixed.to_utc(&utc), summer.to_utc(&paris) - 1);
    let skipped = Moment::parse("2026-03-29T02:30:00").unwrap();
    assert_eq!(skipped.to_utc(&utc) - skipped.to_utc(&paris), hour);
    let twice = Moment::parse("2026-10-25T02:30:00").unwrap();
    assert_eq!(twice.to_utc(&utc) - twice.to_utc(&paris), 2 * hour);
    assert_eq!(Moment::from_unix(1_795_416_679.930_050_4), Some(Moment::Utc(1_795_416_679_930_050)));
    assert_eq!([f64::NAN, f64::INFINITY, 1e300].map(Moment::from_unix), [None; 3]);
    assert_eq!(["", "soon", "2026-13-01T00:00:00", "12:00"].map(Moment::parse), [None; 4]);
}

/// An unknown zone is refused with what would be a name.
#[test]
fn an_unknown_zone_is_an_error() {
    let error = Zone::named("Mars/Olympus").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(
        error.to_string(),
        "there is no time zone 'Mars/Olympus' (give a name of the IANA database, as Europe/Paris or UTC)"
    );
}

fn before(roots: &[&str]) -> RecordedRoots {
    RecordedRoots { before: roots.iter().map(|&root| root.to_owned()).collect(), aliases: Vec::new() }
}

/// Links and job status files tell where the workspace was; params files only where there are none.
#[test]
fn a_moved_workspace_is_noticed() {
    let tree = Tree::new();
    let link = tree.path(&format!("experiments/grid/{RUN}/jobs/{TASK}/a"));
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(format!("/first/jobs/{TASK}/a"), link).unwrap();
    tree.job_status("b", &format!(r#"{{"path": "/second/jobs/{TASK}/b"}}"#));
    tree.job_status("a", &format!(r#"{{"path": "/first/jobs/{TASK}/a"}}"#));
    tree.job_file("b", "params.json", r#"{"workspace": "/third/", "version": 3, "objects": [{"id": NaN}]}"#);
    let here = tree.0.path().display();
    tree.job_file("c", "params.json", &format!(r#"{{"workspace": "{here}"}}"#));
    tree.job_status("c", r#"{"path": "relative/jobs/lab.train/c"}"#);
    tree.job_status("d", "broken");
    let sample = ["none", "a", "b", "c", "d"].map(|id| (TASK.to_owned(), id.to_owned()));
    assert_eq!(recorded_roots(&tree.run(), &sample, false), before(&["/first", "/second"]));
    assert_eq!(recorded_roots(&tree.run(), &[], false), before(&[]));
}

/// One value serves all threads that read jobs.
#[test]
fn jobs_are_asked_from_several_threads() {
    let tree = Tree::new();
    let ids: Vec<String> = (0..200).map(|n| format!("{n:03}")).collect();
    for id in ids.iter().step_by(2) {
        tree.job_file(id, "train.done", "");
    }
    let (run, (record, _)) = (tree.run(), tree.record());
    let statuses = JobStatuses::open(&run, &record);
    let count = || {
        ids.iter()
            .filter(|id| statuses.state(statuses.key(TASK, id, None), &mut Vec::new()).state == State::Done)
            .count()
    };
    let counts: Vec<usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(count)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(counts, [100; 4]);
}

/// Each task is listed once, whichever thread asks first, and however many tasks there are.
#[test]
fn each_task_is_listed_once() {
    let tree = Tree::new();
    let tasks: Vec<String> = (0..1_000).map(|number| format!("lab.task{number}")).collect();
    for (number, task) in tasks.iter().enumerate() {
        let is_done = number.is_multiple_of(3);
        tree.file(&format!("jobs/{task}/a/{}", if is_done { &task[4..] } else { "x" }), "");
        if is_done {
            tree.file(&format!("jobs/{task}/a/{}.done", &task[4..]), "");
        }
    }
    let (run, record) = (tree.run(), tree.record().0);
    let statuses = JobStatuses::open(&run, &record);
    let states_of = |job: &str| {
        let ask = |task: &String, errors: &mut Vec<Error>| {
            statuses.state(statuses.key(task, job, None), errors).state
        };
        let (shares, errors) = JobStatuses::each_in_shares(&tasks, true, ask);
        assert_eq!(errors, []);
        shares.into_iter().flatten().collect::<Vec<State>>()
    };
    let expected = |number: usize| if number.is_multiple_of(3) { State::Done } else { State::Unscheduled };
    assert_eq!(states_of("a"), (0..1_000).map(expected).collect::<Vec<_>>());
    // came after the listing
    for task in &tasks {
        tree.file(&format!("jobs/{task}/b/{}.done", &task[4..]), "");
    }
    assert_eq!(states_of("b"), [State::Unscheduled; 1_000]);
}
