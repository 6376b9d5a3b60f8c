//! Cuts CSV and TSV text into records and cells, without a look at what the cells mean.
//!
//! RFC 4180 as Python's csv module reads it: a quote counts at the beginning of a cell only, two of them inside are one, and
//! text behind the closing quote belongs to the cell. Unlike csv-core it says whether the last record ended, and whether it ended
//! within quotes: that is how a cut file is recognised.

/// How a record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordEnd {
    /// With a line end
    Line,
    /// With the file
    File,
    /// With the file, within quotes
    Quotes,
}

/// One record of a [`Cut`].
#[derive(Debug, Clone, Copy)]
pub(super) struct CutRecord {
    /// Its first cell, and how many it has
    pub first: usize,
    pub count: usize,
    /// The line of the file that it begins in
    pub line: u64,
    pub end: RecordEnd,
}

/// Where a cell stands: in the block, or among the cells that had doubled quotes.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    length: u32,
    unescaped: bool,
}

/// The records of one block.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub records: Vec<CutRecord>,
    spans: Vec<Span>,
    unescaped: Vec<u8>,
}

impl Cut {
    /// The bytes of a cell of the block that was cut.
    #[inline]
    pub fn cell<'a>(&'a self, block: &'a [u8], cell: usize) -> &'a [u8] {
        let Some(span) = self.spans.get(cell) else { return &[] };
        let bytes = if span.unescaped { &self.unescaped } else { block };
        bytes.get(span.start as usize..span.start as usize + span.length as usize).unwrap_or_default()
    }

    fn clear(&mut self) {
        self.records.clear();
        self.spans.clear();
        self.unescaped.clear();
    }

    #[inline]
    fn push(&mut self, start: usize, end: usize) {
        self.spans.push(Span { start: position(start), length: position(end - start), unescaped: false });
    }
}

/// A position in a block, which is shorter than 4 GiB.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Cuts one block of a file after the other.
#[derive(Debug)]
pub(super) struct Cutter {
    separator: u8,
    /// The line that the next record begins in, from 1
    line: u64,
}

impl Cutter {
    pub fn new(separator: u8) -> Self {
        Self { separator, line: 1 }
    }

    /// The line that the next record begins in.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Cuts the whole records of a block; says how many bytes they take. Blank lines are passed over. The last record of the
    /// file needs no end.
    pub fn cut(&mut self, block: &[u8], is_last: bool, cut: &mut Cut) -> usize {
        cut.clear();
        let mut start = 0;
        while start < block.len() {
            let line_end = memchr::memchr(b'\n', &block[start..]).map(|length| start + length);
            if line_end.is_none() && !is_last {
                break;
            }
            let end = line_end.unwrap_or(block.len());
            let next = (end + 1).min(block.len());
            let line = block[start..end].strip_suffix(b"\r").unwrap_or(&block[start..end]);
            if self.is_blank(line) {
                self.line += 1;
                start = next;
                continue;
            }
            let first = cut.spans.len();
            let is_plain = memchr::memchr(b'"', line).is_none();
            let (record_end, next) = if is_plain {
                self.plain(start, line, cut);
                (if line_end.is_some() { RecordEnd::Line } else { RecordEnd::File }, next)
            } else {
                match self.quoted(block, start, is_last, cut) {
                    Some(quoted) => quoted,
                    None => {
                        cut.spans.truncate(first);
                        break;
                    }
                }
            };
            let count = cut.spans.len() - first;
            cut.records.push(CutRecord { first, count, line: self.line, end: record_end });
            self.line +=
                if is_plain { 1 } else { memchr::memchr_iter(b'\n', &block[start..next]).count() as u64 };
            start = next;
        }
        start
    }

    fn is_blank(&self, line: &[u8]) -> bool {
        line.iter().all(|&byte| byte != self.separator && byte.is_ascii_whitespace())
    }

    #[inline]
    fn plain(&self, start: usize, line: &[u8], cut: &mut Cut) {
        let mut begin = start;
        for separator in memchr::memchr_iter(self.separator, line) {
            cut.push(begin, start + separator);
            begin = start + separator + 1;
        }
        cut.push(begin, start + line.len());
    }

    /// A record with quotes that begins at `start`: how it ends, and where the next begins; nothing if more must be read.
    fn quoted(&self, block: &[u8], start: usize, is_last: bool, cut: &mut Cut) -> Option<(RecordEnd, usize)> {
        let mut begin = start;
        loop {
            let rest = &block[begin..];
            let (after, open) =
                if rest.first() == Some(&b'"') { closing_quote(block, begin + 1) } else { (begin, false) };
            if open {
                cut.push(begin + 1, block.len());
                return is_last.then_some((RecordEnd::Quotes, block.len()));
            }
            let end = memchr::memchr2(self.separator, b'\n', &block[after..]).map(|length| after + length);
            if end.is_none() && !is_last {
                return None;
            }
            let end = end.unwrap_or(block.len());
            let is_separator = block.get(end) == Some(&self.separator);
            let text_end =
                if !is_separator && end > after && block[end - 1] == b'\r' { end - 1 } else { end };
            if after > begin {
                unquoted(block, (begin, after, text_end), cut);
            } else {
                cut.push(begin, text_end);
            }
            if !is_separator {
                let ended = if end < block.len() { RecordEnd::Line } else { RecordEnd::File };
                return Some((ended, (end + 1).min(block.len())));
            }
            begin = end + 1;
        }
    }
}

/// The position behind the closing quote of a cell whose text begins at `start`; true if there is none.
fn closing_quote(block: &[u8], start: usize) -> (usize, bool) {
    let mut from = start;
    while let Some(length) = memchr::memchr(b'"', &block[from..]) {
        let quote = from + length;
        if block.get(quote + 1) != Some(&b'"') {
            return (quote + 1, false);
        }
        from = quote + 2;
    }
    (block.len(), true)
}

/// Adds a cell that begins with a quote at `begin`, whose closing quote ends at `after`, with the text up to `end` behind it.
fn unquoted(block: &[u8], (begin, after, end): (usize, usize, usize), cut: &mut Cut) {
    let inner = &block[begin + 1..after - 1];
    if memchr::memchr(b'"', inner).is_none() && after >= end {
        cut.push(begin + 1, after - 1);
        return;
    }
    let start = cut.unescaped.len();
    let mut rest = inner;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        cut.unescaped.extend_from_slice(&rest[..=quote]);
        rest = rest.get(quote + 2..).unwrap_or_default();
    }
    cut.unescaped.extend_from_slice(rest);
    cut.unescaped.extend_from_slice(block.get(after..end).unwrap_or_default());
    let length = cut.unescaped.len() - start;
    cut.spans.push(Span { start: position(start), length: position(length), unescaped: true });
}
