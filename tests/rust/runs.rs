//! Which directories are runs, and which run is the latest.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use xpframe::records::State;
use xpframe::workspace::Workspace;

use crate::tree::{RUN, TASK, Tree};

const LATER: &str = "20260201_000000";

/// Two runs that recorded their identifiers.
fn two_runs() -> Tree {
    let tree = Tree::new();
    for run in [RUN, LATER] {
        tree.file(&format!("experiments/grid/{run}/jobs.jsonl"), "");
        tree.file(&format!("experiments/grid/{run}/status.json"), &format!("{{\n  \"run_id\": \"{run}\"}}"));
    }
    tree
}

fn copy(tree: &Tree, run: &str, name: &str) -> PathBuf {
    let directory = tree.path(&format!("experiments/grid/{name}"));
    fs::create_dir_all(&directory).unwrap();
    for file in ["jobs.jsonl", "status.json"] {
        fs::copy(tree.path(&format!("experiments/grid/{run}/{file}")), directory.join(file)).unwrap();
    }
    directory
}

fn ids(root: &Path) -> Vec<String> {
    let workspace = Workspace::open(root).unwrap();
    workspace.runs("grid").unwrap().iter().map(|run| run.id().to_owned()).collect()
}

/// `scp -r` makes `current` a directory: it is no run of its own, and still tells which run is the latest.
#[test]
fn a_copied_current_is_no_run() {
    let tree = two_runs();
    copy(&tree, RUN, "current");
    assert_eq!(ids(tree.0.path()), [LATER, RUN]);
    let workspace = Workspace::open(tree.0.path()).unwrap();
    assert_eq!(workspace.latest("grid").unwrap().id(), RUN);
}

/// A copy of a run is left out of the runs, listed as a copy, and can be read by its path.
#[test]
fn copies_of_runs_are_left_out() {
    let tree = two_runs();
    let path = copy(&tree, LATER, "run (copy)");
    copy(&tree, LATER, "20260201_000000.bak");
    assert_eq!(ids(tree.0.path()), [LATER, RUN]);
    let workspace = Workspace::open(tree.0.path()).unwrap();
    assert_eq!(workspace.latest("grid").unwrap().id(), LATER);
    let copies = workspace.copies("grid").unwrap();
    assert_eq!(copies.len(), 2);
    assert_eq!(copies[1], (path.clone(), LATER.to_owned()));
    assert_eq!(xpframe::workspace::Run::at(&path).unwrap().path(), path);
}

/// A run whose directory was renamed is a run, also where it is the only one with its identifier.
#[test]
fn a_renamed_run_stays_a_run() {
    let tree = two_runs();
    let from = tree.path(&format!("experiments/grid/{LATER}"));
    fs::rename(from, tree.path("experiments/grid/best")).unwrap();
    assert_eq!(ids(tree.0.path()), ["best", RUN]);
}

/// A directory that user code made beside the runs is none; one that a driver has just made is.
#[test]
fn directories_without_files_are_no_runs() {
    let tree = two_runs();
    fs::create_dir_all(tree.path("experiments/grid/dry-run/results")).unwrap();
    fs::create_dir_all(tree.path("experiments/grid/20260301_000000.1")).unwrap();
    assert_eq!(ids(tree.0.path()), ["20260301_000000.1", LATER, RUN]);
}

/// Directories that file servers put everywhere are no experiments, unless they hold runs.
#[test]
fn directories_of_file_servers_are_no_experiments() {
    let tree = two_runs();
    tree.file("experiments/@eaDir/grid@SynoEAStream", "");
    fs::create_dir_all(tree.path("experiments/lost+found")).unwrap();
    fs::create_dir_all(tree.path("experiments/empty")).unwrap();
    tree.file(&format!("experiments/@home/{RUN}/jobs.jsonl"), "");
    let workspace = Workspace::open(tree.0.path()).unwrap();
    assert_eq!(workspace.experiments().unwrap(), ["@home", "empty", "grid"]);
}

/// A failed job that its driver, which is alive, has queued again since is waiting; an older word changes nothing.
#[test]
fn a_failed_job_may_wait_again() {
    let tree = Tree::new();
    let lock = File::create(tree.path("experiments/grid/lock")).unwrap();
    lock.lock().unwrap();
    for id in ["again", "failed", "done"] {
        tree.job_file(id, "train.failed", r#"{"code": 1, "reason": "timeout"}"#);
    }
    tree.job_file("done", "train.done", "");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let event = |job: &str, state: &str, time: Duration| {
        format!(
            "{{\"timestamp\":{},\"job_id\":\"{job}\",\"scheduler_state\":\"{state}\",\"run_id\":\"{RUN}\",\
             \"event_type\":\"ExperimentJobStateEvent\"}}\n",
            time.as_secs_f64()
        )
    };
    let minute = Duration::from_secs(60);
    let events = [
        event("again", "scheduled", now.checked_sub(minute).unwrap()),
        event("again", "waiting", now + minute),
        event("failed", "scheduled", now.checked_sub(minute).unwrap()),
        event("done", "waiting", now + minute),
    ];
    tree.run_file("events/event-0.jsonl", &events.concat());
    let state = |id: &str| (tree.job(id).state, tree.job(id).failure);
    assert_eq!(state("again"), (State::Waiting, None));
    assert_eq!(state("failed"), (State::Error, Some("TIMEOUT".to_owned())));
    assert_eq!(state("done"), (State::Done, None));
    drop(lock);
    assert_eq!(state("again").0, State::Error);
}

/// A job that waited when its driver was killed is lost: nobody is left to start it.
#[test]
fn waiting_for_a_dead_driver_is_lost() {
    let tree = Tree::new();
    tree.events(&[("a", "waiting", "null"), ("b", "scheduled", "null"), ("c", "submitted", "null")]);
    let states = ["a", "b", "c"].map(|id| tree.job_and_errors(TASK, id).0.state);
    assert_eq!(states, [State::Lost, State::Lost, State::Unscheduled]);
}
