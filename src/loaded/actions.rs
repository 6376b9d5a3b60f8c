//! The identifiers of a run's actions, cached with the signature of the files that name them.

use std::path::PathBuf;

use once_cell::sync::OnceCell;

use crate::file::Signature;
use crate::records::action_ids;
use crate::workspace::Run;

/// The identifiers of the actions that a run added, also of those whose object is missing.
#[derive(Debug, Default)]
pub(super) struct ActionIds(OnceCell<(Signature, Vec<String>)>);

impl ActionIds {
    /// The identifiers, read at the first call.
    pub fn get(&self, run: &Run) -> &[String] {
        &self.0.get_or_init(|| (signature(run), action_ids(run))).1
    }

    /// The same identifiers, if they were read and their files have not changed since.
    pub fn if_current(&self, run: &Run) -> Self {
        let current = self.0.get().filter(|(before, _)| *before == signature(run));
        Self(current.cloned().map(OnceCell::with_value).unwrap_or_default())
    }
}

fn signature(run: &Run) -> Signature {
    let mut files = run.event_files().unwrap_or_default();
    files.push(run.path().join("status.json"));
    Signature::of(files.iter().map(PathBuf::as_path))
}
