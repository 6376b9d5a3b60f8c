//! Reads params.json, the file of a job: for what the file of the run lacks, and for what the job was executed with.

use std::borrow::Cow;
use std::path::Path;

use super::container::{Container, Source};
use super::cycles;
use super::decode::Relocation;
use super::graph::Graph;
use super::ids::Ids;
use super::missing_refs::MAX_LISTED;
use super::run::{JobKeys, RunObjects};
use crate::error::{Error, ErrorKind, Result};
use crate::file;
use crate::values::ObjectIx;
use crate::workspace::Run;

/// The jobs of a run, and where their files are.
pub(super) struct Jobs<'r, K> {
    pub run: &'r Run,
    pub keys: &'r K,
    pub relocation: &'r Relocation,
}

impl RunObjects {
    /// Reads objects that the file of the run refers to but does not define from the params.json of the jobs with those
    /// references (docs/format.md §13.6). The ids are the same if the same process wrote both files, which the id of
    /// the job itself shows.
    pub(super) fn complete(&mut self, jobs: &Jobs<'_, impl JobKeys>, container: &mut Container) {
        if self.graph.store.unresolved.iter().all(|reference| reference.object.is_some()) {
            return;
        }
        let missing_below = self.graph.missing_ids(true);
        for position in 0..jobs.keys.count() {
            let Some(root) = self.roots[position] else { continue };
            let ids = &missing_below[root.index()];
            if ids.len() > MAX_LISTED || ids.iter().any(|&id| container.ids.get(id).is_none()) {
                self.complete_job(jobs, position, (root, ids), container);
            }
        }
        for reference in &mut self.graph.store.unresolved {
            if reference.container == container.number && reference.object.is_none() {
                reference.object = container.ids.get(reference.id);
            }
        }
        cycles::cut(&mut self.graph);
        self.report_missing(jobs.keys);
    }

    /// Adds the objects of one params.json. `ids` are those that are missing below the root of the job.
    fn complete_job(
        &mut self,
        jobs: &Jobs<'_, impl JobKeys>,
        position: usize,
        (root, ids): (ObjectIx, &[i64]),
        container: &mut Container,
    ) {
        let read = self.read_params(jobs, position, Some((root, &container.ids)));
        let Ok((params, errors)) = read else { return };
        self.errors.extend(errors);
        let missing: Vec<i64> = ids.iter().copied().filter(|&id| container.ids.get(id).is_none()).collect();
        for (id, object) in params.ids.iter() {
            if container.ids.get(id).is_none() {
                container.ids.insert(id, object);
            }
        }
        let completed = missing.into_iter().filter_map(|id| container.ids.get(id));
        self.completed.extend(completed.map(|object| (position, object)));
    }

    fn report_missing(&mut self, keys: &impl JobKeys) {
        let missing_below = self.graph.missing_ids(false);
        for position in 0..keys.count() {
            let Some(root) = self.roots[position] else { continue };
            let ids = &missing_below[root.index()];
            let (file, line) = self.graph.location(root);
            let listed = ids.iter().take(MAX_LISTED);
            let listed = listed.map(|id| format!("refers to object {id}, which no file holds"));
            let more =
                (ids.len() > MAX_LISTED).then(|| "refers to more objects that no file holds".to_owned());
            self.errors.extend(listed.chain(more).map(|reason| {
                Error::new(ErrorKind::Unresolved, reason)
                    .at_file(file)
                    .at_line(line)
                    .at_job(&keys.job_id(position))
                    .hint("its columns are null; the object was lost when the experiment was written")
            }));
        }
    }

    /// Reads the params.json of a job into this graph. With `same_process` (the object of the job and the ids of the
    /// file of the run), only if the same process wrote both files, and only objects whose ids are not among these.
    pub(super) fn read_params(
        &mut self,
        jobs: &Jobs<'_, impl JobKeys>,
        position: usize,
        same_process: Option<(ObjectIx, &Ids)>,
    ) -> Result<(Container, Vec<Error>)> {
        if let Some((root, _)) = same_process {
            self.own_params(jobs, position, root)?;
        }
        let Jobs { run, keys, relocation } = jobs;
        let defined = same_process.map(|(_, ids)| ids);
        let mut errors = Vec::new();
        let job = (&*keys.task_id(position), &*keys.job_id(position));
        let container = read_into(&mut self.graph, run, job, relocation, defined, &mut errors)?;
        Ok((container, errors))
    }

    /// Reads the params.json of a job into a graph of its own, if the process that wrote the file of the run wrote it
    /// too.
    pub(super) fn own_params(
        &self,
        jobs: &Jobs<'_, impl JobKeys>,
        position: usize,
        root: ObjectIx,
    ) -> Result<(Graph, Container)> {
        let job = (&*jobs.keys.task_id(position), &*jobs.keys.job_id(position));
        let (params, container) = params_alone(jobs.run, job, jobs.relocation)?;
        if !container.last.is_some_and(|last| is_same_process((&self.graph, root), (&params, last))) {
            return Err(Error::format("another process wrote it").at_file(params.file(container.number)));
        }
        Ok((params, container))
    }

    /// Makes the last object of a params.json the config of the job.
    pub(super) fn adopt(
        &mut self,
        jobs: &Jobs<'_, impl JobKeys>,
        position: usize,
        read: Result<(Container, Vec<Error>)>,
    ) {
        let job_id = &*jobs.keys.job_id(position);
        let (container, errors) = match read {
            Ok(read) => read,
            Err(error) => {
                let error = error.at_job(job_id);
                return self
                    .errors
                    .push(error.hint("the job's parameters are null; it may never have started"));
            }
        };
        self.errors.extend(errors.into_iter().map(|error| error.at_job(job_id)));
        let reason = match container.last {
            Some(last) if self.is_job(jobs, position, last) => return self.set_root(position, last),
            Some(_) => "its last object is not the job",
            None if self.errors.iter().any(|error| error.location().job.as_deref() == Some(job_id)) => return,
            None => "it holds no object",
        };
        let file = self.graph.file(container.number);
        self.errors.push(Error::format(reason).at_file(file).at_job(job_id));
    }
}

impl RunObjects {
    /// Whether the last object of a params.json is the job, under its identifier or under the one that it had before its class
    /// was deprecated.
    fn is_job(&self, jobs: &Jobs<'_, impl JobKeys>, position: usize, last: ObjectIx) -> bool {
        let (identifier, job_id) = (self.graph.identifier(last), jobs.keys.job_id(position));
        let workspace = jobs.run.workspace();
        identifier == job_id
            || workspace
                .former_job_id(&jobs.keys.task_id(position), &job_id)
                .is_some_and(|id| id == identifier)
    }
}

/// Reads the params.json of a job (its task and identifier) into a graph, except for objects with `defined` ids.
fn read_into(
    graph: &mut Graph,
    run: &Run,
    job: (&str, &str),
    relocation: &Relocation,
    defined: Option<&Ids>,
    errors: &mut Vec<Error>,
) -> Result<Container> {
    let file = run.workspace().find_job_dir(job.0, job.1)?.join("params.json");
    let bytes = file::read(&file)?;
    parse_into(graph, run, job, (&file, &bytes), relocation, (defined, errors))
}

/// The same, of the bytes of the file.
fn parse_into(
    graph: &mut Graph,
    run: &Run,
    (task_id, job_id): (&str, &str),
    (file, bytes): (&Path, &[u8]),
    relocation: &Relocation,
    (defined, errors): (Option<&Ids>, &mut Vec<Error>),
) -> Result<Container> {
    let usual = run.workspace().job_dir(task_id, job_id)?;
    let job_dir = usual.to_string_lossy();
    let root = recorded_root(bytes);
    let own = root.map_or(Cow::Borrowed(relocation), |root| relocation.of_file(root));
    let source = Source { file, relocation: &own, job_dir: Some(&job_dir), data_dir: None };
    Ok(graph.read_whole(source, bytes, defined, errors))
}

/// The root of the workspace that a params.json names, which is its first key.
fn recorded_root(bytes: &[u8]) -> Option<&str> {
    let rest = bytes.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"workspace\"")?.trim_ascii_start().strip_prefix(b":")?;
    let rest = rest.trim_ascii_start().strip_prefix(b"\"")?;
    let root = std::str::from_utf8(&rest[..memchr::memchr(b'"', rest)?]).ok()?;
    // an escape needs a reader of JSON: such a root is that of the run
    (!root.contains('\\')).then_some(root)
}

/// Reads the params.json of a job (its task and identifier) into a graph of its own.
fn params_alone(run: &Run, job: (&str, &str), relocation: &Relocation) -> Result<(Graph, Container)> {
    let mut graph = Graph::new();
    let container = read_into(&mut graph, run, job, relocation, None, &mut Vec::new())?;
    Ok((graph, container))
}

/// What the params.json of a job tells.
pub enum Executed {
    /// The config that it was executed with: a graph, and the job in it
    Job(Box<Graph>, ObjectIx),
    /// It ran under another identifier: its class was deprecated since
    Formerly(String),
    /// The last object is not the job
    Other,
}

/// What the params.json of a job (its task and identifier) tells of its execution. It was just seen in the job's directory.
///
/// # Errors
/// `Io`: there is no such file, or the system refuses; `InvalidName`.
pub fn executed(run: &Run, job: (&str, &str), directory: &Path, relocation: &Relocation) -> Result<Executed> {
    let file = directory.join("params.json");
    let Some((bytes, _)) = file::read_listed(&file)? else { return Ok(Executed::Other) };
    let mut params = Graph::new();
    let rest = (None, &mut Vec::new());
    let container = parse_into(&mut params, run, job, (&file, &bytes), relocation, rest)?;
    let Some(last) = container.last else { return Ok(Executed::Other) };
    let identifier = params.identifier(last).into_owned();
    Ok(match () {
        () if identifier == job.1 => Executed::Job(Box::new(params), last),
        () if run.workspace().former_job_id(job.0, job.1).as_ref() == Some(&identifier) => {
            Executed::Formerly(identifier)
        }
        () => Executed::Other,
    })
}

/// Whether one process wrote both objects of a job: Python's ids are the same.
#[must_use]
pub fn is_same_process(a: (&Graph, ObjectIx), b: (&Graph, ObjectIx)) -> bool {
    a.0.object(a.1).id == b.0.object(b.1).id && a.0.identifier(a.1) == b.0.identifier(b.1)
}
