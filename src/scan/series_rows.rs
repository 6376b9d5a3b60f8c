//! The rows of some jobs, as they are read.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, LargeStringArray, StringArray,
    UInt32Array,
};
use arrow::datatypes::{Int32Type, UInt32Type};
use arrow::error::ArrowError;
use indexmap::IndexSet;

use crate::error::Error;
use crate::progress::CancelToken;
use crate::results::{
    FileState, MeasureKind, Measures, Points, ResultJob, Rows, SeriesOptions, Table, read_series,
};
use crate::table::StringLayout;
use crate::values::{Record, Store, Value, index};

/// Names, each once.
pub(super) type Names = IndexSet<String, ahash::RandomState>;

/// What the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Scalars of event files
    Points,
    /// Measures of queries
    Measures,
    /// Rows with names of their own
    Records,
}

/// Scalars of some jobs.
#[derive(Debug, Default)]
pub(super) struct PointRows {
    names: Names,
    metric: Vec<u32>,
    step: Vec<i64>,
    wall_time: Vec<f64>,
    value: Vec<f64>,
}

/// Measures of some jobs.
#[derive(Debug, Default)]
pub(super) struct MeasureRows {
    names: Names,
    queries: Names,
    measure: Vec<u32>,
    query: Vec<u32>,
    value: Vec<Option<f64>>,
}

/// The values of the rows.
#[derive(Debug, Default)]
pub(super) enum Body {
    #[default]
    Nothing,
    Points(PointRows),
    Measures(MeasureRows),
    /// Rows of CSV files
    Tables(Vec<Table>),
    /// Rows of files of which some are no CSV files
    Records(Box<Store>, Vec<Record>),
}

/// The rows of some jobs.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// The row of the job of each row
    pub rows: Vec<u32>,
    /// The file of each row, by its position in `files`
    pub file: Vec<u32>,
    pub files: Names,
    pub body: Body,
    pub errors: Vec<Error>,
}

/// Reads the rows of some jobs, one after the other, until there are enough.
pub(super) fn chunk_of(
    jobs: &[(u32, ResultJob)],
    options: &SeriesOptions,
    enough: usize,
    cancel: &CancelToken,
) -> Chunk {
    let mut chunk = Chunk::default();
    for (row, job) in jobs {
        if chunk.rows.len() >= enough {
            break;
        }
        let mut is_mixed = false;
        let end = read_series(job, options, cancel, &mut |batch| {
            let count = batch.rows.len();
            if chunk.push(batch.rows) {
                let file = index(chunk.files.insert_full(batch.file.to_owned()).0);
                chunk.rows.extend(std::iter::repeat_n(*row, count));
                chunk.file.extend(std::iter::repeat_n(file, count));
            } else {
                is_mixed = true;
            }
            let is_done = chunk.rows.len() >= enough || cancel.is_cancelled();
            if is_done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        // an entry is made of what was lost, not of a job without files
        chunk.errors.extend(end.errors);
        if is_mixed && end.state != FileState::Unreadable {
            let error = Error::format("a file of another format than the first: its rows are left out");
            chunk.errors.push(error.at_job(&job.job_id).hint("choose jobs of one task by task="));
        }
    }
    chunk
}

impl Chunk {
    /// The names of its metrics or measures.
    pub fn names(&self) -> Vec<&str> {
        match &self.body {
            Body::Points(PointRows { names, .. }) | Body::Measures(MeasureRows { names, .. }) => {
                names.iter().map(String::as_str).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What its rows are; nothing if there are none.
    pub fn kind(&self) -> Option<Kind> {
        match self.body {
            _ if self.rows.is_empty() => None,
            Body::Nothing => None,
            Body::Points(_) => Some(Kind::Points),
            Body::Measures(_) => Some(Kind::Measures),
            Body::Tables(_) | Body::Records(..) => Some(Kind::Records),
        }
    }

    /// Adds rows; false if they are of another kind than those before.
    fn push(&mut self, rows: Rows) -> bool {
        if rows.is_empty() {
            return true;
        }
        if let Body::Nothing = self.body {
            self.body = match rows {
                Rows::Points(_) => Body::Points(PointRows::default()),
                Rows::Measures(_) => Body::Measures(MeasureRows::default()),
                Rows::Table(_) => Body::Tables(Vec::new()),
                Rows::Records(..) => Body::Records(Box::default(), Vec::new()),
            };
        }
        if matches!((&self.body, &rows), (Body::Tables(_), Rows::Records(..))) {
            self.tables_as_records();
        }
        match (&mut self.body, rows) {
            (Body::Points(all), Rows::Points(points)) => all.push(points),
            (Body::Measures(all), Rows::Measures(measures)) => all.push(&measures),
            (Body::Tables(tables), Rows::Table(table)) => tables.push(table),
            (Body::Records(store, records), Rows::Table(table)) => table.push_into(store, records),
            (Body::Records(store, records), Rows::Records(next, rows)) => {
                let moved = store.append(next, 0, |_| Value::Null);
                records.extend(rows.into_iter().map(|record| moved.record(record)));
            }
            _ => return false,
        }
        true
    }
}

impl Chunk {
    /// Makes records of rows that are tables.
    pub fn tables_as_records(&mut self) {
        if let Body::Tables(tables) = std::mem::take(&mut self.body) {
            let (mut store, mut records) = (Box::<Store>::default(), Vec::new());
            for table in &tables {
                table.push_into(&mut store, &mut records);
            }
            self.body = Body::Records(store, records);
        }
    }
}

/// The positions of some names among all names.
fn positions(all: &mut Names, names: &[String]) -> Vec<u32> {
    names.iter().map(|name| index(all.insert_full(name.clone()).0)).collect()
}

impl PointRows {
    fn push(&mut self, points: Points) {
        let names = positions(&mut self.names, &points.names);
        self.metric.extend(points.metric.iter().map(|&metric| names[metric as usize]));
        self.step.extend(points.step);
        self.wall_time.extend(points.wall_time);
        self.value.extend(points.value);
    }

    /// `metric`, `step`, `wall_time`, `value`.
    pub fn arrays(self, layout: StringLayout) -> Result<[ArrayRef; 4], ArrowError> {
        Ok([
            dictionary(self.metric, &self.names, layout)?,
            Arc::new(Int64Array::from(self.step)),
            Arc::new(Float64Array::from(self.wall_time)),
            Arc::new(Float64Array::from(self.value)),
        ])
    }
}

impl MeasureRows {
    fn push(&mut self, measures: &Measures) {
        let names = positions(&mut self.names, &measures.names);
        let queries = positions(&mut self.queries, &measures.queries);
        self.measure.extend(measures.measure.iter().map(|&measure| names[measure as usize]));
        self.query.extend(measures.query.iter().map(|&query| queries[query as usize]));
        let is_number = |kind: &MeasureKind| matches!(kind, MeasureKind::Int | MeasureKind::Float);
        let values = measures.value.iter().zip(&measures.kind);
        self.value.extend(values.map(|(&value, kind)| is_number(kind).then_some(value)));
    }

    /// `measure`, `query`, `value`.
    pub fn arrays(self, layout: StringLayout) -> Result<[ArrayRef; 3], ArrowError> {
        Ok([
            dictionary(self.measure, &self.names, layout)?,
            dictionary(self.query, &self.queries, layout)?,
            Arc::new(Float64Array::from(self.value)),
        ])
    }
}

/// Names by their positions.
///
/// # Errors
/// Arrow's, if a position is that of no name.
pub(super) fn dictionary(
    positions: Vec<u32>,
    names: &Names,
    layout: StringLayout,
) -> Result<ArrayRef, ArrowError> {
    if layout == StringLayout::Large {
        let keys: Int32Array =
            positions.into_iter().map(|position| i32::try_from(position).unwrap_or(i32::MAX)).collect();
        let names = Arc::new(LargeStringArray::from_iter_values(names));
        return Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, names)?));
    }
    let names = Arc::new(StringArray::from_iter_values(names));
    Ok(Arc::new(DictionaryArray::<UInt32Type>::try_new(UInt32Array::from(positions), names)?))
}
