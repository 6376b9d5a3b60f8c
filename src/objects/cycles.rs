//! Fields that go round in a circle: no experiment writes them, a hostile file may.

use super::graph::Graph;
use crate::values::{ObjectIx, UnresolvedIx, Value, index};

/// Marks the references that were resolved later and lead from one object of a circle to another.
///
/// References to objects defined earlier cannot close a circle, so none is left when those that lead forward are cut. The
/// circles are Tarjan's strongly connected components, found in one walk over all references, however they are tangled.
pub(super) fn cut(graph: &mut Graph) {
    let component = components(graph);
    let mut closing: Vec<UnresolvedIx> = Vec::new();
    for at in 0..graph.len() {
        for value in raw_references(graph, at) {
            if let (Value::Unresolved(reference), Some(next)) = (value, target(graph, value))
                && component[next] == component[at]
            {
                closing.push(reference);
            }
        }
    }
    for reference in closing {
        graph.store.mark_cyclic(reference);
    }
}

/// An object that was entered, and the references that were not followed yet.
struct Step {
    at: usize,
    left: Vec<Value>,
    /// The earliest object still open that is reached from here
    lowest: u32,
}

const NEW: u32 = u32::MAX;
const CLOSED: u32 = u32::MAX - 1;

/// The circle that each object is in, by a number; an object that is in none has its own.
fn components(graph: &Graph) -> Vec<usize> {
    let mut component: Vec<usize> = vec![0; graph.len()];
    // when each object was entered, or that it was not, or that its circle is known
    let mut entered: Vec<u32> = vec![NEW; graph.len()];
    let (mut clock, mut open) = (0, Vec::new());
    let mut path: Vec<Step> = Vec::new();
    for start in 0..graph.len() {
        let mut next = (entered[start] == NEW).then_some(start);
        loop {
            if let Some(at) = next.take() {
                entered[at] = clock;
                open.push(at);
                path.push(Step { at, left: raw_references(graph, at), lowest: clock });
                clock += 1;
            }
            let Some(step) = path.last_mut() else { break };
            if let Some(value) = step.left.pop() {
                match target(graph, value).map(|at| (at, entered[at])) {
                    Some((at, NEW)) => next = Some(at),
                    Some((_, CLOSED)) | None => {}
                    Some((_, time)) => step.lowest = step.lowest.min(time),
                }
                continue;
            }
            let (at, lowest) = (step.at, step.lowest);
            path.pop();
            if let Some(above) = path.last_mut() {
                above.lowest = above.lowest.min(lowest);
            }
            if lowest == entered[at] {
                while let Some(member) = open.pop() {
                    entered[member] = CLOSED;
                    component[member] = at;
                    if member == at {
                        break;
                    }
                }
            }
        }
    }
    component
}

/// The references that an object holds, as they were read, resolved or not.
fn raw_references(graph: &Graph, at: usize) -> Vec<Value> {
    let at = ObjectIx(index(at));
    let mut found = Vec::new();
    let mut pending: Vec<Value> = vec![graph.about(at).init_tasks];
    pending.extend(graph.store.raw(graph.object(at).fields));
    while let Some(value) = pending.pop() {
        match value {
            Value::Object(_) | Value::Unresolved(_) => found.push(value),
            Value::List(items) | Value::Set(items) => pending.extend(graph.store.raw_items(items)),
            Value::Dict(record) => pending.extend(graph.store.raw(record)),
            _ => {}
        }
    }
    found
}

fn target(graph: &Graph, value: Value) -> Option<usize> {
    match value {
        Value::Object(object) => Some(object.index()),
        Value::Unresolved(reference) => {
            let known = graph.store.unresolved(reference);
            known.object.filter(|_| !known.cyclic).map(ObjectIx::index)
        }
        _ => None,
    }
}
