//! Directories that no listing has: those whose names are not UTF-8 (Python's experimaestro would escape them), and all of a
//! directory that cannot be listed.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::listing::{names, opened};
use super::root::Workspace;
use crate::error::{Error, ErrorKind, Result};

impl Workspace {
    /// The experiments whose names are not UTF-8, sorted by path, and the directory of experiments that cannot be listed: an error
    /// for each.
    #[must_use]
    pub fn unreadable_experiments(&self) -> Vec<Error> {
        let mut errors = Vec::new();
        for parent in [self.experiments_dir(), self.xp_dir()] {
            errors.extend(unreadable(&parent, "experiment").unwrap_or_else(|error| vec![error]));
        }
        errors
    }

    /// The runs, tasks and jobs whose names are not UTF-8, and the experiments: an error for each. What cannot be listed is left
    /// out: whoever reads it says so.
    #[must_use]
    pub fn unreadable_names(&self) -> Vec<Error> {
        let mut errors = self.unreadable_experiments();
        let jobs = self.root().join("jobs");
        let mut add = |directory: &Path, what| errors.extend(unreadable(directory, what).unwrap_or_default());
        add(&jobs, "task");
        for (parent, what) in [(self.experiments_dir(), "run"), (jobs, "job")] {
            for name in names(&parent, |_, kind| kind.is_dir()).unwrap_or_default() {
                add(&parent.join(name), what);
            }
        }
        errors
    }
}

/// An error for each directory in a directory whose name is not UTF-8.
fn unreadable(directory: &Path, what: &str) -> Result<Vec<Error>> {
    let refused = |error: std::io::Error| Error::io(directory, &error);
    let mut errors: Vec<(OsString, Error)> = Vec::new();
    for entry in opened(directory)?.into_iter().flatten() {
        let entry = entry.map_err(refused)?;
        let name = entry.file_name();
        // the type costs a call on some file systems
        if name.to_str().is_none() && fs::metadata(entry.path()).is_ok_and(|found| found.is_dir()) {
            let reason = format!("the name of this {what} is not UTF-8, so it is in no listing");
            let error = Error::new(ErrorKind::InvalidName, reason).at_file(&entry.path());
            errors.push((name, error.hint("rename the directory to read what is in it")));
        }
    }
    errors.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(errors.into_iter().map(|(_, error)| error).collect())
}
