//! Which frames are in the user's code.

use std::path::Path;

use super::traceback::Frame;

/// What stands for a library in a path: of `site-packages` and the standard library, wherever Python is installed.
const LIBRARIES: [&str; 2] = ["/site-packages/", "/dist-packages/"];
/// Files of compiled modules, whose paths are those of the machine that built them.
const COMPILED: [&str; 3] = [".pyx", ".pxi", ".pxd"];

/// Tells the user's code from libraries in the frames of one traceback.
#[derive(Debug)]
pub struct UserCode<'t> {
    /// The package of the task: the user's, even if it is installed
    package: &'t str,
    /// Where experimaestro is, if it is no library that is installed
    experimaestro: Option<&'t str>,
    job_id: &'t str,
}

impl<'t> UserCode<'t> {
    /// Of a job with these frames.
    pub fn of(task_id: &'t str, job_id: &'t str, frames: impl Iterator<Item = &'t Frame>) -> Self {
        let root = |frame: &'t Frame| {
            let is_runner = frame.function.as_deref() == Some("run");
            frame.file.strip_suffix("run.py").filter(|root| is_runner && root.ends_with("/experimaestro/"))
        };
        let package = task_id.split_once('.').map_or("", |(package, _)| package);
        Self { package, experimaestro: frames.into_iter().find_map(root), job_id }
    }

    /// The last frame in the user's code, as `file:line in function`.
    pub fn last(&self, frames: &[Frame]) -> Option<String> {
        frames.iter().rev().find(|frame| self.is_users(&frame.file)).map(|frame| match &frame.function {
            Some(function) => format!("{}:{} in {function}", frame.file, frame.line),
            None => format!("{}:{}", frame.file, frame.line),
        })
    }

    /// Whether a file is the user's.
    pub fn is_users(&self, file: &str) -> bool {
        if file.starts_with('<') || file.is_empty() {
            return false;
        }
        let path = file.replace('\\', "/");
        if self.experimaestro.is_some_and(|root| path.starts_with(root)) || self.is_launcher(&path) {
            return false;
        }
        if let Some((_, inside)) = LIBRARIES.iter().find_map(|library| path.split_once(library)) {
            let own = self.package;
            return !own.is_empty()
                && inside.strip_prefix(own).is_some_and(|rest| rest.starts_with(['/', '.']));
        }
        let is_compiled = !path.starts_with('/') && COMPILED.iter().any(|ending| path.ends_with(ending));
        !is_compiled && !is_standard(&path)
    }

    /// Whether it is the script that experimaestro writes to launch a job, in the directory of the job.
    fn is_launcher(&self, path: &str) -> bool {
        let mut parts = path.rsplit('/').skip(1);
        !self.job_id.is_empty() && parts.next() == Some(self.job_id)
    }
}

/// Whether a file is in a standard library: `…/lib/python3.11/…`, `…/python311.zip/…`.
fn is_standard(path: &str) -> bool {
    let mut before = "";
    path.split('/').any(|part| {
        let version = part.strip_prefix("python").or_else(|| part.strip_prefix("pypy"));
        let is_version =
            version.is_some_and(|version| version.starts_with(|next: char| next.is_ascii_digit()));
        let is_library = is_version
            && (before.starts_with("lib")
                || Path::new(part).extension().is_some_and(|suffix| suffix == "zip"));
        before = part;
        is_library
    }) || path.contains("/Python.framework/") && path.contains("/lib/python")
}
