//! Values become Python objects when somebody touches them.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyFrozenSet, PyList, PyString};

use super::config::{EnumValue, Unresolved};
use super::source::Source;
use crate::error::Error;
use crate::values::{Store, Value};

/// How configs, paths, enums and sets appear.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Style {
    /// As themselves: `Config`, `pathlib.Path`, `EnumValue`, `frozenset`
    Objects,
    /// As plain values: dict, str, list
    Plain,
}

/// The `str` of bytes as the store holds them, unpaired surrogates included.
pub(super) fn string<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(PyString::new(py, text)),
        Err(_) => {
            PyString::from_encoded_object(&PyBytes::new(py, bytes), Some(c"utf-8"), Some(c"surrogatepass"))
        }
    }
}

/// The Python object of a value. `source` is there where configs may be.
pub(super) fn value<'py>(
    py: Python<'py>,
    store: &Store,
    source: Option<&Bound<'py, Source>>,
    value: Value,
    style: Style,
) -> PyResult<Bound<'py, PyAny>> {
    nested(py, store, source, value, style, 0)
}

/// More levels than that are refused: each is a call inside a call, here and in Python.
const DEEPEST: u16 = 1000;

fn nested<'py>(
    py: Python<'py>,
    store: &Store,
    source: Option<&Bound<'py, Source>>,
    value: Value,
    style: Style,
    depth: u16,
) -> PyResult<Bound<'py, PyAny>> {
    if depth > DEEPEST {
        return Err(Error::format(format!("values are nested more than {DEEPEST} deep")).into());
    }
    let again = |inner| nested(py, store, source, inner, style, depth + 1);
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
        Value::Enum(at) => match store.enum_member(at) {
            Some(member) if style == Style::Plain => string(py, store.symbol_bytes(member.name))?.into_any(),
            Some(member) => EnumValue::new(store, member).into_pyobject(py)?.into_any(),
            None => py.None().into_bound(py),
        },
        Value::List(items) => {
            let items: PyResult<Vec<_>> = store.items(items).map(again).collect();
            PyList::new(py, items?)?.into_any()
        }
        Value::Set(items) => set(py, store.items(items), style, again)?,
        Value::Dict(record) => {
            let dict = PyDict::new(py);
            for (key, value) in store.entries(record) {
                dict.set_item(string(py, store.symbol_bytes(key))?, again(value)?)?;
            }
            dict.into_any()
        }
        Value::Object(at) => match source {
            None => py.None().into_bound(py),
            Some(source) if style == Style::Objects => Source::config(source, at)?.into_any(),
            Some(source) => again(Value::Dict(source.get().graph().object(at).fields))?,
        },
        Value::Unresolved(at) => {
            let reference = store.unresolved(at);
            Unresolved::new(reference.id, reference.cyclic).into_pyobject(py)?.into_any()
        }
    })
}

/// A set; its tuples were written as lists. What no set can hold, as a user's dict that looks like a set may, stays a list.
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

/// An int of any size. Python reads at most 4300 digits at once (`sys.set_int_max_str_digits`): longer ones are put together.
fn big_int<'py>(py: Python<'py>, digits: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    const AT_ONCE: usize = 4000;
    const LONGEST: usize = 100_000;
    if digits.len() > LONGEST {
        return Err(Error::format(format!(
            "an integer of {} digits: more than {LONGEST} are not read",
            digits.len()
        ))
        .into());
    }
    let (negative, digits) = digits.strip_prefix(b"-").map_or((false, digits), |digits| (true, digits));
    let int = py.get_type::<pyo3::types::PyInt>();
    let mut whole = 0_i32.into_pyobject(py)?.into_any();
    for chunk in digits.chunks(AT_ONCE) {
        let scale = 10_i32.into_pyobject(py)?.into_any().pow(chunk.len(), py.None())?;
        whole = whole.mul(scale)?.add(int.call1((String::from_utf8_lossy(chunk),))?)?;
    }
    if negative { whole.neg() } else { Ok(whole) }
}
