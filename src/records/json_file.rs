//! Small files of JSON.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::file;
use crate::json;

/// The value that the JSON file holds; nothing when it is missing, nothing and an error when it is wrong.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path, errors: &mut Vec<Error>) -> Option<T> {
    read_json_with(path, errors, |bytes| json::from_slice(&bytes))
}

/// The same, with another parser.
pub(super) fn read_json_with<T>(
    path: &Path,
    errors: &mut Vec<Error>,
    parse: impl FnOnce(Vec<u8>) -> Result<T>,
) -> Option<T> {
    let parsed = file::read_small(path).and_then(|bytes| match bytes {
        Some(bytes) if bytes.trim_ascii().is_empty() => Err(Error::format("is empty")),
        Some(bytes) => parse(bytes).map(Some),
        None => Ok(None),
    });
    parsed.unwrap_or_else(|error| {
        errors.push(error.at_file(path));
        None
    })
}
