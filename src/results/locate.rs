//! Which files a handle means in the directory of one job.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::{fmt, fs};

use super::format::is_event_file;
use super::state::FileState;
use crate::columns::glob_matches;
use crate::error::{Error, ErrorKind, Result, quoted};
use crate::file::is_absent;

/// A shell pattern of paths below the directory of a job: `metrics.json`, `runs/**/events.out.tfevents.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathGlob {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// `**`: any number of directories, none too
    Directories,
    /// A name
    Name(String),
    /// A pattern of names
    Pattern(String),
}

impl PathGlob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `InvalidArgument`: it is empty, or it leads out of the job's directory.
    pub fn parse(pattern: &str) -> Result<Self> {
        let wrong = |reason: &str| {
            let reason = format!("{reason}: {}", quoted(pattern));
            Error::new(ErrorKind::InvalidArgument, reason)
                .hint("a pattern of results begins in the job's directory, as in metrics.json")
        };
        if pattern.starts_with('/') || pattern.contains('\0') {
            return Err(wrong("a path below the job's directory was expected"));
        }
        let mut parts = Vec::new();
        for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
            match part {
                ".." => return Err(wrong("a pattern that leads out of the job's directory")),
                "**" if parts.last() == Some(&Part::Directories) => {}
                "**" => parts.push(Part::Directories),
                _ if part.contains(['*', '?', '[']) => parts.push(Part::Pattern(part.to_owned())),
                _ => parts.push(Part::Name(part.to_owned())),
            }
        }
        if parts.is_empty() {
            return Err(wrong("an empty pattern"));
        }
        if parts.last() == Some(&Part::Directories) {
            parts.push(Part::Pattern("*".to_owned()));
        }
        Ok(Self { parts })
    }
}

impl fmt::Display for PathGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            let text = match part {
                Part::Directories => "**",
                Part::Name(text) | Part::Pattern(text) => text,
            };
            write!(f, "{}{text}", if index == 0 { "" } else { "/" })?;
        }
        Ok(())
    }
}

/// What a handle means for one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Nothing: the job has no such parameter, or it is null
    None,
    /// The value of a path parameter, absolute or below the job's directory
    Path(PathBuf),
    /// The values of a path parameter that stands in the items of a list
    Paths(Vec<PathBuf>),
    /// A pattern below the job's directory
    Glob(PathGlob),
}

impl Target {
    /// The same target of a job whose directory is not where its paths say: `usual` is that, `found` where it is.
    #[must_use]
    pub fn moved(self, usual: &Path, found: &Path) -> Self {
        let moved = |path: PathBuf| path.strip_prefix(usual).map(|below| found.join(below)).unwrap_or(path);
        match self {
            Self::Path(path) => Self::Path(moved(path)),
            Self::Paths(paths) => Self::Paths(paths.into_iter().map(moved).collect()),
            other => other,
        }
    }
}

/// A run directory of `TensorBoard`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory {
    /// Its path below the job's directory
    pub name: String,
    /// Its event files, in the order of their time stamps
    pub files: Vec<PathBuf>,
}

/// One thing that a handle leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file
    File {
        /// Its path
        path: PathBuf,
        /// Its path below the job's directory
        name: String,
    },
    /// The event files of one directory: one run
    Board(RunDirectory),
}

impl Entry {
    /// Its path below the job's directory.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::File { name, .. } => name,
            Self::Board(run) => &run.name,
        }
    }

    /// Its files.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        match self {
            Self::File { path, .. } => std::slice::from_ref(path),
            Self::Board(run) => &run.files,
        }
    }
}

/// What a handle leads to in the directory of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The path that the handle names or, for a pattern, the only one that fits
    pub path: Option<PathBuf>,
    /// The files and run directories
    pub entries: Vec<Entry>,
    /// Why there is nothing, where there is nothing
    pub state: Option<FileState>,
    /// What could not be listed
    pub errors: Vec<Error>,
}

impl Located {
    fn nothing(path: Option<PathBuf>, state: FileState, error: Option<Error>) -> Self {
        Self { path, entries: Vec::new(), state: Some(state), errors: error.into_iter().collect() }
    }
}

/// The most names that are looked at below a job's directory.
const MAX_NAMES: usize = 100_000;
/// The most directories that lie in each other.
const MAX_DEPTH: usize = 64;

/// Finds the files of a handle in the directory of a job. Nothing is opened but directories.
#[must_use]
pub fn locate(directory: &Path, target: &Target) -> Located {
    match target {
        Target::None => Located::nothing(None, FileState::None, None),
        Target::Path(path) => {
            let path = normalized(&directory.join(path));
            let own = normalized(directory);
            if !path.starts_with(&own) || path == own {
                return Located::nothing(Some(path), FileState::Elsewhere, None);
            }
            single(&own, path)
        }
        Target::Paths(paths) => {
            let located: Vec<Located> =
                paths.iter().map(|path| locate(directory, &Target::Path(path.clone()))).collect();
            together(located)
        }
        Target::Glob(glob) => matching(&normalized(directory), glob),
    }
}

/// The files of several paths; a state where none of them leads to a file.
fn together(located: Vec<Located>) -> Located {
    let state = located.first().map_or(Some(FileState::None), |first| first.state);
    let mut all = Located { path: None, entries: Vec::new(), state, errors: Vec::new() };
    for each in located {
        all.state = if each.state.is_none() { None } else { all.state };
        all.entries.extend(each.entries);
        all.errors.extend(each.errors);
    }
    all
}

/// A path without `.` and `..`: what is above cannot be reached by a name.
pub(super) fn normalized(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            _ => clean.push(part),
        }
    }
    clean
}

/// The path below the job's directory.
fn name_of(directory: &Path, path: &Path) -> String {
    path.strip_prefix(directory).unwrap_or(path).to_string_lossy().into_owned()
}

/// What one path leads to.
fn single(directory: &Path, path: PathBuf) -> Located {
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if is_absent(&error) => return Located::nothing(Some(path), FileState::Missing, None),
        Err(error) => {
            let error = Error::io(&path, &error);
            return Located::nothing(Some(path), FileState::Unreadable, Some(error));
        }
    };
    let mut walk = Walk { names: 0, errors: Vec::new() };
    let entries = walk.entries_of(directory, &path, metadata.is_dir());
    if entries.is_empty() {
        let empty = || Error::format("is a directory without event files of TensorBoard").at_file(&path);
        let error = walk.errors.pop().unwrap_or_else(empty);
        return Located::nothing(Some(path), FileState::Unreadable, Some(error));
    }
    Located { path: Some(path), entries, state: None, errors: walk.errors }
}

/// What the paths that fit a pattern lead to.
fn matching(directory: &Path, glob: &PathGlob) -> Located {
    if let [Part::Name(_), ..] = glob.parts[..]
        && glob.parts.iter().all(|part| matches!(part, Part::Name(_)))
    {
        let names =
            glob.parts.iter().filter_map(|part| if let Part::Name(name) = part { Some(name) } else { None });
        return single(directory, directory.join(names.collect::<PathBuf>()));
    }
    let mut walk = Walk { names: 0, errors: Vec::new() };
    let mut paths = Vec::new();
    walk.expand(directory, &glob.parts, 0, &mut paths);
    paths.sort();
    paths.dedup();
    if let [path] = &mut paths[..] {
        let mut located = single(directory, std::mem::take(path));
        located.errors.extend(walk.errors);
        return located;
    }
    let mut entries: Vec<Entry> = Vec::new();
    for path in paths {
        let is_directory = path.metadata().is_ok_and(|metadata| metadata.is_dir());
        entries.extend(walk.entries_of(directory, &path, is_directory));
    }
    let entries = united(entries);
    let state = match (entries.is_empty(), walk.errors.is_empty()) {
        (false, _) => None,
        (true, true) => Some(FileState::Missing),
        (true, false) => Some(FileState::Unreadable),
    };
    Located { path: None, entries, state, errors: walk.errors }
}

/// Event files of one directory are one run.
fn united(entries: Vec<Entry>) -> Vec<Entry> {
    let mut all: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        if let Entry::Board(run) = &entry
            && let Some(Entry::Board(earlier)) = all
                .iter_mut()
                .find(|earlier| matches!(earlier, Entry::Board(earlier) if earlier.name == run.name))
        {
            earlier.files.extend(run.files.iter().cloned());
            sort_files(&mut earlier.files);
            continue;
        }
        all.push(entry);
    }
    all
}

/// Puts event files into the order of their time stamps: `events.out.tfevents.<seconds>.<host>…`.
fn sort_files(files: &mut Vec<PathBuf>) {
    let stamp = |path: &PathBuf| {
        let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned();
        let seconds =
            name.split("tfevents.").nth(1).and_then(|rest| rest.split('.').next()?.parse::<u64>().ok());
        (seconds.unwrap_or_default(), name)
    };
    files.sort_by_cached_key(stamp);
    files.dedup();
}

/// Looks at the directories of a job.
struct Walk {
    names: usize,
    errors: Vec<Error>,
}

impl Walk {
    /// The names in a directory, in order, and whether each is a directory itself. A link is what it leads to, but is no
    /// directory to descend into.
    fn list(&mut self, directory: &Path) -> Vec<(PathBuf, bool)> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) => {
                if !is_absent(&error) {
                    self.errors.push(Error::io(directory, &error));
                }
                return Vec::new();
            }
        };
        let mut names = Vec::new();
        for entry in entries {
            self.names += 1;
            if self.names > MAX_NAMES {
                let reason = format!("there are more than {MAX_NAMES} names below the job's directory");
                self.errors.push(Error::format(reason).at_file(directory).hint("give a narrower pattern"));
                break;
            }
            match entry {
                Ok(entry) => {
                    let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
                    names.push((entry.path(), is_directory));
                }
                Err(error) => self.errors.push(Error::io(directory, &error)),
            }
        }
        names.sort();
        names
    }

    /// Adds the paths below a directory that fit the parts of a pattern.
    fn expand(&mut self, directory: &Path, parts: &[Part], depth: usize, paths: &mut Vec<PathBuf>) {
        let Some((part, rest)) = parts.split_first() else { return };
        if depth > MAX_DEPTH || self.names > MAX_NAMES {
            return;
        }
        match part {
            Part::Name(name) => self.step(directory.join(name), rest, depth, paths),
            Part::Pattern(pattern) => {
                for (path, _) in self.list(directory) {
                    let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned();
                    let is_hidden = name.starts_with('.') && !pattern.starts_with('.');
                    if !is_hidden && glob_matches(pattern, &name) {
                        self.step(path, rest, depth, paths);
                    }
                }
            }
            Part::Directories => {
                self.expand(directory, rest, depth, paths);
                for (path, is_directory) in self.list(directory) {
                    let is_hidden =
                        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
                    if is_directory && !is_hidden {
                        self.expand(&path, parts, depth + 1, paths);
                    }
                }
            }
        }
    }

    fn step(&mut self, path: PathBuf, rest: &[Part], depth: usize, paths: &mut Vec<PathBuf>) {
        if !rest.is_empty() {
            self.expand(&path, rest, depth + 1, paths);
        } else if path.symlink_metadata().is_ok() {
            paths.push(path);
        }
    }

    /// What a path is: a file, or a log directory with its run directories.
    fn entries_of(&mut self, directory: &Path, path: &Path, is_directory: bool) -> Vec<Entry> {
        let name = name_of(directory, path);
        if !is_directory {
            let file_name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
            if is_event_file(&file_name) {
                let parent = path.parent().map_or_else(String::new, |parent| name_of(directory, parent));
                return vec![Entry::Board(RunDirectory { name: parent, files: vec![path.to_path_buf()] })];
            }
            return vec![Entry::File { path: path.to_path_buf(), name }];
        }
        let mut runs = Vec::new();
        self.run_directories(directory, path, 0, &mut runs);
        runs.into_iter().map(Entry::Board).collect()
    }

    fn run_directories(&mut self, directory: &Path, path: &Path, depth: usize, runs: &mut Vec<RunDirectory>) {
        if depth > MAX_DEPTH || self.names > MAX_NAMES {
            return;
        }
        let (directories, files): (Vec<_>, Vec<_>) =
            self.list(path).into_iter().partition(|(_, is_directory)| *is_directory);
        let is_events =
            |path: &PathBuf| path.file_name().is_some_and(|name| is_event_file(&name.to_string_lossy()));
        let mut files: Vec<PathBuf> = files.into_iter().map(|(path, _)| path).filter(is_events).collect();
        if !files.is_empty() {
            sort_files(&mut files);
            runs.push(RunDirectory { name: name_of(directory, path), files });
        }
        for (below, _) in directories {
            self.run_directories(directory, &below, depth + 1, runs);
        }
    }
}
