//! The numbered lines of a text file: they end at line feeds and at nothing else.
//!
//! Unlike the lines of experimaestro's own files, NUL bytes belong to a line, which is no record then: a file that ends with
//! them was cut.

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextLine<'a> {
    /// Counted from 1, blank lines too
    pub number: u64,
    /// Without the line end
    pub bytes: &'a [u8],
    /// Whether the line end is there; a last line without one may be cut
    pub ended: bool,
}

/// The lines of a part of a file that are not blank.
#[derive(Debug)]
pub(super) struct TextLines<'a> {
    bytes: &'a [u8],
    position: usize,
    number: u64,
}

impl<'a> TextLines<'a> {
    /// The lines of `bytes`, before which the file has `number` lines.
    pub fn after(number: u64, bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, number }
    }

    /// The number of the last line that was looked at, blank or not.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl<'a> Iterator for TextLines<'a> {
    type Item = TextLine<'a>;

    fn next(&mut self) -> Option<TextLine<'a>> {
        while self.position < self.bytes.len() {
            let start = self.position;
            let end = memchr::memchr(b'\n', &self.bytes[start..]).map(|length| start + length);
            self.position = end.map_or(self.bytes.len(), |end| end + 1);
            self.number += 1;
            let bytes = &self.bytes[start..end.unwrap_or(self.bytes.len())];
            if !bytes.trim_ascii().is_empty() {
                return Some(TextLine { number: self.number, bytes, ended: end.is_some() });
            }
        }
        None
    }
}
