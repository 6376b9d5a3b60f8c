//! Arrow arrays as plain Python values, without an Arrow library.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType, UInt64Type,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// Appends the values of an array to `out`: None for null; times as microseconds since 1970 UTC.
pub(super) fn values<'py>(
    py: Python<'py>,
    array: &dyn Array,
    out: &mut Vec<Bound<'py, PyAny>>,
) -> PyResult<()> {
    out.reserve(array.len());
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        let mut names = Vec::new();
        values(py, dictionary.values().as_ref(), &mut names)?;
        // an empty dictionary has no keys: all values are null
        let keys = if names.is_empty() { Vec::new() } else { dictionary.normalized_keys() };
        let name = |index: usize| {
            if array.is_null(index) { py.None().into_bound(py) } else { names[keys[index]].clone() }
        };
        out.extend((0..array.len()).map(name));
        return Ok(());
    }
    for index in 0..array.len() {
        out.push(value(py, array, index)?);
    }
    Ok(())
}

/// The value of an array at a position.
pub(super) fn value<'py>(py: Python<'py>, array: &dyn Array, index: usize) -> PyResult<Bound<'py, PyAny>> {
    if array.is_null(index) {
        return Ok(py.None().into_bound(py));
    }
    Ok(match array.data_type() {
        DataType::Boolean => array.as_boolean().value(index).into_pyobject(py)?.to_owned().into_any(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(index).into_pyobject(py)?.into_any(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(index).into_pyobject(py)?.into_any(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(index).into_pyobject(py)?.into_any(),
        DataType::Timestamp(..) => {
            array.as_primitive::<TimestampMicrosecondType>().value(index).into_pyobject(py)?.into_any()
        }
        DataType::Decimal128(..) => {
            array.as_primitive::<Decimal128Type>().value(index).into_pyobject(py)?.into_any()
        }
        DataType::Utf8 => array.as_string::<i32>().value(index).into_pyobject(py)?.into_any(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(index).into_pyobject(py)?.into_any(),
        DataType::Utf8View => array.as_string_view().value(index).into_pyobject(py)?.into_any(),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            return value(py, dictionary.values(), dictionary.normalized_keys()[index]);
        }
        DataType::LargeList(_) => {
            let mut items = Vec::new();
            values(py, &array.as_list::<i64>().value(index), &mut items)?;
            PyList::new(py, items)?.into_any()
        }
        DataType::Struct(fields) => {
            let dict = PyDict::new(py);
            for (field, column) in fields.iter().zip(array.as_struct().columns()) {
                dict.set_item(field.name(), value(py, column, index)?)?;
            }
            dict.into_any()
        }
        other => return Err(PyTypeError::new_err(format!("no Python value for {other}"))),
    })
}
