//! Log bytes as printable lines: escapes of terminals and control characters are dropped, overwritten text is marked.

use std::borrow::Cow;
use std::fmt::Write;

/// Begins a line that a carriage return overwrote on the terminal.
pub const OVERWRITTEN: char = '\0';

/// The text of a log, with `\n` as the only line end. Bytes that are not UTF-8 are shown as `\xff`; a line that was overwritten by a
/// carriage return begins with [`OVERWRITTEN`].
#[must_use]
pub fn clean(bytes: &[u8]) -> Cow<'_, str> {
    let plain = |byte: &u8| matches!(byte, b'\n' | b'\t' | b' '..=b'~');
    if bytes.iter().all(plain) {
        return String::from_utf8_lossy(bytes);
    }
    let shown = printable(&decode(bytes));
    if shown.contains('\r') { Cow::Owned(split_overwritten(&shown)) } else { Cow::Owned(shown) }
}

/// Text of another source, such as a marker file, without what a terminal would act on.
#[must_use]
pub fn clean_text(text: &str) -> String {
    printable(text).replace('\r', "\n")
}

/// Begins a traceback that is an escaped text.
const ESCAPED: &str = "Traceback (most recent call last):\\n";

/// Whether a log holds a traceback as an escaped text.
#[must_use]
pub fn holds_escaped(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), ESCAPED.as_bytes()).is_some()
}

/// The lines of a traceback that a JSON record holds as an escaped text, behind the record without it; nothing if it holds none.
#[must_use]
pub fn unescaped(line: &str) -> Option<Vec<String>> {
    // source code may hold such a text too
    let start = line.find(ESCAPED).filter(|_| line.starts_with('{'))?;
    let text = &line[start..];
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.char_indices();
    let mut end = text.len();
    while let Some((position, next)) = rest.next() {
        match next {
            '"' => {
                end = position;
                break;
            }
            '\\' => match rest.next() {
                Some((_, 'n')) => shown.push('\n'),
                Some((_, 't')) => shown.push('\t'),
                Some((_, 'u')) => {
                    let digits: String = rest.by_ref().take(4).map(|(_, digit)| digit).collect();
                    let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                    shown.extend(code.filter(|code| !code.is_control()));
                }
                Some((_, other)) => shown.push(other),
                None => {}
            },
            other => shown.push(other),
        }
    }
    let record = format!("{}{}", &line[..start], &text[end..]);
    let lines = shown.trim_end().split('\n').map(str::to_owned);
    Some(std::iter::once(record).chain(lines).collect())
}

fn decode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // writing into a string cannot fail
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Text without terminal sequences, control characters (but line ends, tabs and carriage returns) and marks that reorder text.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        match next {
            '\u{1b}' => rest = &rest[escape_length(rest)..],
            '\u{9b}' => rest = &rest[control_length(rest)..],
            '\n' | '\t' | '\r' => shown.push(next),
            '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            next if next.is_control() => {}
            next => shown.push(next),
        }
    }
    shown
}

/// How many bytes of a terminal sequence follow its ESC. A sequence never reaches over the end of its line.
fn escape_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    match bytes.first() {
        Some(b'[') => 1 + control_length(&rest[1..]),
        Some(b']' | b'P' | b'X' | b'^' | b'_') => string_length(bytes),
        Some(b' '..=b'/') => {
            let skipped = bytes.iter().take_while(|byte| matches!(byte, b' '..=b'/')).count();
            skipped + usize::from(bytes.get(skipped).is_some_and(|byte| matches!(byte, b'0'..=b'~')))
        }
        Some(b'0'..=b'~') => 1,
        _ => 0,
    }
}

/// The bytes of a control sequence behind its introducer.
fn control_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let parameters = bytes.iter().take_while(|byte| matches!(byte, b' '..=b'?')).count();
    parameters + usize::from(bytes.get(parameters).is_some_and(|byte| matches!(byte, b'@'..=b'~')))
}

/// The bytes of a string sequence up to its terminator; of its introducer alone if it has none in this line.
fn string_length(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|byte| matches!(byte, 7 | 0x1b | b'\n')).unwrap_or(bytes.len());
    match bytes.get(end) {
        Some(7) => end + 1,
        Some(0x1b) if bytes.get(end + 1) == Some(&b'\\') => end + 2,
        _ => 1,
    }
}

/// Splits lines at carriage returns; all parts but the last that has text are marked as overwritten.
fn split_overwritten(text: &str) -> String {
    let mut split = String::with_capacity(text.len() + 64);
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            split.push('\n');
        }
        let mut parts = line.split('\r').filter(|part| !part.is_empty()).peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_some() {
                split.push(OVERWRITTEN);
                split.push_str(part);
                split.push('\n');
            } else {
                split.push_str(part);
            }
        }
    }
    split
}
