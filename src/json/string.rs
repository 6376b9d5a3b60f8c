//! JSON strings: their escapes, and how their bytes are shown.

use super::syntax::{Result, Syntax};

/// A JSON string as written in the file, not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonText<'a> {
    /// The bytes between the quotes
    pub raw: &'a [u8],
    /// Whether `raw` has escapes, so that it must be decoded before use
    pub escaped: bool,
    /// Offset of `raw` in the bytes that the reader was given
    pub position: usize,
}

impl JsonText<'_> {
    /// Decodes the escapes; see [`decode_into`].
    ///
    /// # Errors
    /// An escape that JSON does not have.
    pub(crate) fn decoded(self) -> Result<Vec<u8>> {
        if !self.escaped {
            return Ok(self.raw.to_vec());
        }
        let mut decoded = Vec::with_capacity(self.raw.len());
        decode_into(self.raw, &mut decoded)
            .map_err(|error| Syntax { position: self.position + error.position, ..error })?;
        Ok(decoded)
    }
}

/// Appends the decoded string `raw` to `out`. The result is UTF-8, except that an unpaired surrogate is written like
/// any other code point of three bytes (WTF-8): no string loses anything, and only such strings are not valid UTF-8.
///
/// # Errors
/// An escape that JSON does not have; the position counts from the start of `raw`.
pub fn decode_into(raw: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let mut position = 0;
    while let Some(length) = memchr::memchr(b'\\', &raw[position..]) {
        out.extend_from_slice(&raw[position..position + length]);
        position += length + 1;
        let escape = *raw.get(position).ok_or(Syntax { position, reason: "unfinished escape" })?;
        position += 1;
        let byte = match escape {
            b'"' | b'\\' | b'/' => escape,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (code, length) = code_point(raw, position)?;
                position += length;
                push_wtf8(code, out);
                continue;
            }
            _ => return Err(Syntax { position: position - 1, reason: "unknown escape" }),
        };
        out.push(byte);
    }
    out.extend_from_slice(&raw[position..]);
    Ok(())
}

/// The code point of the `\u` escape whose digits start at `start`, surrogate pairs joined, and its length in bytes.
fn code_point(raw: &[u8], start: usize) -> Result<(u32, usize)> {
    let high = hex4(raw, start)?;
    if (0xD800..0xDC00).contains(&high) && raw.get(start + 4..start + 6) == Some(b"\\u") {
        let low = hex4(raw, start + 6)?;
        if (0xDC00..0xE000).contains(&low) {
            return Ok((0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), 10));
        }
    }
    Ok((high, 4))
}

fn hex4(raw: &[u8], start: usize) -> Result<u32> {
    let error = Syntax { position: start, reason: "\\u needs four hexadecimal digits" };
    let digits = raw.get(start..start + 4).ok_or(error)?;
    digits
        .iter()
        .try_fold(0, |code, &digit| (digit as char).to_digit(16).map(|value| code * 16 + value).ok_or(error))
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

/// Whether `bytes` are UTF-8. Tests for ASCII first, which is faster and nearly always true.
#[must_use]
pub fn is_utf8(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

/// Decoded bytes as text, and whether they had an unpaired surrogate. Such a surrogate is shown as the six characters
/// of its escape (`\ud800`), since Arrow and Rust strings cannot contain it.
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
                let (valid, invalid) = rest.split_at(error.valid_up_to());
                out.push_str(&String::from_utf8_lossy(valid));
                let length = match *invalid {
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
                rest = &invalid[length..];
            }
        }
    }
}

/// The JSON text of a list of strings.
#[must_use]
pub fn list_text(strings: &[&str]) -> String {
    // serializing strings cannot fail
    serde_json::to_string(strings).unwrap_or_default()
}
