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

/// The roots of the workspace that the files of a run recorded, as absolute paths without a trailing separator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordedRoots {
    /// Where the workspace was before it was moved or copied, in the order in which the files name it
    pub before: Vec<String>,
    /// Other paths of the directory where it is now: through symlinks
    pub aliases: Vec<String>,
}

/// The roots that differ from where the workspace is now. `sample` names jobs as (task, job); a few of their links and
/// `status.json` are read. They say where the run was executed; only where there is none of both does `params.json` count: that of
/// a job taken over from another workspace names the other one. Files that tell nothing are passed over in silence: whoever needs
/// them reports them.
#[must_use]
pub fn recorded_roots(run: &Run, sample: &[(String, String)]) -> RecordedRoots {
    let jobs = &sample[..sample.len().min(LOOKED_AT)];
    let links = jobs.iter().filter_map(|(task, job)| {
        let target = run.link_target(task, job)?;
        root_of_job(target.to_str()?, task, job)
    });
    let directories = || {
        jobs.iter().filter_map(|(task, job)| Some((run.workspace().find_job_dir(task, job).ok()?, task, job)))
    };
    let statuses = directories().filter_map(|(directory, task, job)| {
        let status: StatusFile = read_json(&directory.join(".experimaestro/status.json"), &mut Vec::new())?;
        root_of_job(&status.path?, task, job)
    });
    let params = directories().filter_map(|(directory, ..)| {
        let params: ParamsFile = read_json(&directory.join("params.json"), &mut Vec::new())?;
        params.workspace
    });
    let mut recorded: Vec<String> = links.take(OPENED).chain(statuses.take(OPENED)).collect();
    if recorded.is_empty() {
        recorded.extend(params.take(OPENED));
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
