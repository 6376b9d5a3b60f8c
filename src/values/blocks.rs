//! Items in the order they came, in a few pieces: what was collected by several threads, or at several times, is put together
//! without being copied.

use std::ops::Range;
use std::sync::Arc;

/// What blocks are made of: strings and vectors.
pub(crate) trait Piece: Default + Clone {
    /// What a slice of it is.
    type Slice: ?Sized;
    /// How many items it has.
    fn length(&self) -> usize;
    /// Some of its items, none if there are not so many.
    fn part(&self, range: Range<usize>) -> Option<&Self::Slice>;
    /// No items.
    fn nothing<'n>() -> &'n Self::Slice;
    /// Keeps the first items.
    fn cut(&mut self, length: usize);
}

impl Piece for String {
    type Slice = str;

    fn length(&self) -> usize {
        self.len()
    }

    fn part(&self, range: Range<usize>) -> Option<&str> {
        self.get(range)
    }

    fn nothing<'n>() -> &'n str {
        ""
    }

    fn cut(&mut self, length: usize) {
        self.truncate(length);
    }
}

impl<T: Copy + 'static> Piece for Vec<T> {
    type Slice = [T];

    fn length(&self) -> usize {
        self.len()
    }

    fn part(&self, range: Range<usize>) -> Option<&[T]> {
        self.get(range)
    }

    fn nothing<'n>() -> &'n [T] {
        &[]
    }

    fn cut(&mut self, length: usize) {
        self.truncate(length);
    }
}

/// Items in a few pieces, numbered through. What was pushed together lies in one piece.
#[derive(Debug, Clone, Default)]
pub(crate) struct Blocks<P> {
    /// The piece that grows, and the number of its first item
    last: P,
    start: usize,
    /// The pieces before it, with the number of their first item; copies of these blocks share them
    earlier: Vec<(usize, Arc<P>)>,
}

impl<P: Piece> Blocks<P> {
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.start + self.last.length()
    }

    /// The piece that grows.
    pub fn last(&mut self) -> &mut P {
        &mut self.last
    }

    /// Items that were pushed together.
    #[inline]
    pub fn slice(&self, at: usize, length: usize) -> &P::Slice {
        let (start, piece) = self.piece(at);
        piece.part(at - start..at - start + length).unwrap_or(P::nothing())
    }

    #[inline]
    fn piece(&self, at: usize) -> (usize, &P) {
        if at >= self.start {
            return (self.start, &self.last);
        }
        let found = self.earlier.iter().rev().find(|(start, _)| *start <= at);
        found.map_or((self.start, &self.last), |(start, piece)| (*start, piece))
    }

    /// Keeps the first items; only what the last piece has can be forgotten.
    pub fn truncate(&mut self, length: usize) {
        self.last.cut(length.saturating_sub(self.start));
    }

    /// Lets copies share the items that there are.
    pub fn seal(&mut self) {
        if self.last.length() == 0 {
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
}

impl<T: Copy + 'static> Blocks<Vec<T>> {
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
