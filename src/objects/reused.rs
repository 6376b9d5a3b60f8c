//! References that Python led astray: an id that was used twice (`format.md` §13.7).
//!
//! The writer remembers the ids it wrote for the whole run. Jobs are kept alive, but an action that is replaced by an equal
//! one is freed, and a new object at its address is taken for the old one. So nothing can be wrong before the second of two
//! equal objects of which one is loose; every job behind it is compared with its params.json, which tells the truth.

use ahash::HashSet;

use super::container::Container;
use super::decode::{NOBODY, Relocation};
use super::graph::Graph;
use super::ids::Ids;
use super::run::{JobKeys, RunObjects};
use crate::error::Error;
use crate::values::{ObjectIx, Value, index};
use crate::workspace::Run;

impl RunObjects {
    /// Takes the jobs that refer to another object than they meant from their own params.json, and says so.
    pub(super) fn correct(
        &mut self,
        run: &Run,
        keys: &impl JobKeys,
        relocation: &Relocation,
        container: &Container,
    ) {
        let Some(since) = self.freed_since(&container.referrers, keys) else { return };
        let mut wrong: HashSet<ObjectIx> = HashSet::default();
        let mut misled: Vec<(usize, ObjectIx, ObjectIx)> = Vec::new();
        for at in 0..keys.count() {
            let Some(root) = self.roots[at].filter(|&root| root > since) else { continue };
            let Ok(own) = self.own_params(run, (keys, at), relocation, root) else { continue };
            let others = self.given_twice(&own, &container.ids);
            let Some(&first) = others.iter().min() else { continue };
            misled.push((at, root, first));
            wrong.extend(others);
            wrong.insert(root);
        }
        // what a corrected job shares with other jobs stays shared
        let tainted = self.tainted(&wrong);
        let sound = |&(_, at): &(i64, ObjectIx)| tainted.get(at.index()) == Some(&false);
        let mut known: Ids = container.ids.iter().filter(sound).collect();
        for (at, root, first) in misled {
            let read = self.read_params(run, (keys, at), relocation, Some((root, &known)));
            let Ok((Container { last: Some(truth), ids, .. }, _)) = read else { continue };
            for (id, at) in ids.iter() {
                known.insert(id, at);
            }
            self.errors.push(self.reused(root, first, &keys.job_id(at)));
            self.roots[at] = Some(truth);
            self.corrected.push(at);
        }
    }

    /// The objects of the run's file whose id is another object's in the params.json that the same process wrote.
    fn given_twice(&self, (own, params): &(Graph, Container), ids: &Ids) -> Vec<ObjectIx> {
        let other = |(id, true_one): (i64, ObjectIx)| {
            let at = ids.get(id)?;
            let same = self.graph.typename(at) == own.typename(true_one)
                && self.graph.identifier(at) == own.identifier(true_one);
            (!same).then_some(at)
        };
        params.ids.iter().filter_map(other).collect()
    }

    fn reused(&self, root: ObjectIx, wrong: ObjectIx, job_id: &str) -> Error {
        let (file, line) = self.graph.place(root);
        let (id, typename) = (self.graph.object(wrong).id, self.graph.typename(wrong));
        Error::format(format!(
            "refers to object {id}, an unrelated {typename}: Python gave the id to two objects"
        ))
        .at_file(file)
        .at_line(line)
        .at_job(job_id)
        .hint("the job was read from its params.json instead")
    }

    /// The object from which on an id may have been given before: the second of two equal actions. Only what an action held
    /// that an equal one replaced is ever freed, and the first time both have their lines. An action is what the run says is
    /// one, or what nobody refers to and is no job; a misled job may refer to both copies.
    fn freed_since(&self, referrers: &[u32], keys: &impl JobKeys) -> Option<ObjectIx> {
        let identifier = |at: ObjectIx| self.graph.store.bytes(self.graph.object(at).identifier);
        let objects = (0..referrers.len()).map(|at| ObjectIx(index(at)));
        let mut is_job = vec![false; referrers.len()];
        for root in self.roots.iter().flatten() {
            is_job.get_mut(root.index()).into_iter().for_each(|is| *is = true);
        }
        // most runs have no two equal objects, and need not be asked for their actions
        let mut seen: HashSet<&[u8]> = HashSet::default();
        if objects.clone().filter(|at| !is_job[at.index()]).all(|at| seen.insert(identifier(at))) {
            return None;
        }
        let actions = keys.actions();
        let loose =
            objects.clone().filter(|at| referrers[at.index()] == NOBODY && !is_job[at.index()]).map(identifier);
        let freed = loose.filter(|identifier| keys.position(identifier).is_none());
        let freed: HashSet<&[u8]> = freed.chain(actions.iter().map(String::as_bytes)).collect();
        if freed.is_empty() {
            return None;
        }
        seen.clear();
        objects.filter(|&at| freed.contains(identifier(at))).find(|&at| !seen.insert(identifier(at)))
    }

    /// Whether each object is one of `wrong` or holds one, however deep.
    fn tainted(&self, wrong: &HashSet<ObjectIx>) -> Vec<bool> {
        let mut holders: Vec<Vec<ObjectIx>> = vec![Vec::new(); self.graph.len()];
        for at in (0..self.graph.len()).map(|at| ObjectIx(index(at))) {
            self.references(at, |held| holders[held.index()].push(at));
        }
        let mut tainted = vec![false; self.graph.len()];
        let mut pending: Vec<ObjectIx> = wrong.iter().copied().collect();
        while let Some(at) = pending.pop() {
            if !std::mem::replace(&mut tainted[at.index()], true) {
                pending.append(&mut holders[at.index()]);
            }
        }
        tainted
    }

    fn references(&self, at: ObjectIx, mut found: impl FnMut(ObjectIx)) {
        let mut meet = |value: Value| {
            if let Value::Object(held) = self.graph.store.resolve(value) {
                found(held);
            }
        };
        meet(self.graph.task(at));
        self.graph.held(at, &mut meet);
    }
}
