//! Files of a format that only the user knows: a function of theirs reads each.

use std::fmt::Debug;
use std::path::Path;

use super::locate::{Entry, Located};
use super::select::{Rank, Select, number_of};
use super::state::FileState;
use crate::error::{Error, Result};
use crate::values::{Record, Store};

/// Reads the files of a format that is none of [`super::Format`].
pub trait FileReader: Debug + Send + Sync {
    /// Adds what a file or directory holds to a store: one record, or its rows.
    ///
    /// # Errors
    /// Why the file cannot be used.
    fn read(&self, path: &Path, store: &mut Store) -> Result<Vec<Record>>;
}

/// What the function of the user made of the file of a job.
pub(super) struct UserRows {
    pub state: FileState,
    pub records: Vec<Record>,
    pub errors: Vec<Error>,
}

/// Reads what a handle leads to, file or directory, by the function of the user.
pub(super) fn read_user_rows(
    reader: &dyn FileReader,
    located: &Located,
    job: &str,
    store: &mut Store,
) -> UserRows {
    let nothing = |state, errors| UserRows { state, records: Vec::new(), errors };
    let path = match (&located.path, located.state) {
        (_, Some(state @ (FileState::Missing | FileState::Elsewhere | FileState::None))) => {
            return nothing(state, Vec::new());
        }
        (Some(path), _) => path,
        (None, _) => {
            let shown: Vec<&str> = located.entries.iter().take(3).map(Entry::name).collect();
            let reason = format!("{} files fit the pattern: {}", located.entries.len(), shown.join(", "));
            let error = Error::format(reason).at_job(job).hint("give a pattern that one of them fits");
            return nothing(FileState::Several, vec![error]);
        }
    };
    let mark = store.mark();
    match reader.read(path, store) {
        Ok(records) if records.is_empty() => nothing(FileState::Empty, Vec::new()),
        Ok(records) => UserRows { state: FileState::Read, records, errors: Vec::new() },
        Err(error) => {
            store.rewind(mark);
            nothing(FileState::Unreadable, vec![error.at_file(path).at_job(job)])
        }
    }
}

/// The row that is the job's result.
pub(super) fn chosen(store: &Store, records: &[Record], select: &Select) -> Option<Record> {
    let Some(column) = select.column() else {
        return if *select == Select::First { records.first() } else { records.last() }.copied();
    };
    let mut best: Option<(Rank, Record)> = None;
    for &record in records {
        let Some(number) = number_of(store, record, column) else { continue };
        if select.is_better(number, best.map(|(best, _)| best)) {
            best = Some((number, record));
        }
    }
    best.map(|(_, record)| record)
}
