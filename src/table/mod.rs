//! Columns, objects and records become Arrow arrays.
//!
//! Values are built once per distinct config and repeated by index for the jobs that share it, so a column of a shared config
//! costs what its distinct values cost plus one index a job. No Python object and no JSON text is made on the way.

mod arrays;
mod batch;
mod codes;
mod column;
mod layout;
mod levels;
mod rows;
mod schema;
mod short;
mod system;
mod texts;

pub use batch::{Built, build};
pub use layout::{for_pandas, for_pyarrow, in_layout_of};
pub use rows::Rows;
pub use schema::{Texts, data_type, schema};
pub use short::shorten;
