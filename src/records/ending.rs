//! How a job ended, for explanations of failures.

use std::path::PathBuf;

use super::markers::ExitValue;
use super::state::State;

/// How a job ended: its state, and what its marker file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEnding {
    /// How far it came
    pub state: State,
    /// Why it failed, in upper case; there exactly when the state is an error
    pub reason: Option<String>,
    /// What its marker file says
    pub message: Option<String>,
    /// What it gave to `sys.exit`, where the marker file has it
    pub exit: Option<ExitValue>,
    /// Whether it has a marker file of failure
    pub is_marked: bool,
    /// Whether it left the file that names its process, without a marker file
    pub has_pid: bool,
    /// Its directory, if it may be there
    pub directory: Option<PathBuf>,
}

impl JobEnding {
    /// That of a job that is known to be done.
    #[must_use]
    pub fn done() -> Self {
        Self {
            state: State::Done,
            reason: None,
            message: None,
            exit: None,
            is_marked: false,
            has_pid: false,
            directory: None,
        }
    }
}
