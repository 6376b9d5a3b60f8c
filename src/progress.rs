//! How far reading came, and whether it was cancelled, in a few atomics.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

static FILES: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static OBJECTS: AtomicU64 = AtomicU64::new(0);
static EXPECTED: AtomicU64 = AtomicU64::new(0);
static DONE: AtomicU64 = AtomicU64::new(0);

/// The work of this process since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Files opened for their content
    pub files: u64,
    /// Their bytes
    pub bytes: u64,
    /// Object definitions parsed
    pub objects: u64,
    /// Bytes of the run-level files whose parsing began
    pub expected: u64,
    /// Bytes of those files that were parsed
    pub done: u64,
}

impl Progress {
    /// The counts at this moment.
    #[must_use]
    pub fn now() -> Self {
        // what is done is looked at before what was expected: it is never more
        let done = DONE.load(Acquire);
        Self {
            files: FILES.load(Relaxed),
            bytes: BYTES.load(Relaxed),
            objects: OBJECTS.load(Relaxed),
            expected: EXPECTED.load(Relaxed),
            done,
        }
    }
}

/// Counts an opened file.
pub(crate) fn opened() {
    FILES.fetch_add(1, Relaxed);
}

/// Counts bytes of a file that are about to be read.
pub(crate) fn bytes(count: u64) {
    BYTES.fetch_add(count, Relaxed);
}

/// Counts parsed object definitions.
pub(crate) fn objects(count: usize) {
    OBJECTS.fetch_add(count as u64, Relaxed);
}

/// Cancels readers. A reader checks its token every few hundred lines and returns what it has; its caller throws that away.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Cancels all readers under this token and its clones.
    pub fn cancel(&self) {
        self.0.store(true, Relaxed);
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Counts the bytes of one part of a file while it is parsed.
pub(crate) struct Counter<'c> {
    cancel: &'c CancelToken,
    uncounted: u64,
}

impl<'c> Counter<'c> {
    /// Announces that `total` bytes will be parsed.
    pub fn of(total: u64, cancel: &'c CancelToken) -> Self {
        EXPECTED.fetch_add(total, Relaxed);
        Self { cancel, uncounted: total }
    }

    /// Counts parsed bytes. Returns false if reading was cancelled.
    pub fn advance(&mut self, bytes: usize) -> bool {
        let bytes = (bytes as u64).min(self.uncounted);
        self.uncounted -= bytes;
        DONE.fetch_add(bytes, Release);
        !self.cancel.is_cancelled()
    }
}

impl Drop for Counter<'_> {
    fn drop(&mut self) {
        DONE.fetch_add(self.uncounted, Release);
    }
}
