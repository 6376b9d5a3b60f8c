//! The rows of CSV and TSV files as typed columns.

use super::cells::{Cell, CellType, digits, float, is_exact};
use super::csv::CsvFile;
use super::file_schema::{FileSchema, Misfits, fits};
use crate::error::Error;
use crate::values::{Record, Store, Symbol, Value};

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

impl Table {
    /// Values that say of each column which types it has, as records of a store: as few as tell what all its values would.
    pub fn push_kinds(&self, store: &mut Store, records: &mut Vec<Record>) {
        let mut columns: Vec<(Symbol, Vec<Value>)> = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let key = store.intern(column.name.as_bytes());
            let values = column.kinds(self.rows, store);
            match columns.iter_mut().find(|(other, _)| *other == key) {
                Some((_, all)) => all.extend(values),
                None => columns.push((key, values)),
            }
        }
        let keys: Vec<Symbol> = columns.iter().map(|&(key, _)| key).collect();
        let count = columns.iter().map(|(_, values)| values.len()).max().unwrap_or_default();
        for index in 0..count {
            let values = columns.iter().map(|(_, values)| values.get(index).copied().unwrap_or(Value::Null));
            let values: Vec<Value> = values.collect();
            records.push(store.push_record(&keys, &values));
        }
    }

    /// The rows as records of a store; of the two columns of a split one each row has the one value that it has.
    pub fn push_into(&self, store: &mut Store, records: &mut Vec<Record>) {
        let mut keys: Vec<Symbol> = Vec::with_capacity(self.columns.len());
        let mut places: Vec<usize> = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let key = store.intern(column.name.as_bytes());
            let place = keys.iter().position(|&other| other == key).unwrap_or(keys.len());
            if place == keys.len() {
                keys.push(key);
            }
            places.push(place);
        }
        let mut values = vec![Value::Null; keys.len()];
        for row in 0..self.rows {
            values.fill(Value::Null);
            for (column, &place) in self.columns.iter().zip(&places) {
                let value = column.value(row, store);
                if value != Value::Null {
                    values[place] = value;
                }
            }
            records.push(store.push_record(&keys, &values));
        }
    }
}

impl TableColumn {
    /// A column of values that are null or of its type.
    pub(super) fn of_values(name: &str, kind: CellType, values: &[Value], store: &Store) -> Self {
        let mut valid = Valid { bits: None, rows: 0 };
        let cells = match kind {
            CellType::Bool => {
                let bool = |value: &Value| if let Value::Bool(value) = *value { Some(value) } else { None };
                Cells::Bool(values.iter().map(|value| valid.note(bool(value))).collect())
            }
            CellType::Int => {
                let int = |value: &Value| if let Value::Int(value) = *value { Some(value) } else { None };
                Cells::Int(values.iter().map(|value| valid.note(int(value))).collect())
            }
            CellType::Float => {
                let float = |value: &Value| if let Value::Float(value) = *value { Some(value) } else { None };
                Cells::Float(values.iter().map(|value| valid.note(float(value))).collect())
            }
            _ => {
                let text = |value: &Value| if let Value::Str(text) = *value { Some(text) } else { None };
                let each = values.iter().map(|value| text(value).map(|text| store.bytes(text)));
                Cells::Text(texts(each, values.len(), &mut valid))
            }
        };
        Self { name: name.to_owned(), cells, valid: valid.bits }
    }

    /// Values that have the types of all values of the column.
    fn kinds(&self, rows: usize, store: &mut Store) -> Vec<Value> {
        let first_valid = (0..rows).find(|&row| self.is_valid(row));
        let Some(first) = first_valid else { return vec![Value::Null] };
        match &self.cells {
            Cells::Int(cells) => {
                let ints =
                    || cells.iter().enumerate().filter(|&(row, _)| self.is_valid(row)).map(|(_, &int)| int);
                let inexact = ints().find(|&int| !is_exact(int));
                [ints().min(), ints().max(), inexact].into_iter().flatten().map(Value::Int).collect()
            }
            Cells::Digits(_) => (first..rows).map(|row| self.value(row, store)).collect(),
            _ => vec![self.value(first, store)],
        }
    }

    /// Whether a cell is not null.
    #[must_use]
    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        self.valid.as_ref().is_none_or(|valid| valid.get(row).copied().unwrap_or_default())
    }

    fn value(&self, row: usize, store: &mut Store) -> Value {
        if !self.is_valid(row) {
            return Value::Null;
        }
        match &self.cells {
            Cells::Null => Value::Null,
            Cells::Bool(cells) => cells.get(row).map_or(Value::Null, |&cell| Value::Bool(cell)),
            Cells::Int(cells) => cells.get(row).map_or(Value::Null, |&cell| Value::Int(cell)),
            Cells::Float(cells) => cells.get(row).map_or(Value::Null, |&cell| Value::Float(cell)),
            Cells::Digits(cells) => {
                let digits = cells.get(row);
                let int = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
                int.map_or_else(|| Value::BigInt(store.push_text(digits)), Value::Int)
            }
            Cells::Text(cells) => Value::Str(store.push_text(cells.get(row))),
        }
    }
}

/// The columns of the block of a file that the user knows the types of; cells of other types are null, which the errors say.
pub(super) fn typed_table(
    file: &CsvFile<'_>,
    schema: &FileSchema,
    is_wanted: impl Fn(&str) -> bool,
) -> (Table, Vec<Error>) {
    let (mut columns, mut errors) = (Vec::new(), Vec::new());
    for (column, name) in file.header().iter().enumerate() {
        let Some(kind) = schema.kind(name).filter(|_| is_wanted(name)) else { continue };
        let mut misfits = Misfits::default();
        for raw in (0..file.len()).map(|row| file.cell(row, column)) {
            let cell = Cell::of(raw);
            if cell != Cell::Null && !fits(cell, kind) {
                misfits.add(|| String::from_utf8_lossy(raw.trim_ascii()).into_owned());
            }
        }
        errors.extend(misfits.error(name, kind));
        let (cells, valid) = build(file, column, Part::Known(kind));
        columns.push(TableColumn { name: name.clone(), cells, valid });
    }
    (Table { rows: file.len(), columns }, errors)
}

/// The columns of the block of a file that are wanted.
pub(super) fn table(file: &CsvFile<'_>, types: &[CellType], is_wanted: impl Fn(&str) -> bool) -> Table {
    let mut columns = Vec::with_capacity(types.len());
    for (column, (name, &kind)) in file.header().iter().zip(types).enumerate() {
        if !is_wanted(name) {
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
    /// The cells that are of this type, which the user knows
    Known(CellType),
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
        Part::Known(CellType::Float) => Cells::Float(
            cells.map(|raw| valid.note(fits(Cell::of(raw), CellType::Float).then(|| float(raw)))).collect(),
        ),
        Part::All(CellType::Null | CellType::Split) | Part::Known(CellType::Null | CellType::Split) => {
            return (Cells::Null, Some(vec![false; rows]));
        }
        Part::All(CellType::Bool) | Part::Known(CellType::Bool) => Cells::Bool(
            cells
                .map(|raw| valid.note(if let Cell::Bool(value) = Cell::of(raw) { Some(value) } else { None }))
                .collect(),
        ),
        Part::All(CellType::Int) | Part::Known(CellType::Int) => Cells::Int(
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
        Part::All(CellType::Digits) | Part::Known(CellType::Digits) | Part::Integers => {
            let is_integer = |raw: &&[u8]| matches!(Cell::of(raw), Cell::Int(_) | Cell::BigInt);
            Cells::Digits(texts(cells.map(|raw| Some(raw).filter(is_integer).map(digits)), rows, &mut valid))
        }
        Part::All(CellType::Text) | Part::Known(CellType::Text) => {
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
