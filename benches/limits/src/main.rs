//! What no reader of a run can beat by much: taking its bytes, and parsing them with sonic-rs into typed structs.
//!
//! `limits SHAPE RUN_DIRECTORY CALLS`: one thread, both files; prints seconds, a number a call, as JSON.
//!
//! - `read`: both files into fresh memory;
//! - `map`: both files mapped anew, one byte of each cache line looked at;
//! - `lines`: memchr finds the line ends in memory, as all that follows;
//! - `lazy`: sonic-rs parses the head of each object and skips over its fields;
//! - `typed`: sonic-rs parses every field of every object into the struct of its class, and every line of
//!   `jobs.jsonl` with its tags; what was parsed is dropped: no reference is resolved, no column built;
//! - `typed_mapped`: the same, of files mapped anew, page faults included.

mod line;
mod shapes;
mod values;

use std::fs::File;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use line::{Heads, Jobs, Kind};
use memmap2::Mmap;
use shapes::{grid, rich, wide};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [shape, run, calls] = arguments.as_slice() else { panic!("usage: limits SHAPE RUN_DIRECTORY CALLS") };
    let calls = calls.parse().expect("CALLS is a number");
    match shape.as_str() {
        "grid" => measure::<grid::Shape>(run.as_ref(), calls),
        "rich" => measure::<rich::Shape>(run.as_ref(), calls),
        "wide" => measure::<wide::Shape>(run.as_ref(), calls),
        other => panic!("no shape {other}"),
    }
}

fn measure<F: Kind>(run: &Path, calls: usize) {
    let files = ["objects.jsonl", "jobs.jsonl"].map(|name| run.join(name));
    let (read, bytes) = timed(calls, || files.each_ref().map(|file| std::fs::read(file).expect("a file")));
    let (map, _) = timed(calls, || files.each_ref().map(|file| touched(&mapped(file))));
    let [objects, jobs] = bytes.each_ref().map(Vec::as_slice);
    let (lines, [definitions, rows]) =
        timed(calls, || [objects, jobs].map(|file| memchr::memchr_iter(b'\n', file).count()));
    let (lazy, heads) = timed(calls, || [parsed::<Heads>(objects), parsed::<Jobs>(jobs)]);
    let (typed, full) = timed(calls, || [parsed::<F>(objects), parsed::<Jobs>(jobs)]);
    let (typed_mapped, again) =
        timed(calls, || [parsed::<F>(&mapped(&files[0])), parsed::<Jobs>(&mapped(&files[1]))]);
    let counted = [definitions, rows];
    assert!(rows > 0 && [heads, full, again].iter().all(|found| *found == counted), "each line is parsed");
    println!("{{\"rows\": {rows}, \"objects\": {definitions}, \"bytes\": {},", objects.len() + jobs.len());
    println!("\"read\": {read:?}, \"map\": {map:?}, \"lines\": {lines:?}, \"lazy\": {lazy:?},");
    println!("\"typed\": {typed:?}, \"typed_mapped\": {typed_mapped:?}}}");
}

fn mapped(file: &Path) -> Mmap {
    let file = File::open(file).expect("a file");
    // SAFETY: these files are made by the benchmarks and are not written while they are measured
    unsafe { Mmap::map(&file) }.expect("a file that can be mapped")
}

fn touched(bytes: &[u8]) -> usize {
    bytes.iter().step_by(64).filter(|byte| **byte == b'"').count()
}

/// How many lines were parsed.
fn parsed<K: Kind>(bytes: &[u8]) -> usize {
    let mut count = 0;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        black_box(sonic_rs::from_slice::<K::Line<'_>>(&bytes[start..end]).expect("a line"));
        (start, count) = (end + 1, count + 1);
    }
    count
}

fn timed<T>(calls: usize, work: impl Fn() -> T) -> (Vec<f64>, T) {
    let call = || {
        let start = Instant::now();
        let made = black_box(work());
        (start.elapsed().as_secs_f64(), made)
    };
    let (first, mut last) = call();
    let mut seconds = vec![first];
    for _ in 1..calls {
        let (next, made) = call();
        seconds.push(next);
        last = made;
    }
    (seconds, last)
}
