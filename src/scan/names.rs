//! Which columns the names of a request mean: those of the jobs themselves, and those of jobs upstream.

use super::request::TableRequest;
use super::schema_builder::has_values;
use super::short_names::ShortNames;
use super::upstream::{PlannedRuns, Upstream};
use crate::columns::{Column, ColumnNames, Columns, PathTree, UpstreamName};
use crate::error::{Error, ErrorKind, Result, quoted};

/// Knows the columns of the jobs of a request, and those of the jobs that they come from.
pub(super) struct Names<'n> {
    pub request: &'n TableRequest,
    pub columns: Columns,
    pub tree: &'n PathTree,
    /// The paths of the jobs of the requested tasks, if tasks were requested
    pub task_tree: Option<&'n PathTree>,
    pub short: &'n ShortNames,
    pub planned: PlannedRuns<'n>,
    /// Found when a name first asks for it
    pub upstream: Option<Upstream>,
}

impl Names<'_> {
    /// Reads the result files of jobs upstream whose columns are asked for, if some may be results.
    ///
    /// # Errors
    /// `InvalidArgument`: no job has a parameter of the name of a handle; `TooManyColumns`, `Io`.
    pub fn read_results<'p>(&mut self, patterns: impl Iterator<Item = &'p str>) -> Result<()> {
        if self.request.results.is_empty() {
            return Ok(());
        }
        for pattern in patterns {
            if let Some(name) = UpstreamName::parse(pattern) {
                self.load_upstream()?;
                if let Some(upstream) = &mut self.upstream {
                    // an error is raised again when the column is looked up
                    let _ = upstream.note_results(&self.columns, name, &self.planned);
                }
            }
        }
        match &mut self.upstream {
            Some(upstream) => upstream.read_results(self.request, &self.planned),
            None => Ok(()),
        }
    }

    /// What the columns of jobs upstream need, if some are among these.
    ///
    /// # Errors
    /// `Column`: the steps of a column lead every job to several others.
    pub fn prepare(self, columns: &[Column]) -> Result<Option<Upstream>> {
        let others = columns.iter().flat_map(|column| &column.merged).flat_map(|merged| &merged.others);
        let upstream: Vec<&Column> =
            columns.iter().chain(others).filter(|column| !column.steps.is_empty()).collect();
        let Some(mut lineage) = self.upstream.filter(|_| !upstream.is_empty()) else { return Ok(None) };
        for column in upstream {
            lineage.follow(&column.steps, &self.planned)?;
            if !self.request.scope.is_decided() {
                lineage.check(&column.steps, &column.name, &self.planned)?;
            }
        }
        Ok(Some(lineage))
    }

    fn load_upstream(&mut self) -> Result<()> {
        if self.upstream.is_none() {
            self.upstream = Some(Upstream::of(&self.planned, self.tree, self.request)?);
        }
        Ok(())
    }
}

impl ColumnNames for Names<'_> {
    fn find(&mut self, pattern: &str) -> Result<Vec<Column>> {
        let own = self.short.meant(pattern, &self.columns).and_then(|name| self.columns.find(&name));
        let Some(name) = UpstreamName::parse(pattern) else { return own };
        if self.columns.all.iter().any(|column| column.name == pattern) {
            return own;
        }
        self.load_upstream()?;
        let Some(upstream) = &mut self.upstream else { return own };
        let found = upstream.find(&self.columns, name, &self.planned)?;
        match (own.as_deref(), &found[..]) {
            (_, []) => own,
            (Ok([]) | Err(_), _) => Ok(found),
            (Ok(_), [column]) if column.name == pattern => Ok(found),
            (Ok(own), _) => Err(ambiguous(pattern, own, &found)),
        }
    }

    fn by_default(&self) -> Vec<Column> {
        let is_shown = |column: &&Column| {
            column.by_default
                && self.task_tree.is_none_or(|task_tree| has_values(task_tree, self.tree, column))
        };
        self.columns.all.iter().filter(is_shown).cloned().collect()
    }

    fn unknown(&mut self, pattern: &str) -> Error {
        let name = UpstreamName::parse(pattern);
        let error = self.columns.unknown(pattern);
        if !self.planned.have_configs() || self.load_upstream().is_err() {
            return error;
        }
        let Some(upstream) = &mut self.upstream else { return error };
        match name {
            Some(name) => upstream.unknown(pattern, &self.columns, name, &self.planned),
            None => match upstream.suggestion(pattern, &self.planned) {
                Some(near) => match error.advice().map(str::to_owned) {
                    Some(advice) if !advice.starts_with("there are") => {
                        error.hint(format!("{advice} Upstream there is {near}"))
                    }
                    _ => error.hint(format!("upstream there is {near}")),
                },
                None => error,
            },
        }
    }

    fn tree(&self, column: &Column) -> &PathTree {
        match &self.upstream {
            Some(upstream) if !column.steps.is_empty() => upstream.tree(),
            _ => self.tree,
        }
    }
}

fn ambiguous(pattern: &str, own: &[Column], found: &[Column]) -> Error {
    let shown: Vec<&str> = own.iter().chain(found).take(5).map(|column| column.name.as_str()).collect();
    Error::new(
        ErrorKind::Column,
        format!("{} could be any of {} columns", quoted(pattern), own.len() + found.len()),
    )
    .at_field(pattern)
    .hint(format!("write one of {}", shown.join(", ")))
}
