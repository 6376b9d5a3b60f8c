//! A finding: what is wrong, where, and what to do.

use std::path::PathBuf;

/// How severe a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A table lacks a value, or shows a wrong one
    Error,
    /// Tables are right, but something went wrong when the experiment ran, or another reader would be misled
    Warning,
    /// Nothing is wrong
    Info,
}

impl Severity {
    /// Its name.
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
    /// A file with content that experimaestro does not write
    BadFile,
    /// A line that experimaestro does not write
    BadLine,
    /// A truncated last line
    CutLine,
    /// A reference to an object that the run's file lacks
    DanglingReference,
    /// A reference that leads back to its own config
    CyclicReference,
    /// Two objects with one Python id
    ReusedId,
    /// A config that differs from the params.json that the job ran with
    NotWhatRan,
    /// Objects with one identifier whose content differs
    DuplicateIdentifier,
    /// A dict with a key `type`, which experimaestro reads as an encoded value
    EncodedDict,
    /// A task that was written without its fields
    Stub,
    /// A job or action without config
    NoConfig,
    /// An empty params.json
    EmptyParams,
    /// A job that the run links to but does not list
    UnlistedJob,
    /// A job whose driver died while the job ran
    LostJob,
    /// A file that contradicts the state of the marker files
    StateDisagrees,
    /// A missing job directory
    JobDirectoryGone,
    /// A pid file of a job that ended
    StalePid,
    /// A run whose driver was killed, or never recorded its end
    CutShort,
    /// A run whose driver ended with an exception
    DriverFailed,
    /// A run whose driver detached from its jobs
    Detached,
    /// Event files with events of other runs
    SharedEvents,
    /// An object that could not be saved
    SaveFailed,
    /// A recorded path that does not exist
    PathGone,
    /// A workspace that was moved since its files were written
    Moved,
    /// A dangling symlink
    DanglingLink,
    /// A symlink out of the workspace
    OutsideLink,
    /// A job directory of no run
    OrphanJob,
    /// A copy of a run among the runs of its experiment
    CopiedRun,
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
            Self::CopiedRun => "copied-run",
        }
    }

    /// The usual severity.
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
            | Self::OrphanJob
            | Self::CopiedRun => Severity::Info,
        }
    }

    /// The usual advice.
    fn advice(self) -> &'static str {
        match self {
            Self::UnreadableFile => "check its permissions and its file system, or restore it from a backup",
            Self::BadFile | Self::BadLine => "restore it from a backup; the rest of the file was read",
            Self::CutLine => "the driver was killed while writing it: launch the experiment again",
            Self::DanglingReference => {
                "its columns are null; launch the experiment again to have it rewritten"
            }
            Self::CyclicReference => {
                "its columns are null: experimaestro writes no such configs, so the file was changed"
            }
            Self::ReusedId => "trust the params.json of the job, not experimaestro's load_xp_info",
            Self::NotWhatRan => {
                "the job was not rerun, since its identifier ignores this value: trust params.json"
            }
            Self::DuplicateIdentifier => "the last object is shown; params.json tells which one ran",
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
            Self::StateDisagrees => "tables follow the marker files, which are right",
            Self::JobDirectoryGone => "its results are gone; launch the experiment again if you need them",
            Self::StalePid => "nothing to do: the next launch removes it",
            Self::DriverFailed => "jobs that it would have submitted later are missing: see its log",
            Self::Detached => "its jobs went on alone: their marker files tell their states",
            Self::SharedEvents => "nothing to do: events of other runs are ignored",
            Self::SaveFailed => "save it again: nothing can be loaded under that name",
            Self::PathGone => "jobs that need this file cannot be rerun until it is restored",
            Self::Moved => "nothing to do: paths below the old root are shown below the new one",
            Self::DanglingLink => "recreate it, or remove it",
            Self::OutsideLink => "its target is not read: open that workspace itself",
            Self::OrphanJob => "nothing to do, or remove it if you need the space",
            Self::CopiedRun => "nothing to do: its jobs are counted once; read the copy by its path",
        }
    }
}

/// " in line 3"; empty for line 0, in a file without lines.
pub(super) fn in_line(line: u64) -> String {
    if line == 0 { String::new() } else { format!(" in line {line}") }
}

/// What is wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How severe it is
    pub severity: Severity,
    /// The kind of trouble
    pub trouble: Trouble,
    /// The experiment, if it is about one
    pub experiment: Option<String>,
    /// The run, if it is about one
    pub run: Option<String>,
    /// The identifier of the job, if it is about one
    pub job_id: Option<String>,
    /// The file or directory concerned
    pub file: Option<PathBuf>,
    /// Its line, counted from 1
    pub line: Option<u64>,
    /// The field of the job, as in `model.layers[2].size`
    pub field: Option<String>,
    /// What is wrong, as a sentence that starts in lower case
    pub text: String,
    /// What to do about it
    pub advice: String,
}

impl Finding {
    /// A finding about the workspace as a whole.
    pub(super) fn new(trouble: Trouble, text: impl Into<String>) -> Self {
        Self {
            severity: trouble.severity(),
            trouble,
            experiment: None,
            run: None,
            job_id: None,
            file: None,
            line: None,
            field: None,
            text: text.into(),
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

    /// Adds a line of the file; 0 means none.
    pub(super) fn line(self, line: u64) -> Self {
        Self { line: (line > 0).then_some(line), ..self }
    }

    pub(super) fn field(self, field: impl Into<String>) -> Self {
        let field = field.into();
        Self { field: (!field.is_empty()).then_some(field), ..self }
    }
}
