//! Lines around NUL bytes and byte order marks.

use xpframe::json::{Line, Lines, lines};

fn pieces(file: &[u8]) -> Vec<(u64, &[u8], bool)> {
    lines(file).map(|Line { number, bytes, ended, .. }| (number, bytes, ended)).collect()
}

/// What is skipped, as (line, text) pairs.
fn skipped(file: &[u8]) -> Vec<(u64, String)> {
    let mut lines = Lines::after(0, file);
    while lines.next().is_some() {}
    lines.skipped().map(|(line, error)| (line, error.reason().to_owned())).collect()
}

/// NUL bytes separate pieces of one line, and only line ends begin a new one.
#[test]
fn nul_bytes_separate_pieces() {
    let found = pieces(b"a\0\0b\nc\n\0\0\n\0d\0\ne\0");
    let expected: Vec<(u64, &[u8], bool)> =
        vec![(1, b"a", true), (1, b"b", true), (2, b"c", true), (4, b"d", true), (5, b"e", true)];
    assert_eq!(found, expected);
    let nul = |line, count: usize| {
        let nul = if count == 1 { "1 NUL byte is".to_owned() } else { format!("{count} NUL bytes are") };
        (line, format!("{nul} skipped: a crash lost what was written there"))
    };
    assert_eq!(skipped(b"a\0\0b\nc\n\0\0\n\0d\0\ne\0"), [nul(1, 2), nul(3, 2), nul(4, 2), nul(5, 1)]);
    assert_eq!(skipped(b"a\nb"), []);
    assert_eq!(pieces(b"\0\0\0"), []);
}

/// The offset of a piece is that of its first byte, behind NUL bytes and a byte order mark.
#[test]
fn offsets_are_those_of_the_pieces() {
    let file = "\u{feff}a\n\0\u{feff}bc\n".as_bytes();
    let found: Vec<(usize, &[u8])> = lines(file).map(|line| (line.start, line.bytes)).collect();
    assert_eq!(found, [(3, &b"a"[..]), (9, &b"bc"[..])]);
    assert!(found.iter().all(|&(start, bytes)| &file[start..start + bytes.len()] == bytes));
    let lines: Vec<u64> = skipped(file).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [1, 2, 2]);
}

/// A line that a template passes over behind NUL bytes is not counted twice.
#[test]
fn passing_behind_nul_bytes_counts_the_line_once() {
    let mut lines = Lines::after(10, b"a\0bcd\ne\n");
    assert_eq!(lines.next().map(|line| (line.number, line.bytes)), Some((11, &b"a"[..])));
    assert_eq!(lines.rest(), b"bcd\ne\n");
    assert_eq!(lines.pass(4), 11);
    assert_eq!(lines.pass(2), 12);
    assert!(lines.next().is_none());
    assert_eq!(lines.number(), 12);
}
