//! The states of a job, and the words that the files have for them.

/// How far a job came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Submitted, or not even that: nothing more is known
    Unscheduled,
    /// Waits for jobs that it depends on
    Waiting,
    /// Could be scheduled
    Ready,
    /// Was given to a launcher
    Scheduled,
    /// Runs now
    Running,
    /// Finished with success
    Done,
    /// Failed; the reason says how
    Error,
    /// A job that is only run when another needs it, and none did
    Transient,
    /// Waited or ran when the driver of its run went away, and left no result
    Lost,
}

impl State {
    /// Every state, in the order of declaration.
    pub const ALL: [Self; 9] = [
        Self::Unscheduled,
        Self::Waiting,
        Self::Ready,
        Self::Scheduled,
        Self::Running,
        Self::Done,
        Self::Error,
        Self::Transient,
        Self::Lost,
    ];

    /// Whether the scheduler has yet to start it.
    #[must_use]
    pub fn is_queued(self) -> bool {
        matches!(self, Self::Waiting | Self::Ready | Self::Scheduled)
    }

    /// The word in the `state` column.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unscheduled => "unscheduled",
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Done => "done",
            Self::Error => "error",
            Self::Transient => "transient",
            Self::Lost => "lost",
        }
    }
}

/// The reason given to an error whose files give none.
pub(super) const FAILED: &str = "FAILED";

/// A state as a file words it, with the reason of a failure where it gives one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StateWord {
    pub state: State,
    pub reason: Option<String>,
}

impl StateWord {
    /// Reads `done`, `error`, `error:TIMEOUT` …; nothing for a word that is unknown.
    pub fn read(word: &str, reason: Option<&str>) -> Option<Self> {
        let (word, inner) = word.split_once(':').map_or((word, None), |(word, reason)| (word, Some(reason)));
        let is_named = |state: &State| *state != State::Lost && state.as_str().eq_ignore_ascii_case(word);
        // the first event of a job, before the scheduler looked at it
        let state = if word.eq_ignore_ascii_case("submitted") {
            State::Unscheduled
        } else {
            State::ALL.into_iter().find(is_named)?
        };
        Some(Self { state, reason: inner.or(reason).and_then(reason_name) })
    }

    /// An error, for the reason that is given or for none.
    pub fn error(reason: Option<&str>) -> Self {
        Self { state: State::Error, reason: reason.and_then(reason_name) }
    }

    pub fn is_error(&self) -> bool {
        self.state == State::Error
    }
}

/// The upper-case name of a failure reason. `DELETED` and `MISSING_OUTPUTS` are one reason under two names.
fn reason_name(text: &str) -> Option<String> {
    match text.trim().to_ascii_uppercase().as_str() {
        "" => None,
        "DELETED" => Some("MISSING_OUTPUTS".to_owned()),
        name => Some(name.to_owned()),
    }
}
