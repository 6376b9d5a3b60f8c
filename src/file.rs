//! Reading a file whole, when it is a file.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::{Error, Kind, Result};
use crate::progress;

/// The bytes of a regular file. A directory, a pipe or a device in its place is refused without opening it.
///
/// # Errors
/// `Io`, with the path.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = head(path, u64::MAX)?;
    progress::opened(bytes.len());
    Ok(bytes)
}

/// The first bytes of a regular file, at most `limit`.
///
/// # Errors
/// `Io`, with the path.
pub fn head(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let refused = |error: std::io::Error| Error::io(path, &error);
    let found = path.metadata().map_err(refused)?;
    if !found.is_file() {
        return Err(Error::new(Kind::Io, "is not a regular file").at_file(path));
    }
    let mut bytes = Vec::new();
    let expected = usize::try_from(found.len().min(limit)).unwrap_or(usize::MAX);
    bytes.try_reserve_exact(expected.saturating_add(1)).map_err(|_| {
        Error::new(Kind::Io, format!("its {expected} bytes do not fit into memory")).at_file(path)
    })?;
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(refused)?;
    Ok(bytes)
}

/// What tells whether files were changed: the size, time and inode of each.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Signature(Vec<Option<(u64, i64, i64, u64)>>);

impl Signature {
    /// What these files are now; one that is not there is noted as such.
    #[must_use]
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        let one = |path: &Path| {
            path.metadata().ok().map(|found| (found.len(), found.mtime(), found.mtime_nsec(), found.ino()))
        };
        Self(paths.into_iter().map(one).collect())
    }

    /// The bytes of all of them.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.iter().flatten().map(|found| found.0).sum()
    }
}
