//! Compares the content of two configs.

use std::hash::{DefaultHasher, Hash, Hasher};

use ahash::{HashMap, HashSet};

use super::graph::Graph;
use crate::values::{ObjectIx, Record, Value};

/// A config and its graph.
type Config<'g> = (&'g Graph, ObjectIx);

/// Whether two configs, of one graph or of two, have the same class and the same fields, at any depth. `1`, `1.0` and
/// `True` differ; `NaN` equals `NaN`; the members of a set may be in any order.
#[must_use]
pub fn same_content(a: Config<'_>, b: Config<'_>) -> bool {
    let mut comparison = Comparison { a: a.0, b: b.0, seen: HashSet::default(), pending: Vec::new() };
    comparison.later(a.1, b.1);
    while let Some((x, y)) = comparison.pending.pop() {
        if !comparison.objects(x, y) {
            return false;
        }
    }
    true
}

/// A comparison of two configs. Everything must be equal, so configs in fields are compared later, in a loop: no
/// recursion.
struct Comparison<'g> {
    a: &'g Graph,
    b: &'g Graph,
    /// The pairs compared or pending: each is compared once, however often it is shared
    seen: HashSet<(ObjectIx, ObjectIx)>,
    pending: Vec<(ObjectIx, ObjectIx)>,
}

impl Comparison<'_> {
    fn later(&mut self, x: ObjectIx, y: ObjectIx) {
        if self.seen.insert((x, y)) {
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
        let ours: Vec<(&[u8], Value)> =
            a.entries(x).map(|(key, value)| (a.symbol_bytes(key), value)).collect();
        let theirs: Vec<(&[u8], Value)> =
            b.entries(y).map(|(key, value)| (b.symbol_bytes(key), value)).collect();
        if ours.len() != theirs.len() {
            return false;
        }
        if ours.iter().zip(&theirs).all(|(x, y)| x.0 == y.0) {
            return ours.iter().zip(&theirs).all(|(x, y)| self.values(x.1, y.1));
        }
        let theirs: HashMap<&[u8], Value> = theirs.into_iter().collect();
        ours.into_iter().all(|(key, value)| theirs.get(key).is_some_and(|&theirs| self.values(value, theirs)))
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
                for member in b.items(y) {
                    theirs.entry(fingerprint(self.b, member)).or_default().push(member);
                }
                x.len() == y.len()
                    && a.items(x).all(|x| {
                        let candidates = theirs.get_mut(&fingerprint(self.a, x));
                        candidates.is_some_and(|candidates| self.take_member(x, candidates))
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

    /// Removes the member of `theirs` that equals `ours`. Configs are told apart by class and identifier first.
    fn take_member(&mut self, ours: Value, theirs: &mut Vec<Value>) -> bool {
        let same = |member: &Value| match (ours, *member) {
            (Value::Object(x), Value::Object(y)) => self.same_identity(x, y),
            (ours, member) => self.values(ours, member),
        };
        let Some(position) = theirs.iter().position(same) else { return false };
        let member = theirs.swap_remove(position);
        self.values(ours, member)
    }
}

/// A hash that is the same for equal members of a set, in both graphs.
fn fingerprint(graph: &Graph, value: Value) -> u64 {
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
        Value::Enum(member) => {
            store.enum_member(member).map(|member| store.symbol_bytes(member.name)).hash(&mut hasher);
        }
        Value::List(items) => {
            store.items(items).map(|item| fingerprint(graph, item)).for_each(|item| item.hash(&mut hasher));
        }
        // in any order
        Value::Set(items) => {
            let sum = store.items(items).fold(0_u64, |sum, item| sum.wrapping_add(fingerprint(graph, item)));
            sum.hash(&mut hasher);
        }
        Value::Dict(record) => {
            let entry = |(key, value)| {
                let mut entry = DefaultHasher::new();
                (store.symbol_bytes(key), fingerprint(graph, value)).hash(&mut entry);
                entry.finish()
            };
            let sum = store.entries(record).map(entry).fold(0_u64, u64::wrapping_add);
            sum.hash(&mut hasher);
        }
        Value::Object(object) => (graph.typename(object), graph.identifier(object)).hash(&mut hasher),
        Value::Unresolved(reference) => store.unresolved(reference).id.hash(&mut hasher),
    }
    hasher.finish()
}
