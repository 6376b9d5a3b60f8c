//! The losses of one file: the first few in words, the others as a number.

use std::path::{Path, PathBuf};

use crate::error::Error;

/// How many losses of one file are listed.
const MAX_LISTED: u64 = 10;

/// What could not be used of a file.
#[derive(Debug)]
pub(super) struct Problems {
    path: PathBuf,
    errors: Vec<Error>,
    count: u64,
}

impl Problems {
    pub fn of(path: &Path) -> Self {
        Self { path: path.to_path_buf(), errors: Vec::new(), count: 0 }
    }

    /// Adds a loss; the file is added to it.
    pub fn add(&mut self, error: Error) {
        self.count += 1;
        if self.count <= MAX_LISTED {
            self.errors.push(error.at_file(&self.path));
        }
    }

    /// Adds losses; the file is added to each.
    pub fn extend(&mut self, errors: Vec<Error>) {
        for error in errors {
            self.add(error);
        }
    }

    /// Adds a record that was skipped, by the number of its line.
    pub fn skip(&mut self, line: u64, reason: &str) {
        self.count += 1;
        if self.count <= MAX_LISTED {
            self.errors.push(Error::format(format!("skipped: {reason}")).at_line(line).at_file(&self.path));
        }
    }

    /// The losses, for the job that wrote the file.
    pub fn finish(self, job: &str) -> Vec<Error> {
        let Self { path, mut errors, count } = self;
        if count > MAX_LISTED {
            let more = count - MAX_LISTED;
            errors.push(Error::format(format!("{more} more records were skipped")).at_file(&path));
        }
        errors.into_iter().map(|error| error.at_job(job)).collect()
    }
}

/// The error for a text file whose bytes are none, by how they begin.
pub(super) fn not_utf8(bytes: &[u8]) -> Error {
    const COMPRESSED: [(&[u8], &str); 4] =
        [(b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\x03\x04", "zip"), (b"BZh", "bzip2")];
    if let Some((_, name)) = COMPRESSED.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Error::format(format!("it is compressed ({name})")).hint("decompress it");
    }
    let is_utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let reason = if is_utf16 { "the text is UTF-16" } else { "the text is not UTF-8" };
    Error::format(reason).hint("write it as UTF-8")
}
