//! Tracebacks as `CPython` prints them: frames, chains, groups, and those of other processes that are quoted in them.

use super::records::is_record;
use super::rich;
use super::text::OVERWRITTEN;

/// A frame of a traceback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The file as the traceback names it
    pub file: String,
    /// Counts from 1
    pub line: u64,
    /// Nothing for the line that a `SyntaxError` names
    pub function: Option<String>,
}

/// An exception, as its traceback prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// Its class, with the module as Python prints it
    pub class: String,
    /// What it says; empty if nothing
    pub message: String,
    /// From the outermost call to where it was raised
    pub frames: Vec<Frame>,
    /// Of an exception group: what its first member goes back to
    pub member: Option<Box<Raised>>,
}

/// Exceptions that led to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// From the root cause to the last one
    pub raised: Vec<Raised>,
    /// The line behind its last
    pub end: usize,
    /// Its lines in `CPython`'s layout, where the log has another
    pub plain: Option<Vec<String>>,
}

/// Where the message of the last exception ends.
#[derive(Debug, Clone, Copy)]
pub enum End {
    /// Right before this line
    Exact(usize),
    /// At a blank line, a record, or this line
    Guess(usize),
}

impl End {
    fn limit(self) -> usize {
        match self {
            Self::Exact(limit) | Self::Guess(limit) => limit,
        }
    }
}

const HEADER: &str = "Traceback (most recent call last):";
const BECAUSE: &str = "The above exception was the direct cause of the following exception:";
const DURING: &str = "During handling of the above exception, another exception occurred:";
/// A longer message is taken for other output where its end is a guess.
const MAX_GUESSED_LINES: usize = 50;
/// Deeper groups of exceptions are not entered.
const MAX_GROUP_DEPTH: usize = 16;

/// Whether a traceback begins in a line.
pub fn is_header(line: &str) -> bool {
    line.trim_end().ends_with(HEADER) || rich::is_top(line)
}

/// Whether a text says how two exceptions of a chain belong together.
pub fn is_link(text: &str) -> bool {
    [BECAUSE, DURING].contains(&text.trim())
}

/// Whether a line stands in a traceback.
pub fn is_frame(line: &str) -> bool {
    line.starts_with("  File \"") || line.starts_with("    ")
}

/// Reads the chain that begins in a line: with the header of a traceback, or with an exception that has none.
pub fn read_chain(lines: &[&str], start: usize, end: End) -> Option<Chain> {
    let mut raised = Vec::new();
    let mut plain: Option<Vec<String>> = None;
    let mut index = start;
    loop {
        let Some((more, next, shown)) = read_raised(lines, index, end) else {
            index = index.min(end.limit());
            break;
        };
        raised.extend(more);
        if let Some(shown) = shown {
            let plain = plain.get_or_insert_default();
            if !plain.is_empty() {
                plain.push(String::new());
            }
            plain.extend(shown);
        }
        index = next;
        match behind_link(lines, next, end.limit()) {
            Some(behind) => index = behind,
            None => break,
        }
    }
    (!raised.is_empty()).then_some(Chain { raised, end: index, plain })
}

type Read = (Vec<Raised>, usize, Option<Vec<String>>);

/// One exception and the line behind it; of one that quotes the traceback of another process, those quoted too.
fn read_raised(lines: &[&str], start: usize, end: End) -> Option<Read> {
    let limit = end.limit().min(lines.len());
    let first = *lines.get(start).filter(|_| start < limit)?;
    if first.trim_start().starts_with("+ Exception Group Traceback") {
        let (raised, next) = read_top_group(&lines[..limit], start)?;
        return Some((vec![raised], next, None));
    }
    if rich::is_top(first) {
        let (raised, next, shown) = rich::read(&lines[..limit], start, matches!(end, End::Exact(_)))?;
        return Some((vec![raised], next, Some(shown)));
    }
    let mut frames = Vec::new();
    let mut index = start;
    if first.trim_end().ends_with(HEADER) || is_frame(first) {
        index += usize::from(!is_frame(first));
        while index < limit && (lines[index].starts_with("  ") || lines[index].starts_with("> ")) {
            frames.extend(read_frame(lines[index]));
            index += 1;
        }
    }
    let (class, text) = read_class(lines.get(index).filter(|_| index < limit)?, end)?;
    let next = message_end(lines, index + 1, end);
    let mut message = text.to_owned();
    for line in &lines[index + 1..next] {
        message.push('\n');
        message.push_str(line.trim_start_matches(OVERWRITTEN));
    }
    let mut raised = quoted_by(class, &message);
    let message = message.trim_end().to_owned();
    if raised.is_empty() {
        raised.push(Raised { class: class.to_owned(), message, frames, member: None });
    }
    Some((raised, next, None))
}

/// The exceptions of a worker process, which travel as a quotation.
fn quoted_by(class: &str, message: &str) -> Vec<Raised> {
    if !class.ends_with("RemoteTraceback") {
        return Vec::new();
    }
    let lines: Vec<&str> = message.lines().collect();
    let quotes: Vec<usize> = (0..lines.len()).filter(|&index| lines[index].trim() == "\"\"\"").collect();
    let (Some(&first), Some(&last)) = (quotes.first(), quotes.last()) else { return Vec::new() };
    let Some(start) = (first..last).find(|&index| is_header(lines[index])) else { return Vec::new() };
    read_chain(&lines, start, End::Exact(last)).map(|chain| chain.raised).unwrap_or_default()
}

/// The line behind the last of a message.
fn message_end(lines: &[&str], start: usize, end: End) -> usize {
    let limit = end.limit().min(lines.len());
    match end {
        End::Exact(_) => {
            (start..limit).find(|&index| behind_link(lines, index, limit).is_some()).unwrap_or(limit)
        }
        End::Guess(_) => {
            let last = limit.min(start + MAX_GUESSED_LINES);
            let is_other = |&index: &usize| lines[index].trim().is_empty() || is_record(lines[index]);
            (start..last).find(is_other).unwrap_or(last).max(start.min(limit))
        }
    }
}

/// Where the next exception of a chain begins, if a line begins the sentence that links two.
fn behind_link(lines: &[&str], start: usize, limit: usize) -> Option<usize> {
    if start + 3 >= limit || !lines[start].trim().is_empty() {
        return None;
    }
    let mut index = start + 1;
    let mut sentence = String::new();
    // handlers of rich wrap it
    while index < limit && !lines[index].trim().is_empty() && sentence.len() < BECAUSE.len() {
        if !sentence.is_empty() {
            sentence.push(' ');
        }
        sentence.push_str(lines[index].trim());
        index += 1;
    }
    (is_link(&sentence) && index + 1 < limit && lines[index].trim().is_empty()).then_some(index + 1)
}

/// `  File "…", line 3, in name`
fn read_frame(line: &str) -> Option<Frame> {
    let rest = line.strip_prefix("  ").or_else(|| line.strip_prefix("> "))?.strip_prefix("File \"")?;
    let (file, rest) = rest.rsplit_once("\", line ")?;
    let (number, function) = match rest.split_once(", in ") {
        Some((number, function)) => (number, Some(function.trim_end().to_owned())),
        None => (rest.trim_end(), None),
    };
    Some(Frame { file: file.to_owned(), line: number.parse().ok()?, function })
}

/// The class in the line that names an exception, and the text behind it.
fn read_class(line: &str, end: End) -> Option<(&str, &str)> {
    let line = line.trim_start_matches(OVERWRITTEN);
    split_class(line)
        .or_else(|| (matches!(end, End::Exact(_)) && !line.trim().is_empty()).then_some(("", line)))
}

/// Splits `module.Class: text`; nothing where no class stands before the colon.
pub fn split_class(line: &str) -> Option<(&str, &str)> {
    let (class, text) = match line.split_once(": ") {
        Some((class, text)) => (class, text),
        None => (line.trim_end().trim_end_matches(':'), ""),
    };
    let bare = class.split_once('(').filter(|(_, rest)| rest.ends_with(')')).map_or(class, |(bare, _)| bare);
    let is_name = |part: &str| {
        part == "<locals>"
            || (part.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_')
                && part.chars().all(|next| next.is_alphanumeric() || next == '_'))
    };
    (!bare.is_empty() && bare.split('.').all(is_name)).then_some((class, text))
}

/// The group that begins with a header, and the line behind its last.
fn read_top_group(lines: &[&str], start: usize) -> Option<(Raised, usize)> {
    let indent = leading(lines[start]);
    let in_group = |line: &&str| leading(line) >= indent && line.trim_start().starts_with(['|', '+']);
    let count = lines[start + 1..].iter().take_while(|line| in_group(line)).count();
    let raised = read_group(&lines[start + 1..=start + count], indent, true, 0)?;
    Some((raised, start + 1 + count))
}

/// The last exception of the lines behind a margin; `bare` if their header stands before the margin.
fn read_group(lines: &[&str], indent: usize, bare: bool, depth: usize) -> Option<Raised> {
    if depth > MAX_GROUP_DEPTH {
        return None;
    }
    let own = lines.iter().filter_map(|line| {
        let rest = line.get(indent..).filter(|_| leading(line) == indent)?.strip_prefix('|')?;
        Some(rest.strip_prefix(' ').unwrap_or(rest))
    });
    let own: Vec<&str> = bare.then_some(HEADER).into_iter().chain(own).collect();
    let mut raised = read_chain(&own, 0, End::Exact(own.len()))?.raised;
    let mut last = raised.pop()?;
    let opens = |line: &&str| leading(line) == indent && line[indent..].starts_with("+-+");
    if let Some(first) = lines.iter().position(opens) {
        let closes = |line: &&str| leading(line) == indent + 2 && line[indent + 2..].starts_with("+--");
        let members = &lines[first + 1..];
        let count = members.iter().position(closes).unwrap_or(members.len());
        last.member = read_group(&members[..count], indent + 2, false, depth + 1).map(Box::new);
    }
    if !raised.is_empty() && depth > 0 {
        // of a member, the root is wanted
        raised.truncate(1);
        return raised.pop();
    }
    Some(last)
}

fn leading(line: &str) -> usize {
    line.bytes().take_while(|byte| *byte == b' ').count()
}
