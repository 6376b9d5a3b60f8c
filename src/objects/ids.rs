//! The objects of a container by their ids.

use std::sync::Arc;

use ahash::HashMap;

use crate::values::{ObjectIx, index};

/// The objects of a container by their ids, in layers: what was read by several threads, or at several times, is put together
/// without being copied.
#[derive(Debug, Clone, Default)]
pub(super) struct Ids {
    /// The layer that grows; positions count from `start`
    last: HashMap<i64, u32>,
    start: u32,
    /// The layers before it, with what their positions count from
    earlier: Vec<(u32, Arc<HashMap<i64, u32>>)>,
}

impl Ids {
    /// How many ids there are, those given twice counted once a layer.
    pub fn len(&self) -> usize {
        self.last.len() + self.earlier.iter().map(|(_, layer)| layer.len()).sum::<usize>()
    }

    /// The object that an id names, the last one if several do.
    #[inline]
    pub fn get(&self, id: i64) -> Option<ObjectIx> {
        if let Some(&at) = self.last.get(&id) {
            return Some(ObjectIx(self.start + at));
        }
        self.earlier.iter().rev().find_map(|(start, layer)| layer.get(&id).map(|at| ObjectIx(start + at)))
    }

    /// Names an object; gives back what the id named before.
    pub fn insert(&mut self, id: i64, at: ObjectIx) -> Option<ObjectIx> {
        let before = self.last.insert(id, at.0 - self.start).map(|at| ObjectIx(self.start + at));
        before.or_else(|| {
            let layers = self.earlier.iter().rev();
            layers.clone().find_map(|(start, layer)| layer.get(&id).map(|at| ObjectIx(start + at)))
        })
    }

    /// Makes room for more ids.
    pub fn reserve(&mut self, more: usize) {
        self.last.reserve(more);
    }

    /// Every id and what it names; of one that is in several layers, each.
    pub fn iter(&self) -> impl Iterator<Item = (i64, ObjectIx)> {
        let earlier = self
            .earlier
            .iter()
            .flat_map(|(start, layer)| layer.iter().map(move |(&id, at)| (id, ObjectIx(start + at))));
        earlier.chain(self.last.iter().map(|(&id, at)| (id, ObjectIx(self.start + at))))
    }

    /// Lets what there is be shared; what comes from now on starts at `objects`.
    pub fn seal(&mut self, objects: usize) {
        self.earlier.push((self.start, Arc::new(std::mem::take(&mut self.last))));
        self.start = index(objects);
    }

    /// Puts others behind these, whose objects come after `objects` others.
    pub fn append(&mut self, others: Self, objects: usize) {
        self.seal(objects);
        let by = index(objects);
        self.earlier.extend(others.earlier.into_iter().map(|(start, layer)| (start + by, layer)));
        self.last = others.last;
        self.start = others.start + by;
    }
}

impl FromIterator<(i64, ObjectIx)> for Ids {
    fn from_iter<I: IntoIterator<Item = (i64, ObjectIx)>>(ids: I) -> Self {
        let last = ids.into_iter().map(|(id, at)| (id, at.0)).collect();
        Self { last, ..Self::default() }
    }
}
