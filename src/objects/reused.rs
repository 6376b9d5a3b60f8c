//! References that Python led astray: an id that was used twice (`format.md` §13.7).
//!
//! The writer remembers the ids it wrote for the whole run. Jobs are kept alive, but an action that was replaced, or a
//! job that could not be written, is freed, and a new object at its address is taken for the old one. So only an object
//! that no job brought into the file can be a wrong target; the params.json of a job that refers to one tells the truth.

use ahash::HashSet;

use super::container::Container;
use super::decode::{NOBODY, Relocation};
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
        let suspects = self.suspects(&container.referrers, keys);
        if suspects.is_empty() {
            return;
        }
        let tainted = self.tainted(&suspects);
        for at in 0..keys.count() {
            let Some(root) = self.roots[at] else { continue };
            if !tainted.get(root.at()).is_some_and(|&tainted| tainted) {
                continue;
            }
            let doubtful: Vec<ObjectIx> =
                self.below(root, ObjectIx(0)).into_iter().filter(|at| suspects.contains(at)).collect();
            let Ok((params, _)) = self.read_params(run, (keys, at), relocation, None) else { continue };
            let Some(truth) = params.last else { continue };
            // of another process: its ids say nothing about ours
            if self.graph.object(truth).id != self.graph.object(root).id {
                continue;
            }
            let same = |&object: &ObjectIx| {
                let id = self.graph.object(object).id;
                params.ids.get(&id).is_some_and(|&true_one| self.same_identity(object, true_one))
            };
            if let Some(&wrong) = doubtful.iter().find(|object| !same(object)) {
                self.errors.push(self.reused(root, wrong, &keys.job_id(at)));
                self.roots[at] = Some(truth);
            }
        }
    }

    fn same_identity(&self, a: ObjectIx, b: ObjectIx) -> bool {
        let graph = &self.graph;
        graph.object(a).class == graph.object(b).class && graph.identifier(a) == graph.identifier(b)
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

    /// The objects that no job brought into the file: those of actions, and what is left of jobs that were not written.
    fn suspects(&self, referrers: &[u32], keys: &impl JobKeys) -> HashSet<ObjectIx> {
        let is_job = |at: ObjectIx| {
            let identifier = self.graph.store.bytes(self.graph.object(at).identifier);
            keys.position(identifier).is_some()
        };
        let objects = (0..referrers.len()).map(|at| ObjectIx(index(at)));
        // what a job brought is referred to before the line of that job, or by it
        let mut next_job = NOBODY;
        let mut loose = false;
        for at in objects.clone().rev() {
            if is_job(at) {
                next_job = at.0;
            } else {
                let first = referrers[at.at()];
                loose |= first == NOBODY || next_job < first;
            }
        }
        if !loose {
            return HashSet::default();
        }
        let mut suspects: HashSet<ObjectIx> = HashSet::default();
        let mut block: Vec<ObjectIx> = Vec::new();
        for at in objects {
            block.push(at);
            if is_job(at) {
                // a job is written right behind what it brought, so what it holds from before a gap is not its own
                let held = self.below(at, block[0]);
                let others = block.iter().rposition(|object| *object != at && !held.contains(object));
                suspects.extend(block.drain(..).take(others.map_or(0, |last| last + 1)));
            }
        }
        suspects.extend(block);
        suspects
    }

    /// Whether each object is a suspect or holds one, however deep.
    fn tainted(&self, suspects: &HashSet<ObjectIx>) -> Vec<bool> {
        let mut tainted = vec![false; self.graph.len()];
        for at in 0..tainted.len() {
            let object = ObjectIx(index(at));
            let mut is = suspects.contains(&object);
            self.references(object, |held| is |= tainted[held.at()]);
            tainted[at] = is;
        }
        tainted
    }

    /// Everything that an object holds, however deep, and the tasks that produced it, as far back as `first`.
    fn below(&self, root: ObjectIx, first: ObjectIx) -> HashSet<ObjectIx> {
        let mut found = HashSet::default();
        let mut pending = vec![root];
        while let Some(at) = pending.pop() {
            self.references(at, |held| {
                if held >= first && held != root && found.insert(held) {
                    pending.push(held);
                }
            });
        }
        found
    }

    fn references(&self, at: ObjectIx, mut found: impl FnMut(ObjectIx)) {
        let mut meet = |value: Value| {
            if let Value::Object(held) = self.graph.store.resolve(value) {
                found(held);
            }
        };
        meet(self.graph.object(at).task);
        self.graph.held(at, &mut meet);
    }
}
