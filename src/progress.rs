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

/// A file was read.
pub(crate) fn opened(bytes: usize) {
    FILES.fetch_add(1, Relaxed);
    BYTES.fetch_add(bytes as u64, Relaxed);
}

/// The lines of a file are about to be understood.
pub(crate) fn expect(bytes: usize) {
    EXPECTED.fetch_add(bytes as u64, Relaxed);
}

/// Bytes of a file were understood.
pub(crate) fn done(bytes: usize) {
    DONE.fetch_add(bytes as u64, Relaxed);
}

/// Object definitions were understood.
pub(crate) fn objects(count: usize) {
    OBJECTS.fetch_add(count as u64, Relaxed);
}

/// Asks readers to stop. Whoever reads looks at it every few hundred lines, gives back what it has, and its caller throws that
/// away.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks to stop.
    pub fn stop(&self) {
        self.0.store(true, Relaxed);
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Follows a reader through the lines of a file.
pub(crate) struct Lines<'s> {
    stop: &'s Stop,
    total: usize,
    seen: usize,
    count: u32,
}

const EVERY: u32 = 256;

impl<'s> Lines<'s> {
    pub fn of(total: usize, stop: &'s Stop) -> Self {
        expect(total);
        Self { stop, total, seen: 0, count: 0 }
    }

    /// Notes that a line was read, up to `position` in the file. False if reading shall stop.
    #[inline]
    pub fn next(&mut self, position: usize) -> bool {
        self.count += 1;
        if !self.count.is_multiple_of(EVERY) {
            return true;
        }
        done(position.saturating_sub(self.seen));
        self.seen = position;
        !self.stop.asked()
    }
}

impl Drop for Lines<'_> {
    fn drop(&mut self) {
        done(self.total.saturating_sub(self.seen));
    }
}
