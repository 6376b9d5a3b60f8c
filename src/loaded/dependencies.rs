//! The jobs that each job depends on.

use std::borrow::Cow;

use indexmap::IndexMap;

use super::run::LoadedRun;
use crate::objects::Dependencies;
use crate::values::{ObjectIx, Value, index};

impl LoadedRun {
    /// The identifiers of the jobs that each job at some positions depends on: as state.json lists them if the run has one, else
    /// sorted, rebuilt from the graph.
    pub fn dependencies_of(
        &self,
        positions: impl Iterator<Item = usize>,
    ) -> impl Iterator<Item = Vec<Cow<'_, str>>> {
        let (rows, objects) = (self.rows(), self.objects());
        let graph = &objects.graph;
        let mut walk = Dependencies::new(graph, |object| {
            let producer = match graph.task(object) {
                Value::Object(task) => task,
                Value::Unresolved(_) => return None,
                _ => object,
            };
            rows.position(graph.store.bytes(graph.object(producer).identifier)).map(index)
        });
        positions.map(move |position| {
            if !objects.dependencies.is_empty()
                && let Some(needs) = objects.dependencies.get(&*rows.job_id(&rows.rows[position]))
            {
                return needs.iter().map(|job_id| job_id.into()).collect();
            }
            let needs = objects.roots[position].map(|root| walk.of(root)).unwrap_or_default();
            let mut needs: Vec<Cow<'_, str>> =
                needs.into_iter().map(|position| rows.job_id(&rows.rows[position as usize])).collect();
            needs.sort_unstable();
            needs
        })
    }

    /// The job that produced an object of its graph, or the object itself if it is a job.
    #[must_use]
    pub fn producer(&self, object: ObjectIx) -> Option<ObjectIx> {
        self.objects().graph.producer(object, |job_id| self.rows().position(job_id).is_some())
    }

    /// The identifiers of the jobs that each job depends on; only of jobs that depend on some.
    #[must_use]
    pub fn all_dependencies(&self) -> IndexMap<String, Vec<String>> {
        let rows = self.rows();
        let needs = self.dependencies_of(0..rows.rows.len());
        rows.rows
            .iter()
            .zip(needs)
            .filter(|(_, needs)| !needs.is_empty())
            .map(|(row, needs)| {
                (rows.job_id(row).into_owned(), needs.into_iter().map(Cow::into_owned).collect())
            })
            .collect()
    }
}
