//! The rows of CSV and TSV files as typed columns.

use super::cells::{Cell, CellType, digits, float};
use super::csv::CsvFile;

/// Texts side by side: offsets and bytes as Arrow's string arrays have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// Where each text begins, and where the last one ends
    pub offsets: Vec<i32>,
    /// UTF-8
    pub bytes: Vec<u8>,
}

impl Texts {
    fn with_capacity(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { offsets, bytes: Vec::new() }
    }

    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.offsets.push(i32::try_from(self.bytes.len()).unwrap_or(i32::MAX));
    }

    /// One of the texts.
    #[must_use]
    pub fn get(&self, row: usize) -> &[u8] {
        let offset = |row: usize| self.offsets.get(row).and_then(|&offset| usize::try_from(offset).ok());
        match (offset(row), offset(row + 1)) {
            (Some(start), Some(end)) => self.bytes.get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// The cells of a column; where one is null its value means nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Nothing but nulls
    Null,
    /// Booleans
    Bool(Vec<bool>),
    /// Integers
    Int(Vec<i64>),
    /// Integers of any size, as their digits
    Digits(Texts),
    /// Floats
    Float(Vec<f64>),
    /// Text
    Text(Texts),
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableColumn {
    /// Its name in the file
    pub name: String,
    /// Its cells, one a row
    pub cells: Cells,
    /// Which of them are not null; nothing if all are
    pub valid: Option<Vec<bool>>,
}

/// Rows of a CSV or TSV file. Two columns may have the same name if they are the integers and the floats of one column of the
/// file, which have no common type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// How many rows there are
    pub rows: usize,
    /// Its columns, in the order of the file
    pub columns: Vec<TableColumn>,
}

/// The columns of the block of a file, all of them or those of these names.
pub(super) fn table(file: &CsvFile<'_>, types: &[CellType], wanted: Option<&[String]>) -> Table {
    let mut columns = Vec::with_capacity(types.len());
    for (column, (name, &kind)) in file.header().iter().zip(types).enumerate() {
        if wanted.is_some_and(|wanted| !wanted.contains(name)) {
            continue;
        }
        let mut add = |kind| {
            let (cells, valid) = build(file, column, kind);
            columns.push(TableColumn { name: name.clone(), cells, valid });
        };
        if kind == CellType::Split {
            add(Part::Integers);
            add(Part::Floats);
        } else {
            add(Part::All(kind));
        }
    }
    Table { rows: file.len(), columns }
}

#[derive(Clone, Copy)]
enum Part {
    All(CellType),
    /// The integers of a split column
    Integers,
    /// Its floats
    Floats,
}

fn build(file: &CsvFile<'_>, column: usize, part: Part) -> (Cells, Option<Vec<bool>>) {
    let rows = file.len();
    let cells = (0..rows).map(|row| file.cell(row, column));
    let mut valid = Valid { bits: None, rows: 0 };
    let cells = match part {
        Part::All(CellType::Null | CellType::Split) => return (Cells::Null, Some(vec![false; rows])),
        Part::All(CellType::Bool) => Cells::Bool(
            cells
                .map(|raw| valid.note(if let Cell::Bool(value) = Cell::of(raw) { Some(value) } else { None }))
                .collect(),
        ),
        Part::All(CellType::Int) => Cells::Int(
            cells
                .map(|raw| valid.note(if let Cell::Int(value) = Cell::of(raw) { Some(value) } else { None }))
                .collect(),
        ),
        Part::All(CellType::Float) => Cells::Float(
            cells.map(|raw| valid.note((!raw.trim_ascii().is_empty()).then(|| float(raw)))).collect(),
        ),
        Part::Floats => Cells::Float(
            cells.map(|raw| valid.note((Cell::of(raw) == Cell::Float).then(|| float(raw)))).collect(),
        ),
        Part::All(CellType::Digits) | Part::Integers => {
            let is_integer = |raw: &&[u8]| matches!(Cell::of(raw), Cell::Int(_) | Cell::BigInt);
            Cells::Digits(texts(cells.map(|raw| Some(raw).filter(is_integer).map(digits)), rows, &mut valid))
        }
        Part::All(CellType::Text) => {
            let is_text = |raw: &&[u8]| !raw.trim_ascii().is_empty();
            Cells::Text(texts(cells.map(|raw| Some(raw).filter(is_text)), rows, &mut valid))
        }
    };
    (cells, valid.bits)
}

fn texts<'t>(cells: impl Iterator<Item = Option<&'t [u8]>>, rows: usize, valid: &mut Valid) -> Texts {
    let mut texts = Texts::with_capacity(rows);
    for text in cells {
        valid.note(text.map(|_| ()));
        texts.push(text.unwrap_or_default());
    }
    texts
}

/// Which cells are not null; nothing while all are.
struct Valid {
    bits: Option<Vec<bool>>,
    rows: usize,
}

impl Valid {
    /// The value, or a default where it is null.
    #[inline]
    fn note<T: Default>(&mut self, value: Option<T>) -> T {
        if value.is_none() && self.bits.is_none() {
            self.bits = Some(vec![true; self.rows]);
        }
        if let Some(bits) = &mut self.bits {
            bits.push(value.is_some());
        }
        self.rows += 1;
        value.unwrap_or_default()
    }
}
