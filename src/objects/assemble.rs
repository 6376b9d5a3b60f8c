//! Assembles the objects of a run from its own file and from the params.json of its jobs.

use std::path::PathBuf;

use super::container::{Container, Source};
use super::decode::Relocation;
use super::lines::{ConcurrentTask, read_lines, read_on};
use super::params::Jobs;
use super::run::{JobKeys, Resume, RunObjects};
use crate::file::{self, LinedFile};
use crate::progress::CancelToken;
use crate::threads;
use crate::values::Value;
use crate::workspace::Run;

/// The file of a run that defines its objects, one a line.
const LINES: &str = "objects.jsonl";

/// The files that earlier versions wrote in its place, newest format first.
const WHOLE_FILES: [&str; 2] = ["configs.json", "state.json"];

/// The objects of the file of a run, not yet assigned to its jobs.
#[derive(Debug)]
pub struct Parsed {
    objects: RunObjects,
    container: Option<Container>,
}

impl Parsed {
    /// Finds the configs of the jobs. A job that the file of the run does not define, or defines with missing
    /// references, is completed from its params.json; what is missing there too is in `errors`.
    #[must_use]
    pub fn of_jobs(
        self,
        run: &Run,
        keys: &impl JobKeys,
        relocation: &Relocation,
        stop: &CancelToken,
    ) -> RunObjects {
        let Self { mut objects, container } = self;
        let jobs = Jobs { run, keys, relocation };
        objects.roots = vec![None; keys.count()];
        if let Some(container) = container {
            match container.data {
                Value::Dict(data) => objects.take_configs_json(data, keys),
                Value::List(rows) => objects.take_state_json(rows, keys),
                _ => objects.find_jobs(0, keys),
            }
            objects.check(&jobs, container);
        }
        objects.find_in_params(&jobs, stop);
        objects
    }
}

impl RunObjects {
    /// Reads the file of the run, which needs no list of jobs; of an objects.jsonl at most the bytes before `until`.
    #[must_use]
    pub fn parse(
        run: &Run,
        until: Option<u64>,
        relocation: &Relocation,
        stop: &CancelToken,
        beside: ConcurrentTask<impl FnOnce() + Send>,
    ) -> Parsed {
        let mut objects = Self::default();
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
        let file = run.path().join(LINES);
        let Ok(lines) = LinedFile::open_if_there(&file).map_err(|error| self.errors.push(error)) else {
            (beside.work)();
            return None;
        };
        if let Some(lines) = lines {
            let source = Source { file: &file, relocation, job_dir: None, data_dir: None };
            let (graph, container) = read_lines(source, &lines.until(until), beside, stop, &mut self.errors);
            self.graph = graph;
            return Some(container);
        }
        let exists = |file: &PathBuf| file::is_there(file).unwrap_or(true);
        let Some(file) = WHOLE_FILES.map(|name| run.path().join(name)).into_iter().find(exists) else {
            (beside.work)();
            return None;
        };
        let source = Source { file: &file, relocation, job_dir: None, data_dir: None };
        let bytes = file::read(&file).map_err(|error| self.errors.push(error)).ok();
        let size = bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        let parse = || Some(self.graph.read_whole(source, &bytes?, None, &mut self.errors));
        if !beside.is_worth_thread(size) {
            (beside.work)();
            return parse();
        }
        threads::beside(beside.work, parse)
    }

    /// These objects and those that the file of the run got since. `None` if it did not just grow, or is not as
    /// experimaestro writes it: it must be read anew then.
    #[must_use]
    pub fn grown(
        &self,
        run: &Run,
        file: &LinedFile,
        keys: &impl JobKeys,
        relocation: &Relocation,
        stop: &CancelToken,
    ) -> Option<Self> {
        let Resume { container, errors } = self.resume.as_ref()?;
        let mut errors = self.errors[..*errors].to_vec();
        let source = Source { file: file.path(), relocation, job_dir: None, data_dir: None };
        let (graph, container) = read_on(source, file, (&self.graph, container), stop, &mut errors)?;
        let before = self.graph.len();
        let mut grown = Self {
            graph,
            errors,
            resume: None,
            roots: self.roots.clone(),
            order: self.order.clone(),
            dependencies: self.dependencies.clone(),
            corrected: self.corrected.clone(),
            completed: self.completed.clone(),
        };
        grown.roots.resize(keys.count(), None);
        grown.find_jobs(before, keys);
        if grown.has_unclaimed_job(before, keys) {
            grown.roots.fill(None);
            grown.order.clear();
            grown.find_jobs(0, keys);
        }
        let jobs = Jobs { run, keys, relocation };
        grown.check(&jobs, container);
        grown.find_in_params(&jobs, stop);
        Some(grown)
    }

    /// Completes and corrects the objects of the file of the run. If neither was necessary, a later read can continue
    /// from here.
    fn check(&mut self, jobs: &Jobs<'_, impl JobKeys>, mut container: Container) {
        let errors = self.errors.len();
        self.complete(jobs, &mut container);
        self.correct(jobs, &container);
        let is_unchanged = self.graph.one_file() && self.graph.store.unresolved.is_empty();
        self.resume = (is_unchanged && container.bookmark.is_some()).then_some(Resume { container, errors });
    }

    /// Reads the configs that the file of the run does not define from the params.json of their jobs.
    fn find_in_params(&mut self, jobs: &Jobs<'_, impl JobKeys>, stop: &CancelToken) {
        for position in 0..jobs.keys.count() {
            if self.roots[position].is_none() && !stop.is_cancelled() {
                let read = self.read_params(jobs, position, None);
                self.adopt(jobs, position, read);
                // the file of the run may define such a config later
                self.resume = self.resume.take().filter(|_| self.graph.one_file());
            }
        }
    }
}
