//! The columns of a set of jobs: names, types, unification, selection. This room describes columns and builds none.
//!
//! A [`FieldPath`] says where a value can stand, as in `config.model.name`. [`PathTree::observe_tags`] and
//! [`PathTree::observe_configs`] walk the jobs of a run and note which types of values each path has; all runs share one tree.
//! [`Columns`] turns the tree into named, typed columns, and [`Selection`] picks among them.

mod identifiers;
mod kind;
mod listing;
mod names;
mod path_tree;
mod seen;
mod selection;
mod stored_tree;
mod types;
mod unite;
mod upstream_name;
mod walk;

pub use identifiers::{Naming, named};
pub use kind::ValueKind;
pub use listing::{Column, ColumnSource, Columns, Merged, Step, System};
pub use names::{escape, short_name, task_matches};
pub use path_tree::{FieldPath, PathId, PathTree};
pub use selection::{Chosen, ColumnNames, Selection, glob_matches};
pub use stored_tree::{StoredPaths, UpstreamPaths};
pub use types::{Member, MemberSource, Type};
pub use upstream_name::{UpstreamName, task_splits};
