//! Walks the tags and configs of jobs, and notes in a [`PathTree`] which values stand where.

use ahash::{HashMap, HashSet};
use indexmap::IndexMap;

use super::path_tree::{PathId, PathTree};
use super::seen::IntegerFit;
use crate::error::Result;
use crate::objects::{ClassIx, Graph};
use crate::values::{ObjectIx, Record, RecordGroups, ShapeIx, Store, Value, index};

impl PathTree {
    /// Notes the tags of jobs.
    ///
    /// # Errors
    /// `TooManyColumns`.
    pub fn observe_tags(&mut self, store: &Store, tags: impl IntoIterator<Item = Record>) -> Result<()> {
        Walk::new(self, store, None).descend(Self::TAGS, RecordGroups::new(tags.into_iter().map(Some)))
    }

    /// Notes the configs of jobs and all values below them.
    ///
    /// # Errors
    /// `TooManyColumns`.
    pub fn observe_configs(&mut self, graph: &Graph, roots: &[ObjectIx]) -> Result<()> {
        let seen = &mut self.get_mut(Self::CONFIG).seen;
        let mut classes: HashSet<ClassIx> = HashSet::default();
        let mut last = None;
        let configs = RecordGroups::new(roots.iter().map(|&root| {
            let class = graph.about(root).class;
            if last.replace(class) != Some(class) && classes.insert(class) {
                seen.classes.insert(graph.typename(root).into_owned());
            }
            Some(graph.object(root).fields)
        }));
        Walk::new(self, &graph.store, Some(graph)).descend(Self::CONFIG, configs)
    }
}

/// The configs and dicts to walk next, by their paths.
#[derive(Default)]
struct NextRecords {
    by_path: IndexMap<PathId, Vec<Record>, ahash::RandomState>,
    /// The path of the last record, and its position in `by_path`
    last: Option<(PathId, usize)>,
    /// The object met last, which is likely to be met again, and its class
    last_object: Option<(PathId, ObjectIx)>,
    last_class: Option<(PathId, ClassIx)>,
}

impl NextRecords {
    fn push(&mut self, path: PathId, record: Record) {
        let position = match self.last {
            Some((last, position)) if last == path => position,
            _ => {
                let entry = self.by_path.entry(path);
                let position = entry.index();
                entry.or_default();
                position
            }
        };
        self.by_path[position].push(record);
        self.last = Some((path, position));
    }
}

struct Walk<'w> {
    tree: &'w mut PathTree,
    store: &'w Store,
    graph: Option<&'w Graph>,
    marks: ObjectMarks,
    /// The objects met at a path, and in its lists. Each object is walked once a path, however many jobs share it.
    met: HashSet<(PathId, ObjectIx)>,
}

/// Where each object was met last: the path, and its position among the values of that path. The roots are no such path.
#[derive(Default)]
struct ObjectMarks(Vec<(u32, u32)>);

impl ObjectMarks {
    fn new(graph: &Graph) -> Self {
        Self(vec![(0, 0); graph.len()])
    }

    /// Adds the value of the record at `position` to the values of a path. An object is added once, with its first position.
    fn add(&mut self, path: PathId, (position, value): (u32, Value), values: &mut Vec<(u32, Value)>) {
        let mark = if let Value::Object(object) = value { self.0.get_mut(object.index()) } else { None };
        if let Some(mark) = mark {
            let same = values.get_mut(mark.1 as usize).filter(|same| mark.0 == path.0 && same.1 == value);
            if let Some((first, _)) = same {
                *first = position.min(*first);
                return;
            }
            *mark = (path.0, index(values.len()));
        }
        values.push((position, value));
    }
}

impl<'w> Walk<'w> {
    fn new(tree: &'w mut PathTree, store: &'w Store, graph: Option<&'w Graph>) -> Self {
        let marks = graph.map(ObjectMarks::new).unwrap_or_default();
        Self { tree, store, graph, marks, met: HashSet::default() }
    }

    /// Notes the values of the records of a path, and all values below.
    fn descend(&mut self, path: PathId, records: RecordGroups) -> Result<()> {
        let mut pending: Vec<(PathId, Vec<Record>)> =
            self.observe_fields(path, &records)?.by_path.into_iter().collect();
        drop(records);
        while let Some((path, records)) = pending.pop() {
            let records = RecordGroups::new(records.into_iter().map(Some));
            pending.extend(self.observe_fields(path, &records)?.by_path);
        }
        Ok(())
    }

    /// Notes the field values of the records of a path. Returns the records below.
    fn observe_fields(&mut self, path: PathId, records: &RecordGroups) -> Result<NextRecords> {
        let mut children_of: HashMap<ShapeIx, Vec<Option<PathId>>> = HashMap::default();
        for shape in records.shapes() {
            children_of.insert(shape, self.tree.children_of_shape(path, self.store, shape)?);
        }
        let mut marks = std::mem::take(&mut self.marks);
        let mut last: Option<(ShapeIx, &[Option<PathId>])> = None;
        let mut nested: IndexMap<PathId, Vec<(u32, Value)>, ahash::RandomState> = IndexMap::default();
        records.each_field(self.store, |shape, field, value, position| {
            let children = match last {
                Some((last, children)) if last == shape => children,
                _ => &children_of[&shape],
            };
            last = Some((shape, children));
            if let Some(child) = children[field] {
                let value = self.store.resolve(value);
                if !self.observe_scalar(child, value) {
                    marks.add(child, (position, value), nested.entry(child).or_default());
                }
            }
        });
        self.marks = marks;
        let mut next = NextRecords::default();
        for (child, mut values) in nested {
            // in the order of the jobs, whatever the order in which sheets were read
            values.sort_by_key(|&(position, _)| position);
            for (_, value) in values {
                self.observe_nested(child, value, &mut next)?;
            }
            self.met.clear();
        }
        Ok(next)
    }

    /// Notes a value that holds no others. Returns whether it was such a value.
    fn observe_scalar(&mut self, path: PathId, value: Value) -> bool {
        let seen = &mut self.tree.get_mut(path).seen;
        match value {
            Value::Null | Value::Unresolved(_) => {}
            Value::Bool(_) => seen.bool = true,
            Value::Int(value) => IntegerFit::of_i64(value).narrow(&mut seen.int),
            Value::BigInt(digits) => IntegerFit::of_digits(self.store.bytes(digits)).narrow(&mut seen.int),
            Value::Float(_) => seen.float = true,
            Value::Str(_) => seen.str = true,
            Value::Path(_) => seen.path = true,
            Value::Enum(_) | Value::List(_) | Value::Set(_) | Value::Dict(_) | Value::Object(_) => {
                return false;
            }
        }
        true
    }

    /// Notes an enum member, a list, a set, a dict or a config.
    fn observe_nested(&mut self, path: PathId, value: Value, next: &mut NextRecords) -> Result<()> {
        match value {
            Value::Enum(member) => self.observe_enum(path, member),
            Value::List(items) | Value::Set(items) => {
                let is_set = matches!(value, Value::Set(_));
                if let Some(elements) = self.tree.elements_of(path, is_set)? {
                    for item in self.store.items(items) {
                        if !self.observe_scalar(elements, item) {
                            self.observe_nested(elements, item, next)?;
                        }
                    }
                }
            }
            Value::Dict(record) => {
                self.tree.get_mut(path).seen.dict = true;
                next.push(path, record);
            }
            Value::Object(object) => self.observe_object(path, object, next),
            _ => {}
        }
        Ok(())
    }

    fn observe_enum(&mut self, path: PathId, member: u32) {
        let Some(member) = self.store.enum_member(member) else { return };
        let class = self.store.symbol(member.class);
        let seen = &mut self.tree.get_mut(path).seen;
        if !seen.enums.contains(class.as_ref()) {
            seen.enums.insert(class.into_owned());
        }
    }

    fn observe_object(&mut self, path: PathId, object: ObjectIx, next: &mut NextRecords) {
        let Some(graph) = self.graph else { return };
        let is_repeated = next.last_object.replace((path, object)) == Some((path, object));
        if is_repeated || !self.met.insert((path, object)) {
            return;
        }
        let class = graph.about(object).class;
        if next.last_class.replace((path, class)) != Some((path, class)) {
            let typename = graph.typename(object);
            let seen = &mut self.tree.get_mut(path).seen;
            if !seen.classes.contains(typename.as_ref()) {
                seen.classes.insert(typename.into_owned());
            }
        }
        next.push(path, graph.object(object).fields);
    }
}
