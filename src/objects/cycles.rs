//! Cuts references that form a cycle: no experiment writes them, but a hostile file may.

use super::graph::Graph;
use crate::values::{ObjectIx, UnresolvedIx, Value, index};

/// Marks references that were resolved later and lead from one object of a cycle to another.
///
/// References to objects defined earlier cannot close a cycle, so none is left when those that lead forward are cut.
/// The cycles are Tarjan's strongly connected components, found in one walk over all references.
pub(super) fn cut(graph: &mut Graph) {
    let component = components(graph);
    let mut closing: Vec<UnresolvedIx> = Vec::new();
    for object in 0..graph.len() {
        for value in raw_references(graph, object) {
            if let (Value::Unresolved(reference), Some(next)) = (value, target(graph, value))
                && component[next] == component[object]
            {
                closing.push(reference);
            }
        }
    }
    for reference in closing {
        graph.store.mark_cyclic(reference);
    }
}

/// An object on the current path, and its references that were not followed yet.
struct Step {
    object: usize,
    references: Vec<Value>,
    /// The time of the earliest open object that is reachable from here
    lowest: u32,
}

/// The times of objects that were not entered, and of those whose component is complete.
const NOT_ENTERED: u32 = u32::MAX;
const CLOSED: u32 = u32::MAX - 1;

/// The strongly connected component of each object, as the number of one of its objects.
fn components(graph: &Graph) -> Vec<usize> {
    let mut component: Vec<usize> = vec![0; graph.len()];
    let mut entered: Vec<u32> = vec![NOT_ENTERED; graph.len()];
    let (mut clock, mut open) = (0, Vec::new());
    let mut path: Vec<Step> = Vec::new();
    for start in 0..graph.len() {
        let mut next = (entered[start] == NOT_ENTERED).then_some(start);
        loop {
            if let Some(object) = next.take() {
                entered[object] = clock;
                open.push(object);
                path.push(Step { object, references: raw_references(graph, object), lowest: clock });
                clock += 1;
            }
            let Some(step) = path.last_mut() else { break };
            if let Some(value) = step.references.pop() {
                match target(graph, value).map(|object| (object, entered[object])) {
                    Some((object, NOT_ENTERED)) => next = Some(object),
                    Some((_, CLOSED)) | None => {}
                    Some((_, time)) => step.lowest = step.lowest.min(time),
                }
                continue;
            }
            let (object, lowest) = (step.object, step.lowest);
            path.pop();
            if let Some(parent) = path.last_mut() {
                parent.lowest = parent.lowest.min(lowest);
            }
            if lowest == entered[object] {
                while let Some(member) = open.pop() {
                    entered[member] = CLOSED;
                    component[member] = object;
                    if member == object {
                        break;
                    }
                }
            }
        }
    }
    component
}

/// The references in the fields and init tasks of an object, as read.
fn raw_references(graph: &Graph, object: usize) -> Vec<Value> {
    let object = ObjectIx(index(object));
    let mut references = Vec::new();
    let mut pending: Vec<Value> = vec![graph.about(object).init_tasks];
    pending.extend(graph.store.raw(graph.object(object).fields));
    while let Some(value) = pending.pop() {
        match value {
            Value::Object(_) | Value::Unresolved(_) => references.push(value),
            Value::List(items) | Value::Set(items) => pending.extend(graph.store.raw_items(items)),
            Value::Dict(record) => pending.extend(graph.store.raw(record)),
            _ => {}
        }
    }
    references
}

/// The object of a reference, if there is one and the reference is not cut.
fn target(graph: &Graph, value: Value) -> Option<usize> {
    match value {
        Value::Object(object) => Some(object.index()),
        Value::Unresolved(reference) => {
            let reference = graph.store.unresolved(reference);
            reference.object.filter(|_| !reference.cyclic).map(ObjectIx::index)
        }
        _ => None,
    }
}
