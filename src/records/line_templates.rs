//! Lines of a jobs.jsonl that are like one before: only what differs is read.

use super::rows::{JobRow, microseconds};
use crate::json::{JsonType, Reader, Span, Syntax, Template};
use crate::values::{Memo, Plain, Read, SheetIx, Store, Value, read};

/// What a value of a line is to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    JobId,
    TaskId,
    Timestamp,
    /// A tag, by its position
    Tag(u32),
    Ignored,
}

/// The lines that have the same tags.
#[derive(Debug)]
struct CachedTemplate {
    template: Template,
    slots: Vec<Slot>,
    /// The row of the last line
    last: JobRow,
    /// The tags of its rows, if they have some
    tags: Option<SheetIx>,
    /// What was read of each slot before
    memos: Vec<Memo>,
    /// The tags that differ in the line that is being read, by their position
    changes: Vec<(u32, Value)>,
    /// What may be remembered, by the slot
    read: Vec<(usize, Read)>,
    /// The likeness of the line that came after it the last time
    next: usize,
}

/// The likenesses of lines that were seen.
#[derive(Debug, Default)]
pub(super) struct TemplateCache {
    all: Vec<CachedTemplate>,
    last: usize,
}

/// As many likenesses are remembered: a run tags its jobs in a few ways.
const LIMIT: usize = 16;

impl TemplateCache {
    /// The row of the first line of `text`, and the length of that line with its end, if it is like one before.
    pub fn read(&mut self, text: &[u8], store: &mut Store) -> Option<(JobRow, usize)> {
        let guess = self.all.get(self.last)?.next;
        let others = (0..self.all.len()).filter(|&at| at != guess);
        for at in std::iter::once(guess).chain(others) {
            if let Some(found) = self.all[at].read(text, store) {
                self.all[self.last].next = at;
                self.last = at;
                return Some(found);
            }
        }
        None
    }

    /// Remembers a line that was read whole.
    pub fn learn(&mut self, line: &[u8], row: JobRow, store: &mut Store) {
        let Some((slots, spans)) = learn(line) else { return };
        let tags = slots.iter().filter(|slot| matches!(slot, Slot::Tag(_))).count();
        if self.all.len() < LIMIT
            && tags <= MOST_TAGS
            && tags == row.tags.map_or(0, |tags| store.shape(tags.shape).len())
        {
            let at = self.all.len();
            let template = Template::new(line, spans);
            let tags = row.tags.map(|tags| store.begin_sheet(tags));
            let memos = slots.iter().map(|_| Memo::default()).collect();
            let (changes, read) = (Vec::new(), Vec::new());
            self.all.push(CachedTemplate {
                template,
                slots,
                last: row,
                tags,
                memos,
                changes,
                read,
                next: at,
            });
            self.all[self.last].next = at;
            self.last = at;
        }
    }
}

impl CachedTemplate {
    fn read(&mut self, text: &[u8], store: &mut Store) -> Option<(JobRow, usize)> {
        let mark = store.mark();
        let mut row = self.last;
        let (slots, memos) = (&self.slots, &mut self.memos);
        let (changes, new) = (&mut self.changes, &mut self.read);
        changes.clear();
        new.clear();
        let fits = self.template.fit(text, |slot, reader| {
            match slots[slot] {
                Slot::JobId => row.job_id = store.string(reader.string()?)?,
                Slot::TaskId => {
                    let text = reader.string()?;
                    if text.escaped {
                        return Err(reader.wrong("escapes are for the slower reader"));
                    }
                    row.task_id = store.intern(text.raw);
                }
                Slot::Timestamp => {
                    let time = microseconds(reader.number()?);
                    row.submitted = Some(time.ok_or_else(|| reader.wrong("a number that is no time"))?);
                }
                Slot::Tag(position) => {
                    let (value, found) =
                        memos[slot].value(reader, |reader| read(reader, store, &mut Plain))?;
                    new.extend(found.map(|found| (slot, found)));
                    changes.push((position, value));
                }
                Slot::Ignored => reader.skip()?,
            }
            Ok(())
        });
        if let Some(length) = fits {
            for &(slot, Read { span, value }) in &*new {
                memos[slot].keep(&text[span.start..span.end], value);
            }
            if let Some(tags) = self.tags.filter(|_| !changes.is_empty()) {
                row.tags = store.add_row(tags, changes.iter().copied());
            }
            self.last = row;
            return Some((row, length));
        }
        store.rewind(mark);
        None
    }
}

/// Lines of more tags are not learned.
const MOST_TAGS: usize = 1 << 12;
/// Lines of more keys are not learned.
const MOST_KEYS: usize = 100;

/// The slots of a line, and where they stand; nothing if a key comes twice, or a value is of an unusual type.
fn learn(line: &[u8]) -> Option<(Vec<Slot>, Vec<Span>)> {
    let (mut slots, mut spans) = (Vec::new(), Vec::new());
    let mut slot = |reader: &mut Reader<'_>, slot| {
        reader.peek()?;
        let start = reader.position();
        reader.skip()?;
        slots.push(slot);
        spans.push(Span { start, end: reader.position() });
        Ok::<(), Syntax>(())
    };
    let mut seen: Vec<Vec<u8>> = Vec::new();
    let mut reader = Reader::new(line);
    let read = reader.entries(|reader, key| {
        if key.escaped || seen.len() >= MOST_KEYS || seen.iter().any(|seen| seen == key.raw) {
            return Err(reader.wrong("a key twice"));
        }
        seen.push(key.raw.to_vec());
        match (key.raw, reader.peek()?) {
            (b"job_id", JsonType::String) => slot(reader, Slot::JobId),
            (b"task_id", JsonType::String) => slot(reader, Slot::TaskId),
            (b"timestamp", JsonType::Number) => slot(reader, Slot::Timestamp),
            (b"tags", JsonType::Dict) => {
                let mut position = 0;
                reader.entries(|reader, _| {
                    position += 1;
                    slot(reader, Slot::Tag(position - 1))
                })
            }
            (b"job_id" | b"task_id" | b"timestamp" | b"tags", _) => Err(reader.wrong("an unusual type")),
            _ => slot(reader, Slot::Ignored),
        }
    });
    read.is_ok().then_some((slots, spans))
}
