//! Job directories with result files, and what was read of them in words.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use xpframe::progress::CancelToken;
use xpframe::results::{
    Cells, PathGlob, ResultJob, ResultOptions, Rows, Scalars, SeriesEnd, SeriesOptions, Target, read_scalars,
    read_series,
};
use xpframe::values::{Record, Store, Value};

use super::result_targets::framed;

/// The directory of one job, `jobs/lab.train/a`, in a directory of its own.
pub struct JobDirectory {
    home: TempDir,
}

impl JobDirectory {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("jobs/lab.train/a")).unwrap();
        Self { home }
    }

    /// The directory of one file.
    pub fn with(name: &str, content: impl AsRef<[u8]>) -> Self {
        let directory = Self::new();
        directory.write(name, content);
        directory
    }

    pub fn path(&self) -> PathBuf {
        self.home.path().join("jobs/lab.train/a")
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// A job whose handle is a path or, if it has a star, a pattern.
    pub fn job(&self, handle: &str) -> ResultJob {
        let target = if handle.contains('*') {
            Target::Glob(PathGlob::parse(handle).unwrap())
        } else {
            Target::Path(handle.into())
        };
        ResultJob { job_id: "a".to_owned(), directory: self.path(), target }
    }

    pub fn scalars(&self, handle: &str, options: &ResultOptions) -> Scalars {
        read_scalars(&[self.job(handle)], options, 1, &CancelToken::default())
    }

    /// The state and the result, as in `read loss=0.5 n=3`.
    pub fn result(&self, handle: &str) -> String {
        self.result_with(handle, &ResultOptions::default())
    }

    pub fn result_with(&self, handle: &str, options: &ResultOptions) -> String {
        shown(&self.scalars(handle, options))
    }

    /// The errors of a handle, without the directory before the names of files.
    pub fn errors(&self, handle: &str) -> Vec<String> {
        let errors = self.scalars(handle, &ResultOptions::default()).errors;
        errors.iter().map(|error| without(&self.path(), &error.to_string())).collect()
    }

    pub fn rows(&self, handle: &str, options: &SeriesOptions) -> (Vec<String>, SeriesEnd) {
        let mut rows = Vec::new();
        let end = read_series(&self.job(handle), options, &CancelToken::default(), &mut |batch| {
            let prefix = if batch.is_one_of_several { format!("{} ", batch.file) } else { String::new() };
            rows.extend(shown_rows(&batch.rows).into_iter().map(|row| format!("{prefix}{row}")));
            ControlFlow::Continue(())
        });
        (rows, end)
    }

    /// The rows of a handle, as in `epoch=1 loss=0.5`.
    pub fn series(&self, handle: &str) -> Vec<String> {
        self.rows(handle, &SeriesOptions::default()).0
    }
}

pub fn without(directory: &Path, text: &str) -> String {
    text.replace(&format!("{}/", directory.display()), "")
}

fn shown(scalars: &Scalars) -> String {
    let result = &scalars.jobs[0];
    let mut words = vec![result.state.name().to_owned()];
    if let Some(record) = result.record {
        flatten(&scalars.store, record, "", &mut words);
    }
    words.join(" ")
}

fn flatten(store: &Store, record: Record, prefix: &str, words: &mut Vec<String>) {
    for (key, value) in store.entries(record) {
        let name = format!("{prefix}{}", store.symbol(key));
        match value {
            Value::Dict(inner) => flatten(store, inner, &format!("{name}."), words),
            _ => words.push(format!("{name}={}", word(store, value))),
        }
    }
}

/// Floats have a point, text has quotes.
fn word(store: &Store, value: Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::BigInt(digits) => store.text(digits).0.into_owned(),
        Value::Float(value) => format!("{value:?}"),
        Value::Str(text) => format!("{:?}", store.text(text).0),
        Value::List(items) => {
            let items: Vec<String> = store.items(items).map(|item| word(store, item)).collect();
            format!("[{}]", items.join(","))
        }
        value => format!("{value:?}"),
    }
}

fn shown_rows(rows: &Rows) -> Vec<String> {
    match rows {
        Rows::Points(points) => (0..points.len())
            .map(|row| {
                let name = &points.names[points.metric[row] as usize];
                format!("{name}@{}={:?}", points.step[row], points.value[row])
            })
            .collect(),
        Rows::Measures(measures) => (0..measures.len())
            .map(|row| {
                let name = &measures.names[measures.measure[row] as usize];
                let query = &measures.queries[measures.query[row] as usize];
                let text = measures.texts.iter().find(|(at, _)| *at as usize == row);
                let value =
                    text.map_or_else(|| format!("{:?}", measures.value[row]), |(_, text)| text.clone());
                format!("{name} {query} {value}")
            })
            .collect(),
        Rows::Table(table) => (0..table.rows)
            .map(|row| {
                let cells = table.columns.iter().map(|column| {
                    let is_valid = column.valid.as_ref().is_none_or(|valid| valid[row]);
                    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                    let cell = match &column.cells {
                        _ if !is_valid => "null".to_owned(),
                        Cells::Null => "null".to_owned(),
                        Cells::Bool(values) => values[row].to_string(),
                        Cells::Int(values) => values[row].to_string(),
                        Cells::Float(values) => format!("{:?}", values[row]),
                        Cells::Digits(texts) => text(texts.get(row)),
                        Cells::Text(texts) => format!("{:?}", text(texts.get(row))),
                    };
                    format!("{}={cell}", column.name)
                });
                cells.collect::<Vec<_>>().join(" ")
            })
            .collect(),
        Rows::Records(store, records) => records
            .iter()
            .map(|&record| {
                let mut words = Vec::new();
                flatten(store, record, "", &mut words);
                words.join(" ")
            })
            .collect(),
    }
}

// ---- event files ----

/// One record of an event file, by protocol buffers written by hand.
#[derive(Clone, Default)]
pub struct Event {
    bytes: Vec<u8>,
}

fn varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7F).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
}

/// A field that holds bytes.
pub fn field(number: u64, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(number << 3 | 2, &mut bytes);
    varint(content.len() as u64, &mut bytes);
    bytes.extend_from_slice(content);
    bytes
}

/// A field that holds a number.
pub fn number(number: u64, value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(number << 3, &mut bytes);
    varint(value, &mut bytes);
    bytes
}

impl Event {
    pub fn new(step: i64) -> Self {
        let mut bytes = vec![0x09];
        bytes.extend_from_slice(&1.5_f64.to_le_bytes());
        bytes.extend(number(2, step.cast_unsigned()));
        Self { bytes }
    }

    pub fn version(version: &str) -> Vec<u8> {
        let mut event = Self::new(0);
        event.bytes.extend(field(3, version.as_bytes()));
        event.record()
    }

    pub fn with(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A scalar of old.
    pub fn scalar(step: i64, tag: &str, value: f32) -> Vec<u8> {
        let mut content = field(1, tag.as_bytes());
        content.push(0x15);
        content.extend_from_slice(&value.to_le_bytes());
        Self::new(step).with(&field(5, &field(1, &content))).record()
    }

    /// A tensor with a tag, the parts of a `TensorProto`, and the plugin if it is said.
    pub fn tensor(step: i64, tag: &str, tensor: &[u8], plugin: Option<&str>) -> Vec<u8> {
        let mut content = field(1, tag.as_bytes());
        content.extend(field(8, tensor));
        if let Some(plugin) = plugin {
            content.extend(field(9, &field(1, &field(1, plugin.as_bytes()))));
        }
        Self::new(step).with(&field(5, &field(1, &content))).record()
    }

    /// A writer starts at a step.
    pub fn start(step: i64) -> Vec<u8> {
        Self::new(step).with(&field(7, &number(1, 1))).record()
    }

    pub fn record(&self) -> Vec<u8> {
        framed(&self.bytes)
    }
}

/// A file of version 2 with these records.
pub fn event_file(records: &[Vec<u8>]) -> Vec<u8> {
    [Event::version("brain.Event:2"), records.concat()].concat()
}
