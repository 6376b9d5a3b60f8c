//! The files that define objects.

use std::path::Path;

use super::cycles;
use super::decode::{Decoder, NOBODY, Relocation};
use super::definition::Definition;
use super::graph::Graph;
use super::ids::Ids;
use crate::error::{Error, Result};
use crate::file::Bookmark;
use crate::json::{JsonType, Reader, without_bom};
use crate::progress;
use crate::values::{ObjectIx, Value, index, read};

/// A file of object definitions, and the directories of its relative paths.
#[derive(Debug, Clone, Copy)]
pub struct Source<'s> {
    /// The file
    pub file: &'s Path,
    /// The recorded and the current root of the workspace
    pub relocation: &'s Relocation,
    /// The directory of `"base": "job"`, in a params.json
    pub job_dir: Option<&'s str>,
    /// The directory of saved files, in a saved object
    pub data_dir: Option<&'s str>,
}

/// The content of one file.
#[derive(Debug)]
pub(super) struct Container {
    pub number: u32,
    pub ids: Ids,
    /// The value of `"data"`
    pub data: Value,
    /// The last object: the job itself, in a params.json
    pub last: Option<ObjectIx>,
    /// The first object of this container that refers to each object of the graph so far, or [`NOBODY`]
    pub referrers: Vec<u32>,
    /// The end of the file, if it has lines and was read completely
    pub bookmark: Option<Bookmark>,
}

impl Graph {
    /// Adds a container. Objects with `defined` ids are already in the graph.
    pub(super) fn begin<'s>(&mut self, source: Source<'s>, defined: Option<&'s Ids>) -> Decoder<'s> {
        self.files.push(source.file.to_path_buf());
        let Source { relocation, job_dir, data_dir, .. } = source;
        let container = index(self.files.len() - 1);
        let referrers = vec![NOBODY; self.objects.len()];
        let (ids, foreign, repeated) = (Ids::default(), None, false);
        Decoder { ids, defined, container, relocation, job_dir, data_dir, referrers, foreign, repeated }
    }

    /// Reads a file that is one value: `{"objects": […], "data": …}`, or a bare list of definitions.
    pub(super) fn read_whole(
        &mut self,
        source: Source<'_>,
        bytes: &[u8],
        defined: Option<&Ids>,
        errors: &mut Vec<Error>,
    ) -> Container {
        let mut decoder = self.begin(source, defined);
        let mut content = (Value::Null, None);
        let read = self.read_value(bytes, &mut decoder, &mut content, errors);
        errors.extend(read.err().map(|error| error.at_file(source.file)));
        self.end(decoder, content.0, content.1)
    }

    /// Reads the value of a file into `data` and the `last` object, which keep what comes before an error.
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
            let definition = Definition::read(reader, &mut self.store, decoder)?;
            match self.add_object(&definition, 0, decoder) {
                Ok(object) => last = object.or(last),
                Err(error) => errors.push(error.at_file(&self.files[decoder.container as usize])),
            }
            Ok::<(), Error>(())
        })?;
        Ok(last)
    }

    /// Ends a container: resolves references to objects that were defined after them, and cuts cycles.
    pub(super) fn end(&mut self, decoder: Decoder<'_>, data: Value, last: Option<ObjectIx>) -> Container {
        progress::objects(decoder.ids.len());
        let (number, ids, referrers) = (decoder.container, decoder.ids, decoder.referrers);
        let mut has_forward = false;
        for reference in &mut self.store.unresolved {
            if reference.container == number && reference.object.is_none() {
                reference.object = ids.get(reference.id);
                has_forward |= reference.object.is_some();
            }
        }
        if has_forward {
            cycles::cut(self);
        }
        Container { number, ids, data, last, referrers, bookmark: None }
    }
}
