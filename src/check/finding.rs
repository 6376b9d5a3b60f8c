//! One thing that is wrong.

use std::path::PathBuf;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A table lacks something, or shows it wrong
    Error,
    /// A table shows it rightly, but something went wrong when the experiment ran, or another reader would be misled
    Warning,
    /// Nothing is wrong: good to know
    Info,
}

impl Severity {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// The system refused to read a file
    UnreadableFile,
    /// A file is not what experimaestro writes
    BadFile,
    /// A line is not what experimaestro writes
    BadLine,
    /// The last line of a file has no end
    CutLine,
    /// A reference to an object that the run's file lacks
    DanglingReference,
    /// A reference that leads back to where it stands
    CyclicReference,
    /// Python gave one id to two objects
    ReusedId,
    /// A config that differs from the params.json that the job ran with
    NotWhatRan,
    /// Objects with one identifier whose content differs
    DuplicateIdentifier,
    /// A dict with a key `type`, which experimaestro takes for an encoded value
    EncodedDict,
    /// A task that was written without its fields
    Stub,
    /// A job or action without config
    NoConfig,
    /// A params.json without a byte
    EmptyParams,
    /// A job that the run links to and does not list
    UnlistedJob,
    /// A job whose driver went away while it ran
    LostJob,
    /// Files that say another state than the marker files
    StateDisagrees,
    /// A job directory that is gone
    JobDirectoryGone,
    /// A pid file of a job that ended
    StalePid,
    /// A run whose driver was killed, or never said how it ended
    CutShort,
    /// A run whose driver ended with an exception
    DriverFailed,
    /// A run whose driver let go of its jobs
    Detached,
    /// Event files with events of other runs
    SharedEvents,
    /// An object that could not be saved
    SaveFailed,
    /// A recorded path that is not there
    PathGone,
    /// A workspace that is not where its files say
    Moved,
    /// A symlink that leads to nothing
    DanglingLink,
    /// A symlink that leads out of the workspace
    OutsideLink,
    /// A job directory that no run knows
    OrphanJob,
}

impl Trouble {
    /// Its name, for scripts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnreadableFile => "unreadable-file",
            Self::BadFile => "bad-file",
            Self::BadLine => "bad-line",
            Self::CutLine => "cut-line",
            Self::DanglingReference => "dangling-reference",
            Self::CyclicReference => "cyclic-reference",
            Self::ReusedId => "reused-id",
            Self::NotWhatRan => "not-what-ran",
            Self::DuplicateIdentifier => "duplicate-identifier",
            Self::EncodedDict => "encoded-dict",
            Self::Stub => "stub",
            Self::NoConfig => "no-config",
            Self::EmptyParams => "empty-params",
            Self::UnlistedJob => "unlisted-job",
            Self::LostJob => "lost-job",
            Self::StateDisagrees => "state-disagrees",
            Self::JobDirectoryGone => "job-directory-gone",
            Self::StalePid => "stale-pid",
            Self::CutShort => "cut-short",
            Self::DriverFailed => "driver-failed",
            Self::Detached => "detached",
            Self::SharedEvents => "shared-events",
            Self::SaveFailed => "save-failed",
            Self::PathGone => "path-gone",
            Self::Moved => "moved",
            Self::DanglingLink => "dangling-link",
            Self::OutsideLink => "outside-link",
            Self::OrphanJob => "orphan-job",
        }
    }

    /// How bad it is, unless the finding knows better.
    fn severity(self) -> Severity {
        match self {
            Self::UnreadableFile
            | Self::BadFile
            | Self::BadLine
            | Self::CutLine
            | Self::DanglingReference
            | Self::CyclicReference
            | Self::ReusedId
            | Self::NoConfig
            | Self::UnlistedJob => Severity::Error,
            Self::NotWhatRan
            | Self::DuplicateIdentifier
            | Self::EncodedDict
            | Self::EmptyParams
            | Self::LostJob
            | Self::StateDisagrees
            | Self::JobDirectoryGone
            | Self::CutShort
            | Self::DriverFailed
            | Self::SaveFailed
            | Self::PathGone
            | Self::DanglingLink
            | Self::OutsideLink => Severity::Warning,
            Self::Stub
            | Self::StalePid
            | Self::Detached
            | Self::SharedEvents
            | Self::Moved
            | Self::OrphanJob => Severity::Info,
        }
    }

    /// What to do about it, unless the finding knows better.
    fn advice(self) -> &'static str {
        match self {
            Self::UnreadableFile => "look at its permissions and its file system; copy it back from a backup",
            Self::BadFile | Self::BadLine => "copy it back from a backup; what else the file holds was read",
            Self::CutLine => "its driver was killed while it wrote: launch the experiment again",
            Self::DanglingReference => {
                "its columns are null; launch the experiment again to have it written anew"
            }
            Self::CyclicReference => {
                "its columns are null: experimaestro writes no such configs, so the file was changed"
            }
            Self::ReusedId => "trust the params.json of the job, not experimaestro's load_xp_info",
            Self::NotWhatRan => {
                "the job was not run again, since what differs is no part of its identifier: trust params.json"
            }
            Self::DuplicateIdentifier => "the last one is shown; params.json tells which one ran",
            Self::EncodedDict => {
                "experimaestro cannot load this run: rename the key `type` of the dict in your code"
            }
            Self::Stub => "its fields are not in this run: look at the run that made it",
            Self::NoConfig => "its parameters are null; launch the experiment again to have them written",
            Self::EmptyParams => {
                "the job could not be written, and cannot have run: see the log of its driver"
            }
            Self::UnlistedJob => "its line of jobs.jsonl was lost, so no table has it: see its params.json",
            Self::LostJob | Self::CutShort => {
                "launch the experiment again: jobs that are done are not run again"
            }
            Self::StateDisagrees => "the marker files are right, and what is shown follows them",
            Self::JobDirectoryGone => "its results are gone; launch the experiment again if you need them",
            Self::StalePid => "nothing to do: the next launch removes it",
            Self::DriverFailed => "jobs that it would have submitted later are missing: see its log",
            Self::Detached => "its jobs went on alone: their marker files tell their states",
            Self::SharedEvents => "nothing to do: the events of other runs are left out by their run",
            Self::SaveFailed => "save it again: nothing can be loaded under that name",
            Self::PathGone => "what needs the file cannot be run again until it is there",
            Self::Moved => "nothing to do: paths below the old root are shown as they are now",
            Self::DanglingLink => "make it anew, or remove it",
            Self::OutsideLink => "what it leads to is not read: open that workspace itself",
            Self::OrphanJob => "nothing to do, or remove it if you need the space",
        }
    }
}

/// " in line 3", or nothing in a file that has none.
pub(super) fn in_line(line: u64) -> String {
    if line == 0 { String::new() } else { format!(" in line {line}") }
}

/// One thing that is wrong: what, where, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is
    pub severity: Severity,
    /// What kind of trouble
    pub trouble: Trouble,
    /// The experiment, if it is about one
    pub experiment: Option<String>,
    /// The run, if it is about one
    pub run: Option<String>,
    /// The identifier of the job, if it is about one
    pub job_id: Option<String>,
    /// The file or directory to look at
    pub file: Option<PathBuf>,
    /// Its line, counted from 1
    pub line: Option<u64>,
    /// The field of the job, as in `model.layers[2].size`
    pub field: Option<String>,
    /// What is wrong, in a sentence that starts in lower case
    pub what: String,
    /// What to do about it
    pub advice: String,
}

impl Finding {
    /// A finding about the workspace as a whole.
    pub(super) fn new(trouble: Trouble, what: impl Into<String>) -> Self {
        Self {
            severity: trouble.severity(),
            trouble,
            experiment: None,
            run: None,
            job_id: None,
            file: None,
            line: None,
            field: None,
            what: what.into(),
            advice: trouble.advice().to_owned(),
        }
    }

    pub(super) fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    pub(super) fn advice(self, advice: impl Into<String>) -> Self {
        Self { advice: advice.into(), ..self }
    }

    pub(super) fn job(self, job_id: impl Into<String>) -> Self {
        Self { job_id: Some(job_id.into()), ..self }
    }

    pub(super) fn file(self, file: impl Into<PathBuf>) -> Self {
        Self { file: Some(file.into()), ..self }
    }

    /// A line of a file; 0 is none.
    pub(super) fn line(self, line: u64) -> Self {
        Self { line: (line > 0).then_some(line), ..self }
    }

    pub(super) fn field(self, field: impl Into<String>) -> Self {
        let field = field.into();
        Self { field: (!field.is_empty()).then_some(field), ..self }
    }
}
