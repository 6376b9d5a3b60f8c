//! An object definition: a line of an objects.jsonl, or an item of `"objects"` elsewhere.

use super::decode::{Decoder, NOBODY};
use super::graph::{Class, ClassIx, Graph, Object, ObjectMeta, Task};
use crate::error::{Error, Result};
use crate::json::{JsonType, Number, Reader, Syntax};
use crate::values::{ObjectIx, Record, Store, Symbol, Text, Value, index, read, record};

/// The keys of a definition that have a value of the right type (docs/format.md §2.2).
#[derive(Default)]
pub(super) struct Definition {
    id: Option<i64>,
    module: Option<Symbol>,
    name: Option<Symbol>,
    typename: Option<Symbol>,
    identifier: Option<Text>,
    fields: Option<Record>,
    task: Option<i64>,
    init_tasks: Vec<i64>,
    meta: bool,
    stub: bool,
}

impl Graph {
    /// Adds the object defined on `line`; `None` if it is already in the graph, by an id that the decoder knows.
    pub(super) fn add_object(
        &mut self,
        definition: &Definition,
        line: u32,
        decoder: &mut Decoder<'_>,
    ) -> Result<Option<ObjectIx>> {
        let id = definition.id.ok_or_else(|| missing("id"))?;
        let identifier = definition.identifier.ok_or_else(|| missing("identifier"))?;
        let fields = definition.fields.ok_or_else(|| missing("fields"))?;
        if decoder.defined.is_some_and(|defined| defined.get(id).is_some()) {
            return Ok(None);
        }
        let class = self.class_of(definition)?;
        let task = match definition.task {
            None => Task::No,
            Some(task) if task == id => Task::Itself,
            Some(task) => Task::Reference(decoder.reference(&mut self.store, task)),
        };
        let init_tasks: Vec<Value> =
            definition.init_tasks.iter().map(|&task| decoder.reference(&mut self.store, task)).collect();
        let init_tasks =
            if init_tasks.is_empty() { Value::Null } else { Value::List(self.store.push_items(&init_tasks)) };
        let (meta, stub, container) = (definition.meta, definition.stub, decoder.container);
        let about = self.push_about(ObjectMeta { class, task, init_tasks, meta, stub, container });
        self.put(Object { id, identifier, fields, line, about }, decoder).map(Some)
    }

    /// Appends an object.
    ///
    /// # Errors
    /// Its id is that of an object with another identifier; it is added all the same.
    pub(super) fn put(&mut self, object: Object, decoder: &mut Decoder<'_>) -> Result<ObjectIx> {
        let added = ObjectIx(index(self.objects.len()));
        let Object { id, identifier, .. } = object;
        self.objects.last().push(object);
        decoder.referrers.resize(self.objects.len(), NOBODY);
        let Some(before) = decoder.ids.insert(id, added) else { return Ok(added) };
        decoder.repeated = true;
        if self.store.bytes(self.object(before).identifier) == self.store.bytes(identifier) {
            return Ok(added);
        }
        Err(Error::format(format!("id {id} is given to a second object; later references name the second")))
    }

    fn class_of(&mut self, definition: &Definition) -> Result<ClassIx> {
        let nothing = self.store.intern(b"");
        let typename = match (definition.typename, definition.module, definition.name) {
            (Some(typename), _, _) => typename,
            (None, Some(module), Some(name)) => {
                let joined = [self.store.symbol_bytes(module), b".", self.store.symbol_bytes(name)].concat();
                self.store.intern(&joined)
            }
            _ => return Err(missing("typename")),
        };
        let class = Class {
            module: definition.module.unwrap_or(nothing),
            name: definition.name.unwrap_or(typename),
            typename,
        };
        Ok(ClassIx(index(self.classes.insert_full(class).0)))
    }
}

impl Definition {
    /// Takes one definition.
    pub fn read(reader: &mut Reader<'_>, store: &mut Store, decoder: &mut Decoder<'_>) -> Result<Self> {
        let mut definition = Self::default();
        reader.entries(|reader, key| {
            match (key.raw, reader.peek()?) {
                (b"id", JsonType::Number) => definition.id = integer(reader)?,
                (b"module", JsonType::String) => definition.module = Some(symbol(reader, store)?),
                (b"type", JsonType::String) => definition.name = Some(symbol(reader, store)?),
                (b"typename", JsonType::String) => definition.typename = Some(symbol(reader, store)?),
                (b"identifier", JsonType::String) => {
                    definition.identifier = Some(store.string(reader.string()?)?);
                }
                (b"identifier", JsonType::Dict) => definition.identifier = main_identifier(reader, store)?,
                (b"fields", JsonType::Dict) => definition.fields = Some(record(reader, store, decoder)?),
                (b"task", JsonType::Number) => definition.task = integer(reader)?,
                (b"init-tasks", JsonType::List) => reader.items(|reader| {
                    definition.init_tasks.extend(integer(reader)?);
                    Ok::<(), Syntax>(())
                })?,
                (b"meta", JsonType::Bool) => definition.meta = reader.bool()?,
                (b"stub", JsonType::Bool) => definition.stub = reader.bool()?,
                _ => reader.skip()?,
            }
            Ok::<(), Error>(())
        })?;
        Ok(definition)
    }
}

fn missing(key: &str) -> Error {
    Error::format(format!("an object definition without \"{key}\""))
        .hint("it is left out; jobs that refer to it have null there")
}

fn integer(reader: &mut Reader<'_>) -> std::result::Result<Option<i64>, Syntax> {
    match reader.peek()? {
        JsonType::Number => match reader.number()? {
            Number::Int(value) => Ok(Some(value)),
            _ => Ok(None),
        },
        _ => reader.skip().map(|()| None),
    }
}

fn symbol(reader: &mut Reader<'_>, store: &mut Store) -> Result<Symbol> {
    let text = reader.string()?;
    if !text.escaped {
        return Ok(store.intern(text.raw));
    }
    let text = store.string(text)?;
    let name = store.bytes(text).to_vec();
    Ok(store.intern(&name))
}

/// The identifier of files older than 1.0: `{"main": hex, "sub": hex or null}`.
fn main_identifier(reader: &mut Reader<'_>, store: &mut Store) -> Result<Option<Text>> {
    let Value::Dict(parts) = read(reader, store, &mut crate::values::Plain)? else { return Ok(None) };
    let main = store.find_symbol(b"main");
    let identifier = store.entries(parts).find(|&(key, _)| Some(key) == main);
    Ok(identifier.and_then(|(_, value)| if let Value::Str(text) = value { Some(text) } else { None }))
}
