//! What is fuzzed of result files: any bytes under each name that promises a format. Nothing panics, and what is read as one
//! record a job agrees with what is read as rows.

use std::cell::RefCell;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use tempfile::TempDir;
use xpframe::progress::CancelToken;
use xpframe::results::{
    CellType, Cells, FileSchema, FileState, Format, Patterns, ResultJob, ResultOptions, Rows, Scalars,
    SeriesOptions, Target, read_scalars, read_series,
};
use xpframe::values::Value;

/// An event file, as it is and with the right checksums: the input is cut into records at its newlines.
pub fn events(input: &[u8]) {
    let framed: Vec<u8> = input.split(|&byte| byte == b'\n').flat_map(framed).collect();
    for content in [input, &framed] {
        agree("events.out.tfevents.1.host", None, content);
    }
}

/// Text under the names of all text formats.
pub fn tables(input: &[u8]) {
    for name in ["rows.csv", "rows.tsv", "rows.jsonl", "rows.json", "rows.txt"] {
        agree(name, None, input);
    }
    agree("rows", Some(Format::Trec), input);
}

/// A record of an event file.
pub fn framed(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &checksum(&length), data, &checksum(data)].concat()
}

/// The masked CRC-32C, bit by bit.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82F6_3B78 & (crc & 1).wrapping_neg());
        }
    }
    (!crc).rotate_right(15).wrapping_add(0xA282_EAD8).to_le_bytes()
}

/// Reads a file as a result and as rows, and holds the two to each other.
fn agree(name: &str, format: Option<Format>, content: &[u8]) {
    thread_local! { static HOME: RefCell<Option<TempDir>> = const { RefCell::new(None) } }
    HOME.with_borrow_mut(|home| {
        let home = home.get_or_insert_with(|| {
            let memory = Path::new("/dev/shm");
            let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
            tempfile::tempdir_in(parent).unwrap()
        });
        fs::write(home.path().join(name), content).unwrap();
        let job = ResultJob {
            job_id: "a".to_owned(),
            directory: home.path().to_path_buf(),
            target: Target::Path(name.into()),
        };
        compare(&job, format);
        fs::remove_file(home.path().join(name)).unwrap();
    });
}

fn compare(job: &ResultJob, format: Option<Format>) {
    let cancel = CancelToken::default();
    let options = ResultOptions { format, ..ResultOptions::default() };
    let scalars = read_scalars(std::slice::from_ref(job), &options, 1, &cancel);
    let result = &scalars.jobs[0];
    let (mut rows, mut last) = (0, None);
    let options = SeriesOptions { result: options, ..SeriesOptions::default() };
    let end = read_series(job, &options, &cancel, &mut |batch| {
        rows += batch.rows.len();
        last = Some(batch.rows);
        ControlFlow::Continue(())
    });
    assert_eq!(result.state, end.state);
    if end.state != FileState::Unreadable {
        assert_eq!(typed_rows(job, &options, &cancel), rows);
    }
    let is_used = matches!(result.state, FileState::Read | FileState::Cut);
    assert!(is_used || (result.record.is_none() && rows == 0), "{:?} has {rows} rows", result.state);
    if matches!(result.state, FileState::Cut | FileState::Unreadable) {
        assert!(!scalars.errors.is_empty() && !end.errors.is_empty(), "{:?} without an error", result.state);
    }
    for error in scalars.errors.iter().chain(&end.errors) {
        assert_eq!(error.location().job.as_deref(), Some("a"));
    }
    match last {
        Some(Rows::Table(table)) => last_row(&scalars, &table),
        Some(Rows::Points(points)) => {
            assert_eq!(values(&scalars).len(), points.names.len());
            let columns =
                [points.metric.len(), points.step.len(), points.wall_time.len(), points.value.len()];
            assert_eq!(columns, [rows; 4]);
        }
        Some(Rows::Measures(measures)) => {
            assert!(measures.measure.iter().all(|&code| (code as usize) < measures.names.len()));
            assert!(measures.query.iter().all(|&code| (code as usize) < measures.queries.len()));
        }
        Some(Rows::Records(store, records)) => {
            let (Some(record), Some(last)) = (result.record, records.last()) else { return };
            let keys = |store: &xpframe::values::Store, record| {
                let keys = store.entries(record).map(|(key, _)| store.symbol(key).into_owned());
                keys.collect::<Vec<_>>()
            };
            assert_eq!(keys(&scalars.store, record), keys(&store, *last));
        }
        None => {}
    }
}

/// The number of rows with types that the user knows: no type loses one.
fn typed_rows(job: &ResultJob, options: &SeriesOptions, cancel: &CancelToken) -> usize {
    let kinds =
        [("a", CellType::Int), ("x", CellType::Float), ("loss", CellType::Text), ("b", CellType::Bool)];
    let schema = FileSchema(kinds.map(|(name, kind)| (name.to_owned(), kind)).into());
    let result = ResultOptions { schema: Some(schema), ..options.result.clone() };
    let options = SeriesOptions { result, ..SeriesOptions::default() };
    let mut rows = 0;
    read_series(job, &options, cancel, &mut |batch| {
        rows += batch.rows.len();
        if let Rows::Table(table) = &batch.rows {
            assert!(
                table.columns.iter().all(|column| ["a", "x", "loss", "b"].contains(&column.name.as_str()))
            );
        }
        ControlFlow::Continue(())
    });
    let wanted = ResultOptions { columns: Patterns::any_of(vec!["a*".to_owned()]), ..options.result };
    assert_eq!(read_scalars(std::slice::from_ref(job), &wanted, 1, cancel).jobs.len(), 1);
    rows
}

fn values(scalars: &Scalars) -> Vec<Value> {
    let record = scalars.jobs[0].record.unwrap();
    scalars.store.entries(record).map(|(_, value)| value).collect()
}

/// The result of a table is its last row, cell by cell.
fn last_row(scalars: &Scalars, table: &xpframe::results::Table) {
    let store = &scalars.store;
    let row = table.rows - 1;
    let record = scalars.jobs[0].record.unwrap();
    let is_split = table.columns.windows(2).any(|pair| pair[0].name == pair[1].name);
    if is_split {
        return;
    }
    for ((key, value), column) in store.entries(record).zip(&table.columns) {
        assert_eq!(store.symbol(key), column.name);
        let is_valid = column.valid.as_ref().is_none_or(|valid| valid[row]);
        assert_eq!(is_valid, value != Value::Null);
        match (value, &column.cells) {
            (Value::Null, _) => {}
            (Value::Int(value), Cells::Int(cells)) => assert_eq!(value, cells[row]),
            (Value::Bool(value), Cells::Bool(cells)) => assert_eq!(value, cells[row]),
            (Value::Float(value), Cells::Float(cells)) => assert_eq!(value.to_bits(), cells[row].to_bits()),
            (Value::BigInt(text) | Value::Str(text), Cells::Digits(cells) | Cells::Text(cells)) => {
                assert_eq!(store.bytes(text), cells.get(row));
            }
            (Value::Int(value), Cells::Digits(cells)) => {
                assert_eq!(value.to_string().as_bytes(), cells.get(row));
            }
            (value, cells) => panic!("{value:?} is not what {cells:?} holds"),
        }
    }
}
