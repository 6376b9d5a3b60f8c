//! The jobs that produced the configs at a path.

use super::jobs::{JobIx, Lineage, Link, Planned};
use super::run_jobs::RunJobs;
use crate::error::Result;
use crate::loaded::LoadedRun;
use crate::table::objects_at;
use crate::values::{Value, index};
use ahash::HashMap;

impl Lineage {
    /// For each job, the one that produced its config at a path, whose keys begin with the root's.
    pub(super) fn at_place(&self, path: &[&str], planned: &impl Planned) -> Result<Vec<Link>> {
        let mut links = Vec::with_capacity(self.len());
        for (position, run) in self.runs.iter().enumerate() {
            let (count, base) = (run.jobs.len(), run.base);
            let producers = match &run.loaded {
                Some((loaded, _)) if loaded.objects_if_read().is_none() => vec![None; count],
                Some((loaded, _)) => producers_at(&run.jobs, loaded, path),
                None => {
                    let loaded = planned.open(position)?;
                    producers_at(&run.jobs, &loaded, path)
                }
            };
            let link =
                |number: Option<u32>| number.map_or(Link::None, |number| Link::Job(JobIx(base + number)));
            links.extend(producers.into_iter().map(link));
        }
        Ok(links)
    }
}

/// For each job of a run, the number of the one that produced its config at a path.
fn producers_at(jobs: &RunJobs, loaded: &LoadedRun, path: &[&str]) -> Vec<Option<u32>> {
    let (graph, rows) = (&loaded.objects().graph, loaded.rows());
    let listed = jobs.task_of.len();
    let unlisted: HashMap<&str, u32> =
        (index(listed)..).zip(&jobs.unlisted).map(|(number, job)| (job.job_id.as_str(), number)).collect();
    let (values, codes) = objects_at(graph, &jobs.roots(loaded), path.get(1..).unwrap_or_default());
    let number = |value: &Value| {
        let Value::Object(object) = *value else { return None };
        let producer = loaded.producer(object)?;
        let job_id = graph.store.bytes(graph.object(producer).identifier);
        let position = rows.position(job_id).filter(|&position| position < listed).map(index);
        position.or_else(|| unlisted.get(std::str::from_utf8(job_id).ok()?).copied())
    };
    let numbers: Vec<Option<u32>> = values.iter().map(number).collect();
    codes.into_iter().map(|code| numbers[code? as usize]).collect()
}
