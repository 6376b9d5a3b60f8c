//! Observes the jobs of all runs to decide the columns.

use std::collections::BTreeSet;

use super::names::Names;
use super::planned_run::PlannedRun;
use super::request::TableRequest;
use super::short_names::ShortNames;
use super::upstream::{PlannedRuns, Upstream};
use crate::columns::{Chosen, Column, ColumnSource, Columns, PathTree, Selection, System, task_matches};
use crate::error::{Error, ErrorKind, Result, did_you_mean, quoted};
use crate::loaded::LoadedRun;
use crate::objects::RunObjects;
use crate::table::Rows;
use crate::threads;
use crate::values::ObjectIx;

/// The number of paths that are observed for each column that is allowed: most paths have no column of their own.
const PATHS_PER_COLUMN: usize = 50;

/// At least this many paths are observed, however few columns are allowed.
const MIN_PATHS: usize = 10_000;

/// Which values the jobs of the runs have where.
pub(super) struct SchemaBuilder<'r> {
    request: &'r TableRequest,
    pub needs_configs: bool,
    pub needs_record: bool,
    pub tree: PathTree,
    /// The paths of the jobs of the requested tasks, if tasks were requested
    task_tree: Option<PathTree>,
    seen_tasks: BTreeSet<String>,
    /// The requested tasks that some job has
    matched_tasks: BTreeSet<String>,
    short_names: ShortNames,
}

impl<'r> SchemaBuilder<'r> {
    pub fn new(request: &'r TableRequest) -> Self {
        let max_paths = request.max_columns.saturating_mul(PATHS_PER_COLUMN).max(MIN_PATHS);
        Self {
            request,
            needs_configs: needs_configs(&request.selection),
            needs_record: needs_record(&request.selection),
            tree: match &request.scope.paths {
                Some(paths) => paths.tree.clone(),
                None => PathTree::new(max_paths),
            },
            task_tree: request.tasks.as_ref().map(|_| PathTree::new(max_paths)),
            seen_tasks: BTreeSet::new(),
            matched_tasks: BTreeSet::new(),
            short_names: ShortNames::of(&request.selection),
        }
    }

    /// Observes all jobs of a run. Returns the positions of the jobs of the requested tasks, if tasks were requested.
    pub fn observe(&mut self, loaded: &LoadedRun) -> Result<Option<Vec<usize>>> {
        let chosen = self.jobs_of_tasks(loaded);
        if self.request.scope.is_decided() {
            return Ok(chosen);
        }
        if self.needs_configs {
            self.short_names.observe(loaded);
        }
        observe(
            &mut self.tree,
            Rows { loaded, chosen: None, results: None, listed_later: &[] },
            self.needs_configs,
        )?;
        if let Some(tree) = &mut self.task_tree {
            observe(
                tree,
                Rows { loaded, chosen: chosen.as_deref(), results: None, listed_later: &[] },
                self.needs_configs,
            )?;
        }
        Ok(chosen)
    }

    fn jobs_of_tasks(&mut self, loaded: &LoadedRun) -> Option<Vec<usize>> {
        let tasks = self.request.tasks.as_ref()?;
        let rows = loaded.rows();
        let mut positions = Vec::new();
        for (position, row) in rows.rows.iter().enumerate() {
            let task_id = rows.task_id(row);
            if let Some(task) = tasks.iter().find(|task| task_matches(task, &task_id)) {
                positions.push(position);
                if !self.matched_tasks.contains(task) {
                    self.matched_tasks.insert(task.clone());
                }
            }
            if !self.seen_tasks.contains(task_id.as_ref()) {
                self.seen_tasks.insert(task_id.into_owned());
            }
        }
        Some(positions)
    }

    /// The columns of the request. `may_repeat` says that some runs are of one experiment.
    ///
    /// # Errors
    /// `Column`, `TooManyColumns`, `InvalidArgument` (an unknown task); `Io`, if a run has changed meanwhile.
    pub fn finish(
        self,
        several_workspaces: bool,
        may_repeat: bool,
        planned: &[PlannedRun],
    ) -> Result<Decided> {
        let Self { request, tree, task_tree, matched_tasks, seen_tasks, short_names, .. } = self;
        let unmatched = request.tasks.iter().flatten().find(|task| !matched_tasks.contains(*task));
        // other runs may have it
        if let Some(task) = unmatched.filter(|_| !request.scope.is_decided()) {
            return Err(unknown_task(task, &seen_tasks));
        }
        let handles: Vec<Option<&str>> =
            request.results.iter().map(|result| result.name.as_deref()).collect();
        let columns = Columns::new(&tree, request.several_runs, several_workspaces);
        let columns = columns.with_files(&handles).with_reused(may_repeat);
        let mut names = Names {
            request,
            columns,
            tree: &tree,
            task_tree: task_tree.as_ref(),
            short: &short_names,
            planned: PlannedRuns { runs: planned, may_repeat },
            upstream: None,
        };
        if let Selection::Chosen(patterns) = &request.selection {
            names.read_results(patterns.iter().flat_map(Chosen::patterns))?;
        }
        let columns = request.selection.choose(&mut names, &tree, request.max_columns)?;
        let upstream = names.prepare(&columns)?;
        Ok(Decided { tree, columns, upstream })
    }
}

/// The columns of a request, and what describes them.
pub(super) struct Decided {
    /// The paths of all jobs
    pub tree: PathTree,
    pub columns: Vec<Column>,
    /// The jobs upstream, if a column is about them
    pub upstream: Option<Upstream>,
}

/// The number of parts into which the configs of a run are split for the threads.
const PARTS: usize = 4;

/// Fewer jobs than this are observed faster by one thread.
const MIN_JOBS_PER_PART: usize = 4096;

/// Observes the tags of some jobs, and their configs if `configs`; many jobs on several threads.
fn observe(tree: &mut PathTree, rows: Rows<'_>, configs: bool) -> Result<()> {
    let store = &rows.recorded().store;
    let tags = |tree: &mut PathTree| tree.observe_tags(store, rows.jobs().filter_map(|row| row.tags));
    if !configs {
        return tags(tree);
    }
    let RunObjects { roots, graph, .. } = rows.loaded.objects();
    let roots: Vec<ObjectIx> = rows.positions().filter_map(|position| roots[position]).collect();
    let threads = threads::at_most(PARTS);
    if threads < 2 || roots.len() <= MIN_JOBS_PER_PART {
        tags(tree)?;
        return tree.observe_configs(graph, &roots);
    }
    let parts = roots.chunks(roots.len().div_ceil(PARTS).max(MIN_JOBS_PER_PART));
    // the tags are one more part
    let parts: Vec<Option<&[ObjectIx]>> = std::iter::once(None).chain(parts.map(Some)).collect();
    let trees = threads::each(&parts, threads, |part| {
        let mut tree = tree.empty_copy();
        let observed = match part {
            None => tags(&mut tree),
            Some(roots) => tree.observe_configs(graph, roots),
        };
        observed.map(|()| tree)
    });
    trees.into_iter().try_for_each(|part| tree.merge(&part?))
}

/// Whether some pattern may mean a column of the jobs' configs.
fn needs_configs(selection: &Selection) -> bool {
    let Selection::Chosen(patterns) = selection else { return true };
    let Columns { all: system } = Columns::new(&PathTree::new(2), true, true);
    let is_outside =
        |pattern: &str| pattern.starts_with("tags.") || system.iter().any(|column| column.name == pattern);
    !patterns.iter().flat_map(Chosen::patterns).all(is_outside)
}

/// Whether a column is chosen that shows what the run recorded of its jobs.
fn needs_record(selection: &Selection) -> bool {
    let Selection::Chosen(patterns) = selection else { return true };
    let of_status: Vec<_> = System::all().filter(|system| system.needs_status()).collect();
    patterns
        .iter()
        .flat_map(Chosen::patterns)
        .any(|pattern| of_status.iter().any(|system| system.name() == pattern))
}

/// Whether the jobs of the requested tasks have values for a column of all jobs.
pub(super) fn has_values(task_tree: &PathTree, tree: &PathTree, column: &Column) -> bool {
    let in_task_tree = |path| task_tree.find(&tree.path(path));
    match column.source {
        ColumnSource::System(_) | ColumnSource::File(_) | ColumnSource::FilePath(_) => true,
        // results were read of the jobs of these tasks only
        ColumnSource::Values(path, _) if tree.root(path) == PathTree::RESULT => true,
        ColumnSource::Values(path, kind) => in_task_tree(path).is_some_and(|path| task_tree.has(path, kind)),
        ColumnSource::Class(path) | ColumnSource::Identifier(path) => {
            in_task_tree(path).is_some_and(|path| task_tree.get(path).has_configs())
        }
        ColumnSource::Producer(path) => {
            in_task_tree(path).is_some_and(|path| task_tree.producer_type(path).is_some())
        }
    }
}

fn unknown_task(name: &str, seen_tasks: &BTreeSet<String>) -> Error {
    let tasks: Vec<&str> = seen_tasks.iter().map(String::as_str).collect();
    let short = tasks.iter().map(|task| task.rsplit('.').next().unwrap_or(task));
    let hint = did_you_mean(name, tasks.iter().copied().chain(short)).unwrap_or_else(|| match tasks[..] {
        [] => "there are no jobs".to_owned(),
        _ => format!("there are {}", tasks.join(", ")),
    });
    Error::new(ErrorKind::InvalidArgument, format!("no job of task {}", quoted(name))).hint(hint)
}
