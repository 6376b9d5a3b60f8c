//! What was asked for, built.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::error::{Error, Kind, Result};
use crate::table::{for_pandas, in_layout_of};

/// The rows of the runs that were asked for.
#[derive(Debug, Clone)]
pub struct Table {
    /// Of every batch
    pub schema: SchemaRef,
    /// One a run
    pub batches: Vec<RecordBatch>,
    /// What could not be read
    pub errors: Vec<Error>,
    /// What is shown otherwise than it stands in the files
    pub warnings: Vec<String>,
}

impl Table {
    /// The table in the layout that pandas shares without copying: text as `large_utf8`, enums with keys as small as pandas
    /// makes them, in one batch.
    ///
    /// # Errors
    /// `Format`, if the batches do not fit together: a fault of this crate.
    pub fn for_pandas(&self) -> Result<Self> {
        let batch = concat_batches(&self.schema, &self.batches)
            .and_then(|batch| for_pandas(&batch))
            .map_err(internal)?;
        Ok(Self { schema: batch.schema(), batches: vec![batch], ..self.clone() })
    }

    /// The table with text and dictionaries as `wanted` has them; columns of other types stay as they are.
    ///
    /// # Errors
    /// `Format`, if text does not fit into the layout that is wanted.
    pub fn in_layout_of(&self, wanted: &Schema) -> Result<Self> {
        let batches = self.batches.iter().map(|batch| in_layout_of(batch, wanted));
        let batches: std::result::Result<Vec<RecordBatch>, ArrowError> = batches.collect();
        let empty = || in_layout_of(&RecordBatch::new_empty(Arc::clone(&self.schema)), wanted);
        let batches = batches.map_err(internal)?;
        let schema =
            batches.first().map_or_else(|| empty().map(|batch| batch.schema()), |batch| Ok(batch.schema()));
        Ok(Self { schema: schema.map_err(internal)?, batches, ..self.clone() })
    }

    /// The columns at these positions.
    ///
    /// # Errors
    /// `Format`, if there is no such position.
    pub fn project(&self, positions: &[usize]) -> Result<Self> {
        let batches: std::result::Result<_, ArrowError> =
            self.batches.iter().map(|batch| batch.project(positions)).collect();
        let schema = self.schema.project(positions).map_err(internal)?;
        Ok(Self { schema: Arc::new(schema), batches: batches.map_err(internal)?, ..self.clone() })
    }
}

/// Arrow refused what this crate made of a file: a fault to report.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn internal(error: ArrowError) -> Error {
    if let ArrowError::MemoryError(reason) = error {
        let hint = "what is shared is repeated there; choose other columns, or walk the objects: load_xp_info(…).jobs";
        return Error::new(Kind::TooManyColumns, reason).hint(hint);
    }
    Error::format(format!("the columns do not fit together: {error}"))
        .hint("this is a fault of xpframe, please report it")
}
