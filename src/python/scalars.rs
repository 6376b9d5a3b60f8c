//! Values that Python has no type of its own for: members of enums, and references to missing objects.

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::{Error, ErrorKind, printable};
use crate::values::{EnumMember, Store};

/// A member of an enum, equal to its name. The class of the enum is not imported.
#[pyclass(frozen, module = "xpframe")]
pub struct EnumValue {
    module: String,
    class: String,
    name: String,
}

impl EnumValue {
    pub(super) fn new(store: &Store, member: EnumMember) -> Self {
        let name = |symbol| store.symbol(symbol).into_owned();
        Self { module: name(member.module), class: name(member.class), name: name(member.name) }
    }
}

#[pymethods]
impl EnumValue {
    #[new]
    fn py_new(module: String, r#enum: String, name: String) -> Self {
        Self { module, class: r#enum, name }
    }

    /// The name of the member.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// The qualified name of its class.
    #[getter]
    fn r#enum(&self) -> &str {
        &self.class
    }

    /// The module of its class.
    #[getter]
    fn module(&self) -> &str {
        &self.module
    }

    fn __str__(&self) -> &str {
        &self.name
    }

    fn __repr__(&self) -> String {
        format!("<{}.{}>", printable(&self.class), printable(&self.name))
    }

    fn __eq__(&self, that: &Bound<'_, PyAny>) -> bool {
        if let Ok(that) = that.cast::<Self>() {
            let that = that.get();
            return (&self.name, &self.class, &self.module) == (&that.name, &that.class, &that.module);
        }
        that.extract::<String>().is_ok_and(|name| name == self.name)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        // equal objects need equal hashes
        PyString::new(py, &self.name).hash()
    }

    fn __getnewargs__(&self) -> (&str, &str, &str) {
        (&self.module, &self.class, &self.name)
    }
}

/// A dangling reference: no file contains the object. Access to an attribute raises `UnresolvedError`.
#[pyclass(frozen, module = "xpframe")]
pub struct Unresolved {
    id: i64,
    cyclic: bool,
}

impl Unresolved {
    pub(super) fn new(id: i64, cyclic: bool) -> Self {
        Self { id, cyclic }
    }

    fn reason(&self) -> String {
        if self.cyclic {
            format!("object {} refers back to itself", self.id)
        } else {
            format!("object {} is referred to but no file holds it", self.id)
        }
    }
}

#[pymethods]
impl Unresolved {
    #[new]
    fn py_new(id: i64, cyclic: bool) -> Self {
        Self::new(id, cyclic)
    }

    fn __getnewargs__(&self) -> (i64, bool) {
        (self.id, self.cyclic)
    }

    fn __getattr__(&self, name: &str) -> PyResult<()> {
        if name.starts_with("__") || name.starts_with("_repr_") || name.starts_with("_ipython_") {
            return Err(PyAttributeError::new_err(name.to_owned()));
        }
        Err(Error::new(ErrorKind::Unresolved, self.reason())
            .at_field(name)
            .hint("it was lost when the experiment was written")
            .into())
    }

    fn __repr__(&self) -> String {
        format!("<unresolved: {}>", printable(&self.reason()))
    }

    fn __eq__(&self, that: &Bound<'_, PyAny>) -> bool {
        that.cast::<Self>().is_ok_and(|that| that.get().id == self.id)
    }

    fn __hash__(&self) -> i64 {
        self.id
    }
}
