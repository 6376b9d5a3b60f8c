//! Records of one shape, field by field: what does not change from record to record is kept once.

use std::sync::Arc;

use super::index;
use super::store::{ShapeIx, Value};

/// The values of one field in the order of the records. Each stands until the next.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    first: Value,
    /// The later values, and the first row of each
    later: Vec<Value>,
    starts: Vec<u32>,
    /// What kinds of values there are, as [`kind`] says
    kinds: u8,
}

/// A bit for each kind of values that mean the same to the type of a column; what cannot be told by one of them is other.
fn kind(value: Value) -> u8 {
    match value {
        Value::Null => 1,
        Value::Bool(_) => 1 << 1,
        Value::Int(0..=EXACT) => 1 << 2,
        Value::Int(NEGATIVE..0) => 1 << 3,
        Value::Float(_) => 1 << 4,
        Value::Str(_) => 1 << 5,
        Value::Path(_) => 1 << 6,
        _ => OTHER,
    }
}

const OTHER: u8 = 1 << 7;
/// Integers of at most this size are floats too, without rounding.
const EXACT: i64 = 1 << 53;
const NEGATIVE: i64 = -EXACT;

impl Field {
    fn new(first: Value) -> Self {
        Self { first, later: Vec::new(), starts: Vec::new(), kinds: kind(first) }
    }

    fn push(&mut self, row: u32, value: Value) {
        self.kinds |= kind(value);
        self.later.push(value);
        self.starts.push(row);
    }

    /// How often it had changed when a row came.
    fn known(&self, row: u32) -> usize {
        // most often nothing changes, or everything does
        let guess = row as usize;
        match self.starts.get(guess.wrapping_sub(1)) {
            Some(&start) if start == row => guess,
            _ => self.starts.partition_point(|&start| start <= row),
        }
    }

    /// The value after so many changes.
    fn after(&self, changes: usize) -> Value {
        changes.checked_sub(1).and_then(|at| self.later.get(at)).copied().unwrap_or(self.first)
    }

    fn value(&self, row: u32) -> Value {
        self.after(self.known(row))
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        std::iter::once(&mut self.first).chain(&mut self.later)
    }

    /// A value, if all of them mean the same to the type of a column.
    pub fn like_all(&self) -> Option<Value> {
        (self.kinds.is_power_of_two() && self.kinds != OTHER).then_some(self.first)
    }

    /// Gives each value that stands in some of `rows`, which are in order, with the range of those rows.
    pub fn each(&self, rows: &[u32], mut found: impl FnMut(Value, std::ops::Range<usize>)) {
        let Some(&first) = rows.first() else { return };
        let mut changes = self.known(first);
        let mut at = 0;
        while let Some(&row) = rows.get(at) {
            while self.starts.get(changes).is_some_and(|&start| start <= row) {
                changes += 1;
            }
            let end = self.starts.get(changes).copied().unwrap_or(u32::MAX);
            let is_over = rows.get(at + 1).is_none_or(|&row| row >= end);
            let next = if is_over { at + 1 } else { at + until(&rows[at..], end) };
            found(self.after(changes), at..next);
            at = next;
        }
    }
}

/// How many of `rows` come before `end`; the first one does.
fn until(rows: &[u32], end: u32) -> usize {
    let near = rows.iter().take(NEAR).take_while(|&&row| row < end).count();
    if near < NEAR {
        return near.max(1);
    }
    near + rows[near..].partition_point(|&row| row < end)
}

/// So many rows are looked at one by one.
const NEAR: usize = 8;

/// Records of one shape. A record is a row of it.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    pub(super) shape: ShapeIx,
    rows: u32,
    pub(super) fields: Vec<Field>,
}

impl Sheet {
    /// A sheet with one row.
    pub fn new(shape: ShapeIx, first: impl Iterator<Item = Value>) -> Self {
        let fields = first.map(Field::new).collect();
        Self { shape, rows: 1, fields }
    }

    /// How many values its rows have.
    pub fn len(&self) -> usize {
        self.rows as usize * self.fields.len()
    }

    /// Adds a row that differs from the last one in these fields, by their positions.
    pub fn add(&mut self, changes: impl IntoIterator<Item = (u32, Value)>) -> u32 {
        let row = self.rows;
        for (position, value) in changes {
            if let Some(field) = self.fields.get_mut(position as usize) {
                field.push(row, value);
            }
        }
        self.rows += 1;
        row
    }

    /// The value of a row at the position of a field.
    pub fn value(&self, row: u32, position: usize) -> Value {
        self.fields.get(position).map_or(Value::Null, |field| field.value(row))
    }

    /// The field at a position.
    pub fn field(&self, position: usize) -> Option<&Field> {
        self.fields.get(position)
    }
}

/// The sheets of a store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sheets {
    /// Those that get no more rows; copies share them
    earlier: Vec<Arc<Sheet>>,
    open: Vec<Sheet>,
}

impl Sheets {
    /// How many values the rows of all sheets have.
    pub fn len(&self) -> usize {
        let earlier = self.earlier.iter().map(|sheet| sheet.len()).sum::<usize>();
        earlier + self.open.iter().map(Sheet::len).sum::<usize>()
    }

    /// Adds a sheet.
    pub fn push(&mut self, sheet: Sheet) -> u32 {
        self.open.push(sheet);
        index(self.earlier.len() + self.open.len() - 1)
    }

    /// The sheet of a number.
    #[inline]
    pub fn get(&self, at: u32) -> Option<&Sheet> {
        let at = at as usize;
        match self.earlier.get(at) {
            Some(sheet) => Some(sheet),
            None => self.open.get(at - self.earlier.len()),
        }
    }

    /// A sheet that can get rows.
    pub fn open(&mut self, at: u32) -> Option<&mut Sheet> {
        self.open.get_mut((at as usize).checked_sub(self.earlier.len())?)
    }

    /// Lets copies share the sheets that there are, which get no more rows.
    pub fn seal(&mut self) {
        self.earlier.extend(self.open.drain(..).map(Arc::new));
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.earlier.len() + self.open.len()
    }

    /// Puts others behind these, with another shape and other values.
    pub fn append(
        &mut self,
        others: Self,
        mut shape: impl FnMut(ShapeIx) -> ShapeIx,
        value: impl Fn(Value) -> Value,
    ) {
        self.seal();
        let earlier = others.earlier.into_iter().map(Arc::unwrap_or_clone);
        for mut sheet in earlier.chain(others.open) {
            sheet.shape = shape(sheet.shape);
            for held in sheet.fields.iter_mut().flat_map(Field::values_mut) {
                *held = value(*held);
            }
            self.earlier.push(Arc::new(sheet));
        }
    }
}
