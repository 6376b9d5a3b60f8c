//! Converts values of the engine to Python objects.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyFrozenSet, PyList, PyString};

use super::scalars::{EnumValue, Unresolved};
use super::source::Source;
use crate::error::Error;
use crate::values::{Store, Value};

/// The Python types of configs, paths, enums and sets.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Style {
    /// `Config`, `pathlib.Path`, `EnumValue`, `frozenset`
    Objects,
    /// Plain values: dict, str, list
    Plain,
}

/// A `str` from bytes of the store, which may have unpaired surrogates.
pub(super) fn string<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(PyString::new(py, text)),
        Err(_) => {
            PyString::from_encoded_object(&PyBytes::new(py, bytes), Some(c"utf-8"), Some(c"surrogatepass"))
        }
    }
}

/// The Python object of a value. Values with configs need a `source`.
pub(super) fn value<'py>(
    py: Python<'py>,
    store: &Store,
    source: Option<&Bound<'py, Source>>,
    value: Value,
    style: Style,
) -> PyResult<Bound<'py, PyAny>> {
    nested(py, store, source, value, style, 0)
}

/// A limit for nesting: each level is a nested call, here and in Python.
const MAX_DEPTH: u16 = 1000;

fn nested<'py>(
    py: Python<'py>,
    store: &Store,
    source: Option<&Bound<'py, Source>>,
    value: Value,
    style: Style,
    depth: u16,
) -> PyResult<Bound<'py, PyAny>> {
    if depth > MAX_DEPTH {
        return Err(Error::format(format!("values are nested more than {MAX_DEPTH} deep")).into());
    }
    let convert = |inner| nested(py, store, source, inner, style, depth + 1);
    Ok(match store.resolve(value) {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => value.into_pyobject(py)?.to_owned().into_any(),
        Value::Int(value) => value.into_pyobject(py)?.into_any(),
        Value::BigInt(digits) => big_int(py, store.bytes(digits))?,
        Value::Float(value) => value.into_pyobject(py)?.into_any(),
        Value::Str(text) => string(py, store.bytes(text))?.into_any(),
        Value::Path(text) => {
            let text = string(py, store.bytes(text))?;
            if style == Style::Plain { text.into_any() } else { path_class(py)?.call1((text,))? }
        }
        Value::Enum(index) => match store.enum_member(index) {
            Some(member) if style == Style::Plain => string(py, store.symbol_bytes(member.name))?.into_any(),
            Some(member) => EnumValue::new(store, member).into_pyobject(py)?.into_any(),
            None => py.None().into_bound(py),
        },
        Value::List(items) => {
            let items: PyResult<Vec<_>> = store.items(items).map(convert).collect();
            PyList::new(py, items?)?.into_any()
        }
        Value::Set(items) => set(py, store.items(items), style, convert)?,
        Value::Dict(record) => {
            let dict = PyDict::new(py);
            for (key, value) in store.entries(record) {
                dict.set_item(string(py, store.symbol_bytes(key))?, convert(value)?)?;
            }
            dict.into_any()
        }
        Value::Object(index) => match source {
            None => py.None().into_bound(py),
            Some(source) if style == Style::Objects => Source::config(source, index)?.into_any(),
            Some(source) => convert(Value::Dict(source.get().graph().object(index).fields))?,
        },
        Value::Unresolved(index) => {
            let reference = store.unresolved(index);
            Unresolved::new(reference.id, reference.cyclic).into_pyobject(py)?.into_any()
        }
    })
}

/// A set. Its tuples were written as lists; members that are not hashable (of a dict that looks like a set) give a list.
fn set<'py>(
    py: Python<'py>,
    members: impl Iterator<Item = Value>,
    style: Style,
    convert: impl Fn(Value) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let members: Vec<Bound<'py, PyAny>> = members.map(convert).collect::<PyResult<_>>()?;
    if style == Style::Plain {
        return Ok(PyList::new(py, members)?.into_any());
    }
    let hashable = members.iter().map(|member| match member.cast::<PyList>() {
        Ok(list) => list.to_tuple().into_any(),
        Err(_) => member.clone(),
    });
    let hashable: Vec<Bound<'py, PyAny>> = hashable.collect();
    match PyFrozenSet::new(py, &hashable) {
        Ok(set) => Ok(set.into_any()),
        Err(_) => Ok(PyList::new(py, members)?.into_any()),
    }
}

fn path_class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static PATH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = || py.import("pathlib")?.getattr("Path").map(Bound::unbind);
    PATH.get_or_try_init(py, class).map(|class| class.bind(py))
}

/// An int of any size, built of chunks: Python parses at most 4300 digits (`sys.set_int_max_str_digits`).
fn big_int<'py>(py: Python<'py>, digits: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    const CHUNK_DIGITS: usize = 4000;
    const MAX_DIGITS: usize = 100_000;
    if digits.len() > MAX_DIGITS {
        return Err(
            Error::format(format!("an integer of {} digits, more than {MAX_DIGITS}", digits.len())).into()
        );
    }
    let (negative, digits) = digits.strip_prefix(b"-").map_or((false, digits), |digits| (true, digits));
    let int = py.get_type::<pyo3::types::PyInt>();
    let mut whole = 0_i32.into_pyobject(py)?.into_any();
    for chunk in digits.chunks(CHUNK_DIGITS) {
        let scale = 10_i32.into_pyobject(py)?.into_any().pow(chunk.len(), py.None())?;
        whole = whole.mul(scale)?.add(int.call1((String::from_utf8_lossy(chunk),))?)?;
    }
    if negative { whole.neg() } else { Ok(whole) }
}
