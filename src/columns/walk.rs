//! Walks the tags and configs of jobs, and notes in a [`PathTree`] which values stand where.

use ahash::{HashMap, HashSet};
use indexmap::IndexMap;

use super::path_tree::{PathId, PathTree};
use super::seen::Integers;
use crate::error::Result;
use crate::objects::{ClassIx, Graph};
use crate::values::{ObjectIx, Record, RecordGroups, ShapeIx, Store, Value, index};

impl PathTree {
    /// Notes the tags of jobs.
    ///
    /// # Errors
    /// `TooManyColumns`.
    pub fn see_tags(&mut self, store: &Store, tags: impl IntoIterator<Item = Record>) -> Result<()> {
        Walk { places: self, store, graph: None, marks: Marks::default(), met: HashSet::default() }
            .descend(Self::TAGS, RecordGroups::new(tags.into_iter().map(Some)))
    }

    /// Notes the configs of jobs, and all that is below.
    ///
    /// # Errors
    /// `TooManyColumns`.
    pub fn see_configs(&mut self, graph: &Graph, roots: &[ObjectIx]) -> Result<()> {
        let mut walk = Walk {
            places: self,
            store: &graph.store,
            graph: Some(graph),
            marks: Marks::of(graph),
            met: HashSet::default(),
        };
        let seen = &mut walk.places.get_mut(Self::CONFIG).seen;
        let mut classes: HashSet<ClassIx> = HashSet::default();
        let mut last = None;
        let holders = RecordGroups::new(roots.iter().map(|&root| {
            let class = graph.about(root).class;
            if last.replace(class) != Some(class) && classes.insert(class) {
                seen.classes.insert(graph.typename(root).into_owned());
            }
            Some(graph.object(root).fields)
        }));
        walk.descend(Self::CONFIG, holders)
    }
}

/// The holders that were found at each place.
#[derive(Default)]
struct Found {
    order: IndexMap<PathId, Vec<Record>, ahash::RandomState>,
    /// Where the last one was found, among those places
    last: Option<(PathId, usize)>,
    /// The last object that was met, most often met again, and its class
    last_object: Option<(PathId, ObjectIx)>,
    last_class: Option<(PathId, ClassIx)>,
}

impl Found {
    fn push(&mut self, at: PathId, record: Record) {
        let known = self.last.filter(|&(last, _)| last == at).map(|(_, known)| known);
        let known = known.unwrap_or_else(|| {
            let entry = self.order.entry(at);
            let known = entry.index();
            entry.or_default();
            known
        });
        self.order[known].push(record);
        self.last = Some((at, known));
    }
}

struct Walk<'w> {
    places: &'w mut PathTree,
    store: &'w Store,
    graph: Option<&'w Graph>,
    /// The objects that stand in many holders of a place
    marks: Marks,
    /// The objects met at a place, and in its lists: an object is looked into once a place, however many jobs share it
    met: HashSet<(PathId, ObjectIx)>,
}

/// Where each object was found last: the place, and its position among the values there. The roots are no such place.
#[derive(Default)]
struct Marks(Vec<(u32, u32)>);

impl Marks {
    fn of(graph: &Graph) -> Self {
        Self(vec![(0, 0); graph.len()])
    }

    /// Adds the value that the holder at a position has to those of a place. An object that is among them is not added again:
    /// it stands where it came first.
    fn add(&mut self, at: PathId, (position, value): (u32, Value), values: &mut Vec<(u32, Value)>) {
        let mark = if let Value::Object(object) = value { self.0.get_mut(object.at()) } else { None };
        if let Some(mark) = mark {
            let known = values.get_mut(mark.1 as usize).filter(|known| mark.0 == at.0 && known.1 == value);
            if let Some((first, _)) = known {
                *first = position.min(*first);
                return;
            }
            *mark = (at.0, index(values.len()));
        }
        values.push((position, value));
    }
}

impl Walk<'_> {
    /// Notes what each holder at a place holds, and all that is below.
    fn descend(&mut self, at: PathId, holders: RecordGroups) -> Result<()> {
        let mut pending: Vec<(PathId, Vec<Record>)> =
            self.look_into(at, &holders)?.order.into_iter().collect();
        drop(holders);
        while let Some((at, records)) = pending.pop() {
            let holders = RecordGroups::new(records.into_iter().map(Some));
            pending.extend(self.look_into(at, &holders)?.order);
        }
        Ok(())
    }

    /// Notes the values of each holder at `at`.
    fn look_into(&mut self, at: PathId, holders: &RecordGroups) -> Result<Found> {
        let mut known: HashMap<ShapeIx, Vec<Option<PathId>>> = HashMap::default();
        for shape in holders.shapes() {
            known.insert(shape, self.places.children_of(at, self.store, shape)?);
        }
        let mut marks = std::mem::take(&mut self.marks);
        let mut last: Option<(ShapeIx, &[Option<PathId>])> = None;
        let mut later: IndexMap<PathId, Vec<(u32, Value)>, ahash::RandomState> = IndexMap::default();
        holders.each_field(self.store, |shape, field, value, position| {
            let children = match last {
                Some((known, children)) if known == shape => children,
                _ => &known[&shape],
            };
            last = Some((shape, children));
            if let Some(child) = children[field] {
                let value = self.store.resolve(value);
                if !self.see_plain(child, value) {
                    marks.add(child, (position, value), later.entry(child).or_default());
                }
            }
        });
        self.marks = marks;
        let mut found = Found::default();
        for (child, mut values) in later {
            // in the order of the holders, whatever the order in which they were read
            values.sort_by_key(|&(position, _)| position);
            for (_, value) in values {
                self.see(child, value, &mut found)?;
            }
            self.met.clear();
        }
        Ok(found)
    }

    /// Notes a value that holds no others; says whether it was one.
    fn see_plain(&mut self, at: PathId, value: Value) -> bool {
        let seen = &mut self.places.get_mut(at).seen;
        match value {
            Value::Null | Value::Unresolved(_) => {}
            Value::Bool(_) => seen.bool = true,
            Value::Int(value) => Integers::small(value).note(&mut seen.int),
            Value::BigInt(digits) => Integers::big(self.store.bytes(digits)).note(&mut seen.int),
            Value::Float(_) => seen.float = true,
            Value::Str(_) => seen.str = true,
            Value::Path(_) => seen.path = true,
            Value::Enum(_) | Value::List(_) | Value::Set(_) | Value::Dict(_) | Value::Object(_) => {
                return false;
            }
        }
        true
    }

    /// Notes a value that is more than itself.
    fn see(&mut self, at: PathId, value: Value, found: &mut Found) -> Result<()> {
        match value {
            Value::Enum(member) => self.see_enum(at, member),
            Value::List(items) | Value::Set(items) => {
                if let Some(inside) = self.places.items_of(at, matches!(value, Value::Set(_)))? {
                    for item in self.store.items(items) {
                        if !self.see_plain(inside, item) {
                            self.see(inside, item, found)?;
                        }
                    }
                }
            }
            Value::Dict(record) => {
                self.places.get_mut(at).seen.dict = true;
                found.push(at, record);
            }
            Value::Object(object) => self.see_object(at, object, found),
            _ => {}
        }
        Ok(())
    }

    fn see_enum(&mut self, at: PathId, member: u32) {
        let Some(member) = self.store.enum_member(member) else { return };
        let class = self.store.symbol(member.class);
        let seen = &mut self.places.get_mut(at).seen;
        if !seen.enums.contains(class.as_ref()) {
            seen.enums.insert(class.into_owned());
        }
    }

    fn see_object(&mut self, at: PathId, object: ObjectIx, found: &mut Found) {
        let Some(graph) = self.graph else { return };
        if found.last_object.replace((at, object)) == Some((at, object)) || !self.met.insert((at, object)) {
            return;
        }
        let class = graph.about(object).class;
        if found.last_class.replace((at, class)) != Some((at, class)) {
            let typename = graph.typename(object);
            let seen = &mut self.places.get_mut(at).seen;
            if !seen.classes.contains(typename.as_ref()) {
                seen.classes.insert(typename.into_owned());
            }
        }
        found.push(at, graph.object(object).fields);
    }
}
