//! The objects of a container by their ids.

use std::sync::Arc;

use ahash::HashMap;

use crate::values::{ObjectIx, index};

/// A map from id to object in layers, so that what several threads read, or what was read at several times, is joined
/// without copying.
#[derive(Debug, Clone, Default)]
pub(super) struct Ids {
    /// The layer that grows; its objects count from `start`
    last: HashMap<i64, u32>,
    start: u32,
    /// The layers before it, with the object that theirs count from
    earlier: Vec<(u32, Arc<HashMap<i64, u32>>)>,
}

impl Ids {
    /// The number of ids; an id that several layers have counts in each.
    pub fn len(&self) -> usize {
        self.last.len() + self.earlier.iter().map(|(_, layer)| layer.len()).sum::<usize>()
    }

    /// The object of an id, the last if it was used several times.
    #[inline]
    pub fn get(&self, id: i64) -> Option<ObjectIx> {
        match self.last.get(&id) {
            Some(&object) => Some(ObjectIx(self.start + object)),
            None => self.get_earlier(id),
        }
    }

    fn get_earlier(&self, id: i64) -> Option<ObjectIx> {
        let mut layers = self.earlier.iter().rev();
        layers.find_map(|(start, layer)| layer.get(&id).map(|object| ObjectIx(start + object)))
    }

    /// Gives an object an id and returns the object that had it before.
    pub fn insert(&mut self, id: i64, object: ObjectIx) -> Option<ObjectIx> {
        let before = self.last.insert(id, object.0 - self.start);
        before.map(|object| ObjectIx(self.start + object)).or_else(|| self.get_earlier(id))
    }

    /// All ids and their objects; an id that several layers have comes with each of its objects.
    pub fn iter(&self) -> impl Iterator<Item = (i64, ObjectIx)> {
        let last = (self.start, &self.last);
        let layers = self.earlier.iter().map(|(start, layer)| (*start, &**layer)).chain([last]);
        layers
            .flat_map(|(start, layer)| layer.iter().map(move |(&id, object)| (id, ObjectIx(start + object))))
    }

    /// Ends the layer that grows, so that clones share it. The next object is `objects`.
    pub fn seal(&mut self, objects: usize) {
        self.earlier.push((self.start, Arc::new(std::mem::take(&mut self.last))));
        self.start = index(objects);
    }

    /// Appends the ids of `next`, whose first object is `objects`.
    pub fn append(&mut self, next: Self, objects: usize) {
        self.seal(objects);
        let first = index(objects);
        self.earlier.extend(next.earlier.into_iter().map(|(start, layer)| (start + first, layer)));
        self.last = next.last;
        self.start = next.start + first;
    }
}

impl FromIterator<(i64, ObjectIx)> for Ids {
    fn from_iter<I: IntoIterator<Item = (i64, ObjectIx)>>(ids: I) -> Self {
        let last = ids.into_iter().map(|(id, object)| (id, object.0)).collect();
        Self { last, ..Self::default() }
    }
}
