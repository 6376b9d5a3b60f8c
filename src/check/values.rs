//! What is wrong with the values that the jobs of a run hold.

use std::collections::VecDeque;
use std::path::Path;

use ahash::{HashMap, HashSet};

use super::Check;
use super::finding::{Finding, Severity, Trouble, in_line};
use crate::loaded::LoadedRun;
use crate::objects::{ClassIx, Graph};
use crate::records::State;
use crate::values::{ObjectIx, Symbol, Value};

/// How many steps of a place are shown.
const DEEPEST: usize = 32;
const NOWHERE: usize = usize::MAX;

/// A walk over all that the jobs hold: each config once, for the first job that holds it, the nearest place first.
struct Walk<'g> {
    graph: &'g Graph,
    seen: Vec<bool>,
    trail: Vec<(usize, String)>,
    /// What was met and is worth a finding: the config that holds it, the place, and the value
    met: Vec<(ObjectIx, usize, Value)>,
}

impl Walk<'_> {
    /// All that is held by `root` and was not met before.
    fn from(&mut self, root: ObjectIx) {
        let mut pending = VecDeque::from([(root, NOWHERE)]);
        while let Some((at, place)) = pending.pop_front() {
            if std::mem::replace(&mut self.seen[at.at()], true) {
                continue;
            }
            let object = self.graph.object(at);
            let mut values: Vec<(Value, usize, String)> = self.fields(Value::Dict(object.fields), place);
            values.push((self.graph.about(at).init_tasks, place, "init_tasks".to_owned()));
            while let Some((value, from, name)) = values.pop() {
                match value {
                    Value::Object(held) if self.seen[held.at()] => {}
                    Value::Object(held) => pending.push_back((held, self.step(from, name))),
                    Value::Path(_) | Value::Unresolved(_) => {
                        let place = self.step(from, name);
                        self.met.push((at, place, value));
                    }
                    Value::List(items) | Value::Set(items) => {
                        let place = self.step(from, name);
                        if matches!(value, Value::Set(_)) {
                            self.met.push((at, place, value));
                        }
                        let items =
                            self.graph.store.items(items).enumerate().filter(|&(_, item)| matters(item));
                        values.extend(items.map(|(item, value)| (value, place, format!("[{item}]"))));
                    }
                    Value::Dict(record) => {
                        let place = self.step(from, name);
                        let keys = self.graph.store.shape(record.shape).iter();
                        if keys.into_iter().any(|&key| self.graph.store.symbol_bytes(key) == b"type") {
                            self.met.push((at, place, value));
                        }
                        values.extend(self.fields(value, place));
                    }
                    _ => {}
                }
            }
        }
    }

    fn fields(&self, value: Value, place: usize) -> Vec<(Value, usize, String)> {
        let Value::Dict(record) = value else { return Vec::new() };
        let entries = self.graph.store.entries(record).filter(|&(_, value)| matters(value));
        entries.map(|(key, value)| (value, place, self.graph.store.symbol(key).into_owned())).collect()
    }

    fn step(&mut self, from: usize, name: String) -> usize {
        self.trail.push((from, name));
        self.trail.len() - 1
    }

    fn place(&self, mut at: usize) -> String {
        let mut steps: Vec<&str> = Vec::new();
        while let Some((before, name)) = self.trail.get(at) {
            steps.push(name);
            at = *before;
        }
        steps.truncate(DEEPEST);
        steps.reverse();
        steps.join(".").replace(".[", "[")
    }
}

impl Check<'_> {
    /// Paths that are gone, dicts that experimaestro takes for something else, stubs, and objects that had to be looked for.
    /// Gives the place of a dangling reference, by the job for which it was met.
    pub(super) fn values(&mut self, loaded: &LoadedRun, states: &[State]) -> HashMap<String, String> {
        let mut dangling = HashMap::default();
        let (rows, objects) = (loaded.rows(), loaded.objects());
        let graph = &objects.graph;
        let mut walk = Walk { graph, seen: vec![false; graph.len()], trail: Vec::new(), met: Vec::new() };
        for &at in &objects.order {
            let Some(root) = objects.roots[at] else { continue };
            if self.stop.is_cancelled() {
                return dangling;
            }
            walk.from(root);
            let job_id = rows.job_id(&rows.rows[at]).into_owned();
            for (holder, place, value) in std::mem::take(&mut walk.met) {
                let (file, line) = graph.place(holder);
                let finding = match value {
                    Value::Dict(_) => encoded(
                        "is a dict with a key \"type\", which experimaestro takes for a value of its own",
                    ),
                    Value::Set(_) => {
                        encoded("is a set, which no job can hold: it was a dict with the keys of one")
                    }
                    Value::Path(text) => {
                        let text = graph.store.text(text).0;
                        let Some(finding) = self.path(loaded, states, &job_id, Path::new(&*text)) else {
                            continue;
                        };
                        finding
                    }
                    Value::Unresolved(at) if graph.store.unresolved(at).cyclic => {
                        Finding::new(Trouble::CyclicReference, "refers to a config that holds it")
                    }
                    _ => {
                        dangling.entry(job_id.clone()).or_insert_with(|| walk.place(place));
                        continue;
                    }
                };
                self.tell(loaded.run(), finding.job(&*job_id).file(file).line(line).field(walk.place(place)));
            }
            walk.trail.clear();
        }
        for &(at, found) in &objects.completed {
            self.completed(loaded, at, found);
        }
        self.stubs(loaded);
        self.mixed(loaded);
        dangling
    }

    /// Tasks that were written without their fields.
    fn stubs(&mut self, loaded: &LoadedRun) {
        let graph = &loaded.objects().graph;
        for at in graph.indices().filter(|&at| graph.about(at).stub) {
            let what =
                format!("{} {} was written without its fields", graph.typename(at), graph.identifier(at));
            let (file, line) = graph.place(at);
            self.tell(loaded.run(), Finding::new(Trouble::Stub, what).file(file).line(line));
        }
    }

    /// Fields that hold a dict in one config and an encoded value in another: a user's dict had the keys of an encoding.
    fn mixed(&mut self, loaded: &LoadedRun) {
        let graph = &loaded.objects().graph;
        let mut kinds: HashMap<(ClassIx, Symbol), (&str, ObjectIx)> = HashMap::default();
        let mut told: HashSet<(ClassIx, Symbol, &str)> = HashSet::default();
        for at in graph.indices() {
            let class = graph.about(at).class;
            for (field, value) in graph.store.entries(graph.object(at).fields) {
                let Some(kind) = encoding(value) else { continue };
                let place = (class, field);
                let &mut (first, other) = kinds.entry(place).or_insert((kind, at));
                if first == kind || !told.insert((class, field, kind)) {
                    continue;
                }
                let (file, line) = graph.place(at);
                let (_, before) = graph.place(other);
                let field = graph.store.symbol(field);
                let what = format!(
                    "{field} of {} is {first}{} and {kind}{}: a dict with the keys of an encoded value is taken for one",
                    graph.typename(at),
                    in_line(before),
                    in_line(line)
                );
                self.tell(loaded.run(), encoded(&what).file(file).line(line).field(&*field));
            }
        }
    }

    /// An object that the run's file lacks and that was found elsewhere.
    fn completed(&mut self, loaded: &LoadedRun, at: usize, found: ObjectIx) {
        let (rows, graph) = (loaded.rows(), &loaded.objects().graph);
        let Some(root) = loaded.objects().roots[at] else { return };
        let what = format!(
            "refers to object {} ({}), which the run's file lacks: it was found in the params.json of the job",
            graph.object(found).id,
            graph.typename(found)
        );
        let (file, line) = graph.place(root);
        let finding = Finding::new(Trouble::DanglingReference, what)
            .severity(Severity::Warning)
            .advice("nothing to do here, but experimaestro's load_xp_info fails on the whole run");
        self.tell(loaded.run(), finding.job(rows.job_id(&rows.rows[at])).file(file).line(line));
    }

    /// A recorded path, if it should be there and is not. Each is told once.
    fn path(&mut self, loaded: &LoadedRun, states: &[State], job_id: &str, path: &Path) -> Option<Finding> {
        if !path.is_absolute() || !self.paths.insert(path.to_path_buf()) {
            return None;
        }
        self.found.paths += 1;
        if path.symlink_metadata().is_ok() {
            return None;
        }
        let what = format!("{} is not there", path.display());
        let finding = Finding::new(Trouble::PathGone, what);
        let Some(owner) = owner(path, &loaded.run().workspace().root().join("jobs")) else {
            return Some(finding);
        };
        let state = loaded.rows().position(owner.as_bytes()).and_then(|at| states.get(at).copied());
        // what a job makes is there when it is done
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

/// Whether a value may be worth a finding, or hold one that is.
fn matters(value: Value) -> bool {
    use Value::{Dict, List, Object, Path, Set, Unresolved};
    matches!(value, Dict(_) | List(_) | Object(_) | Path(_) | Set(_) | Unresolved(_))
}

fn encoded(what: &str) -> Finding {
    Finding::new(Trouble::EncodedDict, what)
}

/// What a value is to whoever reads the file, if a dict of the user could stand for it.
fn encoding(value: Value) -> Option<&'static str> {
    match value {
        Value::Dict(_) => Some("a dict"),
        Value::Path(_) => Some("a path"),
        Value::Enum(_) => Some("an enum"),
        Value::Set(_) => Some("a set"),
        _ => None,
    }
}
