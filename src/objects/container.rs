//! The files that hold object definitions.

use std::path::Path;

use ahash::HashMap;

use super::cycles;
use super::decode::{Decoder, NOBODY, Relocation};
use super::definition::Parts;
use super::graph::Graph;
use crate::error::{Error, Result};
use crate::json::{self, Kind, Reader};
use crate::progress::{self, Lines, Stop};
use crate::values::{ObjectIx, Value, index, read};

/// A file of object definitions, and what its relative paths are relative to.
#[derive(Debug, Clone, Copy)]
pub struct Source<'s> {
    /// The file
    pub file: &'s Path,
    /// Where the workspace was and is
    pub relocation: &'s Relocation,
    /// The directory that `"base": "job"` means, in a params.json
    pub job_dir: Option<&'s str>,
    /// The directory that saved files are relative to, in a saved object
    pub data_dir: Option<&'s str>,
}

/// What one file brought.
#[derive(Debug)]
pub(super) struct Container {
    pub number: u32,
    pub ids: HashMap<i64, ObjectIx>,
    /// What stands under `"data"`
    pub data: Value,
    /// The last object: the job itself, in a params.json
    pub last: Option<ObjectIx>,
    /// The first object of this container that refers to each object of the graph so far, or `NOBODY`
    pub referrers: Vec<u32>,
}

impl Graph {
    fn begin<'s>(&mut self, source: Source<'s>, known: Option<&'s HashMap<i64, ObjectIx>>) -> Decoder<'s> {
        self.files.push(source.file.to_path_buf());
        let Source { relocation, job_dir, data_dir, .. } = source;
        let container = index(self.files.len() - 1);
        let referrers = vec![NOBODY; self.objects.len()];
        Decoder { ids: HashMap::default(), known, container, relocation, job_dir, data_dir, referrers }
    }

    /// Reads an objects.jsonl: one definition a line. A bad line is an error in the list, and the next one is read.
    pub(super) fn read_lines(
        &mut self,
        source: Source<'_>,
        bytes: Vec<u8>,
        stop: &Stop,
        errors: &mut Vec<Error>,
    ) -> Container {
        let mut decoder = self.begin(source, None);
        let mut last = None;
        let (bytes, base) = self.store.take_file(bytes);
        let ascii = bytes.is_ascii();
        let mut progress = Lines::of(bytes.len(), stop);
        for line in json::lines(&bytes) {
            if !progress.next(line.start) {
                break;
            }
            let read = self
                .read_line(line, ascii, base, &mut decoder)
                .map_err(|error| error.at_line(line.number).at_file(source.file));
            match read {
                Ok(object) => last = object.or(last),
                Err(error) => errors.push(error),
            }
        }
        self.end(decoder, Value::Null, last)
    }

    fn read_line(
        &mut self,
        line: json::Line<'_>,
        ascii: bool,
        base: usize,
        decoder: &mut Decoder<'_>,
    ) -> Result<Option<ObjectIx>> {
        if !ascii && std::str::from_utf8(line.bytes).is_err() {
            return Err(Error::format("the line is not UTF-8"));
        }
        let mut reader = Reader::new(line.bytes);
        let number = u32::try_from(line.number).unwrap_or(u32::MAX);
        let parts = Parts::read(&mut reader, base + line.start, &mut self.store, decoder)?;
        reader.end()?;
        self.add_object(&parts, number, decoder)
    }

    /// Reads a file that is one value: `{"objects": […], "data": …}`, or a bare list of definitions.
    pub(super) fn read_whole(
        &mut self,
        source: Source<'_>,
        bytes: Vec<u8>,
        known: Option<&HashMap<i64, ObjectIx>>,
        errors: &mut Vec<Error>,
    ) -> Container {
        let mut decoder = self.begin(source, known);
        let mut found = (Value::Null, None);
        let (bytes, base) = self.store.take_file(bytes);
        let read = self.read_value(&bytes, base, &mut decoder, &mut found, errors);
        errors.extend(read.err().map(|error| error.at_file(source.file)));
        self.end(decoder, found.0, found.1)
    }

    fn read_value(
        &mut self,
        bytes: &[u8],
        base: usize,
        decoder: &mut Decoder<'_>,
        (data, last): &mut (Value, Option<ObjectIx>),
        errors: &mut Vec<Error>,
    ) -> Result<()> {
        std::str::from_utf8(bytes).map_err(|_| Error::format("the file is not UTF-8"))?;
        if bytes.is_empty() {
            return Err(Error::format("the file is empty").hint("its object could not be written"));
        }
        let mut reader = Reader::new(bytes);
        if reader.peek()? == Kind::List {
            *last = self.read_objects(&mut reader, base, decoder, errors)?.or(*last);
        } else {
            reader.entries(|reader, key| {
                match key.raw {
                    b"objects" => *last = self.read_objects(reader, base, decoder, errors)?.or(*last),
                    b"data" => *data = read(reader, base, &mut self.store, decoder)?,
                    _ => reader.skip()?,
                }
                Ok::<(), Error>(())
            })?;
        }
        Ok(reader.end()?)
    }

    fn read_objects(
        &mut self,
        reader: &mut Reader<'_>,
        base: usize,
        decoder: &mut Decoder<'_>,
        errors: &mut Vec<Error>,
    ) -> Result<Option<ObjectIx>> {
        let mut last = None;
        reader.items(|reader| {
            let parts = Parts::read(reader, base, &mut self.store, decoder)?;
            match self.add_object(&parts, 0, decoder) {
                Ok(object) => last = object.or(last),
                Err(error) => errors.push(error.at_file(&self.files[decoder.container as usize])),
            }
            Ok::<(), Error>(())
        })?;
        Ok(last)
    }

    /// Resolves what was named before it was defined, and cuts references that would go round in a circle.
    fn end(&mut self, decoder: Decoder<'_>, data: Value, last: Option<ObjectIx>) -> Container {
        progress::objects(decoder.ids.len());
        let (number, ids, referrers) = (decoder.container, decoder.ids, decoder.referrers);
        let mut forward = false;
        for unresolved in &mut self.store.unresolved {
            if unresolved.container == number && unresolved.object.is_none() {
                unresolved.object = ids.get(&unresolved.id).copied();
                forward |= unresolved.object.is_some();
            }
        }
        if forward {
            cycles::cut(self);
        }
        Container { number, ids, data, last, referrers }
    }
}
