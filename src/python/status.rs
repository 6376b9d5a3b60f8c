//! The status of a job, and a service of a run, as dicts.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::convert::{self, Style};
use crate::records::{JobStatus, Moment, Service, Zone};
use crate::values::{Store, Value};

/// A job's status. Times are microseconds since 1970 UTC; times without a zone are of `zone`.
pub(super) fn status_dict<'py>(
    py: Python<'py>,
    status: &JobStatus,
    zone: &Zone,
) -> PyResult<Bound<'py, PyDict>> {
    let time = |moment: Option<Moment>| moment.map(|moment| moment.to_utc(zone));
    let dict = PyDict::new(py);
    dict.set_item("state", status.state.as_str())?;
    dict.set_item("failure", &status.failure)?;
    dict.set_item("submitted_at", time(status.submitted_at))?;
    dict.set_item("started_at", time(status.started_at))?;
    dict.set_item("ended_at", time(status.ended_at))?;
    dict.set_item("exit_code", status.exit_code)?;
    dict.set_item("retries", status.retry_count)?;
    Ok(dict)
}

/// A service, its settings as they stand in the file.
pub(super) fn service_dict<'py>(
    py: Python<'py>,
    store: &Store,
    id: &str,
    service: &Service,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("id", id)?;
    dict.set_item("text", &service.description)?;
    dict.set_item("typename", &service.class)?;
    dict.set_item("state", &service.state)?;
    dict.set_item("url", &service.url)?;
    let settings = service
        .settings
        .map(Value::Dict)
        .map(|settings| convert::value(py, store, None, settings, Style::Objects));
    dict.set_item("settings", settings.transpose()?)?;
    Ok(dict)
}
