//! The doctor: findings as data, and where they point.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use xpframe::check::{Finding, Findings, Severity, Trouble, check};
use xpframe::progress::CancelToken;
use xpframe::workspace::Workspace;

const RUN: &str = "experiments/grid/20260101_000000";

/// A workspace with one run of two jobs, in which nothing is wrong.
struct Lab(TempDir);

impl Lab {
    fn new() -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        lab.file(".__experimaestro__", "");
        lab.file(&format!("{RUN}/status.json"), r#"{"status": "done", "ended_at": "2026-01-01T00:00:00"}"#);
        let row = |job| format!("{{\"job_id\": \"{job}\", \"task_id\": \"lab.train\", \"tags\": {{}}}}\n");
        let rows = [row("a"), row("b")].concat();
        lab.file(&format!("{RUN}/jobs.jsonl"), &rows);
        let objects: String =
            [(1, "a"), (2, "b")].iter().map(|&(id, job)| object(id, job, 5) + "\n").collect();
        lab.file(&format!("{RUN}/objects.jsonl"), &objects);
        for (id, job) in [(1, "a"), (2, "b")] {
            lab.params(id, job, 5);
            lab.file(&format!("jobs/lab.train/{job}/train.done"), "");
        }
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn params(&self, id: u32, job: &str, n: u32) {
        let content = format!("{{\"version\": 3, \"objects\": [{}]}}", object(id, job, n));
        self.file(&format!("jobs/lab.train/{job}/params.json"), &content);
    }

    fn check(&self, everything: bool) -> Findings {
        let workspace = Workspace::open(self.0.path()).unwrap();
        let runs = workspace.runs("grid").unwrap();
        check(&workspace, &runs, &[], everything, &CancelToken::default())
    }

    fn only(&self) -> Finding {
        let mut found = self.check(true).findings;
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }
}

fn object(id: u32, job: &str, n: u32) -> String {
    format!(
        "{{\"id\": {id}, \"module\": \"lab\", \"type\": \"Train\", \"typename\": \"lab.Train\", \
         \"identifier\": \"{job}\", \"fields\": {{\"n\": {n}}}}}"
    )
}

/// A healthy workspace has no finding, and everything was looked at.
#[test]
fn nothing_is_found_in_health() {
    let found = Lab::new().check(true);
    assert_eq!(found.findings, []);
    assert_eq!((found.runs, found.jobs, found.compared), (1, 2, 2));
}

/// A value that differs from the params.json of the same process is an error that names line and field.
#[test]
fn every_value_is_compared() {
    let lab = Lab::new();
    lab.params(2, "b", 6);
    let one = lab.only();
    assert_eq!((one.severity, one.trouble), (Severity::Error, Trouble::ReusedId));
    assert_eq!((one.job_id.as_deref(), one.field.as_deref(), one.line), (Some("b"), Some("n"), Some(2)));
    assert_eq!(one.file, Some(lab.path(&format!("{RUN}/objects.jsonl"))));
}

/// Jobs of no run can be told only when all runs were read.
#[test]
fn orphans_need_all_runs() {
    let lab = Lab::new();
    lab.file("jobs/lab.train/c/params.json", "");
    assert_eq!(lab.only().trouble, Trouble::OrphanJob);
    assert_eq!(lab.check(false).findings, []);
}

/// A link out of the workspace is told, and not followed.
#[cfg(unix)]
#[test]
fn links_out_are_told() {
    let lab = Lab::new();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), lab.path("experiments/other")).unwrap();
    let one = lab.only();
    assert_eq!((one.trouble, one.severity), (Trouble::OutsideLink, Severity::Warning));
    assert_eq!(one.file.as_deref(), Some(Path::new(&lab.path("experiments/other"))));
}

/// Who is told to stop stops.
#[test]
fn a_check_can_be_stopped() {
    let lab = Lab::new();
    let workspace = Workspace::open(lab.0.path()).unwrap();
    let stop = CancelToken::default();
    stop.cancel();
    let found = check(&workspace, &workspace.runs("grid").unwrap(), &[], true, &stop);
    assert_eq!((found.runs, found.findings), (0, Vec::new()));
}
