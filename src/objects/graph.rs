//! Objects, their classes, and the references between them.

use std::path::{Path, PathBuf};

use indexmap::IndexSet;

use crate::values::{Blocks, ObjectIx, Record, Store, Symbol, Text, Value, index};

/// Index of a [`Class`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClassIx(pub(super) u32);

/// The Python class of an object, by name: nothing is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Class {
    /// Its module
    pub module: Symbol,
    /// Its qualified name in the module
    pub name: Symbol,
    /// `module.name`, in the original case
    pub typename: Symbol,
}

/// A config as written: one object definition.
#[derive(Debug, Clone, Copy)]
pub struct Object {
    /// Python's `id()`, unique only inside its container
    pub id: i64,
    /// The content identifier, 64 hexadecimal digits; the job id if the object is a task
    pub identifier: Text,
    /// Its fields, in declaration order
    pub fields: Record,
    /// The line in its file, from 1; 0 where the file is one value
    pub line: u32,
    /// The attributes that it mostly shares with others
    pub(super) about: ObjectMetaIx,
}

/// Index of an [`ObjectMeta`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ObjectMetaIx(pub(super) u32);

/// Attributes of an object that mostly equal those of the object of its class that was defined before it, stored once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ObjectMeta {
    /// Its class
    pub class: ClassIx,
    /// The task that produced it
    pub(super) task: Task,
    /// The tasks to run before it, a list
    pub init_tasks: Value,
    /// Whether it was flagged as no part of the identity of the experiment
    pub meta: bool,
    /// Whether it represents a task that was not loaded when it was written; it has no fields then
    pub stub: bool,
    /// The file it was read from
    pub container: u32,
}

/// The task that produced an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Task {
    /// No task
    No,
    /// The object itself
    Itself,
    /// An object, or an unresolved reference
    Reference(Value),
}

/// The objects of one run or of one file.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// The values of its objects
    pub store: Store,
    pub(super) objects: Blocks<Object>,
    pub(super) abouts: Blocks<ObjectMeta>,
    pub(super) classes: IndexSet<Class, ahash::RandomState>,
    pub(super) files: Vec<PathBuf>,
}

impl Graph {
    /// Whether all objects are from one file.
    pub(super) fn one_file(&self) -> bool {
        self.files.len() == 1
    }

    /// Shares everything read so far with later clones.
    pub(super) fn seal(&mut self) {
        self.store.seal();
        self.objects.seal();
        self.abouts.seal();
    }

    /// The number of objects.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there is no object.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.len() == 0
    }

    /// The indices of all objects, in the order in which they were read.
    pub fn indices(&self) -> impl Iterator<Item = ObjectIx> + use<> {
        (0..index(self.objects.len())).map(ObjectIx)
    }

    /// The object at an index of this graph.
    ///
    /// # Panics
    /// If the index is of another graph.
    #[inline]
    #[must_use]
    pub fn object(&self, object: ObjectIx) -> &Object {
        &self.objects.slice(object.index(), 1)[0]
    }

    /// The shared attributes of an object.
    ///
    /// # Panics
    /// If the index is of another graph.
    #[inline]
    #[must_use]
    pub fn about(&self, object: ObjectIx) -> &ObjectMeta {
        self.about_of(self.object(object))
    }

    /// The shared attributes of an object that need not be added yet.
    #[inline]
    pub(super) fn about_of(&self, object: &Object) -> &ObjectMeta {
        &self.abouts.slice(object.about.0 as usize, 1)[0]
    }

    /// Adds shared attributes.
    pub(super) fn push_about(&mut self, about: ObjectMeta) -> ObjectMetaIx {
        let meta = ObjectMetaIx(index(self.abouts.len()));
        self.abouts.last().push(about);
        meta
    }

    /// The task that produced an object: an object (perhaps itself), an unresolved reference, or null.
    #[must_use]
    pub fn task(&self, object: ObjectIx) -> Value {
        match self.about(object).task {
            Task::No => Value::Null,
            Task::Itself => Value::Object(object),
            Task::Reference(task) => self.store.resolve(task),
        }
    }

    /// The job that produced an object: its task, or the object itself if it is a job. A job that was not submitted yet when it
    /// was written names no task, so `is_job` says whether an identifier is that of a job. Nothing for other objects, and
    /// where no file has the task.
    #[must_use]
    pub fn producer(&self, object: ObjectIx, is_job: impl FnOnce(&[u8]) -> bool) -> Option<ObjectIx> {
        match self.task(object) {
            Value::Object(task) => Some(task),
            Value::Unresolved(_) => None,
            _ => {
                let is_job = || is_job(self.store.bytes(self.object(object).identifier));
                (self.about(object).stub || is_job()).then_some(object)
            }
        }
    }

    /// The class at an index of this graph.
    ///
    /// # Panics
    /// If the index is of another graph.
    #[must_use]
    pub fn class(&self, class: ClassIx) -> Class {
        self.classes[class.0 as usize]
    }

    /// `module.Class` of an object.
    #[must_use]
    pub fn typename(&self, object: ObjectIx) -> std::borrow::Cow<'_, str> {
        self.store.symbol(self.class(self.about(object).class).typename)
    }

    /// The content identifier of an object.
    #[must_use]
    pub fn identifier(&self, object: ObjectIx) -> std::borrow::Cow<'_, str> {
        self.store.text(self.object(object).identifier).0
    }

    /// The value of a field; `None` if the object has no such field.
    #[must_use]
    pub fn field(&self, object: ObjectIx, name: &str) -> Option<Value> {
        let symbol = self.store.find_symbol(name.as_bytes())?;
        let fields = self.object(object).fields;
        let position = self.store.shape(fields.shape).iter().position(|&key| key == symbol)?;
        Some(self.store.record_value(fields, position))
    }

    /// The file and line that define an object.
    #[must_use]
    pub fn location(&self, object: ObjectIx) -> (&Path, u64) {
        (self.file(self.about(object).container), u64::from(self.object(object).line))
    }

    /// The file of a container.
    #[must_use]
    pub fn file(&self, container: u32) -> &Path {
        self.files.get(container as usize).map_or(Path::new(""), PathBuf::as_path)
    }

    /// Calls `visit` with each reference in the fields and init tasks of an object, however deep in lists and dicts:
    /// objects, and references without an object. The task that produced the object is not visited.
    pub fn each_reference(&self, object: ObjectIx, visit: impl FnMut(Value)) {
        let pending = vec![self.about(object).init_tasks, Value::Dict(self.object(object).fields)];
        self.each_reference_in(pending, visit);
    }

    /// Whether experimaestro's loader needs `wanted` for an object of the first file: it follows fields and the tasks that produced
    /// objects, and no init tasks.
    #[must_use]
    pub fn is_needed(&self, wanted: ObjectIx) -> bool {
        self.indices().filter(|&object| self.about(object).container == 0).any(|object| {
            let mut is_found = self.task(object) == Value::Object(wanted);
            let fields = vec![Value::Dict(self.object(object).fields)];
            self.each_reference_in(fields, |value| is_found |= value == Value::Object(wanted));
            is_found
        })
    }

    fn each_reference_in(&self, mut pending: Vec<Value>, mut visit: impl FnMut(Value)) {
        while let Some(value) = pending.pop() {
            let length = pending.len();
            match value {
                Value::Object(_) | Value::Unresolved(_) => visit(value),
                Value::List(items) | Value::Set(items) => pending.extend(self.store.items(items)),
                Value::Dict(record) => pending.extend(self.store.entries(record).map(|(_, value)| value)),
                _ => {}
            }
            pending[length..].reverse();
        }
    }
}
