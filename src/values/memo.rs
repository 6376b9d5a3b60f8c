//! The last few texts of a value that changes from line to line: sweeps return to the same ones.

use super::store::Value;
use crate::json::{Reader, Span, Syntax};

/// Texts that were read at one place, and what they mean there.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    known: Vec<Known>,
    /// Which of them is forgotten next
    next: usize,
    hits: u32,
    misses: u32,
}

#[derive(Debug)]
struct Known {
    text: [u8; LONGEST],
    length: usize,
    value: Value,
}

/// So many texts are remembered.
const MOST: usize = 8;
/// Longer texts are not.
const LONGEST: usize = 48;
/// After so many texts it is asked whether remembering them pays.
const TRIAL: u32 = 64;

/// A text that was read and what it means, until it is known whether its line fits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    /// Where it stands
    pub span: Span,
    pub value: Value,
}

impl Memo {
    /// The value that a reader comes to: a known one, or what `read` makes of it.
    #[inline]
    pub fn value(
        &mut self,
        reader: &mut Reader<'_>,
        read: impl FnOnce(&mut Reader<'_>) -> Result<Value, Syntax>,
    ) -> Result<(Value, Option<Read>), Syntax> {
        let start = reader.position();
        if let Some((value, length)) = self.find(reader.rest()) {
            reader.seek(start + length);
            return Ok((value, None));
        }
        let value = read(reader)?;
        let span = Span { start, end: reader.position() };
        Ok((value, self.pays().then_some(Read { span, value })))
    }

    /// What the value at the beginning of `text` is, and its length, if it is known.
    #[inline]
    fn find(&mut self, text: &[u8]) -> Option<(Value, usize)> {
        let is_it = |known: &&Known| {
            let end = known.length;
            matches!(text.get(end), Some(b',' | b'}' | b']')) && text[..end] == known.text[..end]
        };
        let found = self.known.iter().find(is_it).map(|known| (known.value, known.length));
        self.hits = self.hits.saturating_add(found.is_some().into());
        found
    }

    /// Whether it is worth to remember more.
    fn pays(&self) -> bool {
        self.misses < TRIAL || self.hits >= self.misses
    }

    /// Remembers what a text means.
    pub fn keep(&mut self, text: &[u8], value: Value) {
        self.misses = self.misses.saturating_add(1);
        if !self.pays() {
            self.known.clear();
            return;
        }
        let length = text.len();
        if length > LONGEST {
            return;
        }
        let mut known = Known { text: [0; LONGEST], length, value };
        known.text[..length].copy_from_slice(text);
        if self.known.len() < MOST {
            self.known.push(known);
        } else {
            self.known[self.next] = known;
            self.next = (self.next + 1) % MOST;
        }
    }
}
