//! Turns the errors of readers into findings.

use std::path::{Path, PathBuf};

use ahash::{HashMap, HashSet};

use super::finding::{Finding, Severity, Trouble};
use crate::error::{Error, ErrorKind};
use crate::file;
use crate::json;
use crate::loaded::LoadedRun;

/// The number of the last line of each file, if that line is truncated.
#[derive(Default)]
pub(super) struct LastLines(HashMap<PathBuf, Option<u64>>);

impl LastLines {
    fn is_truncated(&mut self, path: &Path, line: u64) -> bool {
        let truncated = self.0.entry(path.to_path_buf()).or_insert_with(|| {
            let bytes = file::read(path).ok()?;
            json::lines(&bytes).last().filter(|line| !line.ended).map(|line| line.number)
        });
        *truncated == Some(line)
    }
}

/// Files and directories that cannot be read, each with what the system said.
pub(super) struct UnreadableDirectories<'e>(HashSet<(&'e Path, &'e str)>);

impl<'e> UnreadableDirectories<'e> {
    pub fn among(errors: &'e [Error]) -> Self {
        Self(errors.iter().filter_map(unreadable).collect())
    }

    /// Whether an error says of a file what another one says of a directory that holds it.
    pub fn hold(&self, error: &Error) -> bool {
        let above = |(file, reason): (&Path, &str)| {
            file.ancestors().skip(1).any(|directory| self.0.contains(&(directory, reason)))
        };
        unreadable(error).is_some_and(above)
    }
}

fn unreadable(error: &Error) -> Option<(&Path, &str)> {
    let file = error.location().file.as_deref().filter(|_| error.kind() == ErrorKind::Io)?;
    Some((file, error.reason()))
}

/// An error of a run's readers as a finding.
pub(super) fn finding(loaded: &LoadedRun, error: &Error, lines: &mut LastLines) -> Finding {
    let location = error.location();
    let is_alive = loaded.record().alive == Some(true);
    let corrected = || {
        let position = location.job.as_ref().and_then(|job| loaded.rows().position(job.as_bytes()));
        position.is_some_and(|position| loaded.objects().corrected.contains(&position))
    };
    let is_params = location.file.as_ref().is_some_and(|file| file.ends_with("params.json"));
    let is_gone = || location.file.as_ref().is_some_and(|file| file::is_gone(file));
    let trouble = match (error.kind(), location.line) {
        (ErrorKind::Unresolved, _) => Trouble::DanglingReference,
        (ErrorKind::Format, Some(_)) if corrected() => Trouble::ReusedId,
        (ErrorKind::Format, Some(line))
            if location.file.as_ref().is_some_and(|file| lines.is_truncated(file, line)) =>
        {
            Trouble::CutLine
        }
        (ErrorKind::Format, Some(_)) => Trouble::BadLine,
        (ErrorKind::Io, _) if is_params && is_gone() => Trouble::NoConfig,
        (ErrorKind::Io, _) => Trouble::UnreadableFile,
        _ => Trouble::BadFile,
    };
    let severity = match trouble {
        // read from params.json, so tables are right
        Trouble::ReusedId => Some(Severity::Warning),
        Trouble::CutLine if is_alive => Some(Severity::Info),
        _ => None,
    };
    let finding = Finding::new(trouble, error.reason());
    let finding = Finding {
        severity: severity.unwrap_or(finding.severity),
        job_id: location.job.clone(),
        file: location.file.clone(),
        line: location.line,
        field: location.field.clone(),
        ..finding
    };
    match (trouble, error.advice()) {
        (Trouble::CutLine, _) if is_alive => finding.advice("it is being written: check again later"),
        (Trouble::BadFile | Trouble::BadLine | Trouble::DanglingReference, Some(advice)) => {
            finding.advice(advice)
        }
        _ => finding,
    }
}
