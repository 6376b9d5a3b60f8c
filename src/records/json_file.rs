//! Small files of JSON.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::file;
use crate::json;

/// The value that the JSON file holds; nothing when it is missing, nothing and an error when it is wrong.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path, errors: &mut Vec<Error>) -> Option<T> {
    let parsed = file::read_small(path).and_then(|bytes| match bytes {
        Some(bytes) if bytes.trim_ascii().is_empty() => Err(Error::format("is empty")),
        Some(bytes) => json::from_slice(&bytes).map(Some),
        None => Ok(None),
    });
    parsed.unwrap_or_else(|error| {
        errors.push(error.at_file(path));
        None
    })
}
