//! The jobs that each job depends on.

use indexmap::IndexMap;

use super::run::LoadedRun;

impl LoadedRun {
    /// The identifiers of the jobs that a job depends on: from state.json if the run has one, else rebuilt from the graph.
    #[must_use]
    pub fn dependencies(&self, job_id: &str) -> Vec<String> {
        let objects = self.objects();
        if let Some(needs) = objects.dependencies.get(job_id) {
            return needs.clone();
        }
        let is_job = |identifier: &str| self.rows().position(identifier.as_bytes()).is_some();
        self.job(job_id)
            .map(|root| objects.graph.dependencies(root, is_job).into_iter().collect())
            .unwrap_or_default()
    }

    /// The dependencies of every job that has some.
    #[must_use]
    pub fn all_dependencies(&self) -> IndexMap<String, Vec<String>> {
        let rows = self.rows();
        let needs = rows.rows.iter().map(|row| {
            let job_id = rows.job_id(row).into_owned();
            let needs = self.dependencies(&job_id);
            (job_id, needs)
        });
        needs.filter(|(_, needs)| !needs.is_empty()).collect()
    }
}
