//! The error type of the crate: what went wrong, where, and what to do about it.
//!
//! A kind is named for the user's situation. The location names the file, line, job and field; the hint says how to go on.
//! Python raises the error (`strict`) or lists it (`errors`).

use std::fmt;
use std::path::{Path, PathBuf};

/// The result of everything that can fail in this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// The user's situation. Each kind has one Python class (see `python::errors`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No workspace in any directory that was tried
    WorkspaceNotFound,
    /// The workspace has no such experiment
    ExperimentNotFound,
    /// The experiment has no such run
    RunNotFound,
    /// The run has no such job, or no such saved object
    JobNotFound,
    /// A name that leads out of the workspace, or is not a valid name
    InvalidName,
    /// An invalid argument
    InvalidArgument,
    /// An unknown or ambiguous column
    Column,
    /// More columns than are allowed
    TooManyColumns,
    /// A file whose content is not what experimaestro writes
    Format,
    /// A reference to an object that no file holds
    Unresolved,
    /// An unknown field of a config
    Field,
    /// The operating system refused to read a file
    Io,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::WorkspaceNotFound,
        Self::ExperimentNotFound,
        Self::RunNotFound,
        Self::JobNotFound,
        Self::InvalidName,
        Self::InvalidArgument,
        Self::Column,
        Self::TooManyColumns,
        Self::Format,
        Self::Unresolved,
        Self::Field,
        Self::Io,
    ];
}

/// Where something went wrong. Each part may be unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Location {
    /// The file that was being read
    pub file: Option<PathBuf>,
    /// Its line, counted from 1
    pub line: Option<u64>,
    /// The identifier of the job concerned
    pub job: Option<String>,
    /// The field or column concerned, as in `config.model.name`
    pub field: Option<String>,
}

/// What went wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    reason: String,
    hint: Option<String>,
    location: Location,
}

impl Error {
    /// An error of `kind`; `reason` starts in lower case and has no full stop.
    pub fn new(kind: ErrorKind, reason: impl Into<String>) -> Self {
        let reason = clipped(reason.into(), MAX_REASON_BYTES);
        Self(Box::new(Inner { kind, reason, hint: None, location: Location::default() }))
    }

    /// A file whose content is not what experimaestro writes.
    pub fn format(reason: impl Into<String>) -> Self {
        Self::new(ErrorKind::Format, reason)
    }

    /// A panic of this crate on another thread. None reaches Python as a panic.
    #[must_use]
    pub fn fault() -> Self {
        Self::format("the reader failed inside")
            .hint("this is a fault of xpframe, please report it with the files")
    }

    /// The operating system's refusal to read `path`.
    #[must_use]
    pub fn io(path: &Path, source: &std::io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("cannot be read: {source}")).at_file(path)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(clipped(hint.into(), MAX_REASON_BYTES));
        self
    }

    /// Adds the file, unless a deeper layer named one.
    #[must_use]
    pub fn at_file(mut self, file: &Path) -> Self {
        self.0.location.file.get_or_insert_with(|| file.to_path_buf());
        self
    }

    /// Adds the line (from 1), unless a deeper layer named one.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.0.location.line.get_or_insert(line);
        self
    }

    /// Adds the job, unless a deeper layer named one.
    #[must_use]
    pub fn at_job(mut self, job: &str) -> Self {
        self.0.location.job.get_or_insert_with(|| job.to_owned());
        self
    }

    /// Adds the field or column, unless a deeper layer named one.
    #[must_use]
    pub fn at_field(mut self, field: &str) -> Self {
        self.0.location.field.get_or_insert_with(|| field.to_owned());
        self
    }

    /// The user's situation.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What went wrong, without the location.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// What to do about it, if there is a hint.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Where it went wrong.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.0.location
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            gap = ", ";
        }
        if let Some(job) = &self.job {
            write!(f, "{gap}job {}", clipped(job.clone(), MAX_NAME_BYTES))?;
            gap = ", ";
        }
        if let Some(field) = &self.field {
            write!(f, "{gap}field {}", clipped(field.clone(), MAX_NAME_BYTES))?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { reason, hint, location, .. } = &*self.0;
        if *location != Location::default() {
            write!(f, "{location}: ")?;
        }
        f.write_str(reason)?;
        if let Some(hint) = hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// The longest reason or hint, in bytes. Texts in files may have any length.
const MAX_REASON_BYTES: usize = 1200;
/// The longest name in a location, in bytes.
const MAX_NAME_BYTES: usize = 300;

/// The text, or its beginning and its length if it is longer than `limit` bytes.
fn clipped(text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|&end| text.is_char_boundary(end)).unwrap_or_default();
    format!("{}… ({} bytes)", &text[..end], text.len())
}

/// The names that are nearest to `wanted`, best first, at most three.
#[must_use]
pub fn near_misses<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    if wanted.len() > MAX_NAME_BYTES {
        return Vec::new();
    }
    // most letters of a short name must match
    let limit = match wanted.chars().count() {
        0 | 1 => 0,
        2 | 3 => 1,
        letters => letters.div_ceil(3),
    };
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .filter(|name| name.len() <= 4 * wanted.len() + 16)
        .map(|name| (distance(&wanted.to_lowercase(), &name.to_lowercase()), name))
        .map(|(distance, name)| {
            let is_part = wanted.len().min(name.len()) >= MIN_CONTAINED_BYTES
                && (name.contains(wanted) || wanted.contains(name));
            if is_part { (distance.min(1), name) } else { (distance, name) }
        })
        .filter(|&(distance, _)| distance <= limit)
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// A name of at least this many bytes counts as near to a name that contains it.
const MIN_CONTAINED_BYTES: usize = 2;

/// Levenshtein's distance, by characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, &y) in b.iter().enumerate() {
            let replaced = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

/// "did you mean …?" with the near misses of `wanted`; none if no name is near.
#[must_use]
pub fn did_you_mean<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let near = near_misses(wanted, names);
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(", ")))
}

/// Text on one line, in which control and invisible characters are escaped as in Python.
#[must_use]
pub fn printable(text: &str) -> String {
    use fmt::Write;
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\'' | '"' | '\\' => shown.push(c),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if c.escape_debug().len() == 1 => shown.push(c),
            // writing into a string cannot fail
            _ => drop(match u32::from(c) {
                code @ ..=0xff => write!(shown, "\\x{code:02x}"),
                code @ ..=0xffff => write!(shown, "\\u{code:04x}"),
                code => write!(shown, "\\U{code:08x}"),
            }),
        }
    }
    shown
}

/// A name as Python's `repr` writes it: in quotes, on one line.
#[must_use]
pub fn quoted(name: &str) -> String {
    let shown = printable(name);
    if shown.contains('\'') && !shown.contains('"') {
        format!("\"{shown}\"")
    } else {
        format!("'{}'", shown.replace('\'', "\\'"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names are quoted as Python quotes them, and control characters are escaped.
    #[test]
    fn names_are_quoted() {
        let quotes = [
            ("grid", "'grid'"),
            ("", "''"),
            ("it's", "\"it's\""),
            ("it's \"so\"", "'it\\'s \"so\"'"),
            ("a\nb\t\u{1b}[31m", "'a\\nb\\t\\x1b[31m'"),
            ("\u{202e}gnp", "'\\u202egnp'"),
            ("\u{e0001}", "'\\U000e0001'"),
            ("été ✓", "'été ✓'"),
        ];
        for (name, quoted_so) in quotes {
            assert_eq!(quoted(name), quoted_so);
        }
    }
}
