//! Where the workspace was when its files were written.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::json_file::read_json;
use crate::workspace::Run;

/// How many files of each kind are opened.
const OPENED: usize = 4;

/// How many jobs are looked at for files to open.
const LOOKED_AT: usize = 64;

#[derive(Deserialize)]
struct StatusFile {
    #[serde(default)]
    path: Option<String>,
}

#[derive(Deserialize)]
struct ParamsFile {
    #[serde(default)]
    workspace: Option<String>,
}

/// The distinct absolute roots that the run's files recorded, other than where the workspace is now, in the
/// order found. `sample` names jobs as (task, job); a few of their links, `status.json` and `params.json` are
/// read. Files that tell nothing are left out in silence: whoever needs them reports them.
#[must_use]
pub fn recorded_roots(run: &Run, sample: &[(String, String)]) -> Vec<String> {
    let jobs = &sample[..sample.len().min(LOOKED_AT)];
    let links = jobs.iter().filter_map(|(task, job)| {
        let target = run.link_target(task, job)?;
        root_of_job(target.to_str()?, task, job)
    });
    let directories =
        || jobs.iter().filter_map(|(task, job)| Some((run.workspace().job_dir(task, job).ok()?, task, job)));
    let statuses = directories().filter_map(|(directory, task, job)| {
        let status: StatusFile = read_json(&directory.join(".experimaestro/status.json"), &mut Vec::new())?;
        root_of_job(&status.path?, task, job)
    });
    let params = directories().filter_map(|(directory, ..)| {
        let params: ParamsFile = read_json(&directory.join("params.json"), &mut Vec::new())?;
        params.workspace
    });
    let here = run.workspace().root();
    let mut found: Vec<String> = Vec::new();
    for root in links.take(OPENED).chain(statuses.take(OPENED)).chain(params.take(OPENED)) {
        let root = root.trim_end_matches('/');
        if root.starts_with('/')
            && !found.iter().any(|known| known == root)
            && !is_same(Path::new(root), here)
        {
            found.push(root.to_owned());
        }
    }
    found
}

/// The workspace around a recorded job directory.
fn root_of_job(directory: &str, task: &str, job: &str) -> Option<String> {
    let above = directory.strip_suffix(job)?.strip_suffix('/')?.strip_suffix(task)?;
    above.strip_suffix("/jobs/").map(str::to_owned)
}

fn is_same(recorded: &Path, here: &Path) -> bool {
    recorded == here
        || fs::canonicalize(recorded).is_ok_and(|real| fs::canonicalize(here).is_ok_and(|here| here == real))
}
