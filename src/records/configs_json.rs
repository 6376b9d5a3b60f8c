//! The jobs of a run whose jobs.jsonl is lost: configs.json lists them too, with their tags (docs/format.md §2.1).

use ahash::HashMap;

use super::row::JobRow;
use super::rows::JobRows;
use crate::error::{Error, Result};
use crate::file;
use crate::json::{self, Reader, Syntax};
use crate::values::{Plain, Record, Value, read};
use crate::workspace::{Run, Workspace};

impl JobRows {
    /// Reads the jobs that a configs.json lists, if the run has one. They have no time of submission.
    pub(super) fn read_configs_json(&mut self, run: &Run) {
        let path = run.path().join("configs.json");
        let read = file::read_if_there(&path).and_then(|bytes| match bytes {
            Some(bytes) => self.take_configs(&bytes, run),
            None => Ok(()),
        });
        self.errors.extend(read.err().map(|error| error.at_file(&path)));
    }

    fn take_configs(&mut self, bytes: &[u8], run: &Run) -> Result<()> {
        std::str::from_utf8(bytes).map_err(|_| Error::format("the file is not UTF-8"))?;
        let (mut objects, mut data, mut tags) = (Value::Null, Value::Null, Value::Null);
        Reader::new(json::without_bom(bytes)).entries(|reader, key| {
            match key.raw {
                b"objects" => objects = read(reader, &mut self.store, &mut Plain)?,
                b"data" => data = read(reader, &mut self.store, &mut Plain)?,
                b"tags" => tags = read(reader, &mut self.store, &mut Plain)?,
                _ => reader.skip()?,
            }
            Ok::<(), Syntax>(())
        })?;
        let Value::Dict(data) = data else { return Ok(()) };
        let typenames = self.typenames(objects);
        let directories = task_directories(run.workspace());
        let jobs: Vec<(String, Option<i64>)> = self
            .store
            .entries(data)
            .map(|(job_id, reference)| {
                let id = match reference {
                    Value::Dict(reference) => self.entry(reference, "value"),
                    _ => None,
                };
                let id = if let Some(Value::Int(id)) = id { Some(id) } else { None };
                (self.store.symbol(job_id).into_owned(), id)
            })
            .collect();
        for (job_id, object) in jobs {
            let task_id = directories.get(&job_id).cloned().or_else(|| {
                // a task has its class as its name unless it says otherwise
                typenames.get(&object?).map(|typename| typename.to_lowercase())
            });
            let tags = match tags {
                Value::Dict(tags) => self.entry(tags, &job_id),
                _ => None,
            };
            let tags = if let Some(Value::Dict(tags)) = tags { Some(tags) } else { None };
            let task_id = self.store.intern(task_id.unwrap_or_default().as_bytes());
            let job_id = self.store.push_text(job_id.as_bytes());
            self.push(JobRow { job_id, task_id, tags, submitted: None });
        }
        Ok(())
    }

    /// The classes of objects by their ids.
    fn typenames(&self, objects: Value) -> HashMap<i64, String> {
        let Value::List(objects) = objects else { return HashMap::default() };
        let typename = |object: Value| {
            let Value::Dict(object) = object else { return None };
            match (self.entry(object, "id")?, self.entry(object, "typename")?) {
                (Value::Int(id), Value::Str(typename)) => {
                    Some((id, self.store.text(typename).0.into_owned()))
                }
                _ => None,
            }
        };
        self.store.items(objects).filter_map(typename).collect()
    }

    fn entry(&self, record: Record, name: &str) -> Option<Value> {
        let name = self.store.find_symbol(name.as_bytes())?;
        self.store.entries(record).find(|&(key, _)| key == name).map(|(_, value)| value)
    }
}

/// The task of each job that has a directory in the workspace.
fn task_directories(workspace: &Workspace) -> HashMap<String, String> {
    let jobs = workspace.jobs().into_iter().flatten().flatten();
    jobs.map(|(task_id, job_id)| (job_id, task_id)).collect()
}
