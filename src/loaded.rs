//! A run and what was read of it: each file at most once, and only when something needs it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use once_cell::sync::OnceCell;

use crate::error::{Error, Result};
use crate::file::{Bookmark, LinedFile, Signature};
use crate::objects::{ConcurrentTask, JobKeys, Relocation, Roots, RunObjects, SavedObject, load_saved};
use crate::progress::CancelToken;
use crate::records::{JobRows, RunRecord, action_ids, first_jobs, recorded_roots, run_record};
use crate::threads;
use crate::values::ObjectIx;
use crate::workspace::Run;

/// How many jobs are asked where the workspace was when they ran.
const SAMPLE: usize = 4;

/// A run and what was read of it so far. Shared between threads; what one of them reads, the others have.
#[derive(Debug)]
pub struct LoadedRun {
    run: Run,
    stop: CancelToken,
    /// How much of its files is read, if not all
    ends: Option<ReadExtent>,
    /// What its files were like before the first of them was read
    known: OnceCell<Signature>,
    rows: OnceCell<Arc<JobRows>>,
    objects: OnceCell<Arc<RunObjects>>,
    record: OnceCell<(RunRecord, Vec<Error>)>,
    relocation: OnceCell<Relocation>,
    actions: OnceCell<Roots>,
    /// The identifiers of the actions that it added, and what the files that tell them were like before
    action_ids: OnceCell<(Signature, Vec<String>)>,
}

impl LoadedRun {
    /// Nothing is read yet. When `stop` is asked for, what is read stays incomplete: throw it away then.
    #[must_use]
    pub fn new(run: Run, stop: CancelToken) -> Self {
        Self {
            run,
            stop,
            ends: None,
            known: OnceCell::new(),
            rows: OnceCell::new(),
            objects: OnceCell::new(),
            record: OnceCell::new(),
            relocation: OnceCell::new(),
            actions: OnceCell::new(),
            action_ids: OnceCell::new(),
        }
    }

    /// The run on disk.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The same run, of which nothing is read yet.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self::new(self.run.clone(), self.stop.clone())
    }

    /// The run as it is now. What its files have of jobs and configs is shared with this one where they did not change or only
    /// grew, and so is not read again; what tells of the run and of the states of its jobs always is.
    #[must_use]
    pub fn refreshed(&self) -> Self {
        let new = Self::new(self.run.clone(), CancelToken::default());
        // one that was told to stop may have stopped in the middle
        if self.stop.is_cancelled() {
            return new;
        }
        if let Some(known) = self.action_ids.get().filter(|known| known.0 == self.action_files()) {
            let _ = new.action_ids.set(known.clone());
        }
        let now = self.signature();
        let same = self.known.get() == Some(&now);
        let _ = new.known.set(now);
        if !same {
            new.read_on(self);
            return new;
        }
        if let Some(rows) = self.rows.get() {
            let _ = new.rows.set(Arc::clone(rows));
        }
        // a job without config may have left its params.json meanwhile
        if let Some(objects) = self.objects.get().filter(|objects| objects.roots.iter().all(Option::is_some))
        {
            let _ = new.objects.set(Arc::clone(objects));
        }
        if let Some(relocation) = self.relocation.get() {
            let _ = new.relocation.set(relocation.clone());
        }
        new
    }

    /// Reads what the files of the run have more than when another read them, if they only grew. What did not just grow is read
    /// anew when it is needed.
    fn read_on(&self, before: &Self) {
        let (Some(rows), Some(relocation)) = (before.rows.get(), before.relocation.get()) else { return };
        // before the objects: a driver writes the row of a job first
        let Ok(Some(list)) = JobRows::list(&self.run) else { return };
        let objects = LinedFile::open_if_there(&self.run.path().join("objects.jsonl"));
        let Some(rows) = rows.grown(&list, &self.stop) else { return };
        let _ = self.rows.set(Arc::new(rows));
        // the first jobs tell where the workspace was
        if self.relocation() != relocation {
            return;
        }
        if let (Some(known), Ok(Some(file))) = (before.objects.get(), objects) {
            let keys = Keys(self.rows(), self);
            if let Some(grown) = known.grown(&self.run, &file, &keys, relocation, &self.stop) {
                let _ = self.objects.set(Arc::new(grown));
            }
        }
    }

    /// Whether both have the very same configs, read once.
    #[must_use]
    pub fn shares_objects(&self, other: &Self) -> bool {
        matches!((self.objects.get(), other.objects.get()), (Some(mine), Some(theirs)) if Arc::ptr_eq(mine, theirs))
    }

    /// The same run, of which nothing is read yet, and which another `stop` stops.
    #[must_use]
    pub fn stopped_by(&self, stop: CancelToken) -> Self {
        Self::new(self.run.clone(), stop)
    }

    /// How far its files were read, if they are files that grow and what was read of them ended with a line.
    #[must_use]
    pub fn ends(&self) -> Option<ReadExtent> {
        let objects = self.objects.get().map(|objects| objects.end().cloned());
        Some(ReadExtent {
            jobs: self.rows.get()?.end()?.clone(),
            objects: objects.map_or(Some(None), |end| end.map(Some))?,
        })
    }

    /// Another of which nothing is read yet, and which is never read farther than this; it is what was there once if the files
    /// only grew ([`ReadExtent::still_there`]).
    #[must_use]
    pub fn truncated_to(self, ends: ReadExtent) -> Self {
        Self { ends: Some(ends), ..self }
    }

    /// This run, or one of which nothing is read yet if readers of this one were stopped: what they left may be incomplete.
    #[must_use]
    pub fn usable(self: &Arc<Self>) -> Arc<Self> {
        if self.stop.is_cancelled() {
            Arc::new(self.stopped_by(CancelToken::default()))
        } else {
            Arc::clone(self)
        }
    }

    /// Whether its jobs were read.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.rows.get().is_some()
    }

    /// What tells whether the files of its jobs and configs were changed.
    #[must_use]
    pub fn signature(&self) -> Signature {
        let mut files: Vec<PathBuf> = ["jobs.jsonl", "objects.jsonl", "configs.json", "state.json"]
            .iter()
            .map(|name| self.run.path().join(name))
            .collect();
        // before 2.0 the links are the list of jobs
        if files[0].symlink_metadata().is_err() {
            files.extend(
                ["jobs", "jobs.bak"].iter().flat_map(|name| with_children(&self.run.path().join(name))),
            );
        }
        Signature::of(files.iter().map(PathBuf::as_path))
    }

    /// What asks its readers to stop.
    #[must_use]
    pub fn cancel_token(&self) -> &CancelToken {
        &self.stop
    }

    /// Reads its jobs now, and their configs too if asked.
    pub fn read(&self, configs: bool) {
        if configs {
            let _ = self.objects();
        } else {
            let _ = self.rows();
        }
    }

    /// Forgets what was read of it, if that is much. To give back the memory of many jobs takes milliseconds; nobody waits for it.
    pub fn drop_in_background(&mut self) {
        if self.rows.get().is_some_and(|rows| rows.rows.len() >= MANY) {
            let unread = self.fresh();
            let left = std::mem::replace(self, unread);
            // where there is no thread to be had, it is dropped here
            let _ = std::thread::Builder::new().spawn(move || drop(left));
        }
    }

    /// Its jobs and their tags.
    #[must_use]
    pub fn rows(&self) -> &JobRows {
        self.rows.get_or_init(|| {
            self.note();
            Arc::new(JobRows::parse(&self.run, self.list(), &self.stop))
        })
    }

    fn list(&self) -> Result<Option<LinedFile>> {
        let until = self.ends.as_ref().map(|ends| ends.jobs.at());
        JobRows::list(&self.run).map(|list| list.map(|list| list.until(until)))
    }

    /// Remembers what the files are like, before they are read: those that grow meanwhile are then known to have changed.
    fn note(&self) {
        let _ = self.known.get_or_init(|| self.signature());
    }

    /// What is known of the run itself.
    #[must_use]
    pub fn record(&self) -> &RunRecord {
        let read = || {
            let mut errors = Vec::new();
            (run_record(&self.run, &mut errors), errors)
        };
        &self.record.get_or_init(read).0
    }

    /// Its configs. Its jobs are read at the same time, on another thread, if they were not before.
    #[must_use]
    pub fn objects(&self) -> &RunObjects {
        self.objects.get_or_init(|| {
            self.note();
            let relocation = self.relocation();
            // before the objects: a driver writes the row of a job first
            let list = self.rows.get().is_none().then(|| self.list());
            let bytes = list.iter().flatten().flatten().map(LinedFile::size).sum();
            let work = move || {
                if let Some(list) = list {
                    let _ = self.rows.get_or_init(|| Arc::new(JobRows::parse(&self.run, list, &self.stop)));
                }
            };
            let beside = ConcurrentTask { threads: threads::at_most(MOST_THREADS), work, bytes };
            let until = self.ends.as_ref().and_then(|ends| ends.objects.as_ref()).map(Bookmark::at);
            let parsed = RunObjects::parse(&self.run, until, relocation, &self.stop, beside);
            Arc::new(parsed.of_jobs(&self.run, &Keys(self.rows(), self), relocation, &self.stop))
        })
    }

    /// Its configs, if they were read.
    #[must_use]
    pub fn objects_if_read(&self) -> Option<&RunObjects> {
        self.objects.get().map(Arc::as_ref)
    }

    /// Its actions, in experimaestro's order. An action whose object is missing is left out.
    #[must_use]
    pub fn actions(&self) -> &Roots {
        self.actions
            .get_or_init(|| self.objects().find_roots(self.record().actions.keys().map(String::as_str)))
    }

    /// The identifiers of the actions that it added, also of those whose object is missing.
    fn action_ids(&self) -> &[String] {
        &self.action_ids.get_or_init(|| (self.action_files(), action_ids(&self.run))).1
    }

    /// What tells whether the files that tell of actions were changed.
    fn action_files(&self) -> Signature {
        let mut files = self.run.event_files().unwrap_or_default();
        files.push(self.run.path().join("status.json"));
        Signature::of(files.iter().map(PathBuf::as_path))
    }

    /// Where the workspace was, and is.
    #[must_use]
    pub fn relocation(&self) -> &Relocation {
        self.relocation.get_or_init(|| {
            let rows = || {
                let rows = self.rows();
                let key = |row| (rows.task_id(row).into_owned(), rows.job_id(row).into_owned());
                rows.rows.iter().take(SAMPLE).map(key).collect()
            };
            let sample: Vec<(String, String)> = first_jobs(&self.run, SAMPLE).unwrap_or_else(rows);
            let now = self.run.workspace().root().to_string_lossy().trim_end_matches('/').to_owned();
            Relocation { now, before: recorded_roots(&self.run, &sample) }
        })
    }

    /// The config of a job, if it was found.
    #[must_use]
    pub fn job(&self, job_id: &str) -> Option<ObjectIx> {
        self.rows().find(job_id).and_then(|at| self.objects().roots[at])
    }

    /// The identifiers of the jobs that a job needs: from state.json where there is one, else rebuilt from the graph.
    #[must_use]
    pub fn dependencies(&self, job_id: &str) -> Vec<String> {
        let objects = self.objects();
        if let Some(needs) = objects.dependencies.get(job_id) {
            return needs.clone();
        }
        let is_job = |identifier: &str| self.rows().position(identifier.as_bytes()).is_some();
        self.job(job_id)
            .map(|root| objects.graph.dependencies(root, is_job).into_iter().collect())
            .unwrap_or_default()
    }

    /// The dependencies of every job that has some.
    #[must_use]
    pub fn all_dependencies(&self) -> IndexMap<String, Vec<String>> {
        let rows = self.rows();
        let needs = rows.rows.iter().map(|row| {
            let job_id = rows.job_id(row).into_owned();
            let needs = self.dependencies(&job_id);
            (job_id, needs)
        });
        needs.filter(|(_, needs)| !needs.is_empty()).collect()
    }

    /// What `xp.save` saved under a name.
    ///
    /// # Errors
    /// `JobNotFound` if there is nothing of that name; `Format` if it cannot be read.
    pub fn saved(&self, name: &str) -> Result<SavedObject> {
        load_saved(&self.run, name, self.relocation())
    }

    /// What could not be read, of what was read so far.
    #[must_use]
    pub fn errors(&self) -> Vec<Error> {
        let mut errors = Vec::new();
        errors.extend(self.rows.get().into_iter().flat_map(|rows| &rows.errors).cloned());
        errors.extend(self.record.get().into_iter().flat_map(|(_, found)| found).cloned());
        errors.extend(self.objects.get().into_iter().flat_map(|objects| &objects.errors).cloned());
        errors
    }
}

/// How far the files of a run were read.
#[derive(Debug, Clone)]
pub struct ReadExtent {
    jobs: Bookmark,
    /// Nothing if they were not read
    objects: Option<Bookmark>,
}

impl ReadExtent {
    /// Whether the files of the run still begin with what was read of them.
    #[must_use]
    pub fn still_there(&self, run: &Run) -> bool {
        let goes_on = |name: &str, from: &Bookmark| {
            LinedFile::open(&run.path().join(name)).is_ok_and(|file| file.goes_on(from))
        };
        goes_on("jobs.jsonl", &self.jobs)
            && self.objects.as_ref().is_none_or(|objects| goes_on("objects.jsonl", objects))
    }
}

/// More threads do not read one run: each has its own memory of what it read, so more of them pay less and less.
const MOST_THREADS: usize = 4;

/// So many jobs are let go on another thread.
const MANY: usize = 10_000;

/// A directory and those in it.
fn with_children(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        directory.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort_unstable();
    found.insert(0, directory.to_path_buf());
    found
}

/// The rows of a run, as its objects ask for them.
struct Keys<'r>(&'r JobRows, &'r LoadedRun);

impl JobKeys for Keys<'_> {
    fn count(&self) -> usize {
        self.0.rows.len()
    }

    fn job_id(&self, at: usize) -> Cow<'_, str> {
        self.0.job_id(&self.0.rows[at])
    }

    fn is(&self, at: usize, job_id: &[u8]) -> bool {
        at < self.count() && self.0.store.bytes(self.0.rows[at].job_id) == job_id
    }

    fn task_id(&self, at: usize) -> Cow<'_, str> {
        self.0.task_id(&self.0.rows[at])
    }

    fn position(&self, job_id: &[u8]) -> Option<usize> {
        self.0.position(job_id)
    }

    fn actions(&self) -> Vec<String> {
        self.1.action_ids().to_vec()
    }
}
