//! Configs and what they hold, as Python objects that read themselves when touched.

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::convert::{Style, string, value};
use super::source::Source;
use crate::error::{Error, ErrorKind, did_you_mean, printable, quoted};
use crate::values::{EnumMember, ObjectIx, Store, Value};

/// A config of a run: its fields are its attributes.
///
/// References to other configs are the configs themselves; a config that two others share is one Python object. It cannot be
/// changed. `==` compares the class and all fields.
#[pyclass(frozen, weakref, dict, module = "xpframe")]
pub struct Config {
    source: Py<Source>,
    at: ObjectIx,
}

/// How many fields an error names.
const SHOWN: usize = 30;

impl Config {
    pub(super) fn new(source: Py<Source>, at: ObjectIx) -> Self {
        Self { source, at }
    }

    fn store(&self) -> &Store {
        &self.source.get().graph().store
    }

    fn convert<'py>(&self, py: Python<'py>, held: Value, style: Style) -> PyResult<Bound<'py, PyAny>> {
        value(py, self.store(), Some(self.source.bind(py)), held, style)
    }

    fn entries(&self) -> impl Iterator<Item = (&[u8], Value)> {
        let store = self.store();
        let fields = self.source.get().graph().object(self.at).fields;
        store.entries(fields).map(|(key, value)| (store.symbol_bytes(key), value))
    }

    /// Makes attributes of all fields that cost next to nothing: each that is touched before costs an exception, which Python
    /// makes before it asks here.
    fn fill(&self, attributes: &Bound<'_, PyDict>) -> PyResult<()> {
        let (py, store) = (attributes.py(), self.store());
        let source = self.source.bind(py);
        for (key, held) in store.entries(self.source.get().graph().object(self.at).fields) {
            let held = store.resolve(held);
            let held = match held {
                Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Str(_) => {
                    self.convert(py, held, Style::Objects)?
                }
                Value::Object(at) => match source.get().alive(py, at) {
                    Some(config) => config.into_any(),
                    None => continue,
                },
                _ => continue,
            };
            if let Some(name) = source.get().attribute(py, key) {
                attributes.set_item(name, held)?;
            }
        }
        Ok(())
    }

    fn unknown_field(&self, name: &str) -> Error {
        let graph = self.source.get().graph();
        let typename = graph.typename(self.at);
        let (file, line) = graph.location(self.at);
        if graph.about(self.at).stub {
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
            let more = if names.len() > SHOWN {
                format!(" and {} more", names.len() - SHOWN)
            } else {
                String::new()
            };
            let shown = names[..names.len().min(SHOWN)].join(", ");
            format!("it has {}{more}", if names.is_empty() { "none" } else { &shown })
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
        let wanted = name.to_string_lossy();
        let found = this.entries().find(|&(key, _)| key == wanted.as_bytes());
        let Some((_, held)) = found else {
            if wanted.starts_with("__") || wanted.starts_with("_repr_") || wanted.starts_with("_ipython_") {
                return Err(PyAttributeError::new_err(wanted.into_owned()));
            }
            return Err(this.unknown_field(&wanted).into());
        };
        let held = this.convert(py, held, Style::Objects)?;
        // the next access finds it without asking here
        if !wanted.starts_with('_') {
            let attributes = attributes_of(slf)?;
            this.fill(&attributes)?;
            attributes.set_item(name, &held)?;
        }
        Ok(held)
    }

    fn __setattr__(&self, name: &str, _value: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(PyAttributeError::new_err(format!(
            "cannot set {}: a config that was read cannot be changed",
            quoted(name)
        )))
    }

    fn __delattr__(&self, name: &str) -> PyResult<()> {
        Err(PyAttributeError::new_err(format!(
            "cannot delete {}: a config that was read cannot be changed",
            quoted(name)
        )))
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
        let identifier = graph.identifier(self.at);
        let shown: String = identifier.chars().take(8).collect();
        format!("<{} {}>", printable(&graph.typename(self.at)), printable(&shown))
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

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> bool {
        let Ok(other) = other.cast::<Self>() else { return false };
        let other = other.get();
        if self.source.is(&other.source) && self.at == other.at {
            return true;
        }
        let (mine, theirs) = (self.source.get().graph(), other.source.get().graph());
        py.detach(|| crate::objects::same_content((mine, self.at), (theirs, other.at)))
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{Hash, Hasher};
        let graph = self.source.get().graph();
        let mut hasher = std::hash::DefaultHasher::new();
        graph.typename(self.at).hash(&mut hasher);
        graph.identifier(self.at).hash(&mut hasher);
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
        Ok((restore, (self.at.0, self.source.get().graph().identifier(self.at).into_owned())))
    }

    /// `module.Class`, as experimaestro's own objects have it.
    #[getter]
    fn __xpmtypename__<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, &self.source.get().graph().typename(self.at))
    }

    /// The content identifier, as experimaestro's own objects have it; the job id of a task.
    #[getter]
    fn __xpmidentifier__<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, &self.source.get().graph().identifier(self.at))
    }

    /// The task that produced this config; a submitted task is its own. None if no task did.
    #[getter]
    fn __xpmtask__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.convert(py, self.source.get().graph().task(self.at), Style::Objects)
    }

    /// The tasks that run before this one.
    #[getter]
    fn __xpminittasks__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.convert(py, self.source.get().graph().about(self.at).init_tasks, Style::Objects)
    }

    /// Whether the config was flagged as not being part of the experiment's identity.
    #[getter]
    fn __xpmmeta__(&self) -> bool {
        self.source.get().graph().about(self.at).meta
    }

    /// Whether the config stands for a task that was not loaded when the run was written; it has no fields then.
    #[getter]
    fn __xpmstub__(&self) -> bool {
        self.source.get().graph().about(self.at).stub
    }
}

/// Where Python keeps what a config was asked for.
fn attributes_of<'py>(config: &Bound<'py, Config>) -> PyResult<Bound<'py, PyDict>> {
    Ok(config.getattr(intern!(config.py(), "__dict__"))?.cast_into::<PyDict>()?)
}

/// The config that was given, or that of an action.
fn config_of<'py>(given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Config>> {
    if let Ok(config) = given.cast::<Config>() {
        return Ok(config.clone());
    }
    let config = given.getattr_opt("_config")?.and_then(|config| config.cast_into::<Config>().ok());
    config.ok_or_else(|| {
        let kind =
            given.get_type().name().map_or_else(|_| "something else".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!("a config or an action was expected, not {kind}"))
    })
}

/// The class of a config, `module.Class`, in its original case.
#[pyfunction]
pub fn typename<'py>(config: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    Ok(config_of(config)?.get().__xpmtypename__(config.py()))
}

/// The content identifier of a config, 64 hexadecimal digits; the job id of a task.
#[pyfunction]
pub fn identifier<'py>(config: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    Ok(config_of(config)?.get().__xpmidentifier__(config.py()))
}

/// The fields of a config, one level: a dict from name to value, the same values as the attributes.
#[pyfunction]
pub fn fields<'py>(config: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let py = config.py();
    let config = config_of(config)?;
    let attributes = attributes_of(&config)?;
    let fields = PyDict::new(py);
    for (key, held) in config.get().entries() {
        let name = string(py, key)?;
        let held = match attributes.get_item(&name)? {
            Some(held) => held,
            None => {
                let held = config.get().convert(py, held, Style::Objects)?;
                // a name of Python's own must not be hidden
                if !key.starts_with(b"_") {
                    attributes.set_item(&name, &held)?;
                }
                held
            }
        };
        fields.set_item(name, held)?;
    }
    Ok(fields)
}

/// More values than that are no plain value: two configs that hold each other twice, thirty times, are a billion.
const MOST_VALUES: u64 = 10_000_000;

/// A config as plain nested values: configs as dicts, paths and enum members as str, sets as lists.
///
/// A config that is shared is repeated wherever it stands; an error, if that makes more than ten million values.
#[pyfunction]
pub fn asdict<'py>(config: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let config = config_of(config)?;
    let this = config.get();
    let graph = this.source.get().graph();
    let values = graph.unfolded(this.at);
    if values > MOST_VALUES {
        let (file, line) = graph.location(this.at);
        let reason =
            format!("{} unfolds to {values} values, more than {MOST_VALUES}", graph.typename(this.at));
        let error = Error::new(ErrorKind::InvalidArgument, reason).at_file(file).at_line(line);
        return Err(error.hint("what is shared is repeated there; `fields` goes one level").into());
    }
    this.convert(config.py(), Value::Dict(graph.object(this.at).fields), Style::Plain)
}

/// The tags of a job, by its config: a dict from name to value; empty for a config that is not a job of its run.
#[pyfunction]
pub fn tags<'py>(config: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = config.py();
    let config = config_of(config)?;
    let source = config.get().source.get();
    let rows = source.loaded().rows();
    let row = rows.position(source.graph().identifier(config.get().at).as_bytes()).map(|at| &rows.rows[at]);
    match row.and_then(|row| row.tags) {
        Some(tags) => value(py, &rows.store, None, Value::Dict(tags), Style::Objects),
        None => Ok(PyDict::new(py).into_any()),
    }
}

/// A member of an enum, whose class is not imported. Equal to its name.
#[pyclass(frozen, module = "xpframe")]
pub struct EnumValue {
    module: String,
    class: String,
    name: String,
}

impl EnumValue {
    pub(super) fn new(store: &Store, member: EnumMember) -> Self {
        let name = |symbol| store.symbol(symbol).into_owned();
        Self { module: name(member.module), class: name(member.class), name: name(member.name) }
    }
}

#[pymethods]
impl EnumValue {
    #[new]
    fn py_new(module: String, r#enum: String, name: String) -> Self {
        Self { module, class: r#enum, name }
    }

    /// The name of the member.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// The qualified name of its class.
    #[getter]
    fn r#enum(&self) -> &str {
        &self.class
    }

    /// The module of its class.
    #[getter]
    fn module(&self) -> &str {
        &self.module
    }

    fn __str__(&self) -> &str {
        &self.name
    }

    fn __repr__(&self) -> String {
        format!("<{}.{}>", printable(&self.class), printable(&self.name))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        if let Ok(other) = other.cast::<Self>() {
            let other = other.get();
            return (&self.name, &self.class, &self.module) == (&other.name, &other.class, &other.module);
        }
        other.extract::<String>().is_ok_and(|name| name == self.name)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        // equal to its name, so it hashes like it
        PyString::new(py, &self.name).hash()
    }

    fn __getnewargs__(&self) -> (&str, &str, &str) {
        (&self.module, &self.class, &self.name)
    }
}

/// A reference to an object that no file holds. Any use of it raises `UnresolvedError`.
#[pyclass(frozen, module = "xpframe")]
pub struct Unresolved {
    id: i64,
    cyclic: bool,
}

impl Unresolved {
    pub(super) fn new(id: i64, cyclic: bool) -> Self {
        Self { id, cyclic }
    }

    fn reason(&self) -> String {
        if self.cyclic {
            format!("object {} refers back to itself", self.id)
        } else {
            format!("object {} is referred to but no file holds it", self.id)
        }
    }
}

#[pymethods]
impl Unresolved {
    #[new]
    fn py_new(id: i64, cyclic: bool) -> Self {
        Self::new(id, cyclic)
    }

    fn __getnewargs__(&self) -> (i64, bool) {
        (self.id, self.cyclic)
    }

    fn __getattr__(&self, name: &str) -> PyResult<()> {
        if name.starts_with("__") || name.starts_with("_repr_") || name.starts_with("_ipython_") {
            return Err(PyAttributeError::new_err(name.to_owned()));
        }
        Err(Error::new(ErrorKind::Unresolved, self.reason())
            .at_field(name)
            .hint("it was lost when the experiment was written")
            .into())
    }

    fn __repr__(&self) -> String {
        format!("<unresolved: {}>", printable(&self.reason()))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().id == self.id)
    }

    fn __hash__(&self) -> i64 {
        self.id
    }
}
