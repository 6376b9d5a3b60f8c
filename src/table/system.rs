//! The columns about the jobs themselves.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, LargeListArray, TimestampMicrosecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::Field;
use arrow::error::ArrowError;
use indexmap::IndexSet;

use super::arrays::Arrays;
use super::batch::Rows;
use super::codes;
use super::schema::{Texts, data_type};
use super::texts::strings;
use crate::columns::{PathTree, System, Type};
use crate::error::Error;
use crate::records::{JobRow, JobStatus, JobStatuses, Moment, Zone};
use crate::values::{Symbol, index};

/// The statuses of the rows, read when the first column needs them.
pub(super) struct SystemColumns<'r> {
    rows: &'r Rows<'r>,
    zone: &'r Zone,
    places: &'r PathTree,
    texts: Texts,
    statuses: Option<Vec<JobStatus>>,
    /// Whether the times of the jobs are asked for
    times: bool,
    pub errors: Vec<Error>,
}

impl<'r> SystemColumns<'r> {
    pub fn new(rows: &'r Rows<'r>, zone: &'r Zone, places: &'r PathTree, texts: Texts, times: bool) -> Self {
        Self { rows, zone, places, texts, times, statuses: None, errors: Vec::new() }
    }

    /// One column.
    pub fn column(&mut self, system: System) -> Result<ArrayRef, ArrowError> {
        let (run, rows) = (self.rows.loaded.run(), self.rows);
        Ok(match system {
            System::Workspace => self.repeated(&run.workspace().root().to_string_lossy()),
            System::Experiment => self.repeated(run.experiment()),
            System::Run => self.repeated(run.id()),
            System::JobId => self.arrays().texts(rows.jobs().map(|row| Some(row.job_id)), rows.len()),
            System::Task => self.tasks()?,
            System::Path => {
                let path = |row| {
                    let known = rows.known();
                    let path = run.workspace().job_dir(&known.task_id(row), &known.job_id(row)).ok()?;
                    Some(path.to_string_lossy().into_owned())
                };
                self.texts(&rows.jobs().map(path).collect::<Vec<_>>())
            }
            System::SubmittedAt => times(rows.jobs().map(|row| row.submitted)),
            System::State => self.of_status(|status| Some(status.state.as_str().to_owned())),
            System::Failure => self.of_status(|status| status.failure.clone()),
            System::StartedAt => self.moments(|status| status.started_at),
            System::EndedAt => self.moments(|status| status.ended_at),
            System::DurationS => {
                let zone = self.zone;
                let seconds: Float64Array =
                    self.statuses().iter().map(|status| duration(status, zone)).collect();
                Arc::new(seconds)
            }
            System::Dependencies => self.dependencies()?,
        })
    }

    fn arrays(&self) -> Arrays<'r> {
        let store = &self.rows.known().store;
        Arrays { store, graph: None, places: self.places, texts: self.texts, surrogates: false }
    }

    /// Each task is built once.
    fn tasks(&self) -> Result<ArrayRef, ArrowError> {
        let mut tasks: IndexSet<Symbol, ahash::RandomState> = IndexSet::default();
        let mut last = None;
        let mut code = |task| match last {
            Some((known, code)) if known == task => code,
            _ => {
                let code = index(tasks.insert_full(task).0);
                last = Some((task, code));
                code
            }
        };
        let codes = codes::array(self.rows.jobs().map(|row| code(row.task_id)).collect());
        let store = &self.rows.known().store;
        let names = strings(tasks.iter().map(|&task| Some(store.symbol(task))), self.texts);
        take(&names, &codes, None)
    }

    fn texts<T: AsRef<str>>(&self, texts: &[Option<T>]) -> ArrayRef {
        strings(texts.iter().map(Option::as_ref), self.texts)
    }

    fn repeated(&self, text: &str) -> ArrayRef {
        strings(std::iter::repeat_n(Some(text), self.rows.len()), self.texts)
    }

    fn of_status(&mut self, say: impl Fn(&JobStatus) -> Option<String>) -> ArrayRef {
        let texts: Vec<Option<String>> = self.statuses().iter().map(say).collect();
        self.texts(&texts)
    }

    fn moments(&mut self, say: impl Fn(&JobStatus) -> Option<Moment>) -> ArrayRef {
        let zone = self.zone;
        let moments: Vec<Option<i64>> =
            self.statuses().iter().map(|status| say(status).map(|moment| moment.to_utc(zone))).collect();
        times(moments.into_iter())
    }

    fn statuses(&mut self) -> &[JobStatus] {
        if self.statuses.is_none() {
            let loaded = self.rows.loaded;
            let known = self.rows.known();
            let statuses = JobStatuses::open(loaded.run(), loaded.record());
            let jobs: Vec<&JobRow> = self.rows.jobs().collect();
            let (found, errors) = statuses.each(&jobs, |row, errors| {
                let (task_id, job_id) = (known.task_id(row), known.job_id(row));
                if self.times {
                    return statuses.job(&task_id, &job_id, errors);
                }
                let (state, failure) = statuses.state(&task_id, &job_id, errors);
                JobStatus::of(state, failure)
            });
            self.statuses = Some(found);
            self.errors.extend(errors);
        }
        self.statuses.as_deref().unwrap_or_default()
    }

    fn dependencies(&self) -> Result<ArrayRef, ArrowError> {
        let rows = self.rows;
        let needs: Vec<Vec<String>> =
            rows.jobs().map(|row| rows.loaded.dependencies(&rows.known().job_id(row))).collect();
        let offsets = OffsetBuffer::from_lengths(needs.iter().map(Vec::len));
        let all: Vec<Option<String>> = needs.into_iter().flatten().map(Some).collect();
        let field = Field::new("item", data_type(&Type::Utf8, self.texts), true);
        Ok(Arc::new(LargeListArray::try_new(Arc::new(field), offsets, self.texts(&all), None)?))
    }
}

/// Microseconds since 1970 UTC as an array.
fn times(times: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

/// Seconds between start and end, both of one clock.
#[allow(clippy::cast_precision_loss, reason = "microseconds of a job's run fit into 53 bits for 285 years")]
fn duration(status: &JobStatus, zone: &Zone) -> Option<f64> {
    let (start, end) = (status.started_at?.to_utc(zone), status.ended_at?.to_utc(zone));
    Some((end - start) as f64 / 1e6)
}
