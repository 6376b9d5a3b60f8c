//! What columns a set of jobs has: names, types, unification, selection. Describes, builds nothing.
//!
//! A *place* is where a value can stand: `config.model.name`. [`PathTree::see`] walks the jobs of a run and notes what stands
//! where; every run that is read is noted into the same [`PathTree`]. [`Columns`] turns the notes into named, typed columns,
//! and [`Selection`] picks among them.

mod listing;
mod names;
mod path_tree;
mod selection;
mod types;

pub use listing::{Column, ColumnSource, Columns, System};
pub use names::{escape, short_name};
pub use path_tree::{FieldPath, PathId, PathTree};
pub use selection::{Chosen, Selection, glob_matches};
pub use types::{Member, MemberSource, Type, ValueKind};
