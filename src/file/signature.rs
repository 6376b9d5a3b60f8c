//! Tells whether files changed.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::threads::SLOW_ITEM;

/// With fewer looks, that all take long may be chance.
const MIN_LOOKS: usize = 3;

/// The state of some files. It differs once one of them was written, replaced or removed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Signature(Vec<Option<FileState>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FileState {
    bytes: u64,
    /// Seconds and nanoseconds since 1970
    written: (i64, i64),
    inode: u64,
}

impl FileState {
    fn of(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        let written = (metadata.mtime(), metadata.mtime_nsec());
        Some(Self { bytes: metadata.len(), written, inode: metadata.ino() })
    }
}

impl Signature {
    /// The state of these files now. A file that is missing is noted as missing.
    #[must_use]
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        Self(paths.into_iter().map(FileState::of).collect())
    }

    /// The same, and whether the files are on a slow file system, as a network is: then each look takes long. On a busy machine
    /// some do.
    #[must_use]
    pub fn timed<'p>(paths: impl IntoIterator<Item = &'p Path>) -> (Self, bool) {
        let mut fastest = Duration::MAX;
        let mut last = Instant::now();
        let look = |path| {
            let state = FileState::of(path);
            let now = Instant::now();
            fastest = fastest.min(now - std::mem::replace(&mut last, now));
            state
        };
        let signature = Self(paths.into_iter().map(look).collect());
        let is_slow = signature.0.len() >= MIN_LOOKS && fastest > SLOW_ITEM;
        (signature, is_slow)
    }

    /// Whether the first of the files is there.
    #[must_use]
    pub fn has_first(&self) -> bool {
        matches!(self.0.first(), Some(Some(_)))
    }

    /// Whether the files may only have grown until `now`: the same files, written no earlier, and no smaller. Their content is
    /// not compared.
    #[must_use]
    pub fn may_have_grown_to(&self, now: &Self) -> bool {
        let may_have_grown = |(then, now): (&Option<FileState>, &Option<FileState>)| match (then, now) {
            (Some(then), Some(now)) => {
                then.inode == now.inode && then.bytes <= now.bytes && then.written <= now.written
            }
            (then, now) => then.is_none() && now.is_none(),
        };
        self.0.len() == now.0.len() && self.0.iter().zip(&now.0).all(may_have_grown)
    }

    /// The size of all files together, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.iter().flatten().map(|file| file.bytes).sum()
    }
}
