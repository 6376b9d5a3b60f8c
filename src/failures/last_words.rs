//! What ended a process from outside of Python, as its log says: a batch system, or the runtime of C++.

/// What a log says about the end of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWords {
    /// The line that says it
    pub message: String,
    /// The failure that it means, if it names one
    pub failure: Option<&'static str>,
}

/// So many of the last lines are looked at: a batch system writes its own behind those of its helpers.
const MAX_LINES: usize = 40;
/// How lines of batch systems begin: Slurm, PBS, LSF.
const BATCH: [&str; 5] =
    ["slurmstepd: error: ", "srun: error: ", "=>> PBS: job killed: ", "TERM_RUNLIMIT: ", "TERM_MEMLIMIT: "];
/// What they say, in lower case and with spaces for hyphens, and the failure that it means.
const MEANINGS: [(&str, &str); 7] = [
    ("oom kill", "MEMORY"),
    ("oom condition", "MEMORY"),
    ("out of memory", "MEMORY"),
    ("memory limit", "MEMORY"),
    ("memory usage limit", "MEMORY"),
    ("time limit", "TIMEOUT"),
    ("walltime", "TIMEOUT"),
];
const ABORTED: &str = "terminate called after throwing an instance of ";

/// The last words in a log, if it has any; those of a batch system before those of the process.
pub fn last_words(text: &str) -> Option<LastWords> {
    let mut lines: Vec<&str> =
        text.lines().rev().filter(|line| !line.trim().is_empty()).take(MAX_LINES).collect();
    lines.reverse();
    let said: Vec<LastWords> = lines.iter().filter_map(|line| of_batch_system(line)).collect();
    let telling = said.iter().find(|words| words.failure.is_some()).or(said.last());
    telling.cloned().or_else(|| of_runtime(&lines))
}

/// `slurmstepd: error: *** JOB 12 ON node CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***`
fn of_batch_system(line: &str) -> Option<LastWords> {
    // a progress bar may stand before it
    let (start, prefix) = BATCH.iter().find_map(|prefix| Some((line.find(prefix)?, *prefix)))?;
    let said = line[start..].strip_prefix(prefix)?;
    let small = said.to_ascii_lowercase().replace(['-', '_'], " ");
    let failure = MEANINGS.iter().find(|(words, _)| small.contains(words)).map(|&(_, failure)| failure);
    let failure = failure.or(match prefix {
        "TERM_MEMLIMIT: " => Some("MEMORY"),
        "TERM_RUNLIMIT: " => Some("TIMEOUT"),
        // a node that failed killed it
        _ => (small.contains("cancelled") && !small.contains("node fail")).then_some("CANCELLED"),
    });
    let message = said.trim().trim_start_matches("*** ").trim_end_matches(" ***");
    Some(LastWords { message: message.to_owned(), failure })
}

/// `terminate called after throwing an instance of 'std::bad_alloc'`, and what it says in the next line.
fn of_runtime(lines: &[&str]) -> Option<LastWords> {
    let last = lines.iter().rposition(|line| line.starts_with(ABORTED))?;
    let said = lines.get(last + 1).and_then(|line| line.trim_start().strip_prefix("what():"));
    let class = lines[last].trim_end();
    let message = said.map_or_else(|| class.to_owned(), |said| format!("{class}: {}", said.trim()));
    Some(LastWords { message, failure: None })
}
