//! Which failed job kept another from starting.

use std::collections::VecDeque;

use ahash::{HashMap, HashSet};
use indexmap::IndexMap;

use super::{DEPENDENCY, has_failed};
use crate::error::Error;
use crate::loaded::{JobLooks, LoadedRun};

/// Follows dependencies up to the first job that failed by itself.
pub struct Blockers<'r> {
    loaded: &'r LoadedRun,
    looks: &'r JobLooks<'r>,
    dependencies: IndexMap<String, Vec<String>>,
    /// By blocked job; nothing where none of what it needs failed
    known: HashMap<String, Option<(String, String)>>,
}

/// What a dependency means for the job that needs it.
enum Step {
    /// It did not fail
    Fine,
    /// It failed by itself: its task and identifier
    Failed(String, String),
    /// Another kept it from starting
    Blocked,
}

impl<'r> Blockers<'r> {
    /// Of the jobs of a run.
    pub fn new(loaded: &'r LoadedRun, looks: &'r JobLooks<'r>) -> Self {
        Self { loaded, looks, dependencies: loaded.all_dependencies(), known: HashMap::default() }
    }

    /// The task and the identifier of the nearest job upstream that failed by itself.
    pub fn of(&mut self, job_id: &str, errors: &mut Vec<Error>) -> Option<(String, String)> {
        let mut came_from: HashMap<String, String> = HashMap::default();
        let mut seen: HashSet<String> = HashSet::from_iter([job_id.to_owned()]);
        let mut pending = VecDeque::from([job_id.to_owned()]);
        while let Some(blocked) = pending.pop_front() {
            if let Some(blocker) = self.known.get(&blocked).cloned() {
                if blocker.is_some() {
                    return self.remember(blocked, &came_from, blocker);
                }
                continue;
            }
            let needs = self.dependencies.get(&blocked).cloned().unwrap_or_default();
            for needed in needs {
                if !seen.insert(needed.clone()) {
                    continue;
                }
                match self.step(&needed, errors) {
                    Step::Fine => {}
                    Step::Failed(task, job) => return self.remember(blocked, &came_from, Some((task, job))),
                    Step::Blocked => {
                        came_from.insert(needed.clone(), blocked.clone());
                        pending.push_back(needed);
                    }
                }
            }
        }
        self.known.insert(job_id.to_owned(), None);
        None
    }

    fn step(&self, job_id: &str, errors: &mut Vec<Error>) -> Step {
        let rows = self.loaded.rows();
        let Some(position) = rows.find(job_id) else { return Step::Fine };
        let task_id = rows.task_id(&rows.rows[position]).into_owned();
        let ending = self.looks.ending(position, errors);
        match ending.reason.as_deref() {
            _ if !has_failed(&ending) => Step::Fine,
            Some(DEPENDENCY) => Step::Blocked,
            _ => Step::Failed(task_id, job_id.to_owned()),
        }
    }

    /// Notes the answer for the blocked jobs on the way to it.
    fn remember(
        &mut self,
        blocked: String,
        came_from: &HashMap<String, String>,
        cause: Option<(String, String)>,
    ) -> Option<(String, String)> {
        let mut next = Some(blocked);
        while let Some(job_id) = next {
            next = came_from.get(&job_id).cloned();
            self.known.insert(job_id, cause.clone());
        }
        cause
    }
}
