//! How far the files of a run were read.

use crate::file::{Bookmark, LinedFile};
use crate::workspace::Run;

/// How far the files of a run were read.
#[derive(Debug, Clone)]
pub struct ReadExtent {
    pub(super) jobs: Bookmark,
    /// None if the objects were not read
    pub(super) objects: Option<Bookmark>,
}

impl ReadExtent {
    /// Whether the files of the run still begin with the bytes that were read.
    #[must_use]
    pub fn still_there(&self, run: &Run) -> bool {
        let continues = |name: &str, bookmark: &Bookmark| {
            LinedFile::open(&run.path().join(name)).is_ok_and(|file| file.goes_on(bookmark))
        };
        continues("jobs.jsonl", &self.jobs)
            && self.objects.as_ref().is_none_or(|objects| continues("objects.jsonl", objects))
    }
}
