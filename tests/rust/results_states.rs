//! What becomes of files that are missing, elsewhere, many, or no files; and of hostile ones.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::symlink;

use xpframe::progress::CancelToken;
use xpframe::results::{
    Format, PathGlob, ResultJob, ResultOptions, SeriesOptions, Target, read_scalars, read_series,
};

use super::results_support::JobDirectory;

/// No file of that name, and a link that leads nowhere.
#[test]
fn missing() {
    let directory = JobDirectory::new();
    symlink("nowhere", directory.path().join("a.json")).unwrap();
    for handle in ["a.json", "b.json", "b.json/c", "*.csv", "runs/**/events.*"] {
        assert_eq!(directory.result(handle), "missing", "{handle}");
        assert!(directory.errors(handle).is_empty());
    }
}

/// No record: no bytes, blanks, a header. What an object without keys holds is read.
#[test]
fn empty() {
    for (name, content) in [
        ("a.json", ""),
        ("a.json", " \n"),
        ("a.json", "[]"),
        ("a.jsonl", "\n\n"),
        ("a.csv", ""),
        ("a.csv", "\u{feff}"),
        ("a.csv", "a,b\n"),
        ("a.csv", "a,b"),
        ("a.csv", "# only this\n"),
        ("a.txt", ""),
        ("a.txt", "\n"),
        ("events.out.tfevents.1.h", ""),
    ] {
        assert_eq!(JobDirectory::with(name, content).result(name), "empty", "{name} {content:?}");
    }
    assert_eq!(JobDirectory::with("a.json", "{}").result("a.json"), "read");
}

/// A path that does not lie in the job's own directory is not this job's result, however it is written.
#[test]
fn elsewhere() {
    let directory = JobDirectory::with("own.json", "{\"a\": 1}");
    let other = directory.path().parent().unwrap().join("b");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("a.json"), "{\"a\": 2}").unwrap();
    for handle in [other.join("a.json").to_str().unwrap(), "../b/a.json", "x/../../b/a.json", "..", "."] {
        assert_eq!(directory.result(handle), "elsewhere", "{handle}");
        assert!(directory.series(handle).is_empty());
    }
    let own = directory.path().join("own.json");
    assert_eq!(directory.result(own.to_str().unwrap()), "read a=1");
    assert_eq!(directory.result("x/../own.json"), "read a=1");
}

/// A link of a file is followed, wherever it leads.
#[test]
fn links_are_followed() {
    let directory = JobDirectory::new();
    fs::write(directory.path().join("../shared.json"), "{\"a\": 2}").unwrap();
    symlink("../shared.json", directory.path().join("a.json")).unwrap();
    assert_eq!(directory.result("a.json"), "read a=2");
}

/// Directories without event files, pipes, and links that lead to themselves are not read.
#[test]
fn no_files() {
    let directory = JobDirectory::with("checkpoints/last.bin", "x");
    let path = directory.path();
    symlink("loop.json", path.join("loop.json")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(path.join("pipe.csv")).status().unwrap();
    assert!(made.success());
    symlink("/dev/zero", path.join("zero.json")).unwrap();
    let expected = [
        ("checkpoints", "checkpoints, job a: is a directory without event files of TensorBoard"),
        ("loop.json", "loop.json, job a: cannot be read: "),
        ("pipe.csv", "pipe.csv, job a: is not a regular file"),
        ("zero.json", "zero.json, job a: is not a regular file"),
    ];
    for (handle, error) in expected {
        assert_eq!(directory.result(handle), "unreadable", "{handle}");
        assert!(directory.errors(handle)[0].starts_with(error), "{:?}", directory.errors(handle));
        assert!(directory.series(handle).is_empty());
    }
}

/// Several files that fit a pattern are no result, but all of their rows are series.
#[test]
fn several() {
    let directory = JobDirectory::with("out/a/info.json", "{\"n\": 1}");
    assert_eq!(directory.result("out/*/info.json"), "read n=1");
    directory.write("out/b/info.json", "{\"n\": 2}");
    directory.write("out/.hidden/info.json", "{\"n\": 3}");
    assert_eq!(directory.result("out/*/info.json"), "several");
    assert_eq!(directory.series("out/*/info.json"), ["out/a/info.json n=1", "out/b/info.json n=2"]);
    let errors = directory.errors("out/*/info.json");
    assert!(errors[0].contains("2 files fit the pattern: out/a/info.json, out/b/info.json"), "{errors:?}");
}

/// A pattern never leads out of the job's directory, and says so.
#[test]
fn patterns_stay_inside() {
    for pattern in ["../*/a.json", "/etc/*", "a/../../b", "", "./"] {
        let error = PathGlob::parse(pattern).unwrap_err().to_string();
        assert!(error.contains("begins in the job's directory"), "{error}");
    }
    let directory = JobDirectory::with("x/y/z/a.json", "{\"a\": 1}");
    symlink("..", directory.path().join("x/up")).unwrap();
    for pattern in ["**/a.json", "x/**/a.json", "x/y/z/**/a.json", "**/**/z/a.*"] {
        assert_eq!(directory.result(pattern), "read a=1", "{pattern}");
    }
}

/// A handle that this kind of job does not have.
#[test]
fn none() {
    let directory = JobDirectory::new();
    let job = ResultJob { job_id: "a".into(), directory: directory.path(), target: Target::None };
    let scalars = read_scalars(&[job], &ResultOptions::default(), 1, &CancelToken::default());
    assert_eq!(scalars.jobs[0].state.name(), "none");
    assert!(scalars.jobs[0].record.is_none() && scalars.errors.is_empty());
}

/// A record of more than 32 MiB is refused in every text format; what stands before it is not lost in silence.
#[test]
fn long_records_are_refused() {
    let long = "x".repeat(33 << 20);
    for (name, content) in [
        ("a.json", format!("{{\"a\": \"{long}\"}}")),
        ("a.jsonl", format!("{{\"a\": 1}}\n{{\"a\": \"{long}\"}}\n")),
        ("a.csv", format!("a\n1\n\"{long}\n")),
        ("a.csv", format!("a\n1\n{long}\n2\n")),
        ("a.txt", format!("AP all 0.5\nAP {long} 0.5\n")),
    ] {
        let directory = JobDirectory::with(name, content);
        assert_eq!(directory.result(name), "unreadable", "{name}");
        assert!(directory.errors(name)[0].contains("more than 32 MiB"), "{:?}", directory.errors(name));
    }
}

/// A name that is asked for is the format, whatever the file is called.
#[test]
fn formats_by_name() {
    assert_eq!(Format::parse("csv").unwrap(), Format::Csv);
    let error = Format::parse("jsonlines").unwrap_err().to_string();
    assert!(error.contains("no result format 'jsonlines'"), "{error}");
    let options = ResultOptions { format: Some(Format::JsonLines), ..ResultOptions::default() };
    let directory = JobDirectory::with("metrics", "{\"a\": 1}\n{\"a\": 2}\n");
    assert_eq!(directory.result_with("metrics", &options), "read a=2");
}

/// Many jobs are read by several threads into one store, in their order.
#[test]
fn many_jobs() {
    let directories: Vec<JobDirectory> = (0..300)
        .map(|n| JobDirectory::with("m.json", format!("{{\"n\": {n}, \"k{}\": \"v{n}\"}}", n % 7)))
        .collect();
    let jobs: Vec<ResultJob> = directories.iter().map(|directory| directory.job("m.json")).collect();
    let scalars = read_scalars(&jobs, &ResultOptions::default(), 4, &CancelToken::default());
    assert_eq!(scalars.jobs.len(), 300);
    for (n, job) in scalars.jobs.iter().enumerate() {
        let entries: Vec<_> = scalars.store.entries(job.record.unwrap()).collect();
        assert_eq!(entries[0].1, xpframe::values::Value::Int(i64::try_from(n).unwrap()));
        assert_eq!(scalars.store.symbol(entries[1].0), format!("k{}", n % 7));
        let xpframe::values::Value::Str(text) = entries[1].1 else { panic!("no text") };
        assert_eq!(scalars.store.text(text).0, format!("v{n}"));
    }
}

/// A limit stops the reading, a cancellation ends it soon.
#[test]
fn reading_stops() {
    let content: String = (0..100_000).map(|n| ["{\"n\": ", &n.to_string(), "}\n"].concat()).collect();
    let directory = JobDirectory::with("a.jsonl", content);
    let (mut batches, mut rows) = (0, 0);
    let job = directory.job("a.jsonl");
    read_series(&job, &SeriesOptions::default(), &CancelToken::default(), &mut |batch| {
        batches += 1;
        rows += batch.rows.len();
        ControlFlow::Break(())
    });
    assert_eq!(batches, 1);
    assert!(rows < 20_000, "{rows}");
    let cancel = CancelToken::default();
    cancel.cancel();
    let scalars = read_scalars(&vec![job; 1000], &ResultOptions::default(), 2, &cancel);
    assert!(scalars.jobs.is_empty());
}
