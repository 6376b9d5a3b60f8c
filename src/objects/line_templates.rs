//! Lines that are like one that was read before.
//!
//! Lines of one class with the same keys are of one *kind*. Of a line whose kind is known only the values are read that differ
//! from those of the last line of that kind; the others are its values. What is read is the same as without: each value that
//! differs is read by the same code, and what stands between values must not differ at all.

use ahash::HashMap;

use super::decode::Decoder;
use super::graph::{Graph, Object, ObjectMeta, Task};
use super::slots::{Slot, slots};
use crate::json::{Number, Reader, Syntax, Template};
use crate::values::{Memo, ObjectIx, Read, Record, SheetIx, Store, Value, read};

/// The lines of one class that have the same keys.
#[derive(Debug)]
struct CachedTemplate {
    template: Template,
    slots: Vec<Slot>,
    /// The object of the last line
    last: Object,
    /// The fields of its objects
    fields: SheetIx,
    /// The dicts of the user's in its fields, by the position of the field
    dicts: Vec<(u32, SheetIx)>,
    /// What was read of each slot before
    memos: Vec<Memo>,
    /// What differs in the line that is being read
    changes: Changes,
    /// The kind that came after it the last time
    next: usize,
    /// Another kind of the same class
    sibling: Option<usize>,
}

/// The values of a line that differ from those of the line before.
#[derive(Debug, Default)]
struct Changes {
    /// By the position of the field
    fields: Vec<(u32, Value)>,
    /// By the position of the field and that in its dict
    inside: Vec<(u32, u32, Value)>,
    /// What may be remembered, by the slot
    read: Vec<(usize, Read)>,
}

/// The kinds of lines that were seen.
#[derive(Debug, Default)]
pub(super) struct TemplateCache {
    all: Vec<CachedTemplate>,
    /// One kind of each class, by what stands before the identifier
    classes: HashMap<Box<[u8]>, usize>,
    last: usize,
    hits: usize,
    misses: usize,
}

/// As many kinds are remembered; a run has some for each of its classes.
const LIMIT: usize = 1 << 12;
/// The identifier is looked for so far: in lines that have none it would be found in a later line.
const LONGEST_HEAD: usize = 1 << 10;
/// Objects of more fields are not learned from: no class has so many.
const MOST_FIELDS: usize = 1 << 12;
/// So many lines are learned from before it is asked whether that pays.
const TRIAL: usize = 1 << 10;

impl TemplateCache {
    /// The object that the first line of `text` defines, and the length of that line with its end, if it is of a known kind.
    pub fn read(
        &mut self,
        text: &[u8],
        graph: &mut Graph,
        decoder: &mut Decoder<'_>,
    ) -> Option<(Object, usize)> {
        let guess = self.all.get(self.last).map(|last| last.next)?;
        if let Some(found) = self.try_kind(guess, text, graph, decoder) {
            return Some(found);
        }
        let mut next = self.classes.get(head(text)?).copied();
        while let Some(at) = next {
            if at != guess
                && let Some(found) = self.try_kind(at, text, graph, decoder)
            {
                return Some(found);
            }
            next = self.all[at].sibling;
        }
        None
    }

    fn try_kind(
        &mut self,
        at: usize,
        text: &[u8],
        graph: &mut Graph,
        decoder: &mut Decoder<'_>,
    ) -> Option<(Object, usize)> {
        let found = self.all.get_mut(at)?.read(text, graph, decoder)?;
        self.all[self.last].next = at;
        self.last = at;
        self.hits += 1;
        Some(found)
    }

    /// Remembers a line that was read whole, as the object at `at`.
    pub fn learn(&mut self, line: &[u8], graph: &mut Graph, at: ObjectIx) {
        self.misses += 1;
        if self.misses > TRIAL && self.hits < self.misses || self.all.len() >= LIMIT {
            return;
        }
        let object = *graph.object(at);
        let fields = graph.store.shape(object.fields.shape).len();
        if fields > MOST_FIELDS {
            return;
        }
        let Some((slots, spans)) = slots(line, fields) else { return };
        let Some(head) = head(line) else { return };
        let first = self.classes.get(head).copied();
        let mut known = first;
        while let Some(kind) = known.filter(|&kind| !self.all[kind].is_of(&object, &slots, graph)) {
            known = self.all[kind].sibling;
        }
        let template = Template::new(line, spans);
        let kind = if let Some(known) = known {
            self.all[known].repeat(template, object, &mut graph.store);
            known
        } else {
            let kind = self.all.len();
            self.classes.insert(head.into(), kind);
            self.all.push(CachedTemplate::new(template, slots, object, (kind, first), &mut graph.store));
            kind
        };
        if let Some(last) = self.all.get_mut(self.last) {
            last.next = kind;
        }
        self.last = kind;
    }

    /// Forgets all: what references meant is no longer what they mean.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

/// What stands between the id of a definition and its identifier: the class, most often.
fn head(text: &[u8]) -> Option<&[u8]> {
    let line = &text[..text.len().min(LONGEST_HEAD)];
    let start = memchr::memchr(b',', line)?;
    let end = memchr::memmem::find(line, b"\"identifier\"")?;
    line.get(start..end)
}

impl CachedTemplate {
    fn is_of(&self, object: &Object, slots: &[Slot], graph: &Graph) -> bool {
        let store = &graph.store;
        graph.about_of(&self.last).class == graph.about_of(object).class
            && self.last.fields.shape == object.fields.shape
            && self.slots == slots
            && self.dicts.iter().all(|&(position, _)| {
                let shape = |fields| match store.record_value(fields, position as usize) {
                    Value::Dict(dict) => Some(dict.shape),
                    _ => None,
                };
                shape(self.last.fields) == shape(object.fields)
            })
    }

    fn new(
        template: Template,
        slots: Vec<Slot>,
        last: Object,
        (next, sibling): (usize, Option<usize>),
        store: &mut Store,
    ) -> Self {
        let mut inside: Vec<u32> = slots
            .iter()
            .filter_map(|slot| if let Slot::Inside(position, _) = slot { Some(*position) } else { None })
            .collect();
        inside.dedup();
        let mut dict = |position: u32| match store.record_value(last.fields, position as usize) {
            Value::Dict(dict) => Some((position, store.begin_sheet(dict))),
            _ => None,
        };
        let dicts = inside.into_iter().filter_map(&mut dict).collect();
        let fields = store.begin_sheet(last.fields);
        let memos = slots.iter().map(|_| Memo::default()).collect();
        Self { template, slots, last, fields, dicts, memos, changes: Changes::default(), next, sibling }
    }

    /// Remembers another line that was read whole.
    fn repeat(&mut self, template: Template, object: Object, store: &mut Store) {
        for &(position, sheet) in &self.dicts {
            if let Value::Dict(dict) = store.record_value(object.fields, position as usize) {
                store.repeat_row(sheet, dict);
            }
        }
        store.repeat_row(self.fields, object.fields);
        self.template = template;
        self.last = object;
    }

    fn read(&mut self, text: &[u8], graph: &mut Graph, decoder: &mut Decoder<'_>) -> Option<(Object, usize)> {
        let (mark, references) = (graph.store.mark(), graph.store.unresolved.len());
        let (mut object, before) = (self.last, *graph.about_of(&self.last));
        let (slots, memos, changes) = (&self.slots, &mut self.memos, &mut self.changes);
        changes.fields.clear();
        changes.inside.clear();
        changes.read.clear();
        let mut reading = Reading {
            graph,
            decoder,
            object: &mut object,
            about: before,
            changes,
            new_id: false,
            new_task: false,
        };
        let fits =
            self.template.fit(text, |at, reader| reading.take(slots[at], (at, &mut memos[at]), reader));
        let Reading { about, new_id, new_task, .. } = reading;
        let as_named = new_task || !before.names(object.id, graph);
        // the same id once more, or a task that is another one now: what the line means is for the slower reader to say
        let usable = fits.filter(|_| new_id && as_named);
        let unsettled = decoder.foreign.is_none() && graph.store.unresolved.len() != references;
        if fits.is_some() && (usable.is_none() || unsettled) {
            self.template = Template::default();
        }
        if let Some(length) = usable {
            for &(slot, Read { span, value }) in self.changes.read.iter().filter(|_| !unsettled) {
                self.memos[slot].keep(&text[span.start..span.end], value);
            }
            object.fields = self.keep(&mut graph.store)?;
            if about != before {
                object.about = graph.push_about(about);
            }
            self.last = object;
            return Some((object, length));
        }
        graph.store.rewind(mark);
        if unsettled {
            graph.store.unresolved.truncate(references);
        }
        None
    }

    /// The fields of the line that was read.
    fn keep(&mut self, store: &mut Store) -> Option<Record> {
        let Changes { fields, inside, .. } = &mut self.changes;
        for inside in inside.chunk_by(|one, other| one.0 == other.0) {
            let position = inside[0].0;
            let &(_, sheet) = self.dicts.iter().find(|&&(at, _)| at == position)?;
            let dict = store.add_row(sheet, inside.iter().map(|&(_, inner, value)| (inner, value)))?;
            fields.push((position, Value::Dict(dict)));
        }
        store.add_row(self.fields, fields.iter().copied())
    }
}

impl ObjectMeta {
    /// Whether the task is another one if an object that names it as this one did has this id.
    fn names(&self, id: i64, graph: &Graph) -> bool {
        match self.task {
            Task::No => false,
            Task::Other(Value::Object(task)) => graph.object(task).id == id,
            Task::Other(Value::Unresolved(task)) => graph.store.unresolved(task).id == id,
            Task::Itself | Task::Other(_) => true,
        }
    }
}

/// An object that is being read, from one of the same kind.
struct Reading<'r, 'd> {
    graph: &'r mut Graph,
    decoder: &'r mut Decoder<'d>,
    object: &'r mut Object,
    about: ObjectMeta,
    changes: &'r mut Changes,
    new_id: bool,
    new_task: bool,
}

impl Reading<'_, '_> {
    fn take(
        &mut self,
        slot: Slot,
        (at, memo): (usize, &mut Memo),
        reader: &mut Reader<'_>,
    ) -> Result<(), Syntax> {
        let store = &mut self.graph.store;
        match slot {
            Slot::Id => {
                self.object.id = integer(reader)?;
                self.new_id = true;
            }
            Slot::Identifier => self.object.identifier = store.string(reader.string()?)?,
            Slot::Task => {
                let task = integer(reader)?;
                self.about.task = if task == self.object.id {
                    Task::Itself
                } else {
                    Task::Other(self.decoder.reference(store, task))
                };
                self.new_task = true;
            }
            Slot::InitTasks => {
                let mut tasks = Vec::new();
                reader.items(|reader| {
                    tasks.push(self.decoder.reference(store, integer(reader)?));
                    Ok::<(), Syntax>(())
                })?;
                self.about.init_tasks =
                    if tasks.is_empty() { Value::Null } else { Value::List(store.push_items(&tasks)) };
            }
            Slot::Field(position) => {
                let (value, new) = memo.value(reader, |reader| read(reader, store, self.decoder))?;
                self.changes.read.extend(new.map(|new| (at, new)));
                self.changes.fields.push((position, value));
            }
            Slot::Reference(position) => {
                let value = self.decoder.reference(store, integer(reader)?);
                self.changes.fields.push((position, value));
            }
            Slot::Path(position) => {
                let text = reader.string()?;
                if text.escaped {
                    return Err(reader.wrong("escapes are for the slower reader"));
                }
                let value = self.decoder.plain_path(store, text.raw);
                self.changes.fields.push((position, value));
            }
            Slot::Inside(position, inner) => {
                let (value, new) = memo.value(reader, |reader| read(reader, store, self.decoder))?;
                self.changes.read.extend(new.map(|new| (at, new)));
                self.changes.inside.push((position, inner, value));
            }
            Slot::Ignored => reader.skip()?,
        }
        Ok(())
    }
}

/// An integer of 64 bits; anything else is for the slower reader.
fn integer(reader: &mut Reader<'_>) -> Result<i64, Syntax> {
    match reader.number()? {
        Number::Int(value) => Ok(value),
        _ => Err(reader.wrong("an integer was expected")),
    }
}
