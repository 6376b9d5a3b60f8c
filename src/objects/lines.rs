//! Reads an objects.jsonl, one definition a line, in one chunk per thread.
//!
//! The chunks of a regular file fit together: references lead backwards and each id is used once. If they do not fit,
//! the file is read again as one chunk, so that the result never depends on the number of threads.

use std::ops::Range;

use super::container::{Container, Source};
use super::file_chunk::FileChunk;
use super::graph::Graph;
use crate::error::Error;
use crate::file::LinedFile;
use crate::progress::CancelToken;
use crate::threads;

/// A thread takes longer to start than to read this much.
pub(crate) const MIN_BYTES_PER_THREAD: u64 = 1 << 20;

/// Work to do while the objects are read, on another thread if that pays.
pub struct ConcurrentTask<F> {
    /// The number of threads for all of it
    pub threads: usize,
    /// The work
    pub work: F,
    /// Its size, in bytes of a file
    pub bytes: u64,
    /// Whether it waits for a slow file system, so that a thread is worth it whatever the size
    pub is_slow: bool,
}

impl<F> ConcurrentTask<F> {
    /// Whether it is worth a thread, beside reading a file of `size` bytes.
    pub(super) fn is_worth_thread(&self, size: u64) -> bool {
        self.threads > 1 && (self.is_slow || size + self.bytes >= MIN_BYTES_PER_THREAD)
    }
}

/// Reads an objects.jsonl. An invalid line becomes an error in `errors`, and the next one is read.
pub(super) fn read_lines(
    source: Source<'_>,
    file: &LinedFile,
    beside: ConcurrentTask<impl FnOnce() + Send>,
    stop: &CancelToken,
    errors: &mut Vec<Error>,
) -> (Graph, Container) {
    let mut chunks = read_chunks(source, file, beside, stop).into_iter();
    let mut whole = chunks.next().unwrap_or_else(|| FileChunk::read(source, file, 0..file.size(), stop));
    for chunk in chunks {
        if stop.is_cancelled() {
            break;
        }
        if !whole.fits(&chunk) {
            whole = FileChunk::read(source, file, 0..file.size(), stop);
            break;
        }
        whole.append(chunk);
    }
    whole.end(file, errors)
}

/// Reads the lines that an objects.jsonl got since `graph` was read from it. `None` if it is not the same file, or if
/// the new lines do not fit to the earlier ones.
pub(super) fn read_on(
    source: Source<'_>,
    file: &LinedFile,
    (graph, container): (&Graph, &Container),
    stop: &CancelToken,
    errors: &mut Vec<Error>,
) -> Option<(Graph, Container)> {
    let from = container.bookmark.as_ref().filter(|from| from.at() > 0 && file.goes_on(from))?;
    let next = FileChunk::read(source, file, from.at()..file.size(), stop);
    let mut graph = graph.clone();
    let mut decoder = graph.begin(source, None);
    graph.files.pop();
    decoder.container = container.number;
    decoder.ids = container.ids.clone();
    decoder.referrers.clone_from(&container.referrers);
    let mut whole = FileChunk::continued(graph, decoder, from.lines(), container.last);
    if stop.is_cancelled() || !whole.fits(&next) {
        return None;
    }
    whole.append(next);
    Some(whole.end(file, errors))
}

/// Reads all chunks of a file, in order. The thread of the last chunk does the other work first.
fn read_chunks<'s>(
    source: Source<'s>,
    file: &LinedFile,
    beside: ConcurrentTask<impl FnOnce() + Send>,
    stop: &CancelToken,
) -> Vec<FileChunk<'s>> {
    let is_worth_thread = beside.is_worth_thread(file.size());
    let ConcurrentTask { threads, work, bytes, .. } = beside;
    let read = |range: Range<u64>| FileChunk::read(source, file, range, stop);
    if !is_worth_thread {
        work();
        return vec![read(0..file.size())];
    }
    let (first, mut middle) = split(file, threads, bytes);
    let last = middle.pop();
    let (read, work, last) = (&read, &threads::Once::new(work), &last);
    std::thread::scope(|scope| {
        let middle: Vec<_> =
            middle.iter().map(|range| threads::start(scope, move || read(range.clone()))).collect();
        let last = threads::start(scope, move || {
            work.run();
            last.clone().map(read)
        });
        let mut chunks = vec![read(first)];
        chunks.extend(middle.into_iter().map(|wait| wait()));
        chunks.extend(last());
        chunks
    })
}

/// Splits a file into at most `threads` ranges of whole lines: the first, and the others. They are equal, except that
/// the last is smaller by the `other_bytes` of its thread.
fn split(file: &LinedFile, threads: usize, other_bytes: u64) -> (Range<u64>, Vec<Range<u64>>) {
    let size = file.size();
    let length = (size + other_bytes) / threads as u64;
    let mut ranges = Vec::new();
    let mut start = 0;
    while ranges.len() + 1 < threads && size - start > length && length > MIN_BYTES_PER_THREAD {
        let Ok(end) = file.line_after(start + length) else { break };
        ranges.push(start..end);
        start = end;
    }
    if start < size || ranges.is_empty() {
        ranges.push(start..size);
    }
    (ranges.remove(0), ranges)
}
