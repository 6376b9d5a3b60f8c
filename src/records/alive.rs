//! Whether the driver of a run is still there.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use rustix::io::Errno;

use crate::error::Error;
use crate::file::is_absent;
use crate::workspace::{Layout, Run};

/// Whether somebody holds a lock.
enum Held {
    Somebody,
    Nobody,
    Unknown,
}

/// Whether the driver of this run is alive: it holds the lock of its experiment, and this is the newest run
/// of it. Nothing when the file system does not tell.
pub(super) fn alive(run: &Run, errors: &mut Vec<Error>) -> Option<bool> {
    if !any_driver(run, errors)? {
        return Some(false);
    }
    let runs = run.workspace().runs(run.experiment());
    runs.map_err(|error| errors.push(error))
        .ok()
        .map(|runs| runs.first().is_none_or(|newest| newest.id() == run.id()))
}

/// Whether a driver of any run of this experiment is alive. Nothing when the file system does not tell.
pub(super) fn any_driver(run: &Run, errors: &mut Vec<Error>) -> Option<bool> {
    let lock = run.lock_file();
    // a copy has a lock only where nobody held it
    if run.workspace().is_copy() && !lock.exists() {
        return None;
    }
    let holder = match run.layout() {
        Layout::V1 => held_by_fcntl(&lock),
        Layout::V2 => held_by_flock(&lock),
    };
    match holder {
        Ok(Held::Nobody) => Some(false),
        Ok(Held::Somebody) => Some(true),
        Ok(Held::Unknown) => None,
        Err(error) if is_absent(&error) => Some(false),
        Err(error) => {
            let hint = "whether the driver is alive is not known: jobs that run may be lost";
            errors.push(Error::io(&lock, &error).hint(hint));
            None
        }
    }
}

/// 2.x locks with `flock`. Asking for a shared lock on the file opened for reading changes nothing, and it is
/// given back at once when the file is closed.
fn held_by_flock(lock: &Path) -> io::Result<Held> {
    if !fs::metadata(lock)?.is_file() {
        return Ok(Held::Unknown);
    }
    match File::open(lock)?.try_lock_shared() {
        Ok(()) => Ok(Held::Nobody),
        Err(TryLockError::WouldBlock) => Ok(Held::Somebody),
        // file systems without locks
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(Held::Unknown),
        Err(TryLockError::Error(error)) if Errno::from_io_error(&error) == Some(Errno::NOLCK) => {
            Ok(Held::Unknown)
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// 1.x locks with `fcntl`. Such a lock must not even be tried: closing any handle of the file would drop the
/// lock of a driver that runs in this very process. Linux lists all locks instead.
#[cfg(target_os = "linux")]
fn held_by_fcntl(lock: &Path) -> io::Result<Held> {
    use std::os::unix::fs::MetadataExt;
    let inode = fs::metadata(lock)?.ino().to_string();
    let Ok(locks) = fs::read_to_string("/proc/locks") else { return Ok(Held::Unknown) };
    // `1: POSIX  ADVISORY  WRITE 1234 08:01:5678 0 EOF`; the device is not compared: btrfs and overlays give
    // files another
    let holds = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        words.next() == Some("POSIX")
            && words.nth(3).and_then(|device| device.rsplit(':').next()).is_some_and(|number| number == inode)
    };
    Ok(if locks.lines().any(holds) { Held::Somebody } else { Held::Nobody })
}

#[cfg(not(target_os = "linux"))]
fn held_by_fcntl(lock: &Path) -> io::Result<Held> {
    fs::metadata(lock).map(|_| Held::Unknown)
}
