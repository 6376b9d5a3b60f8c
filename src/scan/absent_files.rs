//! Notes on result files that no job has: a name that is spelled wrong, mostly.

use std::path::{Path, PathBuf};

use super::planned_run::PlannedRun;
use super::results::ResultRequest;
use crate::error::{did_you_mean, quoted};
use crate::results::{FileState, Handle, Patterns};

/// The directories of so many jobs are listed for files with similar names.
const MAX_LISTED: usize = 3;

/// The notes on the handles that lead to no file of any job, though they mean one.
pub(super) fn notes(requests: &[ResultRequest], runs: &[PlannedRun]) -> Vec<String> {
    let note = |(handle, request): (usize, &ResultRequest)| {
        let states = || runs.iter().flat_map(|run| run.file_states(handle));
        let is_file = |state| !matches!(state, FileState::Missing | FileState::None | FileState::Later);
        let directories = runs.iter().flat_map(|run| run.missing(handle));
        let is_absent = states().any(|state| state == FileState::Missing) && !states().any(is_file);
        is_absent.then(|| absent(&request.handle, directories))
    };
    requests.iter().enumerate().filter_map(note).collect()
}

/// The note on a handle that leads to no file of the jobs in these directories.
pub(super) fn absent(handle: &Handle, directories: impl Iterator<Item = PathBuf>) -> String {
    let Handle::Glob(glob) = handle else {
        return format!("no job has a file of its own where its {} says", quoted(&handle.to_string()));
    };
    let mut names: Vec<String> =
        directories.take(MAX_LISTED).flat_map(|directory| files(&directory)).collect();
    names.sort_unstable();
    names.dedup();
    let glob = glob.to_string();
    let hint = did_you_mean(&glob, names.iter().map(String::as_str));
    format!("no job has {}{}", quoted(&glob), hint.map_or_else(String::new, |hint| format!(" ({hint})")))
}

/// The note on metrics that no file has; `names` are those of a file.
pub(super) fn unmatched(wanted: &Patterns, names: &[&str]) -> String {
    let wanted = wanted.to_string();
    let hint = did_you_mean(&wanted, names.iter().copied());
    format!("no metric {}{}", quoted(&wanted), hint.map_or_else(String::new, |hint| format!(" ({hint})")))
}

fn files(directory: &Path) -> Vec<String> {
    let entries = directory.read_dir().into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    files.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
