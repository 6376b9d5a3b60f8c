//! Remembers the last texts of one slot and their values: the values of a sweep come again and again.

use super::value::Value;

/// The last texts of one slot and their values. It stops when few texts come again.
#[derive(Debug, Default)]
pub(super) struct Memo {
    entries: Vec<Entry>,
    /// The entry that is replaced next
    oldest: usize,
    hits: u32,
    misses: u32,
}

#[derive(Debug)]
struct Entry {
    text: [u8; MAX_TEXT_BYTES],
    length: usize,
    value: Value,
}

const MAX_ENTRIES: usize = 8;
/// Longer texts are not remembered.
const MAX_TEXT_BYTES: usize = 48;
/// After this many misses a memo goes on only with as many hits. Measured: 64 costs wide 0.7 % more instructions.
const TRIAL_MISSES: u32 = 16;

impl Memo {
    /// The value at the start of `text` and the length of its text, if it is remembered.
    #[inline]
    pub fn find(&mut self, text: &[u8]) -> Option<(Value, usize)> {
        let matches = |entry: &&Entry| {
            let end = entry.length;
            matches!(text.get(end), Some(b',' | b'}' | b']')) && text[..end] == entry.text[..end]
        };
        let entry = self.entries.iter().find(matches).map(|entry| (entry.value, entry.length));
        self.hits = self.hits.saturating_add(entry.is_some().into());
        entry
    }

    /// Whether texts are still remembered.
    pub fn pays(&self) -> bool {
        self.misses < TRIAL_MISSES || self.hits >= self.misses
    }

    /// Remembers the value of a text.
    pub fn insert(&mut self, text: &[u8], value: Value) {
        self.misses = self.misses.saturating_add(1);
        if !self.pays() {
            self.entries.clear();
            return;
        }
        let length = text.len();
        if length > MAX_TEXT_BYTES {
            return;
        }
        let mut entry = Entry { text: [0; MAX_TEXT_BYTES], length, value };
        entry.text[..length].copy_from_slice(text);
        if self.entries.len() < MAX_ENTRIES {
            self.entries.push(entry);
        } else {
            self.entries[self.oldest] = entry;
            self.oldest = (self.oldest + 1) % MAX_ENTRIES;
        }
    }
}
