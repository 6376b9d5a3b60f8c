//! Whether two configs have the same content.

use ahash::HashMap;

use super::graph::Graph;
use crate::values::{ObjectIx, Record, Value};

/// A config and the graph it is in.
type Place<'g> = (&'g Graph, ObjectIx);

/// Whether two configs, of one graph or of two, have the same class and the same fields, however deep. `1`, `1.0` and `True`
/// differ; `NaN` equals `NaN`; the members of a set may come in any order.
#[must_use]
pub fn same_content(a: Place<'_>, b: Place<'_>) -> bool {
    Comparison { a: a.0, b: b.0, met: HashMap::default(), depth: 0 }.objects(a.1, b.1)
}

struct Comparison<'g> {
    a: &'g Graph,
    b: &'g Graph,
    /// The pairs that were compared, or begun: each is compared once, however often it is shared
    met: HashMap<(ObjectIx, ObjectIx), bool>,
    depth: u32,
}

/// Below so many configs in each other, equal identifiers are enough.
const DEEPEST: u32 = 500;

impl Comparison<'_> {
    fn objects(&mut self, x: ObjectIx, y: ObjectIx) -> bool {
        if let Some(&known) = self.met.get(&(x, y)) {
            return known;
        }
        self.met.insert((x, y), true);
        self.depth += 1;
        let same = self.a.typename(x) == self.b.typename(y)
            && self.a.identifier(x) == self.b.identifier(y)
            && (self.depth > DEEPEST || self.records(self.a.object(x).fields, self.b.object(y).fields));
        self.depth -= 1;
        self.met.insert((x, y), same);
        same
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
                let theirs: Vec<Value> = b.items(y).collect();
                x.len() == y.len() && a.items(x).all(|x| theirs.iter().any(|&y| self.values(x, y)))
            }
            (Value::Dict(x), Value::Dict(y)) => self.records(x, y),
            (Value::Object(x), Value::Object(y)) => self.objects(x, y),
            (Value::Unresolved(x), Value::Unresolved(y)) => a.unresolved(x).id == b.unresolved(y).id,
            _ => false,
        }
    }
}
