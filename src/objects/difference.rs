//! Where two configs that should be one differ.

use std::collections::VecDeque;

use ahash::{HashMap, HashSet};

use super::graph::Graph;
use crate::values::{ObjectIx, Record, Symbol, Value};

/// The first place at which two configs differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The place, as in `model.layers[2].size`; empty for the configs themselves
    pub field: String,
    /// What stands there in the first
    pub first: String,
    /// What stands there in the second
    pub second: String,
}

/// The nearest place at which the content of two configs differs, in their fields, init tasks and the tasks that produced
/// what they hold; nothing if it is the same. A task that was written as a stub equals the task that it stands for.
#[must_use]
pub fn difference(first: (&Graph, ObjectIx), second: (&Graph, ObjectIx)) -> Option<Difference> {
    let mut walk = Walk {
        a: first.0,
        b: second.0,
        met: HashSet::default(),
        pending: VecDeque::new(),
        trail: Vec::new(),
    };
    walk.later(first.1, second.1, NOWHERE);
    while let Some((x, y, at)) = walk.pending.pop_front() {
        if let Err(found) = walk.objects(x, y, at) {
            return Some(*found);
        }
    }
    None
}

/// The longest text of a value that is shown, in characters.
const LONGEST: usize = 60;
/// How many steps of a place are shown.
const DEEPEST: usize = 32;
const NOWHERE: usize = usize::MAX;

type Compared = Result<(), Box<Difference>>;

struct Walk<'g> {
    a: &'g Graph,
    b: &'g Graph,
    met: HashSet<(ObjectIx, ObjectIx)>,
    /// Pairs that wait, nearest first, with the step that led there
    pending: VecDeque<(ObjectIx, ObjectIx, usize)>,
    /// Steps: the one before, and the name of a field, key or item
    trail: Vec<(usize, String)>,
}

impl Walk<'_> {
    fn later(&mut self, x: ObjectIx, y: ObjectIx, at: usize) {
        if self.met.insert((x, y)) {
            self.pending.push_back((x, y, at));
        }
    }

    fn step(&mut self, from: usize, name: String) -> usize {
        self.trail.push((from, name));
        self.trail.len() - 1
    }

    fn differ(&self, at: usize, x: Option<Value>, y: Option<Value>) -> Compared {
        let shown = |graph: &Graph, value: Option<Value>| {
            value.map_or_else(|| "nothing".to_owned(), |value| show(graph, value))
        };
        Err(Box::new(Difference { field: self.place(at), first: shown(self.a, x), second: shown(self.b, y) }))
    }

    fn place(&self, mut at: usize) -> String {
        let mut steps: Vec<&str> = Vec::new();
        while let Some((before, name)) = self.trail.get(at) {
            steps.push(name);
            at = *before;
        }
        let cut = steps.len() > DEEPEST;
        steps.truncate(DEEPEST);
        let mut place = if cut { "…".to_owned() } else { String::new() };
        for step in steps.into_iter().rev() {
            if !place.is_empty() && !step.starts_with('[') {
                place.push('.');
            }
            place.push_str(step);
        }
        place
    }

    fn is_same(&self, x: ObjectIx, y: ObjectIx) -> bool {
        self.a.typename(x) == self.b.typename(y) && self.a.identifier(x) == self.b.identifier(y)
    }

    fn objects(&mut self, x: ObjectIx, y: ObjectIx, at: usize) -> Compared {
        if !self.is_same(x, y) {
            return self.differ(at, Some(Value::Object(x)), Some(Value::Object(y)));
        }
        let (mine, theirs) = (*self.a.about(x), *self.b.about(y));
        if mine.stub || theirs.stub {
            return Ok(());
        }
        self.records(self.a.object(x).fields, self.b.object(y).fields, at)?;
        self.values(mine.init_tasks, theirs.init_tasks, at, &|| "init_tasks".to_owned())?;
        let tasks = (self.a.task(x), self.b.task(y));
        match tasks {
            // a job is its own task once it was submitted, and its producer otherwise stands in its own line
            (Value::Object(one), Value::Object(other))
                if one != x && other != y && !self.is_same(one, other) =>
            {
                let at = self.step(at, "task".to_owned());
                self.differ(at, Some(tasks.0), Some(tasks.1))
            }
            _ => Ok(()),
        }
    }

    fn records(&mut self, x: Record, y: Record, at: usize) -> Compared {
        let (a, b) = (self.a, self.b);
        let names =
            |graph: &'_ Graph, record: Record| -> Vec<Symbol> { graph.store.shape(record.shape).to_vec() };
        let (mine, theirs) = (names(a, x), names(b, y));
        let is_same =
            |(one, other): (&Symbol, &Symbol)| a.store.symbol_bytes(*one) == b.store.symbol_bytes(*other);
        let places: Vec<Option<usize>> = if mine.len() == theirs.len()
            && mine.iter().zip(&theirs).all(is_same)
        {
            (0..mine.len()).map(Some).collect()
        } else {
            let known: HashMap<&[u8], usize> =
                theirs.iter().enumerate().map(|(place, &key)| (b.store.symbol_bytes(key), place)).collect();
            mine.iter().map(|&key| known.get(a.store.symbol_bytes(key)).copied()).collect()
        };
        let mut unknown: HashSet<usize> = HashSet::default();
        if places.iter().flatten().count() < theirs.len() {
            unknown = (0..theirs.len()).collect();
        }
        for (place, (&key, other)) in mine.iter().zip(&places).enumerate() {
            let value = a.store.record_value(x, place);
            let Some(other) = *other else {
                let at = self.step(at, a.store.symbol(key).into_owned());
                return self.differ(at, Some(value), None);
            };
            unknown.remove(&other);
            self.values(value, b.store.record_value(y, other), at, &|| a.store.symbol(key).into_owned())?;
        }
        let Some(&place) = unknown.iter().min() else { return Ok(()) };
        let at = self.step(at, b.store.symbol(theirs[place]).into_owned());
        self.differ(at, None, Some(b.store.record_value(y, place)))
    }

    fn values(&mut self, x: Value, y: Value, from: usize, name: &dyn Fn() -> String) -> Compared {
        let (a, b) = (self.a, self.b);
        let same = match (x, y) {
            (Value::Object(mine), Value::Object(theirs)) => {
                let at = self.step(from, name());
                if !self.is_same(mine, theirs) {
                    return self.differ(at, Some(x), Some(y));
                }
                self.later(mine, theirs, at);
                true
            }
            (Value::List(mine), Value::List(theirs)) => {
                let at = self.step(from, name());
                if mine.len() != theirs.len() {
                    return self.differ(at, Some(x), Some(y));
                }
                for (place, (mine, theirs)) in a.store.items(mine).zip(b.store.items(theirs)).enumerate() {
                    self.values(mine, theirs, at, &|| format!("[{place}]"))?;
                }
                true
            }
            (Value::Dict(mine), Value::Dict(theirs)) => {
                let at = self.step(from, name());
                self.records(mine, theirs, at)?;
                true
            }
            // in any order, and only in what was saved: the number tells enough
            (Value::Set(mine), Value::Set(theirs)) => mine.len() == theirs.len(),
            (Value::Float(mine), Value::Float(theirs)) => {
                mine.to_bits() == theirs.to_bits() || (mine.is_nan() && theirs.is_nan())
            }
            (Value::Str(mine), Value::Str(theirs))
            | (Value::Path(mine), Value::Path(theirs))
            | (Value::BigInt(mine), Value::BigInt(theirs)) => a.store.bytes(mine) == b.store.bytes(theirs),
            (Value::Enum(_), Value::Enum(_)) => show(a, x) == show(b, y),
            (Value::Unresolved(mine), Value::Unresolved(theirs)) => {
                a.store.unresolved(mine).id == b.store.unresolved(theirs).id
            }
            (Value::Null, Value::Null) => true,
            (Value::Bool(mine), Value::Bool(theirs)) => mine == theirs,
            (Value::Int(mine), Value::Int(theirs)) => mine == theirs,
            _ => false,
        };
        if same {
            return Ok(());
        }
        let at = self.step(from, name());
        self.differ(at, Some(x), Some(y))
    }
}

/// A value in one short line.
#[must_use]
pub fn show(graph: &Graph, value: Value) -> String {
    let store = &graph.store;
    let text = match value {
        Value::Null => "None".to_owned(),
        Value::Bool(yes) => if yes { "True" } else { "False" }.to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::BigInt(digits) => store.text(digits).0.into_owned(),
        Value::Str(text) | Value::Path(text) => format!("{:?}", store.text(text).0),
        Value::Enum(at) => store.enum_member(at).map_or_else(String::new, |member| {
            format!("{}.{}", store.symbol(member.class), store.symbol(member.name))
        }),
        Value::List(items) => format!("a list of {}", items.len()),
        Value::Set(items) => format!("a set of {}", items.len()),
        Value::Dict(record) => format!("a dict of {}", store.shape(record.shape).len()),
        Value::Object(at) => {
            let identifier = graph.identifier(at);
            let short: String = identifier.chars().take(8).collect();
            format!("{} {short}", graph.typename(at))
        }
        Value::Unresolved(at) => format!("object {}, which is missing", store.unresolved(at).id),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
