//! Reading files: the one place where a file is opened to be read.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::error::{Error, Kind, Result};
use crate::progress;

/// The largest of the small files, in bytes.
pub const LARGEST: u64 = 256 << 20;

/// The bytes of a regular file. A directory, a pipe or a device in its place is refused without opening it.
///
/// # Errors
/// `Io`, with the path.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = head(path, u64::MAX)?;
    progress::opened(bytes.len());
    Ok(bytes)
}

/// The bytes of a regular file; nothing when there is nothing of that name. A link that leads nowhere is something.
///
/// # Errors
/// `Io`, with the path.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    if is_there(path)? { read(path).map(Some) } else { Ok(None) }
}

/// The bytes of a regular file of at most [`LARGEST`] bytes; nothing when there is no such file.
///
/// # Errors
/// `Io`, with the path: also one that is larger.
pub fn read_small(path: &Path) -> Result<Option<Vec<u8>>> {
    let found = match path.metadata() {
        Ok(found) => found,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(Error::io(path, &error)),
    };
    let bytes = if found.is_file() && found.len() > LARGEST { None } else { Some(head(path, LARGEST + 1)?) };
    let bytes = bytes.filter(|bytes| bytes.len() as u64 <= LARGEST);
    let too_large = || {
        let limit = LARGEST >> 20;
        Error::new(Kind::Io, format!("is larger than the {limit} MiB that such a file may have"))
            .at_file(path)
    };
    bytes.map(Some).ok_or_else(too_large)
}

/// The first bytes of a regular file, at most `limit`.
///
/// # Errors
/// `Io`, with the path.
pub fn head(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let refused = |error: io::Error| Error::io(path, &error);
    let no_file = || Error::new(Kind::Io, "is not a regular file").at_file(path);
    // looked at before it is opened: opening a pipe wakes its writer, opening a device may do anything
    if !path.metadata().map_err(refused)?.is_file() {
        return Err(no_file());
    }
    let file = open(path).map_err(refused)?;
    // and after: it may be another by now
    let found = file.metadata().map_err(refused)?;
    if !found.is_file() {
        return Err(no_file());
    }
    let mut bytes = Vec::new();
    let expected = usize::try_from(found.len().min(limit)).unwrap_or(usize::MAX);
    bytes.try_reserve_exact(expected.saturating_add(1)).map_err(|_| {
        Error::new(Kind::Io, format!("its {expected} bytes do not fit into memory")).at_file(path)
    })?;
    file.take(limit).read_to_end(&mut bytes).map_err(refused)?;
    Ok(bytes)
}

/// Opens for reading, without waiting for anybody: some files of the system look regular and block.
fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)
}

/// Whether there is something of that name, be it a link that leads nowhere.
///
/// # Errors
/// `Io`: the system does not tell.
pub fn is_there(path: &Path) -> Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(Error::io(path, &error)),
    }
}

/// Whether a failure means that there is nothing of that name.
#[must_use]
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
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
