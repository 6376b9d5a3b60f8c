//! Where configs come from: a run, or a saved object; and which Python object stands for which config.

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

/// What a source was read from.
#[allow(clippy::large_enum_variant, reason = "there are few sources, and each is behind a reference")]
pub(super) enum Origin {
    /// The objects of a run
    Run(Arc<LoadedRun>),
    /// What `xp.save` saved in a run, under a name
    Saved(Arc<LoadedRun>, String, SavedObject),
}

/// Where configs come from. Opaque; pickles by path, so that the configs of one source keep sharing what they shared.
#[pyclass(frozen, weakref, module = "xpframe._core")]
pub struct Source {
    pub(super) origin: Origin,
    /// The Python object of each config that somebody holds; weak, so that nothing is kept alive by it
    alive: Mutex<HashMap<ObjectIx, Py<PyWeakrefReference>>>,
    /// The names of attributes that were made, as Python keeps them
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

    /// The Python object of a config, if somebody holds it.
    pub(super) fn alive<'py>(&self, py: Python<'py>, at: ObjectIx) -> Option<Bound<'py, Config>> {
        let held = {
            let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
            alive.get(&at).map(|reference| reference.clone_ref(py))
        };
        held?.bind(py).upgrade()?.cast_into().ok()
    }

    /// The attribute that a field is kept as, none if it is kept nowhere: a name of Python's own must not be hidden.
    pub(super) fn attribute<'py>(&self, py: Python<'py>, field: Symbol) -> Option<Bound<'py, PyString>> {
        let attributes = || self.attributes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = attributes().get(&field) {
            return known.as_ref().map(|name| name.bind(py).clone());
        }
        let name = std::str::from_utf8(self.graph().store.symbol_bytes(field)).ok();
        let name = name.filter(|name| !name.starts_with('_')).map(|name| PyString::intern(py, name));
        attributes().insert(field, name.as_ref().map(|name| name.clone().unbind()));
        name
    }

    /// The Python object of a config: the same one for as long as it is held.
    pub(super) fn config<'py>(slf: &Bound<'py, Self>, at: ObjectIx) -> PyResult<Bound<'py, Config>> {
        let py = slf.py();
        if let Some(config) = slf.get().alive(py, at) {
            return Ok(config);
        }
        let config = Bound::new(py, Config::new(slf.clone().unbind(), at))?;
        let reference = PyWeakrefReference::new(&config)?.unbind();
        let mut alive = slf.get().alive.lock().unwrap_or_else(PoisonError::into_inner);
        // another thread may have been first
        if let Some(first) = alive.get(&at).and_then(|reference| reference.bind(py).upgrade()) {
            return Ok(first.cast_into()?);
        }
        alive.insert(at, reference);
        Ok(config)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let (Origin::Run(loaded) | Origin::Saved(loaded, ..)) = &mut self.origin;
        if let Some(loaded) = Arc::get_mut(loaded) {
            loaded.drop_in_background();
        }
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

    /// The config that had this position and identifier when it was pickled.
    fn restore<'py>(slf: &Bound<'py, Self>, at: u32, identifier: &str) -> PyResult<Bound<'py, Config>> {
        let graph = slf.get().graph();
        let at = ObjectIx(at);
        if at.index() >= graph.len() || graph.identifier(at) != identifier {
            return Err(Error::new(
                ErrorKind::Unresolved,
                format!("the run no longer holds config {identifier} where it was"),
            )
            .at_file(slf.get().loaded().run().path())
            .hint("it was written again after the pickle was made")
            .into());
        }
        Self::config(slf, at)
    }
}

/// The source that a pickle names: a run directory, and perhaps the name of what was saved there.
#[pyfunction]
pub fn open_source(py: Python<'_>, path: PathBuf, saved: Option<String>) -> PyResult<Source> {
    py.detach(|| {
        let loaded = Arc::new(LoadedRun::new(workspace::Run::at(&path)?, CancelToken::default()));
        Ok(Source::new(match saved {
            None => Origin::Run(loaded),
            Some(name) => {
                let object = loaded.saved(&name)?;
                Origin::Saved(loaded, name, object)
            }
        }))
    })
}
