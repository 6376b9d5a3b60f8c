//! xpframe reads experimaestro workspaces: ask for an experiment, get a table.
//!
//! Data flows one way. A module imports only what stands above it here:
//!
//! | module | what it knows |
//! |---|---|
//! | [`error`] | what went wrong, where, and what to do |
//! | [`progress`] | how far reading is, and whether it shall stop |
//! | [`threads`] | work that several threads share |
//! | [`file`] | reading a regular file, whole or some lines at a time |
//! | [`workspace`] | names on disk: experiments, runs, jobs |
//! | [`json`] | the JSON that Python writes |
//! | [`values`] | what fields and tags hold, stored compactly |
//! | [`records`] | the small files: jobs, states, times, actions |
//! | [`objects`] | the graph of configs |
//! | [`loaded`] | a run and what was read of it |
//! | [`check`] | what is wrong with a workspace |
//! | [`columns`] | which columns there are: names, types, selection |
//! | [`results`] | files that jobs wrote: one record a job, or rows |
//! | [`table`] | columns as Arrow arrays |
//! | [`scan`] | the conductor: runs and a request become batches |
//! | `python` | the Python module, the only place that knows pyo3 |

pub mod check;
pub mod columns;
pub mod error;
pub mod file;
pub mod json;
pub mod loaded;
pub mod objects;
pub mod progress;
#[cfg(feature = "python")]
mod python;
pub mod records;
pub mod results;
pub mod scan;
pub mod table;
pub mod threads;
pub mod values;
pub mod workspace;
