//! How far the clock that wrote a local time was ahead of UTC.
//!
//! experimaestro writes `started_time` and `ended_time` without a zone, but other files give the same moments as Unix time
//! stamps: the events of the run and of its jobs (docs/format.md §7), the modification times of markers (`ended_time` is the
//! marker's), and the first line of jobs.jsonl, which follows the time that names the run.

use std::path::Path;

use serde::Deserialize;

use super::moment::Moment;
use crate::file;
use crate::json;
use crate::workspace::Run;

/// Offsets of zones are multiples of this, in microseconds.
const QUARTER: i64 = 15 * 60 * 1_000_000;
/// The largest distance of a zone from UTC: Kiritimati is 14 hours ahead.
const MAX_OFFSET: i64 = 14 * 3_600 * 1_000_000;
/// An event is written at most this long after the moment that it names, in microseconds.
const EVENT_DELAY: i64 = 60 * 1_000_000;
/// Archives keep whole seconds of modification times; some file systems keep two.
const MTIME_PRECISION: i64 = 2_000_000;
/// The first job is submitted at most this long after the run began; later, the offset would be a guess.
const FIRST_SUBMISSION: i64 = QUARTER / 2;
/// No zone changes its clock twice within this time, in microseconds.
const TWO_CHANGES: i64 = 28 * 86_400 * 1_000_000;
/// How much of an event file is read from its beginning, and from its end, in bytes.
const EVENT_BYTES: u64 = 16 << 10;

/// The offset that makes a local time this moment in UTC, in seconds; nothing if they are not one moment. `late` is by how much
/// the UTC time may be later, both in microseconds.
fn offset_between(naive: i64, utc: i64, late: i64) -> Option<i32> {
    let ahead = naive - utc;
    let rounded = (ahead + late).div_euclid(QUARTER) * QUARTER;
    // `ahead` is the offset less the delay
    let delay = rounded - ahead;
    let fits = (-MTIME_PRECISION..=late).contains(&delay) && rounded.abs() <= MAX_OFFSET;
    fits.then(|| i32::try_from(rounded / 1_000_000).ok()).flatten()
}

/// The offset that the modification time of a marker shows: `ended_time` is that time, as the driver's clock showed it.
pub(super) fn offset_of_marker(ended: Moment, modified: Moment) -> Option<i32> {
    offset_between(ended.naive()?, modified.utc()?, MTIME_PRECISION)
}

/// One event, as far as it dates something.
#[derive(Deserialize, Default)]
#[serde(default)]
struct DatedEvent {
    timestamp: Option<f64>,
    submitted_time: Option<String>,
    started_time: Option<String>,
    ended_time: Option<String>,
    ended_at: Option<String>,
}

impl DatedEvent {
    /// When the event was written, in microseconds of UTC, and the offset that it shows. Of several local times the last is the
    /// one at which it was written.
    fn offset(&self) -> Option<(i64, i32)> {
        let utc = Moment::from_unix(self.timestamp?)?.utc()?;
        let texts = [&self.submitted_time, &self.started_time, &self.ended_time, &self.ended_at];
        let naive = texts.into_iter().flatten().filter_map(|text| Moment::parse(text)?.naive()).max()?;
        offset_between(naive, utc, EVENT_DELAY).map(|offset| (utc, offset))
    }
}

/// What a clock was ahead of UTC, at some moments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offsets {
    /// (UTC in microseconds, offset in seconds), in the order of time
    dated: Vec<(i64, i32)>,
}

impl Offsets {
    /// What the events and the first job of a run show. `first_job` gives when that was submitted, in microseconds of UTC,
    /// if no event tells.
    #[must_use]
    pub fn of_run(run: &Run, first_job: impl FnOnce() -> Option<i64>) -> Self {
        let mut offsets = Self::default();
        let files = run.event_files().unwrap_or_default();
        // of those in the run's own directory: the others may be another run's
        let files: Vec<_> = files.iter().filter(|file| file.starts_with(run.path())).collect();
        if let Some(first) = files.first() {
            offsets.read_events(first);
        }
        if let Some(last) = files.last().filter(|_| files.len() > 1) {
            offsets.read_events(last);
        }
        if offsets.dated.is_empty() {
            let began = began(run.id()).and_then(|naive| Some((naive, first_job()?)));
            offsets.dated.extend(began.and_then(|(naive, utc)| {
                offset_between(naive, utc, FIRST_SUBMISSION).map(|offset| (utc, offset))
            }));
        }
        offsets.sort();
        offsets
    }

    /// What the events of a job show; `count` is the number of its last event file, as its status.json has it.
    #[must_use]
    pub(super) fn of_job(directory: &Path, count: u64) -> Self {
        let mut offsets = Self::default();
        let events = directory.join(".experimaestro/events");
        offsets.read_events(&events.join("event-0.jsonl"));
        if count > 0 {
            offsets.read_events(&events.join(format!("event-{count}.jsonl")));
        }
        offsets.sort();
        offsets
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dated.is_empty()
    }

    /// The offset of a clock that showed this local time, in seconds: that of the nearest known moment.
    #[must_use]
    pub(super) fn nearest(&self, moment: Moment) -> Option<i32> {
        let naive = moment.naive()?;
        let distance = |&&(utc, offset): &&(i64, i32)| (naive - i64::from(offset) * 1_000_000 - utc).abs();
        self.dated.iter().min_by_key(distance).map(|&(_, offset)| offset)
    }

    /// The offset of the clock at this local time, if it is also that of the moments known around it: no change lies between.
    pub(super) fn certain(&self, moment: Moment, other: i32) -> Option<i32> {
        let offset = self.nearest(moment)?;
        let utc = moment.naive()? - i64::from(offset) * 1_000_000;
        let (first, last) = (self.dated.first()?, self.dated.last()?);
        let is_one = other == offset && self.dated.iter().all(|&(_, dated)| dated == offset);
        (is_one && utc >= first.0 - MTIME_PRECISION && utc <= last.0 + TWO_CHANGES).then_some(offset)
    }

    fn read_events(&mut self, file: &Path) {
        let Ok((head, tail)) = file::head_and_tail(file, EVENT_BYTES) else { return };
        for line in json::lines(&head).chain(json::lines(&tail)) {
            // a line that is cut, at an end of what was read, dates nothing
            let event: DatedEvent = json::from_slice(line.bytes).unwrap_or_default();
            self.dated.extend(event.offset());
        }
    }

    fn sort(&mut self) {
        self.dated.sort_unstable();
        self.dated.dedup();
    }
}

/// What dates the local times of one job.
pub(super) struct JobClock<'a> {
    /// What the files of its run show
    pub run: &'a Offsets,
    /// The directory of the job, if it has one
    pub directory: Option<&'a Path>,
    /// The number of its last event file, if its status.json has it
    pub events: Option<u64>,
}

impl JobClock<'_> {
    /// The start and the end of the job, with the offsets that its clock had then. `marker` is the modification time of the
    /// marker that says how it ended. The job's own events are read only if the marker and the run do not tell: markers lose
    /// their times in copies, and a job that an earlier run executed may lie on the other side of a change of the clock.
    pub fn dated(
        &self,
        started: Option<Moment>,
        ended: Option<Moment>,
        marker: Option<Moment>,
    ) -> (Option<Moment>, Option<Moment>) {
        let by_marker = ended.zip(marker).and_then(|(ended, marker)| offset_of_marker(ended, marker));
        let safe = by_marker.filter(|&offset| {
            [started, ended].into_iter().flatten().all(|moment| self.run.certain(moment, offset).is_some())
        });
        if safe.is_some() {
            return (started.map(|moment| moment.ahead_by(safe)), ended.map(|moment| moment.ahead_by(safe)));
        }
        let is_local = |moment: Option<Moment>| moment.is_some_and(|moment| moment.naive().is_some());
        let events = match self.directory {
            Some(directory) if is_local(started) || is_local(ended) => {
                Offsets::of_job(directory, self.events.unwrap_or_default())
            }
            _ => Offsets::default(),
        };
        let near = |moment: Moment, first: Option<i32>| {
            let offset = events.nearest(moment).or(first).or_else(|| self.run.nearest(moment));
            moment.ahead_by(offset)
        };
        (started.map(|moment| near(moment, by_marker)), ended.map(|moment| near(moment, by_marker)))
    }
}

/// The local time that names a run, in microseconds: `%Y%m%d_%H%M%S`, perhaps with `.1` behind.
fn began(run_id: &str) -> Option<i64> {
    let digits = run_id.split('.').next()?;
    let (date, time) = digits.split_once('_')?;
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if date.len() != 8 || time.len() != 6 || !are_digits(date) || !are_digits(time) {
        return None;
    }
    let text = format!(
        "{}-{}-{}T{}:{}:{}",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    Moment::parse(&text)?.naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hours and quarters of an hour are told; what is not one moment gives no offset.
    #[test]
    fn offsets_are_whole_quarters() {
        let hour = 3_600_000_000_i64;
        assert_eq!(offset_between(9 * hour, 0, EVENT_DELAY), Some(9 * 3600));
        assert_eq!(offset_between(-5 * hour, 1_000_000, EVENT_DELAY), Some(-5 * 3600));
        assert_eq!(offset_between(hour * 23 / 4, 0, EVENT_DELAY), Some(20_700));
        assert_eq!(offset_between(hour / 10, 0, EVENT_DELAY), None);
        assert_eq!(offset_between(40 * hour, 0, EVENT_DELAY), None);
    }

    /// A run is dated by its name; other names date nothing.
    #[test]
    fn runs_are_dated_by_name() {
        assert_eq!(began("19700101_000001"), Some(1_000_000));
        assert_eq!(began("19700101_000001.2"), Some(1_000_000));
        assert_eq!(began("v1"), None);
        assert_eq!(began("1970010é_00000"), None);
    }
}
