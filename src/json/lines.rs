//! The numbered lines of a `.jsonl` file.

/// A line that is not blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Counted from 1, blank lines included
    pub number: u64,
    /// Offset of its first byte
    pub start: usize,
    /// Its bytes, without the line end
    pub bytes: &'a [u8],
    /// Whether it has a line end; a last line without one may be truncated
    pub ended: bool,
}

/// The lines of `bytes` that are not blank, numbered from 1.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    Lines::after(0, bytes)
}

/// Iterates over the lines of a part of a file that are not blank.
#[derive(Debug)]
pub struct Lines<'a> {
    bytes: &'a [u8],
    position: usize,
    number: u64,
}

impl<'a> Lines<'a> {
    /// The lines of `bytes`, which follow `number` lines of the file.
    #[must_use]
    pub fn after(number: u64, bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, number }
    }

    /// The number of the last line passed, blank or not.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The bytes not passed yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    /// Passes the next line, whose `length` includes its end, and returns its number.
    pub fn pass(&mut self, length: usize) -> u64 {
        self.position += length;
        self.number += 1;
        self.number
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        while self.position < self.bytes.len() {
            let start = self.position;
            let end = memchr::memchr(b'\n', &self.bytes[start..]).map(|length| start + length);
            self.position = end.map_or(self.bytes.len(), |end| end + 1);
            self.number += 1;
            let line = Line {
                number: self.number,
                start,
                bytes: &self.bytes[start..end.unwrap_or(self.bytes.len())],
                ended: end.is_some(),
            };
            if !line.bytes.trim_ascii().is_empty() {
                return Some(line);
            }
        }
        None
    }
}
