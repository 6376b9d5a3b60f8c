//! A run for Python: its metadata, jobs, actions and saved objects.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::argument::{Name, PathArgument};
use super::config::Config;
use super::convert::{self, Style};
use super::errors::exceptions;
use super::interrupt::interruptible;
use super::source::{Origin, Source};
use super::status::service_dict;
use crate::error::{Error, ErrorKind, quoted};
use crate::file::Signature;
use crate::lineage::{Flow, flows};
use crate::loaded::LoadedRun;
use crate::progress::CancelToken;
use crate::records::{Moment, State, Zone, services};
use crate::threads;
use crate::values::{ObjectIx, Value};
use crate::workspace;

/// A shorter beginning of an identifier names nothing, as in git.
const MIN_PREFIX_BYTES: usize = 4;

/// A handle on a run. Each file is read at most once, when it is needed.
#[pyclass(frozen, module = "xpframe._core")]
pub struct Run {
    source: Py<Source>,
    /// The states that Python was told last, by the positions of the jobs
    told: Mutex<Option<Vec<State>>>,
}

impl Run {
    pub(super) fn new(py: Python<'_>, run: workspace::Run) -> PyResult<Self> {
        let loaded = Arc::new(LoadedRun::new(run, CancelToken::default()));
        Self::of(py, loaded)
    }

    fn of(py: Python<'_>, loaded: Arc<LoadedRun>) -> PyResult<Self> {
        Ok(Self { source: Py::new(py, Source::new(Origin::Run(loaded)))?, told: Mutex::default() })
    }

    /// A run that cannot be read, for callers who want the others.
    pub(super) fn unreadable(py: Python<'_>, run: workspace::Run, error: Error) -> PyResult<Self> {
        Self::of(py, Arc::new(LoadedRun::unreadable(run, error)))
    }

    /// The run of a pickle.
    pub(super) fn restored(source: Py<Source>) -> Self {
        Self { source, told: Mutex::default() }
    }

    pub(super) fn loaded(&self) -> &Arc<LoadedRun> {
        self.source.get().loaded()
    }

    /// The identifier and the config of the job at a position in experimaestro's order.
    fn in_order(&self, py: Python<'_>, position: usize) -> PyResult<(Cow<'_, str>, ObjectIx)> {
        let loaded = self.loaded();
        let objects = loaded.objects_if_read().unwrap_or_else(|| py.detach(|| loaded.objects()));
        let row = objects.order.get(position).copied();
        let entry = row.and_then(|row| Some((&loaded.rows().rows[row], objects.roots[row]?)));
        let (row, config) = entry.ok_or_else(|| {
            PyIndexError::new_err(format!("position {position} of {} jobs", objects.order.len()))
        })?;
        Ok((loaded.rows().job_id(row), config))
    }

    /// The one identifier that begins with `prefix`, as git completes hashes.
    ///
    /// # Errors
    /// `JobNotFound`: none does, or several do, or the prefix is too short.
    fn completed<'i>(
        &self,
        kind: &str,
        prefix: &str,
        identifiers: impl ExactSizeIterator<Item = Cow<'i, str>>,
    ) -> Result<String, Error> {
        let total = identifiers.len();
        let begins = |identifier: &Cow<'i, str>| !prefix.is_empty() && identifier.starts_with(prefix);
        let mut alike: Vec<Cow<'i, str>> = identifiers.filter(begins).collect();
        alike.sort_unstable();
        alike.dedup();
        if prefix.len() >= MIN_PREFIX_BYTES
            && let [only] = &alike[..]
        {
            return Ok(only.to_string());
        }
        let run = self.loaded().run();
        let place = format!("run {} of {}", run.id(), quoted(run.experiment()));
        let error = |reason| Error::new(ErrorKind::JobNotFound, reason).at_file(run.path());
        if alike.is_empty() {
            let reason = format!("{place} has no {kind} {}", quoted(prefix));
            return Err(error(reason).hint(format!("it has {total}")));
        }
        let shown: Vec<String> = alike.iter().take(5).map(|each| each.chars().take(12).collect()).collect();
        let more = if alike.len() > 5 { ", …" } else { "" };
        let shown = format!("{}{more}", shown.join(", "));
        if alike.len() == 1 {
            let reason = format!("{place} has no {kind} {}", quoted(prefix));
            let hint = format!("did you mean {shown}? at least {MIN_PREFIX_BYTES} characters are needed");
            return Err(error(reason).hint(hint));
        }
        let reason = format!("{place} has {} {kind}s that begin with {}", alike.len(), quoted(prefix));
        Err(error(reason).hint(format!("write more of one of {shown}")))
    }
}

#[pymethods]
impl Run {
    #[allow(clippy::type_complexity, reason = "what pickle wants: a function and its arguments")]
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Py<Source>,))> {
        let restore = py.import("xpframe._core")?.getattr("restore_run")?;
        Ok((restore, (self.source.clone_ref(py),)))
    }

    /// The name of the experiment.
    #[getter]
    fn experiment(&self) -> &str {
        self.loaded().run().experiment()
    }

    /// The identifier of the run.
    #[getter]
    fn run_id(&self) -> &str {
        self.loaded().run().id()
    }

    /// The directory of the run.
    #[getter]
    fn path(&self) -> PathBuf {
        self.loaded().run().path().to_path_buf()
    }

    /// The root of the workspace.
    #[getter]
    fn workspace(&self) -> PathBuf {
        self.loaded().run().workspace().root().to_path_buf()
    }

    /// Whether its directory could be looked at; else it has no jobs, and an error.
    #[getter]
    fn is_readable(&self) -> bool {
        self.loaded().refusal().is_none()
    }

    /// Whether its directory has no file of a run and no links to jobs.
    fn is_empty(&self, py: Python<'_>) -> bool {
        // of one that cannot be looked at, reading it tells
        py.detach(|| self.loaded().run().is_empty()).unwrap_or(false)
    }

    /// Reads the jobs and their configs now; Ctrl-C stops it.
    fn load(&self, py: Python<'_>) -> PyResult<()> {
        let loaded = self.loaded();
        let stop = loaded.cancel_token().clone();
        let loaded = Arc::clone(loaded);
        interruptible(py, &[stop], move || loaded.read(true))
    }

    /// The run as it is now. Jobs and configs are read again only if their files changed.
    fn refreshed(&self, py: Python<'_>) -> PyResult<Self> {
        let new = Arc::new(py.detach(|| self.loaded().refreshed()));
        let stop = new.cancel_token().clone();
        let reading = Arc::clone(&new);
        interruptible(py, &[stop], move || reading.read(true))?;
        Self::of(py, new)
    }

    /// The total size in bytes of the files that hold its jobs and configs, now.
    #[getter]
    fn size(&self) -> u64 {
        self.loaded().signature().bytes()
    }

    /// What tells whether its jobs or configs have changed: size, time and inode of their files, now.
    #[getter]
    fn signature(&self) -> RunSignature {
        let loaded = self.loaded();
        RunSignature { path: loaded.run().path().to_path_buf(), files: loaded.signature() }
    }

    /// The ids of the jobs whose state changed at or after a time, in microseconds since 1970 UTC, as far as files tell.
    fn changed_since(&self, py: Python<'_>, micros: i64) -> Vec<String> {
        let loaded = self.loaded();
        py.detach(|| {
            let (rows, looks) = (loaded.rows(), loaded.job_looks());
            let changed = |&position: &usize| {
                let is_new = looks.changed(position).is_some_and(|time| time >= micros);
                is_new.then(|| rows.job_id(&rows.rows[position]).into_owned())
            };
            let positions: Vec<usize> = (0..rows.rows.len()).collect();
            threads::each_waiting_at(&positions, loaded.is_slow(), |_, position| changed(position))
                .into_iter()
                .flatten()
                .collect()
        })
    }

    /// (job_id, task_id) of each job in the order of submission, with or without a config.
    fn rows(&self, py: Python<'_>) -> Vec<(String, String)> {
        let loaded = self.loaded();
        let rows = py.detach(|| loaded.rows());
        rows.rows.iter().map(|row| (rows.job_id(row).into_owned(), rows.task_id(row).into_owned())).collect()
    }

    /// The number of jobs, with or without a config.
    fn row_count(&self, py: Python<'_>) -> usize {
        let loaded = self.loaded();
        py.detach(|| loaded.rows().rows.len())
    }

    /// The number of jobs with a config.
    fn job_count(&self, py: Python<'_>) -> usize {
        let loaded = self.loaded();
        py.detach(|| loaded.objects().order.len())
    }

    /// The id of the job at a position in experimaestro's order, among jobs with a config.
    fn job_id<'py>(&self, py: Python<'py>, position: usize) -> PyResult<Bound<'py, PyString>> {
        let (job_id, _) = self.in_order(py, position)?;
        Ok(PyString::new(py, &job_id))
    }

    /// The id and the config of the job at a position in that order.
    fn job_at<'py>(
        &self,
        py: Python<'py>,
        position: usize,
    ) -> PyResult<(Bound<'py, PyString>, Bound<'py, Config>)> {
        let (job_id, config) = self.in_order(py, position)?;
        Ok((PyString::new(py, &job_id), Source::config(self.source.bind(py), config)?))
    }

    /// The config of a job, by its identifier, or the beginning of it if no other job has the same.
    fn job<'py>(&self, py: Python<'py>, job_id: &str) -> PyResult<Bound<'py, Config>> {
        let loaded = self.loaded();
        if let Some(index) = py.detach(|| loaded.job(job_id)) {
            return Source::config(self.source.bind(py), index);
        }
        if loaded.rows().find(job_id).is_some() {
            let error = Error::new(ErrorKind::JobNotFound, "the config of the job could not be read");
            return Err(error.hint("see .errors").at_job(job_id).into());
        }
        let rows = loaded.rows();
        let job_ids: Vec<Cow<'_, str>> = rows.rows.iter().map(|row| rows.job_id(row)).collect();
        let completed = self.completed("job", job_id, job_ids.into_iter())?;
        // an identifier as it is listed: this cannot go on and on
        self.job(py, &completed)
    }

    /// The identifiers of the actions: in experimaestro's order those with a config, then those that it could not write.
    fn action_ids(&self, py: Python<'_>) -> Vec<String> {
        let loaded = self.loaded();
        py.detach(|| {
            let (actions, record) = (loaded.actions(), loaded.record());
            let without = record.actions.keys().filter(|id| !actions.contains_key(id.as_str()));
            actions.keys().chain(without).cloned().collect()
        })
    }

    /// The config, stored description and class of an action; no config if experimaestro could not write it.
    fn action<'py>(
        &self,
        py: Python<'py>,
        action_id: &str,
    ) -> PyResult<(Option<Bound<'py, Config>>, String, String)> {
        let loaded = self.loaded();
        let (actions, record) = py.detach(|| (loaded.actions(), loaded.record()));
        let found = record.actions.get_key_value(action_id);
        let (action_id, action) = match found {
            Some((action_id, action)) => (action_id.clone(), action),
            None => {
                let identifiers = record.actions.keys().map(|each| Cow::from(each.as_str()));
                let completed =
                    self.completed("action", action_id, identifiers.collect::<Vec<_>>().into_iter())?;
                let action = record.actions.get(&completed).ok_or_else(Error::fault)?;
                (completed, action)
            }
        };
        let config = actions.get(&action_id).map(|&index| Source::config(self.source.bind(py), index));
        Ok((config.transpose()?, action.description.clone(), action.class.clone()))
    }

    /// The tags of each job that has tags: {job_id: {name: value}}, in the order of the rows.
    fn tags_map<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let loaded = self.loaded();
        let rows = py.detach(|| loaded.rows());
        let map = PyDict::new(py);
        for row in rows.rows.iter() {
            let Some(tags) = row.tags.filter(|&tags| rows.store.entries(tags).next().is_some()) else {
                continue;
            };
            let tags = convert::value(py, &rows.store, None, Value::Dict(tags), Style::Objects)?;
            map.set_item(rows.job_id(row), tags)?;
        }
        Ok(map)
    }

    /// The jobs that each job depends on: {job_id: [job_id, …]}; jobs without dependencies are left out.
    fn dependencies_map<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let loaded = self.loaded();
        let needs = py.detach(|| loaded.all_dependencies());
        let map = PyDict::new(py);
        for (job_id, needs) in needs {
            map.set_item(job_id, needs)?;
        }
        Ok(map)
    }

    /// What jobs of one task use that jobs of another produced: (task, whether the run lists these jobs, task that uses it,
    /// class, number of pairs of jobs).
    fn flows(&self, py: Python<'_>) -> Vec<(String, bool, String, String, usize)> {
        let loaded = self.loaded();
        let counted = |(flow, count): (Flow, usize)| (flow.from, flow.is_listed, flow.to, flow.class, count);
        py.detach(|| flows(loaded)).into_iter().map(counted).collect()
    }

    /// {job_id: (state, failure or None)} of each job, in the order of the rows.
    fn states<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let loaded = self.loaded();
        let states = py.detach(|| {
            let (rows, looks) = (loaded.rows(), loaded.job_looks());
            let state = |&position: &usize, errors: &mut Vec<Error>| {
                let (state, failure) = looks.state(position, errors);
                (rows.job_id(&rows.rows[position]).into_owned(), state, failure)
            };
            // errors in small files are reported when their columns are read
            looks.each(&(0..rows.rows.len()).collect::<Vec<_>>(), state).0
        });
        let told = states.iter().map(|(_, state, _)| *state).collect();
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
        let map = PyDict::new(py);
        for (job_id, state, failure) in states {
            map.set_item(job_id, (state.as_str(), failure))?;
        }
        Ok(map)
    }

    /// {job_id: state} of each job as `states` gave it last, to whoever asked, a display too; None if nobody asked.
    fn told_states<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(told) = told else { return Ok(None) };
        let (rows, map) = (self.loaded().rows(), PyDict::new(py));
        for (row, state) in rows.rows.iter().zip(told) {
            map.set_item(rows.job_id(row), state.as_str())?;
        }
        Ok(Some(map))
    }

    /// The metadata of the run, as a dict: status, outcome, hostname, started_at and ended_at (microseconds since 1970 UTC),
    /// run_tags, python_version, packages, git, alive. `zone` is the time zone of times without one.
    #[pyo3(signature = (zone=None))]
    fn record<'py>(&self, py: Python<'py>, zone: Option<&str>) -> PyResult<Bound<'py, PyDict>> {
        let zone = zone.map_or_else(|| Ok(Zone::local()), Zone::named)?;
        let loaded = self.loaded();
        let (record, offsets) = py.detach(|| (loaded.record(), loaded.offsets()));
        let time = |moment: Option<Moment>| moment.map(|moment| offsets.date(moment).to_utc(&zone));
        let dict = PyDict::new(py);
        dict.set_item("status", &record.status)?;
        dict.set_item("outcome", &record.outcome)?;
        dict.set_item("hostname", &record.hostname)?;
        dict.set_item("started_at", time(record.started_at))?;
        dict.set_item("ended_at", time(record.ended_at))?;
        dict.set_item("run_tags", &record.run_tags)?;
        dict.set_item("python_version", &record.python_version)?;
        dict.set_item("alive", record.alive)?;
        let packages = PyDict::new(py);
        for (name, version) in &record.packages {
            packages.set_item(name, version)?;
        }
        dict.set_item("packages", packages)?;
        let git = PyList::empty(py);
        for repository in &record.git {
            let entry = PyDict::new(py);
            entry.set_item("package", &repository.package)?;
            entry.set_item("path", &repository.path)?;
            entry.set_item("commit", &repository.commit)?;
            entry.set_item("branch", &repository.branch)?;
            entry.set_item("dirty", repository.dirty)?;
            entry.set_item("message", &repository.message)?;
            git.append(entry)?;
        }
        dict.set_item("git", git)?;
        Ok(dict)
    }

    /// The services that the run added, as dicts with id, text, typename, state, url and settings, in order.
    fn services<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let loaded = self.loaded();
        let services = py.detach(|| services(loaded.run(), loaded.record()));
        let dict = |(id, service): (&String, _)| service_dict(py, &services.store, id, service);
        services.services.iter().map(dict).collect()
    }

    /// Where a path is now that the run recorded: below the workspace as it is, if it was below it.
    fn moved(&self, py: Python<'_>, path: String) -> String {
        let loaded = self.loaded();
        let moved = py.detach(|| loaded.relocation().moved(path.as_bytes()));
        moved.and_then(|moved| String::from_utf8(moved).ok()).unwrap_or(path)
    }

    /// The names of the objects saved with `xp.save` in this run.
    fn saved_names(&self) -> PyResult<Vec<String>> {
        Ok(self.loaded().run().saved()?)
    }

    /// Loads an object saved with `xp.save`: a config, or lists and dicts of configs.
    fn saved<'py>(&self, py: Python<'py>, name: Name) -> PyResult<Bound<'py, PyAny>> {
        let loaded = Arc::clone(self.loaded());
        let object = py.detach(|| loaded.saved(&name))?;
        let value = object.value;
        let source = Bound::new(py, Source::new(Origin::Saved(loaded, name.to_string(), object)))?;
        convert::value(py, &source.get().graph().store, Some(&source), value, Style::Objects)
    }

    /// The errors in the files read so far: exceptions of `xpframe.errors`, not raised.
    fn errors<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        exceptions(py, &self.loaded().errors())
    }
}

/// The state of the files of a run. Two are equal if the run is the same and nothing has changed.
#[pyclass(frozen, eq, module = "xpframe._core")]
#[derive(PartialEq)]
pub struct RunSignature {
    path: PathBuf,
    files: Signature,
}

/// Opens a run by the path of its directory. `archives` are the directories to which the jobs of workspaces were archived, by the
/// roots of the workspaces.
#[pyfunction]
#[pyo3(signature = (path, archives=Vec::new()))]
pub fn open_run(py: Python<'_>, path: PathArgument, archives: Vec<(PathBuf, Vec<PathBuf>)>) -> PyResult<Run> {
    let run = py.detach(|| workspace::Run::at(&path.0))?;
    Run::new(py, run.with_archives(&archives.into_iter().collect()))
}
