//! The nearest job of a task upstream of each job.

use ahash::HashMap;

use super::jobs::{JobIx, Lineage, Link};
use crate::values::index;

/// No job of the task is upstream.
const FAR: u32 = u32::MAX;

/// The nearest job of a task upstream of each job.
#[derive(Debug)]
pub(super) struct Nearest {
    /// One a job of the lineage
    pub links: Vec<Link>,
    /// Two of the jobs, where several are equally near
    pub several: HashMap<u32, (u32, u32)>,
    /// The number of steps to it
    distances: Vec<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    New,
    Pending,
    Done,
}

impl Nearest {
    /// The nearest jobs of the tasks that match. `job_id` gives the identifier of a job.
    pub fn of(
        lineage: &Lineage,
        matches: impl Fn(&str) -> bool,
        job_id: &impl Fn(u32) -> Option<String>,
    ) -> Self {
        let count = lineage.len();
        let is_meant = meant(lineage, &matches);
        let mut nearest =
            Self { links: vec![Link::None; count], several: HashMap::default(), distances: vec![FAR; count] };
        // jobs of one run are different jobs
        let is_same = |a: JobIx, b: JobIx| {
            a == b || (lineage.locate(a.0).0 != lineage.locate(b.0).0 && job_id(a.0) == job_id(b.0))
        };
        let mut progress = vec![Progress::New; count];
        let mut pending: Vec<u32> = Vec::new();
        for start in 0..index(count) {
            pending.push(start);
            // a loop: chains of jobs are as long as experiments are
            while let Some(&job) = pending.last() {
                match progress[job as usize] {
                    Progress::New => {
                        progress[job as usize] = Progress::Pending;
                        let is_new = |need: &u32| progress[*need as usize] == Progress::New;
                        pending.extend(lineage.needs(job).filter(is_new));
                    }
                    Progress::Pending => {
                        progress[job as usize] = Progress::Done;
                        nearest.decide((lineage, job), &is_meant, &progress, &is_same);
                        pending.pop();
                    }
                    Progress::Done => drop(pending.pop()),
                }
            }
        }
        nearest
    }

    /// Decides a job whose needs are decided, except for those in a cycle with it.
    fn decide(
        &mut self,
        (lineage, job): (&Lineage, u32),
        is_meant: &[bool],
        progress: &[Progress],
        is_same: &impl Fn(JobIx, JobIx) -> bool,
    ) {
        let mut best: (u32, Link) = (FAR, Link::None);
        let mut several = None;
        for need in lineage.needs(job) {
            let (distance, link) = if is_meant[need as usize] {
                (1, Link::Job(JobIx(need)))
            } else if progress[need as usize] == Progress::Done && self.distances[need as usize] != FAR {
                (self.distances[need as usize] + 1, self.links[need as usize])
            } else {
                continue;
            };
            if distance < best.0 {
                best = (distance, link);
                several = self.several.get(&need).copied().filter(|_| link == Link::Several);
            } else if distance == best.0 {
                match (best.1, link) {
                    (Link::Job(first), Link::Job(second)) if !is_same(first, second) => {
                        several = Some((first.0, second.0));
                        best.1 = Link::Several;
                    }
                    (Link::Job(_), Link::Several) => {
                        several = self.several.get(&need).copied();
                        best.1 = Link::Several;
                    }
                    _ => {}
                }
            }
        }
        (self.distances[job as usize], self.links[job as usize]) = best;
        if let Some(several) = several {
            self.several.insert(job, several);
        }
    }
}

/// Whether each job is of a task that matches. A task is asked about once a run.
fn meant(lineage: &Lineage, matches: &impl Fn(&str) -> bool) -> Vec<bool> {
    let mut is_meant = Vec::with_capacity(lineage.len());
    for run in &lineage.runs {
        let tasks: Vec<bool> = run.jobs.tasks.iter().map(|task| matches(task)).collect();
        is_meant.extend(run.jobs.task_of.iter().map(|&task| tasks[task as usize]));
        let first = run.base + index(run.jobs.task_of.len());
        let unlisted = first..first + index(run.jobs.unlisted.len());
        is_meant.extend(unlisted.map(|job| matches(lineage.task(job))));
    }
    is_meant
}

impl Lineage {
    /// The jobs that a job needs directly, read where its whole config is.
    pub(super) fn needs(&self, job: u32) -> impl Iterator<Item = u32> {
        let (run, number) = self.locate(self.whole(job));
        let run = &self.runs[run];
        run.jobs.needs(number).iter().map(|need| run.base + need)
    }
}
