//! The tree of the paths at which values stand.

use indexmap::IndexMap;

use super::kind::ValueKind;
use super::names::escape;
use super::seen::SeenTypes;
use crate::error::{Error, ErrorKind, Result};
use crate::values::{ShapeIx, Store, index};

/// Index of a [`FieldPath`] in its [`PathTree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathId(pub(crate) u32);

/// Where a value can stand: a key below another path, or the elements of the lists or sets of another path.
#[derive(Debug, Clone)]
pub struct FieldPath {
    pub(super) parent: Option<PathId>,
    /// How many paths lie above it
    level: usize,
    /// The length of its whole name, in bytes
    name_bytes: usize,
    /// How many paths lie between it and the outermost list that holds it; 0 outside of lists
    list_depth: usize,
    /// The key as the user wrote it; empty for the elements of a list or set
    pub(super) key: String,
    pub(super) seen: SeenTypes,
    pub(super) children: IndexMap<String, PathId, ahash::RandomState>,
    /// The items of the lists seen here
    pub(super) items: Option<PathId>,
    /// The members of the sets seen here
    pub(super) members: Option<PathId>,
}

impl FieldPath {
    fn root(key: &str) -> Self {
        Self {
            parent: None,
            level: 0,
            name_bytes: key.len(),
            list_depth: 0,
            key: key.to_owned(),
            seen: SeenTypes::default(),
            children: IndexMap::default(),
            items: None,
            members: None,
        }
    }

    /// The key as the user wrote it; empty for the elements of a list or set.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The path above it, unless it is a root.
    #[must_use]
    pub fn parent(&self) -> Option<PathId> {
        self.parent
    }

    /// The path of the items of the lists seen here, or of the members of the sets.
    #[must_use]
    pub fn elements(&self, kind: ValueKind) -> Option<PathId> {
        if kind == ValueKind::Set { self.members } else { self.items }
    }

    /// The paths below it by their keys, in first-seen order.
    #[must_use]
    pub fn children(&self) -> &IndexMap<String, PathId, ahash::RandomState> {
        &self.children
    }
}

/// All paths of the jobs that were read.
#[derive(Debug, Clone)]
pub struct PathTree {
    paths: Vec<FieldPath>,
    max_paths: usize,
    /// The length of all names together
    name_bytes: usize,
    too_deep: Option<PathId>,
}

/// The deepest nesting inside of lists. pyarrow reads types of 64 levels: these, the column and the table.
const MAX_LIST_DEPTH: usize = 62;
/// The deepest nesting elsewhere. A chain of jobs, each of which holds the job before it, needs a path for each.
const MAX_LEVEL: usize = 8192;
/// The length of the names of all paths, in bytes. A key may have any length, and every path below repeats it.
const MAX_NAME_BYTES: usize = 128 << 20;

impl PathTree {
    /// The root of tags.
    pub const TAGS: PathId = PathId(0);
    /// The root of parameters.
    pub const CONFIG: PathId = PathId(1);
    /// The root of results.
    pub const RESULT: PathId = PathId(2);
    const ROOTS: [PathId; 3] = [Self::TAGS, Self::CONFIG, Self::RESULT];

    /// A tree of the roots that refuses more than `max_paths` paths.
    #[must_use]
    pub fn new(max_paths: usize) -> Self {
        let paths = ["tags", "config", "result"].map(FieldPath::root).into();
        Self { paths, max_paths, name_bytes: 0, too_deep: None }
    }

    /// A tree of the roots, under the same limit.
    #[must_use]
    pub fn empty_copy(&self) -> Self {
        Self::new(self.max_paths)
    }

    /// The same tree, whose results are forgotten. Other paths keep their indices.
    #[must_use]
    pub fn without_results(&self) -> Self {
        let mut tree = self.clone();
        *tree.get_mut(Self::RESULT) = FieldPath::root("result");
        tree
    }

    /// The path of an index.
    ///
    /// # Panics
    /// If the index is of another tree.
    #[must_use]
    pub fn get(&self, id: PathId) -> &FieldPath {
        &self.paths[id.0 as usize]
    }

    pub(super) fn get_mut(&mut self, id: PathId) -> &mut FieldPath {
        &mut self.paths[id.0 as usize]
    }

    /// The number of paths.
    #[must_use]
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// False: every tree has the roots.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    pub(super) fn max_paths(&self) -> usize {
        self.max_paths
    }

    pub(super) fn is_too_deep(&self, id: PathId) -> bool {
        self.too_deep == Some(id)
    }

    pub(super) fn mark_too_deep(&mut self, id: PathId) {
        self.too_deep = Some(id);
    }

    /// A path and those above it, up to the root.
    fn ancestors(&self, id: PathId) -> impl Iterator<Item = PathId> {
        std::iter::successors(Some(id), |&id| self.get(id).parent)
    }

    /// The keys that lead to a path, the root's first.
    #[must_use]
    pub fn path(&self, id: PathId) -> Vec<&str> {
        let mut keys: Vec<&str> = self.ancestors(id).map(|id| self.get(id).key()).collect();
        keys.reverse();
        keys
    }

    /// The root above a path.
    #[must_use]
    pub fn root(&self, id: PathId) -> PathId {
        self.ancestors(id).last().unwrap_or(id)
    }

    /// The path that these keys lead to, the root's first.
    #[must_use]
    pub fn find(&self, keys: &[&str]) -> Option<PathId> {
        let (root, keys) = keys.split_first()?;
        let root = Self::ROOTS.into_iter().find(|&id| self.get(id).key == *root)?;
        keys.iter().try_fold(root, |id, key| self.get(id).children.get(*key).copied())
    }

    /// The name of a path, as in `config.model.name`.
    #[must_use]
    pub fn name(&self, id: PathId) -> String {
        self.path(id).into_iter().map(escape).collect::<Vec<_>>().join(".")
    }

    /// The name of a path below which values are left out, because they are nested too deep.
    #[must_use]
    pub fn too_deep(&self) -> Option<String> {
        self.too_deep.map(|id| self.name(self.outside_lists(id)))
    }

    /// The path itself, or that of the outermost list that holds it.
    #[must_use]
    pub fn outside_lists(&self, id: PathId) -> PathId {
        self.ancestors(id).find(|&id| self.get(id).list_depth == 0).unwrap_or(id)
    }

    /// Adds a path below `parent`. Returns nothing, and notes it, if the path is too deep.
    fn add(&mut self, parent: PathId, key: &str, in_list: bool) -> Result<Option<PathId>> {
        if self.paths.len() >= self.max_paths {
            return Err(self.too_many());
        }
        let above = self.get(parent);
        let list_depth = if above.list_depth > 0 || in_list { above.list_depth + 1 } else { 0 };
        let (level, name_bytes) = (above.level + 1, above.name_bytes + key.len() + 1);
        if list_depth > MAX_LIST_DEPTH || level > MAX_LEVEL {
            self.too_deep.get_or_insert(parent);
            return Ok(None);
        }
        self.name_bytes = self.name_bytes.saturating_add(name_bytes);
        if self.name_bytes > MAX_NAME_BYTES {
            return Err(self.names_too_long());
        }
        let id = PathId(index(self.paths.len()));
        let parent = Some(parent);
        self.paths.push(FieldPath { parent, level, name_bytes, list_depth, ..FieldPath::root(key) });
        Ok(Some(id))
    }

    pub(super) fn child(&mut self, parent: PathId, key: &str) -> Result<Option<PathId>> {
        if let Some(&id) = self.get(parent).children.get(key) {
            return Ok(Some(id));
        }
        let added = self.add(parent, key, false)?;
        if let Some(id) = added {
            self.get_mut(parent).children.insert(key.to_owned(), id);
        }
        Ok(added)
    }

    /// A path that no other leads to, as [`Self::without_results`] leaves them.
    pub(super) fn forgotten_child(&mut self, parent: PathId, key: &str) -> Result<Option<PathId>> {
        self.add(parent, key, false)
    }

    /// The path of each key of a shape below `parent`; none for a key that is too deep.
    pub(super) fn children_of_shape(
        &mut self,
        parent: PathId,
        store: &Store,
        shape: ShapeIx,
    ) -> Result<Vec<Option<PathId>>> {
        store.shape(shape).iter().map(|&key| self.child(parent, &store.symbol(key))).collect()
    }

    /// The path of the elements of the lists or sets of a path; none if it is too deep.
    pub(super) fn elements_of(&mut self, list: PathId, is_set: bool) -> Result<Option<PathId>> {
        let path = self.get(list);
        if let Some(id) = if is_set { path.members } else { path.items } {
            return Ok(Some(id));
        }
        let added = self.add(list, "", true)?;
        let path = self.get_mut(list);
        *(if is_set { &mut path.members } else { &mut path.items }) = added;
        Ok(added)
    }

    /// Adds the paths and types of another tree, as if its jobs had been observed after those of this one.
    ///
    /// # Errors
    /// `TooManyColumns`.
    pub fn merge(&mut self, later: &Self) -> Result<()> {
        let mut pending =
            vec![(Self::RESULT, Self::RESULT), (Self::CONFIG, Self::CONFIG), (Self::TAGS, Self::TAGS)];
        while let Some((id, later_id)) = pending.pop() {
            let path = later.get(later_id);
            self.get_mut(id).seen.merge(&path.seen);
            if later.too_deep == Some(later_id) {
                self.too_deep.get_or_insert(id);
            }
            for (key, &below) in &path.children {
                pending.extend(self.child(id, key)?.map(|id| (id, below)));
            }
            for (elements, is_set) in [(path.items, false), (path.members, true)] {
                if let Some(below) = elements {
                    pending.extend(self.elements_of(id, is_set)?.map(|id| (id, below)));
                }
            }
        }
        Ok(())
    }

    /// The number of paths below each path, itself included.
    fn weights(&self) -> Vec<usize> {
        let mut weights = vec![1; self.paths.len()];
        for (id, path) in self.paths.iter().enumerate().rev() {
            if let Some(parent) = path.parent {
                weights[parent.0 as usize] += weights[id];
            }
        }
        weights
    }

    fn names_too_long(&self) -> Error {
        let limit = MAX_NAME_BYTES >> 20;
        let reason = format!("the names of the columns are longer than {limit} MiB together");
        Error::new(ErrorKind::TooManyColumns, reason)
            .at_field(&self.heaviest_prefix())
            .hint("keys are very long below this field, or repeated very often")
    }

    /// The error for more paths or columns than are allowed.
    pub(super) fn too_many(&self) -> Error {
        let prefix = self.heaviest_prefix();
        let reason = format!("more columns than are allowed, most of them under {prefix}");
        Error::new(ErrorKind::TooManyColumns, reason)
            .at_field(&prefix)
            .hint("choose some with columns=[…], or raise max_columns")
    }

    /// The name of the deepest path that has nine tenths of all paths below it.
    pub(super) fn heaviest_prefix(&self) -> String {
        let weights = self.weights();
        let weight = |id: PathId| weights[id.0 as usize];
        let mut id = Self::CONFIG;
        for root in Self::ROOTS {
            if weight(root) > weight(id) {
                id = root;
            }
        }
        while let Some(&heavy) = self.get(id).children.values().max_by_key(|&&child| weight(child))
            && weight(heavy) * 10 >= weight(id) * 9
        {
            id = heavy;
        }
        self.name(id)
    }
}
