//! Directories, read so that what vanishes or cannot be a name is left out.

use std::fs::{self, FileType};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};

/// Whether a failure means "there is nothing at that path".
fn absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// The entries of `directory` whose name is text and does not begin with a dot, in any order; none when there
/// is no such directory.
pub(super) fn entries(directory: &Path) -> Result<impl Iterator<Item = (String, FileType)> + use<>> {
    let listing = match fs::read_dir(directory) {
        Ok(listing) => Some(listing),
        Err(error) if absent(&error) => None,
        Err(error) => return Err(Error::io(directory, &error)),
    };
    Ok(listing.into_iter().flatten().filter_map(|entry| {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
        Some((name, entry.file_type().ok()?))
    }))
}

/// The sorted names of the entries of `directory` that satisfy `keep`.
pub(super) fn names(directory: &Path, keep: impl Fn(&str, FileType) -> bool) -> Result<Vec<String>> {
    let mut found: Vec<String> =
        entries(directory)?.filter(|(name, kind)| keep(name, *kind)).map(|(name, _)| name).collect();
    found.sort_unstable();
    Ok(found)
}

/// Whether `path` itself, not what a symlink points to, is a directory.
pub(super) fn is_real_dir(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// Whether `path` itself is a symlink.
pub(super) fn is_symlink(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}

/// The path that `path` really is, when it lies below `bounds`; nothing when it does not exist.
///
/// # Errors
/// `InvalidName` when a symlink leads out of `bounds`; `Io` when the system refuses to look.
pub(super) fn confined(path: &Path, bounds: &Path) -> Result<Option<PathBuf>> {
    let real = |path: &Path| match fs::canonicalize(path) {
        Ok(real) => Ok(Some(real)),
        Err(error) if absent(&error) => Ok(None),
        Err(error) => Err(Error::io(path, &error)),
    };
    let (Some(target), Some(bounds)) = (real(path)?, real(bounds)?) else { return Ok(None) };
    if target.starts_with(&bounds) { Ok(Some(target)) } else { Err(outside(path, &target, &bounds)) }
}

/// The refusal of a symlink that leads out of `bounds`.
pub(super) fn outside(path: &Path, target: &Path, bounds: &Path) -> Error {
    let reason = format!("is a symlink to {}, outside of {}", target.display(), bounds.display());
    Error::new(Kind::InvalidName, reason)
        .at_file(path)
        .hint("names never leave the workspace: open the workspace where the run really is")
}
