//! Strings as they stand between their quotes, and what they mean.

use super::reader::Syntax;

/// A JSON string as it stands in the file, between its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonText<'a> {
    /// The bytes between the quotes
    pub raw: &'a [u8],
    /// Whether `raw` has escapes, so that it must be decoded before use
    pub escaped: bool,
    /// Where `raw` begins in what the reader was given
    pub at: usize,
}

/// Appends what `raw` means to `out`, as UTF-8 in which an unpaired surrogate is written like any other code point of three
/// bytes (WTF-8): nothing is lost, and only such strings are not valid UTF-8.
///
/// # Errors
/// An escape that JSON does not have; `at` is counted from the start of `raw`.
pub fn decode_into(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Syntax> {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &raw[at..]) {
        out.extend_from_slice(&raw[at..at + found]);
        at += found + 1;
        let escape = raw.get(at).copied().ok_or(Syntax { at, what: "unfinished escape" })?;
        at += 1;
        let plain = match escape {
            b'"' | b'\\' | b'/' => escape,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (code, used) = code_point(raw, at)?;
                at += used;
                push_wtf8(code, out);
                continue;
            }
            _ => return Err(Syntax { at: at - 1, what: "unknown escape" }),
        };
        out.push(plain);
    }
    out.extend_from_slice(&raw[at..]);
    Ok(())
}

/// The code point of the `\u` escape whose digits begin at `at`, pairs joined, and how many bytes it took.
fn code_point(raw: &[u8], at: usize) -> Result<(u32, usize), Syntax> {
    let high = hex4(raw, at)?;
    if (0xD800..0xDC00).contains(&high) && raw.get(at + 4..at + 6) == Some(b"\\u") {
        let low = hex4(raw, at + 6)?;
        if (0xDC00..0xE000).contains(&low) {
            return Ok((0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), 10));
        }
    }
    Ok((high, 4))
}

fn hex4(raw: &[u8], at: usize) -> Result<u32, Syntax> {
    let bad = Syntax { at, what: "\\u needs four hexadecimal digits" };
    let digits = raw.get(at..at + 4).ok_or(bad)?;
    digits
        .iter()
        .try_fold(0, |code, &digit| (digit as char).to_digit(16).map(|value| code * 16 + value).ok_or(bad))
}

#[allow(clippy::cast_possible_truncation, reason = "each byte is masked to its six bits")]
fn push_wtf8(code: u32, out: &mut Vec<u8>) {
    if let Some(character) = char::from_u32(code) {
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        out.extend_from_slice(&[
            0xE0 | (code >> 12) as u8,
            0x80 | (code >> 6 & 0x3F) as u8,
            0x80 | (code & 0x3F) as u8,
        ]);
    }
}

/// Whether bytes are UTF-8. Most are ASCII, which is seen sooner.
#[must_use]
pub fn is_utf8(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

/// The text of decoded bytes, an unpaired surrogate shown as the six characters of its escape (`\ud800`): Arrow and Rust
/// strings cannot hold it. The flag says whether there was any.
#[must_use]
pub fn lossless(bytes: &[u8]) -> (std::borrow::Cow<'_, str>, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.into(), false),
        Err(_) => (show_surrogates(bytes).into(), true),
    }
}

fn show_surrogates(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(bytes.len() + 8);
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(text) => {
                out.push_str(text);
                return out;
            }
            Err(error) => {
                let (good, bad) = rest.split_at(error.valid_up_to());
                out.push_str(&String::from_utf8_lossy(good));
                let used = match *bad {
                    [0xED, b @ 0xA0..=0xBF, c, ..] => {
                        let code = 0xD000 | u32::from(b & 0x3F) << 6 | u32::from(c & 0x3F);
                        let _ = write!(out, "\\u{code:04x}");
                        3
                    }
                    _ => {
                        out.push(char::REPLACEMENT_CHARACTER);
                        1
                    }
                };
                rest = &bad[used..];
            }
        }
    }
}

/// The JSON text of a list of strings.
#[must_use]
pub fn list_text(strings: &[&str]) -> String {
    // a list of strings always has a JSON text
    serde_json::to_string(strings).unwrap_or_default()
}
