//! Reads a range of the lines of an objects.jsonl.
//!
//! A chunk does not have the objects before it, so its references to them are *foreign* until the chunks are appended.

use std::ops::Range;

use super::container::{Container, Source};
use super::decode::{Decoder, NOBODY};
use super::definition::Definition;
use super::graph::{Class, ClassIx, Graph, Object, ObjectMeta, Task};
use super::line_templates::TemplateCache;
use crate::error::{Error, Result};
use crate::file::LinedFile;
use crate::json::{self, Line, Lines, Reader};
use crate::progress::{CancelToken, Counter};
use crate::values::{Moved, ObjectIx, Value, index};

/// The objects of a range of lines.
pub(super) struct FileChunk<'s> {
    graph: Graph,
    decoder: Decoder<'s>,
    /// Errors, with the number of the line in the chunk
    errors: Vec<(u64, Error)>,
    /// The number of lines
    lines: u64,
    last: Option<ObjectIx>,
    /// Whether it was read to its end
    complete: bool,
}

impl<'s> FileChunk<'s> {
    /// Reads the lines in a range of bytes.
    pub fn read(source: Source<'s>, file: &LinedFile, range: Range<u64>, stop: &CancelToken) -> Self {
        let mut graph = Graph::new();
        let mut decoder = graph.begin(source, None);
        if range.start > 0 {
            decoder.foreign = Some(indexmap::IndexMap::default());
        }
        let mut chunk = Self { graph, decoder, errors: Vec::new(), lines: 0, last: None, complete: false };
        let mut templates = TemplateCache::default();
        let mut progress = Counter::of(range.end - range.start, stop);
        let mut blocks = file.lines(range);
        chunk.complete = loop {
            match blocks.more() {
                Ok(Some(block)) => {
                    chunk.read_block(block, &mut templates, stop);
                    if !progress.advance(block.len()) {
                        break false;
                    }
                }
                Ok(None) => break true,
                Err(error) => {
                    chunk.errors.push((chunk.lines + 1, error));
                    break false;
                }
            }
        };
        chunk
    }

    /// The chunk of all lines that were read earlier; `last` is their last object.
    pub fn continued(graph: Graph, decoder: Decoder<'s>, lines: u64, last: Option<ObjectIx>) -> Self {
        Self { graph, decoder, errors: Vec::new(), lines, last, complete: true }
    }

    fn read_block(&mut self, block: &[u8], templates: &mut TemplateCache, stop: &CancelToken) {
        let is_utf8 = json::is_utf8(block);
        let mut lines = Lines::after(self.lines, block);
        while !stop.is_cancelled() {
            let repeated = self.decoder.repeated;
            let read = if is_utf8 { self.read_similar(&mut lines, templates) } else { None };
            let (object, number) = match read {
                Some((object, number)) => (object.map(Some), number),
                None => {
                    let Some(line) = lines.next() else { break };
                    (self.read_line(line, is_utf8, templates), line.number)
                }
            };
            if self.decoder.repeated && !repeated {
                templates.clear();
            }
            match object {
                Ok(object) => self.last = object.or(self.last),
                Err(error) => self.errors.push((number, error)),
            }
        }
        let cut_lines = lines.cut_lines();
        self.errors.retain(|(number, _)| !cut_lines.contains(number));
        self.errors.extend(lines.skipped());
        self.lines = lines.number();
    }

    /// Reads the next line by a template, if it fits one, and returns its object and its number.
    fn read_similar(
        &mut self,
        lines: &mut Lines<'_>,
        templates: &mut TemplateCache,
    ) -> Option<(Result<ObjectIx>, u64)> {
        let (object, length) = templates.read(lines.rest(), &mut self.graph, &mut self.decoder)?;
        let number = lines.pass(length);
        Some((self.graph.put(Object { line: line_index(number), ..object }, &mut self.decoder), number))
    }

    /// Reads a line whole, and adds its template.
    fn read_line(
        &mut self,
        line: Line<'_>,
        is_utf8: bool,
        templates: &mut TemplateCache,
    ) -> Result<Option<ObjectIx>> {
        if !is_utf8 && std::str::from_utf8(line.bytes).is_err() {
            return Err(Error::format("the line is not UTF-8"));
        }
        let Self { graph, decoder, .. } = self;
        let references = graph.store.unresolved.len();
        let mut reader = Reader::new(line.bytes);
        let definition = Definition::read(&mut reader, &mut graph.store, decoder)?;
        reader.end()?;
        let object = graph.add_object(&definition, line_index(line.number), decoder)?;
        // a new unresolved reference may be defined in the next line
        let is_settled = decoder.foreign.is_some() || graph.store.unresolved.len() == references;
        if let Some(object) = object.filter(|_| is_settled && !decoder.repeated) {
            templates.learn(line.bytes, graph, object);
        }
        Ok(object)
    }

    /// The graph and container of a chunk that is the whole file.
    pub fn end(self, file: &LinedFile, errors: &mut Vec<Error>) -> (Graph, Container) {
        let Self { mut graph, decoder, errors: by_line, last, lines, complete } = self;
        errors.extend(by_line.into_iter().map(|(line, error)| error.at_line(line).at_file(file.path())));
        let mut container = graph.end(decoder, Value::Null, last);
        container.bookmark = if complete { file.bookmark(lines) } else { None };
        graph.seal();
        container.ids.seal(graph.len());
        (graph, container)
    }

    /// Whether `next` can be appended: its foreign references lead here, and no id is used twice.
    pub fn fits(&self, next: &Self) -> bool {
        let mut references = next.decoder.foreign.iter().flat_map(|foreign| foreign.keys());
        !self.decoder.repeated
            && !next.decoder.repeated
            && references.all(|&id| self.decoder.ids.get(id).is_some())
            && next.decoder.ids.iter().all(|(id, _)| self.decoder.ids.get(id).is_none())
    }

    /// Appends the next chunk, which must fit.
    pub fn append(&mut self, mut next: Self) {
        let first = index(self.graph.objects.len());
        let ids = &self.decoder.ids;
        let moved = self.graph.store.append(next.graph.store, self.graph.objects.len(), |reference| {
            ids.get(reference.id).map_or(Value::Null, Value::Object)
        });
        let classes: Vec<ClassIx> = next
            .graph
            .classes
            .iter()
            .map(|class| ClassIx(index(self.graph.classes.insert_full(class.moved(&moved)).0)))
            .collect();
        for about in next.graph.abouts.iter_mut() {
            *about = about.moved(&moved, &classes);
        }
        let (abouts, lines) = (index(self.graph.abouts.len()), line_index(self.lines));
        for object in next.graph.objects.iter_mut() {
            object.identifier = moved.text(object.identifier);
            object.fields = moved.record(object.fields);
            object.line = object.line.saturating_add(lines);
            object.about.0 += abouts;
        }
        self.graph.abouts.append(next.graph.abouts);
        self.graph.objects.append(next.graph.objects);
        self.append_ids(next.decoder, first);
        self.errors.extend(next.errors.into_iter().map(|(line, error)| (line + self.lines, error)));
        self.lines += next.lines;
        self.complete &= next.complete;
        self.last = next.last.map(|last| ObjectIx(last.0 + first)).or(self.last);
    }

    /// Appends the ids and referrers of the next chunk, whose objects start at `first`.
    fn append_ids(&mut self, next: Decoder<'s>, first: u32) {
        let moved = |referrer: u32| if referrer == NOBODY { NOBODY } else { referrer + first };
        for (&id, foreign) in next.foreign.iter().flatten() {
            if let Some(object) = self.decoder.ids.get(id) {
                let referrer = &mut self.decoder.referrers[object.index()];
                *referrer = moved(foreign.referrer).min(*referrer);
            }
        }
        self.decoder.referrers.extend(next.referrers.into_iter().map(moved));
        self.decoder.ids.append(next.ids, first as usize);
    }
}

impl Class {
    fn moved(&self, moved: &Moved) -> Self {
        Self {
            module: moved.symbol(self.module),
            name: moved.symbol(self.name),
            typename: moved.symbol(self.typename),
        }
    }
}

impl ObjectMeta {
    fn moved(self, moved: &Moved, classes: &[ClassIx]) -> Self {
        let task = match self.task {
            Task::Reference(task) => Task::Reference(moved.value(task)),
            task => task,
        };
        Self { class: classes[self.class.0 as usize], init_tasks: moved.value(self.init_tasks), task, ..self }
    }
}

fn line_index(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
