//! Reads what was asked for into one table.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::batches::{Batches, NextBatch, RowChoice};
use super::plan::ScanPlan;
use super::request::TableRequest;
use super::table::{Table, internal};
use crate::error::Result;
use crate::table::shorten;

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
