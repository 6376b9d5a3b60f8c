//! Reads the objects of `xp.save`.

use super::container::Source;
use super::decode::Relocation;
use super::graph::Graph;
use crate::error::{Error, Result};
use crate::values::Value;
use crate::workspace::Run;

/// A value saved by `xp.save`, and its objects.
#[derive(Debug)]
pub struct SavedObject {
    /// Its objects
    pub graph: Graph,
    /// The value: a config, a list or a dict
    pub value: Value,
}

/// Reads the file that `xp.save(…, name)` of this run wrote: `experimaestro.json`, or `definition.json` before 2.2.0.
///
/// # Errors
/// `JobNotFound` if nothing was saved under that name; `Format` if the file is not as experimaestro writes it.
pub fn load_saved(run: &Run, name: &str, relocation: &Relocation) -> Result<SavedObject> {
    let file = run.saved_file(name)?;
    let bytes = crate::file::read(&file)?;
    let directory = file.parent().map(|directory| directory.to_string_lossy().into_owned());
    let source = Source { file: &file, relocation, job_dir: None, data_dir: directory.as_deref() };
    let mut graph = Graph::new();
    let mut errors = Vec::new();
    let container = graph.read_whole(source, &bytes, None, &mut errors);
    if let Some(error) = errors.into_iter().next() {
        return Err(error);
    }
    let value = match container.data {
        Value::Null => container.last.map(Value::Object),
        value => Some(graph.store.resolve(value)),
    };
    let value = value.ok_or_else(|| Error::format("no \"data\" in a saved object").at_file(&file))?;
    Ok(SavedObject { graph, value })
}
