//! A run whose jobs.jsonl was lost. An empty one is that of a run that has just begun.

use std::fs;

use serde::Deserialize;

use super::job_states::JobStates;
use super::json_file::read_json;
use crate::error::Error;
use crate::workspace::Run;

#[derive(Deserialize, Default)]
#[serde(default)]
struct StatusFile {
    job_states: Option<JobStates>,
}

/// Why a run without a jobs.jsonl has fewer facts of its jobs, or no jobs at all. A run that submitted no job has none either:
/// its status.json names no job, though its objects.jsonl may hold the configs of actions.
pub(super) fn lost_job_list(run: &Run, has_jobs: bool) -> Option<Error> {
    let has = |name: &str| fs::metadata(run.path().join(name)).is_ok_and(|file| file.len() > 0);
    let missing = |reason: String, hint| {
        Error::format(format!("is missing, {reason}")).at_file(&run.path().join("jobs.jsonl")).hint(hint)
    };
    if has_jobs {
        // runs of version 1 have none of these files
        let lacking = match (has("configs.json"), has("objects.jsonl") || has("status.json")) {
            (true, _) => "no times of submission",
            (false, true) => "neither tags nor times of submission",
            (false, false) => return None,
        };
        let hint = "restore it from a backup; the jobs are those that the run links to";
        return Some(missing(format!("so the jobs have {lacking}"), hint));
    }
    // what is wrong with the status.json is reported where the run is read
    let status: Option<StatusFile> = read_json(&run.path().join("status.json"), &mut Vec::new());
    let evidence = match status.map(|status| status.job_states.map_or(0, |states| states.len())) {
        Some(0) => return None,
        Some(1) => "status.json names a job".to_owned(),
        Some(count) => format!("status.json names {count} jobs"),
        None if has("objects.jsonl") => "objects.jsonl holds configs".to_owned(),
        None => return None,
    };
    let hint = "restore it from a backup, or the links below its jobs/ directory";
    Some(missing(format!("so the run shows no jobs, although its {evidence}"), hint))
}
