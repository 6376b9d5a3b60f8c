//! Corrects references that are wrong because Python used an id twice (docs/format.md §13.7).
//!
//! The writer remembers the ids that it wrote during the whole run. Jobs are kept alive, but an action that is replaced
//! by an equal one is freed, and a new object at its address is taken for the freed one. So nothing can be wrong before
//! the second of two equal objects that are not jobs. Each job after it is compared with its params.json, which is
//! right.

use ahash::HashSet;

use super::container::Container;
use super::decode::NOBODY;
use super::graph::Graph;
use super::ids::Ids;
use super::params::Jobs;
use super::run::{JobKeys, RunObjects};
use crate::error::Error;
use crate::values::{ObjectIx, Value, index};

impl RunObjects {
    /// Reads the jobs with wrong references from their params.json instead, and reports them.
    pub(super) fn correct(&mut self, jobs: &Jobs<'_, impl JobKeys>, container: &Container) {
        let Some(since) = self.freed_since(&container.referrers, jobs.keys) else { return };
        let mut wrong: HashSet<ObjectIx> = HashSet::default();
        let mut misled: Vec<(usize, ObjectIx, ObjectIx)> = Vec::new();
        for position in 0..jobs.keys.count() {
            let Some(root) = self.roots[position].filter(|&root| root > since) else { continue };
            let Ok(own) = self.own_params(jobs, position, root) else { continue };
            let mismatched = self.mismatched(&own, &container.ids);
            let Some(&first) = mismatched.iter().min() else { continue };
            misled.push((position, root, first));
            wrong.extend(mismatched);
            wrong.insert(root);
        }
        // objects that a corrected job shares with other jobs stay shared, unless they are wrong
        let tainted = self.tainted(&wrong);
        let is_sound = |&(_, object): &(i64, ObjectIx)| tainted.get(object.index()) == Some(&false);
        let mut sound: Ids = container.ids.iter().filter(is_sound).collect();
        for (position, root, first) in misled {
            let read = self.read_params(jobs, position, Some((root, &sound)));
            let Ok((Container { last: Some(correct), ids, .. }, _)) = read else { continue };
            for (id, object) in ids.iter() {
                sound.insert(id, object);
            }
            self.errors.push(self.reused(root, first, &jobs.keys.job_id(position)));
            self.roots[position] = Some(correct);
            self.corrected.push(position);
        }
    }

    /// The objects of the file of the run whose id belongs to another object in a params.json of the same process.
    fn mismatched(&self, (own, params): &(Graph, Container), ids: &Ids) -> Vec<ObjectIx> {
        let mismatch = |(id, correct): (i64, ObjectIx)| {
            let object = ids.get(id)?;
            let same = self.graph.typename(object) == own.typename(correct)
                && self.graph.identifier(object) == own.identifier(correct);
            (!same).then_some(object)
        };
        params.ids.iter().filter_map(mismatch).collect()
    }

    fn reused(&self, root: ObjectIx, wrong: ObjectIx, job_id: &str) -> Error {
        let (file, line) = self.graph.location(root);
        let (id, typename) = (self.graph.object(wrong).id, self.graph.typename(wrong));
        Error::format(format!(
            "refers to object {id}, an unrelated {typename}: Python gave the id to two objects"
        ))
        .at_file(file)
        .at_line(line)
        .at_job(job_id)
        .hint("the job was read from its params.json instead")
    }

    /// The object after which an id may have been used before: the second of two equal actions. Only objects of an
    /// action that an equal one replaced are ever freed, and then both actions have a line. An action is listed by the
    /// run, or is neither a job nor referred to; a misled job may refer to both copies.
    fn freed_since(&self, referrers: &[u32], keys: &impl JobKeys) -> Option<ObjectIx> {
        let identifier = |object: ObjectIx| self.graph.store.bytes(self.graph.object(object).identifier);
        let objects = (0..referrers.len()).map(|object| ObjectIx(index(object)));
        let mut is_job = vec![false; referrers.len()];
        for root in self.roots.iter().flatten() {
            is_job.get_mut(root.index()).into_iter().for_each(|is_job| *is_job = true);
        }
        let others = objects.clone().filter(|object| !is_job[object.index()]);
        // most runs have no two equal objects; then their actions need not be read
        let mut seen: HashSet<&[u8]> = HashSet::default();
        if others.clone().all(|object| seen.insert(identifier(object))) {
            return None;
        }
        let actions = keys.actions();
        let unreferenced = others.filter(|object| referrers[object.index()] == NOBODY).map(identifier);
        let replaceable = unreferenced.filter(|identifier| keys.position(identifier).is_none());
        let replaceable: HashSet<&[u8]> = replaceable.chain(actions.iter().map(String::as_bytes)).collect();
        if replaceable.is_empty() {
            return None;
        }
        seen.clear();
        let mut candidates = objects.filter(|&object| replaceable.contains(identifier(object)));
        candidates.find(|&object| !seen.insert(identifier(object)))
    }

    /// Whether each object is one of `wrong` or refers to one, at any depth.
    fn tainted(&self, wrong: &HashSet<ObjectIx>) -> Vec<bool> {
        let mut referrers: Vec<Vec<ObjectIx>> = vec![Vec::new(); self.graph.len()];
        for object in self.graph.indices() {
            self.each_target(object, |target| referrers[target.index()].push(object));
        }
        let mut tainted = vec![false; self.graph.len()];
        let mut pending: Vec<ObjectIx> = wrong.iter().copied().collect();
        while let Some(object) = pending.pop() {
            if !std::mem::replace(&mut tainted[object.index()], true) {
                pending.append(&mut referrers[object.index()]);
            }
        }
        tainted
    }

    fn each_target(&self, object: ObjectIx, mut visit: impl FnMut(ObjectIx)) {
        let mut visit_value = |value: Value| {
            if let Value::Object(target) = self.graph.store.resolve(value) {
                visit(target);
            }
        };
        visit_value(self.graph.task(object));
        self.graph.each_reference(object, &mut visit_value);
    }
}
