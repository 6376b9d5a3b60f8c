//! The table of a request.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;

use crate::error::{Error, ErrorKind, Result};
use crate::table::{for_pandas, for_pyarrow, in_layout_of};

/// The jobs of the requested runs as rows.
#[derive(Debug, Clone)]
pub struct Table {
    /// The schema of every batch
    pub schema: SchemaRef,
    /// One batch a run
    pub batches: Vec<RecordBatch>,
    /// What could not be read
    pub errors: Vec<Error>,
    /// Notes on values displayed differently from the files
    pub warnings: Vec<String>,
}

impl Table {
    /// The table in the layout that pandas shares without copying: text as `large_utf8`, enums with keys as small as pandas
    /// uses, in one batch.
    ///
    /// # Errors
    /// `Format`, if the columns of the batches differ: a fault of this crate.
    pub fn for_pandas(&self) -> Result<Self> {
        let batch = concat_batches(&self.schema, &self.batches)
            .and_then(|batch| for_pandas(&batch))
            .map_err(internal)?;
        Ok(Self { schema: batch.schema(), batches: vec![batch], ..self.clone() })
    }

    /// The table in a layout that pyarrow can compute on: text as `large_utf8`, enums with keys of 32 bits.
    ///
    /// # Errors
    /// `Format`, if Arrow refuses: a fault of this crate.
    pub fn for_pyarrow(&self) -> Result<Self> {
        let convert = |batch: &RecordBatch| for_pyarrow(batch).map_err(internal);
        let batches: Result<Vec<RecordBatch>> = self.batches.iter().map(convert).collect();
        let schema = convert(&RecordBatch::new_empty(Arc::clone(&self.schema)))?.schema();
        Ok(Self { schema, batches: batches?, ..self.clone() })
    }

    /// The table with text and dictionaries in the layout of `wanted`. Columns of other types stay as they are, as do columns
    /// whose values do not fit into the layout.
    ///
    /// # Errors
    /// `Format`, if the columns of the batches differ: a fault of this crate.
    pub fn in_layout_of(&self, wanted: &Schema) -> Result<Self> {
        let (fields, columns): (Vec<FieldRef>, Vec<Vec<ArrayRef>>) =
            in_layout_of(&self.schema, &self.batches, wanted).into_iter().unzip();
        let schema = Arc::new(Schema::new_with_metadata(fields, self.schema.metadata().clone()));
        let convert = |(index, batch): (usize, &RecordBatch)| {
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let arrays = columns.iter().map(|arrays| Arc::clone(&arrays[index])).collect();
            RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options).map_err(internal)
        };
        let batches: Result<Vec<RecordBatch>> = self.batches.iter().enumerate().map(convert).collect();
        Ok(Self { batches: batches?, schema, ..self.clone() })
    }

    /// The first rows, at most `count`.
    #[must_use]
    pub fn head(&self, count: usize) -> Self {
        let mut remaining = count;
        let batches = self.batches.iter().map_while(|batch| {
            let rows = batch.num_rows().min(remaining);
            remaining -= rows;
            (rows > 0).then(|| batch.slice(0, rows))
        });
        Self { batches: batches.collect(), ..self.clone() }
    }

    /// The table with times in UTC that have no zone, as spreadsheets want them.
    ///
    /// # Errors
    /// `Format`, if the columns of the batches differ: a fault of this crate.
    pub fn with_naive_times(&self) -> Result<Self> {
        let naive = |field: &FieldRef| match field.data_type() {
            DataType::Timestamp(unit, Some(_)) => {
                Arc::new(field.as_ref().clone().with_data_type(DataType::Timestamp(*unit, None)))
            }
            _ => Arc::clone(field),
        };
        let fields: Vec<FieldRef> = self.schema.fields().iter().map(naive).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, self.schema.metadata().clone()));
        let array = |column: &ArrayRef| match column.as_primitive_opt::<TimestampMicrosecondType>() {
            Some(times) => Arc::new(times.clone().with_timezone_opt(None::<Arc<str>>)),
            None => Arc::clone(column),
        };
        let convert = |batch: &RecordBatch| {
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let arrays = batch.columns().iter().map(array).collect();
            RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options).map_err(internal)
        };
        let batches: Result<Vec<RecordBatch>> = self.batches.iter().map(convert).collect();
        Ok(Self { batches: batches?, schema, ..self.clone() })
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

/// Arrow's refusal of arrays that this crate built: a fault to report, unless they are too large.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn internal(error: ArrowError) -> Error {
    if let ArrowError::MemoryError(reason) = error {
        let hint = "shared values are repeated in it; choose other columns, or use the objects: load_xp_info(…).jobs";
        return Error::new(ErrorKind::TooManyColumns, reason).hint(hint);
    }
    Error::format(format!("the columns do not fit together: {error}"))
        .hint("this is a fault of xpframe, please report it")
}
