//! The numbered lines of a `.jsonl` file.
//!
//! JSON contains no NUL byte. A machine that crashes leaves them where a file system had reserved room for what was never
//! written, so they separate what stands around them as a line end does. A byte order mark is skipped too.

use super::bom::without_bom;
use crate::error::Error;

/// A line that is not blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Counted from 1, blank lines included
    pub number: u64,
    /// Offset of its first byte
    pub start: usize,
    /// Without the line end, NUL bytes and a byte order mark
    pub bytes: &'a [u8],
    /// Whether a line end or NUL bytes come behind; a last line without may be cut
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
    /// Whether `position` is behind NUL bytes, inside the line of this number
    inside: bool,
    /// What was skipped, and in which line
    skipped: Vec<(u64, Skipped)>,
}

/// What is no part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Skipped {
    /// So many NUL bytes
    Nul(usize),
    /// A byte order mark
    Bom,
}

impl<'a> Lines<'a> {
    /// The lines of `bytes`, which follow `number` lines of the file.
    #[must_use]
    pub fn after(number: u64, bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, number, inside: false, skipped: Vec::new() }
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
        self.number += u64::from(!std::mem::take(&mut self.inside));
        self.number
    }

    /// The lines so far that NUL bytes cut into pieces. A piece that is no record is part of that one fault.
    #[must_use]
    pub fn cut_lines(&self) -> Vec<u64> {
        let is_nul = |skipped: &&(u64, Skipped)| matches!(skipped.1, Skipped::Nul(_));
        self.skipped.iter().filter(is_nul).map(|(number, _)| *number).collect()
    }

    /// What was skipped in the lines so far: an error for each line, with its number.
    pub fn skipped(&mut self) -> impl Iterator<Item = (u64, Error)> + use<> {
        std::mem::take(&mut self.skipped).into_iter().map(|(number, skipped)| (number, skipped.error()))
    }
}

impl Skipped {
    fn error(self) -> Error {
        match self {
            Self::Nul(1) => Error::format("1 NUL byte is skipped: a crash lost what was written there")
                .hint("what is whole before and after it is read"),
            Self::Nul(count) => {
                Error::format(format!("{count} NUL bytes are skipped: a crash lost what was written there"))
                    .hint("what is whole before and after them is read")
            }
            Self::Bom => Error::format("a byte order mark is skipped: another program wrote this file")
                .hint("the line is read; experimaestro refuses it"),
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        while self.position < self.bytes.len() {
            self.number += u64::from(!self.inside);
            let rest = self.rest();
            let length = memchr::memchr2(b'\n', 0, rest).unwrap_or(rest.len());
            let (mut start, end) = (self.position, self.position + length);
            let behind = rest.get(length).copied();
            self.inside = behind == Some(0);
            let gap = rest[length..].iter().take_while(|&&byte| byte == 0).count();
            match self.skipped.last_mut() {
                Some((number, Skipped::Nul(count))) if *number == self.number => *count += gap,
                _ if gap > 0 => self.skipped.push((self.number, Skipped::Nul(gap))),
                _ => {}
            }
            self.position = if self.inside { end + gap } else { (end + 1).min(self.bytes.len()) };
            let bytes = without_bom(&self.bytes[start..end]);
            if bytes.len() < end - start {
                start = end - bytes.len();
                self.skipped.push((self.number, Skipped::Bom));
            }
            if !bytes.trim_ascii().is_empty() {
                return Some(Line { number: self.number, start, bytes, ended: behind.is_some() });
            }
        }
        None
    }
}
