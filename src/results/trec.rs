//! Text of `measure query value`, as `trec_eval` writes it.

use std::path::Path;

use indexmap::{IndexMap, IndexSet};

use super::cells::{Cell, CellType, float};
use super::lines::TextLines;
use super::problems::{Problems, not_utf8};
use super::source::Source;
use super::state::FileState;
use super::wanted::Patterns;
use crate::error::Result;
use crate::json;
use crate::progress::CancelToken;
use crate::values::{Record, Store};

/// The query whose values are those of the whole run.
const ALL: &[u8] = b"all";

/// The three fields of a line: split at blanks or, if it has two tabs or more, at the first two tabs.
pub(super) fn fields(line: &[u8]) -> Option<[&[u8]; 3]> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut tabs = memchr::memchr_iter(b'\t', line);
    if let (Some(first), Some(second)) = (tabs.next(), tabs.next()) {
        let [measure, query, value] =
            [&line[..first], &line[first + 1..second], &line[second + 1..]].map(<[u8]>::trim_ascii);
        return (!measure.is_empty()).then_some([measure, query, value]);
    }
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let fields = [words.next()?, words.next()?, words.next()?];
    words.next().is_none().then_some(fields)
}

/// Whether a line is blank or a comment.
pub(super) fn is_skipped(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    text.is_empty() || text.starts_with(b"#")
}

/// Values of measures by query. A value that is no number is NaN here and stands in `texts`; one that is missing is NaN too.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measures {
    /// The measures, each once
    pub names: Vec<String>,
    /// The queries, each once
    pub queries: Vec<String>,
    /// The measure of each row, by its position in `names`
    pub measure: Vec<u32>,
    /// The query of each row, by its position in `queries`
    pub query: Vec<u32>,
    /// The value of each row
    pub value: Vec<f64>,
    /// What each value is in the file
    pub kind: Vec<MeasureKind>,
    /// The rows whose values no float holds, and what stands there
    pub texts: Vec<(u32, String)>,
}

/// What the value of a measure is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasureKind {
    /// Nothing
    Null,
    /// An integer; one that no float holds stands in `texts` too
    Int,
    /// A float
    Float,
    /// Text, in `texts`
    Text,
}

impl Measures {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.value.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    fn push(&mut self, measure: u32, query: u32, value: &[u8]) {
        let row = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let (kind, number, is_text) = match Cell::of(value) {
            Cell::Null => (MeasureKind::Null, f64::NAN, false),
            Cell::Int(int) => (MeasureKind::Int, float(value), int.unsigned_abs() > 1 << 53),
            Cell::BigInt => (MeasureKind::Int, float(value), true),
            Cell::Float => (MeasureKind::Float, float(value), false),
            Cell::Bool(_) | Cell::Text => (MeasureKind::Text, f64::NAN, true),
        };
        if is_text {
            self.texts.push((row, String::from_utf8_lossy(value).into_owned()));
        }
        self.measure.push(measure);
        self.query.push(query);
        self.value.push(number);
        self.kind.push(kind);
    }
}

/// What became of a file.
pub(super) struct Outcome {
    pub state: FileState,
    pub problems: Problems,
}

/// Calls `row` with the fields of each line.
fn read_lines(path: &Path, cancel: &CancelToken, mut row: impl FnMut([&[u8]; 3])) -> Result<Outcome> {
    let mut source = Source::open(path, cancel)?;
    let mut problems = Problems::of(path);
    source.fill(3)?;
    source.skip_bom();
    let (mut number, mut good, mut bad, mut is_cut) = (0, 0_u64, 0_u64, false);
    while let Some(length) = source.lines()? {
        let bytes = &source.bytes()[..length];
        if !json::is_utf8(bytes) {
            return Err(not_utf8(bytes).at_line(number + 1));
        }
        let mut lines = TextLines::after(number, bytes);
        for line in lines.by_ref().filter(|line| !is_skipped(line.bytes)) {
            match fields(line.bytes).filter(|fields| !fields.iter().any(|field| field.contains(&0))) {
                Some(fields) => {
                    good += 1;
                    row(fields);
                }
                None if line.ended => {
                    bad += 1;
                    problems.skip(line.number, "the line does not read: measure query value");
                }
                None => {
                    is_cut = true;
                    problems.skip(line.number, "the last line is not finished");
                }
            }
        }
        number = lines.number();
        source.consume(length);
    }
    let state = match (good, is_cut, bad) {
        (_, true, _) => FileState::Cut,
        (1.., ..) => FileState::Read,
        (0, _, 0) => FileState::Empty,
        _ => FileState::Unreadable,
    };
    Ok(Outcome { state, problems })
}

/// The values of the query `all`: the last of each measure.
///
/// # Errors
/// `Io`; `Format` if it is no such file: nothing of it is to be used.
pub(super) fn read_all(
    path: &Path,
    wanted: &Patterns,
    store: &mut Store,
    cancel: &CancelToken,
) -> Result<(Outcome, Option<Record>)> {
    let mut values: IndexMap<Vec<u8>, Vec<u8>, ahash::RandomState> = IndexMap::default();
    let outcome = read_lines(path, cancel, |[measure, query, value]| {
        if query == ALL && wanted.matches(&String::from_utf8_lossy(measure)) {
            values.insert(measure.to_vec(), value.to_vec());
        }
    })?;
    let mut keys = Vec::with_capacity(values.len());
    let mut cells = Vec::with_capacity(values.len());
    for (measure, value) in &values {
        keys.push(store.intern(measure));
        let kind = if let Cell::Bool(_) = Cell::of(value) { CellType::Bool } else { CellType::Split };
        cells.push(kind.value(value, store));
    }
    let is_used = matches!(outcome.state, FileState::Read | FileState::Cut);
    let record = is_used.then(|| store.push_record(&keys, &cells));
    Ok((outcome, record))
}

/// All values of a file.
///
/// # Errors
/// As [`read_all`].
pub(super) fn read_measures(
    path: &Path,
    wanted: &Patterns,
    cancel: &CancelToken,
) -> Result<(Outcome, Measures)> {
    let mut names: IndexSet<String, ahash::RandomState> = IndexSet::default();
    let mut queries: IndexSet<String, ahash::RandomState> = IndexSet::default();
    let mut measures = Measures::default();
    let code = |texts: &mut IndexSet<String, ahash::RandomState>, text: &[u8]| {
        let text = std::str::from_utf8(text).unwrap_or_default();
        let position = texts.get_index_of(text).unwrap_or_else(|| texts.insert_full(text.to_owned()).0);
        u32::try_from(position).unwrap_or(u32::MAX)
    };
    let outcome = read_lines(path, cancel, |[measure, query, value]| {
        if wanted.matches(std::str::from_utf8(measure).unwrap_or_default()) {
            measures.push(code(&mut names, measure), code(&mut queries, query), value);
        }
    })?;
    measures.names = names.into_iter().collect();
    measures.queries = queries.into_iter().collect();
    Ok((outcome, measures))
}
