//! Walks the values of jobs for those that may be worth a finding.

use std::collections::VecDeque;

use crate::objects::Graph;
use crate::values::{ObjectIx, Value};

/// The longest field that is shown, in steps.
const MAX_STEPS: usize = 32;
/// The trail of a root.
const NO_STEP: usize = usize::MAX;

/// A value that may be worth a finding.
pub(super) struct Suspect {
    /// The config that holds it
    pub holder: ObjectIx,
    pub value: Value,
    trail: usize,
}

/// A walk over all values of the jobs. Each config is walked once, for the first job that holds it, by the shortest way.
pub(super) struct SuspectWalk<'g> {
    graph: &'g Graph,
    visited: Vec<bool>,
    /// Steps from the job to the values, as (step before, name)
    trail: Vec<(usize, String)>,
    suspects: Vec<Suspect>,
}

impl<'g> SuspectWalk<'g> {
    pub fn new(graph: &'g Graph) -> Self {
        Self { graph, visited: vec![false; graph.len()], trail: Vec::new(), suspects: Vec::new() }
    }

    /// The suspects among the values below a root that were not walked before.
    pub fn below(&mut self, root: ObjectIx) -> Vec<Suspect> {
        self.trail.clear();
        let mut pending = VecDeque::from([(root, NO_STEP)]);
        while let Some((object, trail)) = pending.pop_front() {
            if !std::mem::replace(&mut self.visited[object.index()], true) {
                self.walk_fields(object, trail, &mut pending);
            }
        }
        std::mem::take(&mut self.suspects)
    }

    /// The field of a suspect of the last root, as in `model.layers[2].size`.
    pub fn field(&self, suspect: &Suspect) -> String {
        let mut steps: Vec<&str> = Vec::new();
        let mut trail = suspect.trail;
        while let Some((before, name)) = self.trail.get(trail) {
            steps.push(name);
            trail = *before;
        }
        steps.truncate(MAX_STEPS);
        steps.reverse();
        steps.join(".").replace(".[", "[")
    }

    fn walk_fields(&mut self, holder: ObjectIx, trail: usize, pending: &mut VecDeque<(ObjectIx, usize)>) {
        let mut values = self.entries(Value::Dict(self.graph.object(holder).fields), trail);
        values.push((self.graph.about(holder).init_tasks, trail, "init_tasks".to_owned()));
        while let Some((value, before, name)) = values.pop() {
            match value {
                Value::Object(object) if self.visited[object.index()] => {}
                Value::Object(object) => pending.push_back((object, self.step(before, name))),
                Value::Path(_) | Value::Unresolved(_) => {
                    let trail = self.step(before, name);
                    self.suspects.push(Suspect { holder, value, trail });
                }
                Value::List(items) | Value::Set(items) => {
                    let trail = self.step(before, name);
                    if matches!(value, Value::Set(_)) {
                        self.suspects.push(Suspect { holder, value, trail });
                    }
                    let items = self.graph.store.items(items).enumerate();
                    let items = items.filter(|&(_, item)| may_hold_suspects(item));
                    values.extend(items.map(|(index, item)| (item, trail, format!("[{index}]"))));
                }
                Value::Dict(record) => {
                    let trail = self.step(before, name);
                    let mut keys = self.graph.store.shape(record.shape).iter();
                    if keys.any(|&key| self.graph.store.symbol_bytes(key) == b"type") {
                        self.suspects.push(Suspect { holder, value, trail });
                    }
                    values.extend(self.entries(value, trail));
                }
                _ => {}
            }
        }
    }

    fn entries(&self, value: Value, trail: usize) -> Vec<(Value, usize, String)> {
        let Value::Dict(record) = value else { return Vec::new() };
        let entries = self.graph.store.entries(record).filter(|&(_, value)| may_hold_suspects(value));
        entries.map(|(key, value)| (value, trail, self.graph.store.symbol(key).into_owned())).collect()
    }

    fn step(&mut self, before: usize, name: String) -> usize {
        self.trail.push((before, name));
        self.trail.len() - 1
    }
}

/// Whether a value may be a suspect, or hold one.
fn may_hold_suspects(value: Value) -> bool {
    use Value::{Dict, List, Object, Path, Set, Unresolved};
    matches!(value, Dict(_) | List(_) | Object(_) | Path(_) | Set(_) | Unresolved(_))
}
