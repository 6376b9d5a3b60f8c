//! What a name may be, and the order of run identifiers.

use std::cmp::Ordering;

use crate::error::{Error, ErrorKind, Result, quoted};

/// The longest component that common file systems hold, in bytes.
const LONGEST: usize = 255;

/// Refuses a name that is not one plain path component, so that joining it to a directory stays in that
/// directory.
///
/// # Errors
/// `InvalidName`, with `what` (as in "experiment") and the name.
pub fn plain<'a>(what: &str, name: &'a str) -> Result<&'a str> {
    // all bytes, without a branch: the compiler compares many at once
    let is_split =
        name.bytes().fold(0, |found, byte| found | u8::from(byte == b'/') | u8::from(byte == 0)) != 0;
    let is_component = !matches!(name, "" | "." | "..") && !is_split;
    if is_component && name.len() <= LONGEST {
        return Ok(name);
    }
    let reason = match name {
        "" => format!("the {what} name is empty"),
        long if long.len() > LONGEST => {
            format!("the {what} name has {} bytes, more than {LONGEST}", long.len())
        }
        _ => format!("{} cannot be the name of one {what}", quoted(name)),
    };
    Err(Error::new(ErrorKind::InvalidName, reason)
        .hint("a name is one plain path component: no '/', not '.' or '..', not an absolute path"))
}

/// Compares two run identifiers, the newer one being the greater: by the time they spell, then by the number
/// of the launch within that second (`20260319_120000.10` is newer than `20260319_120000.2`).
pub(super) fn newer(a: &str, b: &str) -> Ordering {
    let (time_a, launch_a) = launch(a);
    let (time_b, launch_b) = launch(b);
    // digits without leading zeros: the longer number is the greater
    let key = |digits: &str| (digits.len(), digits.to_owned());
    time_a.cmp(time_b).then_with(|| key(launch_a).cmp(&key(launch_b))).then_with(|| a.cmp(b))
}

/// Whether a directory has a name that experimaestro gives to a run: `%Y%m%d_%H%M%S`, perhaps with `.1`, `.2` … behind.
pub(super) fn is_launch(name: &str) -> bool {
    let (time, number) = name.split_once('.').unwrap_or((name, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_time = time.split_once('_').is_some_and(|(date, clock)| {
        (date.len(), clock.len()) == (8, 6) && are_digits(date) && are_digits(clock)
    });
    is_time && are_digits(number)
}

/// Splits a run identifier into its time and its launch number without leading zeros.
fn launch(run_id: &str) -> (&str, &str) {
    match run_id.rsplit_once('.') {
        Some((time, digits)) if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            (time, digits.trim_start_matches('0'))
        }
        _ => (run_id, ""),
    }
}
