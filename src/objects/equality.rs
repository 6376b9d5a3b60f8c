//! Whether two configs have the same content.

use std::hash::{DefaultHasher, Hash, Hasher};

use ahash::{HashMap, HashSet};

use super::graph::Graph;
use crate::values::{ObjectIx, Record, Value};

/// A config and the graph it is in.
type Position<'g> = (&'g Graph, ObjectIx);

/// Whether two configs, of one graph or of two, have the same class and the same fields, however deep. `1`, `1.0` and `True`
/// differ; `NaN` equals `NaN`; the members of a set may come in any order.
#[must_use]
pub fn same_content(a: Position<'_>, b: Position<'_>) -> bool {
    let mut comparison = Comparison { a: a.0, b: b.0, met: HashSet::default(), pending: Vec::new() };
    comparison.later(a.1, b.1);
    while let Some((x, y)) = comparison.pending.pop() {
        if !comparison.objects(x, y) {
            return false;
        }
    }
    true
}

/// Everything must be equal, so configs that are held are compared later, one after the other: no depth is too deep.
struct Comparison<'g> {
    a: &'g Graph,
    b: &'g Graph,
    /// The pairs that were compared or wait: each is compared once, however often it is shared
    met: HashSet<(ObjectIx, ObjectIx)>,
    pending: Vec<(ObjectIx, ObjectIx)>,
}

impl Comparison<'_> {
    fn later(&mut self, x: ObjectIx, y: ObjectIx) {
        if self.met.insert((x, y)) {
            self.pending.push((x, y));
        }
    }

    fn same_identity(&self, x: ObjectIx, y: ObjectIx) -> bool {
        self.a.typename(x) == self.b.typename(y) && self.a.identifier(x) == self.b.identifier(y)
    }

    fn objects(&mut self, x: ObjectIx, y: ObjectIx) -> bool {
        self.same_identity(x, y) && self.records(self.a.object(x).fields, self.b.object(y).fields)
    }

    fn records(&mut self, x: Record, y: Record) -> bool {
        let (a, b) = (&self.a.store, &self.b.store);
        let mine: Vec<(&[u8], Value)> =
            a.entries(x).map(|(key, value)| (a.symbol_bytes(key), value)).collect();
        let theirs: Vec<(&[u8], Value)> =
            b.entries(y).map(|(key, value)| (b.symbol_bytes(key), value)).collect();
        if mine.len() != theirs.len() {
            return false;
        }
        if mine.iter().zip(&theirs).all(|(x, y)| x.0 == y.0) {
            return mine.iter().zip(&theirs).all(|(x, y)| self.values(x.1, y.1));
        }
        let theirs: HashMap<&[u8], Value> = theirs.into_iter().collect();
        mine.into_iter().all(|(key, value)| theirs.get(key).is_some_and(|&other| self.values(value, other)))
    }

    fn values(&mut self, x: Value, y: Value) -> bool {
        let (a, b) = (&self.a.store, &self.b.store);
        match (x, y) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(x), Value::Bool(y)) => x == y,
            (Value::Int(x), Value::Int(y)) => x == y,
            (Value::Float(x), Value::Float(y)) => x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan()),
            (Value::BigInt(x), Value::BigInt(y))
            | (Value::Str(x), Value::Str(y))
            | (Value::Path(x), Value::Path(y)) => a.bytes(x) == b.bytes(y),
            (Value::Enum(x), Value::Enum(y)) => match (a.enum_member(x), b.enum_member(y)) {
                (Some(x), Some(y)) => {
                    let names = [(x.module, y.module), (x.class, y.class), (x.name, y.name)];
                    names.into_iter().all(|(x, y)| a.symbol_bytes(x) == b.symbol_bytes(y))
                }
                _ => false,
            },
            (Value::List(x), Value::List(y)) => {
                x.len() == y.len() && a.items(x).zip(b.items(y)).all(|(x, y)| self.values(x, y))
            }
            (Value::Set(x), Value::Set(y)) => {
                let mut theirs: HashMap<u64, Vec<Value>> = HashMap::default();
                for other in b.items(y) {
                    theirs.entry(print(self.b, other)).or_default().push(other);
                }
                x.len() == y.len()
                    && a.items(x).all(|x| {
                        let alike = theirs.get_mut(&print(self.a, x));
                        alike.is_some_and(|alike| self.take_member(x, alike))
                    })
            }
            (Value::Dict(x), Value::Dict(y)) => self.records(x, y),
            (Value::Object(x), Value::Object(y)) => {
                self.later(x, y);
                true
            }
            (Value::Unresolved(x), Value::Unresolved(y)) => a.unresolved(x).id == b.unresolved(y).id,
            _ => false,
        }
    }

    /// Takes the member out of `theirs` that equals `mine`; configs are told apart by class and identifier first.
    fn take_member(&mut self, mine: Value, theirs: &mut Vec<Value>) -> bool {
        let same = |other: &Value| match (mine, *other) {
            (Value::Object(x), Value::Object(y)) => self.same_identity(x, y),
            (mine, other) => self.values(mine, other),
        };
        let Some(at) = theirs.iter().position(same) else { return false };
        let other = theirs.swap_remove(at);
        self.values(mine, other)
    }
}

/// A number that is the same for equal members of a set, and seldom for others, so that few have to be compared.
fn print(graph: &Graph, value: Value) -> u64 {
    let store = &graph.store;
    let mut hasher = DefaultHasher::new();
    std::mem::discriminant(&value).hash(&mut hasher);
    match value {
        Value::Null => {}
        Value::Bool(value) => value.hash(&mut hasher),
        Value::Int(value) => value.hash(&mut hasher),
        Value::Float(value) if value.is_nan() => {}
        Value::Float(value) => value.to_bits().hash(&mut hasher),
        Value::BigInt(text) | Value::Str(text) | Value::Path(text) => store.bytes(text).hash(&mut hasher),
        Value::Enum(at) => {
            store.enum_member(at).map(|member| store.symbol_bytes(member.name)).hash(&mut hasher);
        }
        Value::List(items) => {
            store.items(items).map(|item| print(graph, item)).for_each(|print| print.hash(&mut hasher));
        }
        // in any order
        Value::Set(items) => {
            let sum = store.items(items).fold(0_u64, |sum, item| sum.wrapping_add(print(graph, item)));
            sum.hash(&mut hasher);
        }
        Value::Dict(record) => {
            let entry = |(key, value)| {
                let mut entry = DefaultHasher::new();
                (store.symbol_bytes(key), print(graph, value)).hash(&mut entry);
                entry.finish()
            };
            let sum = store.entries(record).map(entry).fold(0_u64, u64::wrapping_add);
            sum.hash(&mut hasher);
        }
        Value::Object(at) => (graph.typename(at), graph.identifier(at)).hash(&mut hasher),
        Value::Unresolved(at) => store.unresolved(at).id.hash(&mut hasher),
    }
    hasher.finish()
}
