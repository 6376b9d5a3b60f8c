//! Which lines of a log are records of loggers, and which of these are experimaestro's.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::text::OVERWRITTEN;

/// What experimaestro logs right before the traceback of a task.
const STARTS: &str = "Got exception while running";
/// What it logs right after.
const ENDS: &str = "Error handler: finished with code";
/// What it logs when a process goes through its end, whatever the reason.
const CLEANS: &str = "Cleaning up";

const LEVELS: [&str; 8] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "WARN", "FATAL", "EXCEPTION"];
/// What experimaestro logs about the life of a job, in any format.
const LIFE: [&str; 9] = [
    "Running task",
    STARTS,
    CLEANS,
    "Releasing lock",
    "Released lock",
    "Finished cleanup",
    "Exiting",
    "SIGTERM received, initiating graceful termination",
    "Background cleanup finished",
];

/// Whether experimaestro announces the traceback of the task. A progress bar may stand before it in the same line.
pub fn starts_traceback(line: &str) -> bool {
    static FINDER: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(STARTS));
    FINDER.find(line.as_bytes()).is_some()
}

/// Whether experimaestro says with which code the task ended.
pub fn ends_traceback(line: &str) -> bool {
    static FINDER: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(ENDS));
    FINDER.find(line.as_bytes()).is_some()
}

/// Whether a line is tagged with the name of experimaestro's logger.
fn is_tagged(line: &str) -> bool {
    static FINDER: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("[xpm] "));
    FINDER.find(line.as_bytes()).is_some()
}

/// Whether experimaestro began to clean up.
pub fn cleans_up(line: &str) -> bool {
    is_life(line) && line.contains(CLEANS)
}

/// Whether a line is experimaestro's own record of the life of a job. Handlers of rich add the source.
pub fn is_life(line: &str) -> bool {
    if is_tagged(line) {
        return level(line).is_some() || starts_traceback(line);
    }
    let text = line.trim_end();
    let text = match text.rsplit_once(' ') {
        Some((before, source)) if source.starts_with("run.py:") => before.trim_end(),
        _ => text,
    };
    LIFE.iter().any(|life| text.ends_with(life)) && level(line).is_some()
}

/// The level of a record, if a line begins as one.
pub fn level(line: &str) -> Option<&'static str> {
    let mut end = line.len().min(60);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    let words = line[..end].split(|next: char| !next.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    // dates, times, process numbers, and a bracket or two stand before it
    for word in words {
        if let Some(level) = LEVELS.iter().find(|level| **level == word) {
            return Some(level);
        }
        if !word.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
    }
    None
}

/// Whether a line begins something else than the message of an exception.
pub fn is_record(line: &str) -> bool {
    const BEGINS: [&str; 11] = [
        "--- Logging error ---",
        "Exception ignored",
        "Exception in thread",
        "Traceback (most recent call last)",
        "Error in atexit",
        "Error in sys.excepthook",
        "Fatal Python error",
        "Call stack:",
        "Task exception was never retrieved",
        "Process finished",
        "Process ForkProcess-",
    ];
    line.starts_with(OVERWRITTEN)
        || BEGINS.iter().any(|text| line.starts_with(text))
        || level(line).is_some()
        || is_tagged(line)
        || is_dated(line)
        || is_warning(line)
}

/// Whether a line begins with a date or a time of day.
fn is_dated(line: &str) -> bool {
    let bytes = line.strip_prefix('[').unwrap_or(line).as_bytes();
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let separator = bytes.get(digits);
    (digits == 4 || digits == 2)
        && matches!(separator, Some(b'-' | b'/' | b':'))
        && bytes.get(digits + 1..digits + 3).is_some_and(|next| next.iter().all(u8::is_ascii_digit))
        && bytes.get(digits + 3) == separator
}

/// Whether a line is what the warnings of Python print.
fn is_warning(line: &str) -> bool {
    line.split_once("Warning: ").is_some_and(|(before, _)| {
        before.rsplit_once(": ").is_some_and(|(source, class)| {
            !class.contains(' ')
                && source.rsplit_once(':').is_some_and(|(_, number)| {
                    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
                })
        })
    })
}
