//! xpframe reads experimaestro workspaces into tables: one row a job, one column a tag or parameter.
//!
//! A module imports only modules above it in this table:
//!
//! | module | purpose |
//! |---|---|
//! | [`error`] | what went wrong, where, and what to do |
//! | [`progress`] | how far reading came, and whether it was cancelled |
//! | [`threads`] | splits work over threads |
//! | [`file`] | reads regular files, whole or some lines at a time |
//! | [`workspace`] | names on disk: experiments, runs, jobs |
//! | [`json`] | the JSON that Python writes |
//! | [`values`] | the values of fields and tags, stored compactly |
//! | [`records`] | the small files: jobs, states, times, actions |
//! | [`objects`] | the graph of configs |
//! | [`loaded`] | a run and what was read of it |
//! | [`failures`] | explains why jobs failed: exceptions, causes, fingerprints |
//! | [`check`] | finds what is wrong with a workspace |
//! | [`columns`] | names, types and selection of columns |
//! | [`results`] | files that jobs wrote: one record a job, or rows |
//! | [`table`] | columns as Arrow arrays |
//! | [`lineage`] | the jobs that a job comes from, over runs and experiments |
//! | [`scan`] | reads the runs of a request into batches |
//! | `python` | the Python module, the only one that uses pyo3 |

pub mod check;
pub mod columns;
pub mod error;
pub mod failures;
pub mod file;
pub mod json;
pub mod lineage;
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
