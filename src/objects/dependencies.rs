//! Which jobs a job needs, rebuilt from the graph: no file says it (`format.md` §9).

use std::collections::BTreeSet;

use ahash::HashSet;

use super::graph::Graph;
use crate::values::{ObjectIx, Value};

impl Graph {
    /// The identifiers of the jobs that the job at `root` needs, sorted.
    ///
    /// At each object below the job: a task among `jobs` that produced it is needed; else, if nothing produced it and it is
    /// itself among `jobs`, it is needed; neither is looked into. Anything else is looked into.
    #[must_use]
    pub fn dependencies(&self, root: ObjectIx, is_job: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let mut needed = BTreeSet::new();
        let mut seen = HashSet::default();
        let mut pending = vec![root];
        while let Some(at) = pending.pop() {
            self.held(at, |value| {
                let Value::Object(held) = value else { return };
                if held == root || !seen.insert(held) {
                    return;
                }
                let producer = match self.task(held) {
                    Value::Object(task) => Some(task),
                    Value::Unresolved(_) => None,
                    _ => Some(held),
                };
                match producer
                    .map(|producer| self.identifier(producer))
                    .filter(|identifier| is_job(identifier))
                {
                    Some(identifier) => drop(needed.insert(identifier.into_owned())),
                    None => pending.push(held),
                }
            });
        }
        needed
    }
}
