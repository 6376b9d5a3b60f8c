//! Where the workspace was when its files were written.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::json_file::read_json;
use crate::threads;
use crate::workspace::Run;

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

/// The roots of the workspace that the files of a run recorded, as absolute paths without a trailing separator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordedRoots {
    /// Where the workspace was before it was moved or copied, in the order in which the files name it
    pub before: Vec<String>,
    /// Other paths of the directory where it is now: through symlinks
    pub aliases: Vec<String>,
}

/// The roots that differ from where the workspace is now. `sample` names jobs as (task, job); their links and `status.json` are
/// read, at the same time if the file system `is_slow`. They say where the run was executed; only where there is none of both does
/// `params.json` count: that of a job taken over from another workspace names the other one. Files that tell nothing are passed
/// over in silence: whoever needs them reports them.
#[must_use]
pub fn recorded_roots(run: &Run, sample: &[(String, String)], is_slow: bool) -> RecordedRoots {
    let (links, statuses): (Vec<_>, Vec<_>) = threads::each_waiting_at(sample, is_slow, |_, (task, job)| {
        let target = run.link_target(task, job);
        let link = target.and_then(|target| root_of_job(target.to_str()?, task, job));
        let directory = run.workspace().find_job_dir(task, job).ok();
        let status = directory.and_then(|directory| {
            let file = directory.join(".experimaestro/status.json");
            let status: StatusFile = read_json(&file, &mut Vec::new())?;
            root_of_job(&status.path?, task, job)
        });
        (link, status)
    })
    .into_iter()
    .unzip();
    let mut recorded: Vec<String> = links.into_iter().chain(statuses).flatten().collect();
    if recorded.is_empty() {
        recorded.extend(sample.iter().filter_map(|(task, job)| {
            let directory = run.workspace().find_job_dir(task, job).ok()?;
            let params: ParamsFile = read_json(&directory.join("params.json"), &mut Vec::new())?;
            params.workspace
        }));
    }
    let here = run.workspace().root();
    let mut roots = RecordedRoots::default();
    for root in recorded {
        let root = root.trim_end_matches(['/', '\\']);
        let is_named = |names: &[String]| names.iter().any(|name| name == root);
        if !is_absolute(root)
            || Path::new(root) == here
            || is_named(&roots.before)
            || is_named(&roots.aliases)
        {
            continue;
        }
        let names = if is_same(Path::new(root), here) { &mut roots.aliases } else { &mut roots.before };
        names.push(root.to_owned());
    }
    roots
}

/// Whether a recorded root is an absolute path, of this system or of Windows.
#[must_use]
pub fn is_absolute(root: &str) -> bool {
    let is_drive =
        |root: &[u8]| matches!(root, [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic());
    root.starts_with('/') || is_drive(root.as_bytes())
}

/// The workspace around a recorded job directory.
fn root_of_job(directory: &str, task: &str, job: &str) -> Option<String> {
    let separators = ['/', '\\'];
    let above = directory.strip_suffix(job)?.strip_suffix(separators)?.strip_suffix(task)?;
    above.strip_suffix(separators)?.strip_suffix("jobs")?.strip_suffix(separators).map(str::to_owned)
}

fn is_same(recorded: &Path, here: &Path) -> bool {
    fs::canonicalize(recorded).is_ok_and(|real| fs::canonicalize(here).is_ok_and(|here| here == real))
}
