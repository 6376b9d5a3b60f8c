//! Who reads what of a file of lines: a share a thread, and half of what another has left for who is done.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::file::LinedFile;

/// The shares of a file.
pub(super) struct ChunkQueue<'f> {
    pub file: &'f LinedFile,
    at_once: u64,
    all: Mutex<Vec<ChunkShare>>,
}

/// A part of a file that one thread reads, from its beginning.
#[derive(Debug, Clone)]
pub(super) struct ChunkShare {
    /// The bytes that were not read yet; they begin and end with a line
    pub left: Range<u64>,
    /// How many bytes of it nobody else said were coming
    pub expected: u64,
}

impl From<Range<u64>> for ChunkShare {
    fn from(left: Range<u64>) -> Self {
        Self { expected: left.end - left.start, left }
    }
}

/// Less is not a share of its own from the beginning.
const WORTH_A_PART: u64 = 1 << 20;

/// How much of a file is read before it is asked whether somebody took over the rest: less of a small one.
fn at_once(size: u64) -> u64 {
    (size / 16).clamp(1 << 18, 1 << 19)
}

impl<'f> ChunkQueue<'f> {
    /// All of the bytes are one share.
    pub fn one(file: &'f LinedFile, bytes: Range<u64>) -> Self {
        Self::these(file, vec![bytes])
    }

    /// One share a thread. The last one is smaller by what its thread does besides.
    pub fn of(file: &'f LinedFile, threads: usize, other_bytes: u64) -> Self {
        let size = file.size();
        let share = (size + other_bytes) / threads as u64;
        let mut ranges = Vec::new();
        let mut start = 0;
        while ranges.len() + 1 < threads && size - start > share && share > WORTH_A_PART {
            let Ok(end) = file.line_after(start + share) else { break };
            ranges.push(start..end);
            start = end;
        }
        ranges.push(start..size);
        ranges.retain(|range| range.start < range.end || range.start == 0);
        Self::these(file, ranges)
    }

    fn these(file: &'f LinedFile, ranges: Vec<Range<u64>>) -> Self {
        let all = Mutex::new(ranges.into_iter().map(ChunkShare::from).collect());
        Self { file, at_once: at_once(file.size()), all }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all().len()
    }

    /// What is left of a share.
    pub fn get(&self, share: usize) -> ChunkShare {
        self.all()[share].clone()
    }

    /// The next lines of a share, which are now read; nothing at its end.
    pub fn next(&self, share: usize) -> Option<Range<u64>> {
        let left = &mut self.all()[share].left;
        if left.is_empty() {
            return None;
        }
        let start = left.start;
        left.start = self.line_after(start + self.at_once, left.end);
        Some(start..left.start)
    }

    /// Nothing is left of a share: it cannot be read.
    pub fn give_up(&self, share: usize) {
        let left = &mut self.all()[share].left;
        left.start = left.end;
    }

    /// A new share: half of what is left of the largest one, if that is worth it.
    pub fn take_over(&self) -> Option<usize> {
        let mut all = self.all();
        let largest = all.iter_mut().max_by_key(|share| share.left.end - share.left.start)?;
        let Range { start, end } = largest.left;
        let middle = self.line_after(start + (end - start) / 2, end);
        if end - middle < self.at_once {
            return None;
        }
        largest.left.end = middle;
        all.push(ChunkShare { left: middle..end, expected: 0 });
        Some(all.len() - 1)
    }

    fn line_after(&self, byte: u64, end: u64) -> u64 {
        // what cannot be read is told by who reads it
        self.file.line_after(byte).map_or(end, |line| line.min(end))
    }

    fn all(&self) -> MutexGuard<'_, Vec<ChunkShare>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
