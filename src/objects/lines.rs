//! An objects.jsonl: one definition a line, read in as many parts as there are threads.
//!
//! A part of the file knows nothing of what stands before it, so its references into that are *foreign* until the parts
//! are put together. Parts of a regular file fit: references lead backwards and ids are given once. If they do not fit, the file
//! is read again as one part, so that what is read never depends on the number of threads.

use std::ops::Range;

use super::chunk_queue::{ChunkQueue, ChunkShare};
use super::container::{Container, Source};
use super::decode::{Decoder, NOBODY};
use super::definition::Parts;
use super::graph::{Class, ClassIx, Graph, Object, Task};
use super::line_templates::TemplateCache;
use super::run::ConcurrentTask;
use crate::error::{Error, Result};
use crate::file::{Blocks, LinedFile};
use crate::json::{self, Line, Lines, Reader};
use crate::progress::{CancelToken, Counter};
use crate::threads;
use crate::values::{ObjectIx, Value, index};

/// After so many bytes it is estimated how many objects the file has.
const SAMPLE: u64 = 1 << 20;

/// For how many objects room is made at once, whatever the size of the file says.
const MOST: usize = 1 << 20;

/// What one part of a file brought.
struct FileChunk<'s> {
    /// The first byte of the part
    start: u64,
    graph: Graph,
    decoder: Decoder<'s>,
    /// What could not be read, by the line within the part
    errors: Vec<(u64, Error)>,
    lines: u64,
    last: Option<ObjectIx>,
    /// Whether it was read to its end
    complete: bool,
}

/// What is needed to go on reading a part.
struct ReadingOn<'s> {
    kinds: TemplateCache,
    progress: Counter<'s>,
    /// How many bytes were read, and about how many there will be
    read: u64,
    size: u64,
    stop: &'s CancelToken,
}

/// Reads an objects.jsonl on several threads, of which one does something else first. A bad line is an error in the list, and
/// the next one is read.
pub(super) fn read_lines(
    source: Source<'_>,
    file: &LinedFile,
    beside: ConcurrentTask<impl FnOnce() + Send>,
    stop: &CancelToken,
    errors: &mut Vec<Error>,
) -> (Graph, Container) {
    let shares = ChunkQueue::of(file, beside.threads.max(1), beside.bytes);
    let mut parts = read_parts(source, &shares, beside, stop);
    let mut whole = parts.remove(0);
    for part in parts {
        if stop.is_cancelled() {
            break;
        }
        if !whole.fits(&part) {
            whole = FileChunk::read(source, &ChunkQueue::one(file, 0..file.size()), 0, stop);
            break;
        }
        whole.append(part);
    }
    whole.end(file, errors)
}

/// Reads what an objects.jsonl has more than when `graph` was read from it; nothing if it is not the same file, or if what is new
/// does not fit to what is known.
pub(super) fn read_on(
    source: Source<'_>,
    file: &LinedFile,
    (graph, container): (&Graph, &Container),
    stop: &CancelToken,
    errors: &mut Vec<Error>,
) -> Option<(Graph, Container)> {
    let from = container.bookmark.as_ref().filter(|from| from.at() > 0 && file.goes_on(from))?;
    let next = FileChunk::read(source, &ChunkQueue::one(file, from.at()..file.size()), 0, stop);
    let mut graph = graph.clone();
    let mut decoder = graph.begin(source, None);
    graph.files.pop();
    decoder.container = container.number;
    decoder.ids = container.ids.clone();
    decoder.referrers.clone_from(&container.referrers);
    let (lines, last) = (from.lines(), container.last);
    let mut whole = FileChunk { start: 0, graph, decoder, errors: Vec::new(), lines, last, complete: true };
    if stop.is_cancelled() || !whole.fits(&next) {
        return None;
    }
    whole.append(next);
    Some(whole.end(file, errors))
}

/// Reads all shares of a file. One thread does something else first. The parts are in the order of the file.
fn read_parts<'s>(
    source: Source<'s>,
    shares: &ChunkQueue<'_>,
    beside: ConcurrentTask<impl FnOnce() + Send>,
    stop: &CancelToken,
) -> Vec<FileChunk<'s>> {
    let take_over = || if beside.threads > 1 && !stop.is_cancelled() { shares.take_over() } else { None };
    let read = |share: Option<usize>| {
        let mut parts = Vec::new();
        let mut next = share.or_else(take_over);
        while let Some(share) = next {
            parts.push(FileChunk::read(source, shares, share, stop));
            next = take_over();
        }
        parts
    };
    let count = shares.count();
    let last = count.max(2) - 1;
    let (read, other) = (&read, &threads::Once::new(beside.work));
    let mut parts = std::thread::scope(|scope| {
        let waits: Vec<_> = (1..=last)
            .map(|share| {
                threads::start(scope, move || {
                    if share == last {
                        other.run();
                    }
                    read((share < count).then_some(share))
                })
            })
            .collect();
        let mut parts = read(Some(0));
        parts.extend(waits.into_iter().flat_map(|wait| wait()));
        parts
    });
    parts.sort_by_key(|part| part.start);
    parts
}

impl<'s> FileChunk<'s> {
    /// Reads a share.
    fn read(source: Source<'s>, shares: &ChunkQueue<'_>, share: usize, stop: &CancelToken) -> Self {
        let mut graph = Graph::new();
        let mut decoder = graph.begin(source, None);
        let ChunkShare { left: Range { start, end }, expected } = shares.get(share);
        if start > 0 {
            decoder.foreign = Some(indexmap::IndexMap::default());
        }
        let mut part =
            Self { start, graph, decoder, errors: Vec::new(), lines: 0, last: None, complete: true };
        let mut reading = ReadingOn {
            kinds: TemplateCache::default(),
            progress: Counter::of(expected, stop),
            read: 0,
            size: end - start,
            stop,
        };
        let mut lines = shares.file.lines(start..start);
        while let Some(range) = shares.next(share) {
            lines.go_on(range.end);
            if let Err(error) = part.read_lines(&mut lines, &mut reading) {
                part.complete = false;
                part.errors.extend(error.map(|error| (part.lines + 1, error)));
                shares.give_up(share);
            }
        }
        part
    }

    /// Reads some lines; nothing is wrong but that reading shall stop if there is no error.
    fn read_lines(
        &mut self,
        lines: &mut Blocks<'_>,
        reading: &mut ReadingOn<'_>,
    ) -> std::result::Result<(), Option<Error>> {
        while let Some(block) = lines.more()? {
            self.read_block(block, &mut reading.kinds, reading.stop);
            let before = reading.read;
            reading.read += block.len() as u64;
            if before < SAMPLE && reading.read >= SAMPLE {
                self.expect(reading.read, reading.size);
            }
            if !reading.progress.advance(block.len()) {
                return Err(None);
            }
        }
        Ok(())
    }

    /// Makes room for what a file will bring, by what its first bytes brought.
    fn expect(&mut self, read: u64, size: u64) {
        let more =
            |known: usize| usize::try_from(known as u64 * (size - read) / read).unwrap_or(MOST).min(MOST);
        let objects = more(self.graph.objects.len());
        self.graph.objects.last().reserve(objects);
        self.decoder.ids.reserve(objects);
        self.decoder.referrers.reserve(objects);
        self.graph.store.expect(|known| usize::try_from(known as u64 * (size - read) / read).unwrap_or(MOST));
    }

    fn read_block(&mut self, block: &[u8], kinds: &mut TemplateCache, stop: &CancelToken) {
        let clean = json::is_utf8(block);
        let mut lines = Lines::after(self.lines, block);
        while !stop.is_cancelled() {
            let known = self.decoder.repeated;
            let read = if clean { self.read_like(&mut lines, kinds) } else { None };
            let (read, number) = match read {
                Some((read, number)) => (read.map(Some), number),
                None => {
                    let Some(line) = lines.next() else { break };
                    (self.read_line(line, clean, kinds), line.number)
                }
            };
            if self.decoder.repeated && !known {
                kinds.forget();
            }
            match read {
                Ok(object) => self.last = object.or(self.last),
                Err(error) => self.errors.push((number, error)),
            }
        }
        self.errors.extend(lines.skipped());
        self.lines = lines.number();
    }

    /// The object of the next line, if that is like one before; the number of the line.
    fn read_like(
        &mut self,
        lines: &mut Lines<'_>,
        kinds: &mut TemplateCache,
    ) -> Option<(Result<ObjectIx>, u64)> {
        let (object, length) = kinds.read(lines.rest(), &mut self.graph, &mut self.decoder)?;
        let number = lines.pass(length);
        let line = u32::try_from(number).unwrap_or(u32::MAX);
        Some((self.graph.put(Object { line, ..object }, &mut self.decoder), number))
    }

    fn read_line(
        &mut self,
        line: Line<'_>,
        clean: bool,
        kinds: &mut TemplateCache,
    ) -> Result<Option<ObjectIx>> {
        if !clean && std::str::from_utf8(line.bytes).is_err() {
            return Err(Error::format("the line is not UTF-8"));
        }
        self.read_whole(line, kinds)
    }

    fn read_whole(&mut self, line: Line<'_>, kinds: &mut TemplateCache) -> Result<Option<ObjectIx>> {
        let Self { graph, decoder, .. } = self;
        let references = graph.store.unresolved.len();
        let mut reader = Reader::new(line.bytes);
        let parts = Parts::read(&mut reader, &mut graph.store, decoder)?;
        reader.end()?;
        let object = graph.add_object(&parts, number(line), decoder)?;
        // a reference that nothing is known of yet may mean something in the next line
        let settled = decoder.foreign.is_some() || graph.store.unresolved.len() == references;
        if let Some(object) = object.filter(|_| settled && !decoder.repeated) {
            kinds.learn(line.bytes, graph, object);
        }
        Ok(object)
    }

    /// The whole file.
    fn end(self, file: &LinedFile, errors: &mut Vec<Error>) -> (Graph, Container) {
        let Self { mut graph, decoder, errors: found, last, lines, complete, .. } = self;
        errors.extend(found.into_iter().map(|(line, error)| error.at_line(line).at_file(file.path())));
        let mut container = graph.end(decoder, Value::Null, last);
        container.bookmark = if complete { file.bookmark(lines) } else { None };
        graph.seal();
        container.ids.seal(graph.len());
        (graph, container)
    }

    /// Whether another part goes on where this one ends.
    fn fits(&self, next: &Self) -> bool {
        let references = next.decoder.foreign.iter().flat_map(|foreign| foreign.keys());
        !self.decoder.repeated
            && !next.decoder.repeated
            && references.into_iter().all(|&id| self.decoder.ids.get(id).is_some())
            && next.decoder.ids.iter().all(|(id, _)| self.decoder.ids.get(id).is_none())
    }

    fn append(&mut self, mut next: Self) {
        let objects = self.graph.objects.len();
        let ids = &self.decoder.ids;
        let moved = self.graph.store.append(next.graph.store, objects, |reference| {
            ids.get(reference.id).map_or(Value::Null, Value::Object)
        });
        let class = |class: &Class| Class {
            module: moved.symbol(class.module),
            name: moved.symbol(class.name),
            typename: moved.symbol(class.typename),
        };
        let known = &mut self.graph.classes;
        let classes: Vec<ClassIx> = next
            .graph
            .classes
            .iter()
            .map(|found| ClassIx(index(known.insert_full(class(found)).0)))
            .collect();
        let lines = u32::try_from(self.lines).unwrap_or(u32::MAX);
        for about in next.graph.abouts.iter_mut() {
            about.class = classes[about.class.0 as usize];
            about.init_tasks = moved.value(about.init_tasks);
            if let Task::Other(task) = &mut about.task {
                *task = moved.value(*task);
            }
        }
        let abouts = index(self.graph.abouts.len());
        for object in next.graph.objects.iter_mut() {
            object.identifier = moved.text(object.identifier);
            object.fields = moved.record(object.fields);
            object.line = object.line.saturating_add(lines);
            object.about.0 += abouts;
        }
        self.graph.abouts.append(next.graph.abouts);
        self.graph.objects.append(next.graph.objects);
        let by = index(objects);
        let after = |referrer: u32| if referrer == NOBODY { NOBODY } else { referrer + by };
        for (&id, foreign) in next.decoder.foreign.iter().flatten() {
            if let Some(at) = ids.get(id) {
                let referrer = &mut self.decoder.referrers[at.at()];
                *referrer = after(foreign.referrer).min(*referrer);
            }
        }
        self.decoder.referrers.extend(next.decoder.referrers.into_iter().map(after));
        self.decoder.ids.append(next.decoder.ids, objects);
        self.errors.extend(next.errors.into_iter().map(|(line, error)| (line + self.lines, error)));
        self.lines += next.lines;
        self.complete &= next.complete;
        self.last = next.last.map(|last| ObjectIx(last.0 + by)).or(self.last);
    }
}

fn number(line: Line<'_>) -> u32 {
    u32::try_from(line.number).unwrap_or(u32::MAX)
}
