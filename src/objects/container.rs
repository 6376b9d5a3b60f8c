//! The files that hold object definitions.

use std::path::Path;

use super::cycles;
use super::decode::{Decoder, NOBODY, Relocation};
use super::definition::Parts;
use super::graph::Graph;
use super::ids::Ids;
use crate::error::{Error, Result};
use crate::file::Bookmark;
use crate::json::{JsonType, Reader, without_bom};
use crate::progress;
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
    pub ids: Ids,
    /// What stands under `"data"`
    pub data: Value,
    /// The last object: the job itself, in a params.json
    pub last: Option<ObjectIx>,
    /// The first object of this container that refers to each object of the graph so far, or `NOBODY`
    pub referrers: Vec<u32>,
    /// How far the file was read, if to its end and by lines
    pub bookmark: Option<Bookmark>,
}

impl Graph {
    pub(super) fn begin<'s>(&mut self, source: Source<'s>, known: Option<&'s Ids>) -> Decoder<'s> {
        self.files.push(source.file.to_path_buf());
        let Source { relocation, job_dir, data_dir, .. } = source;
        let container = index(self.files.len() - 1);
        let referrers = vec![NOBODY; self.objects.len()];
        let (ids, foreign, repeated) = (Ids::default(), None, false);
        Decoder { ids, known, container, relocation, job_dir, data_dir, referrers, foreign, repeated }
    }

    /// Reads a file that is one value: `{"objects": […], "data": …}`, or a bare list of definitions.
    pub(super) fn read_whole(
        &mut self,
        source: Source<'_>,
        bytes: &[u8],
        known: Option<&Ids>,
        errors: &mut Vec<Error>,
    ) -> Container {
        let mut decoder = self.begin(source, known);
        let mut found = (Value::Null, None);
        let read = self.read_value(bytes, &mut decoder, &mut found, errors);
        errors.extend(read.err().map(|error| error.at_file(source.file)));
        self.end(decoder, found.0, found.1)
    }

    fn read_value(
        &mut self,
        bytes: &[u8],
        decoder: &mut Decoder<'_>,
        (data, last): &mut (Value, Option<ObjectIx>),
        errors: &mut Vec<Error>,
    ) -> Result<()> {
        std::str::from_utf8(bytes).map_err(|_| Error::format("the file is not UTF-8"))?;
        if bytes.is_empty() {
            return Err(Error::format("the file is empty").hint("its object could not be written"));
        }
        let mut reader = Reader::new(without_bom(bytes));
        if reader.peek()? == JsonType::List {
            *last = self.read_objects(&mut reader, decoder, errors)?.or(*last);
        } else {
            reader.entries(|reader, key| {
                match key.raw {
                    b"objects" => *last = self.read_objects(reader, decoder, errors)?.or(*last),
                    b"data" => *data = read(reader, &mut self.store, decoder)?,
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
        decoder: &mut Decoder<'_>,
        errors: &mut Vec<Error>,
    ) -> Result<Option<ObjectIx>> {
        let mut last = None;
        reader.items(|reader| {
            let parts = Parts::read(reader, &mut self.store, decoder)?;
            match self.add_object(&parts, 0, decoder) {
                Ok(object) => last = object.or(last),
                Err(error) => errors.push(error.at_file(&self.files[decoder.container as usize])),
            }
            Ok::<(), Error>(())
        })?;
        Ok(last)
    }

    /// Resolves what was named before it was defined, and cuts references that would go round in a circle.
    pub(super) fn end(&mut self, decoder: Decoder<'_>, data: Value, last: Option<ObjectIx>) -> Container {
        progress::objects(decoder.ids.len());
        let (number, ids, referrers) = (decoder.container, decoder.ids, decoder.referrers);
        let mut forward = false;
        for unresolved in &mut self.store.unresolved {
            if unresolved.container == number && unresolved.object.is_none() {
                unresolved.object = ids.get(unresolved.id);
                forward |= unresolved.object.is_some();
            }
        }
        if forward {
            cycles::cut(self);
        }
        Container { number, ids, data, last, referrers, bookmark: None }
    }
}
