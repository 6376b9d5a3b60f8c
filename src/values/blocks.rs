//! A vector in a few pieces, so that what several threads read, or what was read at several times, is joined without
//! copying.

use std::sync::Arc;

/// Items in a few pieces, indexed through all of them. Items that were pushed together are in one piece.
#[derive(Debug, Clone)]
pub(crate) struct Blocks<T> {
    /// The piece that grows
    last: Vec<T>,
    /// The index of its first item
    start: usize,
    /// The pieces before it, with the index of their first item; clones share them
    earlier: Vec<(usize, Arc<Vec<T>>)>,
}

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self { last: Vec::new(), start: 0, earlier: Vec::new() }
    }
}

impl<T: Copy> Blocks<T> {
    /// The number of items.
    pub fn len(&self) -> usize {
        self.start + self.last.len()
    }

    /// The piece that grows.
    pub fn last(&mut self) -> &mut Vec<T> {
        &mut self.last
    }

    /// `length` items from `start` on, which were pushed together; empty if out of range.
    #[inline]
    pub fn slice(&self, start: usize, length: usize) -> &[T] {
        let (first, piece) = self.piece(start);
        piece.get(start - first..start - first + length).unwrap_or_default()
    }

    #[inline]
    fn piece(&self, position: usize) -> (usize, &[T]) {
        if position >= self.start {
            return (self.start, &self.last);
        }
        let piece = self.earlier.iter().rev().find(|(start, _)| *start <= position);
        piece.map_or((self.start, &self.last), |(start, piece)| (*start, piece))
    }

    /// The pieces, to be shared; `None` while the last one has items and may grow.
    pub fn shared(&self) -> Option<impl ExactSizeIterator<Item = &Arc<Vec<T>>>> {
        self.last.is_empty().then(|| self.earlier.iter().map(|(_, piece)| piece))
    }

    /// The number of the piece that has an item (the piece that grows is the last), and the position of the item in it.
    #[inline]
    pub fn locate(&self, position: usize) -> (usize, usize) {
        let starts = self.earlier.iter().map(|(start, _)| *start).chain([self.start]);
        let before = starts.take_while(|start| *start <= position);
        before.enumerate().last().map_or((0, position), |(piece, start)| (piece, position - start))
    }

    /// Drops all items from `length` on. Items of sealed pieces stay.
    pub fn truncate(&mut self, length: usize) {
        self.last.truncate(length.saturating_sub(self.start));
    }

    /// Ends the piece that grows, so that clones share it.
    pub fn seal(&mut self) {
        if self.last.is_empty() {
            return;
        }
        let start = self.len();
        self.earlier.push((self.start, Arc::new(std::mem::take(&mut self.last))));
        self.start = start;
    }

    /// The number of pieces.
    pub fn pieces(&self) -> usize {
        self.earlier.len() + 1
    }

    /// Appends the items of `next`.
    pub fn append(&mut self, next: Self) {
        let length = self.len();
        self.seal();
        self.earlier.extend(next.earlier.into_iter().map(|(start, piece)| (start + length, piece)));
        self.start = next.start + length;
        self.last = next.last;
    }

    /// All items.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.earlier.iter().flat_map(|(_, piece)| piece.iter()).chain(&self.last)
    }

    /// An item, to be changed; a piece that is shared is copied first.
    pub fn get_mut(&mut self, position: usize) -> Option<&mut T> {
        if position >= self.start {
            return self.last.get_mut(position - self.start);
        }
        let (start, piece) = self.earlier.iter_mut().rev().find(|(start, _)| *start <= position)?;
        Arc::make_mut(piece).get_mut(position - *start)
    }

    /// All items, to be changed; pieces that are shared are copied first.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.earlier.iter_mut().flat_map(|(_, piece)| Arc::make_mut(piece)).chain(&mut self.last)
    }
}
