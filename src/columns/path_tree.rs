//! Where values stand, and what was seen there.

use ahash::{HashMap, HashSet};
use indexmap::{IndexMap, IndexSet};

use super::names::escape;
use crate::error::{Error, ErrorKind, Result};
use crate::objects::{ClassIx, Graph};
use crate::values::{ObjectIx, Record, RecordGroups, ShapeIx, Store, Value, index};

/// Index of a [`FieldPath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathId(pub(crate) u32);

/// What the integers of a place have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each asked for on its own")]
pub(super) struct Integers {
    pub in_i64: bool,
    pub in_u64: bool,
    pub in_38_digits: bool,
    /// Whether each is a float64 too, without rounding
    pub exact_as_float: bool,
}

/// The kinds of values seen at a place.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each asked for on its own")]
pub(super) struct Seen {
    pub bool: bool,
    pub int: Option<Integers>,
    pub float: bool,
    pub str: bool,
    pub path: bool,
    pub enums: IndexSet<String>,
    pub classes: IndexSet<String>,
    pub dict: bool,
}

impl Seen {
    fn merge(&mut self, other: &Self) {
        self.bool |= other.bool;
        self.float |= other.float;
        self.str |= other.str;
        self.path |= other.path;
        self.dict |= other.dict;
        other.int.into_iter().for_each(|integers| integers.note(&mut self.int));
        self.enums.extend(other.enums.iter().cloned());
        self.classes.extend(other.classes.iter().cloned());
    }
}

/// Where a value can stand.
#[derive(Debug, Clone)]
pub struct FieldPath {
    pub(super) parent: Option<PathId>,
    /// How many places lie above it
    level: usize,
    /// How long its name is, in bytes
    name_length: usize,
    /// How many places lie between this one and the outermost list that it is in; 0 outside of lists
    depth: usize,
    /// The key as the user wrote it; empty for the items of a list
    pub(super) key: String,
    pub(super) seen: Seen,
    pub(super) children: IndexMap<String, PathId, ahash::RandomState>,
    /// The items of the lists seen here
    pub(super) items: Option<PathId>,
    /// The members of the sets seen here
    pub(super) members: Option<PathId>,
}

impl FieldPath {
    /// The key as the user wrote it; empty for the items of a list.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The place that this one is in, unless it is a root.
    #[must_use]
    pub fn parent(&self) -> Option<PathId> {
        self.parent
    }

    /// The place of the items of the lists, or of the members of the sets, that stand here.
    #[must_use]
    pub fn inside(&self, part: super::ValueKind) -> Option<PathId> {
        if part == super::ValueKind::Set { self.members } else { self.items }
    }

    /// The deeper places, in first-seen order.
    #[must_use]
    pub fn children(&self) -> &IndexMap<String, PathId, ahash::RandomState> {
        &self.children
    }
}

/// Every place of the jobs that were read.
#[derive(Debug, Clone)]
pub struct PathTree {
    all: Vec<FieldPath>,
    limit: usize,
    /// The length of all names together
    names: usize,
    too_deep: Option<PathId>,
}

/// The deepest nesting inside of lists: Arrow types, and those who read them, are recursive.
const DEEPEST_IN_LIST: usize = 64;
/// The deepest nesting elsewhere: a job that holds the job before it, and so on, has a place for each.
const DEEPEST: usize = 8192;
/// The length of the names of all places, in bytes: a key may have any length, and all that is below repeats it.
const LONGEST_NAMES: usize = 128 << 20;

impl PathTree {
    /// Where tags stand.
    pub const TAGS: PathId = PathId(0);
    /// Where parameters stand.
    pub const CONFIG: PathId = PathId(1);

    /// No place but the two roots; more than `limit` will be refused.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let root = |key: &str| FieldPath {
            parent: None,
            level: 0,
            name_length: key.len(),
            depth: 0,
            key: key.to_owned(),
            seen: Seen::default(),
            children: IndexMap::default(),
            items: None,
            members: None,
        };
        Self { all: vec![root("tags"), root("config")], limit, names: 0, too_deep: None }
    }

    /// A place.
    ///
    /// # Panics
    /// If the index is of other places.
    #[must_use]
    pub fn get(&self, at: PathId) -> &FieldPath {
        &self.all[at.0 as usize]
    }

    fn get_mut(&mut self, at: PathId) -> &mut FieldPath {
        &mut self.all[at.0 as usize]
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Never: the roots are always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The keys from the root to a place, the root's first.
    #[must_use]
    pub fn path(&self, at: PathId) -> Vec<&str> {
        let mut keys: Vec<&str> =
            std::iter::successors(Some(self.get(at)), |place| place.parent.map(|up| self.get(up)))
                .map(FieldPath::key)
                .collect();
        keys.reverse();
        keys
    }

    /// The root that a place is under.
    #[must_use]
    pub fn root(&self, at: PathId) -> PathId {
        std::iter::successors(Some(at), |&at| self.get(at).parent).last().unwrap_or(at)
    }

    /// The place that these keys lead to, the root's first.
    #[must_use]
    pub fn find(&self, path: &[&str]) -> Option<PathId> {
        let (root, keys) = path.split_first()?;
        let root = [Self::TAGS, Self::CONFIG].into_iter().find(|&at| self.get(at).key == *root)?;
        keys.iter().try_fold(root, |at, key| self.get(at).children.get(*key).copied())
    }

    /// Whether values of this part, or nulls that would be in its column, stand at a place.
    #[must_use]
    pub fn has(&self, at: PathId, part: super::ValueKind) -> bool {
        use super::ValueKind;
        let FieldPath { seen, items, members, .. } = self.get(at);
        let only_nulls = self.parts(at).iter().all(|&(part, _)| part == ValueKind::Null);
        let there = match part {
            ValueKind::Bool => seen.bool,
            ValueKind::Int => seen.int.is_some(),
            ValueKind::Float => seen.float,
            ValueKind::Number => seen.int.is_some() || seen.float,
            ValueKind::Str => seen.str || seen.path,
            ValueKind::Enum => !seen.enums.is_empty(),
            ValueKind::List => items.is_some(),
            ValueKind::Set => members.is_some(),
            ValueKind::Null => true,
        };
        there || (only_nulls && !self.get(at).has_inside())
    }

    /// The name of a place, as in `config.model.name`.
    #[must_use]
    pub fn name(&self, at: PathId) -> String {
        self.path(at).into_iter().map(escape).collect::<Vec<_>>().join(".")
    }

    /// The place whose lists hold more levels than columns can have; what is deeper is left out.
    #[must_use]
    pub fn too_deep(&self) -> Option<String> {
        self.too_deep.map(|at| self.name(self.outside_lists(at)))
    }

    /// The place itself, or that of the outermost list that it is in.
    #[must_use]
    pub fn outside_lists(&self, at: PathId) -> PathId {
        let outside = |&at: &PathId| self.get(at).depth == 0;
        std::iter::successors(Some(at), |&at| self.get(at).parent).find(outside).unwrap_or(at)
    }

    /// A new place below `parent`; nothing, and a note of it, if that is too deep inside a list.
    fn add(&mut self, parent: PathId, key: String, in_list: bool) -> Result<Option<PathId>> {
        if self.all.len() >= self.limit {
            return Err(self.too_many());
        }
        let above = self.get(parent).depth;
        let depth = if above > 0 || in_list { above + 1 } else { 0 };
        let level = self.get(parent).level + 1;
        if depth > DEEPEST_IN_LIST || level > DEEPEST {
            self.too_deep.get_or_insert(parent);
            return Ok(None);
        }
        let name_length = self.get(parent).name_length + key.len() + 1;
        self.names = self.names.saturating_add(name_length);
        if self.names > LONGEST_NAMES {
            return Err(self.too_long());
        }
        let at = PathId(index(self.all.len()));
        let children = IndexMap::default();
        self.all.push(FieldPath {
            parent: Some(parent),
            level,
            name_length,
            depth,
            key,
            seen: Seen::default(),
            children,
            items: None,
            members: None,
        });
        Ok(Some(at))
    }

    fn child(&mut self, parent: PathId, key: &str) -> Result<Option<PathId>> {
        if let Some(&at) = self.get(parent).children.get(key) {
            return Ok(Some(at));
        }
        let added = self.add(parent, key.to_owned(), false)?;
        if let Some(at) = added {
            self.get_mut(parent).children.insert(key.to_owned(), at);
        }
        Ok(added)
    }

    fn children_of(&mut self, parent: PathId, store: &Store, shape: ShapeIx) -> Result<Vec<Option<PathId>>> {
        store.shape(shape).iter().map(|&key| self.child(parent, &store.symbol(key))).collect()
    }

    fn items_of(&mut self, list: PathId, is_set: bool) -> Result<Option<PathId>> {
        let place = self.get(list);
        if let Some(at) = if is_set { place.members } else { place.items } {
            return Ok(Some(at));
        }
        let added = self.add(list, String::new(), true)?;
        let place = self.get_mut(list);
        *(if is_set { &mut place.members } else { &mut place.items }) = added;
        Ok(added)
    }

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

    /// No place but the two roots, under the same limit.
    #[must_use]
    pub fn like(&self) -> Self {
        Self::new(self.limit)
    }

    /// Notes what stands at other places, as if it had been seen after what was seen here.
    ///
    /// # Errors
    /// `TooManyColumns`.
    pub fn merge(&mut self, others: &Self) -> Result<()> {
        let mut pending = vec![(Self::CONFIG, Self::CONFIG), (Self::TAGS, Self::TAGS)];
        while let Some((at, other)) = pending.pop() {
            let found = others.get(other);
            self.get_mut(at).seen.merge(&found.seen);
            if others.too_deep == Some(other) {
                self.too_deep.get_or_insert(at);
            }
            for (key, &below) in &found.children {
                pending.extend(self.child(at, key)?.map(|at| (at, below)));
            }
            for (inside, is_set) in [(found.items, false), (found.members, true)] {
                if let Some(below) = inside {
                    pending.extend(self.items_of(at, is_set)?.map(|at| (at, below)));
                }
            }
        }
        Ok(())
    }

    /// How many places lie below each place, itself included.
    fn weights(&self) -> Vec<usize> {
        let mut weights = vec![1; self.all.len()];
        for (at, place) in self.all.iter().enumerate().rev() {
            if let Some(parent) = place.parent {
                weights[parent.0 as usize] += weights[at];
            }
        }
        weights
    }

    fn too_long(&self) -> Error {
        let prefix = self.too_many().location().field.clone().unwrap_or_default();
        let limit = LONGEST_NAMES >> 20;
        Error::new(ErrorKind::TooManyColumns, format!("the names of the columns have more than {limit} MiB"))
            .at_field(&prefix)
            .hint("keys are very long there, or repeated very often")
    }

    /// The error that names the prefix under which the columns explode.
    pub(super) fn too_many(&self) -> Error {
        let weights = self.weights();
        let mut at = if weights[1] >= weights[0] { Self::CONFIG } else { Self::TAGS };
        while let Some(&heavy) = self.get(at).children.values().max_by_key(|child| weights[child.0 as usize])
            && weights[heavy.0 as usize] * 10 >= weights[at.0 as usize] * 9
        {
            at = heavy;
        }
        let name = self.name(at);
        Error::new(
            ErrorKind::TooManyColumns,
            format!("more columns than are allowed, most of them under {name}"),
        )
        .at_field(&name)
        .hint("choose some with columns=[…], or raise max_columns")
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

impl Integers {
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "whether anything is lost is the question"
    )]
    fn small(value: i64) -> Self {
        let exact = value.unsigned_abs() <= 1 << 53 || i128::from(value) == (value as f64) as i128;
        Self { in_i64: true, in_u64: value >= 0, in_38_digits: true, exact_as_float: exact }
    }

    fn big(digits: &[u8]) -> Self {
        let text = String::from_utf8_lossy(digits);
        let unsigned = text.trim_start_matches('-');
        // beyond 400 digits a float is infinite
        let as_float: f64 =
            if unsigned.len() > 400 { f64::INFINITY } else { text.parse().unwrap_or(f64::NAN) };
        Self {
            in_i64: text.parse::<i64>().is_ok(),
            in_u64: text.parse::<u64>().is_ok(),
            in_38_digits: unsigned.len() <= 38,
            exact_as_float: as_float.is_finite() && format!("{as_float:.0}") == text,
        }
    }

    fn note(self, seen: &mut Option<Self>) {
        let all = seen.get_or_insert(self);
        all.in_i64 &= self.in_i64;
        all.in_u64 &= self.in_u64;
        all.in_38_digits &= self.in_38_digits;
        all.exact_as_float &= self.exact_as_float;
    }
}
