//! Tracebacks in the boxes of rich, as its console and its logging handler print them.

use super::records::is_record;
use super::traceback::{Frame, Raised, split_class};

const TITLE: &str = "Traceback (most recent call last)";

/// Whether a line is the upper edge of a box with a traceback in it.
pub fn is_top(line: &str) -> bool {
    line.contains(TITLE) && top(line).is_some()
}

/// The column in which the upper edge begins, and its width, both in characters.
fn top(line: &str) -> Option<(usize, usize)> {
    let edge = line.trim();
    let round = edge.starts_with('╭') && edge.ends_with('╮');
    let square = edge.starts_with('+') && edge.ends_with("-+");
    let indent = line.chars().take_while(|next| next.is_whitespace()).count();
    (round || square).then(|| (indent, edge.chars().count()))
}

/// The exception whose box begins in a line, the line behind its message, and both in `CPython`'s layout.
pub fn read(lines: &[&str], start: usize, exact: bool) -> Option<(Raised, usize, Vec<String>)> {
    let (indent, width) = top(lines[start])?;
    let is_bottom = |line: &&str| line.trim_start().starts_with(['╰', '+']);
    let bottom = start + 1 + lines[start + 1..].iter().position(is_bottom)?;
    let mut content = Content { inner: width.saturating_sub(4), ..Content::default() };
    for line in &lines[start + 1..bottom] {
        content.add(line);
    }
    content.close_header();
    // a syntax error has a box of its own, with the line that it names
    if let Some(line) = lines.get(bottom + 2).filter(|_| lines[bottom + 1].trim_start().starts_with('╭')) {
        content.add(line);
        content.close_header();
    }
    let (text, end) = read_message(lines, bottom + 1, (indent, width), exact)?;
    let (class, message) = split_class(&text)?;
    let mut plain = vec![format!("{TITLE}:")];
    for (frame, source) in content.frames.iter().zip(&content.sources) {
        let function = frame.function.as_ref().map(|name| format!(", in {name}")).unwrap_or_default();
        plain.push(format!("  File \"{}\", line {}{function}", frame.file, frame.line));
        plain.extend(source.iter().map(|source| format!("    {source}")));
    }
    plain.extend(text.lines().map(str::to_owned));
    let (class, message) = (class.to_owned(), message.trim_end().to_owned());
    Some((Raised { class, message, frames: content.frames, member: None }, end, plain))
}

/// What is in a box: above each piece of code a header, which may be wrapped.
#[derive(Default)]
struct Content {
    inner: usize,
    header: Vec<String>,
    frames: Vec<Frame>,
    /// The marked line of each frame
    sources: Vec<Option<String>>,
}

impl Content {
    fn add(&mut self, line: &str) {
        let edges = ['│', '|'];
        let Some(text) = line.trim().strip_prefix(edges).and_then(|text| text.strip_suffix(edges)) else {
            return;
        };
        let text = text.strip_prefix(' ').unwrap_or(text).trim_end();
        if let Some(code) = text.strip_prefix(['❱', '>']) {
            self.close_header();
            let source = code.split_once(edges).map(|(_, source)| source.replace('│', " ").trim().to_owned());
            if let Some(last) = self.sources.last_mut() {
                *last = source.filter(|source| !source.is_empty());
            }
        } else if text.is_empty() || text.starts_with([' ', '╭', '╰', '│', '|']) {
            // code, or a box with local variables
            self.close_header();
        } else {
            self.header.push(text.to_owned());
        }
    }

    fn close_header(&mut self) {
        let header = unwrapped(&std::mem::take(&mut self.header), self.inner);
        let (position, function) = match header.rsplit_once(" in ") {
            Some((position, function)) => (position, Some(function.trim().to_owned())),
            None => (header.as_str(), None),
        };
        let frame = position.rsplit_once(':').and_then(|(file, line)| {
            Some(Frame { file: file.to_owned(), line: line.trim().parse().ok()?, function })
        });
        if let Some(frame) = frame {
            self.frames.push(frame);
            self.sources.push(None);
        }
    }
}

/// The text below a box, in which wrapped lines are joined, and the line behind it and the boxes of what it groups.
fn read_message(
    lines: &[&str],
    start: usize,
    (indent, width): (usize, usize),
    exact: bool,
) -> Option<(String, usize)> {
    let mut pieces: Vec<String> = Vec::new();
    let mut end = start;
    let mut is_over = false;
    while let Some(line) = lines.get(end) {
        let text: String = line.chars().skip(indent).collect();
        let text = text.trim_end();
        let is_margin = line.chars().take(indent).all(|next| next == ' ');
        if !is_margin || (indent == 0 && !exact && is_record(line)) {
            break;
        }
        if text.starts_with('╭') && !is_top(line) {
            // a line of code that does not parse, or a member of a group
            end = behind_box(lines, end, indent);
            is_over = !pieces.is_empty();
            continue;
        }
        let next_is_box = lines.get(end + 1).is_some_and(|next| next.trim_start().starts_with('╭'));
        let is_blank = text.is_empty() && !pieces.is_empty();
        if is_blank && (is_link_next(lines, end) || !(exact || next_is_box)) {
            break;
        }
        if is_over && !text.is_empty() {
            break;
        }
        if !is_over && !text.starts_with("[NOTE] ") && (is_blank || !text.is_empty()) {
            pieces.push(text.to_owned());
        }
        end += 1;
    }
    while pieces.last().is_some_and(String::is_empty) {
        pieces.pop();
    }
    (!pieces.is_empty()).then(|| (unwrapped(&pieces, width), end))
}

/// The line behind a box.
fn behind_box(lines: &[&str], start: usize, indent: usize) -> usize {
    let is_bottom = |line: &&str| line.chars().nth(indent) == Some('╰');
    let rest = &lines[start + 1..];
    start + 1 + rest.iter().position(is_bottom).map_or(0, |bottom| bottom + 1)
}

/// Whether the sentence that links two exceptions follows a blank line; it may be wrapped.
fn is_link_next(lines: &[&str], blank: usize) -> bool {
    let next = lines.get(blank + 1).map_or("", |line| line.trim());
    next.starts_with("The above exception was the") || next.starts_with("During handling of the above")
}

/// Lines as they were before they were wrapped at a width. A line whose next word had room was not wrapped.
fn unwrapped(pieces: &[String], width: usize) -> String {
    let mut text = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        text.push_str(piece);
        let Some(next) = pieces.get(index + 1) else { break };
        let length = columns(piece);
        let word = columns(next.split(' ').next().unwrap_or_default());
        if length >= width && !piece.contains(' ') {
            continue;
        }
        text.push(if length + 1 + word > width { ' ' } else { '\n' });
    }
    text
}

/// How many columns a text takes on a terminal, nearly: those of East Asia and emoji are two wide.
fn columns(text: &str) -> usize {
    let is_wide = |next: char| {
        matches!(next, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
            | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{1f300}'..='\u{1faff}'
            | '\u{20000}'..='\u{3fffd}')
    };
    text.chars().map(|next| if is_wide(next) { 2 } else { 1 }).sum()
}
