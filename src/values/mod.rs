//! The Python values of fields and tags, stored compactly.
//!
//! A [`Store`] owns the values that were read into it; a [`Value`] has 16 bytes and may refer to texts, lists or
//! records of the store. Dicts and the fields of configs are both a [`Record`]: a [`Shape`] (its keys, stored once) and
//! as many values. Most records are rows of a *sheet*, which stores a value only where it changes. Stores that several
//! threads filled are merged into one.

mod blocks;
mod line_cache;
mod memo;
mod merge;
mod read;
mod record_groups;
mod sheet;
mod store;
mod value;

pub(crate) use blocks::Blocks;
pub(crate) use line_cache::{
    ChangedSlot, LineCache, LineTemplate, RowChanges, SlotFinder, distinct_entries, skipped,
};
pub(crate) use merge::Moved;
pub use read::{Decode, Plain, read, record};
pub(crate) use record_groups::RecordGroups;
pub use store::Store;
pub(crate) use value::index;
pub use value::{
    EnumMember, Items, ObjectIx, Record, Shape, ShapeIx, Symbol, Text, Unresolved, UnresolvedIx, Value,
};
