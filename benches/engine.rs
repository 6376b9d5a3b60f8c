//! The steps from the files of a run to Arrow arrays, each beside what it is worth comparing with.
//!
//! `make bench-engine`, or `cargo bench --features bench -- FILTER`. The run is made here, of 10,000 jobs;
//! `XPFRAME_BENCH_RUN=DIRECTORY` names another.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use xpframe::columns::{Chosen, Selection};
use xpframe::json::{Reader, lines};
use xpframe::loaded::LoadedRun;
use xpframe::progress::CancelToken;
use xpframe::records::Zone;
use xpframe::scan::{ScanPlan, TableRequest};
use xpframe::table::StringLayout;
use xpframe::workspace::Run;

const JOBS: usize = 10_000;
const ALL: &[&str] = &["job_id", "task", "submitted_at", "tags.*", "config.*"];
const TWO: &[&str] = &["config.model.name", "config.seed"];

criterion_group!(benches, json, reading, building);
criterion_main!(benches);

/// The bytes of objects.jsonl as JSON, and what others make of them.
fn json(criterion: &mut Criterion) {
    let run = Sample::take();
    let bytes = fs::read(run.path.join("objects.jsonl")).expect("objects.jsonl");
    let mut group = criterion.benchmark_group("json of objects.jsonl");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("limit: line ends", |bencher| {
        bencher.iter(|| memchr::memchr_iter(b'\n', black_box(&bytes)).count());
    });
    group.bench_function("xpframe: skip each line", |bencher| {
        bencher
            .iter(|| lines(black_box(&bytes)).filter(|line| Reader::new(line.bytes).skip().is_ok()).count());
    });
    group.bench_function("serde_json: skip each line", |bencher| {
        bencher.iter(|| {
            let ignored = |line: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
            lines(black_box(&bytes)).filter(|line| ignored(line.bytes)).count()
        });
    });
    group.bench_function("serde_json: each line as a Value", |bencher| {
        bencher.iter(|| {
            let value = |line: &[u8]| serde_json::from_slice::<serde_json::Value>(line).is_ok();
            lines(black_box(&bytes)).filter(|line| value(line.bytes)).count()
        });
    });
    group.finish();
}

/// From the files to what is kept in memory.
fn reading(criterion: &mut Criterion) {
    let run = Sample::take();
    let mut group = criterion.benchmark_group("a run in memory");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).throughput(Throughput::Bytes(run.size()));
    group.bench_function("limit: read the files", |bencher| bencher.iter(|| black_box(run.read_files())));
    group.bench_function("jobs and tags", |bencher| {
        bencher.iter_with_large_drop(|| {
            let loaded = run.loaded();
            assert!(!loaded.rows().rows.is_empty());
            loaded
        });
    });
    group.bench_function("jobs, tags and configs", |bencher| {
        bencher.iter_with_large_drop(|| {
            let loaded = run.loaded();
            assert!(!loaded.objects().graph.is_empty());
            loaded
        });
    });
    group.finish();
}

/// From what is kept in memory to Arrow arrays, and all the way.
fn building(criterion: &mut Criterion) {
    let run = Sample::take();
    let mut group = criterion.benchmark_group("columns");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).throughput(Throughput::Elements(run.jobs()));
    let loaded = Arc::new(run.loaded());
    loaded.read(true);
    for (name, patterns) in [("all", ALL), ("two", TWO)] {
        let asked = request(&loaded, patterns);
        group.bench_function(BenchmarkId::new("decided, of a run in memory", name), |bencher| {
            bencher.iter_with_large_drop(|| ScanPlan::of(&asked).expect("a model"));
        });
        group.bench_function(BenchmarkId::new("decided and built, of a run in memory", name), |bencher| {
            bencher.iter_with_large_drop(|| asked.read().expect("a table"));
        });
        group.bench_function(BenchmarkId::new("decided and built, from the files on", name), |bencher| {
            bencher
                .iter_with_large_drop(|| request(&Arc::new(run.loaded()), patterns).read().expect("a table"));
        });
    }
    group.finish();
}

fn request(loaded: &Arc<LoadedRun>, patterns: &[&str]) -> TableRequest {
    let chosen = patterns.iter().copied().map(Chosen::new);
    TableRequest {
        runs: vec![Arc::clone(loaded)],
        several_runs: false,
        distinct: false,
        tasks: None,
        selection: Selection::Chosen(chosen.collect()),
        max_columns: 2000,
        short_names: false,
        layout: StringLayout::View,
        zone: Zone::local(),
        results: Vec::new(),
        keep_bytes: u64::MAX,
        scope: xpframe::scan::Scope::default(),
    }
}

/// A run to read: one that was named, or one made for the occasion.
struct Sample {
    path: PathBuf,
    /// Removes what was made
    _made: Option<tempfile::TempDir>,
}

impl Sample {
    fn take() -> Self {
        if let Some(path) = std::env::var_os("XPFRAME_BENCH_RUN") {
            return Self { path: path.into(), _made: None };
        }
        let made = tempfile::tempdir().expect("a temporary directory");
        let path = write_run(made.path());
        Self { path, _made: Some(made) }
    }

    fn loaded(&self) -> LoadedRun {
        LoadedRun::new(Run::at(&self.path).expect("a run"), CancelToken::default())
    }

    fn read_files(&self) -> [Vec<u8>; 2] {
        ["objects.jsonl", "jobs.jsonl"].map(|name| fs::read(self.path.join(name)).expect(name))
    }

    fn size(&self) -> u64 {
        self.read_files().iter().map(|bytes| bytes.len() as u64).sum()
    }

    fn jobs(&self) -> u64 {
        self.loaded().rows().rows.len() as u64
    }
}

/// Trainings that share encoders and data sets, each with an optimizer of its own.
fn write_run(workspace: &Path) -> PathBuf {
    let run = workspace.join("experiments/engine/20260319_120000");
    fs::create_dir_all(&run).expect("a directory");
    fs::write(workspace.join(".__experimaestro__"), "").expect("a file");
    fs::write(run.join("status.json"), r#"{"version": 1, "experiment_id": "engine", "status": "done"}"#)
        .expect("status.json");
    let (mut objects, mut jobs) = (String::new(), String::new());
    for job in 0..JOBS {
        let (size, data, rate) =
            (64 << (job % 5), job % 3, 1.0 / f64::from(1 + u32::try_from(job / 15).expect("few jobs")));
        if job % 500 == 0 {
            write_shared(&mut objects, job / 500);
        }
        let base = job / 500 * 1_000_000;
        let (optimizer, train) = (base + 100_000 + 2 * (job % 500), base + 100_001 + 2 * (job % 500));
        define(
            &mut objects,
            optimizer,
            "Optimizer",
            &format!(r#""lr":{rate},"betas":[0.9,0.999],"momentum":null"#),
        );
        let fields = format!(
            r#""model":{},"data":{},"optimizer":{},"seed":{job},"epochs":{},"precision":{},"notes":{{"author":"Zo\u00e9"}},"out":{{"type":"path","value":"/data/jobs/engine.train/{job:064x}/model.pt"}}"#,
            reference(base + job % 5),
            reference(base + 10 + data),
            reference(optimizer),
            10 + job % 3,
            r#"{"type":"enum","module":"engine","enum":"Precision","value":"BF16"}"#,
        );
        let identifier = define(&mut objects, train, "Train", &fields);
        writeln!(
            jobs,
            r#"{{"job_id": "{identifier}", "task_id": "engine.train", "tags": {{"lr": {rate}, "size": {size}}}, "timestamp": {}.25}}"#,
            1_773_921_600 + job
        )
        .expect("memory");
    }
    fs::write(run.join("objects.jsonl"), objects).expect("objects.jsonl");
    fs::write(run.join("jobs.jsonl"), jobs).expect("jobs.jsonl");
    run
}

/// Five models and three data sets.
fn write_shared(objects: &mut String, sweep: usize) {
    let base = sweep * 1_000_000;
    for model in 0..5 {
        let fields =
            format!(r#""layers":{},"d_model":{},"dropout":0.1,"causal":true"#, model + 2, 64 << model);
        define(objects, base + 20 + model, "Encoder", &fields);
        let encoder = reference(base + 20 + model);
        define(
            objects,
            base + model,
            "Model",
            &format!(r#""name":"enc-{model}","encoder":{encoder},"tie":false"#),
        );
    }
    for data in 0..3 {
        let fields =
            format!(r#""name":"corpus-{data}","path":{{"type":"path","value":"/data/corpora/{data}"}}"#);
        define(objects, base + 10 + data, "Data", &fields);
    }
}

/// Writes an object; gives its identifier.
fn define(objects: &mut String, id: usize, class: &str, fields: &str) -> String {
    let identifier = format!("{:064x}", id + 1);
    writeln!(
        objects,
        r#"{{"id":{},"module":"engine","type":"{class}","typename":"engine.{class}","identifier":"{identifier}","fields":{{{fields}}}}}"#,
        139_818_366_615_856 + 16 * id
    )
    .expect("memory");
    identifier
}

fn reference(id: usize) -> String {
    format!(r#"{{"type":"python","value":{}}}"#, 139_818_366_615_856 + 16 * id)
}
