//! The columns of some jobs.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::Schema;

use super::table::internal;
use crate::error::{Error, Result};
use crate::table::TimeSources;

/// The columns of some jobs of one run, or of several whole runs.
#[derive(Debug)]
pub struct RunBatch {
    /// The columns
    pub batch: RecordBatch,
    /// What could not be read
    pub errors: Vec<Error>,
    /// The columns that show unpaired surrogates as escapes
    pub surrogates: Vec<String>,
    /// What dates the local times that the columns show
    pub times: TimeSources,
}

impl RunBatch {
    /// One batch of the rows of several with the same columns.
    ///
    /// # Errors
    /// `Format`, if their columns differ: a fault of this crate.
    pub(super) fn concat(mut batches: Vec<Self>) -> Result<Self> {
        if batches.len() == 1
            && let Some(single) = batches.pop()
        {
            return Ok(single);
        }
        let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), |first| first.batch.schema());
        let batch = concat_batches(&schema, batches.iter().map(|each| &each.batch)).map_err(internal)?;
        let times = batches.iter().map(|each| each.times).fold(TimeSources::default(), TimeSources::and);
        let (errors, surrogates): (Vec<_>, Vec<_>) =
            batches.into_iter().map(|each| (each.errors, each.surrogates)).unzip();
        Ok(Self { batch, errors: errors.concat(), surrogates: surrogates.concat(), times })
    }
}
