//! A run directory of `TensorBoard`: the scalars of its event files, in the order in which they were written.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use ahash::HashMap;

use super::events::{FileEnd, each_record};
use super::problems::Problems;
use super::proto::{Content, Event, Malformed, Scalar, SummaryValue, scalar, summary_values};
use super::select::{Rank, Select, names};
use super::state::FileState;
use super::wanted::Patterns;
use crate::error::{Error, quoted};
use crate::progress::CancelToken;

/// Scalars of a run directory, one row a point.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Points {
    /// The metrics, each once, in the order of their first points
    pub names: Vec<String>,
    /// The metric of each point, by its position in `names`
    pub metric: Vec<u32>,
    /// The step of each point
    pub step: Vec<i64>,
    /// When each point was written, in seconds since 1970 UTC
    pub wall_time: Vec<f64>,
    /// The value of each point
    pub value: Vec<f64>,
}

impl Points {
    /// How many points there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.step.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.step.is_empty()
    }

    fn truncate(&mut self, length: usize) {
        self.metric.truncate(length);
        self.step.truncate(length);
        self.wall_time.truncate(length);
        self.value.truncate(length);
    }

    /// Keeps the points that are marked, and the names that they have.
    fn retain(&mut self, is_kept: &[bool]) {
        fn keep<T: Copy>(values: &mut Vec<T>, is_kept: &[bool]) {
            let mut marks = is_kept.iter();
            values.retain(|_| marks.next().copied().unwrap_or_default());
        }
        keep(&mut self.metric, is_kept);
        keep(&mut self.step, is_kept);
        keep(&mut self.wall_time, is_kept);
        keep(&mut self.value, is_kept);
    }

    fn drop_unused_names(&mut self) {
        let mut is_used = vec![false; self.names.len()];
        self.metric.iter().for_each(|&metric| is_used[metric as usize] = true);
        if is_used.iter().all(|&used| used) {
            return;
        }
        let mut count = 0;
        let codes: Vec<u32> = is_used
            .iter()
            .map(|&used| {
                let code = count;
                count += u32::from(used);
                code
            })
            .collect();
        self.metric.iter_mut().for_each(|metric| *metric = codes[*metric as usize]);
        let mut marks = is_used.iter();
        self.names.retain(|_| marks.next().copied().unwrap_or_default());
    }

    /// The row of each metric that is the job's result; nothing for a metric that has none.
    pub(super) fn chosen(&self, select: &Select) -> Vec<Option<usize>> {
        let mut chosen: Vec<Option<usize>> = vec![None; self.names.len()];
        let best = match select {
            Select::Max(name) | Select::Min(name) => self.best_row(select, name),
            _ => None,
        };
        for (row, (&metric, &step)) in self.metric.iter().zip(&self.step).enumerate() {
            let slot = &mut chosen[metric as usize];
            let earlier = slot.map(|row| self.step[row]);
            let is_chosen = match select {
                Select::Last => earlier.is_none_or(|earlier| step >= earlier),
                Select::First => earlier.is_none_or(|earlier| step < earlier),
                Select::Max(_) | Select::Min(_) => best.is_some_and(|best| {
                    self.step[best] == step && (self.metric[best] != metric || row == best)
                }),
            };
            if is_chosen {
                *slot = Some(row);
            }
        }
        chosen
    }

    fn best_row(&self, select: &Select, name: &str) -> Option<usize> {
        let metric = self.names.iter().position(|key| names(key, name))?;
        let mut best: Option<usize> = None;
        for (row, &value) in self.value.iter().enumerate() {
            if self.metric[row] as usize == metric
                && select.is_better(Rank::Float(value), best.map(|best| Rank::Float(self.value[best])))
            {
                best = Some(row);
            }
        }
        best
    }
}

/// What is known of a tag of the run.
#[derive(Debug, Clone, Copy)]
struct Tag {
    is_wanted: bool,
    /// Whether its plugin is that of scalars, once it was said
    is_scalar: Option<bool>,
    /// The tag that came after it the last time
    next: u32,
}

/// Points written before it, at its step or later, do not count: of one tag, or of all.
#[derive(Debug, Clone, Copy)]
struct Purge {
    before: usize,
    step: i64,
    tag: Option<u32>,
}

/// What is kept of a run directory while it is read.
#[derive(Debug, Clone)]
pub(super) struct BoardFilter {
    /// The metrics that are wanted
    pub metrics: Patterns,
    /// The metric that decides which step is the result: it is read even if it is not wanted
    pub decides: Option<String>,
    /// The steps that are wanted
    pub steps: Option<RangeInclusive<i64>>,
}

/// Reads the files of a run directory.
struct Board<'f> {
    filter: &'f BoardFilter,
    points: Points,
    tags: Vec<Tag>,
    positions: HashMap<Box<[u8]>, u32>,
    last_tag: u32,
    purges: Vec<Purge>,
    /// Whether restarts are written as such, as they are since version 2
    has_starts: bool,
    highest_step: i64,
    /// How many scalars there were, wanted or not
    scalars: u64,
    /// How many tensors of rank 0 have another type, and how many records are no message
    foreign: u64,
    malformed: u64,
    /// How many records were read
    records: u64,
}

impl<'f> Board<'f> {
    fn new(filter: &'f BoardFilter) -> Self {
        Self {
            filter,
            points: Points::default(),
            tags: Vec::new(),
            positions: HashMap::default(),
            last_tag: 0,
            purges: Vec::new(),
            has_starts: false,
            highest_step: i64::MIN,
            scalars: 0,
            foreign: 0,
            malformed: 0,
            records: 0,
        }
    }

    /// Reads one file: how it ends, if it could be read, and what of it could not be used.
    fn read_file(&mut self, path: &Path, cancel: &CancelToken) -> (Option<FileEnd>, Problems) {
        let mut problems = Problems::of(path);
        let (foreign, malformed) = (self.foreign, self.malformed);
        let end = each_record(path, cancel, |bytes| self.record(bytes));
        match &end {
            Ok(FileEnd::Whole) => {}
            Ok(FileEnd::Cut) => problems.add(Error::format("the last record is not finished")),
            Ok(FileEnd::Damaged { record, damage }) => problems.add(
                Error::format(format!("record {record}: {damage}; the rest of the file is left out"))
                    .hint("the file was damaged after it was written"),
            ),
            Err(error) => problems.add(error.clone()),
        }
        for (count, fault) in [
            (self.foreign - foreign, "scalars are neither float nor double"),
            (self.malformed - malformed, "records are no events"),
        ] {
            if count > 0 {
                problems.add(Error::format(format!("{count} {fault}")));
            }
        }
        (end.ok(), problems)
    }

    /// The position of a tag; the order of tags mostly repeats itself.
    #[inline]
    fn tag(&mut self, name: &[u8]) -> Result<u32, Malformed> {
        let guess = self.tags.get(self.last_tag as usize).map_or(0, |tag| tag.next);
        let is_guess = self.points.names.get(guess as usize).is_some_and(|guess| guess.as_bytes() == name);
        let position = if is_guess { guess } else { self.find_tag(name)? };
        if let Some(last) = self.tags.get_mut(self.last_tag as usize) {
            last.next = position;
        }
        self.last_tag = position;
        Ok(position)
    }

    fn find_tag(&mut self, name: &[u8]) -> Result<u32, Malformed> {
        if let Some(&position) = self.positions.get(name) {
            return Ok(position);
        }
        let text = std::str::from_utf8(name).map_err(|_| Malformed)?;
        let position = u32::try_from(self.tags.len()).map_err(|_| Malformed)?;
        self.tags.push(Tag {
            is_wanted: self.filter.metrics.matches(text)
                || self.filter.decides.as_deref().is_some_and(|column| names(text, column)),
            is_scalar: None,
            next: position + 1,
        });
        self.points.names.push(text.to_owned());
        self.positions.insert(name.into(), position);
        Ok(position)
    }

    /// Takes a record; one that is no message is passed over.
    #[inline]
    fn record(&mut self, bytes: &[u8]) {
        self.records += 1;
        let before = self.points.len();
        if self.event(bytes).is_err() {
            self.points.truncate(before);
            self.malformed += 1;
        }
    }

    #[inline]
    fn event(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let event = Event::parse(bytes)?;
        if let Some(version) = event.file_version {
            self.has_starts = version_of(version) >= 2.0;
        }
        if self.has_starts {
            if event.is_start {
                self.purges.push(Purge { before: self.points.len(), step: event.step, tag: None });
            }
        } else {
            self.purge_disorder(&event)?;
        }
        self.highest_step = self.highest_step.max(event.step);
        let Some(summary) = event.summary else { return Ok(()) };
        summary_values(summary, |value| self.value(&event, &value))
    }

    /// Before version 2 a step that is lower than one before is a restart, for the tags of its event.
    #[cold]
    fn purge_disorder(&mut self, event: &Event<'_>) -> Result<(), Malformed> {
        let (Some(summary), true) = (event.summary, event.step < self.highest_step) else { return Ok(()) };
        summary_values(summary, |value| {
            let tag = Some(self.tag(value.tag)?);
            self.purges.push(Purge { before: self.points.len(), step: event.step, tag });
            Ok(())
        })
    }

    #[inline]
    fn value(&mut self, event: &Event<'_>, value: &SummaryValue<'_>) -> Result<(), Malformed> {
        let metric = self.tag(value.tag)?;
        let tag = &mut self.tags[metric as usize];
        if let Some(plugin) = value.plugin {
            tag.is_scalar.get_or_insert(plugin == b"scalars");
        }
        let number = match value.content {
            Content::Simple(number) => f64::from(number),
            Content::Tensor(tensor) if tag.is_scalar == Some(true) => match scalar(tensor)? {
                Scalar::Float(number) => number,
                Scalar::Foreign => {
                    self.foreign += 1;
                    return Ok(());
                }
                Scalar::Tensor => return Ok(()),
            },
            _ => return Ok(()),
        };
        self.scalars += 1;
        let is_step_wanted = self.filter.steps.as_ref().is_none_or(|steps| steps.contains(&event.step));
        if tag.is_wanted && is_step_wanted {
            self.points.metric.push(metric);
            self.points.step.push(event.step);
            self.points.wall_time.push(event.wall_time);
            self.points.value.push(number);
        }
        Ok(())
    }

    /// Drops what restarts wrote again.
    fn finish(mut self) -> Points {
        if !self.purges.is_empty() {
            let is_kept = self.survivors();
            self.points.retain(&is_kept);
        }
        self.points.drop_unused_names();
        self.points
    }

    /// Which points no restart drops. A point is dropped by any later restart at its step or before: from the end, the least
    /// step of the restarts decides.
    fn survivors(&self) -> Vec<bool> {
        let mut least = None;
        let mut least_of_tag: Vec<Option<i64>> = vec![None; self.tags.len()];
        let mut purges = self.purges.iter().rev().peekable();
        let mut is_kept = vec![true; self.points.len()];
        for row in (0..self.points.len()).rev() {
            while let Some(purge) = purges.next_if(|purge| purge.before > row) {
                let slot = match purge.tag {
                    None => &mut least,
                    Some(tag) => &mut least_of_tag[tag as usize],
                };
                *slot = Some(slot.map_or(purge.step, |least: i64| least.min(purge.step)));
            }
            let step = self.points.step[row];
            let of_tag = least_of_tag[self.points.metric[row] as usize];
            is_kept[row] = [least, of_tag].into_iter().flatten().all(|purged| step < purged);
        }
        is_kept
    }
}

/// The version of a file, as in `brain.Event:2`.
fn version_of(text: &[u8]) -> f64 {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.rsplit(':').next()?.parse().ok());
    number.unwrap_or(-1.0)
}

/// What a run directory gave.
pub(super) struct Outcome {
    pub points: Points,
    pub state: FileState,
    pub errors: Vec<Error>,
}

/// Reads the event files of a run directory, which are in the order of their time stamps.
pub(super) fn read_board(
    files: &[PathBuf],
    filter: &BoardFilter,
    job: &str,
    cancel: &CancelToken,
) -> Outcome {
    let mut board = Board::new(filter);
    let mut errors = Vec::new();
    let mut ends = Vec::with_capacity(files.len());
    for path in files {
        let (end, problems) = board.read_file(path, cancel);
        errors.extend(problems.finish(job));
        ends.push(end);
    }
    let is_cut = ends.contains(&Some(FileEnd::Cut));
    let is_damaged = ends.iter().any(|end| !matches!(end, Some(FileEnd::Whole | FileEnd::Cut)));
    let state = match (board.scalars > 0, is_cut, is_damaged) {
        (true, false, false) => FileState::Read,
        (false, false, false) => FileState::Empty,
        (false, false, true) if board.records == 0 => FileState::Unreadable,
        _ => FileState::Cut,
    };
    Outcome { points: board.finish(), state, errors }
}

/// The error of a metric that several run directories have.
pub(super) fn ambiguous(metric: &str, directories: &[&str], job: &str) -> Error {
    let shown = directories.iter().take(3).map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    Error::format(format!(
        "{} is in {} run directories ({shown}): it is null here",
        quoted(metric),
        directories.len()
    ))
    .at_job(job)
    .hint("name one of them, as in results=\"runs/train/*\"")
}
