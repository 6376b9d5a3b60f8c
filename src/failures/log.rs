//! Reads the end of a log, and of a long one its beginning.

use std::path::Path;

use super::text::clean;
use crate::error::Result;
use crate::file;

/// So much of the end of a log is read.
pub const TAIL_BYTES: usize = 64 << 10;
/// So much of the beginning of a longer log is read.
pub const HEAD_BYTES: usize = 16 << 10;

/// What was read of a log, printable.
#[derive(Debug, Default)]
pub struct LogText {
    /// The beginning; empty if the end is all of it
    pub head: String,
    /// The end
    pub tail: String,
}

impl LogText {
    /// Reads a log; nothing if there is none.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let Some(read) = file::read_ends(path, HEAD_BYTES, TAIL_BYTES)? else { return Ok(None) };
        Ok(Some(Self::of(&read.head, &read.tail)))
    }

    /// The text of the first and the last bytes of a log; `head` is empty if `tail` is all of it.
    #[must_use]
    pub fn of(head: &[u8], tail: &[u8]) -> Self {
        // the first line is cut; that of a log without line ends is all there is
        let first = if head.is_empty() { None } else { memchr::memchr(b'\n', tail) };
        let tail = &tail[first.map_or(0, |end| end + 1)..];
        Self { head: clean(head).into_owned(), tail: clean(tail).into_owned() }
    }

    /// Whether lines between the beginning and the end were not read.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        !self.head.is_empty()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tail.trim().is_empty() && self.head.is_empty()
    }
}

/// The first and the last bytes of a log that are looked at; the first are empty if the last are all of it.
#[must_use]
pub fn ends_of(bytes: &[u8]) -> (&[u8], &[u8]) {
    if bytes.len() <= HEAD_BYTES + TAIL_BYTES {
        return (&[], bytes);
    }
    (&bytes[..HEAD_BYTES], &bytes[bytes.len() - TAIL_BYTES..])
}
