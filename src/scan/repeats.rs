//! Finds the jobs that several runs list: an experiment that is launched again lists the jobs that are done already.

use ahash::{HashMap, HashSet, RandomState};

use crate::loaded::LoadedRun;

/// The jobs of several runs, in the order of the runs.
#[derive(Debug)]
pub(super) struct Repeats {
    runs: Vec<Jobs>,
    /// (workspace, experiment) pairs by their numbers
    experiments: HashMap<(String, String), usize>,
    hashers: [RandomState; 2],
}

#[derive(Debug)]
struct Jobs {
    experiment: usize,
    /// A hash of the directory of each job. Of 128 bits, so that two jobs have one hash in no number of jobs that can be stored
    directories: Vec<u128>,
}

/// Whether each job of a run is listed by a later run too.
#[derive(Debug)]
pub(super) struct Listed {
    /// By a later run of any experiment of the workspace
    pub of_workspace: Vec<bool>,
    /// By a later run of the same experiment
    pub of_experiment: Vec<bool>,
}

impl Default for Repeats {
    fn default() -> Self {
        let hashers = [RandomState::with_seeds(1, 2, 3, 4), RandomState::with_seeds(5, 6, 7, 8)];
        Self { runs: Vec::new(), experiments: HashMap::default(), hashers }
    }
}

impl Repeats {
    /// Notes the jobs of the next run.
    pub fn add(&mut self, loaded: &LoadedRun) {
        let (run, rows) = (loaded.run(), loaded.rows());
        let root = run.workspace().root().to_string_lossy().into_owned();
        let hash = |job_id: &[u8]| {
            let [high, low] = self.hashers.each_ref().map(|hasher| hasher.hash_one((&*root, job_id)));
            u128::from(high) << 64 | u128::from(low)
        };
        let directories = rows.rows.iter().map(|row| hash(rows.store.bytes(row.job_id))).collect();
        let next = self.experiments.len();
        let experiment = *self.experiments.entry((root, run.experiment().to_owned())).or_insert(next);
        self.runs.push(Jobs { experiment, directories });
    }

    /// Whether some runs are of one experiment.
    pub fn may_repeat(&self) -> bool {
        self.experiments.len() < self.runs.len()
    }

    /// Whether each job of each run is listed by a later run too; of the same experiment only if `distinct`.
    pub fn listed(&self, distinct: bool) -> Vec<Listed> {
        let count = self.runs.iter().map(|run| run.directories.len()).sum();
        let mut directories = HashSet::with_capacity_and_hasher(count, RandomState::default());
        let mut jobs = HashSet::default();
        let mut listed: Vec<Listed> = self
            .runs
            .iter()
            .rev()
            .map(|run| Listed {
                of_workspace: run.directories.iter().map(|&job| !directories.insert(job)).collect(),
                of_experiment: if distinct {
                    run.directories.iter().map(|&job| !jobs.insert((run.experiment, job))).collect()
                } else {
                    Vec::new()
                },
            })
            .collect();
        listed.reverse();
        listed
    }
}
