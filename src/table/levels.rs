//! Which distinct configs stand at a place, and which of them each row has.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::error::ArrowError;

use crate::columns::Places;
use crate::objects::Graph;
use crate::values::{Record, ShapeIx, Store, Value, index};

/// A row that has nothing at a place.
const NONE: u32 = u32::MAX;

/// The distinct configs and dicts at a place, and which of them each row has.
pub(super) struct Level {
    pub holders: Vec<Value>,
    /// The holder of each row; each row has its own if there are none
    codes: Option<Arc<UInt32Array>>,
}

/// Which object was given which position at the level that is being made, in one array for all levels.
pub(super) struct Marks {
    epoch: u32,
    marks: Vec<(u32, u32)>,
}

impl Marks {
    pub fn new(objects: usize) -> Self {
        Self { epoch: 0, marks: vec![(0, 0); objects] }
    }
}

impl Level {
    /// The level of the roots: one value a row.
    pub fn of_rows(rows: Vec<Value>) -> Self {
        Self { holders: rows, codes: None }
    }

    /// The level below: `values` has one value for each holder of this one.
    pub fn below(&self, values: &[Value], marks: &mut Marks) -> Self {
        marks.epoch += 1;
        let mut holders = Vec::new();
        let mut local = Vec::with_capacity(values.len());
        for &value in values {
            local.push(match value {
                Value::Object(object) => {
                    let mark = &mut marks.marks[object.at()];
                    if mark.0 != marks.epoch {
                        *mark = (marks.epoch, index(holders.len()));
                        holders.push(value);
                    }
                    mark.1
                }
                Value::Dict(_) => {
                    holders.push(value);
                    index(holders.len() - 1)
                }
                _ => NONE,
            });
        }
        Self { holders, codes: Some(Arc::new(self.compose(local))) }
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

/// The keys and values of a config or dict.
pub(super) fn record_of(value: Value, graph: Option<&Graph>) -> Option<Record> {
    match value {
        Value::Object(object) => graph.map(|graph| graph.object(object).fields),
        Value::Dict(record) => Some(record),
        _ => None,
    }
}

/// The values under each of `keys` of each holder, one list a key; null where a holder has none. Several keys are cheaper
/// together: their values lie side by side.
pub(super) fn values_under(
    holders: &[Value],
    keys: &[&str],
    store: &Store,
    graph: Option<&Graph>,
) -> Vec<Vec<Value>> {
    let mut lists: Vec<Vec<Value>> = keys.iter().map(|_| Vec::with_capacity(holders.len())).collect();
    let mut known: ahash::HashMap<ShapeIx, Vec<Option<usize>>> = ahash::HashMap::default();
    let nothing = vec![None; keys.len()];
    for &holder in holders {
        let record = record_of(holder, graph);
        let positions = record.map_or(&nothing, |record| {
            known.entry(record.shape).or_insert_with(|| {
                let names: Vec<_> =
                    store.shape(record.shape).iter().map(|&symbol| store.symbol(symbol)).collect();
                keys.iter().map(|key| names.iter().position(|name| name == key)).collect()
            })
        });
        for (list, position) in lists.iter_mut().zip(positions) {
            list.push(match (record, position) {
                (Some(record), Some(position)) => store.record_value(record, *position),
                _ => Value::Null,
            });
        }
    }
    lists
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
