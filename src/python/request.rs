//! What is asked of runs, as Python says it and the engine takes it.

use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyUnicodeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::results::results as result_requests;
use super::run::Run;
use crate::columns::{Chosen, Naming, Selection};
use crate::error::{Error, ErrorKind, Result, quoted};
use crate::progress::CancelToken;
use crate::records::Zone;
use crate::scan;
use crate::table::StringLayout;

/// Which jobs and columns are asked of runs, by the arguments of `xp_table`. `xpframe.request` has their types and defaults.
///
/// Raises `InvalidArgumentError` for an argument of another type.
#[pyclass(frozen, module = "xpframe._core")]
pub struct TableRequest {
    arguments: Py<PyDict>,
    distinct: bool,
    tasks: Option<Vec<String>>,
    selection: Selection,
    results: Vec<scan::ResultRequest>,
    max_columns: usize,
    naming: Naming,
    naive_times: bool,
    timezone: Option<String>,
}

impl TableRequest {
    /// The same request, of these runs. `keep_bytes` of their files stay in memory between deciding the columns and building them.
    pub(super) fn for_runs(
        &self,
        runs: &[Py<Run>],
        several_runs: bool,
        layout: StringLayout,
        keep_bytes: u64,
        scope: scan::Scope,
    ) -> Result<scan::TableRequest> {
        Ok(scan::TableRequest {
            runs: runs.iter().map(|run| run.get().loaded().usable()).collect(),
            several_runs,
            distinct: self.distinct,
            tasks: self.tasks.clone(),
            selection: self.selection.clone(),
            results: self.results.clone(),
            max_columns: self.max_columns,
            short_names: self.naming == Naming::Short,
            layout,
            zone: self.timezone.as_deref().map_or_else(|| Ok(Zone::local()), Zone::named)?,
            keep_bytes,
            scope,
        })
    }
}

impl TableRequest {
    pub(super) fn naming(&self) -> Naming {
        self.naming
    }

    pub(super) fn naive_times(&self) -> bool {
        self.naive_times
    }
}

/// The jobs to keep of each run, by their positions; all if there are none.
pub(super) fn scope_of(rows: Option<Vec<Vec<usize>>>) -> scan::Scope {
    scan::Scope { rows: rows.map(Arc::new), ..scan::Scope::default() }
}

#[pymethods]
impl TableRequest {
    #[new]
    #[pyo3(signature = (*, task: "object", columns: "object", results: "object", names: "object", max_columns: "object", timezone: "object", naive_times: "object", distinct: "object"=false))]
    #[allow(clippy::too_many_arguments, reason = "keywords, as those of the public calls")]
    fn new(
        task: &Bound<'_, PyAny>,
        columns: &Bound<'_, PyAny>,
        results: &Bound<'_, PyAny>,
        names: &Bound<'_, PyAny>,
        max_columns: &Bound<'_, PyAny>,
        timezone: &Bound<'_, PyAny>,
        naive_times: &Bound<'_, PyAny>,
        distinct: bool,
    ) -> PyResult<Self> {
        let arguments = PyDict::new(task.py());
        let values = [
            ("task", task),
            ("columns", columns),
            ("results", results),
            ("names", names),
            ("max_columns", max_columns),
            ("timezone", timezone),
            ("naive_times", naive_times),
        ];
        for (name, value) in values {
            arguments.set_item(name, value)?;
        }
        if distinct {
            arguments.set_item("distinct", distinct)?;
        }
        Ok(Self {
            arguments: arguments.unbind(),
            distinct,
            tasks: tasks(task)?,
            selection: selection(columns)?,
            results: result_requests(results)?,
            max_columns: max_columns
                .extract()
                .map_err(|_| invalid("max_columns", max_columns, "it is a number of columns, 0 or more"))?,
            naming: match names.extract().unwrap_or("") {
                "full" => Naming::Full,
                "short" => Naming::Short,
                "identifier" => Naming::Identifier,
                _ => return Err(invalid("names", names, "it is 'full', 'short' or 'identifier'")),
            },
            naive_times: naive_times
                .extract()
                .map_err(|_| invalid("naive_times", naive_times, "it is True or False"))?,
            timezone: timezone.extract().map_err(|error| {
                let hint = "it is the IANA name of a zone, as 'Europe/Paris'";
                mistyped(error, "timezone", timezone, hint)
            })?,
        })
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> ((), Bound<'py, PyDict>) {
        ((), self.arguments.bind(py).clone())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let shown =
            self.arguments.bind(py).iter().map(|(name, value)| Ok(format!("{name}={}", value.repr()?)));
        Ok(format!("TableRequest({})", shown.collect::<PyResult<Vec<_>>>()?.join(", ")))
    }
}

/// A name, or a sequence of names.
pub(super) fn names(value: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    if value.is_instance_of::<PyString>() {
        return Ok(vec![value.extract()?]);
    }
    value.try_iter()?.map(|name| name?.extract()).collect()
}

fn tasks(value: &Bound<'_, PyAny>) -> PyResult<Option<Vec<String>>> {
    if value.is_none() {
        return Ok(None);
    }
    let hint = "it is the name of a task, a glob, or a list of them";
    names(value).map(Some).map_err(|error| mistyped(error, "task", value, hint))
}

/// Columns by a pattern, a mapping from new names to patterns, or a sequence of both.
fn selection(value: &Bound<'_, PyAny>) -> PyResult<Selection> {
    if value.is_none() {
        return Ok(Selection::Default);
    }
    let hint = "it is the name of a column, a glob, a dict from new names to columns, or a list of them";
    let chosen = || -> PyResult<Vec<Chosen>> {
        if value.is_instance_of::<PyString>() {
            return Ok(vec![Chosen::new(value.extract::<String>()?)]);
        }
        if let Some(items) = value.getattr_opt("items")? {
            return renamed(&items);
        }
        let mut chosen = Vec::new();
        for item in value.try_iter()? {
            let item = item?;
            match item.getattr_opt("items")? {
                Some(items) => chosen.extend(renamed(&items)?),
                None => chosen.push(Chosen::new(item.extract::<String>()?)),
            }
        }
        Ok(chosen)
    };
    chosen().map(Selection::Chosen).map_err(|error| mistyped(error, "columns", value, hint))
}

/// The columns of a dict from new names to columns: each is one column, or several of which the first value counts.
fn renamed(items: &Bound<'_, PyAny>) -> PyResult<Vec<Chosen>> {
    let pairs = items.call0()?.try_iter()?.map(|pair| {
        let (name, patterns): (String, Bound<'_, PyAny>) = pair?.extract()?;
        let mut patterns = names(&patterns)?.into_iter();
        let first = patterns.next().ok_or_else(|| {
            let reason = format!("columns: no column for {}", quoted(&name));
            PyErr::from(Error::new(ErrorKind::InvalidArgument, reason).hint("name one, or a list of them"))
        })?;
        Ok(Chosen::renamed(name, first, patterns.collect()))
    });
    pairs.collect()
}

/// A `TypeError`, or the error of a text with an unpaired surrogate, as an `InvalidArgument`; other errors as they are.
pub(super) fn mistyped(error: PyErr, name: &str, value: &Bound<'_, PyAny>, hint: &str) -> PyErr {
    if error.is_instance_of::<PyTypeError>(value.py()) {
        invalid(name, value, hint)
    } else if error.is_instance_of::<PyUnicodeError>(value.py()) {
        let reason = format!("{name}={} has an unpaired surrogate", shown(value));
        Error::new(ErrorKind::InvalidArgument, reason).hint("no name is written like this").into()
    } else {
        error
    }
}

fn shown(value: &Bound<'_, PyAny>) -> String {
    value.repr().map_or_else(|_| "…".to_owned(), |text| text.to_string_lossy().into_owned())
}

pub(super) fn invalid(name: &str, value: &Bound<'_, PyAny>, hint: &str) -> PyErr {
    Error::new(ErrorKind::InvalidArgument, format!("{name}={}", shown(value))).hint(hint).into()
}

/// The tokens that cancel the readers of these runs.
pub(super) fn cancel_tokens(runs: &[Py<Run>]) -> Vec<CancelToken> {
    runs.iter().map(|run| run.get().loaded().cancel_token().clone()).collect()
}
