//! Objects with one identifier whose content differs.

use std::hash::{BuildHasher, Hash, Hasher};

use ahash::{HashMap, RandomState};

use super::Check;
use super::finding::{Finding, Severity, Trouble, in_line};
use crate::loaded::LoadedRun;
use crate::objects::{Graph, difference};
use crate::values::{ObjectIx, Record, Value};

impl Check<'_> {
    /// Tells of each identifier whose objects are not all the same: identifiers leave out paths and what is flagged as meta.
    pub(super) fn duplicates(&mut self, loaded: &LoadedRun) {
        let (run, graph) = (loaded.run(), &loaded.objects().graph);
        let mut groups: HashMap<&[u8], Vec<ObjectIx>> = HashMap::default();
        for at in graph.indices() {
            let about = graph.about(at);
            // what was read besides, from the params.json of a job, is compared with the run elsewhere
            if about.container == 0 && !graph.file(0).ends_with("params.json") && !about.stub {
                groups.entry(graph.store.bytes(graph.object(at).identifier)).or_default().push(at);
            }
        }
        groups.retain(|_, group| group.len() > 1);
        if groups.is_empty() {
            return;
        }
        self.submitted_twice(loaded, &groups);
        let contents = Contents::of(graph);
        let mut differing: Vec<(ObjectIx, ObjectIx)> = groups
            .into_values()
            .filter_map(|group| {
                let (last, before) = group.split_last()?;
                let other = before.iter().find(|at| contents.0[at.index()] != contents.0[last.index()])?;
                Some((*other, *last))
            })
            .collect();
        differing.sort_unstable();
        for (first, last) in differing {
            let Some(found) = difference((graph, first), (graph, last)) else { continue };
            let identifier = graph.identifier(last).into_owned();
            let typename = graph.typename(last);
            let is_root = loaded.rows().position(identifier.as_bytes()).is_some()
                || loaded.record().actions.contains_key(&identifier);
            let (file, line) = graph.place(last);
            let (_, earlier) = graph.place(first);
            let what = format!(
                "two objects of {typename} have the identifier {identifier}, but this is {}{} and {}{}",
                found.first,
                in_line(earlier),
                found.second,
                in_line(line)
            );
            let finding =
                Finding::new(Trouble::DuplicateIdentifier, what).file(file).line(line).field(found.field);
            let finding = if is_root {
                finding.job(identifier)
            } else {
                finding.severity(Severity::Info).advice(
                    "nothing to do: what differs is no part of the identifier, and each job has its own",
                )
            };
            self.tell(run, finding);
        }
    }

    /// Jobs that are two objects: which one a config holds is not always the one that `info.jobs` has.
    fn submitted_twice(&mut self, loaded: &LoadedRun, groups: &HashMap<&[u8], Vec<ObjectIx>>) {
        let (rows, graph) = (loaded.rows(), &loaded.objects().graph);
        for row in rows.rows.iter() {
            let job_id = rows.job_id(row);
            let Some([first, .., last]) = groups.get(job_id.as_bytes()).map(Vec::as_slice) else { continue };
            let ((file, line), (_, earlier)) = (graph.place(*last), graph.place(*first));
            let objects = match (earlier, line) {
                (0, _) | (_, 0) => "two objects".to_owned(),
                _ => format!("the object in line {earlier} and that in line {line}"),
            };
            let what = format!("the job was submitted more than once: it is {objects}");
            let finding = Finding::new(Trouble::DuplicateIdentifier, what).severity(Severity::Info).advice(
                "nothing to do: the last is shown, and configs that hold the first hold another object",
            );
            self.tell(loaded.run(), finding.job(job_id).file(file).line(line));
        }
    }
}

/// What each object holds, however deep, as a number: equal for equal content. An object that is named before it is defined
/// counts by its identifier.
struct Contents(Vec<u64>);

impl Contents {
    fn of(graph: &Graph) -> Self {
        let state = RandomState::with_seeds(1, 2, 3, 4);
        let mut contents = Self(Vec::with_capacity(graph.len()));
        for at in graph.indices() {
            let object = graph.object(at);
            let mut hasher = state.build_hasher();
            graph.typename(at).hash(&mut hasher);
            graph.store.bytes(object.identifier).hash(&mut hasher);
            contents.record(graph, object.fields, &state).hash(&mut hasher);
            contents.value(graph, graph.about(at).init_tasks, &state).hash(&mut hasher);
            contents.0.push(hasher.finish());
        }
        contents
    }

    fn record(&self, graph: &Graph, record: Record, state: &RandomState) -> u64 {
        graph.store.entries(record).fold(0, |sum, (key, value)| {
            let entry = (graph.store.symbol_bytes(key), self.value(graph, value, state));
            sum.wrapping_add(state.hash_one(entry))
        })
    }

    fn value(&self, graph: &Graph, value: Value, state: &RandomState) -> u64 {
        let store = &graph.store;
        let of = |kind: u8, content: u64| state.hash_one((kind, content));
        match value {
            Value::Null => of(0, 0),
            Value::Bool(yes) => of(1, u64::from(yes)),
            Value::Int(number) => of(2, number.cast_unsigned()),
            Value::Float(number) if number.is_nan() => of(3, 0),
            Value::Float(number) => of(4, number.to_bits()),
            Value::BigInt(text) => of(5, state.hash_one(store.bytes(text))),
            Value::Str(text) => of(6, state.hash_one(store.bytes(text))),
            Value::Path(text) => of(7, state.hash_one(store.bytes(text))),
            Value::Enum(at) => of(8, u64::from(at)),
            Value::List(items) => {
                let items: Vec<u64> = store.items(items).map(|item| self.value(graph, item, state)).collect();
                of(9, state.hash_one(items))
            }
            Value::Set(items) => {
                let sum = store
                    .items(items)
                    .fold(0u64, |sum, item| sum.wrapping_add(state.hash_one(self.value(graph, item, state))));
                of(10, sum)
            }
            Value::Dict(record) => of(11, self.record(graph, record, state)),
            Value::Object(held) => {
                let known = self.0.get(held.index()).copied();
                of(12, known.unwrap_or_else(|| state.hash_one(&*graph.identifier(held))))
            }
            Value::Unresolved(at) => of(13, store.unresolved(at).id.cast_unsigned()),
        }
    }
}
