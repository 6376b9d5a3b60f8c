//! Many records at once, read field by field.

use super::index;
use super::sheet::SheetRows;
use super::store::{Record, ShapeIx, Store, Value};

/// Some records, numbered by their position, so arranged that those of one sheet are read together.
#[derive(Debug, Default)]
pub(crate) struct RecordGroups {
    loose: Vec<(u32, Record)>,
    groups: Vec<Group>,
    length: usize,
}

/// Records that follow each other, in their sheet and by their positions.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    first: Option<Record>,
    position: u32,
    length: u32,
}

impl Run {
    /// Whether a record at a position is the next one.
    fn goes_on(&self, record: Record, position: u32) -> bool {
        let next = |first: Record| record.sheet == first.sheet && record.start == first.start + self.length;
        self.position + self.length == position && !record.is_loose() && self.first.is_some_and(next)
    }
}

/// The records of one sheet.
#[derive(Debug)]
struct Group {
    sheet: u32,
    shape: ShapeIx,
    /// Their rows, in order
    rows: SheetRows,
    /// The position of each
    positions: Vec<u32>,
    /// Whether the positions are in order too
    ascending: bool,
}

impl RecordGroups {
    /// These records; a position may have none.
    pub fn new(records: impl Iterator<Item = Option<Record>>) -> Self {
        let mut holders = Self::default();
        // the group of each sheet, from 1
        let mut of_sheet: Vec<u32> = Vec::new();
        let mut run = Run::default();
        for record in records {
            let position = index(holders.length);
            holders.length += 1;
            let Some(record) = record else { continue };
            if run.goes_on(record, position) {
                run.length += 1;
                continue;
            }
            holders.keep(run, &mut of_sheet);
            run = Run { first: Some(record), position, length: 1 };
        }
        holders.keep(run, &mut of_sheet);
        holders.groups.iter_mut().for_each(Group::arrange);
        holders
    }

    fn keep(&mut self, run: Run, of_sheet: &mut Vec<u32>) {
        let Some(record) = run.first else { return };
        if record.is_loose() {
            self.loose.push((run.position, record));
            return;
        }
        let sheet = record.sheet as usize;
        if of_sheet.len() <= sheet {
            of_sheet.resize(sheet + 1, 0);
        }
        if of_sheet[sheet] == 0 {
            self.groups.push(Group::new(record));
            of_sheet[sheet] = index(self.groups.len());
        }
        self.groups[of_sheet[sheet] as usize - 1].push(record.start, run.position, run.length);
    }

    /// How many positions there are.
    pub fn len(&self) -> usize {
        self.length
    }

    /// The shapes of the records in the order in which they come first.
    pub fn shapes(&self) -> Vec<ShapeIx> {
        let loose = self.loose.iter().map(|&(position, record)| (position, record.shape));
        let mut first: Vec<(u32, ShapeIx)> =
            self.groups.iter().map(|group| (group.first(), group.shape)).collect();
        let mut last = None;
        first.extend(loose.filter(|&(_, shape)| last.replace(shape) != Some(shape)));
        first.sort_by_key(|&(position, _)| position);
        let shapes: indexmap::IndexSet<ShapeIx, ahash::RandomState> =
            first.into_iter().map(|(_, shape)| shape).collect();
        shapes.into_iter().collect()
    }

    /// Gives the value at a position of each record whose shape has one (`at` says where, by the shape), with the positions
    /// of the records that have it; a value may come more than once.
    pub fn each(
        &self,
        store: &Store,
        at: impl Fn(ShapeIx) -> Option<usize>,
        mut found: impl FnMut(Value, &[u32]),
    ) {
        for &(position, record) in &self.loose {
            if let Some(at) = at(record.shape) {
                found(store.record_value(record, at), &[position]);
            }
        }
        for group in &self.groups {
            let Some(field) = at(group.shape).and_then(|at| store.sheet(group.sheet)?.field(at)) else {
                continue;
            };
            field.each(&group.rows, |value, range| found(store.resolve(value), &group.positions[range]));
        }
    }

    /// Gives the values of all fields with the first position that has each, sheet by sheet: the shape, the position of the
    /// field in it, the value, the position of the record. Of values that all mean the same to the type of a column, one.
    pub fn each_field(&self, store: &Store, mut found: impl FnMut(ShapeIx, usize, Value, u32)) {
        for &(position, record) in &self.loose {
            for (at, value) in store.raw(record).enumerate() {
                found(record.shape, at, value, position);
            }
        }
        for group in &self.groups {
            let fields = store.sheet(group.sheet).map_or(&[][..], |sheet| &sheet.fields);
            for (at, field) in fields.iter().enumerate() {
                if let Some(value) = field.like_all() {
                    found(group.shape, at, value, group.first());
                    continue;
                }
                field.each(&group.rows, |value, range| found(group.shape, at, value, group.earliest(range)));
            }
        }
    }
}

impl Group {
    fn new(record: Record) -> Self {
        Self {
            sheet: record.sheet,
            shape: record.shape,
            rows: SheetRows::default(),
            positions: Vec::new(),
            ascending: true,
        }
    }

    fn push(&mut self, row: u32, position: u32, length: u32) {
        self.ascending &= self.rows.last().is_none_or(|last| last <= row);
        self.rows.extend(row..row + length);
        self.positions.extend(position..position + length);
    }

    fn arrange(&mut self) {
        if !self.ascending {
            let rows = std::mem::take(&mut self.rows).list();
            let mut pairs: Vec<(u32, u32)> = rows.into_iter().zip(self.positions.iter().copied()).collect();
            pairs.sort_unstable();
            let (rows, positions) = pairs.into_iter().unzip();
            (self.rows, self.positions) = (SheetRows::List(rows), positions);
        }
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
