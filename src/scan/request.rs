//! What was asked for.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::batches::{Batches, NextBatch, RowChoice};
use super::plan::ScanPlan;
use super::table::{Table, internal};
use crate::columns::Selection;
use crate::error::Result;
use crate::loaded::LoadedRun;
use crate::records::Zone;
use crate::table::{Texts, shorten};

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

impl TableRequest {
    /// Reads the runs and builds the columns.
    ///
    /// # Errors
    /// `Column`, `TooManyColumns`, `InvalidArgument` (an unknown task). What cannot be read is in the table's `errors`.
    pub fn read(&self) -> Result<Table> {
        let model = Arc::new(ScanPlan::of(self)?);
        let columns: Vec<usize> = (0..model.columns().len()).collect();
        let wanted = (0..model.runs()).map(|run| RowChoice { run, rows: None }).collect();
        let mut batches = Batches::new(Arc::clone(&model), columns, wanted);
        let mut table = model.empty();
        let mut surrogates = Vec::new();
        loop {
            match batches.next(None) {
                NextBatch::End => break,
                NextBatch::NotYet => {}
                NextBatch::Ready(part) => {
                    let part = part?;
                    if self.runs.iter().any(|loaded| loaded.cancel_token().is_cancelled()) {
                        break;
                    }
                    table.batches.push(part.batch);
                    table.errors.extend(part.errors);
                    surrogates.extend(part.surrogates);
                }
            }
        }
        let columns: Vec<usize> = (0..model.columns().len()).collect();
        table.warnings = model.warnings(&columns, surrogates);
        if self.short_names {
            let renamed = shorten(model.columns(), &table.batches).map_err(internal)?;
            table.schema = renamed.first().map_or(table.schema, RecordBatch::schema);
            table.batches = renamed;
        }
        Ok(table)
    }
}
