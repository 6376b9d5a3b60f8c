//! How long files were when their columns were decided.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ahash::HashMap;

use crate::error::{Error, Result};

/// The sizes of files when they were first read. A file that grows is read up to that size later, so that columns and rows agree.
#[derive(Debug, Default)]
pub struct Pins(Mutex<HashMap<PathBuf, u64>>);

impl Pins {
    /// How much of a file is read: its size the first time that this is asked.
    ///
    /// # Errors
    /// `Io`; `Format` if the file is shorter now.
    pub(super) fn size(&self, path: &Path) -> Result<u64> {
        let now = path.metadata().map_err(|error| Error::io(path, &error))?.len();
        let mut sizes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let size = match sizes.get(path) {
            Some(&size) => size,
            None => *sizes.entry(path.to_path_buf()).or_insert(now),
        };
        if now < size {
            return Err(Error::format("is shorter than when its columns were decided").hint("scan again"));
        }
        Ok(size)
    }
}
