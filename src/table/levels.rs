//! Nesting levels: the distinct configs at a path, and which of them each row has.

use std::sync::Arc;

use ahash::HashSet;
use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::error::ArrowError;

use super::codes::{self, NONE};
use crate::columns::{PathId, PathTree};
use crate::objects::Graph;
use crate::values::{ObjectIx, Record, RecordGroups, ShapeIx, Store, Value, index};

/// The values that some records have under one key; null where a record lacks the key.
pub(super) struct KeyView<'c> {
    store: &'c Store,
    records: &'c RecordGroups,
    /// The position of the key in each shape, or [`NONE`]
    key_positions: Vec<u32>,
}

impl<'c> KeyView<'c> {
    pub fn new(store: &'c Store, records: &'c RecordGroups, key: &str) -> Self {
        let symbols = store.named(key);
        let key_position = |shape| {
            let mut keys = store.shape(shape).iter();
            keys.position(|symbol| symbols.contains(symbol)).map_or(NONE, index)
        };
        Self { store, records, key_positions: store.shapes().map(key_position).collect() }
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Calls `visit` with each value and the positions of the records that have it. Equal values may come apart.
    #[inline]
    pub fn each(&self, visit: impl FnMut(Value, &[u32])) {
        let position = |shape: ShapeIx| {
            let position = self.key_positions.get(shape.index()).filter(|&&position| position != NONE);
            position.map(|&position| position as usize)
        };
        self.records.each(self.store, position, visit);
    }

    /// The value of each record.
    pub fn to_vec(&self) -> Vec<Value> {
        let mut values = vec![Value::Null; self.len()];
        self.each(|value, positions| {
            for &position in positions {
                values[position as usize] = value;
            }
        });
        values
    }
}

/// The distinct configs and dicts at a path, and which of them each row has.
pub(super) struct NestingLevel {
    /// The configs and dicts; empty for the roots, unless a column shows their class or identifier
    pub values: Vec<Value>,
    /// Their fields
    pub records: RecordGroups,
    /// The position of each row's record; none at the roots, where each row has its own record
    codes: Option<Arc<UInt32Array>>,
}

impl NestingLevel {
    /// The level of the roots: one record a row.
    pub fn of_rows(values: Vec<Value>, rows: impl Iterator<Item = Option<Record>>) -> Self {
        Self { values, records: RecordGroups::new(rows), codes: None }
    }

    /// The level below a key, of which `values` has one value for each record of this level.
    pub fn below(&self, values: &KeyView<'_>, graph: Option<&Graph>) -> Self {
        // the position that each object was given, from 1
        let mut marks = vec![0_u32; graph.map_or(0, Graph::len)];
        let mut distinct = Vec::new();
        let mut local = vec![NONE; self.records.len()];
        values.each(|value, positions| {
            let code = match value {
                Value::Object(object) => {
                    let mark = &mut marks[object.index()];
                    if *mark == 0 {
                        distinct.push(value);
                        *mark = index(distinct.len());
                    }
                    *mark - 1
                }
                Value::Dict(_) => {
                    // a dict that did not change from line to line is one value
                    if distinct.last() != Some(&value) {
                        distinct.push(value);
                    }
                    index(distinct.len() - 1)
                }
                _ => return,
            };
            for &position in positions {
                local[position as usize] = code;
            }
        });
        let records = records_of(&distinct, graph);
        Self { values: distinct, records, codes: Some(Arc::new(self.compose(local))) }
    }

    /// The code of each row, from `local`: the code of each record of this level.
    fn compose(&self, local: Vec<u32>) -> UInt32Array {
        codes::array(match &self.codes {
            None => local,
            Some(codes) => codes.iter().map(|code| code.map_or(NONE, |code| local[code as usize])).collect(),
        })
    }

    /// Repeats an array of one value a record into one value a row.
    pub fn expand(&self, array: ArrayRef) -> Result<ArrayRef, ArrowError> {
        match &self.codes {
            None => Ok(array),
            Some(codes) => take(&array, codes.as_ref() as &UInt32Array, None),
        }
    }
}

/// The fields of each config and dict; none for other values.
pub(super) fn records_of(values: &[Value], graph: Option<&Graph>) -> RecordGroups {
    RecordGroups::new(values.iter().map(|&value| record_of(value, graph)))
}

/// The fields of a config or dict.
pub(super) fn record_of(value: Value, graph: Option<&Graph>) -> Option<Record> {
    match value {
        Value::Object(object) => graph.map(|graph| graph.object(object).fields),
        Value::Dict(record) => Some(record),
        _ => None,
    }
}

/// Some paths and all paths above them.
pub(super) fn with_ancestors(tree: &PathTree, paths: impl Iterator<Item = PathId>) -> HashSet<PathId> {
    let mut all = HashSet::default();
    for path in paths {
        let mut next = Some(path);
        while let Some(path) = next.filter(|&path| all.insert(path)) {
            next = tree.get(path).parent();
        }
    }
    all
}

/// The distinct configs and dicts that some configs have at a path of keys, and which of them each has.
pub(crate) fn objects_at(
    graph: &Graph,
    roots: &[Option<ObjectIx>],
    keys: &[&str],
) -> (Vec<Value>, Vec<Option<u32>>) {
    let fields = |root: &Option<ObjectIx>| root.map(|root| graph.object(root).fields);
    let mut level = NestingLevel::of_rows(Vec::new(), roots.iter().map(fields));
    for key in keys {
        let values = KeyView::new(&graph.store, &level.records, key);
        level = level.below(&values, Some(graph));
    }
    let codes = level.codes.map_or_else(|| vec![None; roots.len()], |codes| codes.iter().collect());
    (level.values, codes)
}
