//! Records of one shape, stored field by field: a value that does not change from row to row is stored once.

use std::mem::discriminant;
use std::ops::Range;
use std::sync::Arc;

use super::value::{Items, ObjectIx, ShapeIx, Text, UnresolvedIx, Value, index};

/// The values of one field, row by row. Each holds until the next change.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    first: Value,
    /// The values after the first
    later: LaterValues,
    changes: ChangeRows,
    /// The [`kind_bit`]s of all values
    kinds: u8,
}

#[derive(Debug, Clone)]
enum LaterValues {
    /// All have the type of the first value and are small: their [`packed`] bits
    Packed(Vec<u64>),
    Any(Vec<Value>),
}

/// The rows in which a field changed, in order.
#[derive(Debug, Clone, Default)]
struct ChangeRows {
    /// The field changed in each of the rows 1 to this
    dense: u32,
    /// The rows of the changes after those
    sparse: Vec<u32>,
}

impl ChangeRows {
    fn push(&mut self, row: u32) {
        if self.sparse.is_empty() && row == self.dense + 1 {
            self.dense = row;
        } else {
            self.sparse.push(row);
        }
    }

    /// The row of a change.
    #[inline]
    fn get(&self, change: usize) -> Option<u32> {
        match change.checked_sub(self.dense as usize) {
            None => Some(index(change + 1)),
            Some(sparse) => self.sparse.get(sparse).copied(),
        }
    }

    /// The number of changes up to a row.
    fn count_until(&self, row: u32) -> usize {
        if row <= self.dense {
            return row as usize;
        }
        self.dense as usize + self.sparse.partition_point(|&change| change <= row)
    }
}

/// Room for this many changes is made at the first: most fields that change do so often.
const FIRST_CAPACITY: usize = 32;

/// The value in 64 bits, without its type; `None` if it needs more.
fn packed(value: Value) -> Option<u64> {
    Some(match value {
        Value::Null => 0,
        Value::Bool(value) => value.into(),
        Value::Int(value) => value.cast_unsigned(),
        Value::Float(value) => value.to_bits(),
        Value::Str(text) | Value::Path(text) => return text.packed(),
        Value::Enum(member) => member.into(),
        Value::List(items) | Value::Set(items) => u64::from(items.start) << 32 | u64::from(items.length),
        Value::Object(object) => object.0.into(),
        Value::Unresolved(reference) => reference.0.into(),
        Value::BigInt(_) | Value::Dict(_) => return None,
    })
}

/// The value of these [`packed`] bits that has the type of `like`.
#[allow(clippy::cast_possible_truncation, reason = "the bits are split into their parts")]
fn unpacked(bits: u64, like: Value) -> Value {
    let items = || Items { start: (bits >> 32) as u32, length: bits as u32 };
    match like {
        Value::Bool(_) => Value::Bool(bits != 0),
        Value::Int(_) => Value::Int(bits.cast_signed()),
        Value::Float(_) => Value::Float(f64::from_bits(bits)),
        Value::Str(_) => Value::Str(Text::unpacked(bits)),
        Value::Path(_) => Value::Path(Text::unpacked(bits)),
        Value::Enum(_) => Value::Enum(bits as u32),
        Value::List(_) => Value::List(items()),
        Value::Set(_) => Value::Set(items()),
        Value::Object(_) => Value::Object(ObjectIx(bits as u32)),
        Value::Unresolved(_) => Value::Unresolved(UnresolvedIx(bits as u32)),
        Value::Null | Value::BigInt(_) | Value::Dict(_) => like,
    }
}

/// A bit for each kind of values that have the same column type, whatever the value. Kinds whose column type depends on
/// the value are [`MIXED`].
fn kind_bit(value: Value) -> u8 {
    match value {
        Value::Null => 1,
        Value::Bool(_) => 1 << 1,
        Value::Int(0..=MAX_EXACT_FLOAT) => 1 << 2,
        Value::Int(MIN_EXACT_FLOAT..0) => 1 << 3,
        Value::Float(_) => 1 << 4,
        Value::Str(_) => 1 << 5,
        Value::Path(_) => 1 << 6,
        _ => MIXED,
    }
}

const MIXED: u8 = 1 << 7;
/// Integers up to this are floats without rounding.
const MAX_EXACT_FLOAT: i64 = 1 << 53;
const MIN_EXACT_FLOAT: i64 = -MAX_EXACT_FLOAT;

impl Field {
    fn new(first: Value) -> Self {
        let later = LaterValues::Packed(Vec::new());
        Self { first, later, changes: ChangeRows::default(), kinds: kind_bit(first) }
    }

    fn push(&mut self, row: u32, value: Value) {
        self.kinds |= kind_bit(value);
        self.changes.push(row);
        self.push_value(value);
    }

    fn push_value(&mut self, value: Value) {
        match &mut self.later {
            LaterValues::Any(values) => values.push(value),
            LaterValues::Packed(all) => {
                let same_type = discriminant(&value) == discriminant(&self.first);
                if let Some(bits) = packed(value).filter(|_| same_type) {
                    if all.is_empty() {
                        all.reserve(FIRST_CAPACITY);
                    }
                    all.push(bits);
                    return;
                }
                let mut values: Vec<Value> = all.iter().map(|&bits| unpacked(bits, self.first)).collect();
                values.push(value);
                self.later = LaterValues::Any(values);
            }
        }
    }

    /// The value after this many changes.
    #[inline]
    fn after(&self, changes: usize) -> Value {
        let Some(position) = changes.checked_sub(1) else { return self.first };
        match &self.later {
            LaterValues::Packed(all) => all.get(position).map(|&bits| unpacked(bits, self.first)),
            LaterValues::Any(values) => values.get(position).copied(),
        }
        .unwrap_or(self.first)
    }

    fn value(&self, row: u32) -> Value {
        self.after(self.changes.count_until(row))
    }

    /// Replaces each value by another of the same kind.
    fn map(&mut self, map: impl Fn(Value) -> Value) {
        let before = self.first;
        self.first = map(before);
        match &mut self.later {
            LaterValues::Packed(_) if matches!(before, Value::Bool(_) | Value::Int(_) | Value::Float(_)) => {}
            LaterValues::Packed(all) => {
                let first = discriminant(&self.first);
                let repacked = |value: Value| packed(value).filter(|_| discriminant(&value) == first);
                let mapped = all.iter_mut().map_while(|bits| {
                    *bits = repacked(map(unpacked(*bits, before)))?;
                    Some(())
                });
                let count = mapped.count();
                for bits in all.split_off(count) {
                    self.push_value(map(unpacked(bits, before)));
                }
            }
            LaterValues::Any(values) => values.iter_mut().for_each(|value| *value = map(*value)),
        }
    }

    /// One of the values, if all of them have the same column type.
    pub fn representative(&self) -> Option<Value> {
        (self.kinds.is_power_of_two() && self.kinds != MIXED).then_some(self.first)
    }

    /// Whether a value may contain other values.
    pub fn may_nest(&self) -> bool {
        self.kinds & MIXED != 0
    }

    /// Calls `visit` with each value in `rows`, which are in order, and with the range of `rows` that have it.
    pub fn each(&self, rows: &[u32], mut visit: impl FnMut(Value, Range<usize>)) {
        let dense = self.changes.dense;
        let mut changes = rows.first().map_or(0, |&row| self.changes.count_until(row));
        let mut start = 0;
        while let Some(&row) = rows.get(start) {
            let end = if row <= dense {
                changes = row as usize;
                start + 1 + rows[start + 1..].iter().take_while(|&&next| next == row).count()
            } else {
                while self.changes.get(changes).is_some_and(|change| change <= row) {
                    changes += 1;
                }
                let next_change = self.changes.get(changes).unwrap_or(u32::MAX);
                start + count_before(&rows[start..], next_change)
            };
            visit(self.after(changes), start..end);
            start = end;
        }
    }
}

/// How many of the sorted `rows` come before `end`; the first one does. Most ranges are short, so the first rows are
/// compared in turn before the rest is bisected.
fn count_before(rows: &[u32], end: u32) -> usize {
    const IN_TURN: usize = 8;
    let count = rows.iter().take(IN_TURN).take_while(|&&row| row < end).count();
    if count < IN_TURN {
        return count.max(1);
    }
    count + rows[count..].partition_point(|&row| row < end)
}

/// Records of one shape, one a row.
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

    /// The number of values in all rows.
    pub fn len(&self) -> usize {
        self.rows as usize * self.fields.len()
    }

    /// Adds a row: the values of the last row, except for `changes`, which are (position, value). Returns its number.
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

    /// The value of a row in the field at a position.
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
    /// Those that get no more rows; clones share them
    sealed: Vec<Arc<Sheet>>,
    open: Vec<Sheet>,
}

impl Sheets {
    /// The number of values in all sheets.
    pub fn len(&self) -> usize {
        let sealed = self.sealed.iter().map(|sheet| sheet.len()).sum::<usize>();
        sealed + self.open.iter().map(Sheet::len).sum::<usize>()
    }

    /// Adds a sheet and returns its number.
    pub fn push(&mut self, sheet: Sheet) -> u32 {
        self.open.push(sheet);
        index(self.sealed.len() + self.open.len() - 1)
    }

    /// The sheet of a number.
    #[inline]
    pub fn get(&self, number: u32) -> Option<&Sheet> {
        let number = number as usize;
        match self.sealed.get(number) {
            Some(sheet) => Some(sheet),
            None => self.open.get(number - self.sealed.len()),
        }
    }

    /// The sheet of a number, to add rows; `None` if it is sealed.
    pub fn open(&mut self, number: u32) -> Option<&mut Sheet> {
        self.open.get_mut((number as usize).checked_sub(self.sealed.len())?)
    }

    /// Ends all sheets, so that clones share them.
    pub fn seal(&mut self) {
        self.sealed.extend(self.open.drain(..).map(Arc::new));
    }

    /// The number of sheets.
    pub fn count(&self) -> usize {
        self.sealed.len() + self.open.len()
    }

    /// Appends the sheets of `next`, with shapes and values translated.
    pub fn append(
        &mut self,
        next: Self,
        mut shape: impl FnMut(ShapeIx) -> ShapeIx,
        value: impl Fn(Value) -> Value,
    ) {
        self.seal();
        let sealed = next.sealed.into_iter().map(Arc::unwrap_or_clone);
        for mut sheet in sealed.chain(next.open) {
            sheet.shape = shape(sheet.shape);
            sheet.fields.iter_mut().for_each(|field| field.map(&value));
            self.sealed.push(Arc::new(sheet));
        }
    }
}
