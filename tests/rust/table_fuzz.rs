//! The fuzz targets of logs and requested schemas, without a fuzzer: seeds, and a few thousand mutations of them.

use super::damage::{effort, mutate};
use super::table_targets::{logs, schemas};

/// Logs of any bytes have a printable reason.
#[test]
fn logs_of_any_bytes_are_explained() {
    let traceback = "Traceback (most recent call last):\n  File \"/lab/learn.py\", line 3, in execute\n    1 / 0\n\
                     ZeroDivisionError: division by zero\n\nThe above exception was the direct cause of the following \
                     exception:\n\nTraceback (most recent call last):\n  File \"/lab/learn.py\", line 5, in execute\n\
                     lab.Error: \u{1b}[31mno\u{1b}[0m\n";
    let rich = "╭─ Traceback ─╮\n│ /lab/learn.py:3 in execute │\n╰─╯\nValueError: 3\n";
    let seeds = [
        traceback.as_bytes().to_vec(),
        rich.as_bytes().to_vec(),
        [traceback.as_bytes(), b"\n=== out\n", rich.as_bytes()].concat(),
        b"Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n  File \"a.py\", line 2 in f\n".to_vec(),
        b"50%|#####     | 5/10\r60%|######    | 6/10\x07\xff\xfe\0".to_vec(),
    ];
    mutate("logs", &seeds, logs, effort(1_500, 100_000));
}

/// A table keeps its values in the layout of any schema.
#[test]
fn any_schema_may_be_requested() {
    let seeds: Vec<Vec<u8>> = (0..14).map(|kind| vec![kind, 12, 0, 1, 8, 2, kind, 3]).collect();
    mutate("schemas", &seeds, schemas, effort(2_000, 100_000));
}
