//! The objects of a run: which of them are its jobs and its actions.

use std::borrow::Cow;

use ahash::{HashMap, HashSet};
use indexmap::IndexMap;

use super::container::Container;
use super::graph::Graph;
use crate::error::Error;
use crate::file::Bookmark;
use crate::threads;
use crate::values::{Items, ObjectIx, Record, Symbol, Value, index};

/// Objects by identifier.
pub type Roots = IndexMap<String, ObjectIx, ahash::RandomState>;

/// The jobs of a run, by position: their names on disk.
pub trait JobKeys: Sync {
    /// The number of jobs.
    fn count(&self) -> usize;
    /// The identifier of a job, 64 hexadecimal digits.
    fn job_id(&self, position: usize) -> Cow<'_, str>;
    /// Whether the position has a job with this identifier.
    fn is(&self, position: usize, job_id: &[u8]) -> bool;
    /// The identifier of its task: the directory under `jobs/`.
    fn task_id(&self, position: usize) -> Cow<'_, str>;
    /// The position of the job of this identifier.
    fn position(&self, job_id: &[u8]) -> Option<usize>;
    /// The identifiers of the actions that the run added.
    fn actions(&self) -> Vec<String>;
}

/// The objects of one run.
#[derive(Debug)]
pub struct RunObjects {
    /// All of them
    pub graph: Graph,
    /// The config of each job, by the position of the job; `None` if no file defines it
    pub roots: Vec<Option<ObjectIx>>,
    /// The positions of the jobs that have a config, in experimaestro's order: by their first definition in the file of
    /// the run, then those from a params.json
    pub order: Vec<usize>,
    /// The dependencies of each job in state.json; empty for versions without a state.json
    pub dependencies: HashMap<String, Vec<String>>,
    /// The positions of the jobs that were read from their params.json because Python used an id twice
    pub corrected: Vec<usize>,
    /// Objects that only a params.json defines: the position of the first job that needs it, and the object
    pub completed: Vec<(usize, ObjectIx)>,
    /// The errors of all files
    pub errors: Vec<Error>,
    /// The state to continue from when the file of the run grows
    pub(super) resume: Option<Resume>,
}

/// The state to continue from when the file of a run grows.
#[derive(Debug)]
pub(super) struct Resume {
    pub container: Container,
    /// The number of errors that are about lines of the file
    pub errors: usize,
}

/// Jobs are searched with a further thread for so many objects.
const MIN_OBJECTS_PER_THREAD: usize = 1 << 14;

impl Default for RunObjects {
    /// No objects yet.
    fn default() -> Self {
        Self {
            graph: Graph::new(),
            roots: Vec::new(),
            order: Vec::new(),
            dependencies: HashMap::default(),
            corrected: Vec::new(),
            completed: Vec::new(),
            errors: Vec::new(),
            resume: None,
        }
    }
}

impl RunObjects {
    /// The end of the objects.jsonl, if its last line has an end and defines all configs.
    #[must_use]
    pub fn end(&self) -> Option<&Bookmark> {
        self.resume.as_ref()?.container.bookmark.as_ref()
    }

    /// Makes an object the config of a job. A job that had one keeps its place in the order.
    pub(super) fn set_root(&mut self, position: usize, root: ObjectIx) {
        if self.roots[position].replace(root).is_none() {
            self.order.push(position);
        }
    }

    /// Finds the jobs among the objects from `first` on. An objects.jsonl marks no jobs: they are the objects with
    /// their identifiers. The last of several objects wins, in the place of the first (docs/format.md §2.5).
    pub(super) fn find_jobs(&mut self, first: usize, keys: &impl JobKeys) {
        let objects = self.graph.len() - first;
        let threads = threads::at_most(objects / MIN_OBJECTS_PER_THREAD);
        let length = objects.div_ceil(threads).max(1);
        let starts: Vec<_> = (first..self.graph.len()).step_by(length).collect();
        let jobs = threads::each(&starts, threads, |&start| self.jobs_among(start, length, keys));
        for (position, object) in jobs.into_iter().flatten() {
            self.set_root(position as usize, object);
        }
    }

    /// The jobs among `length` objects, with their positions.
    fn jobs_among(&self, start: usize, length: usize, keys: &impl JobKeys) -> Vec<(u32, ObjectIx)> {
        // jobs are mostly defined in the order in which they were submitted
        let mut guess = 0;
        let job = |object: usize| {
            let object = ObjectIx(index(object));
            let identifier = self.graph.store.bytes(self.graph.object(object).identifier);
            let guessed = keys.is(guess, identifier).then_some(guess);
            let position = guessed.or_else(|| keys.position(identifier))?;
            guess = position + 1;
            Some((index(position), object))
        };
        (start..self.graph.len().min(start + length)).filter_map(job).collect()
    }

    /// Whether one of the first `objects` is the config of a job that has none: the row of that job came later.
    pub(super) fn has_unclaimed_job(&self, objects: usize, keys: &impl JobKeys) -> bool {
        let without = (0..keys.count()).filter(|&position| self.roots[position].is_none());
        let without: HashSet<String> = without.map(|position| keys.job_id(position).into_owned()).collect();
        let mut identifiers = (0..objects).map(|object| self.graph.identifier(ObjectIx(index(object))));
        !without.is_empty() && identifiers.any(|identifier| without.contains(identifier.as_ref()))
    }

    /// The objects that have one of these identifiers, which is how actions are found. The last of several wins, in the
    /// place of the first (docs/format.md §2.5).
    #[must_use]
    pub fn find_roots<'i>(&self, identifiers: impl Iterator<Item = &'i str>) -> Roots {
        let wanted: HashSet<&[u8]> = identifiers.map(str::as_bytes).collect();
        let mut roots: IndexMap<&[u8], ObjectIx, ahash::RandomState> = IndexMap::default();
        for object in self.graph.indices() {
            let identifier = self.graph.store.bytes(self.graph.object(object).identifier);
            if wanted.contains(identifier) {
                roots.insert(identifier, object);
            }
        }
        roots
            .into_iter()
            .map(|(identifier, object)| (String::from_utf8_lossy(identifier).into_owned(), object))
            .collect()
    }

    /// Takes the jobs of a configs.json: `"data"` is a dict from job id to reference.
    pub(super) fn take_configs_json(&mut self, data: Record, keys: &impl JobKeys) {
        let entries: Vec<(Symbol, Value)> = self.graph.store.entries(data).collect();
        for (job_id, value) in entries {
            let position = keys.position(self.graph.store.symbol_bytes(job_id));
            if let (Value::Object(object), Some(position)) = (value, position) {
                self.set_root(position, object);
            }
        }
    }

    /// Takes the jobs of a state.json: `"data"` is a list of `{"id", "path", "task", "tags", "depends_on"}`.
    pub(super) fn take_state_json(&mut self, rows: Items, keys: &impl JobKeys) {
        let mut roots = Vec::new();
        let store = &self.graph.store;
        let names = ["id", "task", "depends_on"].map(|name| store.find_symbol(name.as_bytes()));
        for row in store.items(rows) {
            let Value::Dict(row) = row else { continue };
            let get = |name: Option<Symbol>| {
                store.entries(row).find(|&(key, _)| Some(key) == name).map(|(_, value)| value)
            };
            let [Some(Value::Str(job_id)), Some(Value::Object(object)), needs] = names.map(get) else {
                continue;
            };
            let job_id = store.text(job_id).0.into_owned();
            roots.extend(keys.position(job_id.as_bytes()).map(|position| (position, object)));
            if let Some(Value::List(needs)) = needs {
                let needs = store.items(needs).filter_map(|need| match need {
                    Value::Str(need) => Some(store.text(need).0.into_owned()),
                    _ => None,
                });
                self.dependencies.insert(job_id, needs.collect());
            }
        }
        for (position, object) in roots {
            self.set_root(position, object);
        }
    }
}
