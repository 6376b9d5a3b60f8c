//! Compares a line with the one before it, so that only the values in which it differs are read.
//!
//! The lines of one class of configs are equal except for a few values. A [`Template`] has the last such line and the
//! spans of its values, the *slots*. [`Template::fit`] compares the next line with it, many bytes at a time, and calls
//! back for the slots that differ. The bytes between slots must be equal, so the syntax that was checked in the first
//! line holds in the next.

use super::reader::{Reader, Span};
use super::syntax::Result;

/// A line that was read, and the spans of its values.
#[derive(Debug, Default)]
pub struct Template {
    /// With its line end
    line: Vec<u8>,
    slots: Vec<Span>,
    /// The slots of the line that is being compared
    next_slots: Vec<Span>,
}

impl Template {
    /// The template of `line` (without its end), which must be valid JSON. `slots` must be in order and must not touch:
    /// there is at least one byte between two of them and after the last.
    #[must_use]
    pub fn new(line: &[u8], slots: Vec<Span>) -> Self {
        Self { line: [line, b"\n"].concat(), next_slots: Vec::with_capacity(slots.len()), slots }
    }

    /// Compares the first line of `text` with the template. If it fits, it becomes the template, and its length with
    /// its end is returned.
    ///
    /// Calls `changed` for each slot whose text differs, in order, with the number of the slot and a reader that stands
    /// at the value; `changed` must take exactly this value. If the line does not fit after all, the caller must drop
    /// what `changed` made of it.
    pub fn fit<'l>(
        &mut self,
        text: &'l [u8],
        mut changed: impl FnMut(usize, &mut Reader<'l>) -> Result<()>,
    ) -> Option<usize> {
        self.next_slots.clear();
        let (line, slots) = (self.line.as_slice(), self.slots.as_slice());
        let mut reader = Reader::new(text);
        // line[..a] equals text[..b], except for the slots that changed
        let (mut a, mut b) = (0, 0);
        let length = loop {
            let same = common_prefix(&line[a..], &text[b..]);
            let differs = a + same;
            while let Some(slot) = slots.get(self.next_slots.len()).filter(|slot| slot.end < differs) {
                self.next_slots.push(Span { start: slot.start - a + b, end: slot.end - a + b });
            }
            // the last line of a file may have no end
            if differs == line.len() || differs + 1 == line.len() && b + same == text.len() {
                break b + same;
            }
            let number = self.next_slots.len();
            let slot = slots.get(number).filter(|slot| slot.start <= differs)?;
            let start = slot.start - a + b;
            reader.seek(start);
            changed(number, &mut reader).ok()?;
            (a, b) = (slot.end, reader.position());
            self.next_slots.push(Span { start, end: b });
            if line.get(a) != text.get(b) || spans_lines(&text[start..b]) {
                return None;
            }
        };
        std::mem::swap(&mut self.slots, &mut self.next_slots);
        self.line.clear();
        self.line.extend_from_slice(&text[..length]);
        if !self.line.ends_with(b"\n") {
            self.line.push(b'\n');
        }
        Some(length)
    }
}

/// Whether a value reaches into the next line: the line may end before it, or inside a list or dict.
fn spans_lines(value: &[u8]) -> bool {
    let is_one_token = value.first().is_some_and(|first| *first == b'"' || first.is_ascii_alphanumeric());
    !is_one_token && memchr::memchr(b'\n', value).is_some()
}

/// The length of the longest common prefix of two texts, compared 16 bytes at a time.
#[inline]
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let (chunks_a, chunks_b) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
    let count = chunks_a.len().min(chunks_b.len());
    let (chunks_a, chunks_b) = (&chunks_a[..count], &chunks_b[..count]);
    for chunk in 0..count {
        let differ = u128::from_le_bytes(chunks_a[chunk]) ^ u128::from_le_bytes(chunks_b[chunk]);
        if differ != 0 {
            return 16 * chunk + (differ.trailing_zeros() / 8) as usize;
        }
    }
    let mut length = 16 * count;
    while length < a.len() && length < b.len() && a[length] == b[length] {
        length += 1;
    }
    length
}
