//! Walks the objects below each object, once for all of them, since objects share what they refer to.

use ahash::HashMap;

use super::graph::Graph;
use crate::values::{ObjectIx, Value};

/// Further missing objects of a job are not listed.
pub(super) const MAX_LISTED: usize = 10;

impl Graph {
    /// For each object, the ids that are referred to below it and that no object has, at most one more than
    /// [`MAX_LISTED`]. With `tasks`, also the ids of the tasks that produced the objects below.
    pub(super) fn missing_ids(&self, tasks: bool) -> Vec<Vec<i64>> {
        let mut missing: Vec<Option<Vec<i64>>> = vec![None; self.len()];
        let add = |ids: &mut Vec<i64>, id: i64| {
            if ids.len() <= MAX_LISTED && !ids.contains(&id) {
                ids.push(id);
            }
        };
        let mut pending: Vec<ObjectIx> = self.indices().collect();
        pending.reverse();
        while let Some(&object) = pending.last() {
            let (mut ids, before) = (Vec::new(), pending.len());
            if missing[object.index()].is_none() {
                if let (true, Value::Unresolved(task)) = (tasks, self.task(object)) {
                    add(&mut ids, self.store.unresolved(task).id);
                }
                self.each_reference(object, |value| match value {
                    Value::Object(child) => match &missing[child.index()] {
                        Some(below) => below.iter().for_each(|&id| add(&mut ids, id)),
                        None => pending.push(child),
                    },
                    Value::Unresolved(reference) => add(&mut ids, self.store.unresolved(reference).id),
                    _ => {}
                });
            }
            // children come first
            if pending.len() == before {
                pending.pop();
                missing[object.index()].get_or_insert(ids);
            }
        }
        missing.into_iter().map(Option::unwrap_or_default).collect()
    }

    /// The number of values of a config with all its configs, if shared configs are written out each time.
    #[must_use]
    pub fn unfolded(&self, root: ObjectIx) -> u64 {
        let mut counts: HashMap<ObjectIx, u64> = HashMap::default();
        let mut pending = vec![root];
        while let Some(&object) = pending.last() {
            let (mut count, before) = (0_u64, pending.len());
            let mut values = vec![Value::Dict(self.object(object).fields)];
            while let Some(value) = values.pop() {
                count = count.saturating_add(1);
                match value {
                    Value::Object(child) => match counts.get(&child) {
                        Some(below) => count = count.saturating_add(*below),
                        None => pending.push(child),
                    },
                    Value::List(items) | Value::Set(items) => values.extend(self.store.items(items)),
                    Value::Dict(record) => values.extend(self.store.entries(record).map(|(_, value)| value)),
                    _ => {}
                }
            }
            if pending.len() == before {
                pending.pop();
                counts.insert(object, count);
            }
        }
        counts.get(&root).copied().unwrap_or_default()
    }
}
