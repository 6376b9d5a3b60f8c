//! The row of a job in a jobs.jsonl.

use crate::json;
use crate::values::{Record, Symbol, Text};

/// One job of a run, as the run recorded it.
#[derive(Debug, Clone, Copy)]
pub struct JobRow {
    /// Its identifier
    pub job_id: Text,
    /// The identifier of its task
    pub task_id: Symbol,
    /// Its tags
    pub tags: Option<Record>,
    /// When it was submitted, in microseconds since 1970 UTC
    pub submitted: Option<i64>,
}

/// Microseconds since 1970, rounded as Python's `datetime.fromtimestamp` does.
#[allow(clippy::cast_possible_truncation, reason = "out of range saturates, far from any time that is")]
pub(super) fn microseconds(seconds: json::Number<'_>) -> Option<i64> {
    match seconds {
        json::Number::Int(seconds) => seconds.checked_mul(1_000_000),
        json::Number::Float(seconds) if seconds.is_finite() => {
            let whole = (seconds.trunc() as i64).checked_mul(1_000_000)?;
            whole.checked_add((seconds.fract() * 1e6).round_ties_even() as i64)
        }
        _ => None,
    }
}
