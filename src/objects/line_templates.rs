//! Reads definitions by their differences from the last one of the same class.
//!
//! Definitions of one class with the same keys have the same form, see [`crate::values::LineTemplate`]. What is read is
//! the same as without templates: each value that differs is read by the same code, and all bytes between values must
//! be equal.

use ahash::HashMap;

use super::decode::Decoder;
use super::graph::{Graph, Object, ObjectMeta, Task};
use super::slots::{Slot, Slots};
use crate::json::{Number, Reader, Syntax};
use crate::values::{ChangedSlot, LineCache, LineTemplate, ObjectIx, Record, RowChanges, Store, Value, read};

/// The definitions of one form.
#[derive(Debug)]
struct DefinitionTemplate {
    line: LineTemplate<Slot>,
    /// The object of the last line
    object: Object,
    fields: RowChanges,
    /// The fields that are dicts of the user: position and changed values
    dicts: Vec<(u32, RowChanges)>,
    /// Another form of the same class
    sibling: Option<usize>,
}

/// The forms of the definitions of a file.
#[derive(Debug, Default)]
pub(super) struct TemplateCache {
    templates: LineCache<DefinitionTemplate>,
    /// One template of each class, by [`class_key`]
    classes: HashMap<Box<[u8]>, usize>,
    hits: usize,
    misses: usize,
}

const MAX_TEMPLATES: usize = 1 << 12;
/// The identifier is searched only in so many bytes: in a line without one the search would run into later lines.
const MAX_CLASS_KEY_BYTES: usize = 1 << 10;
/// No class has more fields.
const MAX_FIELDS: usize = 1 << 12;
/// After this many misses new forms are added only while hits outnumber misses.
const TRIAL_MISSES: usize = 1 << 10;

impl TemplateCache {
    /// The object that the first line of `text` defines and the length of that line with its end; `None` if it fits no
    /// template.
    pub fn read(
        &mut self,
        text: &[u8],
        graph: &mut Graph,
        decoder: &mut Decoder<'_>,
    ) -> Option<(Object, usize)> {
        let guess = self.templates.guess()?;
        if let Some(result) = self.read_with(guess, text, graph, decoder) {
            return Some(result);
        }
        let mut next = self.classes.get(class_key(text)?).copied();
        while let Some(index) = next {
            if index != guess
                && let Some(result) = self.read_with(index, text, graph, decoder)
            {
                return Some(result);
            }
            next = self.templates.get(index)?.sibling;
        }
        None
    }

    fn read_with(
        &mut self,
        index: usize,
        text: &[u8],
        graph: &mut Graph,
        decoder: &mut Decoder<'_>,
    ) -> Option<(Object, usize)> {
        let result = self.templates.get_mut(index)?.read(text, graph, decoder)?;
        self.templates.advance(index);
        self.hits += 1;
        Some(result)
    }

    /// Adds the template of a line that was read whole.
    pub fn learn(&mut self, line: &[u8], graph: &mut Graph, object: ObjectIx) {
        self.misses += 1;
        if self.misses > TRIAL_MISSES && self.hits < self.misses || self.templates.len() >= MAX_TEMPLATES {
            return;
        }
        let object = *graph.object(object);
        let fields = graph.store.shape(object.fields.shape).len();
        if fields > MAX_FIELDS {
            return;
        }
        let (Some(slots), Some(key)) = (Slots::of(line, fields), class_key(line)) else { return };
        let first = self.classes.get(key).copied();
        let mut next = first;
        while let Some(index) = next
            && let Some(template) = self.templates.get_mut(index)
        {
            if template.is_of(&object, &slots, graph) {
                template.replace(line, slots, object, &mut graph.store);
                return self.templates.advance(index);
            }
            next = template.sibling;
        }
        let Some(template) = DefinitionTemplate::new(line, slots, object, first, &mut graph.store) else {
            return;
        };
        let index = self.templates.push(template);
        self.classes.insert(key.into(), index);
    }

    /// Drops all templates, when ids no longer mean the objects that they meant.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The text between the id of a definition and its identifier, which most often is the class.
fn class_key(text: &[u8]) -> Option<&[u8]> {
    let line = &text[..text.len().min(MAX_CLASS_KEY_BYTES)];
    let start = memchr::memchr(b',', line)?;
    let end = memchr::memmem::find(line, b"\"identifier\"")?;
    line.get(start..end)
}

impl DefinitionTemplate {
    fn new(
        line: &[u8],
        slots: Slots,
        object: Object,
        sibling: Option<usize>,
        store: &mut Store,
    ) -> Option<Self> {
        let mut dicts = Vec::with_capacity(slots.dict_fields.len());
        for position in slots.dict_fields {
            let Value::Dict(dict) = store.record_value(object.fields, position as usize) else { return None };
            dicts.push((position, RowChanges::after(dict, store)));
        }
        let fields = RowChanges::after(object.fields, store);
        Some(Self { line: LineTemplate::new(line, slots.finder), object, fields, dicts, sibling })
    }

    /// Whether an object with these slots has this form.
    fn is_of(&self, object: &Object, slots: &Slots, graph: &Graph) -> bool {
        let dict_shape =
            |fields: Record, position: u32| match graph.store.record_value(fields, position as usize) {
                Value::Dict(dict) => Some(dict.shape),
                _ => None,
            };
        let same_shape = |&(position, _): &(u32, RowChanges)| {
            dict_shape(self.object.fields, position) == dict_shape(object.fields, position)
        };
        graph.about_of(&self.object).class == graph.about_of(object).class
            && self.object.fields.shape == object.fields.shape
            && self.line.has_slots(&slots.finder)
            && self.dicts.iter().all(same_shape)
    }

    /// Makes a line of the same form, which was read whole, the last one.
    fn replace(&mut self, line: &[u8], slots: Slots, object: Object, store: &mut Store) {
        for (position, dict) in &self.dicts {
            if let Value::Dict(record) = store.record_value(object.fields, *position as usize) {
                dict.repeat_row(record, store);
            }
        }
        self.fields.repeat_row(object.fields, store);
        self.line.replace(line, slots.finder);
        self.object = object;
    }

    fn read(&mut self, text: &[u8], graph: &mut Graph, decoder: &mut Decoder<'_>) -> Option<(Object, usize)> {
        let (mark, references) = (graph.store.mark(), graph.store.unresolved.len());
        let previous = *graph.about_of(&self.object);
        self.fields.clear();
        self.dicts.iter_mut().for_each(|(_, dict)| dict.clear());
        let mut changed = ChangedObject {
            store: &mut graph.store,
            decoder,
            object: self.object,
            about: previous,
            fields: &mut self.fields,
            dicts: &mut self.dicts,
            new_id: false,
            new_task: false,
        };
        let length = self.line.fit(text, |slot| changed.take(slot));
        let ChangedObject { mut object, about, new_id, new_task, .. } = changed;
        // an id that comes again, or a task that is another object now, is for the slow reader
        let is_usable = new_id && (new_task || !previous.changes_with_id(object.id, graph));
        // a new unresolved reference may be defined in the next line
        let is_settled = decoder.foreign.is_some() || graph.store.unresolved.len() == references;
        if length.is_some() && !(is_usable && is_settled) {
            self.line.clear();
        }
        let Some(length) = length.filter(|_| is_usable) else {
            graph.store.rewind(mark);
            if !is_settled {
                graph.store.unresolved.truncate(references);
            }
            return None;
        };
        if is_settled {
            self.line.remember(text);
        }
        object.fields = self.add_rows(&mut graph.store)?;
        if about != previous {
            object.about = graph.push_about(about);
        }
        self.object = object;
        Some((object, length))
    }

    /// Adds the rows of the line to their sheets, and returns the fields of its object.
    fn add_rows(&mut self, store: &mut Store) -> Option<Record> {
        for (position, dict) in self.dicts.iter().filter(|(_, dict)| !dict.is_empty()) {
            self.fields.push(*position, Value::Dict(dict.add_row(store)?));
        }
        self.fields.add_row(store)
    }
}

impl ObjectMeta {
    /// Whether the task of another definition with the same text for its task would mean another object, if that
    /// definition has this `id`: the task is then the object itself.
    fn changes_with_id(&self, id: i64, graph: &Graph) -> bool {
        match self.task {
            Task::No => false,
            Task::Reference(Value::Object(task)) => graph.object(task).id == id,
            Task::Reference(Value::Unresolved(task)) => graph.store.unresolved(task).id == id,
            Task::Itself | Task::Reference(_) => true,
        }
    }
}

/// An object that starts as that of the template and takes the values that differ.
struct ChangedObject<'t, 'd> {
    store: &'t mut Store,
    decoder: &'t mut Decoder<'d>,
    object: Object,
    about: ObjectMeta,
    fields: &'t mut RowChanges,
    dicts: &'t mut Vec<(u32, RowChanges)>,
    new_id: bool,
    new_task: bool,
}

impl ChangedObject<'_, '_> {
    fn take(&mut self, changed: ChangedSlot<'_, '_, Slot>) -> Result<(), Syntax> {
        let Self { store, decoder, .. } = self;
        match changed.slot {
            Slot::Id => {
                self.object.id = integer(changed.reader)?;
                self.new_id = true;
            }
            Slot::Identifier => self.object.identifier = store.string(changed.reader.string()?)?,
            Slot::Task => {
                let task = integer(changed.reader)?;
                let is_itself = task == self.object.id;
                self.about.task =
                    if is_itself { Task::Itself } else { Task::Reference(decoder.reference(store, task)) };
                self.new_task = true;
            }
            Slot::InitTasks => self.about.init_tasks = init_tasks(changed.reader, store, decoder)?,
            Slot::Field(position) => {
                let value = changed.value(|reader| read(reader, store, *decoder))?;
                self.fields.push(position, value);
            }
            Slot::Reference(position) => {
                let value = decoder.reference(store, integer(changed.reader)?);
                self.fields.push(position, value);
            }
            Slot::Path(position) => {
                let text = changed.reader.string()?;
                if text.escaped {
                    return Err(changed.reader.wrong("escapes are for the slow reader"));
                }
                self.fields.push(position, decoder.plain_path(store, text.raw));
            }
            Slot::DictValue(dict, position) => {
                let value = changed.value(|reader| read(reader, store, *decoder))?;
                self.dicts[dict].1.push(position, value);
            }
            Slot::Ignored => changed.reader.skip()?,
        }
        Ok(())
    }
}

fn init_tasks(
    reader: &mut Reader<'_>,
    store: &mut Store,
    decoder: &mut Decoder<'_>,
) -> Result<Value, Syntax> {
    let mut tasks = Vec::new();
    reader.items(|reader| {
        tasks.push(decoder.reference(store, integer(reader)?));
        Ok::<(), Syntax>(())
    })?;
    Ok(if tasks.is_empty() { Value::Null } else { Value::List(store.push_items(&tasks)) })
}

/// An integer of 64 bits; any other is for the slow reader.
fn integer(reader: &mut Reader<'_>) -> Result<i64, Syntax> {
    match reader.number()? {
        Number::Int(value) => Ok(value),
        _ => Err(reader.wrong("an integer was expected")),
    }
}
