//! Result files that a function of the user reads.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple};

use crate::error::{Error, Result, quoted};
use crate::results::FileReader;
use crate::values::{Record, Store, Value};

/// The deepest nesting of what a function returns, as of JSON.
const MAX_DEPTH: usize = 1_000;

/// A function from a path to a dict, or to a list of dicts. It is called on one thread at a time.
#[derive(Debug)]
pub(super) struct UserFunction {
    function: Py<PyAny>,
    one_at_a_time: Mutex<()>,
}

impl UserFunction {
    pub fn new(function: &Bound<'_, PyAny>) -> Self {
        Self { function: function.clone().unbind(), one_at_a_time: Mutex::new(()) }
    }
}

impl FileReader for UserFunction {
    fn read(&self, path: &Path, store: &mut Store) -> Result<Vec<Record>> {
        // taken before the interpreter lock: a thread that waits here does not hold it
        let _guard = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        Python::attach(|py| {
            let function = self.function.bind(py);
            let name = function.getattr("__name__").and_then(|name| name.extract::<String>());
            let name = name.unwrap_or_else(|_| "format".to_owned());
            let failed = |error: PyErr| {
                let kind =
                    error.get_type(py).name().map_or_else(|_| "an error".into(), |name| name.to_string());
                let text = error
                    .value(py)
                    .str()
                    .map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned());
                Error::format(format!("{name} raised {kind}: {text}"))
            };
            let returned = function.call1((path,)).map_err(failed)?;
            if let Ok(mapping) = returned.cast::<PyMapping>() {
                return record(mapping, store, 0).map(|record| vec![record]);
            }
            let rows = returned.cast::<PyList>().map_err(|_| unexpected(&name, &returned))?;
            let rows = rows.iter().map(|row| match row.cast::<PyMapping>() {
                Ok(mapping) => record(mapping, store, 0),
                Err(_) => Err(unexpected(&name, &row)),
            });
            rows.collect()
        })
    }
}

fn unexpected(function: &str, value: &Bound<'_, PyAny>) -> Error {
    Error::format(format!("{function} returned {}", type_name(value)))
        .hint("a function for format= returns a dict, or a list of dicts for a row each")
}

fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "a value".to_owned(), |name| name.to_string())
}

fn odd(error: PyErr) -> Error {
    Error::format(error.to_string())
}

fn record(mapping: &Bound<'_, PyMapping>, store: &mut Store, depth: usize) -> Result<Record> {
    let items = mapping.items().map_err(odd)?;
    let (mut keys, mut values) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
    for item in items {
        let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract().map_err(odd)?;
        let text = key.str().map_err(odd)?.to_string_lossy().into_owned();
        let name = store.intern(text.as_bytes());
        if keys.contains(&name) {
            return Err(Error::format(format!("two keys are written {}", quoted(&text))));
        }
        keys.push(name);
        values.push(converted(&value, store, depth).map_err(|error| error.at_field(&text))?);
    }
    Ok(store.push_record(&keys, &values))
}

fn converted(value: &Bound<'_, PyAny>, store: &mut Store, depth: usize) -> Result<Value> {
    if depth > MAX_DEPTH {
        return Err(Error::format(format!("it is nested more than {MAX_DEPTH} levels deep")));
    }
    if value.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(value) = value.cast::<PyBool>() {
        return Ok(Value::Bool(value.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        return match value.extract::<i64>() {
            Ok(int) => Ok(Value::Int(int)),
            Err(_) => {
                let digits = value.str().map_err(odd)?.to_string_lossy().into_owned();
                Ok(Value::BigInt(store.push_text(digits.as_bytes())))
            }
        };
    }
    if let Ok(value) = value.cast::<PyFloat>() {
        return Ok(Value::Float(value.value()));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Value::Str(store.push_text(text.to_string_lossy().as_bytes())));
    }
    if let Ok(mapping) = value.cast::<PyMapping>() {
        return record(mapping, store, depth + 1).map(Value::Dict);
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let items =
            value.try_iter().map_err(odd)?.map(|item| converted(&item.map_err(odd)?, store, depth + 1));
        let items: Vec<Value> = items.collect::<Result<_>>()?;
        return Ok(Value::List(store.push_items(&items)));
    }
    // numbers of numpy and torch
    if let Ok(plain) = value.call_method0("item")
        && !plain.is(value)
        && (plain.is_instance_of::<PyFloat>()
            || plain.is_instance_of::<PyInt>()
            || plain.is_instance_of::<PyString>())
    {
        return converted(&plain, store, depth + 1);
    }
    Err(Error::format(format!("{} is no value of a column", type_name(value)))
        .hint("return None, bool, int, float, str, lists and dicts"))
}
