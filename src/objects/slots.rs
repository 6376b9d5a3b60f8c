//! Finds the values of an object definition in its line, and their roles.

use crate::json::{JsonType, Reader, Span, Syntax};
use crate::values::{SlotFinder, distinct_entries, skipped};

/// The role of a value of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Id,
    Identifier,
    Task,
    InitTasks,
    /// Any value of the field at a position
    Field(u32),
    /// The id in a field `{"type":"python","value":id}`
    Reference(u32),
    /// The text in a field `{"type":"path","value":text}`
    Path(u32),
    /// A value of a dict of the user: the number of the dict in the line, and the position in it
    DictValue(usize, u32),
    /// A value of a key that means nothing
    Ignored,
}

/// The slots of a definition, and the positions of the fields that are dicts of the user.
pub(super) struct Slots {
    pub finder: SlotFinder<Slot>,
    pub dict_fields: Vec<u32>,
    fields: u32,
}

/// The keys that mean something; any other is ignored.
const MEANINGFUL_KEYS: [&[u8]; 10] = [
    b"id",
    b"identifier",
    b"task",
    b"init-tasks",
    b"fields",
    b"module",
    b"type",
    b"typename",
    b"meta",
    b"stub",
];

impl Slots {
    /// The slots of a definition that was read without errors and has this number of fields. `None` if it is not as
    /// experimaestro writes it: a key twice, or a value of an unusual type.
    pub fn of(line: &[u8], fields: usize) -> Option<Self> {
        let mut slots = Self { finder: SlotFinder::new(), dict_fields: Vec::new(), fields: 0 };
        distinct_entries(&mut Reader::new(line), |reader, key| slots.entry(reader, key)).ok()?;
        let position = |role| slots.finder.slots().iter().position(|&slot| slot == role);
        // the task is compared with the id, which must be read before
        let id = position(Slot::Id)?;
        let is_regular = slots.fields as usize == fields && position(Slot::Task).is_none_or(|task| id < task);
        is_regular.then_some(slots)
    }

    fn entry(&mut self, reader: &mut Reader<'_>, key: &[u8]) -> Result<(), Syntax> {
        match (key, reader.peek()?) {
            (b"id", JsonType::Number) => self.finder.take(reader, Slot::Id),
            (b"identifier", JsonType::String) => self.finder.take(reader, Slot::Identifier),
            (b"task", JsonType::Number) => self.finder.take(reader, Slot::Task),
            (b"init-tasks", JsonType::List) => self.finder.take(reader, Slot::InitTasks),
            (b"fields", JsonType::Dict) => reader.entries(|reader, _| {
                let position = self.fields;
                self.fields += 1;
                self.field(reader, position)
            }),
            (b"module" | b"type" | b"typename", JsonType::String) | (b"meta" | b"stub", JsonType::Bool) => {
                reader.skip()
            }
            (key, _) if MEANINGFUL_KEYS.contains(&key) => Err(reader.wrong("an unusual type")),
            _ => self.finder.take(reader, Slot::Ignored),
        }
    }

    fn field(&mut self, reader: &mut Reader<'_>, position: u32) -> Result<(), Syntax> {
        let json_type = reader.peek()?;
        let span = skipped(reader)?;
        if json_type == JsonType::Dict {
            if let Some((slot, inner)) = encoded_value(reader, span, position) {
                self.finder.push(slot, inner);
                return Ok(());
            }
            if let Some(values) = dict_values(reader.taken(span)) {
                let dict = self.dict_fields.len();
                self.dict_fields.push(position);
                for (inner, value) in (0..).zip(values) {
                    let value = Span { start: span.start + value.start, end: span.start + value.end };
                    self.finder.push(Slot::DictValue(dict, inner), value);
                }
                return Ok(());
            }
        }
        self.finder.push(Slot::Field(position), span);
        Ok(())
    }
}

/// The spans of the values of a dict of the user. `None` if it may encode a value, has a key twice, or is empty.
fn dict_values(dict: &[u8]) -> Option<Vec<Span>> {
    let mut spans = Vec::new();
    distinct_entries(&mut Reader::new(dict), |reader, key| {
        if key == b"type" {
            return Err(reader.wrong("not a plain dict"));
        }
        spans.push(skipped(reader)?);
        Ok(())
    })
    .ok()?;
    (!spans.is_empty()).then_some(spans)
}

/// The slot in a dict that encodes a reference or a path, if spelled as experimaestro does.
fn encoded_value(reader: &Reader<'_>, dict: Span, position: u32) -> Option<(Slot, Span)> {
    let text = reader.taken(dict);
    let end = dict.end - 1;
    if let Some(id) = text.strip_prefix(br#"{"type":"python","value":"#) {
        let is_digits = id.strip_suffix(b"}")?.iter().all(|byte| byte.is_ascii_digit());
        let start = dict.end - id.len();
        return is_digits.then_some((Slot::Reference(position), Span { start, end }));
    }
    let path = text.strip_prefix(br#"{"type":"path","value":"#)?;
    let unquoted = path.strip_prefix(b"\"")?.strip_suffix(b"\"}")?;
    let start = dict.end - path.len();
    let is_plain = !unquoted.contains(&b'"') && !unquoted.contains(&b'\\');
    is_plain.then_some((Slot::Path(position), Span { start, end }))
}
