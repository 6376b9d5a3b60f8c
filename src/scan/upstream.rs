//! The columns of jobs upstream: which there are, and which job each row takes them from.

use std::sync::Arc;

use ahash::HashMap;

use super::planned_run::PlannedRun;
use super::request::TableRequest;
use super::results::{Holders, ReadResults, ResultReader, needs_results};
use crate::columns::{Columns, PathTree, Step, UpstreamPaths};
use crate::error::{Error, ErrorKind, Result, quoted};
use crate::lineage::{ConfigLocation, JobIx, Lineage, Link, Planned};
use crate::loaded::LoadedRun;
use crate::progress::CancelToken;
use crate::values::{ObjectIx, Record};

/// The runs of a plan that is being made.
#[derive(Clone, Copy)]
pub(super) struct PlannedRuns<'p> {
    pub runs: &'p [PlannedRun],
    /// Whether some of them are of one experiment, and each row is wanted
    pub may_repeat: bool,
}

impl PlannedRuns<'_> {
    /// Whether the configs of all runs were read.
    pub fn have_configs(&self) -> bool {
        self.runs.iter().all(PlannedRun::has_configs)
    }

    fn tokens(&self) -> Vec<CancelToken> {
        self.runs.iter().map(|planned| planned.cancel_token().clone()).collect()
    }
}

impl Planned for PlannedRuns<'_> {
    fn count(&self) -> usize {
        self.runs.len()
    }

    fn open(&self, run: usize) -> Result<Arc<LoadedRun>> {
        let planned = &self.runs[run];
        planned.open(planned.cancel_token())
    }
}

/// The columns of the jobs that the jobs of a plan come from.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) lineage: Lineage,
    /// Describes the columns: the jobs of the plan, and those that its runs do not list
    pub(super) tree: PathTree,
    pub(super) columns: Arc<Columns>,
    /// The identifiers of the tasks that some job needs
    pub(super) tasks: Vec<String>,
    /// The first row of each run of the plan, among all rows
    starts: Vec<usize>,
    /// Whether each row is of a requested task
    is_chosen: Vec<bool>,
    /// For each row, the job that steps lead to
    pub(super) targets: HashMap<Vec<Step>, Vec<Link>>,
    /// The paths at which the jobs have values that steps lead to
    pub(super) value_trees: HashMap<Vec<Step>, PathTree>,
    /// The steps to jobs whose results are asked for
    pub(super) result_steps: Vec<Vec<Step>>,
    /// What was read of the results of the jobs of each run of the lineage
    pub(super) results: Vec<ReadResults>,
}

impl Upstream {
    /// The jobs that those of a plan come from. `tree` describes the jobs of the plan.
    ///
    /// # Errors
    /// `TooManyColumns`; `Io`, if a run has changed since it was read.
    pub fn of(planned: &PlannedRuns<'_>, tree: &PathTree, request: &TableRequest) -> Result<Self> {
        let lineage = Lineage::of(planned)?;
        let (mut starts, mut is_chosen) = (Vec::new(), Vec::new());
        for (run, planned) in planned.runs.iter().enumerate() {
            starts.push(is_chosen.len());
            let end = is_chosen.len() + lineage.listed_count(run);
            match planned.deciding() {
                None => is_chosen.resize(end, true),
                Some(rows) => {
                    let start = is_chosen.len();
                    is_chosen.resize(end, false);
                    for row in rows {
                        is_chosen[start + row] = true;
                    }
                }
            }
        }
        let tasks = lineage.tasks_of(&lineage.upstream_jobs());
        let mut upstream = Self {
            lineage,
            tree: tree.without_results(),
            columns: Arc::new(Columns { all: Vec::new() }),
            tasks,
            starts,
            is_chosen,
            targets: HashMap::default(),
            value_trees: HashMap::default(),
            result_steps: Vec::new(),
            results: Vec::new(),
        };
        let decided = request.scope.paths.as_ref().and_then(|paths| paths.upstream.as_ref());
        if let Some(UpstreamPaths { tree, tasks }) = decided {
            (upstream.tree, upstream.tasks) = (tree.clone(), tasks.clone());
            upstream.columns = Arc::new(upstream.columns_with_files(request));
            return Ok(upstream);
        }
        let mut tree = std::mem::replace(&mut upstream.tree, PathTree::new(3));
        upstream.observe(&mut tree, &upstream.lineage.unlisted_jobs(), planned)?;
        upstream.columns = Arc::new(Columns::new(&tree, false, false));
        upstream.tree = tree;
        Ok(upstream)
    }

    /// What decides the columns, for a request for some of the jobs.
    pub fn paths(&self) -> UpstreamPaths {
        UpstreamPaths { tree: self.tree.clone(), tasks: self.tasks.clone() }
    }

    fn columns_with_files(&self, request: &TableRequest) -> Columns {
        let handles: Vec<Option<&str>> =
            request.results.iter().map(|result| result.name.as_deref()).collect();
        Columns::new(&self.tree, false, false).with_files(&handles)
    }

    /// Describes the columns.
    pub fn tree(&self) -> &PathTree {
        &self.tree
    }

    /// Whether a run that was not asked for has changed since it was read.
    pub fn has_changed(&self) -> bool {
        self.lineage.has_changed()
    }

    /// A run of the lineage.
    pub(super) fn open(&self, run: usize, planned: &impl Planned) -> Result<Arc<LoadedRun>> {
        self.lineage.other_run(run).map_or_else(|| planned.open(run), |loaded| Ok(Arc::clone(loaded)))
    }

    /// Notes the tags and configs of some jobs.
    fn observe(&self, tree: &mut PathTree, jobs: &[JobIx], planned: &PlannedRuns<'_>) -> Result<()> {
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); self.lineage.runs()];
        let mut configs: Vec<Vec<ConfigLocation>> = vec![Vec::new(); self.lineage.runs()];
        for &job in jobs {
            if let Some((run, position)) = self.lineage.row(job) {
                rows[run].push(position);
            }
            let location = self.lineage.config(job);
            let (ConfigLocation::Listed(run, _) | ConfigLocation::Object(run, _)) = location;
            configs[run].push(location);
        }
        for (run, (rows, configs)) in rows.iter().zip(&configs).enumerate() {
            if rows.is_empty() && configs.is_empty() {
                continue;
            }
            let loaded = self.open(run, planned)?;
            let recorded = loaded.rows();
            let tags: Vec<Record> = rows.iter().filter_map(|&row| recorded.rows[row].tags).collect();
            tree.observe_tags(&recorded.store, tags)?;
            let roots = configs_of(&loaded, configs).into_iter().flatten().collect::<Vec<ObjectIx>>();
            if !roots.is_empty() {
                tree.observe_configs(&loaded.objects().graph, &roots)?;
            }
        }
        Ok(())
    }

    /// For each row, the job that steps lead to.
    pub(super) fn follow(&mut self, steps: &[Step], planned: &impl Planned) -> Result<&[Link]> {
        if !self.targets.contains_key(steps) {
            let links = match steps.split_last() {
                None => self.rows(),
                Some((step, before)) => {
                    let from = self.follow(before, planned)?.to_vec();
                    let mut links = self.lineage.follow(&from, step, &self.tree, planned)?;
                    for (run, &start) in self.starts.iter().enumerate() {
                        let end = self.starts.get(run + 1).copied().unwrap_or(links.len());
                        self.lineage.settle(run, &mut links[start..end], planned)?;
                    }
                    links
                }
            };
            self.targets.insert(steps.to_vec(), links);
        }
        Ok(self.targets.get(steps).map_or(&[], Vec::as_slice))
    }

    /// The jobs of the rows themselves.
    fn rows(&self) -> Vec<Link> {
        let of_run = |run| {
            (0..self.lineage.listed_count(run)).map(move |row| Link::Job(self.lineage.listed(run, row)))
        };
        (0..self.starts.len()).flat_map(of_run).collect()
    }

    /// For each row of a run of the plan, the job that steps lead to.
    pub(super) fn links(&self, steps: &[Step], run: usize) -> &[Link] {
        let links = self.targets.get(steps).map_or(&[][..], Vec::as_slice);
        let end = self.starts.get(run + 1).copied().unwrap_or(links.len());
        links.get(self.starts[run]..end).unwrap_or_default()
    }

    /// The jobs that steps lead to from the rows of the requested tasks, each once.
    pub(super) fn jobs(&mut self, steps: &[Step], planned: &impl Planned) -> Result<Vec<JobIx>> {
        let links = self.follow(steps, planned)?.to_vec();
        let chosen = links.into_iter().zip(&self.is_chosen).filter(|(_, is_chosen)| **is_chosen);
        let mut jobs: Vec<JobIx> =
            chosen.filter_map(|(link, _)| if let Link::Job(job) = link { Some(job) } else { None }).collect();
        jobs.sort_unstable();
        jobs.dedup();
        Ok(jobs)
    }

    /// Notes the paths at which the jobs have values that steps lead to.
    pub(super) fn observe_values(&mut self, steps: &[Step], planned: &PlannedRuns<'_>) -> Result<()> {
        if !self.value_trees.contains_key(steps) {
            let jobs = self.jobs(steps, planned)?;
            let mut tree = self.tree.empty_copy();
            self.observe(&mut tree, &jobs, planned)?;
            self.value_trees.insert(steps.to_vec(), tree);
        }
        Ok(())
    }

    /// Reads the results of the jobs to which `result_steps` lead.
    ///
    /// # Errors
    /// `InvalidArgument`: a handle means several paths of one job, or none of any; `TooManyColumns`, `Io`.
    pub fn read_results(&mut self, request: &TableRequest, planned: &PlannedRuns<'_>) -> Result<()> {
        let holders = if planned.may_repeat { Holders::LastRun } else { Holders::Each };
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); self.lineage.runs()];
        for steps in std::mem::take(&mut self.result_steps) {
            for (run, row) in self.jobs(&steps, planned)?.into_iter().filter_map(|job| self.lineage.row(job))
            {
                rows[run].push(row);
            }
        }
        if rows.iter().all(Vec::is_empty) {
            return Ok(());
        }
        let mut reader = ResultReader::new(&request.results);
        let mut tokens = planned.tokens();
        for (run, rows) in rows.iter_mut().enumerate() {
            rows.sort_unstable();
            rows.dedup();
            let loaded = self.open(run, planned)?;
            let listed_later = planned.runs.get(run).map_or(&[][..], PlannedRun::listed_later);
            reader.observe(&loaded, Some(rows.as_slice()), listed_later)?;
            if run >= tokens.len() {
                tokens.push(loaded.cancel_token().clone());
            }
        }
        // else the handles were checked on the jobs of the plan, or of more runs
        let checks = !needs_results(&request.selection) && !request.scope.is_decided();
        self.results = reader.read(&mut self.tree, &tokens, checks, holders)?;
        self.columns = Arc::new(self.columns_with_files(request));
        Ok(())
    }

    /// Refuses steps that lead every row to several jobs.
    ///
    /// # Errors
    /// `Column`, naming the step.
    pub fn check(&mut self, steps: &[Step], name: &str, planned: &impl Planned) -> Result<()> {
        let links = self.follow(steps, planned)?.to_vec();
        let chosen = links.iter().zip(&self.is_chosen).filter(|(_, is_chosen)| **is_chosen);
        let (mut several, mut single) = (false, false);
        for (link, _) in chosen {
            several |= *link == Link::Several;
            single |= matches!(link, Link::Job(_));
        }
        if !several || single {
            return Ok(());
        }
        let reason = format!("{}: every job comes from several that are equally near", quoted(name));
        Err(Error::new(ErrorKind::Column, reason)
            .at_field(name)
            .hint("name the place that holds the config, as in config.<place>@job.<column>"))
    }
}

/// The configs at some locations of one run.
pub(super) fn configs_of(loaded: &LoadedRun, locations: &[ConfigLocation]) -> Vec<Option<ObjectIx>> {
    let config = |location: &ConfigLocation| match *location {
        ConfigLocation::Listed(_, position) => loaded.objects().roots.get(position).copied().flatten(),
        ConfigLocation::Object(_, object) => Some(object),
    };
    locations.iter().map(config).collect()
}
