//! What makes a directory a run, and the two layouts of a workspace.

use std::io;
use std::path::Path;

use memchr::memmem;

use super::listing::entries;
use super::look;
use crate::file;

/// The identifier given to the one run of a 1.x experiment.
pub(super) const V1_RUN_ID: &str = "v1";

/// The files that make a directory a run, whatever its name.
pub(super) const RUN_FILES: [&str; 6] =
    ["objects.jsonl", "jobs.jsonl", "configs.json", "state.json", "status.json", "environment.json"];

/// The directory layout that a run belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `xp/<experiment>`, written by 1.x
    V1,
    /// `experiments/<experiment>/<run>`, written by 2.x and by migrations
    V2,
}

/// Whether `directory` holds at least one of the files that only a run has.
///
/// # Errors
/// The system does not tell.
pub(super) fn holds_run(directory: &Path) -> io::Result<bool> {
    for file in RUN_FILES {
        if look::is_file(&directory.join(file))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a directory of an experiment certainly has one with the files of a run.
pub(super) fn has_run_in(experiment: &Path) -> bool {
    let mut runs = entries(experiment).into_iter().flatten();
    runs.any(|(run, kind)| kind.is_dir() && holds_run(&experiment.join(run)).unwrap_or(false))
}

/// Whether some experiment under `root` has a directory with the files of a run. Looks at a few only.
pub(super) fn has_run(root: &Path) -> bool {
    let parent = root.join("experiments");
    let experiments = entries(&parent).into_iter().flatten();
    experiments.take(8).any(|(name, _)| has_run_in(&parent.join(name)))
}

/// How much of a status.json is searched for the identifier of the run, which stands at its beginning.
const STATUS_HEAD: u64 = 1 << 10;

/// The identifier that the run in `directory` gave itself, as its status.json has it.
pub(super) fn recorded_run_id(directory: &Path) -> Option<String> {
    let head = file::head(&directory.join("status.json"), STATUS_HEAD).ok()?;
    let key = b"\"run_id\"";
    let rest = &head[memmem::find(&head, key)? + key.len()..];
    let rest = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let id = &rest[..memchr::memchr(b'"', rest)?];
    // an escape would need a reader of JSON: identifiers of runs have none
    let id = std::str::from_utf8(id).ok()?;
    (!id.is_empty() && !id.contains('\\')).then(|| id.to_owned())
}

/// Whether a directory of this name below `experiments/` belongs to a file server or to Python, not to an experiment.
pub(super) fn is_foreign(name: &str) -> bool {
    name.starts_with(['@', '#', '$']) || matches!(name, "lost+found" | "__MACOSX" | "__pycache__")
}
