//! Items in the order they came, in a few pieces: what was collected by several threads, or at several times, is put together
//! without being copied.

use std::sync::Arc;

/// Items in a few pieces, numbered through. What was pushed together lies in one piece.
#[derive(Debug, Clone)]
pub(crate) struct Blocks<T> {
    /// The piece that grows, and the number of its first item
    last: Vec<T>,
    start: usize,
    /// The pieces before it, with the number of their first item; copies of these blocks share them
    earlier: Vec<(usize, Arc<Vec<T>>)>,
}

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self { last: Vec::new(), start: 0, earlier: Vec::new() }
    }
}

impl<T: Copy> Blocks<T> {
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.start + self.last.len()
    }

    /// The piece that grows.
    pub fn last(&mut self) -> &mut Vec<T> {
        &mut self.last
    }

    /// Items that were pushed together; none if there are not so many.
    #[inline]
    pub fn slice(&self, at: usize, length: usize) -> &[T] {
        let (start, piece) = self.piece(at);
        piece.get(at - start..at - start + length).unwrap_or_default()
    }

    #[inline]
    fn piece(&self, at: usize) -> (usize, &[T]) {
        if at >= self.start {
            return (self.start, &self.last);
        }
        let found = self.earlier.iter().rev().find(|(start, _)| *start <= at);
        found.map_or((self.start, &self.last), |(start, piece)| (*start, piece))
    }

    /// The pieces, to be shared; nothing if the last one still grows.
    pub fn shared(&self) -> Option<impl ExactSizeIterator<Item = &Arc<Vec<T>>>> {
        self.last.is_empty().then(|| self.earlier.iter().map(|(_, piece)| piece))
    }

    /// The number of the piece that an item is in, the last one being that which grows, and the item's number there.
    #[inline]
    pub fn place(&self, at: usize) -> (usize, usize) {
        let starts = self.earlier.iter().map(|(start, _)| *start).chain([self.start]);
        let before = starts.take_while(|start| *start <= at);
        before.enumerate().last().map_or((0, at), |(piece, start)| (piece, at - start))
    }

    /// Keeps the first items; only what the last piece has can be forgotten.
    pub fn truncate(&mut self, length: usize) {
        self.last.truncate(length.saturating_sub(self.start));
    }

    /// Lets copies share the items that there are.
    pub fn seal(&mut self) {
        if self.last.is_empty() {
            return;
        }
        let start = self.len();
        self.earlier.push((self.start, Arc::new(std::mem::take(&mut self.last))));
        self.start = start;
    }

    /// How many pieces there are.
    pub fn pieces(&self) -> usize {
        self.earlier.len() + 1
    }

    /// Puts the items of others behind these.
    pub fn append(&mut self, others: Self) {
        let by = self.len();
        self.seal();
        self.earlier.extend(others.earlier.into_iter().map(|(start, piece)| (start + by, piece)));
        self.start = others.start + by;
        self.last = others.last;
    }

    /// Every item.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.earlier.iter().flat_map(|(_, piece)| piece.iter()).chain(&self.last)
    }

    /// One item, to be changed; a piece that is shared is copied first.
    pub fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        if at >= self.start {
            return self.last.get_mut(at - self.start);
        }
        let (start, piece) = self.earlier.iter_mut().rev().find(|(start, _)| *start <= at)?;
        Arc::make_mut(piece).get_mut(at - *start)
    }

    /// Every item, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.earlier.iter_mut().flat_map(|(_, piece)| Arc::make_mut(piece)).chain(&mut self.last)
    }
}
