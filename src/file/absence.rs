//! Whether nothing has a name: "there is nothing" and "the system does not tell" are two answers.

use std::io;
use std::path::Path;

use rustix::io::Errno;

use crate::error::{Error, Result};

/// Whether a file, a directory or a link, even a dangling one, has that name.
///
/// # Errors
/// `Io`: the system refuses to tell.
pub fn is_there(path: &Path) -> Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(Error::io(path, &error)),
    }
}

/// Whether the system says that nothing has that name, or can have it; not where it refuses to tell.
#[must_use]
pub fn is_gone(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| cannot_be_there(&error))
}

/// Whether a failure means that nothing has that name, or can have it: it is too long, or leads round in a circle of links.
#[must_use]
pub fn cannot_be_there(error: &io::Error) -> bool {
    let is_impossible = |code| [Errno::LOOP, Errno::NAMETOOLONG].map(Errno::raw_os_error).contains(&code);
    is_absent(error) || error.raw_os_error().is_some_and(is_impossible)
}

/// Whether a failure means that nothing has that name.
#[must_use]
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Nothing is at a name that is too long, or behind a circle of links; a dangling link is there itself.
    #[test]
    fn what_cannot_be_there_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        symlink(at("b"), at("a")).unwrap();
        symlink(at("a"), at("b")).unwrap();
        let gone = [at("nothing"), at("a/file"), at(&"x".repeat(300))];
        assert_eq!(gone.map(|path| is_gone(&path)), [true; 3]);
        assert!(!is_gone(&at("a")));
        assert!(at("a").metadata().is_err_and(|error| cannot_be_there(&error)));
    }
}
