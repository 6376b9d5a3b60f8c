//! What became of a job's result file.

/// What became of the file behind a handle, as `result@file` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileState {
    /// Every record that a reader can use was used
    Read,
    /// No file of that name, or a link that leads nowhere
    Missing,
    /// A file without a record: no bytes, blanks, a header
    Empty,
    /// The last record is incomplete; the records before it are used
    Cut,
    /// No permission, not a file, not what its name says: nothing of it is used
    Unreadable,
    /// Several files, or several run directories with the same metric
    Several,
    /// The path does not lie in the job's own directory
    Elsewhere,
    /// The files belong to a later run of the same job
    Later,
    /// This kind of job declares no such file, or the path is null
    None,
}

impl FileState {
    /// Every state, for enums and tables.
    pub const ALL: [Self; 9] = [
        Self::Read,
        Self::Missing,
        Self::Empty,
        Self::Cut,
        Self::Unreadable,
        Self::Several,
        Self::Elsewhere,
        Self::Later,
        Self::None,
    ];

    /// The word of `result@file`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Missing => "missing",
            Self::Empty => "empty",
            Self::Cut => "cut",
            Self::Unreadable => "unreadable",
            Self::Several => "several",
            Self::Elsewhere => "elsewhere",
            Self::Later => "later",
            Self::None => "none",
        }
    }
}
