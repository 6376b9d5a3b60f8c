//! Small files, read whole, with a bound and without ever waiting on a pipe.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::json;

/// The largest file that is read whole, in bytes.
pub const LARGEST: u64 = 256 << 20;

/// The bytes of a regular file of at most [`LARGEST`] bytes; nothing when there is no such file.
///
/// # Errors
/// `Format`: not a regular file, or too large; `Io`: the system refuses.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match read_regular(path) {
        Ok(Ok(bytes)) => Ok(Some(bytes)),
        Ok(Err(reason)) => Err(Error::format(reason).at_file(path)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Error::io(path, &error)),
    }
}

/// The bytes, or why the file is not one to read.
fn read_regular(path: &Path) -> io::Result<std::result::Result<Vec<u8>, String>> {
    let too_large = || format!("is larger than the {} MiB that such a file may have", LARGEST >> 20);
    // looked at before it is opened: opening a pipe would wait for a writer
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Ok(Err("is not a regular file".to_owned()));
    }
    if found.len() > LARGEST {
        return Ok(Err(too_large()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or_default());
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(if bytes.len() as u64 > LARGEST { Err(too_large()) } else { Ok(bytes) })
}

/// The value that the JSON file holds; nothing when it is missing, nothing and an error when it is wrong.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path, errors: &mut Vec<Error>) -> Option<T> {
    let parsed = read(path).and_then(|bytes| match bytes {
        Some(bytes) if bytes.trim_ascii().is_empty() => Err(Error::format("is empty")),
        Some(bytes) => json::from_slice(&bytes).map(Some),
        None => Ok(None),
    });
    parsed.unwrap_or_else(|error| {
        errors.push(error.at_file(path));
        None
    })
}
