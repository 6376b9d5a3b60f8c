//! What is fuzzed: each target takes any bytes and must neither panic nor hang. `make fuzz` gives them to libFuzzer; `cargo test`
//! calls the same functions on the seeds and on a few thousand mutations of them.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use arrow::array::Array;
use tempfile::TempDir;
use xpframe::columns::Selection;
use xpframe::error::ErrorKind;
use xpframe::json::{self, Reader};
use xpframe::loaded::LoadedRun;
use xpframe::objects::{Graph, same_content};
use xpframe::progress::CancelToken;
use xpframe::records::{JobStatuses, Zone};
use xpframe::scan::TableRequest;
use xpframe::table::StringLayout;
use xpframe::values::{ObjectIx, Store, Value};
use xpframe::workspace::Workspace;

use self::slow_json::{Slow, Tree, read};

mod slow_json;

/// The run that every file of a target belongs to.
pub const RUN: &str = "experiments/x/20260101_000000";
/// Stands before the name of each file in an input of [`run`].
pub const FILE: &str = "\n=== ";
/// Names of directories in the place of files end so.
pub const DIRECTORY: &str = " dir";

// ---- json ----

/// The reader understands what a slow reader understands, takes whatever serde_json takes, and skips what it reads.
pub fn json(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let own = read(input);
    let slow = Slow::read(text);
    assert_eq!(own, slow, "the reader and the slow reader disagree");
    let mut reader = Reader::new(input);
    let skipped = reader.skip().and_then(|()| reader.end());
    assert!(own.is_none() || skipped.is_ok(), "what is read cannot be skipped");
    match serde_json::from_slice::<serde_json::Value>(input) {
        Ok(_) => {
            assert!(own.is_some(), "serde_json reads it");
            let is_huge = own.as_ref().is_some_and(has_huge);
            assert!(json::from_slice::<serde_json::Value>(input).is_ok() || is_huge);
        }
        Err(error) => assert!(own.is_none() || is_lenient(text, &error), "serde_json refuses it: {error}"),
    }
    let lines: Vec<json::Line<'_>> = json::lines(input).collect();
    let held: usize = lines.iter().map(|line| line.bytes.len()).sum();
    assert!(held <= input.len());
    for line in lines {
        assert_eq!(&input[line.start..line.start + line.bytes.len()], line.bytes);
    }
}

/// What Python accepts and serde_json does not.
fn is_lenient(text: &str, error: &serde_json::Error) -> bool {
    let told = error.to_string();
    ["NaN", "Infinity"].iter().any(|word| text.contains(word))
        || ["surrogate", "hex escape", "recursion limit", "out of range"]
            .iter()
            .any(|word| told.contains(word))
}

/// Whether there is an integer beyond 64 bits, in the place of which another may stand by a later key of that name: serde's values
/// have no place for it.
fn has_huge(tree: &Tree) -> bool {
    match tree {
        Tree::Int(digits) => digits.parse::<i64>().is_err() && digits.parse::<u64>().is_err(),
        Tree::List(items) => items.iter().any(has_huge),
        Tree::Dict(entries) => entries.iter().any(|(_, value)| has_huge(value)),
        _ => false,
    }
}

// ---- graph and run ----

/// An objects.jsonl in which every identifier is a job's.
pub fn graph(input: &[u8]) {
    in_workspace(|root| {
        let run = root.join(RUN);
        fs::create_dir_all(&run).unwrap();
        fs::write(run.join("objects.jsonl"), input).unwrap();
        let rows: String = identifiers(input)
            .iter()
            .map(|id| format!("{{\"job_id\": \"{id}\", \"task_id\": \"lab.train\", \"tags\": {{}}}}\n"))
            .collect::<Vec<_>>()
            .concat();
        fs::write(run.join("jobs.jsonl"), rows).unwrap();
        check(root);
    });
}

/// The distinct plain texts behind `"identifier":"`, in order.
fn identifiers(input: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(input);
    let mut seen = HashSet::new();
    let found = text.split("\"identifier\":\"").skip(1).filter_map(|behind| behind.split('"').next());
    let plain = found.filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !id.is_empty());
    plain.filter(|id| seen.insert((*id).to_owned())).map(str::to_owned).collect()
}

/// The files of a workspace, each behind a line `=== name`; `name dir` is a directory.
pub fn run(input: &[u8]) {
    in_workspace(|root| {
        fs::create_dir_all(root.join(RUN)).unwrap();
        fs::write(root.join(".__experimaestro__"), "").unwrap();
        for (name, content) in files(input) {
            write(&root.join(name.trim_end_matches(DIRECTORY)), content, name.ends_with(DIRECTORY));
        }
        check(root);
    });
}

/// Files that cannot be written, as those below other files, are left out.
fn write(path: &Path, content: &[u8], is_directory: bool) {
    let parent = path.parent().unwrap_or(path);
    let _ = fs::create_dir_all(parent);
    let _ = if is_directory { fs::create_dir_all(path) } else { fs::write(path, content) };
}

fn files(input: &[u8]) -> Vec<(&str, &[u8])> {
    let mut found = Vec::new();
    let mut rest = input;
    while let Some(at) = position(rest, FILE.as_bytes()) {
        let begin = &rest[at + FILE.len()..];
        let Some(end) = position(begin, b"\n") else { break };
        let content = &begin[end + 1..];
        let length = position(content, FILE.as_bytes()).unwrap_or(content.len());
        if let Some(name) = std::str::from_utf8(&begin[..end]).ok().filter(|name| is_inside(name)) {
            found.push((name, &content[..length]));
        }
        rest = &content[length..];
    }
    found
}

fn is_inside(name: &str) -> bool {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    plain && path.components().count() < 8 && name.len() < 400 && !name.contains('\0') && !name.is_empty()
}

fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// A directory in memory if there is one: a fuzzer writes thousands of workspaces a second.
fn in_workspace(then: impl FnOnce(&Path)) {
    thread_local! { static HOME: RefCell<Option<TempDir>> = const { RefCell::new(None) } }
    HOME.with_borrow_mut(|home| {
        let home = home.get_or_insert_with(|| {
            let memory = Path::new("/dev/shm");
            let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
            tempfile::tempdir_in(parent).unwrap()
        });
        let root: PathBuf = home.path().join("ws");
        let _ = fs::remove_dir_all(&root);
        fs::create_dir(&root).unwrap();
        then(&root);
    });
}

/// Reads all there is of the run, and holds it to what is promised of every run.
fn check(root: &Path) {
    let run = Workspace::open(root).unwrap().run("x", "20260101_000000").unwrap();
    let loaded = Arc::new(LoadedRun::new(run, CancelToken::default()));
    loaded.read(true);
    let (rows, objects) = (loaded.rows(), loaded.objects());
    assert_eq!(objects.roots.len(), rows.rows.len());
    let ids: HashSet<_> = rows.rows.iter().map(|row| rows.job_id(row).into_owned()).collect();
    assert!(ids.len() <= rows.rows.len());
    let record = loaded.record();
    let statuses = JobStatuses::open(loaded.run(), record);
    let errors = loaded.errors();
    for (row, root) in rows.rows.iter().zip(&objects.roots) {
        let job_id = rows.job_id(row);
        let _ = statuses.job(statuses.key(&rows.task_id(row), &job_id, None), &mut Vec::new());
        let told = || errors.iter().any(|error| error.location().job.as_deref() == Some(&job_id));
        match root {
            Some(root) => {
                assert!(same_content((&objects.graph, *root), (&objects.graph, *root)));
            }
            None => assert!(told(), "the config of job {job_id} is lost in silence: {errors:?}"),
        }
    }
    let _ = loaded.all_dependencies();
    let _ = loaded.actions();
    assert_no_circle(&objects.graph);
    for name in loaded.run().saved().unwrap_or_default() {
        if let Ok(saved) = loaded.saved(&name) {
            assert_no_circle(&saved.graph);
        }
    }
    check_table(&loaded);
    assert_grows_alike(root, &loaded);
    assert_read_alike(root, &loaded);
}

/// A run that was read when it was shorter, and renewed, is what it is when it is read at once: cut anywhere, and at line ends.
fn assert_grows_alike(root: &Path, loaded: &LoadedRun) {
    let files = ["jobs.jsonl", "objects.jsonl"].map(|name| root.join(RUN).join(name));
    let [Ok(jobs), Ok(objects)] = [fs::read(&files[0]), fs::read(&files[1])] else { return };
    let line_end = |content: &[u8]| {
        let cut = content.len() * 2 / 3;
        content[..cut].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1)
    };
    let cuts = [
        [line_end(&jobs), line_end(&objects)],
        [jobs.len() / 2, objects.len() / 2],
        [line_end(&jobs), objects.len()],
    ];
    for cut in cuts {
        fs::write(&files[0], &jobs[..cut[0]]).unwrap();
        fs::write(&files[1], &objects[..cut[1]]).unwrap();
        let before = LoadedRun::new(loaded.run().clone(), CancelToken::default());
        before.read(true);
        for (file, rest) in files.iter().zip([&jobs[cut[0]..], &objects[cut[1]..]]) {
            fs::OpenOptions::new().append(true).open(file).unwrap().write_all(rest).unwrap();
        }
        let after = before.refreshed();
        after.read(true);
        assert_same(loaded, &after);
    }
}

/// Lines that are like one before are read in a shorter way. The same lines, each with other blanks, are all read in the long
/// way, and mean the same.
fn assert_read_alike(root: &Path, loaded: &LoadedRun) {
    for name in ["jobs.jsonl", "objects.jsonl"] {
        let file = root.join(RUN).join(name);
        if let Ok(content) = fs::read(&file) {
            fs::write(file, spaced(&content)).unwrap();
        }
    }
    let other = LoadedRun::new(loaded.run().clone(), CancelToken::default());
    other.read(true);
    assert_same(loaded, &other);
}

/// The same run was read in two ways.
fn assert_same(loaded: &LoadedRun, other: &LoadedRun) {
    let _ = (loaded.record(), other.record());
    assert_eq!(rows_shown(loaded), rows_shown(other));
    let (graph, long) = (&loaded.objects().graph, &other.objects().graph);
    assert_eq!(graph.len(), long.len());
    for at in (0..graph.len()).map(|at| ObjectIx(u32::try_from(at).unwrap())) {
        assert_eq!(object_shown(graph, at), object_shown(long, at), "object {at:?}");
    }
    assert_eq!(loaded.objects().roots, other.objects().roots);
    assert_eq!(loaded.objects().order, other.objects().order);
    let lines = |loaded: &LoadedRun| -> Vec<_> {
        let mut all: Vec<_> =
            loaded.errors().iter().map(|error| (error.kind(), error.location().clone())).collect();
        all.sort_by_key(|(_, location)| (location.file.clone(), location.line, location.job.clone()));
        all
    };
    assert_eq!(lines(loaded), lines(other));
}

fn spaced(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 * content.len());
    for (at, line) in content.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let (brace, rest) = line.split_at(usize::from(line.starts_with(b"{")));
        out.extend_from_slice(brace);
        out.extend(std::iter::repeat_n(b' ', if brace.is_empty() { 0 } else { 1 + at % 61 }));
        out.extend_from_slice(rest);
    }
    out
}

fn rows_shown(loaded: &LoadedRun) -> Vec<String> {
    let rows = loaded.rows();
    let show = |row: &xpframe::records::JobRow| {
        let tags = row.tags.map(|tags| shown(&rows.store, Value::Dict(tags)));
        format!("{} {} {tags:?} {:?}", rows.job_id(row), rows.task_id(row), row.submitted)
    };
    rows.rows.iter().map(show).collect()
}

/// An object with all that its definition says.
pub fn object_shown(graph: &Graph, at: ObjectIx) -> String {
    let (object, about) = (graph.object(at), graph.about(at));
    let (store, class) = (&graph.store, graph.class(about.class));
    let names = [class.module, class.name, class.typename].map(|name| store.symbol(name).into_owned());
    let held =
        [Value::Dict(object.fields), graph.task(at), about.init_tasks].map(|value| shown(store, value));
    let facts = (object.id, about.meta, about.stub, about.container, object.line);
    format!("{facts:?} {names:?} {} {held:?}", graph.identifier(at))
}

/// A value with all that it holds, configs by their position.
fn shown(store: &Store, value: Value) -> String {
    let many = |values: Vec<String>| values.join(",");
    match value {
        Value::BigInt(text) | Value::Str(text) | Value::Path(text) => {
            let kind = format!("{value:?}");
            format!("{}{:?}", kind.split('(').next().unwrap_or_default(), store.bytes(text))
        }
        Value::Enum(at) => {
            let member = store.enum_member(at).unwrap();
            format!(
                "Enum{:?}",
                [member.module, member.class, member.name].map(|name| store.symbol_bytes(name))
            )
        }
        Value::List(items) => {
            format!("[{}]", many(store.items(items).map(|item| shown(store, item)).collect()))
        }
        Value::Set(items) => {
            format!("{{{}}}", many(store.items(items).map(|item| shown(store, item)).collect()))
        }
        Value::Dict(record) => {
            let entry = |(key, value)| format!("{:?}:{}", store.symbol_bytes(key), shown(store, value));
            format!("{{{}}}", many(store.entries(record).map(entry).collect()))
        }
        Value::Unresolved(at) => format!("{:?}", store.unresolved(at)),
        Value::Float(value) if value.is_nan() => "NaN".to_owned(),
        Value::Float(value) => format!("Float({:?})", value.to_bits()),
        _ => format!("{value:?}"),
    }
}

/// The table has a row for each job, and arrays that Arrow finds whole.
fn check_table(loaded: &Arc<LoadedRun>) {
    let request = TableRequest {
        runs: vec![Arc::clone(loaded)],
        several_runs: true,
        distinct: false,
        tasks: None,
        results: Vec::new(),
        selection: Selection::Default,
        max_columns: 500,
        short_names: false,
        layout: StringLayout::View,
        zone: Zone::named("UTC").unwrap(),
        keep_bytes: u64::MAX,
        scope: xpframe::scan::Scope::default(),
    };
    match request.read() {
        Ok(table) => {
            let rows: usize = table.batches.iter().map(|batch| batch.num_rows()).sum();
            assert_eq!(rows, loaded.rows().rows.len());
            for column in table.batches.iter().flat_map(|batch| batch.columns()) {
                column.to_data().validate_full().unwrap();
            }
        }
        Err(error) => assert!(matches!(error.kind(), ErrorKind::TooManyColumns), "{error}"),
    }
}

/// Whoever follows references comes to an end.
fn assert_no_circle(graph: &Graph) {
    let mut done: HashMap<ObjectIx, bool> = HashMap::new();
    for start in 0..graph.len() {
        let mut path = vec![(ObjectIx(u32::try_from(start).unwrap()), None)];
        while let Some((at, left)) = path.last_mut() {
            let at = *at;
            let left: &mut Vec<ObjectIx> = left.get_or_insert_with(|| {
                let mut held = Vec::new();
                if done.insert(at, false).is_none() {
                    graph.each_reference(at, |value| {
                        if let Value::Object(next) = value {
                            held.push(next);
                        }
                    });
                }
                held
            });
            match left.pop() {
                Some(next) => match done.get(&next) {
                    Some(true) => {}
                    Some(false) => panic!("object {next:?} holds itself"),
                    None => path.push((next, None)),
                },
                None => {
                    done.insert(at, true);
                    path.pop();
                }
            }
        }
    }
}
