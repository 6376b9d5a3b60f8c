//! Values of a job that are not what experimaestro writes: the row is read, and each of them becomes an error.

use super::moment::Moment;
use crate::error::{Error, printable};
use crate::json::JsonType;

/// A number as a time that is none: NaN, an infinity, or one beyond any calendar.
pub(super) fn no_time(number: &[u8]) -> Error {
    let number = printable(&String::from_utf8_lossy(number));
    Error::format(format!("\"timestamp\" is {}, which is no time", number.trim()))
        .hint("its submitted_at is null")
        .at_field("timestamp")
}

/// A value of another type than experimaestro writes; nothing for null, which contains nothing.
pub(super) fn unusual_type(field: &str, kind: JsonType) -> Option<Error> {
    let kind = match kind {
        JsonType::Null => return None,
        JsonType::Bool => "a bool",
        JsonType::Number => "a number",
        JsonType::String => "a text",
        JsonType::List => "a list",
        JsonType::Dict => "a dict",
    };
    let (expected, effect) = match field {
        "timestamp" => ("a number of seconds", "its submitted_at is null"),
        _ => ("a dict", "it is read without tags"),
    };
    let error = Error::format(format!("\"{field}\" is {kind}, not {expected}"));
    Some(error.hint(effect).at_field(field))
}

/// Tags that are no dict.
pub(super) fn no_tags() -> Error {
    Error::format("\"tags\" is not a dict").hint("it is read without tags").at_field("tags")
}

/// A job of state.json that is none, by its position.
pub(super) fn no_state_row(position: usize) -> Error {
    Error::format(format!("item {position} of \"data\" is no job: it lacks \"id\" or a \"path\" below jobs/"))
        .hint("its row is left out")
}

/// A job that ended before it started. Two local times are compared only if both have an offset, or none.
pub(super) fn ended_before_start(started: Option<Moment>, ended: Option<Moment>) -> Option<Error> {
    let utc = |micros: i64, ahead: i32| micros.saturating_sub(i64::from(ahead) * 1_000_000);
    let (start, end) = match (started?, ended?) {
        (Moment::Naive(start), Moment::Naive(end)) => (start, end),
        (Moment::Naive(_), _) | (_, Moment::Naive(_)) => return None,
        (started, ended) => {
            let [start, end] = [started, ended].map(|moment| match moment {
                Moment::Local(micros, ahead) => utc(micros, ahead),
                Moment::Naive(micros) | Moment::Utc(micros) => micros,
            });
            (start, end)
        }
    };
    let early = start.saturating_sub(end);
    (early > 0).then(|| {
        let seconds = early.unsigned_abs().div_ceil(1_000_000);
        Error::format(format!(
            "the job ended {seconds} s before it started: two clocks disagree, or one was set back"
        ))
        .hint("its times are shown as they are written")
        .at_field("ended_time")
    })
}
