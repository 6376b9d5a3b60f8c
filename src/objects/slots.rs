//! Where the values of a definition stand in its line, and what each is to its object.

use crate::json::{JsonType, Reader, Span, Syntax};

/// What a value of a line is to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Id,
    Identifier,
    Task,
    InitTasks,
    /// A field, by its position: any value
    Field(u32),
    /// A field that refers to a config: the id in `{"type":"python","value":id}`
    Reference(u32),
    /// A field that is a path: the text in `{"type":"path","value":text}`
    Path(u32),
    /// A value in a field that is a dict of the user's, by the positions of both
    Inside(u32, u32),
    /// What no object has
    Ignored,
}

/// Definitions and dicts of more keys are not looked into.
const MOST_KEYS: usize = 100;

/// The slots of a definition that was read whole and has so many fields, and where they stand. Nothing if it is not what
/// experimaestro writes: a key twice, or a value of an unusual type.
pub(super) fn slots(line: &[u8], fields: usize) -> Option<(Vec<Slot>, Vec<Span>)> {
    Learner::learn(line, fields)
}

/// The keys that mean something.
const KNOWN: [&[u8]; 10] = [
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

/// Finds the slots of a line.
struct Learner {
    slots: Vec<Slot>,
    spans: Vec<Span>,
    fields: u32,
}

impl Learner {
    fn learn(line: &[u8], fields: usize) -> Option<(Vec<Slot>, Vec<Span>)> {
        let mut learner = Self { slots: Vec::new(), spans: Vec::new(), fields: 0 };
        let mut reader = Reader::new(line);
        let mut seen: Vec<&[u8]> = Vec::new();
        let read = reader.entries(|reader, key| {
            if key.escaped || seen.len() >= MOST_KEYS || seen.contains(&key.raw) {
                return Err(reader.wrong("a key twice"));
            }
            seen.push(key.raw);
            learner.entry(reader, key.raw)
        });
        let ids = learner.slots.iter().position(|slot| *slot == Slot::Id)?;
        let task = learner.slots.iter().position(|slot| *slot == Slot::Task);
        let regular = read.is_ok() && learner.fields as usize == fields && task.is_none_or(|task| ids < task);
        regular.then_some((learner.slots, learner.spans))
    }

    fn entry(&mut self, reader: &mut Reader<'_>, key: &[u8]) -> Result<(), Syntax> {
        match (key, reader.peek()?) {
            (b"id", JsonType::Number) => self.slot(reader, Slot::Id),
            (b"identifier", JsonType::String) => self.slot(reader, Slot::Identifier),
            (b"task", JsonType::Number) => self.slot(reader, Slot::Task),
            (b"init-tasks", JsonType::List) => self.slot(reader, Slot::InitTasks),
            (b"fields", JsonType::Dict) => reader.entries(|reader, _| {
                let position = self.fields;
                self.fields += 1;
                self.field(reader, position)
            }),
            (b"module" | b"type" | b"typename", JsonType::String) | (b"meta" | b"stub", JsonType::Bool) => {
                reader.skip()
            }
            (key, _) if KNOWN.contains(&key) => Err(reader.wrong("an unusual type")),
            _ => self.slot(reader, Slot::Ignored),
        }
    }

    /// The whole value that comes is a slot.
    fn slot(&mut self, reader: &mut Reader<'_>, slot: Slot) -> Result<(), Syntax> {
        reader.peek()?;
        let start = reader.position();
        reader.skip()?;
        self.slots.push(slot);
        self.spans.push(Span { start, end: reader.position() });
        Ok(())
    }

    fn field(&mut self, reader: &mut Reader<'_>, position: u32) -> Result<(), Syntax> {
        let kind = reader.peek()?;
        let start = reader.position();
        reader.skip()?;
        let whole = Span { start, end: reader.position() };
        if kind == JsonType::Dict {
            if let Some((slot, span)) = inside(reader, whole, position) {
                self.slots.push(slot);
                self.spans.push(span);
                return Ok(());
            }
            if let Some(spans) = entries(reader.taken(whole)) {
                for (inner, span) in (0..).zip(spans) {
                    self.slots.push(Slot::Inside(position, inner));
                    self.spans.push(Span { start: start + span.start, end: start + span.end });
                }
                return Ok(());
            }
        }
        self.slots.push(Slot::Field(position));
        self.spans.push(whole);
        Ok(())
    }
}

/// Where the values of a dict of the user's stand; nothing if it may mean something else, or has a key twice.
fn entries(dict: &[u8]) -> Option<Vec<Span>> {
    let mut keys: Vec<&[u8]> = Vec::new();
    let mut spans = Vec::new();
    let mut reader = Reader::new(dict);
    let read = reader.entries(|reader, key| {
        if key.escaped || key.raw == b"type" || keys.len() >= MOST_KEYS || keys.contains(&key.raw) {
            return Err(reader.wrong("not a plain dict"));
        }
        keys.push(key.raw);
        reader.peek()?;
        let start = reader.position();
        reader.skip()?;
        spans.push(Span { start, end: reader.position() });
        Ok(())
    });
    (read.is_ok() && !spans.is_empty()).then_some(spans)
}

/// The slot in a dict that is a reference or a path, spelled as experimaestro does.
fn inside(reader: &Reader<'_>, whole: Span, position: u32) -> Option<(Slot, Span)> {
    let text = reader.taken(whole);
    let end = whole.end - 1;
    if let Some(id) = text.strip_prefix(br#"{"type":"python","value":"#) {
        let digits = id.strip_suffix(b"}")?.iter().all(|byte| byte.is_ascii_digit());
        let start = whole.end - id.len();
        return digits.then_some((Slot::Reference(position), Span { start, end }));
    }
    let path = text.strip_prefix(br#"{"type":"path","value":"#)?;
    let plain = path.strip_prefix(b"\"")?.strip_suffix(b"\"}")?;
    let start = whole.end - path.len();
    (!plain.contains(&b'"') && !plain.contains(&b'\\')).then_some((Slot::Path(position), Span { start, end }))
}
