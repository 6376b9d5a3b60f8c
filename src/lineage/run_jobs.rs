//! The jobs that the objects of one run name, and which of them each job needs.

use ahash::HashMap;
use indexmap::IndexMap;

use crate::loaded::LoadedRun;
use crate::objects::{ClassIx, Dependencies, Graph};
use crate::records::JobRows;
use crate::values::{ObjectIx, Symbol, Value, index};

/// No job.
pub(super) const NONE: u32 = u32::MAX;

/// A job that objects of a run name, and that the run does not list.
#[derive(Debug, Clone)]
pub(super) struct UnlistedJob {
    pub job_id: String,
    pub object: ObjectIx,
    /// Its class, which mostly is the identifier of its task but for its case
    pub typename: String,
    /// Whether the object has no fields: the job was not loaded when the run was written
    pub is_stub: bool,
}

/// The jobs of a run, numbered: those that it lists by their positions, then those that it does not list.
#[derive(Debug, Default)]
pub(super) struct RunJobs {
    /// The identifiers of the tasks, each once
    pub tasks: Vec<String>,
    /// The position in `tasks` of the task of each listed job
    pub task_of: Vec<u32>,
    pub unlisted: Vec<UnlistedJob>,
    /// Where the needs of each job begin
    starts: Vec<u32>,
    needs: Vec<u32>,
}

impl RunJobs {
    /// The jobs that a run lists, without what they need. Reads no config.
    pub fn listed(loaded: &LoadedRun) -> Self {
        let rows = loaded.rows();
        let mut jobs = Self::default();
        let mut numbers: HashMap<Symbol, u32> = HashMap::default();
        for row in rows.rows.iter() {
            let number = *numbers.entry(row.task_id).or_insert_with(|| {
                jobs.tasks.push(rows.task_id(row).into_owned());
                index(jobs.tasks.len() - 1)
            });
            jobs.task_of.push(number);
        }
        jobs
    }

    /// All jobs that the objects of a run name, and what each needs.
    pub fn of(loaded: &LoadedRun) -> Self {
        let mut jobs = Self::listed(loaded);
        let objects = loaded.objects();
        let numbers = Numbers::of(loaded, &mut jobs.unlisted);
        let graph = &objects.graph;
        let mut walk = Dependencies::new(graph, |object| numbers.producer(graph, object));
        let unlisted = jobs.unlisted.iter().map(|job| (!job.is_stub).then_some(job.object));
        jobs.starts.push(0);
        for (number, root) in objects.roots.iter().copied().chain(unlisted).enumerate() {
            if let Some(root) = root {
                jobs.needs.extend(walk.of(root).into_iter().filter(|&need| need as usize != number));
            }
            jobs.starts.push(index(jobs.needs.len()));
        }
        jobs
    }

    /// The number of jobs.
    pub fn len(&self) -> usize {
        self.task_of.len() + self.unlisted.len()
    }

    /// The jobs that a job needs directly.
    pub fn needs(&self, number: usize) -> &[u32] {
        match self.starts.get(number..number + 2) {
            Some(&[start, end]) => &self.needs[start as usize..end as usize],
            _ => &[],
        }
    }

    /// An unlisted job.
    pub fn unlisted(&self, number: usize) -> Option<&UnlistedJob> {
        self.unlisted.get(number.checked_sub(self.task_of.len())?)
    }

    /// The config of each job.
    pub fn roots(&self, loaded: &LoadedRun) -> Vec<Option<ObjectIx>> {
        let unlisted = self.unlisted.iter().map(|job| Some(job.object));
        loaded.objects().roots.iter().copied().chain(unlisted).collect()
    }
}

/// The number of the job of each object that is a job.
pub(super) struct Numbers {
    numbers: Vec<u32>,
    /// The number of jobs that the run lists
    listed: u32,
}

impl Numbers {
    /// Numbers the jobs among the objects of a run; those that it does not list are added to `unlisted`.
    pub fn of(loaded: &LoadedRun, unlisted: &mut Vec<UnlistedJob>) -> Self {
        let (rows, objects) = (loaded.rows(), loaded.objects());
        let graph = &objects.graph;
        let mut numbers = vec![NONE; graph.len()];
        let mut classes: Vec<ClassIx> = Vec::new();
        for (position, root) in objects.roots.iter().enumerate() {
            let Some(root) = root else { continue };
            numbers[root.index()] = index(position);
            let class = graph.about(*root).class;
            if classes.last() != Some(&class) && !classes.contains(&class) {
                classes.push(class);
            }
        }
        let mut added: IndexMap<Vec<u8>, u32, ahash::RandomState> = IndexMap::default();
        let mut number = |object: ObjectIx, is_job: bool| {
            if numbers[object.index()] != NONE {
                return;
            }
            let job_id = graph.store.bytes(graph.object(object).identifier);
            if let Some(position) = rows.position(job_id) {
                numbers[object.index()] = index(position);
            } else if is_job {
                let next = index(rows.rows.len() + added.len());
                numbers[object.index()] = *added.entry(job_id.to_vec()).or_insert_with(|| {
                    unlisted.push(unlisted_job(graph, object));
                    next
                });
            }
        };
        for object in graph.indices() {
            match graph.task(object) {
                Value::Object(task) => number(task, true),
                Value::Unresolved(_) => {}
                // a job that is written for the first time names no task
                _ if graph.about(object).stub => number(object, true),
                _ if classes.contains(&graph.about(object).class) => number(object, false),
                _ => {}
            }
        }
        prefer_whole(graph, rows, &numbers, unlisted);
        Self { numbers, listed: index(rows.rows.len()) }
    }

    /// The number of the job that an object is, or was produced by.
    pub fn producer(&self, graph: &Graph, object: ObjectIx) -> Option<u32> {
        let number = |object: ObjectIx| Some(self.numbers[object.index()]).filter(|&number| number != NONE);
        match graph.task(object) {
            Value::Object(task) => number(task),
            Value::Unresolved(_) => None,
            // as `Graph::producer`: a config without a task is a job if the run lists it, or if it is a stub
            _ => number(object).filter(|&number| number < self.listed || graph.about(object).stub),
        }
    }
}

fn unlisted_job(graph: &Graph, object: ObjectIx) -> UnlistedJob {
    UnlistedJob {
        job_id: graph.identifier(object).into_owned(),
        object,
        typename: graph.typename(object).into_owned(),
        is_stub: graph.about(object).stub,
    }
}

/// Takes the whole object of a job where a stub of it came first.
fn prefer_whole(graph: &Graph, rows: &JobRows, numbers: &[u32], unlisted: &mut [UnlistedJob]) {
    if !unlisted.iter().any(|job| job.is_stub) {
        return;
    }
    for object in graph.indices() {
        let number = numbers[object.index()] as usize;
        let job = number.checked_sub(rows.rows.len()).and_then(|position| unlisted.get_mut(position));
        if let Some(job) = job.filter(|job| job.is_stub && !graph.about(object).stub) {
            *job = unlisted_job(graph, object);
        }
    }
}
