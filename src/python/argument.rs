//! Texts and paths as Python gives them. What they cannot be is an `InvalidArgumentError`, not an error of a codec.

use std::ops::Deref;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::{Error, ErrorKind};

/// A name: text without unpaired surrogates.
pub(super) struct Name(String);

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl FromPyObject<'_, '_> for Name {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr = <&str as FromPyObject<'_, '_>>::INPUT_TYPE;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let Ok(text) = object.cast::<PyString>() else {
            return Err(invalid(object, "is not a text", "give a str"));
        };
        match text.to_cow() {
            Ok(text) => Ok(Self(text.into_owned())),
            Err(_) => Err(invalid(object, "has an unpaired surrogate", "no name is written like this")),
        }
    }
}

/// A path that the system can look for.
pub(super) struct PathArgument(pub PathBuf);

impl FromPyObject<'_, '_> for PathArgument {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr = <PathBuf as FromPyObject<'_, '_>>::INPUT_TYPE;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let path = object.extract::<PathBuf>();
        path.map(Self).map_err(|_| invalid(object, "is not a path", "give a str or a pathlib.Path"))
    }
}

fn invalid(object: Borrowed<'_, '_, PyAny>, what: &str, hint: &str) -> PyErr {
    let shown = object.repr().map(|text| text.to_string_lossy().into_owned()).unwrap_or_default();
    Error::new(ErrorKind::InvalidArgument, format!("{shown} {what}")).hint(hint).into()
}
