//! Tables and runs in pickles: a table as Arrow's stream format, a run by its path.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::errors::error_of;
use super::run::Run;
use super::source::Source;
use super::table::Table;
use crate::error::{Error, ErrorKind};
use crate::scan;

/// The batches of a table as bytes.
pub(super) fn to_bytes(table: &scan::Table) -> Result<Vec<u8>, Error> {
    let write = || -> Result<Vec<u8>, ArrowError> {
        let mut writer = StreamWriter::try_new(Vec::new(), &table.schema)?;
        for batch in &table.batches {
            writer.write(&compact(batch)?)?;
        }
        writer.finish()?;
        writer.into_inner()
    };
    write().map_err(|error| Error::format(format!("the table cannot be pickled: {error}")))
}

/// The batch without the text that its views do not show: a column may share the text of a whole run.
fn compact(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let own_text = |column: &ArrayRef| -> ArrayRef {
        match column.data_type() {
            DataType::Utf8View => Arc::new(column.as_string_view().gc()),
            _ => Arc::clone(column),
        }
    };
    RecordBatch::try_new_with_options(
        batch.schema(),
        batch.columns().iter().map(own_text).collect(),
        &arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows())),
    )
}

/// The table of a pickle. `errors` are exceptions of `xpframe.errors`.
#[pyfunction]
pub fn restore_table(
    py: Python<'_>,
    batches: Bound<'_, PyBytes>,
    errors: Vec<Bound<'_, PyAny>>,
    warnings: Vec<String>,
) -> PyResult<Table> {
    let bytes = batches.as_bytes().to_vec();
    let errors = errors.iter().map(error_of).collect::<PyResult<Vec<Error>>>()?;
    let read = || -> Result<scan::Table, ArrowError> {
        let reader = StreamReader::try_new(Cursor::new(bytes), None)?;
        let schema = reader.schema();
        Ok(scan::Table { schema, batches: reader.collect::<Result<_, _>>()?, errors, warnings })
    };
    let table = py.detach(read).map_err(|error| {
        let reason = format!("the pickle of a table cannot be read: {error}");
        Error::new(ErrorKind::Format, reason)
    });
    Ok(Table::new(table?))
}

/// The run of a pickle.
#[pyfunction]
pub fn restore_run(source: Py<Source>) -> Run {
    Run::restored(source)
}
