//! The Python module `xpframe._core`: frozen handles on data of the engine. The only module that uses pyo3.

#![allow(clippy::needless_pass_by_value, reason = "pyo3 hands arguments over by value")]
#![allow(clippy::unused_self, reason = "a special method has the receiver that Python gives it")]
#![allow(clippy::doc_markdown, reason = "these texts are Python's docstrings, where backticks mean nothing")]

mod argument;
mod capsule;
mod check;
mod config;
mod convert;
mod counts;
mod errors;
mod failures;
mod interrupt;
mod lineage;
mod pickle;
mod plain;
mod plan;
mod progress;
mod request;
mod results;
mod run;
mod scalars;
mod series;
mod source;
mod status;
mod table;
mod user_format;
mod workspace;

use pyo3::prelude::*;

/// The native half of xpframe.
#[pymodule]
mod _core {
    #[pymodule_export]
    use super::check::check_workspace;
    #[pymodule_export]
    use super::config::{Config, asdict, fields, identifier, path, tags, typename};
    #[pymodule_export]
    use super::failures::read_failures;
    #[pymodule_export]
    use super::lineage::{producer, upstream};
    #[pymodule_export]
    use super::pickle::{restore_run, restore_table};
    #[pymodule_export]
    use super::plan::{Batches, ScanPlan, plan_scan};
    #[pymodule_export]
    use super::progress::progress_counters;
    #[pymodule_export]
    use super::request::TableRequest;
    #[pymodule_export]
    use super::run::{Run, RunSignature, open_run};
    #[pymodule_export]
    use super::scalars::{EnumValue, Unresolved};
    #[pymodule_export]
    use super::series::{SeriesPlan, SeriesReader, plan_series, read_series};
    #[pymodule_export]
    use super::source::{Source, open_source};
    #[pymodule_export]
    use super::table::{Table, read_table};
    #[pymodule_export]
    use super::workspace::{Workspace, glob_matches, is_workspace, near_misses, read_patterns};

    /// The version of the package.
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "the name that Python has for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// The directory at the root of a copy of a workspace.
    #[pymodule_export]
    const COPY_MARKER: &str = crate::workspace::COPY_MARKER;
}
