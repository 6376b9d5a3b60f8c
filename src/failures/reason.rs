//! The exception that ended a task, found in the lines of its log.

use super::records::{cleans_up, ends_traceback, is_life, is_record, level, starts_traceback};
use super::tail::Tail;
use super::text::{OVERWRITTEN, holds_escaped, unescaped};
use super::traceback::{Chain, End, Frame, Raised, is_frame, is_header, is_link, read_chain, split_class};

/// What a log says about the end of its task.
#[derive(Debug, Default)]
pub struct Reason {
    /// From the root cause to the exception that ended the task
    pub raised: Vec<Raised>,
    /// Whether experimaestro says that this is what ended the task
    pub certain: bool,
    /// What the interpreter said when it crashed, and where
    pub crash: Option<(String, Vec<Frame>)>,
    /// The lines that lead to it
    pub tail: Option<String>,
}

/// How a process ended, as far as other files tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It wrote down how, after an error
    Failed,
    /// It was told to end
    Stopped,
    /// It did not
    Died,
}

/// More plain lines after a traceback mean that the work went on.
const MAX_LINES_AFTER: usize = 5;

/// Looks for the reason in a log. `cut` says that lines are missing before the first.
pub fn find(text: &str, cut: bool, ending: Ending) -> Reason {
    let lines: Vec<&str> = text.split('\n').collect();
    if holds_escaped(text) {
        let own = |line: &&str| unescaped(line).unwrap_or_else(|| vec![(*line).to_owned()]);
        let lines: Vec<String> = lines.iter().flat_map(own).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        return find_in_lines(&lines, cut, ending);
    }
    find_in_lines(&lines, cut, ending)
}

fn find_in_lines(lines: &[&str], cut: bool, ending: Ending) -> Reason {
    let end = lines.iter().rposition(|line| ends_traceback(line)).unwrap_or(lines.len());
    if let Some((chain, start)) = announced(lines, end, cut) {
        return of_chain(lines, start, chain, true);
    }
    if let Some((chain, start)) = exit_with_text(lines) {
        return of_chain(lines, start, chain, true);
    }
    if ending == Ending::Died
        && let Some(start) = lines.iter().rposition(|line| line.starts_with("Fatal Python error: "))
    {
        let frames = crash_frames(&lines[start + 1..]);
        let crash = Some((lines[start].trim_end().to_owned(), frames));
        return Reason { crash, tail: tail_of(lines, lines.len()), ..Reason::default() };
    }
    match last_chain(lines).filter(|_| ending != Ending::Stopped) {
        Some((chain, start, exact)) if exact || led_to_end(lines, chain.end, end, ending) => {
            of_chain(lines, start, chain, exact)
        }
        _ => Reason { tail: tail_of(lines, end), ..Reason::default() },
    }
}

/// The root of a chain whose first lines are the last that were read of a log.
pub fn root(lines: &[&str]) -> Option<Raised> {
    let start = lines.iter().rposition(|line| starts_traceback(line))?;
    let first = (start + 1..lines.len()).find(|&index| is_header(lines[index]))?;
    let chain = read_chain(lines, first, End::Exact(lines.len()))?;
    // the last one may be cut
    let is_whole = chain.raised.len() > 1 || chain.end < lines.len();
    chain.raised.into_iter().next().filter(|_| is_whole)
}

/// The reason that the first lines of a log begin to tell, where the message of the exception is longer than the rest that was
/// read: the last lines have the end of it, and nothing of another traceback.
pub fn begun(head: &str, tail: &str) -> Option<Reason> {
    let rest: Vec<&str> = tail.split('\n').collect();
    if !rest.iter().any(|line| ends_traceback(line))
        || rest.iter().any(|line| is_header(line) || is_link(line))
    {
        return None;
    }
    let lines: Vec<&str> = head.split('\n').collect();
    let announced = lines.iter().rposition(|line| starts_traceback(line))?;
    let start = begins(&lines, announced + 1).then_some(announced + 1)?;
    let mut chain = read_chain(&lines, start, End::Exact(lines.len()))?;
    let last = chain.raised.last_mut().filter(|last| !last.class.is_empty() && !last.message.is_empty())?;
    last.message.push('…');
    Some(of_chain(&lines, start, chain, true))
}

fn of_chain(lines: &[&str], start: usize, chain: Chain, certain: bool) -> Reason {
    let mut tail = Tail::default();
    match &chain.plain {
        Some(plain) => tail.add(plain.iter().map(String::as_str)),
        None => tail.add(lines[start..chain.end].iter().copied()),
    }
    tail.add(lines[..start].iter().copied());
    Reason { raised: chain.raised, certain, crash: None, tail: tail.text() }
}

fn tail_of(lines: &[&str], end: usize) -> Option<String> {
    let mut tail = Tail::default();
    tail.add(lines[..end].iter().copied());
    tail.text()
}

/// The chain that experimaestro logs between two records of its own.
fn announced(lines: &[&str], end: usize, cut: bool) -> Option<(Chain, usize)> {
    let follows = |index: usize| begins(&lines[..end], index + 1).then_some(index + 1);
    let mut announced = (0..end).filter(|&index| starts_traceback(lines[index]));
    // the first: the message may quote another log
    let start = announced.clone().find_map(follows).or_else(|| {
        let last = announced.next_back()?;
        (last + 1..end).find(|&index| is_begin(lines[index]))
    });
    let start = start.or_else(|| frames_of_cut(lines, cut && end < lines.len()))?;
    read_chain(lines, start, End::Exact(end)).map(|chain| (chain, start))
}

/// Where the frames begin of a traceback whose first lines were not read.
fn frames_of_cut(lines: &[&str], possible: bool) -> Option<usize> {
    let first = possible.then(|| lines.iter().position(|line| line.starts_with("  File \"")))??;
    lines[..first].iter().all(|line| is_frame(line)).then_some(first)
}

/// Whether a chain begins in a line: with a traceback, or with an exception that has none and led to another.
fn begins(lines: &[&str], index: usize) -> bool {
    let Some(line) = lines.get(index) else { return false };
    let is_bare = || split_class(line).is_some() && level(line).is_none();
    is_begin(line) || (is_bare() && lines[index..].iter().any(|line| is_link(line)))
}

fn is_begin(line: &str) -> bool {
    is_header(line)
        || line.trim_end().ends_with("RemoteTraceback:")
        || line.contains("Exception Group Traceback")
}

/// The `SystemExit` behind an error of experimaestro's own, whose log record cannot show a text in place of a code.
fn exit_with_text(lines: &[&str]) -> Option<(Chain, usize)> {
    let opens = lines.iter().rposition(|line| line.starts_with("--- Logging error ---"))?;
    let start = opens + 1;
    let calls = (start..lines.len()).find(|&index| lines[index].starts_with("Call stack:"))?;
    let is_own = lines[calls..]
        .iter()
        .any(|line| line.contains("/experimaestro/") && line.contains("in handle_error"));
    let mut chain = read_chain(lines, start, End::Exact(calls))?;
    if !is_own || chain.raised.len() < 2 {
        return None;
    }
    chain.raised.truncate(chain.raised.len() - 1);
    let is_link = |index: &usize| lines[*index].starts_with("During handling of the above exception");
    let link = (start..calls).rev().find(is_link).unwrap_or(calls);
    chain.end = link.saturating_sub(1).max(start);
    Some((chain, start))
}

/// The last chain that a log has outside of what is only reported: errors of loggers, and of objects at their end. The position
/// of its first line, and whether experimaestro's launcher let it through.
fn last_chain(lines: &[&str]) -> Option<(Chain, usize, bool)> {
    let cleaning = (0..lines.len()).rev().find(|&index| cleans_up(lines[index])).unwrap_or(lines.len());
    let mut last = None;
    let mut index = 0;
    while index < lines.len() {
        if !is_header(lines[index]) && !lines[index].contains("Exception Group Traceback") {
            index += 1;
            continue;
        }
        let uncaught = index < cleaning && is_launched(&lines[index + 1..]);
        let end = if uncaught { End::Exact(cleaning) } else { End::Guess(lines.len()) };
        let Some(chain) = read_chain(lines, index, end) else {
            index += 1;
            continue;
        };
        let behind = chain.end.max(index + 1);
        if !is_reported_only(&lines[index.saturating_sub(2)..index]) {
            last = Some((chain, index, uncaught));
        }
        index = behind;
    }
    last
}

/// Whether the first frame of a traceback is the launcher of a job: nobody caught it.
fn is_launched(frames: &[&str]) -> bool {
    frames.iter().take(6).any(|line| line.trim_start().starts_with("TaskRunner("))
}

/// Whether the lines before a traceback say that the interpreter went on as if nothing had happened.
fn is_reported_only(before: &[&str]) -> bool {
    const NOTED: [&str; 4] =
        ["Exception ignored", "--- Logging error ---", "Error in atexit", "Error in sys.excepthook"];
    before.iter().any(|line| NOTED.iter().any(|text| line.starts_with(text)))
}

/// Whether a task ended with a traceback that it logged itself, rather than going on with its work.
fn led_to_end(lines: &[&str], after: usize, end: usize, ending: Ending) -> bool {
    let mut plain = 0;
    for line in lines.iter().take(end).skip(after) {
        if line.trim().is_empty() || is_life(line) {
            continue;
        }
        if ending == Ending::Died || line.starts_with(OVERWRITTEN) {
            return false;
        }
        match level(line) {
            Some("INFO" | "DEBUG") => return false,
            Some(_) => {}
            None if is_record(line) => {}
            None => plain += 1,
        }
    }
    plain <= MAX_LINES_AFTER
}

/// The frames of the thread that crashed, the innermost first: other threads may be printed before it.
fn crash_frames(lines: &[&str]) -> Vec<Frame> {
    let current = lines.iter().position(|line| line.starts_with("Current thread "));
    let (from, is_one) = current.map_or((0, false), |header| (header + 1, true));
    let of_thread = lines[from..].iter().take_while(|line| !is_one || line.starts_with("  "));
    of_thread.filter_map(|line| crash_frame(line)).collect()
}

/// `  File "…", line 3 in name`, as the interpreter prints it when it crashes.
fn crash_frame(line: &str) -> Option<Frame> {
    let (file, rest) = line.strip_prefix("  File \"")?.rsplit_once("\", line ")?;
    let (number, function) = rest.split_once(" in ")?;
    Some(Frame {
        file: file.to_owned(),
        line: number.trim_end_matches(',').parse().ok()?,
        function: Some(function.trim_end().to_owned()),
    })
}
