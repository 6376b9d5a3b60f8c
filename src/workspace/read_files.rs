//! Which files of a workspace are read at all: what a copy of it needs.

use super::layout::RUN_FILES;
use super::root::MARKER;
use super::run::SAVED_FILES;

/// The directories of links to jobs in a run. The links are read, not followed.
const LINKS: [&str; 2] = ["jobs", "jobs.bak"];
/// What is read in the directory of any job, besides results.
const JOB_FILES: [&str; 6] = [
    "params.json",
    ".experimaestro/status.json",
    ".experimaestro/events/event-*.jsonl",
    // markers are called like the task
    "*.done",
    "*.failed",
    "*.pid",
];
/// What is read in the directory of a failed job.
const LOGS: [&str; 2] = ["*.err", "*.out"];
/// The events of running experiments, and where old versions kept the link to the current run.
const EVENTS: [&str; 4] = [
    ".events/experiments/*.jsonl",
    ".events/experiments/*/events-*.jsonl",
    ".events/experiments/*/current",
    ".experimaestro/experiments/*",
];

/// Shell patterns of the files and links of experiments that are read, relative to the root; `*` matches no `/`. With an empty
/// list of `experiments` those of all, else of these names or patterns. A lock says something only where it is held: it is left out.
#[must_use]
pub fn run_patterns(experiments: &[&str]) -> Vec<String> {
    let names = if experiments.is_empty() { &["*"][..] } else { experiments };
    let mut patterns = vec![MARKER.to_owned()];
    for name in names {
        patterns.push(format!("experiments/{name}/current"));
        for run in [format!("experiments/{name}/*"), format!("xp/{name}")] {
            patterns.extend(RUN_FILES.map(|file| format!("{run}/{file}")));
            patterns.push(format!("{run}/events/event-*.jsonl"));
            patterns.extend(LINKS.map(|links| format!("{run}/{links}/*/*")));
            patterns.extend(SAVED_FILES.map(|file| format!("{run}/data/*/{file}")));
        }
    }
    patterns.extend(EVENTS.map(str::to_owned));
    patterns
}

/// Shell patterns of the files that are read in the directory of a job, relative to it, without results: those of each job, and
/// those of failed jobs.
#[must_use]
pub fn job_patterns() -> (Vec<String>, Vec<String>) {
    (JOB_FILES.map(str::to_owned).to_vec(), LOGS.map(str::to_owned).to_vec())
}
