//! Notes on results that no job has: names that are spelled wrong, mostly.

use std::path::{Path, PathBuf};

use super::results::{ReadResults, ResultRequest};
use crate::error::{did_you_mean, quoted};
use crate::results::{FileState, Handle, Patterns};

/// The directories of so many jobs are listed for files with similar names.
const MAX_LISTED: usize = 3;

/// The notes on the handles that lead to no file of any job, though they mean one.
pub(super) fn notes(requests: &[ResultRequest], runs: &[ReadResults]) -> Vec<String> {
    let note = |(handle, request): (usize, &ResultRequest)| {
        let files = || runs.iter().filter_map(|read| read.results.files.get(handle)).flatten();
        let may_be_absent = |&(state, _): &(FileState, _)| {
            matches!(state, FileState::Missing | FileState::None | FileState::Later)
        };
        let mut directories = runs.iter().filter_map(|read| read.missing.get(handle)).flatten().peekable();
        let is_absent = directories.peek().is_some() && files().all(may_be_absent);
        is_absent.then(|| absent_file(&request.handle, directories))
    };
    requests.iter().enumerate().filter_map(note).collect()
}

/// The note on a handle that leads to no file of the jobs in these directories.
pub(super) fn absent_file<'d>(handle: &Handle, directories: impl Iterator<Item = &'d PathBuf>) -> String {
    let Handle::Glob(glob) = handle else {
        return format!("no job has a file of its own where its {} says", quoted(&handle.to_string()));
    };
    let mut names: Vec<String> =
        directories.take(MAX_LISTED).flat_map(|directory| files(directory)).collect();
    names.sort_unstable();
    names.dedup();
    let glob = glob.to_string();
    with_near_misses(format!("no job has {}", quoted(&glob)), &glob, names.iter().map(String::as_str))
}

/// The note on metrics that no file has; `names` are those of a file.
pub(super) fn absent_metric(wanted: &Patterns, names: &[&str]) -> String {
    let wanted = wanted.to_string();
    with_near_misses(format!("no metric {}", quoted(&wanted)), &wanted, names.iter().copied())
}

fn with_near_misses<'n>(note: String, wanted: &str, names: impl Iterator<Item = &'n str>) -> String {
    match did_you_mean(wanted, names) {
        Some(hint) => format!("{note} ({hint})"),
        None => note,
    }
}

fn files(directory: &Path) -> Vec<String> {
    let entries = directory.read_dir().into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    files.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
