//! Which jobs a job depends on, rebuilt from the graph: no file of 2.x records it (docs/format.md §9).

use std::rc::Rc;

use ahash::HashSet;

use super::graph::Graph;
use crate::values::{ObjectIx, Record, Value, index};

/// Objects that lead to more jobs than this are walked for each job above them, which bounds the memory of the memo.
const MAX_MEMOIZED_JOBS: usize = 64;

/// The jobs that an object adds to the dependencies of a job above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Jobs {
    Unknown,
    /// The object is being walked
    Pending,
    None,
    /// The object is a job, or was produced by one; or all objects below lead to one job
    Single(u32),
    /// Those of the set at an index
    Set(u32),
    /// Too many to memoize
    Many,
}

/// Finds the jobs that jobs depend on. Objects that several jobs share are walked once.
///
/// An object below a job that a task among the jobs produced adds that task; an object without producer that is itself
/// a job adds itself. Neither is walked further. Any other object adds the jobs of its children.
pub struct Dependencies<'g, F> {
    graph: &'g Graph,
    /// The position of the job that an object is, or was produced by
    job_of: F,
    memo: Vec<Jobs>,
    sets: Vec<Box<[u32]>>,
    /// The fields of each sheet whose values may hold objects
    nested_fields: Vec<Option<Rc<[usize]>>>,
}

impl<'g, F: Fn(ObjectIx) -> Option<u32>> Dependencies<'g, F> {
    /// Dependencies among the jobs to which `job_of` gives a position, by their objects and those that they produced.
    pub fn new(graph: &'g Graph, job_of: F) -> Self {
        let memo = vec![Jobs::Unknown; graph.len()];
        Self { graph, job_of, memo, sets: Vec::new(), nested_fields: Vec::new() }
    }

    /// The positions of the jobs that the job at `root` depends on, sorted, each once.
    pub fn of(&mut self, root: ObjectIx) -> Vec<u32> {
        let mut children = Vec::new();
        self.children(root, &mut children);
        let mut pending: Vec<ObjectIx> = children.clone();
        while let Some(&object) = pending.last() {
            match self.memo[object.index()] {
                Jobs::Unknown => self.begin(object, &mut pending),
                Jobs::Pending => {
                    self.memo[object.index()] = self.below(object);
                    pending.pop();
                }
                _ => drop(pending.pop()),
            }
        }
        let mut jobs = Vec::new();
        let mut walked = HashSet::default();
        while let Some(object) = children.pop() {
            match self.memo[object.index()] {
                Jobs::Unknown | Jobs::Pending | Jobs::None => {}
                Jobs::Single(job) => jobs.push(job),
                Jobs::Set(set) => jobs.extend(&self.sets[set as usize]),
                Jobs::Many => {
                    if walked.insert(object) {
                        self.children(object, &mut children);
                    }
                }
            }
        }
        jobs.sort_unstable();
        jobs.dedup();
        jobs
    }

    /// Memoizes an object that is a job or was produced by one; pushes the children of any other.
    fn begin(&mut self, object: ObjectIx, pending: &mut Vec<ObjectIx>) {
        let job = (self.job_of)(object);
        self.memo[object.index()] = job.map_or(Jobs::Pending, Jobs::Single);
        if job.is_none() {
            let start = pending.len();
            self.children(object, pending);
            let unknown = |object: &ObjectIx| self.memo[object.index()] == Jobs::Unknown;
            let mut end = start;
            for position in start..pending.len() {
                if unknown(&pending[position]) {
                    pending.swap(end, position);
                    end += 1;
                }
            }
            pending.truncate(end);
        }
    }

    /// The jobs of the children of an object, which are all memoized, except for those in a cycle with it.
    fn below(&mut self, object: ObjectIx) -> Jobs {
        let mut children = Vec::new();
        self.children(object, &mut children);
        let mut all = Jobs::None;
        let mut jobs: Vec<u32> = Vec::new();
        for child in children {
            let more = self.memo[child.index()];
            match more {
                Jobs::Unknown | Jobs::Pending | Jobs::None => continue,
                _ if more == all => continue,
                Jobs::Many => return Jobs::Many,
                Jobs::Single(job) => jobs.push(job),
                Jobs::Set(set) => jobs.extend(&self.sets[set as usize]),
            }
            all = if all == Jobs::None { more } else { Jobs::Unknown };
        }
        if all != Jobs::Unknown {
            return all;
        }
        jobs.sort_unstable();
        jobs.dedup();
        if jobs.len() > MAX_MEMOIZED_JOBS {
            return Jobs::Many;
        }
        if let [job] = jobs[..] {
            return Jobs::Single(job);
        }
        self.sets.push(jobs.into());
        Jobs::Set(index(self.sets.len() - 1))
    }

    /// Pushes the objects in the fields and init tasks of an object, however deep in lists and dicts.
    fn children(&mut self, object: ObjectIx, children: &mut Vec<ObjectIx>) {
        self.push_fields(self.graph.object(object).fields, children);
        self.push_objects(self.graph.about(object).init_tasks, children);
    }

    fn push_fields(&mut self, record: Record, children: &mut Vec<ObjectIx>) {
        let store = &self.graph.store;
        let Some(sheet) = record.sheet() else {
            store.entries(record).for_each(|(_, value)| self.push_objects(value, children));
            return;
        };
        if self.nested_fields.len() <= sheet {
            self.nested_fields.resize(sheet + 1, None);
        }
        let fields = self.nested_fields[sheet].get_or_insert_with(|| store.nested_fields(record).into());
        let fields = Rc::clone(fields);
        fields.iter().for_each(|&field| self.push_objects(store.record_value(record, field), children));
    }

    fn push_objects(&self, value: Value, children: &mut Vec<ObjectIx>) {
        match value {
            Value::Object(object) => children.push(object),
            Value::List(_) | Value::Set(_) | Value::Dict(_) => {
                let store = &self.graph.store;
                let mut pending = vec![value];
                while let Some(value) = pending.pop() {
                    match value {
                        Value::Object(object) => children.push(object),
                        Value::List(items) | Value::Set(items) => pending.extend(store.items(items)),
                        Value::Dict(record) => pending.extend(store.entries(record).map(|(_, value)| value)),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}
