//! What is below each object: found once for all of them, since they share what they hold.

use ahash::HashMap;

use super::graph::Graph;
use crate::values::{ObjectIx, Value, index};

/// More missing objects than that are not told one by one.
pub(super) const LISTED: usize = 10;

impl Graph {
    /// For each object the first ids that are named below it, with those of the tasks that produced what is there if asked,
    /// and that no object has: at most one more than [`LISTED`].
    pub(super) fn lacking(&self, tasks: bool) -> Vec<Vec<i64>> {
        let mut found: Vec<Option<Vec<i64>>> = vec![None; self.len()];
        let add = |ids: &mut Vec<i64>, id: i64| {
            if ids.len() <= LISTED && !ids.contains(&id) {
                ids.push(id);
            }
        };
        let mut pending: Vec<ObjectIx> = (0..self.len()).rev().map(|at| ObjectIx(index(at))).collect();
        while let Some(&at) = pending.last() {
            let (mut ids, before) = (Vec::new(), pending.len());
            if found[at.at()].is_none() {
                if let (true, Value::Unresolved(task)) = (tasks, self.task(at)) {
                    add(&mut ids, self.store.unresolved(task).id);
                }
                self.held(at, |value| match value {
                    Value::Object(held) => match &found[held.at()] {
                        Some(below) => below.iter().for_each(|&id| add(&mut ids, id)),
                        None => pending.push(held),
                    },
                    Value::Unresolved(reference) => add(&mut ids, self.store.unresolved(reference).id),
                    _ => {}
                });
            }
            // what it holds comes first
            if pending.len() == before {
                pending.pop();
                found[at.at()].get_or_insert(ids);
            }
        }
        found.into_iter().map(Option::unwrap_or_default).collect()
    }

    /// How many values a config and all that it holds are when what is shared is written each time.
    #[must_use]
    pub fn unfolded(&self, root: ObjectIx) -> u64 {
        let mut found: HashMap<ObjectIx, u64> = HashMap::default();
        let mut pending = vec![root];
        while let Some(&at) = pending.last() {
            let (mut count, before) = (0_u64, pending.len());
            let mut values = vec![Value::Dict(self.object(at).fields)];
            while let Some(value) = values.pop() {
                count = count.saturating_add(1);
                match value {
                    Value::Object(held) => match found.get(&held) {
                        Some(below) => count = count.saturating_add(*below),
                        None => pending.push(held),
                    },
                    Value::List(items) | Value::Set(items) => values.extend(self.store.items(items)),
                    Value::Dict(record) => values.extend(self.store.entries(record).map(|(_, value)| value)),
                    _ => {}
                }
            }
            if pending.len() == before {
                pending.pop();
                found.insert(at, count);
            }
        }
        found.get(&root).copied().unwrap_or_default()
    }
}
