//! The source of configs, a run or a saved object, with the Python object of each config.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use ahash::HashMap;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyWeakrefMethods, PyWeakrefReference};

use super::config::Config;
use crate::error::{Error, ErrorKind};
use crate::loaded::LoadedRun;
use crate::objects::{Graph, SavedObject};
use crate::progress::CancelToken;
use crate::values::{ObjectIx, Symbol};
use crate::workspace;

/// The origin of a source.
#[allow(clippy::large_enum_variant, reason = "there are few sources, and each is behind a reference")]
pub(super) enum Origin {
    /// The objects of a run
    Run(Arc<LoadedRun>),
    /// An object saved with `xp.save` in a run, and its name
    Saved(Arc<LoadedRun>, String, SavedObject),
}

/// The source of configs. Opaque; it is pickled by path, and configs of one source still share objects afterwards.
#[pyclass(frozen, weakref, module = "xpframe._core")]
pub struct Source {
    pub(super) origin: Origin,
    /// Weak references to the Python objects of configs
    alive: Mutex<HashMap<ObjectIx, Py<PyWeakrefReference>>>,
    /// Interned names of cached attributes
    attributes: Mutex<HashMap<Symbol, Option<Py<PyString>>>>,
}

impl Source {
    pub(super) fn new(origin: Origin) -> Self {
        Self { origin, alive: Mutex::default(), attributes: Mutex::default() }
    }

    pub(super) fn graph(&self) -> &Graph {
        match &self.origin {
            Origin::Run(loaded) => &loaded.objects().graph,
            Origin::Saved(_, _, saved) => &saved.graph,
        }
    }

    pub(super) fn loaded(&self) -> &Arc<LoadedRun> {
        match &self.origin {
            Origin::Run(loaded) | Origin::Saved(loaded, ..) => loaded,
        }
    }

    /// The Python object of a config, if it is alive.
    pub(super) fn alive<'py>(&self, py: Python<'py>, index: ObjectIx) -> Option<Bound<'py, Config>> {
        let reference = {
            let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
            alive.get(&index).map(|reference| reference.clone_ref(py))
        };
        reference?.bind(py).upgrade()?.cast_into().ok()
    }

    /// The attribute under which a field is cached. Names with an underscore are not cached: they may hide attributes of Python.
    pub(super) fn attribute<'py>(&self, py: Python<'py>, field: Symbol) -> Option<Bound<'py, PyString>> {
        let attributes = || self.attributes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cached) = attributes().get(&field) {
            return cached.as_ref().map(|name| name.bind(py).clone());
        }
        let name = std::str::from_utf8(self.graph().store.symbol_bytes(field)).ok();
        let name = name.filter(|name| !name.starts_with('_')).map(|name| PyString::intern(py, name));
        attributes().insert(field, name.as_ref().map(|name| name.clone().unbind()));
        name
    }

    /// The Python object of a config: the same object as long as it is alive.
    pub(super) fn config<'py>(slf: &Bound<'py, Self>, index: ObjectIx) -> PyResult<Bound<'py, Config>> {
        let py = slf.py();
        if let Some(config) = slf.get().alive(py, index) {
            return Ok(config);
        }
        let config = Bound::new(py, Config::new(slf.clone().unbind(), index))?;
        let reference = PyWeakrefReference::new(&config)?.unbind();
        let mut alive = slf.get().alive.lock().unwrap_or_else(PoisonError::into_inner);
        // another thread may have been faster
        if let Some(first) = alive.get(&index).and_then(|reference| reference.bind(py).upgrade()) {
            return Ok(first.cast_into()?);
        }
        alive.insert(index, reference);
        Ok(config)
    }
}

#[pymethods]
impl Source {
    #[allow(clippy::type_complexity, reason = "what pickle wants: a function and its arguments")]
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (PathBuf, Option<String>))> {
        let open = py.import("xpframe._core")?.getattr("open_source")?;
        let saved = match &self.origin {
            Origin::Run(_) => None,
            Origin::Saved(_, name, _) => Some(name.clone()),
        };
        Ok((open, (self.loaded().run().path().to_path_buf(), saved)))
    }

    /// The config with this index and identifier at the time of pickling.
    fn restore<'py>(slf: &Bound<'py, Self>, index: u32, identifier: &str) -> PyResult<Bound<'py, Config>> {
        let graph = slf.get().graph();
        let index = ObjectIx(index);
        if index.index() >= graph.len() || graph.identifier(index) != identifier {
            return Err(Error::new(
                ErrorKind::Unresolved,
                format!("config {identifier} has moved in the run, or is gone"),
            )
            .at_file(slf.get().loaded().run().path())
            .hint("the run was rewritten after pickling: load it again")
            .into());
        }
        Self::config(slf, index)
    }
}

/// Opens the source of a pickle: a run directory, and the name of a saved object, if it is one.
#[pyfunction]
pub fn open_source(py: Python<'_>, path: PathBuf, saved: Option<String>) -> PyResult<Source> {
    let archives = py.import("xpframe.locate")?.getattr("archives")?.call0()?;
    let archives: Vec<(PathBuf, Vec<PathBuf>)> = archives.extract()?;
    py.detach(|| {
        let run = workspace::Run::at(&path).map_err(|error| match error.kind() {
            ErrorKind::RunNotFound | ErrorKind::ExperimentNotFound => {
                Error::new(ErrorKind::RunNotFound, "the run that was pickled is not there")
                    .at_file(&path)
                    .hint("a pickle holds the path of its run: load the run from where the workspace is now")
            }
            _ => error,
        })?;
        let loaded = Arc::new(LoadedRun::new(
            run.with_archives(&archives.into_iter().collect()),
            CancelToken::default(),
        ));
        Ok(Source::new(match saved {
            None => Origin::Run(loaded),
            Some(name) => {
                let object = loaded.saved(&name)?;
                Origin::Saved(loaded, name, object)
            }
        }))
    })
}
