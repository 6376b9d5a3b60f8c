//! Finds objects with the same identifier and different content.

use std::hash::{BuildHasher, Hash, Hasher};

use ahash::{HashMap, RandomState};

use super::Check;
use super::finding::{Finding, Severity, Trouble, in_line};
use crate::loaded::LoadedRun;
use crate::objects::{Graph, difference};
use crate::values::{ObjectIx, Record, Value};

impl Check<'_> {
    /// Reports identifiers whose objects differ: identifiers ignore paths and fields that are flagged as meta.
    pub(super) fn duplicates(&mut self, loaded: &LoadedRun) {
        let (run, graph) = (loaded.run(), &loaded.objects().graph);
        let mut groups: HashMap<&[u8], Vec<ObjectIx>> = HashMap::default();
        for object in graph.indices() {
            let meta = graph.about(object);
            // objects from the params.json of a job are compared with the run in `jobs.rs`
            if meta.container == 0 && !graph.file(0).ends_with("params.json") && !meta.stub {
                groups.entry(graph.store.bytes(graph.object(object).identifier)).or_default().push(object);
            }
        }
        groups.retain(|_, group| group.len() > 1);
        if groups.is_empty() {
            return;
        }
        self.submitted_twice(loaded, &groups);
        let contents = ContentHashes::of(graph);
        let mut differing: Vec<(ObjectIx, ObjectIx)> = groups
            .into_values()
            .filter_map(|group| {
                let (last, earlier) = group.split_last()?;
                let hash = |object: &ObjectIx| contents.hashes[object.index()];
                let first = earlier.iter().find(|object| hash(object) != hash(last))?;
                Some((*first, *last))
            })
            .collect();
        differing.sort_unstable();
        for (first, last) in differing {
            let Some(difference) = difference((graph, first), (graph, last)) else { continue };
            let identifier = graph.identifier(last).into_owned();
            let typename = graph.typename(last);
            let is_root = loaded.rows().position(identifier.as_bytes()).is_some()
                || loaded.record().actions.contains_key(&identifier);
            let (file, line) = graph.location(last);
            let (_, earlier) = graph.location(first);
            let text = format!(
                "two objects of {typename} have the identifier {identifier}, but this is {}{} and {}{}",
                difference.first,
                in_line(earlier),
                difference.second,
                in_line(line)
            );
            let finding = Finding::new(Trouble::DuplicateIdentifier, text)
                .file(file)
                .line(line)
                .field(difference.field);
            let finding = if is_root {
                finding.job(identifier)
            } else {
                finding.severity(Severity::Info).advice(
                    "nothing to do: the identifier ignores the value that differs, and each job has its own",
                )
            };
            self.report(run, finding);
        }
    }

    /// Reports jobs that are two objects. Another config may hold the one that `info.jobs` does not have.
    fn submitted_twice(&mut self, loaded: &LoadedRun, groups: &HashMap<&[u8], Vec<ObjectIx>>) {
        let (rows, graph) = (loaded.rows(), &loaded.objects().graph);
        for row in rows.rows.iter() {
            let job_id = rows.job_id(row);
            let Some([first, .., last]) = groups.get(job_id.as_bytes()).map(Vec::as_slice) else { continue };
            let ((file, line), (_, earlier)) = (graph.location(*last), graph.location(*first));
            let objects = match (earlier, line) {
                (0, _) | (_, 0) => "two objects".to_owned(),
                _ => format!("the object in line {earlier} and that in line {line}"),
            };
            let text = format!("the job was submitted more than once: it is {objects}");
            let finding = Finding::new(Trouble::DuplicateIdentifier, text).severity(Severity::Info).advice(
                "nothing to do: the last object is shown; configs that refer to the first still hold it",
            );
            self.report(loaded.run(), finding.job(job_id).file(file).line(line));
        }
    }
}

/// A hash of the content of each object and all objects below: equal for equal content. An object that is named before it is
/// defined counts by its identifier.
struct ContentHashes {
    hashes: Vec<u64>,
    state: RandomState,
}

impl ContentHashes {
    fn of(graph: &Graph) -> Self {
        let state = RandomState::with_seeds(1, 2, 3, 4);
        let mut contents = Self { hashes: Vec::with_capacity(graph.len()), state };
        for index in graph.indices() {
            let object = graph.object(index);
            let mut hasher = contents.state.build_hasher();
            graph.typename(index).hash(&mut hasher);
            graph.store.bytes(object.identifier).hash(&mut hasher);
            contents.record(graph, object.fields).hash(&mut hasher);
            contents.value(graph, graph.about(index).init_tasks).hash(&mut hasher);
            contents.hashes.push(hasher.finish());
        }
        contents
    }

    fn record(&self, graph: &Graph, record: Record) -> u64 {
        graph.store.entries(record).fold(0, |sum, (key, value)| {
            let entry = (graph.store.symbol_bytes(key), self.value(graph, value));
            sum.wrapping_add(self.state.hash_one(entry))
        })
    }

    fn value(&self, graph: &Graph, value: Value) -> u64 {
        let store = &graph.store;
        let of = |kind: u8, content: u64| self.state.hash_one((kind, content));
        match value {
            Value::Null => of(0, 0),
            Value::Bool(yes) => of(1, u64::from(yes)),
            Value::Int(number) => of(2, number.cast_unsigned()),
            Value::Float(number) if number.is_nan() => of(3, 0),
            Value::Float(number) => of(4, number.to_bits()),
            Value::BigInt(text) => of(5, self.state.hash_one(store.bytes(text))),
            Value::Str(text) => of(6, self.state.hash_one(store.bytes(text))),
            Value::Path(text) => of(7, self.state.hash_one(store.bytes(text))),
            Value::Enum(member) => of(8, u64::from(member)),
            Value::List(items) => {
                let items: Vec<u64> = store.items(items).map(|item| self.value(graph, item)).collect();
                of(9, self.state.hash_one(items))
            }
            Value::Set(items) => {
                let hash = |item| self.state.hash_one(self.value(graph, item));
                of(10, store.items(items).fold(0u64, |sum, item| sum.wrapping_add(hash(item))))
            }
            Value::Dict(record) => of(11, self.record(graph, record)),
            Value::Object(object) => {
                let defined = self.hashes.get(object.index()).copied();
                of(12, defined.unwrap_or_else(|| self.state.hash_one(&*graph.identifier(object))))
            }
            Value::Unresolved(reference) => of(13, store.unresolved(reference).id.cast_unsigned()),
        }
    }
}
