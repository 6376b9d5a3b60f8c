//! The request for a table.

use std::sync::Arc;

use super::results::ResultRequest;
use super::scope::Scope;
use crate::columns::Selection;
use crate::loaded::LoadedRun;
use crate::records::Zone;
use crate::table::StringLayout;

/// Which runs, jobs and columns a table has, and how its values are shown.
#[derive(Debug, Clone)]
pub struct TableRequest {
    /// The runs to read, in the order of their rows
    pub runs: Vec<Arc<LoadedRun>>,
    /// Whether `experiment` and `run` are shown by default; `workspace` is shown if the runs are of several
    pub several_runs: bool,
    /// Whether each job of an experiment is one row, on the last run that lists it
    pub distinct: bool,
    /// The tasks whose jobs are rows: identifiers, their last component, or globs; all tasks if there are none
    pub tasks: Option<Vec<String>>,
    /// The columns
    pub selection: Selection,
    /// The result files whose values are columns
    pub results: Vec<ResultRequest>,
    /// More columns than this are an error
    pub max_columns: usize,
    /// Whether names lose their prefixes `tags.` and `config.`
    pub short_names: bool,
    /// The layout of text
    pub layout: StringLayout,
    /// The zone of times that were written without one
    pub zone: Zone,
    /// Runs stay in memory between deciding and building the columns until their files reach this many bytes; later runs are
    /// read twice
    pub keep_bytes: u64,
    /// Which of their jobs are kept, and columns that were decided before
    pub scope: Scope,
}
