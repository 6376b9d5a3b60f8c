//! Reads a line by its differences from an earlier line of the same form.
//!
//! The lines of a file have few forms: the definitions of one class, the jobs with the same tags. A [`LineTemplate`] is
//! the last line of one form; of the next line of that form only the values that differ are read, by the same code that
//! reads them otherwise. The [`LineCache`] has the templates of a file. The values themselves go into a row of a sheet
//! ([`RowChanges`]).

use super::memo::Memo;
use super::store::Store;
use super::value::{Record, SheetIx, Value};
use crate::json::{Reader, Span, Syntax, Template};

/// Lines and dicts of more keys have no template.
const MAX_KEYS: usize = 100;

/// The templates of a file, each with a `T` of its user. Guesses which comes next.
#[derive(Debug)]
pub(crate) struct LineCache<T> {
    templates: Vec<T>,
    /// The template that came after each, the last time
    successors: Vec<usize>,
    /// The template of the last line
    last: usize,
}

impl<T> Default for LineCache<T> {
    fn default() -> Self {
        Self { templates: Vec::new(), successors: Vec::new(), last: 0 }
    }
}

impl<T> LineCache<T> {
    /// The number of templates.
    pub fn len(&self) -> usize {
        self.templates.len()
    }

    /// The template that came last time after that of the last line.
    pub fn guess(&self) -> Option<usize> {
        self.successors.get(self.last).copied()
    }

    /// A template.
    pub fn get(&self, index: usize) -> Option<&T> {
        self.templates.get(index)
    }

    /// A template, to read a line with.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.templates.get_mut(index)
    }

    /// Adds the template of a new line and returns its index.
    pub fn push(&mut self, template: T) -> usize {
        self.templates.push(template);
        let index = self.templates.len() - 1;
        self.successors.push(index);
        self.advance(index);
        index
    }

    /// Notes which template a line had.
    pub fn advance(&mut self, index: usize) {
        if let Some(successor) = self.successors.get_mut(self.last) {
            *successor = index;
        }
        self.last = index;
    }
}

/// The last line of one form, the role `S` of each of its slots, and recent texts of each slot.
#[derive(Debug)]
pub(crate) struct LineTemplate<S> {
    template: Template,
    slots: Vec<S>,
    memos: Vec<Memo>,
    /// Values that the last line had for the first time: slot, text and value
    fresh: Vec<FreshValue>,
}

#[derive(Debug)]
struct FreshValue {
    slot: usize,
    span: Span,
    value: Value,
}

/// A slot whose text differs from the template.
pub(crate) struct ChangedSlot<'t, 'l, S> {
    /// Its role
    pub slot: S,
    /// Stands at its value
    pub reader: &'t mut Reader<'l>,
    number: usize,
    memo: &'t mut Memo,
    fresh: &'t mut Vec<FreshValue>,
}

impl<S> ChangedSlot<'_, '_, S> {
    /// Takes the value: a remembered one, or what `read` returns.
    #[inline]
    pub fn value(self, read: impl FnOnce(&mut Reader<'_>) -> Result<Value, Syntax>) -> Result<Value, Syntax> {
        let start = self.reader.position();
        if let Some((value, length)) = self.memo.find(self.reader.rest()) {
            self.reader.seek(start + length);
            return Ok(value);
        }
        let value = read(self.reader)?;
        if self.memo.pays() {
            let span = Span { start, end: self.reader.position() };
            self.fresh.push(FreshValue { slot: self.number, span, value });
        }
        Ok(value)
    }
}

impl<S: Copy + PartialEq> LineTemplate<S> {
    /// The template of a line without its end, which was read without errors.
    pub fn new(line: &[u8], slots: SlotFinder<S>) -> Self {
        let memos = slots.slots.iter().map(|_| Memo::default()).collect();
        Self { template: Template::new(line, slots.spans), slots: slots.slots, memos, fresh: Vec::new() }
    }

    /// Whether a line with these slots has the same form.
    pub fn has_slots(&self, slots: &SlotFinder<S>) -> bool {
        self.slots == slots.slots
    }

    /// Makes another line with the same slots the template.
    pub fn replace(&mut self, line: &[u8], slots: SlotFinder<S>) {
        self.template = Template::new(line, slots.spans);
    }

    /// Drops the line: no line fits until the next [`Self::replace`].
    pub fn clear(&mut self) {
        self.template = Template::default();
    }

    /// Compares the first line of `text` with the template, see [`Template::fit`]. Returns the length of the line.
    #[inline]
    pub fn fit<'l>(
        &mut self,
        text: &'l [u8],
        mut changed: impl FnMut(ChangedSlot<'_, 'l, S>) -> Result<(), Syntax>,
    ) -> Option<usize> {
        let Self { template, slots, memos, fresh } = self;
        fresh.clear();
        template.fit(text, |number, reader| {
            changed(ChangedSlot { slot: slots[number], reader, number, memo: &mut memos[number], fresh })
        })
    }

    /// Remembers the new values of the line that was just compared with `text`. Not called if the line is dropped, with
    /// its values.
    pub fn remember(&mut self, text: &[u8]) {
        for FreshValue { slot, span, value } in self.fresh.drain(..) {
            self.memos[slot].insert(&text[span.start..span.end], value);
        }
    }
}

/// The values in which the next row of a sheet differs from the last one.
#[derive(Debug)]
pub(crate) struct RowChanges {
    sheet: SheetIx,
    /// Position and value
    changes: Vec<(u32, Value)>,
}

impl RowChanges {
    /// Changes to the rows of a new sheet, which has `first` as its first row.
    pub fn after(first: Record, store: &mut Store) -> Self {
        Self { sheet: store.begin_sheet(first), changes: Vec::new() }
    }

    /// Drops the changes.
    pub fn clear(&mut self) {
        self.changes.clear();
    }

    /// Changes the value at a position.
    pub fn push(&mut self, position: u32, value: Value) {
        self.changes.push((position, value));
    }

    /// Whether the next row equals the last one.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Adds the changed row to the sheet.
    pub fn add_row(&self, store: &mut Store) -> Option<Record> {
        store.add_row(self.sheet, self.changes.iter().copied())
    }

    /// Adds a row with the values of `record`.
    pub fn repeat_row(&self, record: Record, store: &mut Store) {
        store.repeat_row(self.sheet, record);
    }
}

/// Collects the slots of a line and their spans.
#[derive(Debug)]
pub(crate) struct SlotFinder<S> {
    slots: Vec<S>,
    spans: Vec<Span>,
}

impl<S> SlotFinder<S> {
    pub fn new() -> Self {
        Self { slots: Vec::new(), spans: Vec::new() }
    }

    /// The slots so far.
    pub fn slots(&self) -> &[S] {
        &self.slots
    }

    /// Adds a slot with the bytes of its value.
    pub fn push(&mut self, slot: S, span: Span) {
        self.slots.push(slot);
        self.spans.push(span);
    }

    /// Takes the next value as a slot.
    pub fn take(&mut self, reader: &mut Reader<'_>, slot: S) -> Result<(), Syntax> {
        let span = skipped(reader)?;
        self.push(slot, span);
        Ok(())
    }
}

/// Takes the next value and returns its span.
pub(crate) fn skipped(reader: &mut Reader<'_>) -> Result<Span, Syntax> {
    reader.peek()?;
    let start = reader.position();
    reader.skip()?;
    Ok(Span { start, end: reader.position() })
}

/// Takes a dict: calls `entry` with each key, as [`Reader::entries`] does.
///
/// # Errors
/// Also a key that comes twice or has escapes, and more than [`MAX_KEYS`] keys: such dicts have no template.
pub(crate) fn distinct_entries<'l>(
    reader: &mut Reader<'l>,
    mut entry: impl FnMut(&mut Reader<'l>, &'l [u8]) -> Result<(), Syntax>,
) -> Result<(), Syntax> {
    let mut keys: Vec<&[u8]> = Vec::new();
    reader.entries(|reader, key| {
        if key.escaped || keys.len() >= MAX_KEYS || keys.contains(&key.raw) {
            return Err(reader.wrong("a dict without a template"));
        }
        keys.push(key.raw);
        entry(reader, key.raw)
    })
}
