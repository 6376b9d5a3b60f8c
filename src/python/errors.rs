//! Errors cross the boundary as instances of the classes in `xpframe.errors`.

use std::path::Path;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use crate::error::{Error, ErrorKind};

/// The class of `xpframe.errors` that a kind becomes.
pub(super) fn class_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::WorkspaceNotFound => "WorkspaceNotFoundError",
        ErrorKind::ExperimentNotFound => "ExperimentNotFoundError",
        ErrorKind::RunNotFound => "RunNotFoundError",
        ErrorKind::JobNotFound => "JobNotFoundError",
        ErrorKind::InvalidName => "InvalidNameError",
        ErrorKind::InvalidArgument => "InvalidArgumentError",
        ErrorKind::Column => "ColumnError",
        ErrorKind::TooManyColumns => "TooManyColumnsError",
        ErrorKind::Format => "FormatError",
        ErrorKind::Unresolved => "UnresolvedError",
        ErrorKind::Field => "FieldError",
        ErrorKind::Io => "ReadError",
    }
}

fn class<'py>(py: Python<'py>, kind: ErrorKind) -> PyResult<Bound<'py, PyType>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("xpframe.errors").map(Bound::unbind))?;
    Ok(module.bind(py).getattr(class_name(kind))?.cast_into()?)
}

/// The Python exception of an error.
pub(super) fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let location = error.location();
    let details = PyDict::new(py);
    details.set_item("file", location.file.as_ref().map(|file| file.to_string_lossy().into_owned()))?;
    details.set_item("line", location.line)?;
    details.set_item("job", location.job.as_deref())?;
    details.set_item("field", location.field.as_deref())?;
    details.set_item("hint", error.advice())?;
    class(py, error.kind())?.call((error.reason(),), Some(&details))
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        Python::attach(|py| exception(py, &error).map_or_else(|failure| failure, Self::from_value))
    }
}

/// The error that became an exception of `xpframe.errors`.
pub(super) fn error_of(exception: &Bound<'_, PyAny>) -> PyResult<Error> {
    let name = exception.get_type().name()?.to_string();
    let kind = ErrorKind::ALL.into_iter().find(|&kind| class_name(kind) == name);
    let text = |attribute: &str| exception.getattr(attribute)?.extract::<Option<String>>();
    let mut error = Error::new(kind.unwrap_or(ErrorKind::Format), text("reason")?.unwrap_or_default());
    if let Some(file) = text("file")? {
        error = error.at_file(Path::new(&file));
    }
    if let Some(line) = exception.getattr("line")?.extract()? {
        error = error.at_line(line);
    }
    if let Some(job) = text("job")? {
        error = error.at_job(&job);
    }
    if let Some(field) = text("field")? {
        error = error.at_field(&field);
    }
    Ok(match text("hint")? {
        Some(hint) => error.hint(hint),
        None => error,
    })
}

/// The exceptions of several errors, not raised.
pub(super) fn exceptions<'py>(py: Python<'py>, errors: &[Error]) -> PyResult<Vec<Bound<'py, PyAny>>> {
    errors.iter().map(|error| exception(py, error)).collect()
}

/// Every kind and its class, for the test that the table is complete.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_class_of_its_own() {
        let names: std::collections::HashSet<&str> = ErrorKind::ALL.into_iter().map(class_name).collect();
        assert_eq!(names.len(), ErrorKind::ALL.len());
    }
}
