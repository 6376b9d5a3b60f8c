//! The numbered lines of a `.jsonl` file.

/// One line that is not blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Counted from 1, blank lines too
    pub number: u64,
    /// Where the line begins in the file
    pub start: usize,
    /// Without the line end
    pub bytes: &'a [u8],
    /// Whether the line end is there; a last line without one may be cut
    pub ended: bool,
}

/// The lines of `bytes` that are not blank, numbered from 1.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
    let mut number = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let start = at;
            let end = memchr::memchr(b'\n', &bytes[at..]).map(|length| at + length);
            at = end.map_or(bytes.len(), |end| end + 1);
            number += 1;
            let line = Line {
                number,
                start,
                bytes: &bytes[start..end.unwrap_or(bytes.len())],
                ended: end.is_some(),
            };
            if !line.bytes.trim_ascii().is_empty() {
                return Some(line);
            }
        }
        None
    })
}
