//! The jobs that configs come from, as configs.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::config::config_of;
use super::convert::{self, Style};
use super::source::Source;
use crate::lineage::producers_below;
use crate::values::Value;

/// The config of the job that produced a config: the training behind a checkpoint. None if no job did.
///
/// A job is its own producer. Where no file has the job, the value says so when it is touched (`Unresolved`).
#[pyfunction]
pub fn producer<'py>(config: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = config.py();
    let config = config_of(config)?;
    let (source, index) = (config.get().source().bind(py), config.get().index());
    let graph = source.get().graph();
    let value = match graph.task(index) {
        unresolved @ Value::Unresolved(_) => unresolved,
        _ => graph.producer(index, |job_id| is_job(source, job_id)).map_or(Value::Null, Value::Object),
    };
    convert::value(py, &graph.store, Some(source), value, Style::Objects)
}

/// The configs of the jobs that a config comes from directly, by the places where their products stand: `trained`, `models[0]`,
/// `data.train`, `init-tasks[0]`.
///
/// Raises `InvalidArgumentError` for more than ten thousand places.
#[pyfunction]
pub fn upstream<'py>(config: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let py = config.py();
    let config = config_of(config)?;
    let (source, index) = (config.get().source().bind(py), config.get().index());
    let found = producers_below(source.get().graph(), index, &|job_id: &[u8]| is_job(source, job_id))?;
    let jobs = PyDict::new(py);
    for (place, job) in found {
        jobs.set_item(place, Source::config(source, job)?)?;
    }
    Ok(jobs)
}

/// Whether an identifier is that of a job of the run.
fn is_job(source: &Bound<'_, Source>, job_id: &[u8]) -> bool {
    source.get().loaded().rows().position(job_id).is_some()
}
