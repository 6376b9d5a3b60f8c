//! What a line has in common with one that was read before: only what differs is read again.
//!
//! The lines of one kind repeat each other but for a few values. A [`Template`] is the last such line and where its values, the
//! *slots*, stand. [`Template::fit`] compares the next line with it, many bytes at a time, and calls back for the slots that
//! differ; everything between slots must be the same, so that what was verified once is verified again.

use super::reader::{Reader, Syntax};

/// Where a value stands in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first byte of the value
    pub start: usize,
    /// The byte behind it
    pub end: usize,
}

/// A line that was read, and where its values stand.
#[derive(Debug, Default)]
pub struct Template {
    line: Vec<u8>,
    slots: Vec<Span>,
    /// The slots of the line that is being compared
    next: Vec<Span>,
}

impl Template {
    /// The template of `line` (without its end), which was read whole without complaint. `slots` are in order and do not touch:
    /// something stands between any two of them, and behind the last.
    #[must_use]
    pub fn new(line: &[u8], slots: Vec<Span>) -> Self {
        Self { line: [line, b"\n"].concat(), next: Vec::with_capacity(slots.len()), slots }
    }

    /// How many slots there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Compares the first line of `text` with the last line. Calls `changed` for each slot whose text differs, in order, with a
    /// reader that stands at the value and must take exactly that. If the line fits, it becomes the last line, and its length is
    /// given, with its end; if not, nothing is known of it, and what `changed` made of it must be forgotten.
    pub fn fit<'l>(
        &mut self,
        text: &'l [u8],
        mut changed: impl FnMut(usize, &mut Reader<'l>) -> Result<(), Syntax>,
    ) -> Option<usize> {
        self.next.clear();
        let (old, slots) = (self.line.as_slice(), self.slots.as_slice());
        let mut reader = Reader::new(text);
        // what comes before is compared: `old[..a]` is `text[..b]`, but for the slots that changed
        let (mut a, mut b) = (0, 0);
        let length = loop {
            let same = common_prefix(&old[a..], &text[b..]);
            let differs = a + same;
            while let Some(slot) = slots.get(self.next.len()).filter(|slot| slot.end < differs) {
                self.next.push(Span { start: slot.start - a + b, end: slot.end - a + b });
            }
            // the last line of a file may have no end
            if differs == old.len() || differs + 1 == old.len() && b + same == text.len() {
                break b + same;
            }
            let at = self.next.len();
            let slot = slots.get(at).filter(|slot| slot.start <= differs)?;
            let start = slot.start - a + b;
            reader.seek(start);
            changed(at, &mut reader).ok()?;
            (a, b) = (slot.end, reader.position());
            self.next.push(Span { start, end: b });
            if old.get(a) != text.get(b) || goes_on(&text[start..b]) {
                return None;
            }
        };
        std::mem::swap(&mut self.slots, &mut self.next);
        self.line.clear();
        self.line.extend_from_slice(&text[..length]);
        if !self.line.ends_with(b"\n") {
            self.line.push(b'\n');
        }
        Some(length)
    }
}

/// Whether a value goes on in the next line: a line may end before it, or between the parts of a list or dict.
fn goes_on(value: &[u8]) -> bool {
    let is_one_token = value.first().is_some_and(|first| *first == b'"' || first.is_ascii_alphanumeric());
    !is_one_token && memchr::memchr(b'\n', value).is_some()
}

/// How many bytes two texts begin with in common.
#[inline]
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let (wide_a, wide_b) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
    for (at, (a, b)) in wide_a.iter().zip(wide_b).enumerate() {
        let differ = u128::from_le_bytes(*a) ^ u128::from_le_bytes(*b);
        if differ != 0 {
            return 16 * at + (differ.trailing_zeros() / 8) as usize;
        }
    }
    let same = 16 * wide_a.len().min(wide_b.len());
    same + a[same..].iter().zip(&b[same..]).take_while(|(a, b)| a == b).count()
}
