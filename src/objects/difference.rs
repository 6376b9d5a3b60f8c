//! Finds where two configs differ.

use std::collections::VecDeque;

use ahash::{HashMap, HashSet};

use super::graph::Graph;
use crate::values::{ObjectIx, Record, Symbol, Value};

/// The first difference of two configs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The path of the value, as in `model.layers[2].size`; empty for the configs themselves
    pub field: String,
    /// The value in the first config
    pub first: String,
    /// The value in the second config
    pub second: String,
}

/// The nearest difference in the content of two configs: in their fields, their init tasks, and the tasks that produced
/// the configs below them. `None` if their content is equal. A task that was written as a stub equals the task that it
/// represents.
#[must_use]
pub fn difference(first: (&Graph, ObjectIx), second: (&Graph, ObjectIx)) -> Option<Difference> {
    let mut walk = Walk {
        a: first.0,
        b: second.0,
        seen: HashSet::default(),
        pending: VecDeque::new(),
        steps: Vec::new(),
    };
    walk.later(first.1, second.1, ROOT);
    while let Some((x, y, step)) = walk.pending.pop_front() {
        if let Err(difference) = walk.objects(x, y, step) {
            return Some(*difference);
        }
    }
    None
}

/// Longer values are cut, in characters.
const MAX_SHOWN_CHARS: usize = 60;
/// Longer paths are cut, in steps.
const MAX_SHOWN_STEPS: usize = 32;
/// The step of the two configs themselves.
const ROOT: usize = usize::MAX;

type Compared = Result<(), Box<Difference>>;

/// A breadth-first comparison of two configs.
struct Walk<'g> {
    a: &'g Graph,
    b: &'g Graph,
    /// The pairs compared or pending
    seen: HashSet<(ObjectIx, ObjectIx)>,
    /// Pairs to compare, nearest first, with the step that led to them
    pending: VecDeque<(ObjectIx, ObjectIx, usize)>,
    /// The previous step, and the name of a field, key or item
    steps: Vec<(usize, String)>,
}

impl Walk<'_> {
    fn later(&mut self, x: ObjectIx, y: ObjectIx, step: usize) {
        if self.seen.insert((x, y)) {
            self.pending.push_back((x, y, step));
        }
    }

    fn step(&mut self, from: usize, name: String) -> usize {
        self.steps.push((from, name));
        self.steps.len() - 1
    }

    fn differ(&self, step: usize, x: Option<Value>, y: Option<Value>) -> Compared {
        let shown = |graph: &Graph, value: Option<Value>| {
            value.map_or_else(|| "nothing".to_owned(), |value| show(graph, value))
        };
        Err(Box::new(Difference {
            field: self.path(step),
            first: shown(self.a, x),
            second: shown(self.b, y),
        }))
    }

    /// The path that ends with a step.
    fn path(&self, mut step: usize) -> String {
        let mut names: Vec<&str> = Vec::new();
        while let Some((previous, name)) = self.steps.get(step) {
            names.push(name);
            step = *previous;
        }
        let mut path = String::new();
        if names.len() > MAX_SHOWN_STEPS {
            names.truncate(MAX_SHOWN_STEPS);
            path.push('…');
        }
        for name in names.into_iter().rev() {
            if !path.is_empty() && !name.starts_with('[') {
                path.push('.');
            }
            path.push_str(name);
        }
        path
    }

    fn is_same(&self, x: ObjectIx, y: ObjectIx) -> bool {
        self.a.typename(x) == self.b.typename(y) && self.a.identifier(x) == self.b.identifier(y)
    }

    fn objects(&mut self, x: ObjectIx, y: ObjectIx, step: usize) -> Compared {
        if !self.is_same(x, y) {
            return self.differ(step, Some(Value::Object(x)), Some(Value::Object(y)));
        }
        let (ours, theirs) = (*self.a.about(x), *self.b.about(y));
        if ours.stub || theirs.stub {
            return Ok(());
        }
        self.records(self.a.object(x).fields, self.b.object(y).fields, step)?;
        self.values(ours.init_tasks, theirs.init_tasks, step, &|| "init_tasks".to_owned())?;
        let (ours, theirs) = (self.a.task(x), self.b.task(y));
        match (ours, theirs) {
            // a job is its own task once it was submitted; its producer has a definition of its own otherwise
            (Value::Object(our_task), Value::Object(their_task))
                if our_task != x && their_task != y && !self.is_same(our_task, their_task) =>
            {
                let step = self.step(step, "task".to_owned());
                self.differ(step, Some(ours), Some(theirs))
            }
            _ => Ok(()),
        }
    }

    fn records(&mut self, x: Record, y: Record, step: usize) -> Compared {
        let (a, b) = (self.a, self.b);
        let keys =
            |graph: &Graph, record: Record| -> Vec<Symbol> { graph.store.shape(record.shape).to_vec() };
        let (ours, theirs) = (keys(a, x), keys(b, y));
        let matches = self.matching_keys(&ours, &theirs);
        let mut unmatched: HashSet<usize> = HashSet::default();
        if matches.iter().flatten().count() < theirs.len() {
            unmatched = (0..theirs.len()).collect();
        }
        for (position, (&key, &partner)) in ours.iter().zip(&matches).enumerate() {
            let value = a.store.record_value(x, position);
            let Some(partner) = partner else {
                let step = self.step(step, a.store.symbol(key).into_owned());
                return self.differ(step, Some(value), None);
            };
            unmatched.remove(&partner);
            let name = || a.store.symbol(key).into_owned();
            self.values(value, b.store.record_value(y, partner), step, &name)?;
        }
        let Some(&position) = unmatched.iter().min() else { return Ok(()) };
        let step = self.step(step, b.store.symbol(theirs[position]).into_owned());
        self.differ(step, None, Some(b.store.record_value(y, position)))
    }

    /// For each of our keys, the position of the same key in theirs.
    fn matching_keys(&self, ours: &[Symbol], theirs: &[Symbol]) -> Vec<Option<usize>> {
        let (a, b) = (&self.a.store, &self.b.store);
        let is_same = |(x, y): (&Symbol, &Symbol)| a.symbol_bytes(*x) == b.symbol_bytes(*y);
        if ours.len() == theirs.len() && ours.iter().zip(theirs).all(is_same) {
            return (0..ours.len()).map(Some).collect();
        }
        let positions: HashMap<&[u8], usize> =
            theirs.iter().enumerate().map(|(position, &key)| (b.symbol_bytes(key), position)).collect();
        ours.iter().map(|&key| positions.get(a.symbol_bytes(key)).copied()).collect()
    }

    /// Compares two values; `name` is the step from `from` to them.
    fn values(&mut self, x: Value, y: Value, from: usize, name: &dyn Fn() -> String) -> Compared {
        let (a, b) = (self.a, self.b);
        let same = match (x, y) {
            (Value::Object(ours), Value::Object(theirs)) => {
                let step = self.step(from, name());
                if !self.is_same(ours, theirs) {
                    return self.differ(step, Some(x), Some(y));
                }
                self.later(ours, theirs, step);
                true
            }
            (Value::List(ours), Value::List(theirs)) => {
                let step = self.step(from, name());
                if ours.len() != theirs.len() {
                    return self.differ(step, Some(x), Some(y));
                }
                for (position, (ours, theirs)) in a.store.items(ours).zip(b.store.items(theirs)).enumerate() {
                    self.values(ours, theirs, step, &|| format!("[{position}]"))?;
                }
                true
            }
            (Value::Dict(ours), Value::Dict(theirs)) => {
                let step = self.step(from, name());
                self.records(ours, theirs, step)?;
                true
            }
            _ => is_same_leaf((a, x), (b, y)),
        };
        if same {
            return Ok(());
        }
        let step = self.step(from, name());
        self.differ(step, Some(x), Some(y))
    }
}

/// Whether two values without items are equal. Sets, which only saved objects have, are compared by their length.
fn is_same_leaf((a, x): (&Graph, Value), (b, y): (&Graph, Value)) -> bool {
    match (x, y) {
        (Value::Set(x), Value::Set(y)) => x.len() == y.len(),
        (Value::Float(x), Value::Float(y)) => x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan()),
        (Value::Str(x), Value::Str(y))
        | (Value::Path(x), Value::Path(y))
        | (Value::BigInt(x), Value::BigInt(y)) => a.store.bytes(x) == b.store.bytes(y),
        (Value::Enum(_), Value::Enum(_)) => show(a, x) == show(b, y),
        (Value::Unresolved(x), Value::Unresolved(y)) => a.store.unresolved(x).id == b.store.unresolved(y).id,
        (Value::Null, Value::Null) => true,
        (Value::Bool(x), Value::Bool(y)) => x == y,
        (Value::Int(x), Value::Int(y)) => x == y,
        _ => false,
    }
}

/// A value in one short line.
#[must_use]
pub fn show(graph: &Graph, value: Value) -> String {
    let store = &graph.store;
    let text = match value {
        Value::Null => "None".to_owned(),
        Value::Bool(value) => if value { "True" } else { "False" }.to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::BigInt(digits) => store.text(digits).0.into_owned(),
        Value::Str(text) | Value::Path(text) => format!("{:?}", store.text(text).0),
        Value::Enum(member) => store.enum_member(member).map_or_else(String::new, |member| {
            format!("{}.{}", store.symbol(member.class), store.symbol(member.name))
        }),
        Value::List(items) => format!("a list of {}", items.len()),
        Value::Set(items) => format!("a set of {}", items.len()),
        Value::Dict(record) => format!("a dict of {}", store.shape(record.shape).len()),
        Value::Object(object) => {
            let identifier = graph.identifier(object);
            let short: String = identifier.chars().take(8).collect();
            format!("{} {short}", graph.typename(object))
        }
        Value::Unresolved(reference) => {
            format!("object {}, which is missing", store.unresolved(reference).id)
        }
    };
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
