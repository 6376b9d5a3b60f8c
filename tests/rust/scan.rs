//! Runs and a request become batches: types, values, order, and what is told about them.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::array::{Array, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::util::display::array_value_to_string;
use arrow_schema::{DataType, TimeUnit};
use xpframe::columns::{Chosen, Selection};
use xpframe::error::ErrorKind;
use xpframe::loaded::LoadedRun;
use xpframe::records::Zone;
use xpframe::scan::{Scope, Table, TableRequest};
use xpframe::table::StringLayout;
use xpframe::values::Value;

use super::lab::{Lab, RUN, TASK, object, to};

const SECOND: &str = "20260102_000000";

/// All columns of these runs.
pub fn request(runs: Vec<LoadedRun>) -> TableRequest {
    TableRequest {
        several_runs: runs.len() > 1,
        distinct: false,
        runs: runs.into_iter().map(Arc::new).collect(),
        tasks: None,
        selection: Selection::Default,
        results: Vec::new(),
        max_columns: 2000,
        short_names: false,
        layout: StringLayout::View,
        zone: Zone::named("UTC").unwrap(),
        keep_bytes: u64::MAX,
        scope: Scope::default(),
    }
}

/// These columns of these runs.
pub fn choose(runs: Vec<LoadedRun>, columns: &[&str]) -> TableRequest {
    let chosen = columns.iter().copied().map(Chosen::new);
    TableRequest { selection: Selection::Chosen(chosen.collect()), ..request(runs) }
}

/// The values of a column, batch after batch; nulls are `-`.
fn column(table: &Table, name: &str) -> Vec<String> {
    let values = |batch: &RecordBatch| {
        let array = batch.column_by_name(name).unwrap_or_else(|| panic!("no {name}"));
        let show = |row| {
            let is_null = array.logical_nulls().is_some_and(|nulls| nulls.is_null(row));
            if is_null { "-".to_owned() } else { array_value_to_string(array, row).unwrap() }
        };
        (0..batch.num_rows()).map(show).collect::<Vec<_>>()
    };
    table.batches.iter().flat_map(values).collect()
}

fn names(table: &Table) -> Vec<&str> {
    table.schema.fields().iter().map(|field| field.name().as_str()).collect()
}

fn kind(table: &Table, name: &str) -> DataType {
    table.schema.field_with_name(name).unwrap().data_type().clone()
}

/// The usual run, with a job for each value that field `x` has.
fn with_values(values: &[&str]) -> Lab {
    let jobs: Vec<String> = (0..values.len()).map(|at| format!("j{at}")).collect();
    let mut lines = vec![
        object(900, "Small", "small", "\"size\":1"),
        object(901, "Large", "large", "\"size\":2,\"w\":null"),
    ];
    lines.extend(
        jobs.iter()
            .zip(values)
            .zip(0..)
            .map(|((job, value), id)| object(id, "Train", job, &format!("\"x\":{value}"))),
    );
    Lab::with(&jobs.iter().map(String::as_str).collect::<Vec<_>>(), &lines)
}

/// The parameters of one job for each value of `x`: a table in which nothing is wrong.
fn table_of(values: &[&str]) -> Table {
    let table = request(vec![with_values(values).load(RUN)]).read().unwrap();
    assert_eq!(table.errors, []);
    table
}

/// Every kind of value is there, in the Arrow type that holds it exactly.
#[test]
fn values_keep_their_type() {
    let enum_type = DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
    let mode = |name: &str| format!(r#"{{"type":"enum","module":"lab","enum":"Mode","value":"{name}"}}"#);
    let (fast, slow) = (mode("FAST"), mode("SLOW"));
    let mut seen = 0;
    for (values, data_type, shown) in [
        (vec!["true", "false", "null"], DataType::Boolean, vec!["true", "false", "-"]),
        (
            vec!["9223372036854775807", "null", "-9223372036854775808"],
            DataType::Int64,
            vec!["9223372036854775807", "-", "-9223372036854775808"],
        ),
        (vec!["18446744073709551615", "0"], DataType::UInt64, vec!["18446744073709551615", "0"]),
        (
            vec!["-99999999999999999999999999999999999999", "null"],
            DataType::Decimal128(38, 0),
            vec!["-99999999999999999999999999999999999999", "-"],
        ),
        (
            vec!["NaN", "null", "-0.0", "Infinity", "5e-324"],
            DataType::Float64,
            vec!["NaN", "-", "-0.0", "inf", "5e-324"],
        ),
        (vec!["9007199254740992", "0.5"], DataType::Float64, vec!["9007199254740992.0", "0.5"]),
        (vec!["\"\\u00e9\"", "\"\"", "null"], DataType::Utf8View, vec!["é", "", "-"]),
        (vec![r#"{"type":"path","value":"/a//b"}"#], DataType::Utf8View, vec!["/a/b"]),
        (vec![&slow, &fast, "null", &slow], enum_type, vec!["SLOW", "FAST", "-", "SLOW"]),
        (vec!["null"], DataType::Null, vec!["-"]),
    ] {
        let table = table_of(&values);
        assert_eq!(kind(&table, "config.x"), data_type, "{values:?}");
        assert_eq!(column(&table, "config.x"), shown);
        assert_eq!(table.warnings, [""; 0]);
        seen += shown.len();
    }
    assert_eq!(seen, 26);
}

/// Lists, sets and what they hold; a null list is not an empty one, and sets have a fixed order.
#[test]
fn lists_keep_what_they_hold() {
    let small = to(900);
    let large = to(901);
    for (values, shown) in [
        (vec!["[1,null,2]".to_owned(), "[]".to_owned(), "null".to_owned()], vec!["[1, , 2]", "[]", "-"]),
        (vec!["[[1.5],[],null]".to_owned()], vec!["[[1.5], [], ]"]),
        (vec![r#"{"type":"set","items":[3,10,2,3]}"#.to_owned()], vec!["[2, 3, 10]"]),
        (
            vec![r#"{"type":"set","items":["a",2,true,null]}"#.to_owned()],
            vec!["[, {bool: true, int: , str: }, {bool: , int: 2, str: }, {bool: , int: , str: a}]"],
        ),
        (vec![r#"{"type":"set","items":["b","a"]}"#.to_owned()], vec!["[a, b]"]),
        (vec!["[{\"a\":1},{\"b\":\"x\"}]".to_owned()], vec!["[{a: 1, b: }, {a: , b: x}]"]),
        (vec!["[1,\"a\"]".to_owned()], vec!["[{int: 1, str: }, {int: , str: a}]"]),
        (
            vec![format!("[{small},{large}]"), format!("[{small}]")],
            vec![
                "[{@type: lab.Small, size: 1, w: }, {@type: lab.Large, size: 2, w: }]",
                "[{@type: lab.Small, size: 1, w: }]",
            ],
        ),
    ] {
        let table = table_of(&values.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(matches!(kind(&table, "config.x"), DataType::LargeList(_)));
        assert_eq!(column(&table, "config.x"), shown, "{values:?}");
    }
}

/// Lists that hold lists of what they share are refused when that would be repeated a million times.
#[test]
fn lists_that_unfold_without_end_are_refused() {
    let mut lines = vec![object(1, "Part", "p1", "\"n\":1")];
    lines.extend((2..=31).map(|id| {
        object(id, "Part", &format!("p{id}"), &format!("\"both\":[{},{}]", to(id - 1), to(id - 1)))
    }));
    lines.push(object(100, "Train", "j", &format!("\"x\":{}", to(31))));
    let lab = Lab::with(&["j"], &lines);
    let error = request(vec![lab.load(RUN)]).read().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManyColumns);
    assert_eq!(error.reason(), "lists in config.x.both unfold to more than 20000000 values");
    assert_eq!(column(&choose(vec![lab.load(RUN)], &["job_id"]).read().unwrap(), "job_id"), ["j"]);
}

/// Where types cannot meet each has its column, the others are null in it, and a warning says so.
#[test]
fn split_columns_lose_nothing() {
    let table = table_of(&["1", "\"a\"", "2.5", "null", "9007199254740993"]);
    assert_eq!(column(&table, "config.x@int"), ["1", "-", "-", "-", "9007199254740993"]);
    assert_eq!(column(&table, "config.x@float"), ["-", "-", "2.5", "-", "-"]);
    assert_eq!(column(&table, "config.x@str"), ["-", "a", "-", "-", "-"]);
    assert_eq!(
        table.warnings,
        ["values of several types are split into config.x@int, config.x@float, config.x@str"]
    );
}

/// What is shown otherwise than it stands in the files is told, once a column.
#[test]
fn warnings_name_the_columns() {
    let surrogates = table_of(&["\"\\ud800\"", "\"a\""]);
    assert_eq!(column(&surrogates, "config.x"), ["\\ud800", "a"]);
    assert_eq!(surrogates.warnings, ["unpaired surrogates are shown as escapes (\\ud800) in config.x"]);
    let many = "9".repeat(50);
    let digits = table_of(&[&many, "-1"]);
    assert_eq!(kind(&digits, "config.x"), DataType::Utf8View);
    assert_eq!(column(&digits, "config.x"), [&many, "-1"]);
    assert_eq!(digits.warnings, ["integers of more than 38 digits are given as text in config.x"]);
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    let table = request(vec![with_values(&[&deep]).load(RUN)]).read().unwrap();
    assert_eq!(table.warnings, ["values nested too deep are left out of config.x"]);
    let told = "field config.x: values nested more than 62 deep in lists, or 8192 elsewhere, have no columns; they are left out \
                (the objects have them: load_xp_info(…).jobs)";
    assert_eq!(table.errors.iter().map(ToString::to_string).collect::<Vec<_>>(), [told]);
}

/// Configs that jobs share are there for each of them, whatever the way to them.
#[test]
fn shared_configs_are_repeated() {
    let lines = [
        object(5, "Part", "p", "\"n\":5"),
        object(6, "Model", "a", &format!("\"part\":{},\"size\":1", to(5))),
        object(7, "Model", "b", &format!("\"part\":{},\"size\":2", to(5))),
        object(1, "Train", "j0", &format!("\"model\":{}", to(6))),
        object(2, "Train", "j1", &format!("\"model\":{},\"part\":{}", to(7), to(5))),
        object(3, "Train", "j2", &format!("\"model\":{}", to(6))),
        object(4, "Train", "j3", "\"model\":null"),
    ];
    let lab = Lab::with(&["j0", "j1", "j2", "j3"], &lines);
    let table = choose(vec![lab.good()], &["model.*", "part.n", "model@id", "model@type", "config@type"])
        .read()
        .unwrap();
    assert_eq!(column(&table, "config.model.size"), ["1", "2", "1", "-"]);
    assert_eq!(column(&table, "config.model.part.n"), ["5", "5", "5", "-"]);
    assert_eq!(column(&table, "config.part.n"), ["-", "5", "-", "-"]);
    assert_eq!(column(&table, "config.model@id"), ["a", "b", "a", "-"]);
    assert_eq!(column(&table, "config.model@type"), ["lab.Model", "lab.Model", "lab.Model", "-"]);
    assert_eq!(column(&table, "config@type"), ["lab.Train"; 4]);
}

/// Rows are the jobs of jobs.jsonl in their order; one whose config is missing keeps its row and is told.
#[test]
fn rows_are_the_jobs_of_the_run() {
    let lab = Lab::with(
        &[r#"b lab.train {"lr": 0.1, "on": true}"#, r#"lost lab.train {"lr": 1}"#, "a lab.test"],
        &[object(1, "Test", "a", "\"x\":1"), object(2, "Train", "b", "\"x\":2,\"y\":\"z\"")],
    );
    lab.file(&format!("jobs/{TASK}/b/train.done"), "");
    let table = request(vec![lab.load(RUN)]).read().unwrap();
    assert_eq!(column(&table, "job_id"), ["b", "lost", "a"]);
    assert_eq!(column(&table, "task"), ["lab.train", "lab.train", "lab.test"]);
    assert_eq!(column(&table, "config.x"), ["2", "-", "1"]);
    assert_eq!(column(&table, "config.y"), ["z", "-", "-"]);
    assert_eq!(column(&table, "tags.lr"), ["0.1", "1.0", "-"]);
    assert_eq!(column(&table, "tags.on"), ["true", "-", "-"]);
    assert_eq!(column(&table, "state"), ["done", "unscheduled", "unscheduled"]);
    let submitted = table.batches[0].column_by_name("submitted_at").unwrap();
    assert_eq!(submitted.data_type(), &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
    let times = submitted.as_primitive::<TimestampMicrosecondType>();
    assert_eq!((times.values().as_ref(), times.null_count()), (&[1_767_225_600_500_000; 3][..], 0));
    assert_eq!(column(&table, "path")[2], lab.path("jobs/lab.test/a").display().to_string());
    assert_eq!(table.errors.len(), 1);
    assert_eq!(table.errors[0].location().job.as_deref(), Some("lost"));
    assert_eq!(table.schema.fields().len(), table.batches[0].num_columns());
}

/// What a field is comes with it: its group, its keys and the Python types that were seen.
#[test]
fn fields_say_where_they_come_from() {
    let lab =
        Lab::with(&[r#"j lab.train {"a.b": 1}"#], &[object(1, "Train", "j", "\"m\":{\"x\":1},\"y\":null")]);
    let table = choose(vec![lab.good()], &["state", r"tags.a\.b", "m.x", "y", "config@id"]).read().unwrap();
    let said = |name: &str| {
        let field = table.schema.field_with_name(name).unwrap();
        ["group", "path", "python"]
            .map(|key| field.metadata().get(&format!("xpframe.{key}")).cloned().unwrap_or_default())
    };
    assert_eq!(said("state"), ["system", "", ""]);
    assert_eq!(said(r"tags.a\.b"), ["tag", r#"["tags","a.b"]"#, "int"]);
    assert_eq!(said("config.m.x"), ["parameter", r#"["config","m","x"]"#, "int"]);
    assert_eq!(said("config.y"), ["parameter", r#"["config","y"]"#, "None"]);
    assert_eq!(said("config@id"), ["fact", r#"["config"]"#, "str"]);
    assert_eq!(names(&table).len(), 5);
}

/// Two runs whose jobs have different columns.
pub fn two_runs() -> Lab {
    let lab = Lab::with(
        &[r#"a lab.train {"lr": 1}"#, "b lab.test"],
        &[object(1, "Train", "a", "\"x\":1"), object(2, "Test", "b", "\"y\":true")],
    );
    lab.jobs(SECOND, &[r#"c lab.train {"lr": 0.5}"#]);
    lab.objects(SECOND, &[object(1, "Train", "c", "\"x\":2.5,\"z\":\"s\"")]);
    lab
}

/// Types are decided on all runs; each run is a batch of one schema, in the order asked.
#[test]
fn several_runs_have_one_schema() {
    let lab = two_runs();
    let table = request(vec![lab.load(SECOND), lab.load(RUN)]).read().unwrap();
    assert_eq!(table.batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [1, 2]);
    assert!(table.batches.iter().all(|batch| batch.schema() == table.schema));
    assert_eq!(names(&table)[..4], ["experiment", "run", "job_id", "task"]);
    assert_eq!(column(&table, "experiment"), ["grid"; 3]);
    assert_eq!(column(&table, "run"), [SECOND, RUN, RUN]);
    assert_eq!(column(&table, "job_id"), ["c", "a", "b"]);
    assert_eq!(column(&table, "config.x"), ["2.5", "1.0", "-"]);
    assert_eq!(column(&table, "tags.lr"), ["0.5", "1.0", "-"]);
    assert_eq!(column(&table, "config.y"), ["-", "-", "true"]);
    assert_eq!(column(&table, "config.z"), ["s", "-", "-"]);
    assert!(!names(&table).contains(&"workspace"));
}

/// The workspace is a column where there are several.
#[test]
fn several_workspaces_are_told_apart() {
    let labs = [two_runs(), two_runs()];
    let table = request(labs.iter().map(|lab| lab.load(SECOND)).collect()).read().unwrap();
    assert_eq!(names(&table)[0], "workspace");
    let roots = column(&table, "workspace");
    assert_eq!(roots.len(), 2);
    assert_ne!(roots[0], roots[1]);
}

/// A task is meant by its identifier, the last part of it, or a glob, in any case; columns that only others have are left out.
#[test]
fn tasks_are_picked() {
    let lab = two_runs();
    let read = |tasks: &[&str]| {
        let tasks = Some(tasks.iter().map(|&task| task.to_owned()).collect());
        TableRequest { tasks, ..request(vec![lab.load(RUN), lab.load(SECOND)]) }.read()
    };
    for task in ["lab.train", "train", "TRAIN", "lab.tr*", "*train"] {
        let table = read(&[task]).unwrap();
        assert_eq!(column(&table, "job_id"), ["a", "c"], "{task}");
        assert!(names(&table).contains(&"config.x") && !names(&table).contains(&"config.y"));
    }
    assert_eq!(column(&read(&["test"]).unwrap(), "config.y"), ["true"]);
    assert!(!names(&read(&["test"]).unwrap()).contains(&"tags.lr"));
    assert_eq!(column(&read(&["test", "train"]).unwrap(), "job_id"), ["a", "b", "c"]);
    let wrong = |task: &str| {
        let error = read(&[task, "train"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        error.to_string()
    };
    assert_eq!(wrong("trian"), "no job of task 'trian' (did you mean train?)");
    assert_eq!(wrong("something"), "no job of task 'something' (there are lab.test, lab.train)");
}

/// Only the files are opened that the columns need.
#[test]
fn files_are_opened_for_their_columns() {
    let lab = two_runs();
    lab.run_file(RUN, "objects.jsonl", "broken");
    let quiet = choose(vec![lab.load(RUN)], &["tags.*", "job_id", "task"]).read().unwrap();
    assert_eq!(quiet.errors, []);
    assert_eq!(column(&quiet, "tags.lr"), ["1", "-"]);
    let told = choose(vec![lab.load(RUN)], &["job_id", "config@id"]).read();
    assert_eq!(told.unwrap_err().kind(), ErrorKind::Column, "nothing is left that would have the column");
    let all = request(vec![lab.load(RUN)]).read().unwrap();
    assert_eq!(all.errors.len(), 3, "the line and the two jobs: {:?}", all.errors);
}

/// Errors of a selection come through as they are.
#[test]
fn unknown_columns_are_refused() {
    let error = choose(vec![two_runs().load(RUN)], &["lrr"]).read().unwrap_err();
    assert_eq!(error.to_string(), "field lrr: no column 'lrr' (did you mean lr?)");
    let wide = TableRequest { max_columns: 5, ..request(vec![two_runs().load(RUN)]) }.read().unwrap_err();
    assert_eq!(wide.kind(), ErrorKind::TooManyColumns);
    assert!(wide.reason().contains("are more than max_columns=5"), "{wide}");
}

/// Short names are those of tags first: an equal parameter is dropped, another keeps its whole name.
#[test]
fn short_names_lose_no_value() {
    let lab = Lab::with(
        &[r#"a lab.train {"lr": 0.1, "seed": 1, "state": 5}"#, r#"b lab.train {"lr": 0.2, "seed": 2}"#],
        &[
            object(1, "Train", "a", "\"lr\":0.1,\"seed\":1,\"epochs\":3,\"task\":\"x\""),
            object(2, "Train", "b", "\"lr\":0.2,\"seed\":7,\"epochs\":4"),
        ],
    );
    let table = TableRequest { short_names: true, ..request(vec![lab.good()]) }.read().unwrap();
    let shown = names(&table);
    assert_eq!(
        shown[..9],
        ["job_id", "task", "state", "lr", "seed", "tags.state", "config.seed", "epochs", "config.task"]
    );
    assert!(!shown.contains(&"config.lr"));
    assert_eq!(column(&table, "config.seed"), ["1", "7"]);
}

/// For pandas text is large, enums have small keys, and all is one batch.
#[test]
fn pandas_has_its_own_layout() {
    let lab = two_runs();
    let mode = r#"{"type":"enum","module":"lab","enum":"Mode","value":"FAST"}"#;
    lab.objects(SECOND, &[object(1, "Train", "c", &format!("\"x\":2,\"mode\":{mode},\"names\":[\"a\"]"))]);
    let request =
        TableRequest { layout: StringLayout::Large, ..request(vec![lab.load(RUN), lab.load(SECOND)]) };
    let large = request.read().unwrap();
    let keys = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::LargeUtf8));
    assert_eq!((kind(&large, "job_id"), kind(&large, "config.mode")), (DataType::LargeUtf8, keys));
    let table = large.for_pandas().unwrap();
    let keys = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::LargeUtf8));
    assert_eq!(kind(&table, "config.mode"), keys);
    assert_eq!((table.batches.len(), table.batches[0].num_rows()), (1, 3));
    assert_eq!(column(&table, "config.mode"), ["-", "-", "FAST"]);
    assert_eq!(column(&table, "config.names"), ["-", "-", "[a]"]);
    let back = table
        .in_layout_of(&TableRequest { layout: StringLayout::View, ..request }.read().unwrap().schema)
        .unwrap();
    assert_eq!(kind(&back, "job_id"), DataType::Utf8View);
    assert_eq!(column(&back, "job_id"), column(&table, "job_id"));
}

/// An enum that several runs have is one dictionary, in which each name stands once: pandas refuses others.
#[test]
fn enums_of_several_runs_are_one_dictionary() {
    let lab = Lab::new();
    for (run, name) in [(RUN, "FAST"), (SECOND, "SLOW"), ("20260103_000000", "FAST")] {
        lab.jobs(run, &["j", "k"]);
        let mode = format!(r#""mode":{{"type":"enum","module":"lab","enum":"Mode","value":"{name}"}}"#);
        lab.objects(run, &[object(1, "Train", "j", &mode), object(2, "Train", "k", "\"mode\":null")]);
    }
    let runs = [RUN, SECOND, "20260103_000000"].map(|run| lab.load(run)).into();
    let table = TableRequest { layout: StringLayout::Large, ..choose(runs, &["mode"]) }
        .read()
        .unwrap()
        .for_pandas()
        .unwrap();
    let modes = table.batches[0].column(0).as_any_dictionary();
    let names = modes.values().as_string::<i64>();
    assert_eq!(names.iter().collect::<Vec<_>>(), [Some("FAST"), Some("SLOW")]);
    assert_eq!(column(&table, "config.mode"), ["FAST", "-", "SLOW", "-", "FAST", "-"]);
}

/// The names of an enum are in the order of the rows, whatever the order in which kinds of lines are read; members of two
/// enums that have one name are one.
#[test]
fn names_of_an_enum_are_in_the_order_of_the_rows() {
    let jobs = ["a", "b", "c", "d", "e", "f"];
    let modes = [
        ("Train", "Mode", "SLOW"),
        ("Eval", "Other", "FAST"),
        ("Train", "Mode", "FAST"),
        ("Train", "Mode", "FAST"),
        ("Eval", "Other", "BEST"),
        ("Eval", "Other", "SLOW"),
    ];
    let line = |(id, (job, (class, of, name))): (i64, (&&str, (&str, &str, &str)))| {
        let mode = format!(r#""mode":{{"type":"enum","module":"lab","enum":"{of}","value":"{name}"}}"#);
        object(id, class, job, &mode)
    };
    let lines: Vec<String> = (1..).zip(jobs.iter().zip(modes)).map(line).collect();
    let table = choose(vec![Lab::with(&jobs, &lines).good()], &["mode"]).read().unwrap();
    assert_eq!(column(&table, "config.mode"), modes.map(|(_, _, name)| name));
    let names = table.batches[0].column(0).as_any_dictionary().values();
    assert_eq!(names.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["SLOW", "FAST", "BEST"]);
}

/// Columns are taken by position; a position that is not there is refused.
#[test]
fn tables_are_projected() {
    let table = choose(vec![two_runs().good()], &["job_id", "task", "x"]).read().unwrap();
    let some = table.project(&[2, 0]).unwrap();
    assert_eq!(names(&some), ["config.x", "job_id"]);
    assert_eq!(column(&some, "config.x"), ["1", "-"]);
    let error = table.project(&[3]).unwrap_err();
    assert!(error.reason().starts_with("the columns do not fit together"), "{error}");
    assert_eq!(error.advice(), Some("this is a fault of xpframe, please report it"));
}

/// No jobs are a table of no rows, and no runs one of no batches; both have their columns.
#[test]
fn nothing_has_columns_too() {
    let lab = Lab::with(&[], &[]);
    let table = request(vec![lab.good()]).read().unwrap();
    assert_eq!((table.batches.len(), table.batches[0].num_rows()), (1, 0));
    assert_eq!(names(&table).len(), 9);
    let none = request(Vec::new()).read().unwrap();
    assert_eq!((none.batches.len(), names(&none).len()), (0, 9));
    assert_eq!(none.for_pandas().unwrap().batches[0].num_rows(), 0);
    let counted = choose(vec![two_runs().good()], &[]).read().unwrap();
    assert_eq!((counted.batches[0].num_columns(), counted.batches[0].num_rows()), (0, 2));
}

/// Views point to where texts lie, if they are much of what the store has; what is not UTF-8 is copied, and so are few texts.
#[test]
fn views_share_long_texts() {
    let long = |letter: &str| format!("\"{}\"", letter.repeat(100));
    let (one, other) = (long("a"), long("b"));
    let values = [&one, &other, "null", &one, "\"\\ud800 is odd and longer than a view\"", "\"short\""];
    let lab = with_values(&values);
    let loaded = Arc::new(lab.load(RUN));
    let mut request = request(Vec::new());
    request.runs.push(Arc::clone(&loaded));
    let table = request.read().unwrap();
    let shown = column(&table, "config.x");
    assert_eq!(shown[..3], ["a".repeat(100), "b".repeat(100), "-".to_owned()]);
    assert_eq!(shown[3..], [&"a".repeat(100), "\\ud800 is odd and longer than a view", "short"]);
    assert_eq!(table.warnings, ["unpaired surrogates are shown as escapes (\\ud800) in config.x"]);

    let texts = table.batches[0].column_by_name("config.x").unwrap().as_string_view();
    let objects = loaded.objects();
    let Some(Value::Str(held)) = objects.graph.field(objects.roots[0].unwrap(), "x") else {
        panic!("no text")
    };
    assert_eq!(texts.value(0).as_ptr(), objects.graph.store.bytes(held).as_ptr());

    let lab = with_values(&[&["1"; 99][..], &["\"a text that is longer than a view\""]].concat());
    request.runs = vec![Arc::new(lab.load(RUN))];
    let table = request.read().unwrap();
    let texts = table.batches[0].column_by_name("config.x@str").unwrap().as_string_view();
    assert_eq!(texts.value(99), "a text that is longer than a view");
    let kept: usize = texts.data_buffers().iter().map(|buffer| buffer.len()).sum();
    assert_eq!(kept, texts.value(99).len());
}
