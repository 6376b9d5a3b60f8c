//! What there is at a path. "There is nothing" and "the system does not tell" are two answers: a network file system that fails
//! must not look like a workspace without runs.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::file::is_absent;

/// Whether there is a directory, links followed.
pub(super) fn is_dir(path: &Path) -> io::Result<bool> {
    Ok(metadata(path)?.is_some_and(|found| found.is_dir()))
}

/// Whether there is a regular file, links followed.
pub(super) fn is_file(path: &Path) -> io::Result<bool> {
    Ok(metadata(path)?.is_some_and(|found| found.is_file()))
}

/// What there is, links followed; nothing also for a link that leads nowhere.
pub(super) fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
    if_there(fs::metadata(path))
}

/// The path without links and `..`; nothing if nothing is there, or a link that leads nowhere.
pub(super) fn real_path(path: &Path) -> io::Result<Option<PathBuf>> {
    if_there(fs::canonicalize(path))
}

/// What a symlink says; nothing if there is none.
pub(super) fn link_target(path: &Path) -> io::Result<Option<PathBuf>> {
    match fs::read_link(path) {
        // there, and no symlink
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(None),
        target => if_there(target),
    }
}

fn if_there<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        // a circle of links leads nowhere
        Err(error) if is_absent(&error) || error.raw_os_error() == Some(LOOP) => Ok(None),
        Err(error) => Err(error),
    }
}

const LOOP: i32 = rustix::io::Errno::LOOP.raw_os_error();
