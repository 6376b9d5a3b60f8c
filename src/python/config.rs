//! Configs as Python objects, whose fields are converted on access.

use std::path::PathBuf;

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::convert::{self, Style, string};
use super::source::Source;
use crate::error::{Error, ErrorKind, did_you_mean, printable, quoted};
use crate::values::{ObjectIx, Store, Value};
use crate::workspace::plain;

/// A config of a run, with its fields as attributes.
///
/// References are configs; a config that several others share is one Python object. Configs are immutable. `==` compares
/// the class and all fields.
#[pyclass(frozen, weakref, dict, module = "xpframe")]
pub struct Config {
    source: Py<Source>,
    index: ObjectIx,
}

/// The number of fields that an error lists.
const MAX_NAMED_FIELDS: usize = 30;

impl Config {
    pub(super) fn new(source: Py<Source>, index: ObjectIx) -> Self {
        Self { source, index }
    }

    pub(super) fn source(&self) -> &Py<Source> {
        &self.source
    }

    pub(super) fn index(&self) -> ObjectIx {
        self.index
    }

    fn store(&self) -> &Store {
        &self.source.get().graph().store
    }

    fn convert<'py>(&self, py: Python<'py>, value: Value, style: Style) -> PyResult<Bound<'py, PyAny>> {
        convert::value(py, self.store(), Some(self.source.bind(py)), value, style)
    }

    fn entries(&self) -> impl Iterator<Item = (&[u8], Value)> {
        let store = self.store();
        let fields = self.source.get().graph().object(self.index).fields;
        store.entries(fields).map(|(key, value)| (store.symbol_bytes(key), value))
    }

    /// Caches scalar fields, and configs that have a Python object, as attributes. The first access of a field that is not
    /// cached costs an exception: Python raises it before it calls `__getattr__`.
    fn cache_cheap_fields(&self, attributes: &Bound<'_, PyDict>) -> PyResult<()> {
        let (py, store) = (attributes.py(), self.store());
        let source = self.source.bind(py);
        for (key, value) in store.entries(self.source.get().graph().object(self.index).fields) {
            let value = store.resolve(value);
            let value = match value {
                Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Str(_) => {
                    self.convert(py, value, Style::Objects)?
                }
                Value::Object(index) => match source.get().alive(py, index) {
                    Some(config) => config.into_any(),
                    None => continue,
                },
                _ => continue,
            };
            if let Some(name) = source.get().attribute(py, key) {
                attributes.set_item(name, value)?;
            }
        }
        Ok(())
    }

    fn unknown_field(&self, name: &str) -> Error {
        let graph = self.source.get().graph();
        let typename = graph.typename(self.index);
        let (file, line) = graph.location(self.index);
        if graph.about(self.index).stub {
            let error = Error::new(
                ErrorKind::Field,
                format!("{typename} was not loaded when the run was written: it has no fields here"),
            );
            return error
                .at_file(file)
                .at_line(line)
                .at_field(name)
                .hint("load the run in which it was executed");
        }
        let names: Vec<String> =
            self.entries().map(|(key, _)| String::from_utf8_lossy(key).into_owned()).collect();
        let hint = did_you_mean(name, names.iter().map(String::as_str)).unwrap_or_else(|| {
            let more = if names.len() > MAX_NAMED_FIELDS {
                format!(" and {} more", names.len() - MAX_NAMED_FIELDS)
            } else {
                String::new()
            };
            let shown = names[..names.len().min(MAX_NAMED_FIELDS)].join(", ");
            let of_job = match name {
                "path" | "tags" => format!("; {name}(config) is that of its job"),
                "state" | "states" => "; info.states has those of jobs".to_owned(),
                _ => String::new(),
            };
            format!("it has {}{more}{of_job}", if names.is_empty() { "none" } else { &shown })
        });
        Error::new(ErrorKind::Field, format!("{typename} has no field {}", quoted(name)))
            .at_field(name)
            .hint(hint)
    }
}

#[pymethods]
impl Config {
    fn __getattr__<'py>(slf: &Bound<'py, Self>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let text = name.to_string_lossy();
        let field = this.entries().find(|&(key, _)| key == text.as_bytes());
        let Some((_, value)) = field else {
            if text.starts_with("__") || text.starts_with("_repr_") || text.starts_with("_ipython_") {
                return Err(PyAttributeError::new_err(text.into_owned()));
            }
            return Err(this.unknown_field(&text).into());
        };
        let value = this.convert(py, value, Style::Objects)?;
        // the next access does not call __getattr__
        if !text.starts_with('_') {
            let attributes = attributes_of(slf)?;
            this.cache_cheap_fields(&attributes)?;
            attributes.set_item(name, &value)?;
        }
        Ok(value)
    }

    fn __setattr__(&self, name: &Bound<'_, PyString>, _value: &Bound<'_, PyAny>) -> PyResult<()> {
        let shown = quoted(&name.to_string_lossy());
        Err(PyAttributeError::new_err(format!("cannot set {shown}: configs are immutable")))
    }

    fn __delattr__(&self, name: &Bound<'_, PyString>) -> PyResult<()> {
        let shown = quoted(&name.to_string_lossy());
        Err(PyAttributeError::new_err(format!("cannot delete {shown}: configs are immutable")))
    }

    fn __dir__<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyString>>> {
        let mut names: Vec<_> = self.entries().map(|(key, _)| string(py, key)).collect::<PyResult<_>>()?;
        names.extend(
            ["__xpmtypename__", "__xpmidentifier__", "__xpmtask__"].map(|name| PyString::new(py, name)),
        );
        Ok(names)
    }

    fn __repr__(&self) -> String {
        let graph = self.source.get().graph();
        let identifier = graph.identifier(self.index);
        let shown: String = identifier.chars().take(8).collect();
        format!("<{} {}>", printable(&graph.typename(self.index)), printable(&shown))
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("xpframe.display.tree")?.getattr("config_html")?.call1((slf,))
    }

    fn _repr_pretty_(slf: &Bound<'_, Self>, printer: &Bound<'_, PyAny>, cycle: bool) -> PyResult<()> {
        let text = if cycle {
            slf.repr()?.into_any()
        } else {
            slf.py().import("xpframe.display.tree")?.getattr("config_text")?.call1((slf,))?
        };
        printer.call_method1("text", (text,)).map(drop)
    }

    fn __eq__(&self, py: Python<'_>, that: &Bound<'_, PyAny>) -> bool {
        let Ok(that) = that.cast::<Self>() else { return false };
        let that = that.get();
        if self.source.is(&that.source) && self.index == that.index {
            return true;
        }
        let (mine, theirs) = (self.source.get().graph(), that.source.get().graph());
        py.detach(|| crate::objects::same_content((mine, self.index), (theirs, that.index)))
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{Hash, Hasher};
        let graph = self.source.get().graph();
        let mut hasher = std::hash::DefaultHasher::new();
        graph.typename(self.index).hash(&mut hasher);
        graph.identifier(self.index).hash(&mut hasher);
        hasher.finish()
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (u32, String))> {
        let restore = self.source.bind(py).getattr("restore")?;
        Ok((restore, (self.index.0, self.source.get().graph().identifier(self.index).into_owned())))
    }

    /// `module.Class`, as on objects of experimaestro.
    #[getter]
    fn __xpmtypename__<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, &self.source.get().graph().typename(self.index))
    }

    /// The content identifier, as on objects of experimaestro; for a task, the job id.
    #[getter]
    fn __xpmidentifier__<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, &self.source.get().graph().identifier(self.index))
    }

    /// The task that produced this config, for a submitted task the task itself; None if there is none.
    #[getter]
    fn __xpmtask__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.convert(py, self.source.get().graph().task(self.index), Style::Objects)
    }

    /// The tasks that run before this one.
    #[getter]
    fn __xpminittasks__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.convert(py, self.source.get().graph().about(self.index).init_tasks, Style::Objects)
    }

    /// Whether the config is ignored in identifiers.
    #[getter]
    fn __xpmmeta__(&self) -> bool {
        self.source.get().graph().about(self.index).meta
    }

    /// Whether the config is a placeholder without fields: its task was not loaded when the run was written.
    #[getter]
    fn __xpmstub__(&self) -> bool {
        self.source.get().graph().about(self.index).stub
    }
}

/// The `__dict__` of a config: its cached fields.
fn attributes_of<'py>(config: &Bound<'py, Config>) -> PyResult<Bound<'py, PyDict>> {
    Ok(config.getattr(intern!(config.py(), "__dict__"))?.cast_into::<PyDict>()?)
}

/// A config, or the config of an action.
pub(super) fn config_of<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Config>> {
    if let Ok(config) = object.cast::<Config>() {
        return Ok(config.clone());
    }
    let config = object.getattr_opt("_config")?;
    if config.as_ref().is_some_and(|config| config.is_none()) {
        return Err(PyTypeError::new_err("experimaestro could not write the config of this action"));
    }
    config.and_then(|config| config.cast_into::<Config>().ok()).ok_or_else(|| {
        let kind =
            object.get_type().name().map_or_else(|_| "something else".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!("expected a config or an action, not {kind}"))
    })
}

/// The class of a config, `module.Class`, in its original case. An action without config has a class, too.
#[pyfunction]
pub fn typename<'py>(config: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    if config.getattr_opt("_config")?.is_some_and(|config| config.is_none()) {
        return Ok(config.getattr("_typename")?.cast_into()?);
    }
    Ok(config_of(config)?.get().__xpmtypename__(config.py()))
}

/// The content identifier of a config, 64 hexadecimal digits; for a task, the job id.
#[pyfunction]
pub fn identifier<'py>(config: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    Ok(config_of(config)?.get().__xpmidentifier__(config.py()))
}

/// The fields of a config as a dict, one level deep, with the values of the attributes.
#[pyfunction]
pub fn fields<'py>(config: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let py = config.py();
    let config = config_of(config)?;
    let attributes = attributes_of(&config)?;
    let fields = PyDict::new(py);
    for (key, value) in config.get().entries() {
        let name = string(py, key)?;
        let value = match attributes.get_item(&name)? {
            Some(value) => value,
            None => {
                let value = config.get().convert(py, value, Style::Objects)?;
                // names with an underscore may hide attributes of Python
                if !key.starts_with(b"_") {
                    attributes.set_item(&name, &value)?;
                }
                value
            }
        };
        fields.set_item(name, value)?;
    }
    Ok(fields)
}

/// A limit for `asdict`: shared configs are repeated, so thirty levels of two references each are a billion values.
const MAX_VALUES: u64 = 10_000_000;

/// A config as plain nested values: configs as dicts, paths and enum members as str, sets as lists.
///
/// A shared config is repeated at each reference. Raises `InvalidArgumentError` for more than ten million values.
#[pyfunction]
pub fn asdict<'py>(config: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let config = config_of(config)?;
    let this = config.get();
    let graph = this.source.get().graph();
    let values = graph.unfolded(this.index);
    if values > MAX_VALUES {
        let (file, line) = graph.location(this.index);
        let reason =
            format!("{} unfolds to {values} values, more than {MAX_VALUES}", graph.typename(this.index));
        let error = Error::new(ErrorKind::InvalidArgument, reason).at_file(file).at_line(line);
        return Err(error.hint("shared configs are repeated; `fields` is one level deep").into());
    }
    this.convert(config.py(), Value::Dict(graph.object(this.index).fields), Style::Plain)
}

/// The directory of a job, given its config: where it ran and wrote its files.
///
/// Raises `JobNotFoundError` for a config that is no job.
#[pyfunction]
pub fn path(config: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    let config = config_of(config)?;
    let Config { source, index, .. } = config.get();
    let (graph, loaded) = (source.get().graph(), source.get().loaded());
    let (job_id, workspace) = (graph.identifier(*index), loaded.run().workspace());
    let rows = loaded.rows();
    if let Some(position) = rows.position(job_id.as_bytes()) {
        let row = &rows.rows[position];
        return Ok(workspace.task_dir(&rows.task_id(row))?.join(plain("job", &rows.job_id(row))?));
    }
    // a job of another run, or of another experiment
    let typename = graph.typename(*index);
    for task_id in [typename.to_lowercase(), typename.to_string()] {
        let directory = workspace.task_dir(&task_id)?.join(plain("job", &job_id)?);
        if directory.is_dir() {
            return Ok(directory);
        }
    }
    let reason = format!("{typename} {} is no job: it has no directory", quoted(&job_id));
    let error = Error::new(ErrorKind::JobNotFound, reason).at_file(loaded.run().path());
    Err(error.hint("give a config of info.jobs, or the __xpmtask__ of this one").into())
}

/// The tags of a job, given its config: a dict from name to value; empty for a config that is no job of its run.
#[pyfunction]
pub fn tags<'py>(config: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = config.py();
    let config = config_of(config)?;
    let source = config.get().source.get();
    let rows = source.loaded().rows();
    let row = rows
        .position(source.graph().identifier(config.get().index).as_bytes())
        .map(|index| &rows.rows[index]);
    match row.and_then(|row| row.tags) {
        Some(tags) => convert::value(py, &rows.store, None, Value::Dict(tags), Style::Objects),
        None => Ok(PyDict::new(py).into_any()),
    }
}
