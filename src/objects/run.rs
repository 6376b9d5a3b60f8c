//! The objects of a run: which are its jobs and actions, and where they are found when the run's own file lacks them.

use std::borrow::Cow;
use std::path::PathBuf;

use ahash::{HashMap, HashSet};
use indexmap::IndexMap;

use super::container::{Container, Source};
use super::decode::Relocation;
use super::graph::Graph;
use super::ids::Ids;
use super::lines::{read_lines, read_on};
use super::missing_refs::LISTED;
use crate::error::{Error, ErrorKind, Result};
use crate::file::{self, Bookmark, LinedFile};
use crate::progress::CancelToken;
use crate::threads;
use crate::values::{Items, ObjectIx, Record, Symbol, Value, index};
use crate::workspace::Run;

/// Objects by identifier.
pub type Roots = IndexMap<String, ObjectIx, ahash::RandomState>;

/// The jobs of a run, by position: what names them on disk.
pub trait JobKeys: Sync {
    /// How many there are.
    fn count(&self) -> usize;
    /// The identifier of a job, 64 hexadecimal digits.
    fn job_id(&self, at: usize) -> Cow<'_, str>;
    /// Whether there is such a job and these bytes are its identifier.
    fn is(&self, at: usize, job_id: &[u8]) -> bool;
    /// The identifier of its task: the directory under `jobs/`.
    fn task_id(&self, at: usize) -> Cow<'_, str>;
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
    /// The config of each job, by the job's position, where it was found
    pub roots: Vec<Option<ObjectIx>>,
    /// The positions of the jobs that have a config, in experimaestro's order: by their first appearance in the run's file,
    /// then those found elsewhere
    pub order: Vec<usize>,
    /// What state.json says each job needs; empty for the versions that have no state.json
    pub dependencies: HashMap<String, Vec<String>>,
    /// The positions of the jobs that were read from their params.json because Python used an id twice
    pub corrected: Vec<usize>,
    /// What the run's file lacks and a params.json had: the position of the first job that needs it, and the object
    pub completed: Vec<(usize, ObjectIx)>,
    /// What could not be read
    pub errors: Vec<Error>,
    /// What is needed to go on where the run's file ended
    kept: Option<Kept>,
}

/// What is needed to go on where the run's file ended.
#[derive(Debug)]
struct Kept {
    container: Container,
    /// How many of the errors are about lines of the file
    errors: usize,
}

/// What the run's file holds, before it is known which jobs the run has.
#[derive(Debug)]
pub struct Parsed {
    objects: RunObjects,
    container: Option<Container>,
}

impl Parsed {
    /// Finds the configs of the jobs. A job that the run's file lacks, or whose references it lacks, is completed from the
    /// job's own params.json; what remains missing is in `errors`.
    #[must_use]
    pub fn of_jobs(
        self,
        run: &Run,
        keys: &impl JobKeys,
        relocation: &Relocation,
        stop: &CancelToken,
    ) -> RunObjects {
        let Self { mut objects, container } = self;
        objects.roots = vec![None; keys.count()];
        if let Some(container) = container {
            match container.data {
                Value::Dict(data) => objects.take_configs_json(data, keys),
                Value::List(rows) => objects.take_state_json(rows, keys),
                _ => objects.find_jobs(0, keys),
            }
            objects.check(run, keys, relocation, container);
        }
        objects.find_elsewhere(run, keys, relocation, stop);
        objects
    }
}

/// Jobs are looked for by one thread more for so many objects.
const WORTH_A_THREAD: usize = 1 << 14;

/// The run-level files of object definitions, newest format first.
const FILES: [&str; 3] = ["objects.jsonl", "configs.json", "state.json"];

/// What is done beside reading the objects, on another thread where that helps.
pub struct ConcurrentTask<F> {
    /// How many threads there are
    pub threads: usize,
    /// What else is to be done
    pub work: F,
    /// About how much that is, in bytes of a file
    pub bytes: u64,
}

impl RunObjects {
    /// These objects and those that came since, if the run's file only grew and all is as experimaestro writes it.
    #[must_use]
    pub fn grown(
        &self,
        run: &Run,
        file: &LinedFile,
        keys: &impl JobKeys,
        relocation: &Relocation,
        stop: &CancelToken,
    ) -> Option<Self> {
        let Kept { container, errors } = self.kept.as_ref()?;
        let mut errors = self.errors[..*errors].to_vec();
        let source = Source { file: file.path(), relocation, job_dir: None, data_dir: None };
        let (graph, container) = read_on(source, file, (&self.graph, container), stop, &mut errors)?;
        let known = self.graph.len();
        let mut grown = Self {
            graph,
            errors,
            kept: None,
            roots: self.roots.clone(),
            order: self.order.clone(),
            dependencies: self.dependencies.clone(),
            corrected: self.corrected.clone(),
            completed: self.completed.clone(),
        };
        grown.roots.resize(keys.count(), None);
        grown.find_jobs(known, keys);
        if grown.were_there(known, keys) {
            grown.roots.fill(None);
            grown.order.clear();
            grown.find_jobs(0, keys);
        }
        grown.check(run, keys, relocation, container);
        grown.find_elsewhere(run, keys, relocation, stop);
        Some(grown)
    }

    /// How far the objects.jsonl was read, if its last line has an end and all configs were found in it.
    #[must_use]
    pub fn end(&self) -> Option<&Bookmark> {
        self.kept.as_ref()?.container.bookmark.as_ref()
    }

    /// Whether one of the first objects is the config of a job that has none: its row came later.
    fn were_there(&self, objects: usize, keys: &impl JobKeys) -> bool {
        let without = (0..keys.count()).filter(|&at| self.roots[at].is_none());
        let without: HashSet<String> = without.map(|at| keys.job_id(at).into_owned()).collect();
        let mut known = (0..objects).map(|at| self.graph.identifier(ObjectIx(index(at))));
        !without.is_empty() && known.any(|identifier| without.contains(identifier.as_ref()))
    }

    /// Completes and corrects what was read of the run's file; keeps what is needed to go on from there, if nothing had to be.
    fn check(&mut self, run: &Run, keys: &impl JobKeys, relocation: &Relocation, mut container: Container) {
        let errors = self.errors.len();
        self.complete(run, keys, relocation, &mut container);
        self.correct(run, keys, relocation, &container);
        let as_it_was = self.graph.one_file() && self.graph.store.unresolved.is_empty();
        self.kept = (as_it_was && container.bookmark.is_some()).then_some(Kept { container, errors });
    }

    /// Looks for the configs that the run's file lacks in the params.json of their jobs.
    fn find_elsewhere(
        &mut self,
        run: &Run,
        keys: &impl JobKeys,
        relocation: &Relocation,
        stop: &CancelToken,
    ) {
        for at in 0..keys.count() {
            if self.roots[at].is_none() && !stop.is_cancelled() {
                let read = self.read_params(run, (keys, at), relocation, None);
                self.adopt(at, &keys.job_id(at), read);
                // what was found there may stand in the run's file later
                self.kept = self.kept.take().filter(|_| self.graph.one_file());
            }
        }
    }

    /// Reads the run's file, which needs to know nothing of its jobs; of an objects.jsonl at most the bytes before `until`.
    #[must_use]
    pub fn parse(
        run: &Run,
        until: Option<u64>,
        relocation: &Relocation,
        stop: &CancelToken,
        beside: ConcurrentTask<impl FnOnce() + Send>,
    ) -> Parsed {
        let mut objects = Self {
            graph: Graph::new(),
            roots: Vec::new(),
            order: Vec::new(),
            dependencies: HashMap::default(),
            corrected: Vec::new(),
            completed: Vec::new(),
            errors: Vec::new(),
            kept: None,
        };
        let container = objects.read_run_file(run, until, relocation, stop, beside);
        Parsed { objects, container }
    }

    fn read_run_file(
        &mut self,
        run: &Run,
        until: Option<u64>,
        relocation: &Relocation,
        stop: &CancelToken,
        beside: ConcurrentTask<impl FnOnce() + Send>,
    ) -> Option<Container> {
        let there = |file: &PathBuf| file::is_there(file).unwrap_or(true);
        let Some(file) = FILES.map(|name| run.path().join(name)).into_iter().find(there) else {
            (beside.work)();
            return None;
        };
        let source = Source { file: &file, relocation, job_dir: None, data_dir: None };
        if file.ends_with(FILES[0]) {
            let opened = LinedFile::open(&file).map_err(|error| self.errors.push(error));
            let Ok(opened) = opened else {
                (beside.work)();
                return None;
            };
            let (graph, container) = read_lines(source, &opened.until(until), beside, stop, &mut self.errors);
            self.graph = graph;
            return Some(container);
        }
        threads::beside(beside.work, || {
            let bytes = file::read(&file).map_err(|error| self.errors.push(error)).ok()?;
            Some(self.graph.read_whole(source, &bytes, None, &mut self.errors))
        })
    }

    /// Makes an object the config of the job at a position; where it had one, its place in the order stays.
    fn set_root(&mut self, position: usize, root: ObjectIx) {
        if self.roots[position].replace(root).is_none() {
            self.order.push(position);
        }
    }

    /// Nothing marks the jobs of an objects.jsonl: they are the objects with their identifiers; the last of several wins, at
    /// the place of the first (`format.md` §2.5).
    fn find_jobs(&mut self, from: usize, keys: &impl JobKeys) {
        let objects = self.graph.len() - from;
        let threads = threads::at_most(objects / WORTH_A_THREAD);
        let share = objects.div_ceil(threads).max(1);
        let shares: Vec<_> = (from..self.graph.len()).step_by(share).collect();
        let found = threads::each(&shares, threads, |&start| self.jobs_among(start, share, keys));
        for (position, at) in found.into_iter().flatten() {
            self.set_root(position as usize, at);
        }
    }

    /// The jobs among so many objects, by their positions.
    fn jobs_among(&self, start: usize, objects: usize, keys: &impl JobKeys) -> Vec<(u32, ObjectIx)> {
        // most often jobs are defined in the order in which they were submitted
        let mut next = 0;
        let job = |at: usize| {
            let at = ObjectIx(index(at));
            let identifier = self.graph.store.bytes(self.graph.object(at).identifier);
            let guess = keys.is(next, identifier).then_some(next);
            let position = guess.or_else(|| keys.position(identifier))?;
            next = position + 1;
            Some((index(position), at))
        };
        (start..self.graph.len().min(start + objects)).filter_map(job).collect()
    }

    /// The objects that have one of these identifiers, by identifier: how actions are found. The last of several wins, at the
    /// place of the first (`format.md` §2.5).
    #[must_use]
    pub fn find_roots<'i>(&self, identifiers: impl Iterator<Item = &'i str>) -> Roots {
        let wanted: HashSet<&[u8]> = identifiers.map(str::as_bytes).collect();
        let mut roots: IndexMap<&[u8], ObjectIx, ahash::RandomState> = IndexMap::default();
        for at in (0..self.graph.len()).map(|at| ObjectIx(index(at))) {
            let identifier = self.graph.store.bytes(self.graph.object(at).identifier);
            if wanted.contains(identifier) {
                roots.insert(identifier, at);
            }
        }
        roots
            .into_iter()
            .map(|(identifier, at)| (String::from_utf8_lossy(identifier).into_owned(), at))
            .collect()
    }

    /// configs.json: `"data"` is a dict from job id to reference.
    fn take_configs_json(&mut self, data: Record, keys: &impl JobKeys) {
        let entries: Vec<(Symbol, Value)> = self.graph.store.entries(data).collect();
        for (job, value) in entries {
            let position = keys.position(self.graph.store.symbol_bytes(job));
            if let (Value::Object(at), Some(position)) = (value, position) {
                self.set_root(position, at);
            }
        }
    }

    /// state.json: `"data"` is a list of `{"id", "path", "task", "tags", "depends_on"}`.
    fn take_state_json(&mut self, rows: Items, keys: &impl JobKeys) {
        let mut found = Vec::new();
        let store = &self.graph.store;
        let names = ["id", "task", "depends_on"].map(|name| store.find_symbol(name.as_bytes()));
        for row in store.items(rows) {
            let Value::Dict(row) = row else { continue };
            let get = |name: Option<Symbol>| {
                store.entries(row).find(|&(key, _)| Some(key) == name).map(|(_, value)| value)
            };
            let [Some(Value::Str(job)), Some(Value::Object(at)), needs] = names.map(get) else { continue };
            let job = store.text(job).0.into_owned();
            if let Some(Value::List(needs)) = needs {
                let needs = store.items(needs).filter_map(|need| match need {
                    Value::Str(need) => Some(store.text(need).0.into_owned()),
                    _ => None,
                });
                self.dependencies.insert(job.clone(), needs.collect());
            }
            found.extend(keys.position(job.as_bytes()).map(|position| (position, at)));
        }
        for (position, at) in found {
            self.set_root(position, at);
        }
    }

    /// Looks for the objects that the run's file refers to but lacks in the params.json of the jobs that hold those references
    /// (`format.md` §13.6): the ids are right if the same process wrote both files, as the id of the job itself shows.
    fn complete(
        &mut self,
        run: &Run,
        keys: &impl JobKeys,
        relocation: &Relocation,
        container: &mut Container,
    ) {
        if self.graph.store.unresolved.iter().all(|reference| reference.object.is_some()) {
            return;
        }
        let lacking = self.graph.lacking(true);
        for at in 0..keys.count() {
            let Some(root) = self.roots[at] else { continue };
            let ids = &lacking[root.at()];
            if ids.len() <= LISTED && ids.iter().all(|&id| container.ids.get(id).is_some()) {
                continue;
            }
            let Ok((params, errors)) =
                self.read_params(run, (keys, at), relocation, Some((root, &container.ids)))
            else {
                continue;
            };
            self.errors.extend(errors);
            let missing: Vec<i64> =
                ids.iter().copied().filter(|&id| container.ids.get(id).is_none()).collect();
            for (id, at) in params.ids.iter() {
                if container.ids.get(id).is_none() {
                    container.ids.insert(id, at);
                }
            }
            let found = missing.into_iter().filter_map(|id| container.ids.get(id));
            self.completed.extend(found.map(|object| (at, object)));
        }
        for reference in &mut self.graph.store.unresolved {
            if reference.container == container.number && reference.object.is_none() {
                reference.object = container.ids.get(reference.id);
            }
        }
        super::cycles::cut(&mut self.graph);
        self.report_dangling(keys);
    }

    fn report_dangling(&mut self, keys: &impl JobKeys) {
        let lacking = self.graph.lacking(false);
        for at in 0..keys.count() {
            let Some(root) = self.roots[at] else { continue };
            let ids = &lacking[root.at()];
            let (file, line) = self.graph.place(root);
            let told =
                ids.iter().take(LISTED).map(|id| format!("refers to object {id}, which no file holds"));
            let more = (ids.len() > LISTED).then(|| "refers to more objects that no file holds".to_owned());
            self.errors.extend(told.chain(more).map(|reason| {
                Error::new(ErrorKind::Unresolved, reason)
                    .at_file(file)
                    .at_line(line)
                    .at_job(&keys.job_id(at))
                    .hint("its columns are null; the object was lost when the experiment was written")
            }));
        }
    }

    /// Reads the params.json of a job. With `known` (the job's object and the ids of the run's file), only if the same process
    /// wrote it, and only the objects that the run's file lacks.
    pub(super) fn read_params(
        &mut self,
        run: &Run,
        (keys, at): (&impl JobKeys, usize),
        relocation: &Relocation,
        known: Option<(ObjectIx, &Ids)>,
    ) -> Result<(Container, Vec<Error>)> {
        if let Some((root, _)) = known {
            self.own_params(run, (keys, at), relocation, root)?;
        }
        let job_dir = run.workspace().job_dir(&keys.task_id(at), &keys.job_id(at))?;
        let file = job_dir.join("params.json");
        let bytes = file::read(&file)?;
        let job_dir = job_dir.to_string_lossy();
        let source = Source { file: &file, relocation, job_dir: Some(&job_dir), data_dir: None };
        let mut errors = Vec::new();
        let container = self.graph.read_whole(source, &bytes, known.map(|(_, ids)| ids), &mut errors);
        Ok((container, errors))
    }

    /// The params.json of a job in a graph of its own, if the process that wrote the run's file wrote it too.
    pub(super) fn own_params(
        &self,
        run: &Run,
        (keys, at): (&impl JobKeys, usize),
        relocation: &Relocation,
        root: ObjectIx,
    ) -> Result<(Graph, Container)> {
        let (alone, own) = params_alone(run, (&keys.task_id(at), &keys.job_id(at)), relocation)?;
        if !own.last.is_some_and(|last| is_same_process((&self.graph, root), (&alone, last))) {
            return Err(Error::format("another process wrote it").at_file(alone.file(own.number)));
        }
        Ok((alone, own))
    }

    /// Makes the last object of a params.json the job's config.
    fn adopt(&mut self, at: usize, job_id: &str, read: Result<(Container, Vec<Error>)>) {
        match read {
            Ok((container, errors)) => {
                self.errors.extend(errors.into_iter().map(|error| error.at_job(job_id)));
                match container.last {
                    Some(last) if self.graph.identifier(last) == job_id => self.set_root(at, last),
                    Some(_) => self.errors.push(
                        Error::format("its last object is not the job")
                            .at_file(self.graph.file(container.number))
                            .at_job(job_id),
                    ),
                    None if self
                        .errors
                        .iter()
                        .any(|error| error.location().job.as_deref() == Some(job_id)) => {}
                    None => self.errors.push(
                        Error::format("it holds no object")
                            .at_file(self.graph.file(container.number))
                            .at_job(job_id),
                    ),
                }
            }
            Err(error) => self
                .errors
                .push(error.at_job(job_id).hint("the job's parameters are null; it may never have started")),
        }
    }
}

/// The params.json of a job (its task and identifier), in a graph of its own.
fn params_alone(
    run: &Run,
    (task_id, job_id): (&str, &str),
    relocation: &Relocation,
) -> Result<(Graph, Container)> {
    let directory = run.workspace().job_dir(task_id, job_id)?;
    let file = directory.join("params.json");
    let job_dir = directory.to_string_lossy();
    let source = Source { file: &file, relocation, job_dir: Some(&job_dir), data_dir: None };
    let mut alone = Graph::new();
    let own = alone.read_whole(source, &file::read(&file)?, None, &mut Vec::new());
    Ok((alone, own))
}

/// What a job (its task and identifier) was executed with: its params.json in a graph of its own, and the job there. Nothing
/// if its last object is another.
///
/// # Errors
/// `Io`: there is no such file, or the system refuses; `InvalidName`.
pub fn executed(run: &Run, job: (&str, &str), relocation: &Relocation) -> Result<Option<(Graph, ObjectIx)>> {
    let (alone, own) = params_alone(run, job, relocation)?;
    let last = own.last.filter(|&last| alone.identifier(last) == job.1);
    Ok(last.map(|last| (alone, last)))
}

/// Whether one process wrote both: Python's id of the job is the same.
#[must_use]
pub fn is_same_process(one: (&Graph, ObjectIx), other: (&Graph, ObjectIx)) -> bool {
    one.0.object(one.1).id == other.0.object(other.1).id
        && one.0.identifier(one.1) == other.0.identifier(other.1)
}
