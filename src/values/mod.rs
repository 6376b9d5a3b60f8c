//! What fields and tags hold: the Python values that the files encode, stored compactly.
//!
//! A [`Store`] owns what was read into it; a [`Value`] is 16 bytes that may point into it. Dicts and the fields of configs are
//! the same thing, a [`Record`]: a [`Shape`] (its keys, stored once) and as many values. Stores that were filled by several
//! threads become one.

mod blocks;
mod memo;
mod merge;
mod read;
mod record_groups;
mod sheet;
mod store;

pub(crate) use blocks::Blocks;
pub(crate) use memo::{Memo, Read};
pub use read::{Decode, Plain, read, record};
pub(crate) use record_groups::RecordGroups;
pub(crate) use store::SheetIx;
pub use store::{
    EnumMember, Items, Record, Shape, ShapeIx, Store, Symbol, Text, Unresolved, UnresolvedIx, Value,
};

/// Index of an object in the graph it was read into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectIx(pub u32);

impl ObjectIx {
    /// The index as the position that it is.
    #[must_use]
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// Position of the next item of a store, which holds at most 2³² of each kind.
pub(crate) fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
