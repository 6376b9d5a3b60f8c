//! The byte order mark that editors of some systems put before text. experimaestro writes none.

const BOM: &[u8] = "\u{feff}".as_bytes();

/// The text behind a byte order mark.
#[must_use]
pub fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BOM).unwrap_or(bytes)
}
