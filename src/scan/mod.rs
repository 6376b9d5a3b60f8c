//! Reads the runs of a request into batches.
//!
//! A [`TableRequest`] says which runs, jobs and columns are wanted. Its [`ScanPlan`] knows the columns, decided on all jobs of all
//! runs, and builds any of them for any jobs. [`Batches`] builds run after run on a few threads, ahead of its consumer. Only the
//! files that the columns need are opened: tags need jobs.jsonl, parameters the run's objects, states the job directories.

mod absent_results;
mod batches;
mod failed_jobs;
mod leaves;
mod names;
mod plan;
mod planned_run;
mod read;
mod repeats;
mod request;
mod results;
mod run_batch;
mod schema_builder;
mod scope;
mod series;
mod series_paths;
mod series_read;
mod series_rows;
mod series_tables;
mod short_names;
mod table;
mod upstream;
mod upstream_arrays;
mod upstream_names;
mod warnings;

pub use batches::{Batches, NextBatch, RowChoice};
pub use failed_jobs::FailureRequest;
pub use plan::ScanPlan;
pub use request::TableRequest;
pub use results::ResultRequest;
pub use run_batch::RunBatch;
pub use scope::Scope;
pub use series::{SeriesPlan, SeriesRequest};
pub use series_paths::SeriesPaths;
pub use series_read::SeriesQuery;
pub use table::Table;
