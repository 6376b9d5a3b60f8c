//! Short names: `tags.lr` is called `lr`.

use std::sync::Arc;

use ahash::{HashMap, HashSet};
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;

use crate::columns::{Column, short_name};

/// Strips `tags.` and `config.` from the names of the columns. A tag gets the short name. A parameter of the same short name is
/// dropped if all its values equal the tag's, else it keeps its whole name, as does a column whose short name is that of a system
/// column. Columns that were renamed and those of jobs upstream keep their name.
///
/// # Errors
/// Arrow's, if two batches have different columns.
pub fn shorten(columns: &[Column], batches: &[RecordBatch]) -> Result<Vec<RecordBatch>, ArrowError> {
    let taken: HashSet<&str> =
        columns.iter().filter(|column| has_fixed_name(column)).map(Column::shown).collect();
    let tags: HashMap<&str, usize> = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.group() == "tag" && !has_fixed_name(column))
        .map(|(index, column)| (short_name(&column.name), index))
        .collect();
    let mut names: Vec<(usize, String)> = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let short = short_name(&column.name);
        let name = if has_fixed_name(column) || taken.contains(short) {
            column.shown()
        } else {
            match tags.get(short) {
                Some(&tag) if tag != index => {
                    if same_values(batches, tag, index)? {
                        continue;
                    }
                    column.shown()
                }
                _ => short,
            }
        };
        names.push((index, name.to_owned()));
    }
    batches.iter().map(|batch| renamed(batch, &names)).collect()
}

fn has_fixed_name(column: &Column) -> bool {
    column.renamed.is_some() || ["system", "lineage"].contains(&column.group())
}

fn renamed(batch: &RecordBatch, names: &[(usize, String)]) -> Result<RecordBatch, ArrowError> {
    let indices: Vec<usize> = names.iter().map(|&(index, _)| index).collect();
    let batch = batch.project(&indices)?;
    let schema = batch.schema();
    let fields = schema.fields().iter().zip(names);
    let fields: Vec<Field> =
        fields.map(|(field, (_, name))| field.as_ref().clone().with_name(name)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), batch.columns().to_vec(), &options)
}

/// Whether two columns have the same value in each row. An int equals a float of the same value.
fn same_values(batches: &[RecordBatch], a: usize, b: usize) -> Result<bool, ArrowError> {
    let whole = |index: usize| -> Result<ArrayRef, ArrowError> {
        let parts: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(index).as_ref()).collect();
        concat(&parts)
    };
    if batches.is_empty() {
        return Ok(true);
    }
    let (a, b) = (whole(a)?, whole(b)?);
    match (a.data_type(), b.data_type()) {
        (DataType::Int64, DataType::Float64) => same_numbers(&a, &b),
        (DataType::Float64, DataType::Int64) => same_numbers(&b, &a),
        _ => Ok(a.to_data() == b.to_data()),
    }
}

fn same_numbers(ints: &ArrayRef, floats: &ArrayRef) -> Result<bool, ArrowError> {
    let as_floats = cast(ints, &DataType::Float64)?;
    let back = cast(&as_floats, &DataType::Int64)?;
    Ok(back.to_data() == ints.to_data() && as_floats.to_data() == floats.to_data())
}
