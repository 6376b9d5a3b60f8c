//! Which result files are asked for, as Python says it and the engine takes it.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use super::request::{invalid, mistyped, names};
use super::user_format::UserFunction;
use crate::error::{Error, ErrorKind, Result};
use crate::results::{
    CellType, CsvOptions, FileReader, FileSchema, Format, Handle, Patterns, ResultOptions, Select,
};
use crate::scan::ResultRequest;

const HINT: &str = "it is a handle (a path parameter or a file, as 'metrics.json'), a dict from names to handles, or Result(…)";

/// The result files of `results=`: none, a handle, or a dict from names to handles.
pub(super) fn results(value: &Bound<'_, PyAny>) -> PyResult<Vec<ResultRequest>> {
    if value.is_none() {
        return Ok(Vec::new());
    }
    let Some(items) = value.getattr_opt("items")? else {
        return Ok(vec![result(None, value)?]);
    };
    let pairs = items.call0()?.try_iter()?.map(|pair| {
        let (name, handle): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract()?;
        let name: String = name.extract().map_err(|_| invalid("results", value, HINT))?;
        if name.is_empty() {
            return Err(invalid("results", value, "the name of a handle is not empty"));
        }
        result(Some(name), &handle)
    });
    let requests: Vec<ResultRequest> = pairs.collect::<PyResult<_>>()?;
    if requests.is_empty() { Err(invalid("results", value, HINT)) } else { Ok(requests) }
}

/// One handle with its options.
pub(super) fn result(name: Option<String>, value: &Bound<'_, PyAny>) -> PyResult<ResultRequest> {
    if value.is_instance_of::<PyString>() {
        let text = value.extract::<String>().map_err(|error| mistyped(error, "results", value, HINT))?;
        let handle = Handle::parse(&text)?;
        return Ok(ResultRequest { name, handle, options: ResultOptions::default() });
    }
    let Some(handle) = value.getattr_opt("handle")? else { return Err(invalid("results", value, HINT)) };
    let handle = Handle::parse(&handle.extract::<String>().map_err(|_| invalid("results", value, HINT))?)?;
    Ok(ResultRequest { name, handle, options: options(value)? })
}

/// The options of a `Result`.
fn options(value: &Bound<'_, PyAny>) -> PyResult<ResultOptions> {
    let text = |name: &str| -> PyResult<Option<String>> {
        value.getattr(name)?.extract().map_err(|_| invalid(name, value, "it is a text"))
    };
    let select = match (text("max")?, text("min")?, value.getattr("first")?.is_truthy()?) {
        (None, None, false) => Select::Last,
        (None, None, true) => Select::First,
        (Some(column), None, false) => Select::Max(column),
        (None, Some(column), false) => Select::Min(column),
        _ => return Err(invalid("results", value, "give one of max=, min= and first=")),
    };
    let header = value.getattr("header")?;
    let header: Option<Vec<String>> = header
        .extract()
        .map_err(|_| invalid("header", &header, "it is the list of the names of the columns"))?;
    let format = value.getattr("format")?;
    let reader = format.is_callable().then(|| Arc::new(UserFunction::new(&format)) as Arc<dyn FileReader>);
    let format: Option<String> = if reader.is_some() {
        None
    } else {
        format.extract().map_err(|_| {
            invalid("format", &format, "it is the name of a format, or a function from a path to a dict")
        })?
    };
    Ok(ResultOptions {
        format: format.map(|format| Format::parse(&format)).transpose()?,
        reader,
        select,
        csv: CsvOptions { separator: text("separator")?.map(|text| separator(&text)).transpose()?, header },
        metrics: Patterns::default(),
        columns: patterns("columns", &value.getattr("columns")?)?,
        schema: schema(&value.getattr("schema")?)?,
    })
}

/// Names or globs; all names if there are none.
pub(super) fn patterns(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<Patterns> {
    if value.is_none() {
        return Ok(Patterns::default());
    }
    let hint = "it is a name, a glob, or a list of them";
    names(value).map(Patterns::any_of).map_err(|_| invalid(argument, value, hint))
}

/// Names of columns and their types.
fn schema(value: &Bound<'_, PyAny>) -> PyResult<Option<FileSchema>> {
    if value.is_none() {
        return Ok(None);
    }
    let hint = "it is a dict from names of columns to bool, int, float or str";
    let wrong = || invalid("schema", value, hint);
    let items = value.getattr_opt("items")?.ok_or_else(wrong)?;
    let pairs = items.call0()?.try_iter()?.map(|pair| {
        let (name, kind): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract()?;
        let name: String = name.extract().map_err(|_| wrong())?;
        let kind = match kind.cast::<PyType>() {
            Ok(class) => class.name()?.to_string(),
            Err(_) => kind.str()?.to_string_lossy().into_owned(),
        };
        Ok((name, CellType::of_name(&kind).ok_or_else(wrong)?))
    });
    let columns: Vec<(String, CellType)> = pairs.collect::<PyResult<_>>()?;
    if columns.is_empty() { Err(wrong()) } else { Ok(Some(FileSchema(columns))) }
}

fn separator(text: &str) -> Result<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err(Error::new(ErrorKind::InvalidArgument, format!("separator={text:?}"))
            .hint("it is one ASCII character, as ';'")),
    }
}
