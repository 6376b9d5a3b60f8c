//! The last lines of a log that say something about a failure.

use super::records::{ends_traceback, is_life};
use super::text::OVERWRITTEN;

/// More lines of a log are not shown.
const MAX_LINES: usize = 50;
/// More bytes of a log are not shown.
const MAX_BYTES: usize = 8 << 10;

/// The last of some lines, without those of experimaestro and those that were overwritten on the terminal.
#[derive(Debug, Default)]
pub struct Tail<'t> {
    /// From the last line backwards
    lines: Vec<&'t str>,
    bytes: usize,
}

impl<'t> Tail<'t> {
    /// Adds lines that stand before those it has.
    pub fn add(&mut self, lines: impl DoubleEndedIterator<Item = &'t str>) {
        for line in lines.rev() {
            if self.lines.len() >= MAX_LINES || self.bytes >= MAX_BYTES {
                return;
            }
            let line = line.trim_end();
            let is_noise = line.starts_with(OVERWRITTEN)
                || is_life(line)
                || ends_traceback(line)
                || line == "--- Logging error ---";
            if is_noise || (line.is_empty() && self.lines.is_empty()) {
                continue;
            }
            let line = last_bytes(line, MAX_BYTES - self.bytes);
            self.bytes += line.len() + 1;
            self.lines.push(line);
        }
    }

    /// The lines as one text; nothing if there is none.
    pub fn text(mut self) -> Option<String> {
        while self.lines.last().is_some_and(|line| line.is_empty()) {
            self.lines.pop();
        }
        self.lines.reverse();
        (!self.lines.is_empty()).then(|| self.lines.join("\n"))
    }
}

fn last_bytes(line: &str, count: usize) -> &str {
    let mut start = line.len().saturating_sub(count);
    while !line.is_char_boundary(start) {
        start += 1;
    }
    &line[start..]
}
