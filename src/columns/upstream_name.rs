//! How columns of other jobs are spelled: `up.learn.config.lr`, `config.trained@job.config.epochs`.

/// The parts of the name of a column of a job upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpstreamName<'p> {
    /// `<place>@job.<column>`: of the job that produced the config at a place
    Place {
        /// The place, which may be a short name
        place: &'p str,
        /// The column of that job
        column: &'p str,
    },
    /// `up.<task>.<column>`: of the nearest job upstream of a task. Names of tasks have dots: see [`task_splits`]
    Task {
        /// All behind `up.`
        rest: &'p str,
    },
}

impl<'p> UpstreamName<'p> {
    /// The parts of a pattern; nothing if it is spelled as a column of the job itself.
    #[must_use]
    pub fn parse(pattern: &'p str) -> Option<Self> {
        if let Some(rest) = pattern.strip_prefix("up.") {
            return Some(Self::Task { rest });
        }
        let mut from = 0;
        while let Some(at) = pattern[from..].find("@job.").map(|found| from + found) {
            // a key that looks like the suffix is escaped
            let escapes = pattern[..at].bytes().rev().take_while(|&byte| byte == b'\\').count();
            if escapes % 2 == 0 && at > 0 {
                return Some(Self::Place { place: &pattern[..at], column: &pattern[at + "@job.".len()..] });
            }
            from = at + 1;
        }
        None
    }
}

/// The ways to split the text behind `up.` into the name of a task and that of a column, the longest task first.
pub fn task_splits(rest: &str) -> impl Iterator<Item = (&str, &str)> {
    rest.rmatch_indices('.')
        .map(|(at, _)| (&rest[..at], &rest[at + 1..]))
        .filter(|(task, column)| !task.is_empty() && !column.is_empty())
}
