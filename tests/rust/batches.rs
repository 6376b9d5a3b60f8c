//! Tables part by part: in order, on several threads, forgotten and read again, stopped.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::datatypes::Int64Type;
use xpframe::error::{Error, ErrorKind};
use xpframe::loaded::LoadedRun;
use xpframe::scan::{Batches, NextBatch, RowChoice, ScanPlan, TableRequest};

use super::lab::{Lab, RUN, TASK, object};
use super::scan::{choose, request, two_runs};

/// Many runs of one job each, whose number is its field `n`.
fn many_runs(count: usize) -> (Lab, Vec<LoadedRun>) {
    let lab = Lab::new();
    let run = |at: usize| {
        let run = format!("20260101_{at:06}");
        lab.jobs(&run, &["j", "k"]);
        lab.objects(
            &run,
            &[object(1, "Train", "j", &format!("\"n\":{at}")), object(2, "Train", "k", "\"n\":-1")],
        );
        lab.load(&run)
    };
    let runs = (0..count).map(run).collect();
    (lab, runs)
}

/// One batch of a run, built on this thread.
fn one_batch(
    model: &Arc<ScanPlan>,
    run: usize,
    columns: &[usize],
    rows: Option<&[usize]>,
) -> Result<RecordBatch, Error> {
    let choice = RowChoice { run, rows: rows.map(<[usize]>::to_vec) };
    match Batches::new(Arc::clone(model), columns.to_vec(), vec![choice]).next(None) {
        NextBatch::Ready(part) => part.map(|part| part.batch),
        none => panic!("{none:?}"),
    }
}

fn first_number(batch: &RecordBatch) -> i64 {
    batch.column_by_name("config.n").unwrap().as_primitive::<Int64Type>().value(0)
}

/// Batches come in the order in which they were wanted, however many threads build them.
#[test]
fn batches_come_in_order() {
    let (_lab, runs) = many_runs(40);
    let model = Arc::new(ScanPlan::of(&request(runs)).unwrap());
    assert_eq!((model.runs(), model.jobs(39)), (40, 2));
    let columns = vec![model.position("config.n").unwrap(), model.position("run").unwrap()];
    let order: Vec<usize> = (0..40).rev().chain([7, 7]).collect();
    let wanted: Vec<RowChoice> = order.iter().map(|&run| RowChoice { run, rows: None }).collect();
    for ahead in [false, true] {
        let (model, columns, wanted) = (Arc::clone(&model), columns.clone(), wanted.clone());
        let mut batches = if ahead {
            Batches::ahead(model, columns, wanted, usize::MAX)
        } else {
            Batches::new(model, columns, wanted)
        };
        let mut numbers = Vec::new();
        for left in (1..=42).rev() {
            assert_eq!(batches.remaining(), left);
            let NextBatch::Ready(part) = batches.next(None) else { panic!("a part was left") };
            let part = part.unwrap();
            assert_eq!((part.batch.num_columns(), part.batch.num_rows(), part.errors.len()), (2, 2, 0));
            numbers.push(usize::try_from(first_number(&part.batch)).unwrap());
        }
        assert_eq!(numbers, order);
        assert!(matches!(batches.next(None), NextBatch::End));
        assert!(matches!(batches.next(Some(Duration::ZERO)), NextBatch::End));
    }
}

/// Who is not patient is told that there is nothing yet, and misses nothing.
#[test]
fn batches_can_be_waited_for_in_steps() {
    let (_lab, runs) = many_runs(12);
    let model = Arc::new(ScanPlan::of(&choose(runs, &["n", "state"])).unwrap());
    let wanted = (0..12).map(|run| RowChoice { run, rows: None }).collect();
    let mut batches = Batches::ahead(model, vec![0, 1], wanted, 1);
    let mut numbers = Vec::new();
    for _ in 0..100_000 {
        match batches.next(Some(Duration::from_micros(100))) {
            NextBatch::Ready(part) => numbers.push(first_number(&part.unwrap().batch)),
            NextBatch::NotYet => assert!(batches.remaining() > 0),
            NextBatch::End => break,
        }
    }
    assert_eq!(numbers, (0..12).flat_map(|run| [run, -1]).collect::<Vec<i64>>());
    assert!(batches.wait(None));
}

/// A large run comes in parts of about the same size, in order, and is read once for all of them, even if it was forgotten.
#[test]
fn large_runs_come_in_parts() {
    let jobs: Vec<String> = (0..100).map(|at| format!("j{at:02}")).collect();
    let lines = jobs.iter().zip(0..).map(|(job, id)| object(id, "Train", job, &format!("\"n\":{id}")));
    let lab = Lab::with(&jobs.iter().map(String::as_str).collect::<Vec<_>>(), &lines.collect::<Vec<_>>());
    let model = ScanPlan::of(&TableRequest { keep_bytes: 0, ..choose(vec![lab.good(), lab.good()], &["n"]) });
    let model = Arc::new(model.unwrap());
    let wanted = vec![
        RowChoice { run: 0, rows: None },
        RowChoice { run: 1, rows: Some((0..50).rev().collect()) },
        RowChoice { run: 0, rows: Some(vec![7]) },
    ];
    let mut batches = Batches::ahead(model, vec![0], wanted, 30);
    let (mut sizes, mut numbers) = (Vec::new(), Vec::new());
    while let NextBatch::Ready(part) = batches.next(None) {
        let part = part.unwrap().batch;
        sizes.push(part.num_rows());
        numbers.extend(part.column(0).as_primitive::<Int64Type>().values().to_vec());
    }
    assert_eq!(sizes, [25, 25, 25, 25, 25, 25, 1]);
    assert_eq!(numbers, (0..100).chain((0..50).rev()).chain([7]).collect::<Vec<i64>>());
}

/// What a stopped reader left of a run is not taken for the run: it is read anew.
#[test]
fn a_stopped_run_is_read_anew() {
    let lab = two_runs();
    let stopped = Arc::new(lab.good());
    assert!(Arc::ptr_eq(&stopped, &stopped.usable()));
    stopped.cancel_token().cancel();
    let anew = stopped.usable();
    assert!(!anew.cancel_token().is_cancelled());
    let request = TableRequest { runs: vec![anew], ..choose(vec![lab.good()], &["job_id"]) };
    assert_eq!(request.read().unwrap().batches[0].num_rows(), 2);
}

/// Rows are counted among the jobs of the asked tasks; those that are not there are left out.
#[test]
fn parts_are_some_of_the_rows() {
    let lab = Lab::with(
        &["a lab.train", "b lab.test", "c lab.train", "d lab.train"],
        &[
            object(1, "T", "a", "\"n\":1"),
            object(2, "T", "b", "\"n\":2"),
            object(3, "T", "c", "\"n\":3"),
            object(4, "T", "d", "\"n\":4"),
        ],
    );
    let tasks = Some(vec!["train".to_owned()]);
    let model = Arc::new(
        ScanPlan::of(&TableRequest { tasks, ..choose(vec![lab.good()], &["job_id", "n"]) }).unwrap(),
    );
    let rows = |rows: Option<&[usize]>| {
        let batch = one_batch(&model, 0, &[1, 0], rows).unwrap();
        let jobs = batch.column(1).as_string_view();
        (0..batch.num_rows()).map(|row| jobs.value(row).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(model.jobs(0), 3);
    assert_eq!(rows(None), ["a", "c", "d"]);
    assert_eq!(rows(Some(&[2, 0, 0])), ["d", "a", "a"]);
    assert_eq!(rows(Some(&[1, 3])), ["c"]);
    assert_eq!(rows(Some(&[])), [""; 0]);
}

/// Small runs are put together, ever more of them, in order; what was wanted is there once.
#[test]
fn small_runs_come_together() {
    let (_lab, runs) = many_runs(40);
    let model = Arc::new(ScanPlan::of(&request(runs)).unwrap());
    let all: Vec<usize> = (0..model.columns().len()).collect();
    let wanted = (0..40).map(|run| RowChoice { run, rows: None }).collect();
    let mut batches = Batches::ahead(Arc::clone(&model), all, wanted, 16);
    let (mut sizes, mut numbers) = (Vec::new(), Vec::new());
    loop {
        match batches.next_together(16, Duration::from_secs(20)) {
            NextBatch::Ready(part) => {
                let batch = part.unwrap().batch;
                sizes.push(batch.num_rows());
                let column = batch.column_by_name("config.n").unwrap().as_primitive::<Int64Type>();
                numbers.extend(column.values().iter().copied().filter(|&number| number >= 0));
            }
            NextBatch::NotYet => {}
            NextBatch::End => break,
        }
    }
    assert_eq!(sizes, [2, 4, 8, 16, 16, 16, 16, 2]);
    assert_eq!(numbers, (0..40).collect::<Vec<i64>>());
}

/// Batches that are dropped stop their threads; the model can be used again.
#[test]
fn dropped_batches_stop() {
    let (_lab, runs) = many_runs(30);
    let model = Arc::new(ScanPlan::of(&request(runs)).unwrap());
    let wanted: Vec<RowChoice> = (0..30).map(|run| RowChoice { run, rows: None }).collect();
    let mut batches = Batches::ahead(Arc::clone(&model), vec![0], wanted.clone(), 2);
    assert!(matches!(batches.next(None), NextBatch::Ready(Ok(_))));
    drop(batches);
    for _ in 0..1000 {
        if Arc::strong_count(&model) == 1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(Arc::strong_count(&model), 1, "a thread still has the model");
    assert!(one_batch(&model, 29, &[0], None).is_ok());
}

/// What does not fit into memory is read twice with the same result, unless the run was changed in between.
#[test]
fn forgotten_runs_are_read_again() {
    let (_lab, kept) = many_runs(5);
    let (lab, forgotten) = many_runs(5);
    let kept = request(kept).read().unwrap();
    let model = Arc::new(ScanPlan::of(&TableRequest { keep_bytes: 0, ..request(forgotten) }).unwrap());
    let position = model.position("config.n").unwrap();
    assert!((0..5).all(|at| !model.run(at).is_read()));
    let numbers = |at| first_number(&one_batch(&model, at, &[position], None).unwrap());
    assert_eq!(
        (0..5).map(numbers).collect::<Vec<_>>(),
        kept.batches.iter().map(first_number).collect::<Vec<_>>()
    );
    lab.objects("20260101_000003", &[object(1, "Train", "j", "\"n\":\"changed\"")]);
    let error = one_batch(&model, 3, &[position], None).unwrap_err();
    let run = lab.path("experiments/grid/20260101_000003");
    assert_eq!(error.to_string(), format!("{}: was changed while it was read (ask again)", run.display()));
    assert_eq!(error.kind(), ErrorKind::Io);
}

/// A forgotten run that only grew since is read as far as it was; one that was written anew is refused, be it longer.
#[test]
fn forgotten_runs_may_grow() {
    let (lab, runs) = many_runs(3);
    let model = Arc::new(ScanPlan::of(&TableRequest { keep_bytes: 0, ..request(runs) }).unwrap());
    let position = model.position("config.n").unwrap();
    let path = |name: &str| lab.path("experiments/grid/20260101_000002").join(name);
    let append = |name: &str, more: String| {
        let known = std::fs::read_to_string(path(name)).unwrap();
        std::fs::OpenOptions::new()
            .append(true)
            .open(path(name))
            .unwrap()
            .write_all(more.as_bytes())
            .unwrap();
        known
    };
    let line = object(3, "Train", "l", "\"n\":\"text\"");
    append("objects.jsonl", line.clone() + "\n");
    let jobs =
        append("jobs.jsonl", format!("{{\"job_id\": \"l\", \"task_id\": \"{TASK}\", \"tags\": {{}}}}\n"));
    for _ in 0..2 {
        let batch = one_batch(&model, 2, &[position], None).unwrap();
        assert_eq!(batch.num_rows(), 2);
        assert_eq!(first_number(&batch), 2);
        append("objects.jsonl", line.clone()[..9].to_owned());
    }
    std::fs::write(path("jobs.jsonl"), jobs.replace("\"j\"", "\"i\"") + &jobs).unwrap();
    let error = one_batch(&model, 2, &[position], None).unwrap_err();
    assert!(error.to_string().ends_with("was changed while it was read (ask again)"), "{error}");
}

/// A part that cannot be built because of a fault of this crate is an error; nobody waits for it.
#[test]
fn faults_of_workers_are_told() {
    let (_lab, runs) = many_runs(2);
    let model = Arc::new(ScanPlan::of(&request(runs)).unwrap());
    let wanted = |run| RowChoice { run, rows: None };
    let mut batches = Batches::new(Arc::clone(&model), vec![0], vec![wanted(0), wanted(7), wanted(1)]);
    assert!(matches!(batches.next(None), NextBatch::Ready(Ok(_))));
    let NextBatch::Ready(Err(error)) = batches.next(None) else { panic!("no such run") };
    assert_eq!(error.reason(), "the reader failed inside");
    assert!(matches!(batches.next(None), NextBatch::Ready(Ok(_))));
    assert!(matches!(batches.next(None), NextBatch::End));
}

/// Who asked to stop gets little of the run or nothing, and no error; a run of which nothing was read is read whole.
#[test]
fn reading_can_be_stopped() {
    let jobs: Vec<String> = (0..3000).map(|at| format!("j{at}")).collect();
    let lines: Vec<String> =
        jobs.iter().zip(0..).map(|(job, id)| object(id, "Train", job, "\"n\":1")).collect();
    let lab = Lab::with(&jobs.iter().map(String::as_str).collect::<Vec<_>>(), &lines);
    let rows = |run: LoadedRun| {
        let table = request(vec![run]).read().unwrap();
        assert_eq!(table.errors, []);
        table.batches.iter().map(RecordBatch::num_rows).sum::<usize>()
    };
    let stopped = lab.load(RUN);
    stopped.cancel_token().cancel();
    assert!(rows(stopped) < 1000);
    assert_eq!(rows(lab.load(RUN)), 3000);
}
