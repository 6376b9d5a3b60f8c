//! Which columns of jobs upstream a name means.

use std::sync::Arc;

use super::results::may_be_result;
use super::schema_builder::has_values;
use super::short_names::ShortNames;
use super::upstream::{PlannedRuns, Upstream};
use crate::columns::{
    Column, ColumnSource, Columns, Step, Type, UpstreamName, escape, short_name, task_matches, task_splits,
};
use crate::error::{Error, ErrorKind, Result, did_you_mean, near_misses, quoted};

/// The names that an error lists.
const MAX_NAMED: usize = 10;

/// Steps, the name of the job that they lead to, and what is asked of it.
struct Asked<'a> {
    steps: Vec<Step>,
    job: String,
    column: &'a str,
}

impl Upstream {
    /// The columns that a name means; nothing if there are none. `own` are the columns of the jobs themselves.
    ///
    /// # Errors
    /// `Column`: the name is ambiguous, or means a list of jobs.
    pub fn find(
        &mut self,
        own: &Columns,
        name: UpstreamName<'_>,
        planned: &PlannedRuns<'_>,
    ) -> Result<Vec<Column>> {
        for asked in self.asked(own, &[], "", name)? {
            let mut found = Vec::new();
            for asked in asked {
                found.extend(self.find_at(&asked, planned)?);
            }
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    /// Notes the steps of a name that may mean results.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn note_results(
        &mut self,
        own: &Columns,
        name: UpstreamName<'_>,
        planned: &PlannedRuns<'_>,
    ) -> Result<()> {
        for asked in self.asked(own, &[], "", name)?.into_iter().flatten() {
            let Some(name) = UpstreamName::parse(asked.column) else {
                self.note(&asked, planned)?;
                continue;
            };
            let columns = Arc::clone(&self.columns);
            for deeper in self.asked(&columns, &asked.steps, &asked.job, name)?.into_iter().flatten() {
                self.note(&deeper, planned)?;
            }
        }
        Ok(())
    }

    fn note(&mut self, asked: &Asked<'_>, planned: &PlannedRuns<'_>) -> Result<()> {
        let is_result = asked.column.starts_with("result") || asked.column.contains(['*', '?', '[']);
        if may_be_result(asked.column) && (is_result || self.find_at(asked, planned)?.is_empty()) {
            self.result_steps.push(asked.steps.clone());
        }
        Ok(())
    }

    /// What a name may ask of which jobs, the most likely first: the name of a task may have dots. A glob of places asks several.
    fn asked<'a>(
        &self,
        own: &Columns,
        before: &[Step],
        job: &str,
        name: UpstreamName<'a>,
    ) -> Result<Vec<Vec<Asked<'a>>>> {
        let steps = |step| before.iter().cloned().chain([step]).collect();
        let named = |part: &str| if job.is_empty() { part.to_owned() } else { format!("{job}.{part}") };
        match name {
            UpstreamName::Place { place, column } => {
                let mut asked = Vec::new();
                for producer in own.find(&format!("{place}@job"))? {
                    let ColumnSource::Producer(path) = producer.source else { continue };
                    if matches!(producer.kind, Type::List(_)) {
                        return Err(list_of_jobs(&producer, column));
                    }
                    asked.push(Asked { steps: steps(Step::Place(path)), job: named(&producer.name), column });
                }
                Ok(vec![asked])
            }
            UpstreamName::Task { rest } => {
                let is_upstream =
                    |(task, _): &(&str, &str)| self.tasks.iter().any(|id| task_matches(task, id));
                let asked = task_splits(rest).filter(is_upstream).map(|(task, column)| {
                    vec![Asked {
                        steps: steps(Step::Task(task.to_owned())),
                        job: named(&format!("up.{task}")),
                        column,
                    }]
                });
                Ok(asked.collect())
            }
        }
    }

    /// The columns of the jobs that some steps lead to.
    fn find_at(&mut self, asked: &Asked<'_>, planned: &PlannedRuns<'_>) -> Result<Vec<Column>> {
        let Asked { steps, job, column } = asked;
        if let Some(name) = UpstreamName::parse(column) {
            let columns = Arc::clone(&self.columns);
            for deeper in self.asked(&columns, steps, job, name)? {
                let mut found = Vec::new();
                for asked in deeper {
                    found.extend(self.find_at(&asked, planned)?);
                }
                if !found.is_empty() {
                    return Ok(found);
                }
            }
        }
        let named = |column: &Column| {
            let name = format!("{job}.{}", column.name);
            Column { name, steps: steps.clone(), by_default: false, ..column.clone() }
        };
        if let Some(column) = self.columns.all.iter().find(|known| known.name == *column) {
            return Ok(vec![named(column)]);
        }
        let columns = self.columns_with_values(steps, planned)?;
        if *column == "*" {
            return Ok(columns.all.iter().filter(|column| column.by_default).map(named).collect());
        }
        let meant = self.short_name(steps, column, &columns, planned)?;
        Ok(columns.find(&meant)?.iter().map(named).collect())
    }

    /// The columns that have values in the jobs that some steps lead to.
    fn columns_with_values(&mut self, steps: &[Step], planned: &PlannedRuns<'_>) -> Result<Columns> {
        self.observe_values(steps, planned)?;
        let values = self.value_trees.get(steps).unwrap_or(&self.tree);
        let has_values = |column: &&Column| has_values(values, &self.tree, column);
        Ok(Columns { all: self.columns.all.iter().filter(has_values).cloned().collect() })
    }

    /// The name that a short name of a tag and a parameter means, by the values of the jobs that some steps lead to.
    fn short_name(
        &mut self,
        steps: &[Step],
        name: &str,
        columns: &Columns,
        planned: &PlannedRuns<'_>,
    ) -> Result<String> {
        let is_column = |name: String| columns.all.iter().any(|column| column.name == name);
        if !is_column(format!("tags.{name}")) || !is_column(format!("config.{name}")) {
            return Ok(name.to_owned());
        }
        let mut short = ShortNames::single(name);
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); self.lineage.runs()];
        for (run, row) in self.jobs(steps, planned)?.into_iter().filter_map(|job| self.lineage.row(job)) {
            rows[run].push(row);
        }
        for (run, rows) in rows.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            let loaded = self.open(run, planned)?;
            short.observe_jobs(&loaded, &rows.iter().copied());
        }
        short.meant(name, columns)
    }

    /// The error for a name that means no column, with near misses.
    pub fn unknown(
        &mut self,
        pattern: &str,
        own: &Columns,
        name: UpstreamName<'_>,
        planned: &PlannedRuns<'_>,
    ) -> Error {
        let error = |reason: String| Error::new(ErrorKind::Column, reason).at_field(pattern);
        let asked = self.asked(own, &[], "", name).unwrap_or_default();
        let Some(asked) = asked.into_iter().flatten().next() else {
            return match name {
                UpstreamName::Place { place, .. } => {
                    let is_place = |column: &&Column| matches!(column.source, ColumnSource::Producer(_));
                    let places = Columns { all: own.all.iter().filter(is_place).cloned().collect() };
                    places.unknown(&format!("{place}@job"))
                }
                UpstreamName::Task { .. } if self.tasks.is_empty() => {
                    error(format!("no column {}", quoted(pattern))).hint("no job comes from another job")
                }
                UpstreamName::Task { rest } if self.is_task(rest) => {
                    error(format!("no column {}", quoted(pattern)))
                        .hint(format!("name a column of that job, as in up.{rest}.<column>"))
                }
                UpstreamName::Task { rest } => {
                    let task = task_splits(rest).last().map_or(rest, |(task, _)| task);
                    error(format!("no job comes from a task {}", quoted(task))).hint(self.tasks_hint(task))
                }
            };
        };
        let columns =
            self.columns_with_values(&asked.steps, planned).map_or_else(|_| Vec::new(), |found| found.all);
        let names = columns.iter().flat_map(|column| [column.name.as_str(), short_name(&column.name)]);
        let mut near: Vec<String> = Vec::new();
        for name in near_misses(asked.column, names) {
            let full = columns.iter().find(|column| column.name == name || short_name(&column.name) == name);
            let full = full.map_or(name, |column| column.name.as_str());
            near.push(format!("{}.{full}", asked.job));
        }
        near.dedup();
        let hint = if near.is_empty() {
            let shown: Vec<&str> = columns
                .iter()
                .filter(|column| column.by_default)
                .map(|column| column.name.as_str())
                .collect();
            let more = if shown.len() > MAX_NAMED { ", …" } else { "" };
            format!("{} has {}{more}", asked.job, shown[..shown.len().min(MAX_NAMED)].join(", "))
        } else {
            format!("did you mean {}?", near.join(", "))
        };
        error(format!("no column {} of {}", quoted(asked.column), asked.job)).hint(hint)
    }

    fn is_task(&self, name: &str) -> bool {
        self.tasks.iter().any(|task| task == name || last_component(task) == name)
    }

    fn tasks_hint(&self, task: &str) -> String {
        let ids = self.tasks.iter().map(String::as_str);
        let short = self.tasks.iter().map(|task| last_component(task));
        did_you_mean(task, ids.clone().chain(short))
            .unwrap_or_else(|| format!("jobs come from {}", ids.collect::<Vec<_>>().join(", ")))
    }

    /// The names of columns of jobs upstream that a name of no column may mean; nothing if none is near.
    pub fn suggestion(&mut self, pattern: &str, planned: &PlannedRuns<'_>) -> Option<String> {
        let mut names: Vec<String> = Vec::new();
        for task in self.tasks.clone() {
            let steps = vec![Step::Task(task.clone())];
            let columns = self.columns_with_values(&steps, planned).ok()?;
            let job = format!("up.{}", last_component(&task));
            let suffix = format!(".{}", escape(pattern));
            let is_meant = |column: &&Column| column.name == pattern || column.name.ends_with(&suffix);
            let meant: Vec<&Column> = columns.all.iter().filter(is_meant).collect();
            names.extend(meant.iter().take(2).map(|column| format!("{job}.{}", column.name)));
        }
        (!names.is_empty()).then(|| names[..names.len().min(3)].join(", "))
    }
}

fn last_component(task: &str) -> &str {
    task.rsplit('.').next().unwrap_or(task)
}

fn list_of_jobs(producer: &Column, column: &str) -> Error {
    let reason =
        format!("{} holds a list of jobs, which have no single column {}", producer.name, quoted(column));
    Error::new(ErrorKind::Column, reason)
        .at_field(&producer.name)
        .hint(format!("name their task, as in up.<task>.{column}"))
}
