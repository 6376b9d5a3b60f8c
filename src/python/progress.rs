//! How far reading is.

use pyo3::prelude::*;

use crate::progress::Progress;

/// What this process has read so far: (files, bytes, objects, bytes of the files that were opened, bytes that were parsed).
#[pyfunction]
pub fn progress_counters() -> (u64, u64, u64, u64, u64) {
    let Progress { files, bytes, objects, expected, done } = Progress::now();
    (files, bytes, objects, expected, done)
}
