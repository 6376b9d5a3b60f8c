//! The jobs that each job depends on.

use std::borrow::Cow;

use indexmap::IndexMap;

use super::run::LoadedRun;
use crate::objects::Dependencies;
use crate::values::index;

impl LoadedRun {
    /// The identifiers of the jobs that each job at some positions depends on: as state.json lists them if the run has one, else
    /// sorted, rebuilt from the graph.
    pub fn dependencies_of(
        &self,
        positions: impl Iterator<Item = usize>,
    ) -> impl Iterator<Item = Vec<Cow<'_, str>>> {
        let (rows, objects) = (self.rows(), self.objects());
        let mut walk = Dependencies::new(&objects.graph, |job_id: &[u8]| rows.position(job_id).map(index));
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
