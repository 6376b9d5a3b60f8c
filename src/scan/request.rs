//! What was asked for.

use std::sync::Arc;

use crate::columns::Selection;
use crate::loaded::LoadedRun;
use crate::records::Zone;
use crate::table::Texts;

/// What was asked for.
#[derive(Debug, Clone)]
pub struct TableRequest {
    /// The runs to read, in the order of their rows
    pub runs: Vec<Arc<LoadedRun>>,
    /// Whether `experiment` and `run` are shown by default; `workspace` is if the runs are of several
    pub several_runs: bool,
    /// Tasks to keep: identifiers, their last component, or globs; all if there is none
    pub tasks: Option<Vec<String>>,
    /// The columns
    pub selection: Selection,
    /// More columns than this are an error
    pub max_columns: usize,
    /// Whether names lose their prefixes
    pub short_names: bool,
    /// The layout of text
    pub texts: Texts,
    /// The zone of times that were written without one
    pub zone: Zone,
    /// How many bytes of files are kept between deciding the columns and building them; what is beyond is read twice
    pub keep_bytes: u64,
}
