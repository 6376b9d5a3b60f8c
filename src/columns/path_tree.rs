//! The paths at which values stand, as a tree.

use indexmap::IndexMap;

use super::kind::ValueKind;
use super::names::escape;
use super::seen::Seen;
use crate::error::{Error, ErrorKind, Result};
use crate::values::{ShapeIx, Store, index};

/// Index of a [`FieldPath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathId(pub(crate) u32);

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
    pub fn inside(&self, part: ValueKind) -> Option<PathId> {
        if part == ValueKind::Set { self.members } else { self.items }
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

    pub(super) fn get_mut(&mut self, at: PathId) -> &mut FieldPath {
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

    pub(super) fn children_of(
        &mut self,
        parent: PathId,
        store: &Store,
        shape: ShapeIx,
    ) -> Result<Vec<Option<PathId>>> {
        store.shape(shape).iter().map(|&key| self.child(parent, &store.symbol(key))).collect()
    }

    pub(super) fn items_of(&mut self, list: PathId, is_set: bool) -> Result<Option<PathId>> {
        let place = self.get(list);
        if let Some(at) = if is_set { place.members } else { place.items } {
            return Ok(Some(at));
        }
        let added = self.add(list, String::new(), true)?;
        let place = self.get_mut(list);
        *(if is_set { &mut place.members } else { &mut place.items }) = added;
        Ok(added)
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
