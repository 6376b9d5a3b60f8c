//! Converts batches to another Arrow layout of the same values.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, LargeStringArray, RecordBatch, RecordBatchOptions,
};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowDictionaryKeyType, DataType, Field, FieldRef, Int8Type, Int16Type, Int32Type, Int64Type, Schema,
};
use arrow::error::ArrowError;
use indexmap::IndexSet;

use super::schema::{StringLayout, data_type};
use crate::columns::Type;

/// Text as `large_utf8`, in lists and structs too, and enums with the integer type that pandas would use.
///
/// # Errors
/// Arrow's.
pub fn for_pandas(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    convert_columns(batch, |array| match array.data_type() {
        DataType::Dictionary(..) => compact(array),
        kind => cast_to(array, &large(kind)),
    })
}

/// A column of enums whose dictionary has each name that occurs once, in the order of their occurrence, and the smallest keys.
/// Concatenated batches may repeat a name, which pandas refuses.
fn compact(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let dictionary = array.as_any_dictionary();
    let names = cast_to(dictionary.values().as_ref(), &DataType::LargeUtf8)?;
    let names = names.as_string::<i64>();
    let old_keys = cast_to(dictionary.keys(), &DataType::Int64)?;
    let mut found: IndexSet<&str, ahash::RandomState> = IndexSet::default();
    let mut new_keys: Vec<Option<i32>> = vec![None; names.len()];
    let new_key = |old: Option<i64>| {
        let old = usize::try_from(old?).ok().filter(|&old| names.is_valid(old))?;
        if new_keys[old].is_none() {
            new_keys[old] = i32::try_from(found.insert_full(names.value(old)).0).ok();
        }
        new_keys[old]
    };
    let keys: Int32Array = old_keys.as_primitive::<Int64Type>().iter().map(new_key).collect();
    let names: ArrayRef = Arc::new(LargeStringArray::from_iter_values(found));
    match names.len() {
        0..127 => with_keys::<Int8Type>(&keys, names),
        127..32_767 => with_keys::<Int16Type>(&keys, names),
        _ => with_keys::<Int32Type>(&keys, names),
    }
}

fn with_keys<K: ArrowDictionaryKeyType>(keys: &dyn Array, names: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let keys = cast(keys, &K::DATA_TYPE)?.as_primitive::<K>().clone();
    Ok(Arc::new(DictionaryArray::try_new(keys, names)?))
}

/// Text as `large_utf8` and enums with keys of 32 bits, at any depth: the types that pyarrow has functions for.
///
/// # Errors
/// Arrow's.
pub fn for_pyarrow(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    convert_columns(batch, |array| {
        let wanted = with_texts(array.data_type(), &|kind| match kind {
            DataType::Dictionary(..) => data_type(&Type::Enum, StringLayout::Large),
            _ => data_type(&Type::Utf8, StringLayout::Large),
        });
        cast_to(array, &wanted)
    })
}

/// The columns of a table as one array a batch, with text and dictionaries in the layout that `wanted` has under the same name.
/// A column that does not fit keeps its own layout in all batches: text of more than 2 GiB in `utf8`, or more enum names than the
/// keys can count.
#[must_use]
pub fn in_layout_of(
    schema: &Schema,
    batches: &[RecordBatch],
    wanted: &Schema,
) -> Vec<(FieldRef, Vec<ArrayRef>)> {
    let convert = |(position, field): (usize, &FieldRef)| {
        let arrays: Vec<ArrayRef> = batches.iter().map(|batch| Arc::clone(batch.column(position))).collect();
        let own = field.data_type();
        let target = wanted.field_with_name(field.name()).map(Field::data_type).ok();
        let target = target.filter(|target| *target != own && same_but_for_text(own, target));
        let converted = target.and_then(|target| {
            // through large text: from it Arrow refuses what does not fit, from views it would panic
            let cast_through_large = |array: &ArrayRef| cast(&cast(array, &large(own))?, target);
            let converted: Result<Vec<ArrayRef>, ArrowError> =
                arrays.iter().map(cast_through_large).collect();
            Some((Arc::new(field.as_ref().clone().with_data_type(target.clone())), converted.ok()?))
        });
        converted.unwrap_or_else(|| (Arc::clone(field), arrays))
    };
    schema.fields().iter().enumerate().map(convert).collect()
}

/// Casts each column to the type that `choose` returns for its name and array.
fn convert_columns(
    batch: &RecordBatch,
    convert: impl Fn(&ArrayRef) -> Result<ArrayRef, ArrowError>,
) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let mut fields: Vec<FieldRef> = Vec::with_capacity(schema.fields().len());
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for (field, array) in schema.fields().iter().zip(batch.columns()) {
        let array = convert(array)?;
        fields.push(Arc::new(field.as_ref().clone().with_data_type(array.data_type().clone())));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
    RecordBatch::try_new_with_options(Arc::new(schema), arrays, &options)
}

/// An array in another type; the same array if it has that type.
fn cast_to(array: &dyn Array, kind: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == kind { Ok(array.slice(0, array.len())) } else { cast(array, kind) }
}

fn large(kind: &DataType) -> DataType {
    with_texts(kind, &|_| DataType::LargeUtf8)
}

/// A type in which text and dictionaries, at any depth, are replaced by what `choose` returns for them.
fn with_texts(kind: &DataType, choose: &impl Fn(&DataType) -> DataType) -> DataType {
    let inside = |field: &FieldRef| {
        Arc::new(field.as_ref().clone().with_data_type(with_texts(field.data_type(), choose)))
    };
    match kind {
        _ if is_text(kind) => choose(kind),
        DataType::LargeList(item) => DataType::LargeList(inside(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inside).collect()),
        unchanged => unchanged.clone(),
    }
}

/// Whether two types differ at most in how they lay out text.
fn same_but_for_text(own: &DataType, wanted: &DataType) -> bool {
    match (own, wanted) {
        (DataType::LargeList(own), DataType::LargeList(wanted)) => {
            same_but_for_text(own.data_type(), wanted.data_type())
        }
        (DataType::Struct(own), DataType::Struct(wanted)) => {
            let pairs = own.iter().zip(wanted);
            own.len() == wanted.len()
                && pairs.into_iter().all(|(own, wanted)| {
                    own.name() == wanted.name() && same_but_for_text(own.data_type(), wanted.data_type())
                })
        }
        _ => own == wanted || (is_text(own) && is_text(wanted)),
    }
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(key, value) => key.is_dictionary_key_type() && is_text(value),
        _ => false,
    }
}
