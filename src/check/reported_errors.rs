//! What readers told in their errors, as findings.

use std::path::{Path, PathBuf};

use ahash::HashMap;

use super::finding::{Finding, Severity, Trouble};
use crate::error::{Error, ErrorKind};
use crate::file;
use crate::json;
use crate::loaded::LoadedRun;

/// The last line of each file that was asked for, if it has no end.
#[derive(Default)]
pub(super) struct LastLines(HashMap<PathBuf, Option<u64>>);

impl LastLines {
    fn is_cut(&mut self, path: &Path, line: u64) -> bool {
        let cut = self.0.entry(path.to_path_buf()).or_insert_with(|| {
            let bytes = file::read(path).ok()?;
            json::lines(&bytes).last().filter(|line| !line.ended).map(|line| line.number)
        });
        *cut == Some(line)
    }
}

/// An error of a run's readers as a finding. `empty` jobs have a params.json without a byte.
pub(super) fn finding(loaded: &LoadedRun, error: &Error, lines: &mut LastLines) -> Finding {
    let location = error.location();
    let is_alive = loaded.record().alive == Some(true);
    let corrected = || {
        let at = location.job.as_ref().and_then(|job| loaded.rows().position(job.as_bytes()));
        at.is_some_and(|at| loaded.objects().corrected.contains(&at))
    };
    let is_params = location.file.as_ref().is_some_and(|file| file.ends_with("params.json"));
    let is_gone = || location.file.as_ref().is_some_and(|file| file.symlink_metadata().is_err());
    let trouble = match (error.kind(), location.line) {
        (ErrorKind::Unresolved, _) => Trouble::DanglingReference,
        (ErrorKind::Format, Some(_)) if corrected() => Trouble::ReusedId,
        (ErrorKind::Format, Some(line))
            if location.file.as_ref().is_some_and(|file| lines.is_cut(file, line)) =>
        {
            Trouble::CutLine
        }
        (ErrorKind::Format, Some(_)) => Trouble::BadLine,
        (ErrorKind::Io, _) if is_params && is_gone() => Trouble::NoConfig,
        (ErrorKind::Io, _) => Trouble::UnreadableFile,
        _ => Trouble::BadFile,
    };
    let severity = match trouble {
        // read from params.json, so it is shown as it ran
        Trouble::ReusedId => Some(Severity::Warning),
        Trouble::CutLine if is_alive => Some(Severity::Info),
        _ => None,
    };
    let found = Finding::new(trouble, error.reason());
    let found = Finding {
        severity: severity.unwrap_or(found.severity),
        job_id: location.job.clone(),
        file: location.file.clone(),
        line: location.line,
        field: location.field.clone(),
        ..found
    };
    match (trouble, error.advice()) {
        (Trouble::CutLine, _) if is_alive => found.advice("it is being written: look again later"),
        (Trouble::BadFile | Trouble::BadLine | Trouble::DanglingReference, Some(advice)) => {
            found.advice(advice)
        }
        _ => found,
    }
}
