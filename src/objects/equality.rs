//! Whether two configs have the same content.

use ahash::HashSet;

use super::graph::Graph;
use crate::values::{ObjectIx, Record, Value};

/// A config and the graph it is in.
type Place<'g> = (&'g Graph, ObjectIx);

/// Whether two configs, of one graph or of two, have the same class and the same fields, however deep. `1`, `1.0` and `True`
/// differ; `NaN` equals `NaN`; the members of a set may come in any order.
#[must_use]
pub fn same_content(a: Place<'_>, b: Place<'_>) -> bool {
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
        let (mine, theirs): (Vec<_>, Vec<_>) = (a.entries(x).collect(), b.entries(y).collect());
        mine.len() == theirs.len()
            && mine.into_iter().all(|(key, value)| {
                let name = a.symbol_bytes(key);
                let other = theirs.iter().find(|&&(key, _)| b.symbol_bytes(key) == name);
                other.is_some_and(|&(_, other)| self.values(value, other))
            })
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
                let mut theirs: Vec<Value> = b.items(y).collect();
                x.len() == y.len() && a.items(x).all(|x| self.take_member(x, &mut theirs))
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
