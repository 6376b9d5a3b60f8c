//! Which distinct configs stand at a place, and which of them each row has.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::error::ArrowError;

use super::codes::{self, NONE};
use crate::columns::PathTree;
use crate::objects::Graph;
use crate::values::{Record, RecordGroups, ShapeIx, Store, Value, index};

/// The values under one key of some holders; null where a holder has none.
pub(super) struct KeyView<'c> {
    store: &'c Store,
    holders: &'c RecordGroups,
    /// The position of the key in each shape, or [`NONE`]
    positions: Vec<u32>,
}

impl<'c> KeyView<'c> {
    pub fn new(store: &'c Store, holders: &'c RecordGroups, key: &str) -> Self {
        let named = store.named(key);
        let position = |shape| {
            let mut keys = store.shape(shape).iter();
            keys.position(|symbol| named.contains(symbol)).map_or(NONE, index)
        };
        Self { store, holders, positions: store.shapes().map(position).collect() }
    }

    /// How many holders there are.
    pub fn len(&self) -> usize {
        self.holders.len()
    }

    /// Gives each value with the holders that have it; a value may come more than once.
    #[inline]
    pub fn each(&self, found: impl FnMut(Value, &[u32])) {
        let position = |shape: ShapeIx| {
            let position = self.positions.get(shape.at()).filter(|&&position| position != NONE);
            position.map(|&position| position as usize)
        };
        self.holders.each(self.store, position, found);
    }

    /// The value of each holder.
    pub fn values(&self) -> Vec<Value> {
        let mut values = vec![Value::Null; self.len()];
        self.each(|value, holders| {
            for &at in holders {
                values[at as usize] = value;
            }
        });
        values
    }
}

/// The distinct configs and dicts at a place, and which of them each row has.
pub(super) struct NestingLevel {
    /// Those of the roots only where something is told of them
    pub values: Vec<Value>,
    /// What each of them holds
    pub holders: RecordGroups,
    /// The holder of each row; each row has its own if there are none
    codes: Option<Arc<UInt32Array>>,
}

impl NestingLevel {
    /// The level of the roots: what each row holds.
    pub fn of_rows(values: Vec<Value>, rows: impl Iterator<Item = Option<Record>>) -> Self {
        Self { values, holders: RecordGroups::new(rows), codes: None }
    }

    /// The level below: `values` has one value for each holder of this one.
    pub fn below(&self, values: &KeyView<'_>, graph: Option<&Graph>) -> Self {
        // the position that each object was given, from 1
        let mut marks = vec![0_u32; graph.map_or(0, Graph::len)];
        let mut distinct = Vec::new();
        let mut local = vec![NONE; self.holders.len()];
        values.each(|value, holders| {
            let code = match value {
                Value::Object(object) => {
                    let mark = &mut marks[object.at()];
                    if *mark == 0 {
                        distinct.push(value);
                        *mark = index(distinct.len());
                    }
                    *mark - 1
                }
                Value::Dict(_) => {
                    // a dict that did not change from line to line is one
                    if distinct.last() != Some(&value) {
                        distinct.push(value);
                    }
                    index(distinct.len() - 1)
                }
                _ => return,
            };
            for &at in holders {
                local[at as usize] = code;
            }
        });
        let holders = holders_of(&distinct, graph);
        Self { values: distinct, holders, codes: Some(Arc::new(self.compose(local))) }
    }

    /// From the position among this level's holders to what `local` says of it, for each row.
    fn compose(&self, local: Vec<u32>) -> UInt32Array {
        codes::array(match &self.codes {
            None => local,
            Some(codes) => codes.iter().map(|code| code.map_or(NONE, |code| local[code as usize])).collect(),
        })
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
pub(super) fn holders_of(values: &[Value], graph: Option<&Graph>) -> RecordGroups {
    RecordGroups::new(values.iter().map(|&value| record_of(value, graph)))
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
    places: &PathTree,
    wanted: impl Iterator<Item = crate::columns::PathId>,
) -> ahash::HashSet<crate::columns::PathId> {
    let mut all = ahash::HashSet::default();
    for at in wanted {
        let mut next = Some(at);
        while let Some(at) = next.filter(|&at| all.insert(at)) {
            next = places.get(at).parent();
        }
    }
    all
}
