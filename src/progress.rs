//! How far reading is, and whether it shall stop: a few atomics that cost nothing to keep.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

static FILES: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static OBJECTS: AtomicU64 = AtomicU64::new(0);
static EXPECTED: AtomicU64 = AtomicU64::new(0);
static DONE: AtomicU64 = AtomicU64::new(0);

/// What this process has read since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Files opened for their content
    pub files: u64,
    /// Their bytes
    pub bytes: u64,
    /// Object definitions understood
    pub objects: u64,
    /// Bytes of run-level files that were begun
    pub expected: u64,
    /// Bytes of them that were understood
    pub done: u64,
}

impl Progress {
    /// What was read so far.
    #[must_use]
    pub fn now() -> Self {
        Self {
            files: FILES.load(Relaxed),
            bytes: BYTES.load(Relaxed),
            objects: OBJECTS.load(Relaxed),
            expected: EXPECTED.load(Relaxed),
            done: DONE.load(Relaxed),
        }
    }
}

/// A file was opened.
pub(crate) fn opened() {
    FILES.fetch_add(1, Relaxed);
}

/// Bytes of a file are about to be read.
pub(crate) fn bytes(count: u64) {
    BYTES.fetch_add(count, Relaxed);
}

/// Object definitions were understood.
pub(crate) fn objects(count: usize) {
    OBJECTS.fetch_add(count as u64, Relaxed);
}

/// Asks readers to stop. Whoever reads looks at it every few hundred lines, gives back what it has, and its caller throws that
/// away.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Asks to stop.
    pub fn cancel(&self) {
        self.0.store(true, Relaxed);
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Follows a reader through a part of a file.
pub(crate) struct Counter<'s> {
    stop: &'s CancelToken,
    left: u64,
}

impl<'s> Counter<'s> {
    /// `total` bytes are about to be understood.
    pub fn of(total: u64, stop: &'s CancelToken) -> Self {
        EXPECTED.fetch_add(total, Relaxed);
        Self { stop, left: total }
    }

    /// Notes that more bytes were understood. False if reading shall stop.
    pub fn advance(&mut self, bytes: usize) -> bool {
        let bytes = (bytes as u64).min(self.left);
        self.left -= bytes;
        DONE.fetch_add(bytes, Relaxed);
        !self.stop.is_cancelled()
    }
}

impl Drop for Counter<'_> {
    fn drop(&mut self) {
        DONE.fetch_add(self.left, Relaxed);
    }
}
