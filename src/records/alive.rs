//! Whether the driver of a run is still there.

use std::fs::{self, File, TryLockError};
use std::path::Path;

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
pub(super) fn alive(run: &Run) -> Option<bool> {
    any_driver(run).map(|held| held && is_newest(run))
}

/// Whether a driver of any run of this experiment is alive. Nothing when the file system does not tell.
pub(super) fn any_driver(run: &Run) -> Option<bool> {
    let lock = run.lock_file();
    let held = match run.layout() {
        Layout::V1 => held_by_fcntl(&lock),
        Layout::V2 => held_by_flock(&lock),
    };
    match held {
        Held::Nobody => Some(false),
        Held::Somebody => Some(true),
        Held::Unknown => None,
    }
}

fn is_newest(run: &Run) -> bool {
    let runs = run.workspace().runs(run.experiment()).unwrap_or_default();
    runs.first().is_none_or(|newest| newest.id() == run.id())
}

/// 2.x locks with `flock`. Asking for a shared lock on the file opened for reading changes nothing, and it is
/// given back at once when the file is closed.
fn held_by_flock(lock: &Path) -> Held {
    match fs::metadata(lock) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Held::Unknown,
        Err(error) => return if is_absent(&error) { Held::Nobody } else { Held::Unknown },
    }
    match File::open(lock).map(|file| file.try_lock_shared()) {
        Ok(Ok(())) => Held::Nobody,
        Ok(Err(TryLockError::WouldBlock)) => Held::Somebody,
        Ok(Err(TryLockError::Error(_))) => Held::Unknown,
        Err(error) => {
            if is_absent(&error) {
                Held::Nobody
            } else {
                Held::Unknown
            }
        }
    }
}

/// 1.x locks with `fcntl`. Such a lock must not even be tried: closing any handle of the file would drop the
/// lock of a driver that runs in this very process. Linux lists all locks instead.
#[cfg(target_os = "linux")]
fn held_by_fcntl(lock: &Path) -> Held {
    use std::os::unix::fs::MetadataExt;
    let inode = match fs::metadata(lock) {
        Ok(found) => found.ino().to_string(),
        Err(error) => return if is_absent(&error) { Held::Nobody } else { Held::Unknown },
    };
    let Ok(locks) = fs::read_to_string("/proc/locks") else { return Held::Unknown };
    // `1: POSIX  ADVISORY  WRITE 1234 08:01:5678 0 EOF`; the device is not compared: btrfs and overlays give
    // files another
    let holds = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        words.next() == Some("POSIX")
            && words.nth(3).and_then(|place| place.rsplit(':').next()).is_some_and(|found| found == inode)
    };
    if locks.lines().any(holds) { Held::Somebody } else { Held::Nobody }
}

#[cfg(not(target_os = "linux"))]
fn held_by_fcntl(lock: &Path) -> Held {
    match fs::metadata(lock) {
        Err(error) if is_absent(&error) => Held::Nobody,
        _ => Held::Unknown,
    }
}
