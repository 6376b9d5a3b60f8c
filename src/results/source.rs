//! The bytes of a result file, in one buffer that moves along the file.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::file::LinedFile;
use crate::progress::{CancelToken, Counter, bytes as count_bytes};

/// The largest JSON document, line or CSV record, in bytes: memory per thread is a small multiple of it.
pub(super) const MAX_RECORD_BYTES: usize = 32 << 20;
/// How much is read at once.
const CHUNK: usize = 1 << 20;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A file that is read from its beginning, as long as it was when it was opened.
pub(super) struct Source<'c> {
    file: LinedFile,
    progress: Counter<'c>,
    /// What was read and not consumed is `buffer[start..filled]`
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    /// Where the next read begins, and where the last one ends
    offset: u64,
    end: u64,
}

impl<'c> Source<'c> {
    /// Opens a regular file.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn open(path: &Path, cancel: &'c CancelToken) -> Result<Self> {
        Self::open_until(path, None, cancel)
    }

    /// Opens a regular file as if it had at most so many bytes.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn open_until(path: &Path, size: Option<u64>, cancel: &'c CancelToken) -> Result<Self> {
        let file = LinedFile::open(path)?.until(size);
        let end = file.size();
        let progress = Counter::of(end, cancel);
        Ok(Self { file, progress, buffer: Vec::new(), start: 0, filled: 0, offset: 0, end })
    }

    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// How many bytes the file had when it was opened.
    pub fn size(&self) -> u64 {
        self.file.size()
    }

    /// What was read and not consumed.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.filled]
    }

    /// Whether there is nothing behind [`Self::bytes`].
    pub fn is_last(&self) -> bool {
        self.offset >= self.end
    }

    /// How many bytes were not consumed.
    pub fn left(&self) -> u64 {
        self.end - self.offset + (self.filled - self.start) as u64
    }

    #[inline]
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.filled);
    }

    /// Makes sure that `wanted` bytes are there, or all that are left.
    ///
    /// # Errors
    /// `Io`, with the path.
    #[inline]
    pub fn fill(&mut self, wanted: usize) -> Result<()> {
        if self.filled - self.start >= wanted { Ok(()) } else { self.read(wanted) }
    }

    fn read(&mut self, wanted: usize) -> Result<()> {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        while self.filled < wanted && self.offset < self.end {
            let left = usize::try_from(self.end - self.offset).unwrap_or(usize::MAX);
            let room = left.min(CHUNK.max(wanted - self.filled));
            if self.buffer.len() < self.filled + room {
                let more = self.filled + room - self.buffer.len();
                let full = |_| {
                    let reason = format!("its {more} bytes do not fit into memory");
                    Error::new(ErrorKind::Io, reason).at_file(self.file.path())
                };
                self.buffer.try_reserve_exact(more).map_err(full)?;
                self.buffer.resize(self.filled + room, 0);
            }
            let count = self.file.read_at(&mut self.buffer[self.filled..self.filled + room], self.offset)?;
            count_bytes(count as u64);
            self.filled += count;
            self.offset += count as u64;
            // a file that was cut while it is read ends there; so does one that nobody waits for
            if count == 0 || !self.progress.advance(count) {
                self.end = self.offset;
            }
        }
        Ok(())
    }

    /// Reads a chunk, or twice what is there if a record is longer than that.
    ///
    /// # Errors
    /// `Io`, with the path; `Format` if a record is longer than [`MAX_RECORD_BYTES`].
    pub fn more(&mut self) -> Result<()> {
        let there = self.filled - self.start;
        if there >= MAX_RECORD_BYTES {
            return Err(self.too_long("a record"));
        }
        self.fill((2 * there).clamp(CHUNK, MAX_RECORD_BYTES))
    }

    /// The whole file, without a byte order mark.
    ///
    /// # Errors
    /// `Io`, with the path; `Format` if it is longer than [`MAX_RECORD_BYTES`].
    pub fn whole(&mut self) -> Result<&[u8]> {
        if self.end > MAX_RECORD_BYTES as u64 {
            return Err(self.too_long("a JSON document"));
        }
        self.fill(usize::try_from(self.end).unwrap_or(usize::MAX))?;
        self.skip_bom();
        Ok(self.bytes())
    }

    /// Passes over a byte order mark at the beginning of what is there.
    pub fn skip_bom(&mut self) {
        if self.bytes().starts_with(BOM) {
            self.consume(BOM.len());
        }
    }

    fn too_long(&self, subject: &str) -> Error {
        Error::format(format!("{subject} has more than {} MiB", MAX_RECORD_BYTES >> 20))
            .at_file(self.path())
            .hint("results are small files; read this one with result@path")
    }

    /// The next whole lines, at most about a chunk; nothing at the end. A last line without its end comes too.
    ///
    /// # Errors
    /// As [`Self::more`].
    pub fn lines(&mut self) -> Result<Option<usize>> {
        loop {
            if let Some(end) = memchr::memrchr(b'\n', self.bytes()) {
                return Ok(Some(end + 1));
            }
            if self.is_last() {
                let rest = self.bytes().len();
                return Ok((rest > 0).then_some(rest));
            }
            self.more()?;
        }
    }
}
