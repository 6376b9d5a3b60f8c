//! A small workspace that a test grows file by file.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use xpframe::error::Error;
use xpframe::records::{JobState, JobStatus, JobStatuses, RunRecord, State, run_record};
use xpframe::workspace::{Run, Workspace};

pub const RUN: &str = "20260101_000000";
pub const TASK: &str = "lab.train";

/// A workspace with one run of the experiment `grid`, grown file by file.
pub struct Tree(pub TempDir);

impl Tree {
    pub fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        tree.file(".__experimaestro__", "");
        tree.file(&format!("experiments/grid/{RUN}/jobs.jsonl"), "");
        tree
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub fn run_file(&self, name: &str, content: &str) -> PathBuf {
        self.file(&format!("experiments/grid/{RUN}/{name}"), content)
    }

    /// Writes a file into the directory of job `id` of the usual task.
    pub fn job_file(&self, id: &str, name: &str, content: &str) -> PathBuf {
        self.file(&format!("jobs/{TASK}/{id}/{name}"), content)
    }

    pub fn job_status(&self, id: &str, content: &str) -> PathBuf {
        self.job_file(id, ".experimaestro/status.json", content)
    }

    /// Writes `scheduler_state` events of the run, one a line, as `(job, state, reason)`.
    pub fn events(&self, events: &[(&str, &str, &str)]) {
        let line = |(job, state, reason): &(&str, &str, &str)| {
            format!(
                "{{\"job_id\":\"{job}\",\"scheduler_state\":\"{state}\",\"failure_reason\":{reason},\
                 \"run_id\":\"{RUN}\",\"event_type\":\"ExperimentJobStateEvent\"}}\n"
            )
        };
        self.run_file("events/event-0.jsonl", &events.iter().map(line).collect::<String>());
    }

    pub fn run(&self) -> Run {
        Workspace::open(self.0.path()).unwrap().run("grid", RUN).unwrap()
    }

    pub fn record(&self) -> (RunRecord, Vec<Error>) {
        let mut errors = Vec::new();
        let record = run_record(&self.run(), &mut errors);
        (record, errors)
    }

    /// The status of job `id` of the usual task; no file may be wrong.
    pub fn job(&self, id: &str) -> JobStatus {
        let (job, errors) = self.job_and_errors(TASK, id);
        assert_eq!(errors, []);
        job
    }

    pub fn job_and_errors(&self, task: &str, id: &str) -> (JobStatus, Vec<Error>) {
        let (run, (record, mut errors)) = (self.run(), self.record());
        let statuses = JobStatuses::open(&run, &record);
        let job = statuses.job(statuses.key(task, id, None), &mut errors);
        let JobState { state, failure, .. } = statuses.state(statuses.key(task, id, None), &mut Vec::new());
        assert_eq!((state, &failure), (job.state, &job.failure), "the short way agrees");
        (job, errors)
    }

    pub fn state(&self, id: &str) -> (State, Option<String>) {
        let job = self.job(id);
        (job.state, job.failure)
    }
}
