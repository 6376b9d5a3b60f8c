//! Columns, objects and records become Arrow arrays.
//!
//! An array is built once per distinct config and repeated by index for the jobs that share the config. A column of a shared
//! config therefore costs its distinct values plus one index a job. No Python object and no JSON text is made in between.

mod arrays;
mod batch;
mod codes;
mod column;
mod enums;
mod layout;
mod levels;
mod producers;
mod rows;
mod schema;
mod short;
mod system;
mod texts;
mod times;

pub use batch::{Built, build, build_configs, build_records};
pub use layout::{for_pandas, for_pyarrow, in_layout_of};
pub(crate) use levels::objects_at;
pub use rows::{Rows, RunResults};
pub use schema::{StringLayout, data_type, field, schema};
pub use short::shorten;
pub(crate) use texts::strings;
pub use times::TimeSources;
