//! Points in time: experimaestro writes some without a zone.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use once_cell::sync::OnceCell;

use crate::error::{Error, ErrorKind, Result, quoted};

/// The length of the shortest date, as in `20260319`: a `-` after it may begin an offset.
const DATE_LENGTH: usize = 8;

/// A point in time as a file gives it, in microseconds since 1970-01-01T00:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Local time of the machine that wrote the file; nothing tells the zone
    Naive(i64),
    /// Local time of the machine that wrote the file, and how far it was ahead of UTC then, in seconds, as other files show
    Local(i64, i32),
    /// UTC
    Utc(i64),
}

impl Moment {
    /// Reads the ISO 8601 text of Python's `isoformat()`, with or without an offset.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // most have no offset; making jiff's error for them would take longer than reading them
        let may_have_offset = text.bytes().skip(DATE_LENGTH).any(|byte| b"Zz+-".contains(&byte));
        if may_have_offset && let Ok(moment) = text.parse::<Timestamp>() {
            return Some(Self::Utc(moment.as_microsecond()));
        }
        let wall: DateTime = text.parse().ok()?;
        Some(Self::Naive(TimeZone::UTC.to_timestamp(wall).ok()?.as_microsecond()))
    }

    /// Reads seconds since 1970 in UTC, as `jobs.jsonl` and events have them; nothing for a number that is no
    /// time.
    #[must_use]
    pub fn from_unix(seconds: f64) -> Option<Self> {
        let micros = (seconds * 1e6).round();
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
        let whole = (micros.is_finite() && micros.abs() < 3e17).then_some(micros as i64)?;
        Timestamp::from_microsecond(whole).ok().map(|_| Self::Utc(whole))
    }

    /// The time that a file system keeps.
    #[must_use]
    pub fn from_system(time: SystemTime) -> Option<Self> {
        Timestamp::try_from(time).ok().map(|moment| Self::Utc(moment.as_microsecond()))
    }

    /// Microseconds since 1970 in UTC. A local time is read with its recorded offset; in `zone` if it has none, or if the user
    /// named the zone. A time that the zone skips is read with the offset before the gap, one that it has twice is the first of
    /// the two.
    #[must_use]
    pub fn to_utc(self, zone: &Zone) -> i64 {
        match self {
            Self::Utc(micros) => micros,
            Self::Local(micros, ahead) if !zone.is_named() => micros - i64::from(ahead) * 1_000_000,
            Self::Naive(micros) | Self::Local(micros, _) => Timestamp::from_microsecond(micros)
                .and_then(|wall| zone.get().to_timestamp(TimeZone::UTC.to_datetime(wall)))
                .map_or(micros, Timestamp::as_microsecond),
        }
    }

    /// Microseconds since 1970 in UTC, as far as files tell, whatever zone the user names.
    #[must_use]
    pub fn recorded_utc(self) -> Option<i64> {
        match self {
            Self::Utc(micros) => Some(micros),
            Self::Local(micros, ahead) => Some(micros - i64::from(ahead) * 1_000_000),
            Self::Naive(_) => None,
        }
    }

    /// The local time in microseconds since 1970, if this is one without a known offset.
    #[must_use]
    pub fn naive(self) -> Option<i64> {
        if let Self::Naive(micros) = self { Some(micros) } else { None }
    }

    /// Microseconds since 1970 in UTC, if the file gave it so.
    #[must_use]
    pub(super) fn utc(self) -> Option<i64> {
        if let Self::Utc(micros) = self { Some(micros) } else { None }
    }

    /// The same time with the offset of the clock that wrote it, unless it has one.
    #[must_use]
    pub(super) fn ahead_by(self, offset: Option<i32>) -> Self {
        match (self, offset) {
            (Self::Naive(micros), Some(offset)) => Self::Local(micros, offset),
            _ => self,
        }
    }
}

/// The zone in which times without a zone are read: one that the user named, or that of this machine, which is looked up when
/// the first such time is read.
#[derive(Debug, Clone)]
pub struct Zone {
    zone: OnceCell<TimeZone>,
    is_named: bool,
}

impl Zone {
    /// The zone of this machine.
    #[must_use]
    pub fn local() -> Self {
        Self { zone: OnceCell::new(), is_named: false }
    }

    /// Whether the user named it: then it overrides the offsets that files record.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.is_named
    }

    /// The name of the zone, if the user gave one.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        self.is_named.then(|| self.get().iana_name().unwrap_or("UTC").to_owned())
    }

    fn get(&self) -> &TimeZone {
        self.zone.get_or_init(TimeZone::system)
    }

    /// A zone by its name in the IANA database, as `Europe/Paris` or `UTC`.
    ///
    /// # Errors
    /// `InvalidArgument`: no such zone.
    pub fn named(name: &str) -> Result<Self> {
        TimeZone::get(name).map(|zone| Self { zone: OnceCell::with_value(zone), is_named: true }).map_err(
            |_| {
                Error::new(ErrorKind::InvalidArgument, format!("there is no time zone {}", quoted(name)))
                    .hint("give a name of the IANA database, as Europe/Paris or UTC")
            },
        )
    }
}
