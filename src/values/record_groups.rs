//! Reads the fields of many records, sheet by sheet.

use super::sheet::Field;
use super::store::Store;
use super::value::{Record, ShapeIx, Value, index};

/// Records, numbered by their position, and grouped by sheet so that a value that many rows share is visited once.
#[derive(Debug, Default)]
pub(crate) struct RecordGroups {
    loose: Vec<(u32, Record)>,
    groups: Vec<Group>,
    length: usize,
}

/// The records of one sheet.
#[derive(Debug)]
struct Group {
    sheet: u32,
    shape: ShapeIx,
    /// The row of each record, in order
    rows: Vec<u32>,
    /// The position of each record
    positions: Vec<u32>,
    /// Whether the positions are in order too
    ascending: bool,
}

impl RecordGroups {
    /// Groups these records; a position may have none.
    pub fn new(records: impl Iterator<Item = Option<Record>>) -> Self {
        let mut groups = Self::default();
        // the number of the group of each sheet, counted from 1
        let mut group_of_sheet: Vec<u32> = Vec::new();
        for record in records {
            let position = index(groups.length);
            groups.length += 1;
            if let Some(record) = record {
                groups.push(position, record, &mut group_of_sheet);
            }
        }
        groups.groups.iter_mut().for_each(Group::sort);
        groups
    }

    fn push(&mut self, position: u32, record: Record, group_of_sheet: &mut Vec<u32>) {
        if record.is_loose() {
            self.loose.push((position, record));
            return;
        }
        let sheet = record.sheet as usize;
        if group_of_sheet.len() <= sheet {
            group_of_sheet.resize(sheet + 1, 0);
        }
        if group_of_sheet[sheet] == 0 {
            self.groups.push(Group::new(record));
            group_of_sheet[sheet] = index(self.groups.len());
        }
        self.groups[group_of_sheet[sheet] as usize - 1].push(record.start, position);
    }

    /// The number of positions.
    pub fn len(&self) -> usize {
        self.length
    }

    /// The shapes of the records, each once, in the order of their first record.
    pub fn shapes(&self) -> Vec<ShapeIx> {
        let loose = self.loose.iter().map(|&(position, record)| (position, record.shape));
        let mut shapes: Vec<(u32, ShapeIx)> =
            self.groups.iter().map(|group| (group.first(), group.shape)).collect();
        let mut last = None;
        shapes.extend(loose.filter(|&(_, shape)| last.replace(shape) != Some(shape)));
        shapes.sort_by_key(|&(position, _)| position);
        let distinct: indexmap::IndexSet<ShapeIx, ahash::RandomState> =
            shapes.into_iter().map(|(_, shape)| shape).collect();
        distinct.into_iter().collect()
    }

    /// Calls `visit` with the values of one field and the positions of the records that have each. `field` gives the
    /// position of the field in a shape, if the shape has it. A value may come several times.
    pub fn each(
        &self,
        store: &Store,
        field: impl Fn(ShapeIx) -> Option<usize>,
        mut visit: impl FnMut(Value, &[u32]),
    ) {
        for &(position, record) in &self.loose {
            if let Some(field) = field(record.shape) {
                visit(store.record_value(record, field), &[position]);
            }
        }
        for group in &self.groups {
            if let Some(field) = field(group.shape).and_then(|field| store.sheet(group.sheet)?.field(field)) {
                field.each(&group.rows, |value, range| visit(store.resolve(value), &group.positions[range]));
            }
        }
    }

    /// Calls `visit` with the values of all fields: the shape, the position of the field in it, the value, and the
    /// first position that has it. Where all values of a field have the same column type, only one of them is visited.
    pub fn each_field(&self, store: &Store, mut visit: impl FnMut(ShapeIx, usize, Value, u32)) {
        for &(position, record) in &self.loose {
            for (field, value) in store.raw(record).enumerate() {
                visit(record.shape, field, value, position);
            }
        }
        for group in &self.groups {
            let fields = store.sheet(group.sheet).map_or(&[][..], |sheet| &sheet.fields);
            for (number, field) in fields.iter().enumerate() {
                group.visit_field(field, |value, position| visit(group.shape, number, value, position));
            }
        }
    }
}

impl Group {
    fn new(record: Record) -> Self {
        let Record { sheet, shape, .. } = record;
        Self { sheet, shape, rows: Vec::new(), positions: Vec::new(), ascending: true }
    }

    fn push(&mut self, row: u32, position: u32) {
        self.ascending &= self.rows.last().is_none_or(|&last| last <= row);
        self.rows.push(row);
        self.positions.push(position);
    }

    fn sort(&mut self) {
        if !self.ascending {
            let mut pairs: Vec<(u32, u32)> =
                self.rows.iter().copied().zip(self.positions.iter().copied()).collect();
            pairs.sort_unstable();
            (self.rows, self.positions) = pairs.into_iter().unzip();
        }
    }

    fn visit_field(&self, field: &Field, mut visit: impl FnMut(Value, u32)) {
        if let Some(value) = field.representative() {
            return visit(value, self.first());
        }
        field.each(&self.rows, |value, range| visit(value, self.earliest(range)));
    }

    fn first(&self) -> u32 {
        self.earliest(0..self.positions.len())
    }

    fn earliest(&self, range: std::ops::Range<usize>) -> u32 {
        let positions = &self.positions[range];
        let first = if self.ascending { positions.first() } else { positions.iter().min() };
        first.copied().unwrap_or_default()
    }
}
