//! The columns about the jobs themselves.

use std::sync::Arc;

use ahash::HashMap;
use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BooleanBuilder, LargeListArray, PrimitiveArray, PrimitiveBuilder,
    TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::{Field, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use indexmap::IndexSet;

use super::arrays::ArrayBuilder;
use super::codes;
use super::rows::Rows;
use super::schema::{StringLayout, data_type};
use super::texts::{TextBuilder, strings};
use super::times::TimeSources;
use crate::columns::{PathTree, System, Type};
use crate::error::Error;
use crate::records::{JobRow, JobStatus, Moment, State, Zone};
use crate::values::{Symbol, index};
use crate::workspace::plain;

/// Builds system columns. The statuses of the jobs are read when the first column needs them.
pub(super) struct SystemColumns<'r> {
    rows: &'r Rows<'r>,
    zone: &'r Zone,
    tree: &'r PathTree,
    layout: StringLayout,
    /// Whether a column needs the times of the jobs
    with_times: bool,
    with_retries: bool,
    /// In the shares in which threads asked for them, in order
    statuses: Option<Vec<Vec<RowStatus>>>,
    pub errors: Vec<Error>,
    /// What dates the times of the jobs
    pub times: TimeSources,
}

/// The part of a job's status that columns show: small, since a page of memory is slower to touch than to fill.
struct RowStatus {
    state: State,
    reused: Option<bool>,
    started_at: Option<Moment>,
    ended_at: Option<Moment>,
    /// Few jobs have any
    details: Option<Box<Details>>,
}

#[derive(Default, PartialEq)]
struct Details {
    failure: Option<String>,
    exit_code: Option<i64>,
    retries: Option<i64>,
}

impl RowStatus {
    fn of(state: State, failure: Option<String>) -> Self {
        let details = Details { failure, ..Details::default() }.boxed();
        Self { state, reused: None, started_at: None, ended_at: None, details }
    }

    fn failure(&self) -> Option<&str> {
        self.details.as_ref()?.failure.as_deref()
    }

    fn exit_code(&self) -> Option<i64> {
        self.details.as_ref()?.exit_code
    }

    fn retries(&self) -> Option<i64> {
        self.details.as_ref()?.retries
    }
}

impl Details {
    /// Nothing if there are none.
    fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

impl<'r> SystemColumns<'r> {
    pub fn new(
        rows: &'r Rows<'r>,
        zone: &'r Zone,
        tree: &'r PathTree,
        layout: StringLayout,
        mut wanted: impl Iterator<Item = System> + Clone,
    ) -> Self {
        Self {
            rows,
            zone,
            tree,
            layout,
            with_times: wanted.clone().any(System::needs_times),
            with_retries: wanted.any(|system| system == System::Retries),
            statuses: None,
            errors: Vec::new(),
            times: TimeSources::default(),
        }
    }

    /// The array of one column.
    pub fn column(&mut self, system: System) -> Result<ArrayRef, ArrowError> {
        let (run, rows) = (self.rows.loaded.run(), self.rows);
        Ok(match system {
            System::Workspace => self.repeated(&run.workspace().root().to_string_lossy()),
            System::Experiment => self.repeated(run.experiment()),
            System::Run => self.repeated(run.id()),
            System::JobId => self.arrays().texts(rows.jobs().map(|row| Some(row.job_id)), rows.len()),
            System::Task => self.tasks()?,
            System::Path => self.paths(),
            System::SubmittedAt => times(rows.jobs().map(|row| row.submitted)),
            System::State => self.of_status(|status| Some(status.state.as_str())),
            System::Failure => self.of_status(RowStatus::failure),
            System::ExitCode => Arc::new(self.values::<Int64Type>(RowStatus::exit_code)),
            System::Retries => Arc::new(self.values::<Int64Type>(RowStatus::retries)),
            System::Reused => self.reused(),
            System::StartedAt => self.moments(|status| status.started_at),
            System::EndedAt => self.moments(|status| status.ended_at),
            System::DurationS => {
                let zone = self.zone;
                Arc::new(self.values::<Float64Type>(|status| duration(status, zone)))
            }
            System::Dependencies => self.dependencies()?,
        })
    }

    fn arrays(&self) -> ArrayBuilder<'r> {
        let store = &self.rows.recorded().store;
        ArrayBuilder { store, graph: None, tree: self.tree, layout: self.layout, surrogates: false }
    }

    /// The tasks of the rows; the text of each task is built once.
    fn tasks(&self) -> Result<ArrayRef, ArrowError> {
        let mut tasks: IndexSet<Symbol, ahash::RandomState> = IndexSet::default();
        let mut last = None;
        let mut code = |task| match last {
            Some((last_task, code)) if last_task == task => code,
            _ => {
                let code = index(tasks.insert_full(task).0);
                last = Some((task, code));
                code
            }
        };
        let codes = codes::array(self.rows.jobs().map(|row| code(row.task_id)).collect());
        let store = &self.rows.recorded().store;
        let names = strings(tasks.iter().map(|&task| Some(store.symbol(task))), self.layout);
        take(&names, &codes, None)
    }

    /// The job directories of the rows; null where a name cannot be that of a directory.
    fn paths(&self) -> ArrayRef {
        let (recorded, workspace) = (self.rows.recorded(), self.rows.loaded.run().workspace());
        let mut task_paths: HashMap<Symbol, Option<String>> = HashMap::default();
        let mut paths = TextBuilder::new(self.layout, self.rows.len());
        let mut path = String::new();
        for row in self.rows.jobs() {
            let task_path = task_paths.entry(row.task_id).or_insert_with(|| {
                let directory = workspace.task_dir(&recorded.task_id(row)).ok()?;
                Some(directory.to_string_lossy().into_owned())
            });
            let job_id = recorded.job_id(row);
            let Some(task_path) = task_path.as_ref().filter(|_| plain("job", &job_id).is_ok()) else {
                paths.append(None::<&str>);
                continue;
            };
            path.clear();
            path.extend([task_path, "/", &*job_id]);
            paths.append(Some(&path));
        }
        paths.finish()
    }

    fn repeated(&self, text: &str) -> ArrayRef {
        strings(std::iter::repeat_n(Some(text), self.rows.len()), self.layout)
    }

    fn of_status(&mut self, text: impl Fn(&RowStatus) -> Option<&str>) -> ArrayRef {
        let (layout, count) = (self.layout, self.rows.len());
        let mut array = TextBuilder::new(layout, count);
        self.statuses().for_each(|status| array.append(text(status)));
        array.finish()
    }

    fn values<T: ArrowPrimitiveType>(
        &mut self,
        value: impl Fn(&RowStatus) -> Option<T::Native>,
    ) -> PrimitiveArray<T> {
        let mut array = PrimitiveBuilder::with_capacity(self.rows.len());
        self.statuses().for_each(|status| array.append_option(value(status)));
        array.finish()
    }

    fn moments(&mut self, moment: impl Fn(&RowStatus) -> Option<Moment>) -> ArrayRef {
        let zone = self.zone;
        let micros = |status: &RowStatus| moment(status).map(|moment| moment.to_utc(zone));
        Arc::new(self.values::<TimestampMicrosecondType>(micros).with_timezone("UTC"))
    }

    fn reused(&mut self) -> ArrayRef {
        let mut array = BooleanBuilder::with_capacity(self.rows.len());
        self.statuses().for_each(|status| array.append_option(status.reused));
        Arc::new(array.finish())
    }

    fn statuses(&mut self) -> impl Iterator<Item = &RowStatus> {
        if self.statuses.is_none() {
            let (looks, recorded) = (self.rows.loaded.job_looks(), self.rows.recorded());
            let positions: Vec<usize> = self.rows.positions().collect();
            let (mut row_statuses, errors) = looks.each_in_shares(&positions, |&position, errors| {
                if self.with_times {
                    let status = looks.status(position, errors);
                    let reused = is_reused(&recorded.rows[position], status.state, status.ended_at);
                    let retries = status.retry_count.filter(|_| self.with_retries);
                    let details = Details {
                        failure: status.failure,
                        exit_code: status.exit_code,
                        retries: retries.and_then(|count| i64::try_from(count).ok()),
                    };
                    let JobStatus { state, started_at, ended_at, .. } = status;
                    return RowStatus { state, reused, started_at, ended_at, details: details.boxed() };
                }
                let (state, failure) = looks.state(position, errors);
                RowStatus::of(state, failure)
            });
            for (status, &position) in row_statuses.iter_mut().flatten().zip(&positions) {
                // the directory of the job is about the later run
                if let Some(details) = status.details.as_mut().filter(|_| self.rows.is_listed_later(position))
                {
                    (details.failure, details.exit_code) = (None, None);
                }
            }
            let moments =
                row_statuses.iter().flatten().flat_map(|status| [status.started_at, status.ended_at]);
            self.times = TimeSources::of(moments);
            self.statuses = Some(row_statuses);
            self.errors.extend(errors);
        }
        self.statuses.iter().flatten().flatten()
    }

    fn dependencies(&self) -> Result<ArrayRef, ArrowError> {
        let mut lengths = Vec::with_capacity(self.rows.len());
        let mut items = TextBuilder::new(self.layout.in_list(), 0);
        for needs in self.rows.loaded.dependencies_of(self.rows.positions()) {
            lengths.push(needs.len());
            for job_id in &needs {
                items.append(Some(job_id));
            }
        }
        let field = Field::new("item", data_type(&Type::Utf8, self.layout.in_list()), true);
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(LargeListArray::try_new(Arc::new(field), offsets, items.finish(), None)?))
    }
}

/// Whether a job had ended before its run submitted it, so that an earlier run executed it; nothing if files do not tell.
fn is_reused(row: &JobRow, state: State, ended: Option<Moment>) -> Option<bool> {
    let submitted = row.submitted?;
    match ended {
        Some(ended) => Some(ended.recorded_utc()? <= submitted),
        None => (!matches!(state, State::Done | State::Error)).then_some(false),
    }
}

/// Microseconds since 1970 UTC as an array.
fn times(times: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

/// Seconds between the start and the end of a job; none if a clock that was set back puts the end first.
#[allow(clippy::cast_precision_loss, reason = "microseconds of a job's run fit into 53 bits for 285 years")]
fn duration(status: &RowStatus, zone: &Zone) -> Option<f64> {
    let (start, end) = (status.started_at?.to_utc(zone), status.ended_at?.to_utc(zone));
    (end >= start).then(|| (end - start) as f64 / 1e6)
}
