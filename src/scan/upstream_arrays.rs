//! Builds the columns of jobs upstream: once for each of these jobs, then repeated for the rows that come from it.

use std::sync::Arc;

use ahash::{HashMap, HashSet};
use arrow::array::{Array, ArrayRef, UInt32Array, new_null_array};
use arrow::compute::{concat, take};
use arrow::datatypes::SchemaRef;
use indexmap::IndexSet;

use super::request::TableRequest;
use super::table::internal;
use super::upstream::{Upstream, configs_of};
use crate::columns::{Column, ColumnSource, PathTree, Step};
use crate::error::{Error, ErrorKind, Result, quoted};
use crate::lineage::{ConfigLocation, JobIx, Link};
use crate::loaded::LoadedRun;
use crate::table::{Rows, build, build_configs, data_type, schema};
use crate::values::index;

/// The number of rows of one step whose errors are listed.
const MAX_LISTED: usize = 100;

/// Columns of jobs upstream.
#[derive(Default)]
pub(super) struct UpstreamArrays {
    /// The position of each column, and its values
    pub arrays: Vec<(usize, ArrayRef)>,
    pub errors: Vec<Error>,
    pub surrogates: Vec<String>,
    /// The jobs of runs that were not asked for, whose columns were built
    others: HashSet<JobIx>,
}

/// The rows for which columns are built: positions in a run of the plan.
pub(super) struct UpstreamRows<'r> {
    pub run: usize,
    pub loaded: &'r Arc<LoadedRun>,
    pub positions: &'r [usize],
    /// Whether a later run lists the job too, by the positions of the jobs; empty if there is one run
    pub listed_later: &'r [bool],
}

/// The jobs of one run that columns are built of, and the number of each among all of them.
struct Part<T> {
    run: usize,
    numbers: Vec<u32>,
    locations: Vec<T>,
}

impl Upstream {
    /// Builds columns with steps, which come with their positions.
    ///
    /// # Errors
    /// Arrow's refusal of arrays, as [`internal`] gives it.
    pub fn build(
        &self,
        rows: &UpstreamRows<'_>,
        columns: &[(usize, &Column)],
        request: &TableRequest,
    ) -> Result<UpstreamArrays> {
        let mut built = UpstreamArrays::default();
        let mut by_steps: HashMap<&[Step], Vec<(usize, &Column)>> = HashMap::default();
        for &(position, column) in columns {
            by_steps.entry(&column.steps).or_default().push((position, column));
        }
        for (steps, columns) in by_steps {
            self.build_of(steps, rows, &columns, request, &mut built)?;
        }
        built.errors.extend(self.errors(&built.others));
        Ok(built)
    }

    fn build_of(
        &self,
        steps: &[Step],
        rows: &UpstreamRows<'_>,
        columns: &[(usize, &Column)],
        request: &TableRequest,
        built: &mut UpstreamArrays,
    ) -> Result<()> {
        let links = self.links(steps, rows.run);
        let link = |position: &usize| links.get(*position).copied().unwrap_or(Link::None);
        let mut jobs: IndexSet<JobIx, ahash::RandomState> = IndexSet::default();
        let codes: Vec<Option<u32>> = rows
            .positions
            .iter()
            .map(|position| match link(position) {
                Link::Job(job) => Some(index(jobs.insert_full(job).0)),
                _ => None,
            })
            .collect();
        let several: Vec<usize> =
            rows.positions.iter().copied().filter(|position| link(position) == Link::Several).collect();
        built.errors.extend(self.ambiguous(steps, rows, &several, &name_of(columns)));
        let is_config = |column: &Column| match column.source {
            ColumnSource::Values(path, _) => self.tree.root(path) == PathTree::CONFIG,
            ColumnSource::Class(_) | ColumnSource::Identifier(_) | ColumnSource::Producer(_) => true,
            _ => false,
        };
        let (of_config, of_row): (Vec<_>, Vec<_>) =
            columns.iter().copied().partition(|(_, column)| is_config(column));
        built.others.extend(jobs.iter().copied().filter(|&job| self.is_of_other_run(job)));
        let codes = Codes { by_row: codes, jobs: jobs.len(), layout: request.layout };
        if !of_config.is_empty() {
            let parts = parts(jobs.iter().map(|&job| {
                let location = self.lineage.config(job);
                let (ConfigLocation::Listed(run, _) | ConfigLocation::Object(run, _)) = location;
                Some((run, location))
            }));
            self.configs(&parts, &of_config, rows, request, &codes, built)?;
        }
        if !of_row.is_empty() {
            built.errors.extend(self.unlisted(&jobs, &name_of(columns)));
            let parts = parts(jobs.iter().map(|&job| self.lineage.row(job)));
            self.row_columns(&parts, &of_row, rows, request, &codes, built)?;
        }
        Ok(())
    }

    /// Builds columns of the configs of jobs.
    fn configs(
        &self,
        parts: &[Part<ConfigLocation>],
        columns: &[(usize, &Column)],
        rows: &UpstreamRows<'_>,
        request: &TableRequest,
        codes: &Codes,
        built: &mut UpstreamArrays,
    ) -> Result<()> {
        let described: Vec<Column> = columns.iter().map(|(_, column)| (*column).clone()).collect();
        let mut arrays = Vec::new();
        for part in parts {
            let Some(loaded) = self.loaded(part.run, rows) else { continue };
            let configs = configs_of(&loaded, &part.locations);
            let (of_part, surrogates) =
                build_configs(&loaded, &configs, &described, &self.tree, request.layout).map_err(internal)?;
            arrays.push((part.numbers.as_slice(), of_part));
            built.surrogates.extend(surrogates);
        }
        built.arrays.extend(codes.spread(columns, &arrays)?);
        Ok(())
    }

    /// Builds system columns, tags and results of jobs.
    fn row_columns(
        &self,
        parts: &[Part<usize>],
        columns: &[(usize, &Column)],
        rows: &UpstreamRows<'_>,
        request: &TableRequest,
        codes: &Codes,
        built: &mut UpstreamArrays,
    ) -> Result<()> {
        let described: Vec<Column> = columns.iter().map(|(_, column)| (*column).clone()).collect();
        let schema: SchemaRef = schema(&described, &self.tree, request.layout);
        let mut arrays = Vec::new();
        for part in parts {
            let Some(loaded) = self.loaded(part.run, rows) else { continue };
            let read = self.results.get(part.run);
            let listed_later = if part.run == rows.run { rows.listed_later } else { &[] };
            let rows = Rows {
                loaded: &loaded,
                chosen: Some(&part.locations),
                results: read.map(|read| &read.results),
                listed_later,
            };
            let schema = Arc::clone(&schema);
            let of_part = build(rows, &described, &self.tree, schema, request.layout, &request.zone)
                .map_err(internal)?;
            built.errors.extend(of_part.errors);
            built.surrogates.extend(of_part.surrogates);
            built.errors.extend(read.into_iter().flat_map(|read| &read.errors).cloned());
            arrays.push((part.numbers.as_slice(), of_part.batch.columns().to_vec()));
        }
        built.arrays.extend(codes.spread(columns, &arrays)?);
        Ok(())
    }

    /// Whether the config or the row of a job is in a run that was not asked for.
    fn is_of_other_run(&self, job: JobIx) -> bool {
        let (ConfigLocation::Listed(run, _) | ConfigLocation::Object(run, _)) = self.lineage.config(job);
        let row = self.lineage.row(job).map_or(run, |(run, _)| run);
        run.max(row) >= self.lineage.planned()
    }

    /// What could not be read of jobs of runs that were not asked for.
    fn errors(&self, jobs: &HashSet<JobIx>) -> Vec<Error> {
        if jobs.is_empty() {
            return Vec::new();
        }
        let ids: HashSet<String> =
            jobs.iter().filter_map(|&job| self.lineage.job_id(job, |_| None)).collect();
        let others =
            (self.lineage.planned()..self.lineage.runs()).filter_map(|run| self.lineage.other_run(run));
        let is_about = |error: &Error| error.location().job.as_ref().is_none_or(|job| ids.contains(job));
        others.flat_map(|loaded| loaded.errors()).filter(is_about).collect()
    }

    /// A run that has jobs upstream of rows: their own run, or one that was not asked for.
    fn loaded(&self, run: usize, rows: &UpstreamRows<'_>) -> Option<Arc<LoadedRun>> {
        if run == rows.run { Some(Arc::clone(rows.loaded)) } else { self.lineage.other_run(run).cloned() }
    }

    /// The errors of rows that come from several jobs which are equally near.
    fn ambiguous(
        &self,
        steps: &[Step],
        rows: &UpstreamRows<'_>,
        positions: &[usize],
        name: &str,
    ) -> Vec<Error> {
        let recorded = rows.loaded.rows();
        let before = steps.split_last().map_or(&[][..], |(_, before)| self.links(before, rows.run));
        let error = |&position: &usize| {
            let near: Vec<String> = match (steps.last(), before.get(position)) {
                (Some(Step::Task(task)), Some(Link::Job(job))) => {
                    let near = self.lineage.equally_near(*job, task).into_iter().flatten();
                    near.filter_map(|job| self.lineage.job_id(job, |run| self.loaded(run, rows))).collect()
                }
                _ => Vec::new(),
            };
            let shown = if near.is_empty() { String::new() } else { format!(": {}", near.join(", ")) };
            Error::new(ErrorKind::Column, format!("comes from several jobs that are equally near{shown}"))
                .at_job(&recorded.job_id(&recorded.rows[position]))
                .at_field(name)
                .hint("its columns are null; name the place that holds the config, as in config.<place>@job.<column>")
        };
        let mut errors: Vec<Error> = positions.iter().take(MAX_LISTED).map(error).collect();
        if positions.len() > MAX_LISTED {
            let reason =
                format!("{} more jobs come from several that are equally near", positions.len() - MAX_LISTED);
            errors.push(Error::new(ErrorKind::Column, reason).at_field(name).hint("their columns are null"));
        }
        errors
    }

    /// The errors of jobs that no run lists, so that they have no row.
    fn unlisted(&self, jobs: &IndexSet<JobIx, ahash::RandomState>, name: &str) -> Vec<Error> {
        let without = jobs.iter().filter(|&&job| self.lineage.row(job).is_none());
        let ids: Vec<&str> = without.filter_map(|&job| self.lineage.unlisted_id(job)).collect();
        let error = |id: &&str| {
            Error::new(
                ErrorKind::JobNotFound,
                format!("no run of the workspace lists a job that {} means", quoted(name)),
            )
            .at_job(id)
            .at_field(name)
            .hint("only its config is known; columns of its row are null")
        };
        let mut errors: Vec<Error> = ids.iter().take(MAX_LISTED).map(error).collect();
        if ids.len() > MAX_LISTED {
            let reason = format!("no run of the workspace lists {} more jobs", ids.len() - MAX_LISTED);
            errors.push(Error::new(ErrorKind::JobNotFound, reason).at_field(name));
        }
        errors
    }
}

/// The job of each row, by its number among all jobs of some steps.
struct Codes {
    by_row: Vec<Option<u32>>,
    jobs: usize,
    layout: crate::table::StringLayout,
}

impl Codes {
    /// Repeats the values of jobs for the rows that come from them. `parts` has the numbers of jobs and their columns.
    fn spread(
        &self,
        columns: &[(usize, &Column)],
        parts: &[(&[u32], Vec<ArrayRef>)],
    ) -> Result<Vec<(usize, ArrayRef)>> {
        // the place of each job in the joined arrays
        let mut places = vec![None; self.jobs];
        let mut next = 0;
        for (numbers, _) in parts {
            for &number in *numbers {
                places[number as usize] = Some(next);
                next += 1;
            }
        }
        let indices: UInt32Array =
            self.by_row.iter().map(|code| code.and_then(|code| places[code as usize])).collect();
        let mut spread = Vec::with_capacity(columns.len());
        for (number, (position, column)) in columns.iter().enumerate() {
            let of_parts: Vec<&dyn Array> = parts.iter().map(|(_, arrays)| arrays[number].as_ref()).collect();
            let joined = match of_parts[..] {
                [] => new_null_array(&data_type(&column.kind, self.layout), 0),
                [_] => Arc::clone(&parts[0].1[number]),
                _ => concat(&of_parts).map_err(internal)?,
            };
            spread.push((*position, take(&joined, &indices, None).map_err(internal)?));
        }
        Ok(spread)
    }
}

/// Groups numbered locations by their runs.
fn parts<T>(locations: impl Iterator<Item = Option<(usize, T)>>) -> Vec<Part<T>> {
    let mut parts: Vec<Part<T>> = Vec::new();
    for (number, location) in (0..).zip(locations) {
        let Some((run, location)) = location else { continue };
        let known = parts.iter().position(|part| part.run == run);
        let part = known.unwrap_or_else(|| {
            parts.push(Part { run, numbers: Vec::new(), locations: Vec::new() });
            parts.len() - 1
        });
        parts[part].numbers.push(number);
        parts[part].locations.push(location);
    }
    parts
}

/// What errors call some columns: the name of the first.
fn name_of(columns: &[(usize, &Column)]) -> String {
    columns.first().map_or_else(String::new, |(_, column)| column.name.clone())
}
