//! Reads a request into one table.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::batches::{Batches, NextBatch, RowChoice};
use super::plan::ScanPlan;
use super::request::TableRequest;
use super::table::{Table, internal};
use crate::error::Result;
use crate::table::{TimeSources, shorten};

impl TableRequest {
    /// Reads the runs and builds the columns. What cannot be read is in the table's `errors`.
    ///
    /// # Errors
    /// `Column`, `TooManyColumns`, `InvalidArgument` (an unknown task).
    pub fn read(&self) -> Result<Table> {
        self.read_plan(&Arc::new(ScanPlan::of(self)?))
    }

    /// Builds all columns of all jobs of a plan of this request.
    ///
    /// # Errors
    /// `Io`, if a run was read again and its files have changed since.
    pub fn read_plan(&self, plan: &Arc<ScanPlan>) -> Result<Table> {
        let columns: Vec<usize> = (0..plan.columns().len()).collect();
        let choices = (0..plan.runs()).map(|run| RowChoice { run, rows: None }).collect();
        let mut batches = Batches::new(Arc::clone(plan), columns.clone(), choices);
        let mut table = plan.empty();
        let (mut surrogates, mut times) = (Vec::new(), TimeSources::default());
        loop {
            match batches.next(None) {
                NextBatch::End => break,
                NextBatch::NotYet => {}
                NextBatch::Ready(batch) => {
                    let batch = batch?;
                    if self.runs.iter().any(|loaded| loaded.cancel_token().is_cancelled()) {
                        break;
                    }
                    table.batches.push(batch.batch);
                    table.errors.extend(batch.errors);
                    surrogates.extend(batch.surrogates);
                    times = times.and(batch.times);
                }
            }
        }
        // what is about a whole experiment or file comes first
        table.errors.sort_by_key(|error| error.location().job.is_some());
        plan.note_times(&mut table, times)?;
        table.warnings = plan.warnings(&columns, surrogates);
        if self.short_names {
            let renamed = shorten(plan.columns(), &table.batches).map_err(internal)?;
            table.schema = renamed.first().map_or(table.schema, RecordBatch::schema);
            table.batches = renamed;
        }
        Ok(table)
    }
}
