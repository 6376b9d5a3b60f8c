//! Checks the values that the jobs of a run hold.

use std::path::{Path, PathBuf};

use ahash::{HashMap, HashSet};

use super::Check;
use super::finding::{Finding, Severity, Trouble, in_line};
use super::suspects::{Suspect, SuspectWalk};
use crate::error::Error;
use crate::file;
use crate::loaded::LoadedRun;
use crate::objects::ClassIx;
use crate::records::State;
use crate::threads;
use crate::values::{ObjectIx, Symbol, Value};

/// What became of a recorded path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathCheck {
    /// It is there, and was not counted yet
    Unreported,
    /// It does not exist, and was not counted yet
    Gone,
    /// It was counted, and reported if it does not exist
    Reported,
}

/// The ids of dangling references with the fields that hold them, by the jobs that hold them first.
#[derive(Default)]
pub(super) struct DanglingFields(HashMap<String, Vec<(i64, String)>>);

impl DanglingFields {
    /// The field of the reference that an error of a job is about.
    pub fn of(&self, error: &Error) -> Option<&str> {
        let of_job = self.0.get(error.location().job.as_ref()?)?;
        let is_named = |id: i64| error.reason().contains(&format!("object {id},"));
        let named = of_job.iter().find(|(id, _)| is_named(*id)).or(of_job.first());
        named.map(|(_, field)| field.as_str())
    }
}

impl Check<'_> {
    /// Checks paths, dicts that experimaestro reads as encoded values, stubs, and objects that were found in params.json. Returns
    /// the dangling references, each with the job that holds it first.
    pub(super) fn values(&mut self, loaded: &LoadedRun, states: &[State]) -> DanglingFields {
        let mut dangling = DanglingFields::default();
        let (rows, objects) = (loaded.rows(), loaded.objects());
        self.look_at_paths(loaded);
        let mut walk = SuspectWalk::new(&objects.graph);
        for &position in &objects.order {
            let Some(root) = objects.roots[position] else { continue };
            if self.cancel.is_cancelled() {
                return dangling;
            }
            let job_id = rows.job_id(&rows.rows[position]).into_owned();
            for suspect in walk.below(root) {
                if let Some(finding) = self.judge(loaded, states, &job_id, &suspect) {
                    let (file, line) = objects.graph.location(suspect.holder);
                    let finding = finding.job(&*job_id).file(file).line(line).field(walk.field(&suspect));
                    self.report(loaded.run(), finding);
                } else if let Value::Unresolved(reference) = suspect.value {
                    let id = objects.graph.store.unresolved(reference).id;
                    dangling.0.entry(job_id.clone()).or_default().push((id, walk.field(&suspect)));
                }
            }
        }
        for &(position, object) in &objects.completed {
            self.completed(loaded, position, object);
        }
        self.stubs(loaded);
        self.mixed(loaded);
        dangling
    }

    /// The finding about a value of a job, if there is one. Dangling references are reported by their readers.
    fn judge(
        &mut self,
        loaded: &LoadedRun,
        states: &[State],
        job_id: &str,
        suspect: &Suspect,
    ) -> Option<Finding> {
        let store = &loaded.objects().graph.store;
        match suspect.value {
            Value::Dict(_) => {
                Some(encoded("is a dict with a key \"type\", which experimaestro reads as an encoded value"))
            }
            Value::Set(_) => Some(encoded(
                "is a set, which no job can hold: it was a dict with the keys of an encoded set",
            )),
            Value::Path(text) => self.path(loaded, states, job_id, Path::new(&*store.text(text).0)),
            Value::Unresolved(reference) if store.unresolved(reference).cyclic => {
                Some(Finding::new(Trouble::CyclicReference, "refers to a config that holds it"))
            }
            _ => None,
        }
    }

    /// Notes which of the paths that jobs hold do not exist. On a network each answer takes long, so threads wait for them.
    fn look_at_paths(&mut self, loaded: &LoadedRun) {
        let objects = loaded.objects();
        let mut walk = SuspectWalk::new(&objects.graph);
        let mut paths = Vec::new();
        for root in objects.order.iter().filter_map(|&position| objects.roots[position]) {
            for suspect in walk.below(root) {
                let Value::Path(text) = suspect.value else { continue };
                let path = PathBuf::from(&*objects.graph.store.text(text).0);
                if path.is_absolute() && !self.paths.contains_key(&path) {
                    self.paths.insert(path.clone(), PathCheck::Unreported);
                    paths.push(path);
                }
            }
        }
        let cancel = self.cancel;
        let gone = threads::each_waiting(&paths, |path| !cancel.is_cancelled() && file::is_gone(path));
        for (path, _) in paths.into_iter().zip(gone).filter(|&(_, gone)| gone) {
            self.paths.insert(path, PathCheck::Gone);
        }
    }

    /// Reports tasks that were written without their fields.
    fn stubs(&mut self, loaded: &LoadedRun) {
        let graph = &loaded.objects().graph;
        for stub in graph.indices().filter(|&object| graph.about(object).stub) {
            let (typename, identifier) = (graph.typename(stub), graph.identifier(stub));
            let text = format!("{typename} {identifier} was written without its fields");
            let (file, line) = graph.location(stub);
            self.report(loaded.run(), Finding::new(Trouble::Stub, text).file(file).line(line));
        }
    }

    /// Reports fields that are a dict in one config and an encoded value in another: a user's dict had the keys of an encoding.
    fn mixed(&mut self, loaded: &LoadedRun) {
        let graph = &loaded.objects().graph;
        let mut kinds: HashMap<(ClassIx, Symbol), (&str, ObjectIx)> = HashMap::default();
        let mut reported: HashSet<(ClassIx, Symbol, &str)> = HashSet::default();
        for object in graph.indices() {
            let class = graph.about(object).class;
            for (field, value) in graph.store.entries(graph.object(object).fields) {
                let Some(kind) = encoding(value) else { continue };
                let &mut (first_kind, first) = kinds.entry((class, field)).or_insert((kind, object));
                if first_kind == kind || !reported.insert((class, field, kind)) {
                    continue;
                }
                let ((file, line), (_, first_line)) = (graph.location(object), graph.location(first));
                let field = graph.store.symbol(field);
                let (typename, earlier) = (graph.typename(object), in_line(first_line));
                let text = format!(
                    "{field} of {typename} is {first_kind}{earlier} and {kind}{}: a dict with the keys of an encoded value is read as one",
                    in_line(line)
                );
                self.report(loaded.run(), encoded(&text).file(file).line(line).field(&*field));
            }
        }
    }

    /// Reports an object that the run's file lacks and that the params.json of a job has.
    fn completed(&mut self, loaded: &LoadedRun, position: usize, object: ObjectIx) {
        let (rows, graph) = (loaded.rows(), &loaded.objects().graph);
        let Some(root) = loaded.objects().roots[position] else { return };
        let text = format!(
            "refers to object {} ({}), which the run's file lacks: it was found in the params.json of the job",
            graph.object(object).id,
            graph.typename(object)
        );
        let (file, line) = graph.location(root);
        let finding = Finding::new(Trouble::DanglingReference, text);
        let finding = if graph.is_needed(object) {
            finding
                .severity(Severity::Warning)
                .advice("nothing to do here, but experimaestro's load_xp_info fails on the whole run")
        } else {
            finding.severity(Severity::Info).advice("nothing to do: only an initialisation task refers to it")
        };
        self.report(loaded.run(), finding.job(rows.job_id(&rows.rows[position])).file(file).line(line));
    }

    /// The finding about a recorded path that should exist and does not. Each path is checked once.
    fn path(&mut self, loaded: &LoadedRun, states: &[State], job_id: &str, path: &Path) -> Option<Finding> {
        let check = self.paths.get_mut(path)?;
        let is_missing = *check == PathCheck::Gone;
        if std::mem::replace(check, PathCheck::Reported) == PathCheck::Reported {
            return None;
        }
        self.result.paths += 1;
        if !is_missing {
            return None;
        }
        let finding = Finding::new(Trouble::PathGone, format!("{} does not exist", path.display()));
        let Some(owner) = owner(path, &loaded.run().workspace().root().join("jobs")) else {
            return Some(finding);
        };
        let state =
            loaded.rows().position(owner.as_bytes()).and_then(|position| states.get(position).copied());
        // the files that a job writes exist once it is done
        let is_done = state.is_none_or(|state| state == State::Done);
        let finding = if owner == job_id {
            finding.severity(Severity::Info).advice("nothing to do, if the task does not always write it")
        } else {
            finding
        };
        is_done.then_some(finding)
    }
}

/// The identifier of the job that a path below `jobs/` belongs to.
fn owner<'p>(path: &'p Path, jobs: &Path) -> Option<&'p str> {
    path.strip_prefix(jobs).ok()?.components().nth(1)?.as_os_str().to_str()
}

fn encoded(text: &str) -> Finding {
    Finding::new(Trouble::EncodedDict, text)
}

/// The name of a value's encoding, if a user's dict can look like it.
fn encoding(value: Value) -> Option<&'static str> {
    match value {
        Value::Dict(_) => Some("a dict"),
        Value::Path(_) => Some("a path"),
        Value::Enum(_) => Some("an enum"),
        Value::Set(_) => Some("a set"),
        _ => None,
    }
}
