//! Records of one shape, field by field: what does not change from record to record is kept once.

use std::mem::discriminant;
use std::ops::Range;
use std::sync::Arc;

use super::store::{Items, ShapeIx, Text, UnresolvedIx, Value};
use super::{ObjectIx, index};

/// The values of one field in the order of the records. Each stands until the next.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    first: Value,
    /// The later values, and the first row of each
    later: Later,
    starts: Starts,
    /// What kinds of values there are, as [`kind`] says
    kinds: u8,
}

/// The later values of a field.
#[derive(Debug, Clone)]
enum Later {
    /// All are of the type of the first one, and small: their [`bits`]
    Alike(Vec<u64>),
    Any(Vec<Value>),
}

/// The rows in which a field changed, in order.
#[derive(Debug, Clone, Default)]
struct Starts {
    /// So many rows after the first one, it changed in each
    always: u32,
    later: Vec<u32>,
}

impl Starts {
    fn push(&mut self, row: u32) {
        if self.later.is_empty() && row == self.always + 1 {
            self.always = row;
        } else {
            self.later.push(row);
        }
    }

    /// The row of a change.
    #[inline]
    fn get(&self, change: usize) -> Option<u32> {
        match change.checked_sub(self.always as usize) {
            None => Some(index(change + 1)),
            Some(later) => self.later.get(later).copied(),
        }
    }

    /// How many changes there were when a row came.
    fn until(&self, row: u32) -> usize {
        if row <= self.always {
            return row as usize;
        }
        self.always as usize + self.later.partition_point(|&start| start <= row)
    }
}

/// For so many changes room is made at the first: most fields that change do so often.
const FIRST: usize = 32;

/// What tells a value from others of its type, if that is little.
fn bits(value: Value) -> Option<u64> {
    Some(match value {
        Value::Null => 0,
        Value::Bool(value) => value.into(),
        Value::Int(value) => value.cast_unsigned(),
        Value::Float(value) => value.to_bits(),
        Value::Str(text) | Value::Path(text) => return text.bits(),
        Value::Enum(member) => member.into(),
        Value::List(items) | Value::Set(items) => u64::from(items.start) << 32 | u64::from(items.length),
        Value::Object(object) => object.0.into(),
        Value::Unresolved(reference) => reference.0.into(),
        Value::BigInt(_) | Value::Dict(_) => return None,
    })
}

/// The value of the same type as another that has these bits.
#[allow(clippy::cast_possible_truncation, reason = "the bits are cut into what they were made of")]
fn of_bits(bits: u64, like: Value) -> Value {
    let items = || Items { start: (bits >> 32) as u32, length: bits as u32 };
    match like {
        Value::Bool(_) => Value::Bool(bits != 0),
        Value::Int(_) => Value::Int(bits.cast_signed()),
        Value::Float(_) => Value::Float(f64::from_bits(bits)),
        Value::Str(_) => Value::Str(Text::of_bits(bits)),
        Value::Path(_) => Value::Path(Text::of_bits(bits)),
        Value::Enum(_) => Value::Enum(bits as u32),
        Value::List(_) => Value::List(items()),
        Value::Set(_) => Value::Set(items()),
        Value::Object(_) => Value::Object(ObjectIx(bits as u32)),
        Value::Unresolved(_) => Value::Unresolved(UnresolvedIx(bits as u32)),
        Value::Null | Value::BigInt(_) | Value::Dict(_) => like,
    }
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
        Self { first, later: Later::Alike(Vec::new()), starts: Starts::default(), kinds: kind(first) }
    }

    fn push(&mut self, row: u32, value: Value) {
        self.kinds |= kind(value);
        self.starts.push(row);
        self.push_later(value);
    }

    fn push_later(&mut self, value: Value) {
        match &mut self.later {
            Later::Any(values) => values.push(value),
            Later::Alike(all) => {
                let alike = discriminant(&value) == discriminant(&self.first);
                if let Some(bits) = bits(value).filter(|_| alike) {
                    if all.is_empty() {
                        all.reserve(FIRST);
                    }
                    all.push(bits);
                    return;
                }
                let mut values: Vec<Value> = all.iter().map(|&bits| of_bits(bits, self.first)).collect();
                values.push(value);
                self.later = Later::Any(values);
            }
        }
    }

    /// The value after so many changes.
    #[inline]
    fn after(&self, changes: usize) -> Value {
        let Some(at) = changes.checked_sub(1) else { return self.first };
        match &self.later {
            Later::Alike(all) => all.get(at).map(|&bits| of_bits(bits, self.first)),
            Later::Any(values) => values.get(at).copied(),
        }
        .unwrap_or(self.first)
    }

    fn value(&self, row: u32) -> Value {
        self.after(self.starts.until(row))
    }

    /// Puts another value in the place of each.
    fn change(&mut self, value: impl Fn(Value) -> Value) {
        let before = self.first;
        self.first = value(before);
        match &mut self.later {
            Later::Alike(_) if matches!(before, Value::Bool(_) | Value::Int(_) | Value::Float(_)) => {}
            Later::Alike(all) => {
                let first = discriminant(&self.first);
                let small = |value: Value| bits(value).filter(|_| discriminant(&value) == first);
                let changed = all.iter_mut().map_while(|held| {
                    *held = small(value(of_bits(*held, before)))?;
                    Some(())
                });
                let changed = changed.count();
                for bits in all.split_off(changed) {
                    self.push_later(value(of_bits(bits, before)));
                }
            }
            Later::Any(values) => values.iter_mut().for_each(|held| *held = value(*held)),
        }
    }

    /// A value, if all of them mean the same to the type of a column.
    pub fn like_all(&self) -> Option<Value> {
        (self.kinds.is_power_of_two() && self.kinds != OTHER).then_some(self.first)
    }

    /// Whether some value may hold other values.
    pub fn may_nest(&self) -> bool {
        self.kinds & OTHER != 0
    }

    /// Gives each value that stands in some of `rows`, which are in order, with the range of those rows.
    pub fn each(&self, rows: &SheetRows, found: impl FnMut(Value, Range<usize>)) {
        match rows {
            SheetRows::Run(run) => self.each_of_run(run.clone(), found),
            SheetRows::List(list) => self.each_of_list(list, found),
        }
    }

    fn each_of_run(&self, rows: Range<u32>, mut found: impl FnMut(Value, Range<usize>)) {
        let mut changes = self.starts.until(rows.start);
        let mut row = rows.start;
        while row < rows.end {
            let next = self.starts.get(changes).map_or(rows.end, |next| next.min(rows.end));
            if next > row {
                found(self.after(changes), (row - rows.start) as usize..(next - rows.start) as usize);
            }
            row = next;
            changes += 1;
        }
    }

    fn each_of_list(&self, rows: &[u32], mut found: impl FnMut(Value, Range<usize>)) {
        let always = self.starts.always;
        let mut changes = rows.first().map_or(0, |&row| self.starts.until(row));
        let mut at = 0;
        while let Some(&row) = rows.get(at) {
            let next = if row <= always {
                changes = row as usize;
                at + 1 + rows[at + 1..].iter().take_while(|&&other| other == row).count()
            } else {
                while self.starts.get(changes).is_some_and(|start| start <= row) {
                    changes += 1;
                }
                let end = self.starts.get(changes).unwrap_or(u32::MAX);
                let is_over = rows.get(at + 1).is_none_or(|&row| row >= end);
                if is_over { at + 1 } else { at + until(&rows[at..], end) }
            };
            found(self.after(changes), at..next);
            at = next;
        }
    }
}

/// Some rows of a sheet, in order. Those that follow each other are not written out.
#[derive(Debug)]
pub(crate) enum SheetRows {
    Run(Range<u32>),
    List(Vec<u32>),
}

impl Default for SheetRows {
    fn default() -> Self {
        Self::Run(0..0)
    }
}

impl SheetRows {
    /// Adds some that follow each other.
    pub fn extend(&mut self, more: Range<u32>) {
        match self {
            Self::Run(run) if run.end == more.start => run.end = more.end,
            Self::Run(run) if run.start == run.end => *run = more,
            Self::Run(run) => *self = Self::List(run.clone().chain(more).collect()),
            Self::List(list) => list.extend(more),
        }
    }

    /// The last one.
    pub fn last(&self) -> Option<u32> {
        match self {
            Self::Run(run) => run.clone().next_back(),
            Self::List(list) => list.last().copied(),
        }
    }

    /// All of them, written out.
    pub fn list(self) -> Vec<u32> {
        match self {
            Self::Run(run) => run.collect(),
            Self::List(list) => list,
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
            sheet.fields.iter_mut().for_each(|field| field.change(&value));
            self.earlier.push(Arc::new(sheet));
        }
    }
}
