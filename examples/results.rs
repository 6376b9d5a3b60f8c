//! Reads result files and prints what was read, one JSON object a job: for tests against independent readers, and for profilers.
//!
//! `cargo run --release --example results -- [--times N] [--threads N] [--max NAME] [--only floor|results|rows] [--quiet] < JOBS`
//!
//! Each line of JOBS is `{"job": …, "directory": …}` with `"path"`, `"glob"` or neither.

use std::io::{BufRead, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value as Json, json};
use xpframe::progress::CancelToken;
use xpframe::results::{
    Cells, MeasureKind, Measures, PathGlob, Points, ResultJob, ResultOptions, Rows, Scalars, Select,
    SeriesOptions, Table, Target, read_scalars, read_series,
};
use xpframe::values::{Record, Store, Value};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut options = ResultOptions::default();
    let (mut times, mut threads, mut is_quiet) = (1_usize, 2_usize, false);
    let mut only = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut next = || arguments.next().ok_or("a value is missing");
        match argument.as_str() {
            "--times" => times = next()?.parse()?,
            "--threads" => threads = next()?.parse()?,
            "--max" => options.select = Select::Max(next()?),
            "--only" => only = Some(next()?),
            "--quiet" => is_quiet = true,
            _ => return Err(format!("unknown option {argument}").into()),
        }
    }
    let jobs = std::io::stdin().lock().lines().map(|line| job(&line?)).collect::<Result<Vec<_>, _>>()?;
    let cancel = CancelToken::default();
    let mut scalars = Scalars::default();
    for _ in 0..times {
        let is_wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
        let start = Instant::now();
        let read = if is_wanted("floor") { plain(&jobs) } else { 0 };
        let floor = start.elapsed();
        let start = Instant::now();
        if is_wanted("results") {
            scalars = read_scalars(&jobs, &options, threads, &cancel);
        }
        let one_a_job = start.elapsed();
        let start = Instant::now();
        let wanted = if is_wanted("rows") { &jobs[..] } else { &[] };
        let rows: usize = wanted.iter().map(|job| rows_of(job, &options, &cancel)).sum();
        let all_rows = start.elapsed();
        eprintln!(
            "{read} bytes opened and read in {floor:?}; results in {one_a_job:?} (threads {threads}); {rows} rows in {all_rows:?} (one thread)"
        );
    }
    if !is_quiet && only.is_none() {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        for (job, result) in jobs.iter().zip(&scalars.jobs) {
            let mut values = Vec::new();
            if let Some(record) = result.record {
                flatten(&scalars.store, record, &mut Vec::new(), &mut values);
            }
            let (series, end) = series(job, &options, &cancel);
            let of_job = |error: &&xpframe::error::Error| error.location().job.as_ref() == Some(&job.job_id);
            let line = json!({
                "job": job.job_id, "state": result.state.name(), "path": result.path,
                "scalars": if result.record.is_some() { values.into() } else { Json::Null },
                "errors": scalars.errors.iter().filter(of_job).map(ToString::to_string).collect::<Vec<_>>(),
                "series": series, "series_state": end.state.name(),
                "series_errors": end.errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
            });
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn job(line: &str) -> Result<ResultJob, Failure> {
    let parsed: Json = serde_json::from_str(line)?;
    let text = |key: &str| parsed[key].as_str().map(str::to_owned);
    let target = match (text("path"), text("glob")) {
        (Some(path), _) => Target::Path(path.into()),
        (_, Some(glob)) => Target::Glob(PathGlob::parse(&glob)?),
        _ => Target::None,
    };
    let directory: PathBuf = text("directory").ok_or("a directory is missing")?.into();
    Ok(ResultJob { job_id: text("job").unwrap_or_default(), directory, target })
}

/// Opens and reads the same files, and does nothing with them.
fn plain(jobs: &[ResultJob]) -> usize {
    let mut bytes = 0;
    for job in jobs {
        let located = xpframe::results::locate(&job.directory, &job.target);
        for entry in located.entries {
            bytes += entry
                .files()
                .iter()
                .filter_map(|path| std::fs::read(path).ok())
                .map(|read| read.len())
                .sum::<usize>();
        }
    }
    bytes
}

fn rows_of(job: &ResultJob, options: &ResultOptions, cancel: &CancelToken) -> usize {
    let mut rows = 0;
    let options = SeriesOptions { result: options.clone(), ..SeriesOptions::default() };
    read_series(job, &options, cancel, &mut |batch| {
        rows += batch.rows.len();
        ControlFlow::Continue(())
    });
    rows
}

fn float(value: f64) -> Json {
    json!({ "f": format!("{value:?}") })
}

fn flatten(store: &Store, record: Record, path: &mut Vec<String>, out: &mut Vec<Json>) {
    for (key, value) in store.entries(record) {
        path.push(store.symbol(key).into_owned());
        match value {
            Value::Dict(inner) if store.entries(inner).next().is_some() => flatten(store, inner, path, out),
            _ => out.push(json!([path, kind(value), shown(store, value)])),
        }
        path.pop();
    }
}

fn kind(value: Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::BigInt(_) => "int",
        Value::Float(_) => "float",
        Value::Str(_) => "str",
        Value::List(_) => "list",
        Value::Dict(_) => "object",
        _ => "?",
    }
}

fn shown(store: &Store, value: Value) -> Json {
    match value {
        Value::Bool(value) => value.into(),
        Value::Int(value) => value.into(),
        Value::BigInt(digits) => json!({ "i": store.text(digits).0 }),
        Value::Float(value) => float(value),
        Value::Str(text) => store.text(text).0.into(),
        Value::List(items) => store.items(items).map(|item| shown(store, item)).collect(),
        Value::Dict(record) => {
            let entries = store.entries(record);
            let object: serde_json::Map<String, Json> =
                entries.map(|(key, value)| (store.symbol(key).into_owned(), shown(store, value))).collect();
            json!({ "o": object })
        }
        _ => Json::Null,
    }
}

fn series(
    job: &ResultJob,
    options: &ResultOptions,
    cancel: &CancelToken,
) -> (Vec<Json>, xpframe::results::SeriesEnd) {
    let mut batches = Vec::new();
    let options = SeriesOptions { result: options.clone(), ..SeriesOptions::default() };
    let end = read_series(job, &options, cancel, &mut |batch| {
        let (kind, content) = match &batch.rows {
            Rows::Points(points) => ("points", shown_points(points)),
            Rows::Measures(measures) => ("measures", shown_measures(measures)),
            Rows::Table(table) => ("table", shown_table(table)),
            Rows::Records(store, records) => {
                let rows = records.iter().map(|&record| {
                    let mut row = Vec::new();
                    flatten(store, record, &mut Vec::new(), &mut row);
                    Json::from(row)
                });
                ("records", rows.collect())
            }
        };
        batches.push(json!({ "file": batch.file, "kind": kind, "rows": content }));
        ControlFlow::Continue(())
    });
    (batches, end)
}

fn shown_points(points: &Points) -> Json {
    (0..points.len())
        .map(|row| {
            let name = &points.names[points.metric[row] as usize];
            json!([name, points.step[row], float(points.wall_time[row]), float(points.value[row])])
        })
        .collect()
}

fn shown_measures(measures: &Measures) -> Json {
    (0..measures.len())
        .map(|row| {
            let text = measures.texts.iter().find(|(at, _)| *at as usize == row).map(|(_, text)| text);
            let value = match (measures.kind[row], text) {
                (MeasureKind::Null, _) => Json::Null,
                (MeasureKind::Int, None) => json!({ "i": format!("{}", measures.value[row]) }),
                (MeasureKind::Int, Some(text)) => json!({ "i": text }),
                (MeasureKind::Float, _) => float(measures.value[row]),
                (MeasureKind::Text, text) => json!(text),
            };
            let name = &measures.names[measures.measure[row] as usize];
            json!([name, measures.queries[measures.query[row] as usize], value])
        })
        .collect()
}

fn shown_table(table: &Table) -> Json {
    let columns = table.columns.iter().map(|column| {
        let cells = (0..table.rows).map(|row| {
            if column.valid.as_ref().is_some_and(|valid| !valid[row]) {
                return Json::Null;
            }
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            match &column.cells {
                Cells::Null => Json::Null,
                Cells::Bool(values) => values[row].into(),
                Cells::Int(values) => values[row].into(),
                Cells::Digits(texts) => json!({ "i": text(texts.get(row)) }),
                Cells::Float(values) => float(values[row]),
                Cells::Text(texts) => text(texts.get(row)).into(),
            }
        });
        json!([column.name, cells.collect::<Vec<_>>()])
    });
    json!({ "rows": table.rows, "columns": columns.collect::<Vec<_>>() })
}
