//! Copies and checks the schema in an Arrow capsule before anything interprets it. The only file of this crate with `unsafe`.
//!
//! pyo3-arrow 0.20.0 (`PySchema::from_arrow_pycapsule`) and arrow-schema 59.3.2 (`Schema::try_from`) interpret the struct as it
//! is: a released schema is read after it was freed (a capsule that another library consumed), nested types recurse without a
//! limit (a stack overflow at some 20,000 levels), and a missing format, child or valid UTF-8 panics. pyarrow raises a
//! `ValueError` for each; so does this file.

#![allow(unsafe_code, reason = "a capsule contains a C pointer")]

use std::ffi::{CStr, c_char};

use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use arrow_schema::ffi::{FFI_ArrowSchema, Flags};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::error::{Error, ErrorKind, Result};

/// The levels of a type. A column of xpframe has at most two for each of the 62 levels of nesting in lists.
const MAX_DEPTH: usize = 256;

/// The types of a schema, those inside others included. Children that are shared, or contain themselves, have no other limit.
const MAX_TYPES: usize = 1 << 20;

/// The columns that a capsule asks for, without their metadata. Columns with a type that arrow does not know are left out.
///
/// # Errors
/// `InvalidArgument`, if the capsule contains no schema, one that was released, or one that is nested too deeply.
pub(super) fn requested_schema(capsule: &Bound<'_, PyCapsule>) -> Result<Schema> {
    let pointer = capsule
        .pointer_checked(Some(c"arrow_schema"))
        .map_err(|_| invalid("the capsule contains no Arrow schema"))?
        .cast::<FFI_ArrowSchema>();
    if !pointer.is_aligned() {
        return Err(invalid("the capsule contains no Arrow schema"));
    }
    // SAFETY: By its name, the capsule contains an `ArrowSchema`, which lives as long as the capsule: its destructor frees it.
    // `capsule` keeps it alive, nothing of the reference outlives this function, and this thread holds the interpreter's lock
    // throughout, so no Python code releases the schema meanwhile. A library that releases it without that lock races with
    // every reader of the capsule, as pyarrow's own readers do.
    let source = unsafe { pointer.as_ref() };
    let schema = copied(source, 0, &mut 0)?;
    if schema.format() != "+s" {
        return Err(invalid("the requested schema describes no table, but a single type"));
    }
    let fields = schema.children().filter_map(|child| Field::try_from(child).ok());
    Ok(Schema::new(fields.collect::<Vec<_>>()))
}

/// A copy that owns all it points to: no reader of it can touch the memory of the producer.
fn copied(source: &FFI_ArrowSchema, depth: usize, types: &mut usize) -> Result<FFI_ArrowSchema> {
    if source.release.is_none() {
        return Err(invalid(
            "the requested schema was released before: another library consumed its capsule",
        )
        .hint("make a new capsule for each call"));
    }
    *types += 1;
    if depth > MAX_DEPTH {
        return Err(invalid(format!("the requested schema is nested more than {MAX_DEPTH} levels deep")));
    }
    if *types > MAX_TYPES {
        return Err(invalid(format!("the requested schema has more than {MAX_TYPES} types")));
    }
    let format =
        text(source, source.format, "format")?.ok_or_else(|| malformed("a type without a format"))?;
    let name = text(source, source.name, "name")?.unwrap_or_default();
    let children = children(source)?;
    if children.len() < required_children(format) {
        return Err(malformed("a nested type without its child"));
    }
    let children: Result<Vec<_>> =
        children.into_iter().map(|child| copied(child, depth + 1, types)).collect();
    let dictionary = source.dictionary().map(|values| copied(values, depth + 1, types)).transpose()?;
    FFI_ArrowSchema::try_new(format, children?, dictionary)
        .and_then(|schema| schema.with_name(name))
        .and_then(|schema| schema.with_flags(Flags::from_bits_truncate(source.flags)))
        .map_err(|error: ArrowError| malformed(&error.to_string()))
}

/// The types inside a type.
fn children(source: &FFI_ArrowSchema) -> Result<Vec<&FFI_ArrowSchema>> {
    let count = usize::try_from(source.n_children).map_err(|_| malformed("a negative number of children"))?;
    if count > MAX_TYPES {
        return Err(invalid(format!("the requested schema has more than {MAX_TYPES} types")));
    }
    if count > 0 && source.children.is_null() {
        return Err(malformed("children that are missing"));
    }
    let child = |index: usize| {
        // SAFETY: `source` was not released, so `children` points to `n_children` pointers, of which `index` is one; each is
        // null or points to a schema that lives as long as `source`.
        unsafe { (*source.children.add(index)).as_ref() }
    };
    (0..count).map(|index| child(index).ok_or_else(|| malformed("a child that is missing"))).collect()
}

/// The format or name of a schema that was not released; None where the pointer is null.
fn text<'s>(_: &'s FFI_ArrowSchema, pointer: *const c_char, what: &str) -> Result<Option<&'s str>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: The texts of a schema that was not released end with a zero byte, and live as long as the schema, which the
    // caller borrows for as long as it uses the text.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map(Some).map_err(|_| malformed(&format!("a {what} that is not UTF-8")))
}

/// How many children arrow takes for granted.
fn required_children(format: &str) -> usize {
    match format {
        "+l" | "+L" | "+vl" | "+vL" | "+m" => 1,
        "+r" => 2,
        _ => usize::from(format.starts_with("+w:")),
    }
}

fn invalid(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, reason)
}

fn malformed(what: &str) -> Error {
    invalid(format!("the requested schema is malformed: it has {what}"))
}
