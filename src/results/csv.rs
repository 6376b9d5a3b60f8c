//! CSV and TSV files: a header, rows of the same length, one type a column.

use std::path::Path;

use super::cells::{Cell, CellType, CellTypes, float};
use super::csv_records::{Cut, CutRecord, Cutter, RecordEnd};
use super::file_schema::FileSchema;
use super::format::Format;
use super::problems::{Problems, not_utf8};
use super::select::{Rank, Select, names};
use super::source::Source;
use super::state::FileState;
use crate::error::{Error, Result, quoted};
use crate::json;
use crate::progress::CancelToken;
use crate::values::{Record, Store};

/// How a CSV or TSV file is written, where its name does not say it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// The byte between cells, if it is neither the comma of `.csv` nor the tab of `.tsv`
    pub separator: Option<u8>,
    /// The names of the columns of a file that has no header
    pub header: Option<Vec<String>>,
}

/// The rows of a file, a block at a time, and what is wrong with the others.
pub(super) struct CsvFile<'c> {
    source: Source<'c>,
    cutter: Cutter,
    separator: u8,
    cut: Cut,
    /// How many bytes the records of the block take
    block: usize,
    blocks: u64,
    /// The first cell of each good row of the block
    rows: Vec<usize>,
    header: Option<Vec<String>>,
    given_header: Option<Vec<String>>,
    problems: Problems,
    good: u64,
    bad: u64,
    is_cut: bool,
    /// Whether the block is to be given once more
    again: bool,
}

impl<'c> CsvFile<'c> {
    /// Opens a file; a size says how much of it is read.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn open(
        path: &Path,
        size: Option<u64>,
        (format, options): (Format, &CsvOptions),
        cancel: &'c CancelToken,
    ) -> Result<Self> {
        let separator = options.separator.unwrap_or(if format == Format::Tsv { b'\t' } else { b',' });
        Ok(Self {
            source: Source::open_until(path, size, cancel)?,
            cutter: Cutter::new(separator),
            separator,
            cut: Cut::default(),
            block: 0,
            blocks: 0,
            rows: Vec::new(),
            header: options.header.clone(),
            given_header: options.header.clone(),
            problems: Problems::of(path),
            good: 0,
            bad: 0,
            is_cut: false,
            again: false,
        })
    }

    /// The names of the columns; none before the first block was cut.
    pub fn header(&self) -> &[String] {
        self.header.as_deref().unwrap_or_default()
    }

    /// The number of good rows of the block.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// A cell of the block.
    #[inline]
    pub fn cell(&self, row: usize, column: usize) -> &[u8] {
        self.rows.get(row).map_or(&[], |first| self.cut.cell(self.source.bytes(), first + column))
    }

    /// Cuts the next block that has good rows; false at the end.
    ///
    /// # Errors
    /// `Io`; `Format` if it is no such file: nothing of it is to be used.
    pub fn next_block(&mut self) -> Result<bool> {
        if std::mem::take(&mut self.again) {
            return Ok(!self.rows.is_empty());
        }
        loop {
            if self.blocks > 0 && self.source.is_last() && self.block == self.source.bytes().len() {
                return Ok(false);
            }
            self.source.consume(self.block);
            let first_line = self.cutter.line();
            self.read_block()?;
            self.sort_rows(first_line)?;
            if !self.rows.is_empty() {
                return Ok(true);
            }
        }
    }

    /// Fills the buffer until it has a whole record, and cuts what is there.
    fn read_block(&mut self) -> Result<()> {
        self.source.fill(1)?;
        if self.blocks == 0 {
            self.source.fill(3)?;
            self.source.skip_bom();
            if let [b'{' | b'[', ..] = self.source.bytes().trim_ascii_start() {
                return Err(Error::format("its name says that it is a table, its content is JSON")
                    .hint("give format=\"json\" or format=\"jsonl\""));
            }
        }
        self.blocks += 1;
        loop {
            let is_last = self.source.is_last();
            self.block = self.cutter.cut(self.source.bytes(), is_last, &mut self.cut);
            if self.block > 0 || is_last {
                return Ok(());
            }
            self.source.more()?;
        }
    }

    /// The same file from its first row on, without its losses. A file that was read as one block is not cut again.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn rewound(mut self, cancel: &'c CancelToken) -> Result<Self> {
        if self.blocks == 1 {
            self.again = true;
            return Ok(self);
        }
        let options = CsvOptions { separator: Some(self.separator), header: self.given_header };
        Self::open(self.source.path(), Some(self.source.size()), (Format::Csv, &options), cancel)
    }

    /// Tells the header and the good rows of the block from the rest.
    fn sort_rows(&mut self, first_line: u64) -> Result<()> {
        self.rows.clear();
        let block = &self.source.bytes()[..self.block];
        if !json::is_utf8(block) {
            return Err(not_utf8_at(block, first_line));
        }
        let has_zeros = memchr::memchr(0, block).is_some();
        for record in &self.cut.records {
            let first = self.cut.cell(block, record.first);
            if first.first() == Some(&b'#') {
                continue;
            }
            let cells = record.first..record.first + record.count;
            let zeros = has_zeros && cells.clone().any(|cell| self.cut.cell(block, cell).contains(&0));
            let Some(header) = &self.header else {
                let cells: Vec<&[u8]> = cells.map(|cell| self.cut.cell(block, cell)).collect();
                if record.end == RecordEnd::Quotes {
                    self.is_cut = true;
                    self.problems.skip(record.line, "the header ends within quotes");
                }
                self.header = Some(header_of(&cells, self.separator).map_err(|e| e.at_line(record.line))?);
                continue;
            };
            let is_unfinished = record.end == RecordEnd::File && ends_in_number(block, self.separator);
            match fault(record, header.len(), zeros) {
                None if is_unfinished => {
                    self.is_cut = true;
                    self.problems.skip(record.line, "the last record is not finished");
                }
                None => self.rows.push(record.first),
                // a cut record has no more cells than a whole one, but zeros may stand behind
                Some(reason)
                    if record.end == RecordEnd::Line
                        || (record.count > header.len() && record.end == RecordEnd::File && !zeros) =>
                {
                    self.bad += 1;
                    self.problems.skip(record.line, &reason);
                }
                Some(_) => {
                    self.is_cut = true;
                    self.problems.skip(record.line, "the last record is not finished");
                }
            }
        }
        self.good += self.rows.len() as u64;
        Ok(())
    }

    /// What became of the file, once all of it was read.
    pub fn state(&self) -> FileState {
        match (self.good, self.is_cut, self.bad) {
            (_, true, _) => FileState::Cut,
            (1.., ..) => FileState::Read,
            (0, _, 0) => FileState::Empty,
            _ => FileState::Unreadable,
        }
    }

    /// The rows that could not be used.
    pub fn into_problems(self) -> Problems {
        self.problems
    }
}

/// Why a record is no row, if it is none.
fn fault(record: &CutRecord, columns: usize, zeros: bool) -> Option<String> {
    if record.end == RecordEnd::Quotes {
        return Some("it ends within quotes".to_owned());
    }
    if zeros {
        return Some("it has zero bytes".to_owned());
    }
    let cells = if record.count == 1 { "cell" } else { "cells" };
    (record.count != columns).then(|| format!("{} {cells}, the header has {columns}", record.count))
}

/// Whether the text ends within a number, between the `e` of its exponent and the first digit behind: a job was killed while it
/// wrote. Of a number that ends elsewhere nobody can tell.
fn ends_in_number(text: &[u8], separator: u8) -> bool {
    let last = text.rsplit(|&byte| byte == separator || byte == b'\n').next().unwrap_or_default();
    let number = last.strip_suffix(b"-").or_else(|| last.strip_suffix(b"+")).unwrap_or(last);
    let digits = number.strip_suffix(b"e").or_else(|| number.strip_suffix(b"E"));
    let is_number =
        |digits: &[u8]| std::str::from_utf8(digits).is_ok_and(|text| text.trim().parse::<f64>().is_ok());
    digits.is_some_and(|digits| {
        digits.last().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.') && is_number(digits)
    })
}

/// The error at the first byte of a block that is not UTF-8.
fn not_utf8_at(block: &[u8], first_line: u64) -> Error {
    let valid = std::str::from_utf8(block).map_or_else(|error| error.valid_up_to(), str::len);
    let lines = memchr::memchr_iter(b'\n', &block[..valid]).count() as u64;
    not_utf8(block).at_line(first_line + lines)
}

/// The names of the columns, or why this cannot be a header.
fn header_of(cells: &[&[u8]], separator: u8) -> Result<Vec<String>> {
    if cells.iter().any(|cell| cell.contains(&0)) {
        return Err(Error::format("the header has zero bytes: this is no text"));
    }
    if let [cell] = cells
        && let Some(other) = b";,|\t".iter().find(|&&byte| byte != separator && cell.contains(&byte))
    {
        let shown = quoted(&char::from(*other).to_string());
        let expected = quoted(&char::from(separator).to_string());
        return Err(Error::format(format!("the cells are separated by {shown}, not by {expected}"))
            .hint(format!("give separator={shown} in Result(…)")));
    }
    if cells.iter().any(|cell| cell.contains(&b'\r')) {
        return Err(Error::format("its lines end with carriage returns only").hint("end them with newlines"));
    }
    let is_number = |cell: &&[u8]| !matches!(Cell::of(cell), Cell::Text | Cell::Bool(_));
    if cells.iter().all(is_number) && cells.iter().any(|cell| !cell.trim_ascii().is_empty()) {
        return Err(Error::format("the first record has only numbers: there is no header")
            .hint("give the names of the columns: header=[…] in Result(…)"));
    }
    let names: Vec<String> =
        cells.iter().map(|cell| String::from_utf8_lossy(cell.trim_ascii()).into_owned()).collect();
    let mut seen = ahash::HashSet::default();
    match names.iter().find(|&name| !seen.insert(name)) {
        Some(name) => Err(Error::format(format!("two columns are called {}", quoted(name)))
            .hint("give other names: header=[…] in Result(…)")),
        None => Ok(names),
    }
}

/// The types of the columns of a file, and the row that is the job's result.
#[derive(Debug)]
pub(super) struct CsvScan {
    pub types: Vec<CellType>,
    pub row: Option<Vec<Vec<u8>>>,
}

/// Reads a file to its end: the types of all rows, and one row.
///
/// # Errors
/// As [`CsvFile::next_block`].
pub(super) fn scan(file: &mut CsvFile<'_>, select: Option<&Select>) -> Result<CsvScan> {
    let mut types: Vec<CellTypes> = Vec::new();
    let mut picker = select.map(|select| Picker { select, best: None, row: None });
    while file.next_block()? {
        types.resize(file.header().len(), CellTypes::default());
        for (column, types) in types.iter_mut().enumerate() {
            for row in 0..file.len() {
                if types.is_text() {
                    break;
                }
                types.observe(Cell::of(file.cell(row, column)));
            }
        }
        if let Some(picker) = &mut picker {
            picker.look_at(file)?;
        }
    }
    types.resize(file.header().len(), CellTypes::default());
    let types = types.iter().copied().map(CellTypes::decide).collect();
    Ok(CsvScan { types, row: picker.and_then(|picker| picker.row) })
}

/// Picks one row of a file.
struct Picker<'s> {
    select: &'s Select,
    best: Option<Rank>,
    row: Option<Vec<Vec<u8>>>,
}

impl Picker<'_> {
    fn look_at(&mut self, file: &CsvFile<'_>) -> Result<()> {
        let chosen = match self.select {
            Select::First if self.row.is_some() => None,
            Select::First => Some(0),
            Select::Last => file.len().checked_sub(1),
            Select::Max(name) | Select::Min(name) => self.best_row(file, name)?,
        };
        if let Some(row) = chosen {
            let columns = 0..file.header().len();
            self.row = Some(columns.map(|column| file.cell(row, column).to_vec()).collect());
        }
        Ok(())
    }

    fn best_row(&mut self, file: &CsvFile<'_>, name: &str) -> Result<Option<usize>> {
        let Some(column) = file.header().iter().position(|key| names(key, name)) else {
            return Err(no_column(name, file.header().iter().map(String::as_str)));
        };
        let mut chosen = None;
        for row in 0..file.len() {
            let cell = file.cell(row, column);
            let number = match Cell::of(cell) {
                Cell::Int(value) => Rank::Int(value.into()),
                Cell::BigInt => Rank::of_digits(&String::from_utf8_lossy(cell.trim_ascii()))
                    .unwrap_or_else(|| Rank::Float(float(cell))),
                Cell::Float => Rank::Float(float(cell)),
                _ => continue,
            };
            if self.select.is_better(number, self.best) {
                (self.best, chosen) = (Some(number), Some(row));
            }
        }
        Ok(chosen)
    }
}

/// The error of a file that lacks the column of `max=` or `min=`.
pub(super) fn no_column<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Error {
    let error = Error::format(format!("no column {} to choose the row by", quoted(name)));
    match crate::error::did_you_mean(name, names) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The chosen row as a record.
pub(super) fn record(
    file: &CsvFile<'_>,
    scan: &CsvScan,
    schema: Option<&FileSchema>,
    store: &mut Store,
) -> Option<Record> {
    let row = scan.row.as_ref()?;
    let keys: Vec<_> = file.header().iter().map(|name| store.intern(name.as_bytes())).collect();
    let kinds = scan.types.iter().zip(file.header()).map(|(&kind, name)| match schema {
        // the type of one cell, unless it is to be text as it stands
        Some(schema) if schema.kind(name) != Some(CellType::Text) => CellType::Split,
        Some(_) => CellType::Text,
        None => kind,
    });
    let values: Vec<_> = kinds.zip(row).map(|(kind, cell)| kind.value(cell, store)).collect();
    Some(store.push_record(&keys, &values))
}
