//! Fields that go round in a circle: no experiment writes them, a hostile file may.

use super::graph::Graph;
use crate::values::{ObjectIx, Value};

/// Marks every unresolved-at-first reference that leads back to the object that holds it.
///
/// References to objects defined earlier cannot close a circle, so only those are looked at that were resolved later.
pub(super) fn cut(graph: &mut Graph) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        Open,
        Done,
    }
    let mut seen = vec![Seen::No; graph.len()];
    for start in 0..graph.len() {
        if seen[start] != Seen::No {
            continue;
        }
        seen[start] = Seen::Open;
        let mut path = vec![(start, raw_references(graph, start))];
        while let Some((at, left)) = path.last_mut() {
            let Some(value) = left.pop() else {
                seen[*at] = Seen::Done;
                path.pop();
                continue;
            };
            let Some(next) = target(graph, value) else { continue };
            match (seen[next], value) {
                (Seen::Done, _) => {}
                (Seen::No, _) => {
                    seen[next] = Seen::Open;
                    path.push((next, raw_references(graph, next)));
                }
                (Seen::Open, Value::Unresolved(reference)) => graph.store.mark_cyclic(reference),
                (Seen::Open, _) => {
                    // the circle is closed by an earlier step: the forward reference on the path
                    let from = path.iter().position(|&(at, _)| at == next).unwrap_or(0);
                    let steps: Vec<usize> = path[from..].iter().map(|&(at, _)| at).collect();
                    cut_forward(graph, &steps);
                }
            }
        }
    }
}

/// The references in the fields of an object as they were read, resolved or not.
fn raw_references(graph: &Graph, at: usize) -> Vec<Value> {
    let mut found = Vec::new();
    let mut pending: Vec<Value> =
        graph.store.record(graph.object(ObjectIx(crate::values::index(at))).fields).to_vec();
    while let Some(value) = pending.pop() {
        match value {
            Value::Object(_) | Value::Unresolved(_) => found.push(value),
            Value::List(items) | Value::Set(items) => pending.extend(graph.store.raw_items(items)),
            Value::Dict(record) => pending.extend(graph.store.record(record)),
            _ => {}
        }
    }
    found
}

fn target(graph: &Graph, value: Value) -> Option<usize> {
    match value {
        Value::Object(object) => Some(object.at()),
        Value::Unresolved(reference) => {
            let known = graph.store.unresolved(reference);
            known.object.filter(|_| !known.cyclic).map(ObjectIx::at)
        }
        _ => None,
    }
}

/// Cuts the references resolved later between the objects of a circle.
fn cut_forward(graph: &mut Graph, steps: &[usize]) {
    for &at in steps {
        for value in raw_references(graph, at) {
            if let (Value::Unresolved(reference), Some(next)) = (value, target(graph, value))
                && steps.contains(&next)
            {
                graph.store.mark_cyclic(reference);
            }
        }
    }
}
