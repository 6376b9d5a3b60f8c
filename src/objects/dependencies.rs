//! The dependencies of a job, rebuilt from the graph: no file of experimaestro 2 lists them (docs/format.md §9).

use std::collections::BTreeSet;

use ahash::HashSet;

use super::graph::Graph;
use crate::values::{ObjectIx, Value};

impl Graph {
    /// The identifiers of the jobs that the job at `root` depends on, sorted.
    ///
    /// For each object below the job: if the task that produced it is a job, that job is a dependency; if nothing
    /// produced it and it is itself a job, it is a dependency. The walk does not go below dependencies.
    #[must_use]
    pub fn dependencies(&self, root: ObjectIx, is_job: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let mut dependencies = BTreeSet::new();
        let mut seen = HashSet::default();
        let mut pending = vec![root];
        while let Some(object) = pending.pop() {
            self.each_reference(object, |value| {
                let Value::Object(child) = value else { return };
                if child == root || !seen.insert(child) {
                    return;
                }
                let producer = match self.task(child) {
                    Value::Object(task) => Some(task),
                    Value::Unresolved(_) => None,
                    _ => Some(child),
                };
                let job = producer.map(|producer| self.identifier(producer));
                match job.filter(|identifier| is_job(identifier)) {
                    Some(identifier) => drop(dependencies.insert(identifier.into_owned())),
                    None => pending.push(child),
                }
            });
        }
        dependencies
    }
}
