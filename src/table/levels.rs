//! Which distinct configs stand at a place, and which of them each row has.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::error::ArrowError;

use crate::columns::Places;
use crate::objects::Graph;
use crate::values::{Record, Store, Value, index};

/// A row that has nothing at a place, or a config that has no such field.
const NONE: u32 = u32::MAX;

/// The values under one key of some holders; null where a holder has none.
pub(super) struct Under<'c> {
    store: &'c Store,
    records: &'c [Option<Record>],
    /// The position of the key in each shape, or [`NONE`]
    positions: Vec<u32>,
}

impl<'c> Under<'c> {
    pub fn new(store: &'c Store, records: &'c [Option<Record>], key: &str) -> Self {
        let position = |shape| {
            let mut keys = store.shape(shape).iter();
            keys.position(|&symbol| store.symbol(symbol) == key).map_or(NONE, index)
        };
        Self { store, records, positions: store.shapes().map(position).collect() }
    }
}

impl Under<'_> {
    /// The values of some holders.
    #[inline]
    pub fn iter(&self, holders: Range<usize>) -> impl ExactSizeIterator<Item = Value> {
        self.records[holders].iter().map(|record| {
            let Some(record) = *record else { return Value::Null };
            match self.positions.get(record.shape.at()) {
                Some(&position) if position != NONE => self.store.record_value(record, position as usize),
                _ => Value::Null,
            }
        })
    }
}

/// The distinct configs and dicts at a place, and which of them each row has.
pub(super) struct Level {
    pub holders: Vec<Value>,
    /// What each of them holds
    pub records: Vec<Option<Record>>,
    /// The holder of each row; each row has its own if there are none
    codes: Option<Arc<UInt32Array>>,
}

impl Level {
    fn new(holders: Vec<Value>, codes: Option<UInt32Array>, graph: Option<&Graph>) -> Self {
        let records = records_of(&holders, graph);
        Self { holders, records, codes: codes.map(Arc::new) }
    }

    /// The level of the roots: one value a row.
    pub fn of_rows(rows: Vec<Value>, graph: Option<&Graph>) -> Self {
        Self::new(rows, None, graph)
    }

    /// The level below: `values` has one value for each holder of this one.
    pub fn below(&self, values: &Under<'_>, graph: Option<&Graph>) -> Self {
        // the position that each object was given
        let mut marks = vec![NONE; graph.map_or(0, Graph::len)];
        let mut holders = Vec::new();
        let mut local = Vec::with_capacity(self.records.len());
        for value in values.iter(0..self.records.len()) {
            local.push(match value {
                Value::Object(object) => {
                    let mark = &mut marks[object.at()];
                    if *mark == NONE {
                        *mark = index(holders.len());
                        holders.push(value);
                    }
                    *mark
                }
                Value::Dict(_) => {
                    // a dict that did not change from line to line is one
                    if holders.last() != Some(&value) {
                        holders.push(value);
                    }
                    index(holders.len() - 1)
                }
                _ => NONE,
            });
        }
        Self::new(holders, Some(self.compose(local)), graph)
    }

    /// From the position among this level's holders to what `local` says of it, for each row.
    fn compose(&self, local: Vec<u32>) -> UInt32Array {
        let known = |code: u32| (code != NONE).then_some(code);
        match &self.codes {
            None => local.into_iter().map(known).collect(),
            Some(codes) => {
                codes.iter().map(|code| code.and_then(|code| known(local[code as usize]))).collect()
            }
        }
    }

    /// Repeats an array of one value a holder so that it has one a row.
    pub fn expand(&self, array: ArrayRef) -> Result<ArrayRef, ArrowError> {
        match &self.codes {
            None => Ok(array),
            Some(codes) => take(&array, codes.as_ref() as &UInt32Array, None),
        }
    }
}

/// The keys and values of each config and dict; nothing for other values.
pub(super) fn records_of(values: &[Value], graph: Option<&Graph>) -> Vec<Option<Record>> {
    values.iter().map(|&value| record_of(value, graph)).collect()
}

/// The keys and values of a config or dict.
pub(super) fn record_of(value: Value, graph: Option<&Graph>) -> Option<Record> {
    match value {
        Value::Object(object) => graph.map(|graph| graph.object(object).fields),
        Value::Dict(record) => Some(record),
        _ => None,
    }
}

/// Whether a place lies on the way to one of the wanted ones; wanted places come with all their ancestors.
pub(super) fn with_ancestors(
    places: &Places,
    wanted: impl Iterator<Item = crate::columns::PlaceIx>,
) -> ahash::HashSet<crate::columns::PlaceIx> {
    let mut all = ahash::HashSet::default();
    for at in wanted {
        let mut next = Some(at);
        while let Some(at) = next.filter(|&at| all.insert(at)) {
            next = places.get(at).parent();
        }
    }
    all
}
