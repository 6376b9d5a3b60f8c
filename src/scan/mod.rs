//! The conductor: runs and what was asked of them become batches.
//!
//! A [`TableRequest`] says what is wanted. Its [`ScanPlan`] knows the columns, decided on all jobs of all runs, and builds any of
//! them for any of the jobs; [`Batches`] does so run after run, ahead of whoever takes them. Only the files are opened that
//! the asked columns need: tags need jobs.jsonl, parameters the run's objects, states the directories of the jobs.

mod batches;
mod plan;
mod request;
mod table;

pub use batches::{Batches, NextBatch, RowChoice};
pub use plan::{RunBatch, ScanPlan};
pub use request::TableRequest;
pub use table::Table;
