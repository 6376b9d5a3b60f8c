//! Reads lines of a jobs.jsonl by their differences from the last one with the same tags.

use super::row::{JobRow, microseconds};
use crate::json::{JsonType, Reader, Syntax};
use crate::values::{
    ChangedSlot, LineCache, LineTemplate, Plain, RowChanges, SlotFinder, Store, distinct_entries, read,
};

/// The role of a value of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    JobId,
    TaskId,
    Timestamp,
    /// The tag at a position
    Tag(u32),
    /// A value of a key that means nothing
    Ignored,
}

/// The lines with the same keys and tags.
#[derive(Debug)]
struct JobTemplate {
    line: LineTemplate<Slot>,
    /// The row of the last line
    row: JobRow,
    /// The tags that differ in the current line; `None` without a dict of tags
    tags: Option<RowChanges>,
}

/// The forms of the lines of a file.
#[derive(Debug, Default)]
pub(super) struct TemplateCache(LineCache<JobTemplate>);

/// A run tags its jobs in a few ways.
const MAX_TEMPLATES: usize = 16;
const MAX_TAGS: usize = 1 << 12;

impl TemplateCache {
    /// The row of the first line of `text` and the length of that line with its end; `None` if it fits no template.
    pub fn read(&mut self, text: &[u8], store: &mut Store) -> Option<(JobRow, usize)> {
        let guess = self.0.guess()?;
        let others = (0..self.0.len()).filter(|&index| index != guess);
        for index in std::iter::once(guess).chain(others) {
            if let Some(result) = self.0.get_mut(index)?.read(text, store) {
                self.0.advance(index);
                return Some(result);
            }
        }
        None
    }

    /// Adds the template of a line that was read whole.
    pub fn learn(&mut self, line: &[u8], row: JobRow, store: &mut Store) {
        let Some(slots) = find_slots(line) else { return };
        let tags = slots.slots().iter().filter(|slot| matches!(slot, Slot::Tag(_))).count();
        let is_regular = tags == row.tags.map_or(0, |tags| store.shape(tags.shape).len());
        if self.0.len() < MAX_TEMPLATES && tags <= MAX_TAGS && is_regular {
            let tags = row.tags.map(|tags| RowChanges::after(tags, store));
            self.0.push(JobTemplate { line: LineTemplate::new(line, slots), row, tags });
        }
    }
}

impl JobTemplate {
    fn read(&mut self, text: &[u8], store: &mut Store) -> Option<(JobRow, usize)> {
        let mark = store.mark();
        let (mut row, tags) = (self.row, &mut self.tags);
        tags.iter_mut().for_each(RowChanges::clear);
        let length = self.line.fit(text, |changed| take(changed, &mut row, tags, store));
        let Some(length) = length else {
            store.rewind(mark);
            return None;
        };
        self.line.remember(text);
        if let Some(tags) = self.tags.as_ref().filter(|tags| !tags.is_empty()) {
            row.tags = tags.add_row(store);
        }
        self.row = row;
        Some((row, length))
    }
}

fn take(
    changed: ChangedSlot<'_, '_, Slot>,
    row: &mut JobRow,
    tags: &mut Option<RowChanges>,
    store: &mut Store,
) -> Result<(), Syntax> {
    match (changed.slot, tags) {
        (Slot::JobId, _) => row.job_id = store.string(changed.reader.string()?)?,
        (Slot::TaskId, _) => {
            let text = changed.reader.string()?;
            if text.escaped {
                return Err(changed.reader.wrong("escapes are for the slow reader"));
            }
            row.task_id = store.intern(text.raw);
        }
        (Slot::Timestamp, _) => {
            let time = microseconds(changed.reader.number()?);
            row.submitted = Some(time.ok_or_else(|| changed.reader.wrong("a number that is no time"))?);
        }
        (Slot::Tag(position), Some(tags)) => {
            tags.push(position, changed.value(|reader| read(reader, store, &mut Plain))?);
        }
        (Slot::Tag(_), None) | (Slot::Ignored, _) => changed.reader.skip()?,
    }
    Ok(())
}

/// The slots of a line; `None` if a key comes twice or a value is of an unusual type.
fn find_slots(line: &[u8]) -> Option<SlotFinder<Slot>> {
    let mut slots = SlotFinder::new();
    distinct_entries(&mut Reader::new(line), |reader, key| match (key, reader.peek()?) {
        (b"job_id", JsonType::String) => slots.take(reader, Slot::JobId),
        (b"task_id", JsonType::String) => slots.take(reader, Slot::TaskId),
        (b"timestamp", JsonType::Number) => slots.take(reader, Slot::Timestamp),
        (b"tags", JsonType::Dict) => {
            let mut position = 0;
            reader.entries(|reader, _| {
                position += 1;
                slots.take(reader, Slot::Tag(position - 1))
            })
        }
        (b"job_id" | b"task_id" | b"timestamp" | b"tags", _) => Err(reader.wrong("an unusual type")),
        _ => slots.take(reader, Slot::Ignored),
    })
    .ok()?;
    Some(slots)
}
