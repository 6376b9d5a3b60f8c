//! The numbered lines of a `.jsonl` file.

/// One line that is not blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Counted from 1, blank lines too
    pub number: u64,
    /// Where the line begins in the bytes
    pub start: usize,
    /// Without the line end
    pub bytes: &'a [u8],
    /// Whether the line end is there; a last line without one may be cut
    pub ended: bool,
}

/// The lines of `bytes` that are not blank, numbered from 1.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    Lines::after(0, bytes)
}

/// The lines of a part of a file that are not blank.
#[derive(Debug)]
pub struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    number: u64,
}

impl<'a> Lines<'a> {
    /// The lines of `bytes`, before which the file has `number` lines.
    #[must_use]
    pub fn after(number: u64, bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, number }
    }

    /// The number of the last line that was looked at, blank or not.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What was not looked at yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Passes over the next line, of which the length is known, with its end. Gives its number.
    pub fn pass(&mut self, length: usize) -> u64 {
        self.at += length;
        self.number += 1;
        self.number
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        while self.at < self.bytes.len() {
            let start = self.at;
            let end = memchr::memchr(b'\n', &self.bytes[start..]).map(|length| start + length);
            self.at = end.map_or(self.bytes.len(), |end| end + 1);
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
