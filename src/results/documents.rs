//! JSON documents and JSON lines: one object, or many.

use std::path::Path;

use super::lines::TextLines;
use super::problems::{Problems, not_utf8};
use super::select::{Rank, Select, number_of};
use super::source::Source;
use super::state::FileState;
use crate::error::{Error, Result};
use crate::json::{self, JsonType, Reader, Syntax};
use crate::progress::CancelToken;
use crate::values::{Plain, Record, Store, record};

/// Takes some of the objects of a file; false if no more are wanted.
pub(super) type OnRows<'a> = dyn FnMut(Store, Vec<Record>) -> bool + 'a;

/// What is done with each object.
enum Sink<'a> {
    /// One is chosen: its bytes, and its number in the column that decides
    Pick { select: &'a Select, best: Option<Rank>, chosen: Option<Vec<u8>> },
    /// All are handed on
    All { rows: Vec<Record>, on_rows: &'a mut OnRows<'a> },
}

/// What became of a file, and the object that was chosen.
pub(super) struct Outcome {
    pub state: FileState,
    pub problems: Problems,
    pub record: Option<Record>,
}

/// How many objects are handed on together, and after how many a store for picking is made anew.
const ROWS_TOGETHER: usize = 8192;

/// Reads the objects of one file.
struct Objects<'a> {
    store: Store,
    sink: Sink<'a>,
    problems: Problems,
    good: u64,
    bad: u64,
    is_cut: bool,
    /// Whether no more rows are wanted
    is_enough: bool,
}

/// Why a line is no object.
struct Fault {
    reason: String,
    /// Whether it would be one if the file did not end there
    is_cut: bool,
}

type Parsed<T> = std::result::Result<T, Syntax>;

/// Whether a syntax error says that the text ends too early.
fn is_cut(wrong: Syntax) -> bool {
    // the reader has one text for it, which an empty input gives too
    Reader::new(b"").peek().is_err_and(|cut| cut.reason == wrong.reason)
}

/// An object, whatever its keys; nothing of it stays in the store if it is no object.
fn object(reader: &mut Reader<'_>, store: &mut Store) -> Parsed<Record> {
    if reader.peek()? != JsonType::Dict {
        return Err(reader.wrong("an object was expected"));
    }
    let mark = store.mark();
    record(reader, store, &mut Plain).inspect_err(|_| store.rewind(mark))
}

/// A syntax error with its line.
fn located(wrong: Syntax, bytes: &[u8]) -> Error {
    let before = &bytes[..wrong.position.min(bytes.len())];
    Error::from(wrong).at_line(memchr::memchr_iter(b'\n', before).count() as u64 + 1)
}

impl<'a> Objects<'a> {
    fn new(path: &Path, sink: Sink<'a>) -> Self {
        let problems = Problems::of(path);
        let store = Store::default();
        Self { store, sink, problems, good: 0, bad: 0, is_cut: false, is_enough: false }
    }

    /// Takes note of an object that was read from these bytes.
    fn accept(&mut self, object: Record, bytes: &[u8]) {
        self.good += 1;
        match &mut self.sink {
            Sink::All { rows, .. } => rows.push(object),
            Sink::Pick { select, best, chosen } => {
                let number = select.column().and_then(|column| number_of(&self.store, object, column));
                let is_chosen = match select {
                    Select::Last => true,
                    Select::First => chosen.is_none(),
                    _ => number.is_some_and(|number| select.is_better(number, *best)),
                };
                if is_chosen {
                    *best = number;
                    *chosen = Some(bytes.to_vec());
                }
                if self.good.is_multiple_of(ROWS_TOGETHER as u64) {
                    self.store = Store::default();
                }
            }
        }
    }

    fn hand_on(&mut self) {
        if let Sink::All { rows, on_rows } = &mut self.sink
            && !rows.is_empty()
        {
            self.is_enough |= !on_rows(std::mem::take(&mut self.store), std::mem::take(rows));
        }
    }

    /// The items of a list.
    fn list(&mut self, bytes: &[u8]) -> Result<()> {
        let mut reader = Reader::new(bytes);
        let read: Parsed<()> = reader.items(|reader| {
            if reader.peek()? == JsonType::Dict {
                let start = reader.rest();
                let object = object(reader, &mut self.store)?;
                let length = start.len() - reader.rest().len();
                self.accept(object, &start[..length]);
            } else {
                let before = &bytes[..reader.position()];
                self.bad += 1;
                let line = memchr::memchr_iter(b'\n', before).count() as u64 + 1;
                self.problems.skip(line, "an item of the list is no object");
                reader.skip()?;
            }
            Ok(())
        });
        match read.and_then(|()| reader.end()) {
            Err(wrong) if is_cut(wrong) => {
                self.is_cut = true;
                self.problems.add(located(wrong, bytes));
                Ok(())
            }
            read => read.map_err(|wrong| located(wrong, bytes)),
        }
    }

    /// Some lines, before which the file has `number` others; says how many there are then.
    fn lines(&mut self, number: u64, bytes: &[u8]) -> u64 {
        let is_utf8 = json::is_utf8(bytes);
        let mut lines = TextLines::after(number, bytes);
        for line in lines.by_ref() {
            match self.line(line.bytes, is_utf8) {
                Ok(()) => {}
                Err(fault) if !line.ended && fault.is_cut => {
                    self.is_cut = true;
                    self.problems.skip(line.number, "the last line is not finished");
                }
                Err(fault) => {
                    self.bad += 1;
                    self.problems.skip(line.number, &fault.reason);
                }
            }
            if let Sink::All { rows, .. } = &self.sink
                && rows.len() >= ROWS_TOGETHER
            {
                self.hand_on();
            }
            if self.is_enough {
                break;
            }
        }
        lines.number()
    }

    fn line(&mut self, line: &[u8], is_utf8: bool) -> std::result::Result<(), Fault> {
        if !is_utf8 && let Err(error) = std::str::from_utf8(line) {
            // a character may be cut too
            let is_cut = error.error_len().is_none();
            return Err(Fault { reason: "the line is not UTF-8".to_owned(), is_cut });
        }
        let mut reader = Reader::new(line);
        let mark = self.store.mark();
        let read = object(&mut reader, &mut self.store).and_then(|object| reader.end().map(|()| object));
        match read {
            Ok(object) => {
                self.accept(object, line);
                if matches!(self.sink, Sink::Pick { .. }) && !self.good.is_multiple_of(ROWS_TOGETHER as u64) {
                    self.store.rewind(mark);
                }
                Ok(())
            }
            Err(wrong) => {
                self.store.rewind(mark);
                // a file system that lost its power fills the end with zeros
                let is_cut = is_cut(wrong) || line.ends_with(b"\0");
                Err(Fault { reason: Error::from(wrong).reason().to_owned(), is_cut })
            }
        }
    }

    /// All lines of a file.
    fn all_lines(&mut self, source: &mut Source<'_>) -> Result<()> {
        source.fill(3)?;
        source.skip_bom();
        let mut number = 0;
        while let Some(length) = source.lines()? {
            number = self.lines(number, &source.bytes()[..length]);
            source.consume(length);
            if self.is_enough {
                break;
            }
        }
        if self.good == 0 && self.bad > 0 {
            self.problems.add(Error::format("no line is a JSON object"));
        }
        Ok(())
    }

    /// The state and losses, and the object that was chosen, read into a store.
    fn finish(mut self, into: Option<&mut Store>) -> Outcome {
        self.hand_on();
        let state = match (self.good, self.is_cut, self.bad) {
            (_, true, _) => FileState::Cut,
            (1.., ..) => FileState::Read,
            (0, _, 0) => FileState::Empty,
            _ => FileState::Unreadable,
        };
        let chosen = if let Sink::Pick { chosen, .. } = self.sink { chosen } else { None };
        // it was read before: nothing can be wrong with it
        let record = chosen.zip(into).and_then(|(bytes, store)| object(&mut Reader::new(&bytes), store).ok());
        Outcome { state, problems: self.problems, record }
    }
}

/// What a JSON document begins with.
fn document<'b>(source: &'b mut Source<'_>) -> Result<Option<(JsonType, &'b [u8])>> {
    let bytes = source.whole()?;
    if !json::is_utf8(bytes) {
        return Err(not_utf8(bytes));
    }
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    match Reader::new(bytes).peek().map_err(|wrong| located(wrong, bytes))? {
        kind @ (JsonType::Dict | JsonType::List) => Ok(Some((kind, bytes))),
        _ => Err(Error::format("a JSON object or a list of objects was expected")
            .hint("results have names, as in {\"loss\": 0.5}")),
    }
}

/// The object of a document, read into a store.
fn single(bytes: &[u8], path: &Path, store: &mut Store) -> Result<Outcome> {
    let mut reader = Reader::new(bytes);
    let mut outcome = Outcome { state: FileState::Read, problems: Problems::of(path), record: None };
    match object(&mut reader, store) {
        Ok(object) => {
            let more = |wrong| located(wrong, bytes).hint("if each line is an object, give format=\"jsonl\"");
            reader.end().map_err(more)?;
            outcome.record = Some(object);
        }
        Err(wrong) if is_cut(wrong) => {
            outcome.state = FileState::Cut;
            outcome.problems.add(located(wrong, bytes));
        }
        Err(wrong) => return Err(located(wrong, bytes)),
    }
    Ok(outcome)
}

/// The result of a JSON file: its object, or one of its list.
///
/// # Errors
/// `Io`; `Format` if it is no such file: nothing of it is to be used.
pub(super) fn read_document(
    path: &Path,
    select: &Select,
    store: &mut Store,
    cancel: &CancelToken,
) -> Result<Outcome> {
    let mut source = Source::open(path, cancel)?;
    let pick = Sink::Pick { select, best: None, chosen: None };
    match document(&mut source)? {
        None => Ok(Objects::new(path, pick).finish(None)),
        Some((JsonType::Dict, bytes)) => single(bytes, path, store),
        Some((_, bytes)) => {
            let mut objects = Objects::new(path, pick);
            objects.list(bytes)?;
            Ok(objects.finish(Some(store)))
        }
    }
}

/// One line of a file of JSON lines.
///
/// # Errors
/// `Io`; `Format` if a line is too long.
pub(super) fn read_line(
    path: &Path,
    select: &Select,
    store: &mut Store,
    cancel: &CancelToken,
) -> Result<Outcome> {
    let mut objects = Objects::new(path, Sink::Pick { select, best: None, chosen: None });
    objects.all_lines(&mut Source::open(path, cancel)?)?;
    Ok(objects.finish(Some(store)))
}

/// All objects of a JSON file or, if `is_lines`, of a file of JSON lines; a size says how much of it is read.
///
/// # Errors
/// As [`read_document`].
pub(super) fn read_rows<'a>(
    path: &Path,
    size: Option<u64>,
    is_lines: bool,
    on_rows: &'a mut OnRows<'a>,
    cancel: &CancelToken,
) -> Result<Outcome> {
    let mut source = Source::open_until(path, size, cancel)?;
    let mut objects = Objects::new(path, Sink::All { rows: Vec::new(), on_rows });
    if is_lines {
        objects.all_lines(&mut source)?;
        return Ok(objects.finish(None));
    }
    match document(&mut source)? {
        None => {}
        Some((JsonType::Dict, bytes)) => {
            let outcome = single(bytes, path, &mut objects.store)?;
            if let (Some(object), Sink::All { rows, .. }) = (outcome.record, &mut objects.sink) {
                objects.good = 1;
                rows.push(object);
            }
            objects.is_cut = outcome.state == FileState::Cut;
            objects.problems = outcome.problems;
        }
        Some((_, bytes)) => objects.list(bytes)?,
    }
    Ok(objects.finish(None))
}
