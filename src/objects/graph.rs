//! Objects, their classes, and how to reach them.

use std::path::{Path, PathBuf};

use indexmap::IndexSet;

use crate::values::{Blocks, ObjectIx, Record, Store, Symbol, Text, Value};

/// Index of a [`Class`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClassIx(pub(super) u32);

/// The Python class of an object, by name; nothing is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Class {
    /// Its module
    pub module: Symbol,
    /// Its qualified name in the module
    pub name: Symbol,
    /// `module.name`, in the original case
    pub typename: Symbol,
}

/// A config as it was written: one object definition.
#[derive(Debug, Clone, Copy)]
pub struct Object {
    /// Python's `id()`, which means something only inside its container
    pub id: i64,
    /// The content identifier, 64 hexadecimal digits; the job id if the object is a task
    pub identifier: Text,
    /// Its fields, in declaration order
    pub fields: Record,
    /// The line in its file, from 1; 0 where the file is one value
    pub line: u32,
    /// What it has in common with others
    pub(super) about: ObjectMetaIx,
}

/// Index of an [`ObjectMeta`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ObjectMetaIx(pub(super) u32);

/// What an object mostly has in common with the one of its class that was defined before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ObjectMeta {
    /// Its class
    pub class: ClassIx,
    /// The task that produced it
    pub(super) task: Task,
    /// The tasks to run before it, a list
    pub init_tasks: Value,
    /// Whether it was flagged as not being part of the experiment's identity
    pub meta: bool,
    /// Whether it stands for a task that was not loaded when it was written; it has no fields then
    pub stub: bool,
    /// The file it was read from
    pub container: u32,
}

/// The task that produced an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Task {
    /// None did
    No,
    /// The object itself
    Itself,
    /// An object, or an unresolved reference
    Other(Value),
}

/// The objects of one run or of one file.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// The values that the objects hold
    pub store: Store,
    pub(super) objects: Blocks<Object>,
    pub(super) abouts: Blocks<ObjectMeta>,
    pub(super) classes: IndexSet<Class, ahash::RandomState>,
    pub(super) files: Vec<PathBuf>,
}

impl Graph {
    /// Whether all of it comes from one file.
    pub(super) fn one_file(&self) -> bool {
        self.files.len() == 1
    }

    /// Lets copies share what there is.
    pub(super) fn seal(&mut self) {
        self.store.seal();
        self.objects.seal();
        self.abouts.seal();
    }

    /// How many objects there are.
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
        (0..crate::values::index(self.objects.len())).map(ObjectIx)
    }

    /// The object at an index of this graph.
    ///
    /// # Panics
    /// If the index is of another graph.
    #[inline]
    #[must_use]
    pub fn object(&self, at: ObjectIx) -> &Object {
        &self.objects.slice(at.at(), 1)[0]
    }

    /// What an object has in common with others.
    ///
    /// # Panics
    /// If the index is of another graph.
    #[inline]
    #[must_use]
    pub fn about(&self, at: ObjectIx) -> &ObjectMeta {
        self.about_of(self.object(at))
    }

    /// What an object, not necessarily added yet, has in common with others.
    #[inline]
    pub(super) fn about_of(&self, object: &Object) -> &ObjectMeta {
        &self.abouts.slice(object.about.0 as usize, 1)[0]
    }

    /// Keeps what objects have in common.
    pub(super) fn push_about(&mut self, about: ObjectMeta) -> ObjectMetaIx {
        let at = ObjectMetaIx(crate::values::index(self.abouts.len()));
        self.abouts.last().push(about);
        at
    }

    /// The task that produced an object: an object (perhaps itself), an unresolved reference, or null.
    #[must_use]
    pub fn task(&self, at: ObjectIx) -> Value {
        match self.about(at).task {
            Task::No => Value::Null,
            Task::Itself => Value::Object(at),
            Task::Other(task) => self.store.resolve(task),
        }
    }

    /// The class of an object.
    ///
    /// # Panics
    /// If the index is of another graph.
    #[must_use]
    pub fn class(&self, at: ClassIx) -> Class {
        self.classes[at.0 as usize]
    }

    /// How many classes there are.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes.len()
    }

    /// `module.Class` of an object.
    #[must_use]
    pub fn typename(&self, at: ObjectIx) -> std::borrow::Cow<'_, str> {
        self.store.symbol(self.class(self.about(at).class).typename)
    }

    /// The content identifier of an object.
    #[must_use]
    pub fn identifier(&self, at: ObjectIx) -> std::borrow::Cow<'_, str> {
        self.store.text(self.object(at).identifier).0
    }

    /// The value of one field, or `None` if the object has no such field.
    #[must_use]
    pub fn field(&self, at: ObjectIx, name: &str) -> Option<Value> {
        let symbol = self.store.find_symbol(name.as_bytes())?;
        let fields = self.object(at).fields;
        let position = self.store.shape(fields.shape).iter().position(|&key| key == symbol)?;
        Some(self.store.record_value(fields, position))
    }

    /// The file and line where an object stands.
    #[must_use]
    pub fn place(&self, at: ObjectIx) -> (&Path, u64) {
        (self.file(self.about(at).container), u64::from(self.object(at).line))
    }

    /// The file of a container.
    #[must_use]
    pub fn file(&self, container: u32) -> &Path {
        self.files.get(container as usize).map_or(Path::new(""), PathBuf::as_path)
    }

    /// The objects that `at` holds in its fields and init tasks, however deep in lists and dicts, and the references that name
    /// no object. Not the task that produced it.
    pub fn held(&self, at: ObjectIx, mut found: impl FnMut(Value)) {
        let mut pending: Vec<Value> = vec![self.about(at).init_tasks, Value::Dict(self.object(at).fields)];
        while let Some(value) = pending.pop() {
            match value {
                Value::Object(_) | Value::Unresolved(_) => found(value),
                Value::List(items) | Value::Set(items) => {
                    let from = pending.len();
                    pending.extend(self.store.items(items));
                    pending[from..].reverse();
                }
                Value::Dict(record) => {
                    let from = pending.len();
                    pending.extend(self.store.entries(record).map(|(_, value)| value));
                    pending[from..].reverse();
                }
                _ => {}
            }
        }
    }
}
