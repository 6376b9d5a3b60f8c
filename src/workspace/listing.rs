//! Directories, read so that what vanishes or cannot be a name is left out.

use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use super::look;
use crate::error::{Error, ErrorKind, Result};
use crate::file::is_absent;

/// The entries of `directory` whose name is text and does not begin with a dot, in any order; none when there
/// is no such directory. Half a listing is none: what is not in it would seem not to be there.
pub(super) fn entries(directory: &Path) -> Result<impl Iterator<Item = (String, FileType)> + use<>> {
    let refused = |error: io::Error| Error::io(directory, &error);
    let mut listed = Vec::new();
    for entry in opened(directory)?.into_iter().flatten() {
        let entry = entry.map_err(refused)?;
        let Some(name) = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.')) else {
            continue;
        };
        match entry.file_type() {
            Ok(kind) => listed.push((name, kind)),
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(refused(error)),
        }
    }
    Ok(listed.into_iter())
}

/// A directory, to be listed; nothing when there is no such directory.
pub(super) fn opened(directory: &Path) -> Result<Option<fs::ReadDir>> {
    match fs::read_dir(directory) {
        Ok(listing) => Ok(Some(listing)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::io(directory, &error)),
    }
}

/// The sorted names of the entries of `directory` that satisfy `keep`.
pub(super) fn names(directory: &Path, keep: impl Fn(&str, FileType) -> bool) -> Result<Vec<String>> {
    let mut chosen: Vec<String> =
        entries(directory)?.filter(|(name, kind)| keep(name, *kind)).map(|(name, _)| name).collect();
    chosen.sort_unstable();
    Ok(chosen)
}

/// Whether `path` itself, not what a symlink points to, is a directory.
///
/// # Errors
/// `Io` when the system does not tell.
pub(super) fn is_real_dir(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(Error::io(path, &error)),
    }
}

/// What the symlink at `path` says; nothing when there is none.
///
/// # Errors
/// `Io` when the system does not tell.
pub(super) fn link_target(path: &Path) -> Result<Option<PathBuf>> {
    look::link_target(path).map_err(|error| Error::io(path, &error))
}

/// Whether `path` itself is a symlink.
pub(super) fn is_symlink(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}

/// The path that `path` really is, when it lies below `bounds`; nothing when it does not exist.
///
/// # Errors
/// `InvalidName` when a symlink leads out of `bounds`; `Io` when the system refuses to look.
pub(super) fn confined(path: &Path, bounds: &Path) -> Result<Option<PathBuf>> {
    let real = |path: &Path| look::real_path(path).map_err(|error| Error::io(path, &error));
    let (Some(target), Some(bounds)) = (real(path)?, real(bounds)?) else { return Ok(None) };
    if target.starts_with(&bounds) { Ok(Some(target)) } else { Err(outside(path, &target, &bounds)) }
}

/// The directory that `path` really is, below `bounds`; nothing where there is no directory.
///
/// # Errors
/// As [`confined`].
pub(super) fn real_dir(path: &Path, bounds: &Path) -> Result<Option<PathBuf>> {
    let Some(real) = confined(path, bounds)? else { return Ok(None) };
    let is_dir = look::is_dir(&real).map_err(|error| Error::io(path, &error))?;
    Ok(is_dir.then_some(real))
}

/// The refusal of a symlink that leads out of `bounds`.
pub(super) fn outside(path: &Path, target: &Path, bounds: &Path) -> Error {
    let reason = format!("is a symlink to {}, outside of {}", target.display(), bounds.display());
    Error::new(ErrorKind::InvalidName, reason)
        .at_file(path)
        .hint("names never leave the workspace: open the workspace where the run really is")
}
