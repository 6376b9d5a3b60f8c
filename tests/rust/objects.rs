//! The object graph: what encodes what, and who refers to whom.

use std::collections::HashSet;

use xpframe::error::ErrorKind;
use xpframe::loaded::LoadedRun;
use xpframe::objects::{SavedObject, same_content};
use xpframe::records::JobRow;
use xpframe::values::{ObjectIx, Value};

use super::lab::*;

/// What a field that is written like this holds.
fn field(written: &str) -> String {
    let lab = Lab::with(
        &["j"],
        &[object(7, "Leaf", "leaf", ""), object(1, "Train", "j", &format!("\"x\":{written}"))],
    );
    let loaded = lab.good();
    let graph = &loaded.objects().graph;
    shown(graph, graph.field(loaded.job("j").unwrap(), "x").unwrap())
}

/// A dict means something else only if it has exactly the keys of an encoding and values of the right types; a user's dict stays.
#[test]
fn encodings_are_told_by_their_exact_keys() {
    let mut seen = 0;
    for (written, meaning) in [
        (r#"{"type":"python","value":7}"#, "@leaf"),
        (r#"{"value":7,"type":"python"}"#, "@leaf"),
        (r#"{"type":"python","value":7,"x":1}"#, r#"{type: "python", value: 7, x: 1}"#),
        (r#"{"type":"python","value":"7"}"#, r#"{type: "python", value: "7"}"#),
        (r#"{"type":"python","value":7.0}"#, r#"{type: "python", value: 7.0}"#),
        (r#"{"type":"python","value":true}"#, r#"{type: "python", value: true}"#),
        (r#"{"type":"python"}"#, r#"{type: "python"}"#),
        (r#"{"type":"python","items":7}"#, r#"{type: "python", items: 7}"#),
        (r#"{"type":"path","value":"/a/b"}"#, "path /a/b"),
        (r#"{"type":"path","value":1}"#, r#"{type: "path", value: 1}"#),
        (r#"{"type":"path","value":"a","base":"home"}"#, r#"{type: "path", value: "a", base: "home"}"#),
        (r#"{"type":"path","value":"a","base":"job"}"#, r#"{type: "path", value: "a", base: "job"}"#),
        (r#"{"type":"path","value":"a","folder":true}"#, r#"{type: "path", value: "a", folder: true}"#),
        (r#"{"type":"path.serialized","value":"/a","is_folder":true}"#, "path /a"),
        (r#"{"is_folder":false,"value":"a","type":"path.serialized"}"#, "path a"),
        (r#"{"type":"path.serialized","value":"/a"}"#, r#"{type: "path.serialized", value: "/a"}"#),
        (
            r#"{"type":"path.serialized","value":"/a","is_folder":1}"#,
            r#"{type: "path.serialized", value: "/a", is_folder: 1}"#,
        ),
        (r#"{"type":"enum","module":"lab","enum":"Outer.Mode","value":"FAST"}"#, "enum lab:Outer.Mode.FAST"),
        (r#"{"value":"FAST","enum":"Mode","module":"lab","type":"enum"}"#, "enum lab:Mode.FAST"),
        (r#"{"type":"enum","enum":"Mode","value":"FAST"}"#, r#"{type: "enum", enum: "Mode", value: "FAST"}"#),
        (
            r#"{"type":"enum","module":"lab","enum":"Mode","value":1}"#,
            r#"{type: "enum", module: "lab", enum: "Mode", value: 1}"#,
        ),
        (r#"{"type":"set","items":[2,1,2]}"#, "set [2, 1, 2]"),
        (r#"{"type":"set","items":[]}"#, "set []"),
        (r#"{"type":"set","items":{}}"#, r#"{type: "set", items: {}}"#),
        (r#"{"type":"set","value":[1]}"#, r#"{type: "set", value: [1]}"#),
        (r#"{"type":"adam","lr":1}"#, r#"{type: "adam", lr: 1}"#),
        (r#"{"type":{"type":"path","value":"a"},"value":7}"#, "{type: path a, value: 7}"),
        (r#"{"Type":"python","value":7}"#, r#"{Type: "python", value: 7}"#),
        (r#"{"\u0074ype":"pyth\u006fn","value":7}"#, "@leaf"),
        (r#"[{"a":{"type":"set","items":[{"type":"python","value":7}]}}]"#, "[{a: set [@leaf]}]"),
        ("{}", "{}"),
    ] {
        assert_eq!(field(written), meaning, "{written}");
        seen += 1;
    }
    assert_eq!(seen, 31);
}

/// The fields of a config are its fields, even if they are called like an encoding.
#[test]
fn fields_are_never_an_encoding() {
    let lab = Lab::with(&["j"], &[object(1, "Train", "j", r#""type":"path","value":"/x""#)]);
    assert_eq!(config(&lab.good(), "j"), r#"{type: "path", value: "/x"}"#);
}

/// Numbers, text and keys come back as Python wrote them.
#[test]
fn scalars_are_kept_as_they_are() {
    for (written, meaning) in [
        ("[null,true,false]", "[None, true, false]"),
        ("[9223372036854775807,-9223372036854775808]", "[9223372036854775807, -9223372036854775808]"),
        ("[18446744073709551616]", "[big 18446744073709551616]"),
        ("[1.0,-0.0,1e16,5e-324]", "[1.0, -0.0, 1e16, 5e-324]"),
        ("[NaN,Infinity,-Infinity]", "[NaN, inf, -inf]"),
        (r#""\u00e9\n\"""#, r#""é\n\"""#),
        (r#""\ud800""#, r#""\\ud800""#),
        (r#"{"b":1,"a":2,"b":3}"#, "{b: 3, a: 2}"),
        (r#"{"":1,"\u0061.b@c":2}"#, "{: 1, a.b@c: 2}"),
    ] {
        assert_eq!(field(written), meaning, "{written}");
    }
}

/// Paths have the form that pathlib would give them.
#[test]
fn paths_are_tidied_as_pathlib_does() {
    for (written, tidied) in [
        ("a//b/./c/", "a/b/c"),
        ("", "."),
        (".", "."),
        ("./", "."),
        ("/", "/"),
        ("//", "//"),
        ("//a", "//a"),
        ("///a//b", "/a/b"),
        ("/..", "/.."),
        ("a/../b", "a/../b"),
        ("~/x", "~/x"),
        ("C:\\\\data", "C:\\data"),
        ("\\udc80/x", "\\udc80/x"),
    ] {
        assert_eq!(field(&format!(r#"{{"type":"path","value":"{written}"}}"#)), format!("path {tidied}"));
    }
}

/// Paths below a root that the files recorded are moved to where the workspace is now; others are left alone.
#[test]
fn paths_move_with_the_workspace() {
    let written = |path: &str| format!(r#"{{"type":"path","value":"{path}"}}"#);
    let all = ["/old/ws/jobs/x", "/old/ws", "/old/wsx/y", "/other", "old/ws/z"].map(written).join(",");
    let lab = Lab::with(&["j"], &[object(1, "Train", "j", &format!("\"x\":[{all}]"))]);
    lab.params("j", r#"{"workspace": "/old/ws/", "objects": []}"#);
    let now = lab.path("").display().to_string();
    let now = now.trim_end_matches('/');
    let expected =
        format!("{{x: [path {now}/jobs/x, path {now}, path /old/wsx/y, path /other, path old/ws/z]}}");
    assert_eq!(config(&lab.good(), "j"), expected);
}

/// In a params.json a path may be relative to the job's directory or to the workspace.
#[test]
fn paths_of_params_have_a_base() {
    let lab = Lab::new();
    lab.jobs(RUN, &["j"]);
    let base = |value: &str, base: &str| format!(r#"{{"type":"path","value":"{value}","base":"{base}"}}"#);
    let all = [base("out.txt", "job"), base("data/./x", "workspace"), base("/abs", "job"), base("a", "b")];
    lab.params("j", params_of(&[object(1, "Train", "j", &format!("\"x\":[{}]", all.join(",")))]));
    let now = lab.path("").display().to_string();
    let expected = format!(
        "{{x: [path {now}jobs/{TASK}/j/out.txt, path {now}data/x, path /abs, {{type: \"path\", value: \"a\", base: \"b\"}}]}}"
    );
    assert_eq!(config(&lab.good(), "j"), expected);
}

/// Configs are shared by id: equal ones with other ids are other objects.
#[test]
fn sharing_is_by_id() {
    let both = format!("\"model\":{},\"again\":[{}],\"equal\":{}", to(10), to(10), to(11));
    let lab = Lab::with(
        &["a", "b"],
        &[
            object(10, "Model", "m", "\"size\":1"),
            object(11, "Model", "m", "\"size\":1"),
            object(1, "Train", "a", &both),
            object(2, "Train", "b", &format!("\"model\":{}", to(10))),
        ],
    );
    let loaded = lab.good();
    let graph = &loaded.objects().graph;
    let get = |job: &str, name: &str| graph.field(loaded.job(job).unwrap(), name).unwrap();
    assert_eq!(get("a", "model"), get("b", "model"));
    assert_ne!(get("a", "model"), get("a", "equal"));
    let (Value::Object(one), Value::Object(other)) = (get("a", "model"), get("a", "equal")) else { panic!() };
    assert!(same_content((graph, one), (graph, other)));
    assert_eq!(config(&loaded, "a"), "{model: @m, again: [@m], equal: @m}");
    let classes: HashSet<_> = graph.indices().map(|object| graph.about(object).class).collect();
    assert_eq!((graph.len(), classes.len()), (4, 2));
}

/// A reference may come before its object, and names it all the same.
#[test]
fn forward_references_are_resolved() {
    let lab = Lab::with(
        &["j"],
        &[
            object(1, "Train", "j", &format!("\"model\":{},\"all\":{{\"a\":[{}]}}", to(2), to(3))),
            object(2, "Model", "m", &format!("\"part\":{}", to(3))),
            object(3, "Part", "p", ""),
        ],
    );
    let loaded = lab.good();
    assert_eq!(config(&loaded, "j"), "{model: @m, all: {a: [@p]}}");
    let graph = &loaded.objects().graph;
    assert_eq!(fields(graph, ObjectIx(1)), "{part: @p}");
}

/// A long chain of forward references is followed without recursion.
#[test]
fn a_chain_of_forward_references_may_be_long() {
    const LENGTH: i64 = 50_000;
    let mut lines = vec![object(0, "Train", "j", &format!("\"next\":{}", to(1)))];
    lines.extend((1..LENGTH).map(|at| object(at, "Link", "l", &format!("\"next\":{}", to(at + 1)))));
    lines.push(object(LENGTH, "End", "end", ""));
    let loaded = Lab::with(&["j"], &lines).good();
    let graph = &loaded.objects().graph;
    let step = |at: &ObjectIx| match graph.field(*at, "next") {
        Some(Value::Object(next)) => Some(next),
        _ => None,
    };
    let chain: Vec<ObjectIx> = std::iter::successors(loaded.job("j"), step).collect();
    assert_eq!(chain.len(), 50_001);
    assert_eq!(graph.typename(chain[50_000]), "lab.End");
}

/// Fields that go round in a circle are cut where they close it, and everything that follows references ends.
#[test]
fn circles_are_cut() {
    let circle = [
        object(2, "A", "a", &format!("\"b\":{}", to(3))),
        object(3, "B", "b", &format!("\"a\":{},\"self\":{}", to(2), to(3))),
        object(1, "Train", "j", &format!("\"a\":{},\"me\":{}", to(2), to(1))),
    ];
    let lab = Lab::with(&["j"], &circle);
    let loaded = lab.load(RUN);
    let graph = &loaded.objects().graph;
    assert_eq!(config(&loaded, "j"), "{a: @a, me: missing 1}");
    assert_eq!(fields(graph, ObjectIx(0)), "{b: missing 3}");
    assert_eq!(fields(graph, ObjectIx(1)), "{a: @a, self: missing 3}");
    let Some(Value::Unresolved(me)) = graph.field(loaded.job("j").unwrap(), "me") else { panic!() };
    assert!(graph.store.unresolved(me).cyclic);
    assert!(loaded.all_dependencies().is_empty());
    let root = loaded.job("j").unwrap();
    assert!(same_content((graph, root), (graph, root)));
}

/// A circle through init tasks is cut as one through fields.
#[test]
fn circles_of_init_tasks_are_cut() {
    let lines = [
        object_with(1, "Train", "j", "\"init-tasks\":[1,2],", ""),
        object_with(2, "Init", "i", "\"init-tasks\":[1],", ""),
    ];
    let lab = Lab::with(&["j"], &lines);
    let loaded = lab.load(RUN);
    let graph = &loaded.objects().graph;
    let mut held = Vec::new();
    graph.each_reference(loaded.job("j").unwrap(), |value| held.push(value));
    assert_eq!(held.iter().filter(|value| matches!(value, Value::Object(_))).count(), 0);
    assert_eq!(held.len(), 2);
}

/// How much a config is when what is shared is written each time is known without writing it.
#[test]
fn shared_configs_are_counted_each_time() {
    let mut lines = vec![object(1, "Part", "p1", "\"size\":1")];
    lines.extend((2..=90).map(|id| {
        object(id, "Part", &format!("p{id}"), &format!("\"a\":{},\"b\":{}", to(id - 1), to(id - 1)))
    }));
    lines.push(object(100, "Train", "j", &format!("\"x\":{},\"y\":[{}]", to(2), to(2))));
    let lab = Lab::with(&["j"], &lines);
    let loaded = lab.load(RUN);
    let graph = &loaded.objects().graph;
    // a part: itself, its size; two of them and the record around them; twice that, with the list
    assert_eq!(graph.unfolded(ObjectIx(0)), 2);
    assert_eq!(graph.unfolded(ObjectIx(1)), 7);
    assert_eq!(graph.unfolded(loaded.job("j").unwrap()), 18);
    assert_eq!(graph.unfolded(ObjectIx(89)), u64::MAX);
}

/// Many missing objects are told one by one, then together.
#[test]
fn many_dangling_references_are_told_together() {
    let fields: Vec<String> = (100..150).map(|id| format!("\"f{id}\":{}", to(id))).collect();
    let lab = Lab::with(&["j"], &[object(1, "Train", "j", &fields.join(","))]);
    let loaded = lab.load(RUN);
    loaded.read(true);
    let errors = loaded.errors();
    assert_eq!(errors.len(), 11);
    assert_eq!(errors[0].reason(), "refers to object 100, which no file holds");
    assert_eq!(errors[10].reason(), "refers to more objects that no file holds");
}

/// A task that names itself as its producer is no circle.
#[test]
fn a_task_may_be_its_own_producer() {
    let lines = [object_with(1, "Train", "j", "\"task\":1,", ""), object_with(2, "Train", "k", "", "")];
    let loaded = Lab::with(&["j", "k"], &lines).good();
    let task = |job| loaded.objects().graph.task(loaded.job(job).unwrap());
    assert_eq!(task("j"), Value::Object(loaded.job("j").unwrap()));
    assert_eq!(task("k"), Value::Null);
}

/// An id that is given twice is an error if the objects differ; references that come later name the second.
#[test]
fn ids_given_twice_are_told() {
    let lab = Lab::with(
        &["j", "k"],
        &[
            object(5, "Leaf", "first", ""),
            object(1, "Train", "j", &format!("\"x\":{}", to(5))),
            object(5, "Leaf", "second", ""),
            object(2, "Train", "k", &format!("\"x\":{}", to(5))),
        ],
    );
    let loaded = lab.load(RUN);
    assert_eq!((config(&loaded, "j"), config(&loaded, "k")), ("{x: @first}".into(), "{x: @second}".into()));
    let told = format!(
        "experiments/grid/{RUN}/objects.jsonl:3: id 5 is given to a second object; later references name the second"
    );
    assert_eq!(lab.told(&loaded), [told]);
    let same = [object(5, "Leaf", "one", ""), object(5, "Leaf", "one", ""), object(1, "Train", "j", "")];
    Lab::with(&["j"], &same).good();
}

/// Of several objects with the identifier of a job the last one is the job, at the place of the first.
#[test]
fn the_last_of_several_is_the_job() {
    let lab = Lab::with(
        &["c", "b", "a"],
        &[
            object(1, "Train", "a", "\"x\":1"),
            object(2, "Train", "b", "\"x\":2"),
            object(3, "Train", "a", "\"x\":3"),
            object(4, "Train", "c", "\"x\":4"),
            object(5, "Train", "unknown", "\"x\":5"),
        ],
    );
    let loaded = lab.good();
    assert_eq!(order(&loaded), ["a", "b", "c"]);
    assert_eq!(config(&loaded, "a"), "{x: 3}");
    assert!(loaded.job("unknown").is_none());
}

/// Actions are found as jobs are; one whose object is missing is left out.
#[test]
fn actions_come_in_the_order_of_their_objects() {
    let lab = Lab::with(
        &["j"],
        &[
            object(1, "Export", "second", "\"x\":1"),
            object(2, "Train", "j", ""),
            object(3, "Export", "first", "\"x\":2"),
            object(4, "Export", "second", "\"x\":3"),
        ],
    );
    let status = r#"{"ended_at": "2026-01-01T00:00:00", "actions": {"first": {}, "lost": {}, "second": {}}}"#;
    lab.run_file(RUN, "status.json", status);
    let loaded = lab.good();
    let found: Vec<String> = loaded
        .actions()
        .iter()
        .map(|(identifier, &at)| format!("{identifier} {}", fields(&loaded.objects().graph, at)))
        .collect();
    assert_eq!(found, ["second {x: 3}", "first {x: 2}"]);
}

/// Meta flags, stubs, producers, init tasks and identifiers of two parts are read; keys of the wrong type count as absent.
#[test]
fn definitions_have_more_than_fields() {
    let odd = r#"{"id":3,"typename":"lab.Old","identifier":{"sub":null,"main":"old"},"fields":{},"meta":1,"task":"x"}"#;
    let unnamed =
        r#"{"id":4,"module":"lab","type":"Outer.Inner","identifier":"inner","fields":{},"pre-tasks":[1]}"#;
    let lab = Lab::with(
        &["j", "s", "old", "inner"],
        &[
            object(1, "Load", "load", ""),
            object_with(2, "Train", "j", "\"meta\":true,\"task\":1,\"init-tasks\":[1,99],", "\"x\":1"),
            object_with(5, "Train", "s", "\"stub\":true,", ""),
            odd.to_owned(),
            unnamed.to_owned(),
        ],
    );
    let loaded = lab.load(RUN);
    let graph = &loaded.objects().graph;
    let at = |job| loaded.job(job).unwrap();
    let (job, about) = (graph.object(at("j")), graph.about(at("j")));
    assert_eq!((job.id, about.meta, about.stub, job.line), (2, true, false, 2));
    assert_eq!(
        (shown(graph, graph.task(at("j"))), shown(graph, about.init_tasks)),
        ("@load".into(), "[@load, missing 99]".into())
    );
    let stub = graph.about(at("s"));
    assert!(stub.stub && !stub.meta);
    let (task, old) = (graph.task(at("old")), graph.about(at("old")));
    assert_eq!((old.meta, task, graph.object(at("old")).line), (false, Value::Null, 4));
    let class = graph.class(old.class);
    assert_eq!(
        [class.module, class.name, class.typename].map(|it| graph.store.symbol(it)),
        ["", "lab.Old", "lab.Old"]
    );
    assert_eq!(graph.typename(loaded.job("inner").unwrap()), "lab.Outer.Inner");
}

/// A line that is no definition costs that line: the error has its number, and the others are read.
#[test]
fn wrong_lines_are_told_and_left_out() {
    let lab = Lab::new();
    lab.jobs(RUN, &["j"]);
    let good = object(1, "Train", "j", "\"x\":1");
    let mut lines: Vec<Vec<u8>> = [
        "[1]",
        r#"{"typename":"lab.A","identifier":"a","fields":{}}"#,
        r#"{"id":9,"typename":"lab.A","fields":{}}"#,
        r#"{"id":9,"typename":"lab.A","identifier":"a"}"#,
        r#"{"id":9,"identifier":"a","fields":{}}"#,
        r#"{"id":1.5,"typename":"lab.A","identifier":"a","fields":{}}"#,
        "",
        r#"{"id":9,"fields":{"x":01}}"#,
        &format!("{good} {good}"),
        &good,
    ]
    .map(|line| line.as_bytes().to_vec())
    .into();
    lines.insert(9, b"{\"id\":9,\"x\":\"\xFF\"}".to_vec());
    lines.push(good.as_bytes()[..40].to_vec());
    lab.run_file(RUN, "objects.jsonl", lines.join(&b'\n'));
    let loaded = lab.load(RUN);
    assert_eq!(config(&loaded, "j"), "{x: 1}");
    let left_out = "(it is left out; jobs that refer to it have null there)";
    let expected = [
        "1: a dict was expected, at byte 1".to_owned(),
        format!("2: an object definition without \"id\" {left_out}"),
        format!("3: an object definition without \"identifier\" {left_out}"),
        format!("4: an object definition without \"fields\" {left_out}"),
        format!("5: an object definition without \"typename\" {left_out}"),
        format!("6: an object definition without \"id\" {left_out}"),
        "8: a number has a leading zero, at byte 23".to_owned(),
        format!("9: more text after the value, at byte {}", good.len() + 2),
        "10: the line is not UTF-8".to_owned(),
        "12: the JSON value is not finished (a file that is being written, or was cut), at byte 41"
            .to_owned(),
    ];
    let expected = expected.map(|told| format!("experiments/grid/{RUN}/objects.jsonl:{told}"));
    assert_eq!(lab.told(&loaded), expected);
}

/// A job needs the jobs that it holds and those that produced what it holds, at any depth, but not what those need.
#[test]
fn dependencies_are_rebuilt_from_the_graph() {
    let lab = Lab::with(
        &["prepare", "train", "test", "init"],
        &[
            object(1, "Prepare", "prepare", ""),
            object(2, "Train", "train", &format!("\"data\":{}", to(1))),
            object_with(3, "Output", "output", "\"task\":2,", ""),
            object(4, "Wrap", "wrap", &format!("\"in\":[{{\"x\":{}}}]", to(3))),
            object(6, "Init", "init", ""),
            object_with(5, "Test", "test", "\"task\":5,\"init-tasks\":[6],", &format!("\"wrap\":{}", to(4))),
        ],
    );
    let loaded = lab.good();
    let needs = loaded.all_dependencies();
    assert_eq!(needs["train"], ["prepare"]);
    assert_eq!(needs["test"], ["init", "train"]);
    assert_eq!(needs.len(), 2);
}

/// Configs that several jobs share add their jobs to each of them, also in lists that hold more jobs than are memoized.
#[test]
fn shared_configs_add_their_jobs_to_each_job() {
    let seeds: Vec<String> = (0..100).map(|seed| format!("seed{seed:02}")).collect();
    let list = |ids: std::ops::Range<i64>| ids.map(to).collect::<Vec<_>>().join(",");
    let mut lines: Vec<String> = (0..).zip(&seeds).map(|(id, seed)| object(id, "Seed", seed, "")).collect();
    lines.extend([
        object(200, "Few", "few", &format!("\"jobs\":[{}]", list(3..6))),
        object(201, "All", "all", &format!("\"jobs\":[{}],\"few\":{}", list(0..100), to(200))),
        object(202, "Wrap", "wrap", &format!("\"few\":{},\"one\":{}", to(200), to(5))),
        object(203, "Bare", "bare", ""),
        object(300, "Train", "a", &format!("\"x\":{},\"y\":{},\"z\":{}", to(202), to(9), to(203))),
        object(301, "Train", "b", &format!("\"x\":{},\"y\":{}", to(201), to(202))),
        object(302, "Train", "c", &format!("\"x\":{},\"y\":{}", to(202), to(300))),
        object(303, "Train", "d", &format!("\"x\":{}", to(201))),
        object(304, "Train", "e", &format!("\"x\":{}", to(203))),
    ]);
    let jobs = seeds.iter().map(String::as_str).chain(["a", "b", "c", "d", "e"]).collect::<Vec<_>>();
    let lab = Lab::with(&jobs, &lines);
    let needs = lab.good().all_dependencies();
    assert_eq!(needs.keys().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    assert_eq!(needs["a"], ["seed03", "seed04", "seed05", "seed09"]);
    assert_eq!(needs["c"], ["a", "seed03", "seed04", "seed05"]);
    assert_eq!((&needs["b"], &needs["d"]), (&seeds, &seeds));
}

fn saved(lab: &Lab, name: &str) -> (String, SavedObject) {
    let saved = lab.load(RUN).saved(name).unwrap();
    (shown(&saved.graph, saved.value), saved)
}

/// A saved object is a config, or a list or dict of them; its files lie beside it.
#[test]
fn saved_objects_are_read() {
    let lab = Lab::with(&[], &[]);
    let model =
        object(1, "Model", "m", r#""weights":{"type":"path.serialized","value":"w/x.pt","is_folder":false}"#);
    let write = |file: &str, data: &str| {
        lab.run_file(RUN, &format!("data/{file}"), format!("{{\"objects\":[{model}],\"data\":{data}}}"));
    };
    write("new/experimaestro.json", &to(1));
    write("new/definition.json", "null");
    write("old/definition.json", &format!("{{\"best\":{},\"1\":{{\"type\":\"set\",\"items\":[2]}}}}", to(1)));
    let (value, SavedObject { graph, value: Value::Object(at) }) = saved(&lab, "new") else { panic!() };
    assert_eq!(value, "@m");
    let directory = lab.path(&format!("experiments/grid/{RUN}/data/new"));
    assert_eq!(fields(&graph, at), format!("{{weights: path {}/w/x.pt}}", directory.display()));
    assert_eq!(saved(&lab, "old").0, "{best: @m, 1: set [2]}");
}

/// What was not saved, or cannot be read, is an error that says what there is.
#[test]
fn saved_objects_that_are_not_there_are_told() {
    let lab = Lab::with(&[], &[]);
    lab.run_file(RUN, "data/best/experimaestro.json", "{\"data\":1}");
    lab.run_file(RUN, "data/empty/experimaestro.json", "{}");
    lab.run_file(RUN, "data/broken/experimaestro.json", "{\"data\":");
    let wrong = |name: &str| {
        let error = lab.load(RUN).saved(name).unwrap_err();
        let root =
            format!("{}/experiments/grid/{RUN}/", lab.path("").display().to_string().trim_end_matches('/'));
        (error.kind(), error.to_string().replace(&root, ""))
    };
    let (kind, told) = wrong("bets");
    assert_eq!(kind, ErrorKind::JobNotFound);
    let there = "(did you mean best? it saved: best, broken, empty)";
    assert_eq!(told, format!("data: run {RUN} of 'grid' saved nothing under the name 'bets' {there}"));
    assert_eq!(wrong("empty").1, "data/empty/experimaestro.json: no \"data\" in a saved object");
    let cut = "the JSON value is not finished (a file that is being written, or was cut), at byte 9";
    assert_eq!(wrong("broken"), (ErrorKind::Format, format!("data/broken/experimaestro.json: {cut}")));
    assert_eq!(wrong("../x").0, ErrorKind::InvalidName);
}

/// Configs are equal by class, identifier and fields, whatever their ids and the order of fields and sets.
#[test]
fn content_is_compared_deeply() {
    let one = |fields: &str| {
        Lab::with(&["j"], &[object(9, "Leaf", "l", "\"y\":NaN"), object(1, "Train", "j", fields)]).good()
    };
    let same = |a: &str, b: &str| {
        let (a, b) = (one(a), one(b));
        let (at, other) = (a.job("j").unwrap(), b.job("j").unwrap());
        same_content((&a.objects().graph, at), (&b.objects().graph, other))
    };
    let set = |items: &str| format!("\"x\":{{\"type\":\"set\",\"items\":[{items}]}}");
    assert!(same("\"x\":1,\"y\":[\"a\",2.5]", "\"y\":[\"\\u0061\",2.5],\"x\":1"));
    assert!(same("\"x\":NaN", "\"x\":NaN"));
    assert!(same(&set("1,2"), &set("2,1")));
    assert!(same(&format!("\"x\":{}", to(9)), &format!("\"x\":{}", to(9))));
    for (a, b) in
        [("1", "1.0"), ("1", "true"), ("0.0", "-0.0"), ("null", "0"), ("[1,2]", "[2,1]"), ("{}", "[]")]
    {
        assert!(!same(&format!("\"x\":{a}"), &format!("\"x\":{b}")), "{a} {b}");
    }
    assert!(!same("\"x\":1", "\"x\":1,\"y\":2"));
}

/// Large dicts and sets are compared member by member, not each with each, in whatever order they stand.
#[test]
fn large_dicts_and_sets_are_compared() {
    let entries: Vec<String> = (0..50_000).map(|at| format!("\"k{at}\":{at}")).collect();
    let items: Vec<String> = (0..50_000).map(|at| format!("[{at},\"x\"]")).collect();
    let set = |items: &[String]| format!("{{\"type\":\"set\",\"items\":[{}]}}", items.join(","));
    let run = |entries: &[String], items: &[String]| {
        let fields = format!("\"d\":{{{}}},\"s\":{}", entries.join(","), set(items));
        let lab = Lab::with(&["j"], &[object(1, "Train", "j", &fields)]);
        let loaded = lab.load(RUN);
        loaded.read(true);
        loaded
    };
    let (mut turned, mut other) = (entries.clone(), items.clone());
    turned.reverse();
    other.rotate_left(777);
    let (a, b) = (run(&entries, &items), run(&turned, &other));
    other[5] = "[0,\"y\"]".to_owned();
    let c = run(&turned, &other);
    let same = |a: &LoadedRun, b: &LoadedRun| {
        same_content((&a.objects().graph, a.job("j").unwrap()), (&b.objects().graph, b.job("j").unwrap()))
    };
    assert!(same(&a, &b) && same(&b, &a));
    assert!(!same(&a, &c) && !same(&c, &a));
}

/// A run is read once: what is there later is seen by a run that is loaded again, and `signature` tells the two apart.
#[test]
fn a_loaded_run_does_not_change() {
    let lab = Lab::with(&["j"], &[object(1, "Train", "j", "\"x\":1")]);
    let loaded = lab.load(RUN);
    assert!(!loaded.is_read());
    let before = loaded.signature();
    loaded.read(true);
    assert!(loaded.is_read());
    lab.objects(RUN, &[object(1, "Train", "j", "\"x\":1234")]);
    assert_eq!(config(&loaded, "j"), "{x: 1}");
    assert_ne!(before, loaded.signature());
    let again = loaded.fresh();
    assert!(!again.is_read());
    assert_eq!(config(&again, "j"), "{x: 1234}");
}

/// A run that grew has the rows that it had, but for a job that was submitted again; the earlier reading stays as it was.
#[test]
fn a_run_that_grew_goes_on_with_its_rows() {
    let rows = |loaded: &LoadedRun| -> Vec<String> {
        let rows = loaded.rows();
        let tags = |row: &JobRow| match rows.store.entries(row.tags.unwrap()).next() {
            Some((_, Value::Int(tag))) => tag,
            _ => -1,
        };
        rows.rows.iter().map(|row| format!("{}{}", rows.job_id(row), tags(row))).collect()
    };
    let job = |id: &str, tag: i32| format!("{id} {TASK} {{\"tag\": {tag}}}");
    let jobs = [job("a", 1), job("b", 2), job("c", 3), job("a", 4), job("d", 5), job("c", 6)];
    let jobs: Vec<&str> = jobs.iter().map(String::as_str).collect();
    let objects: Vec<String> =
        ["a", "b", "c", "d"].iter().zip(1..).map(|(id, at)| object(at, "Train", id, "")).collect();
    let lab = Lab::with(&jobs[..2], &objects[..2]);
    let first = lab.good();
    let grown = |rows, known| {
        lab.jobs(RUN, &jobs[..rows]);
        lab.objects(RUN, &objects[..known]);
    };
    grown(4, 3);
    let second = first.refreshed();
    assert_eq!(rows(&second), ["a4", "b2", "c3"]);
    grown(6, 4);
    let third = second.refreshed();
    third.read(true);
    assert_eq!(rows(&third), ["a4", "b2", "c6", "d5"]);
    assert_eq!(rows(&third), rows(&lab.good()));
    assert_eq!(order(&third), ["a", "b", "c", "d"]);
    assert_eq!(rows(&first), ["a1", "b2"]);
    assert_eq!(rows(&second), ["a4", "b2", "c3"]);
}

/// Reading stops soon after it was asked to, with what it has.
#[test]
fn reading_stops_when_asked() {
    let ids: Vec<String> = (0..5000).map(|at| format!("job{at}")).collect();
    let lines: Vec<String> = ids.iter().zip(0..).map(|(id, at)| object(at, "Train", id, "\"x\":1")).collect();
    let lab = Lab::with(&ids.iter().map(String::as_str).collect::<Vec<_>>(), &lines);
    assert_eq!(lab.good().objects().graph.len(), 5000);
    let loaded = lab.load(RUN);
    loaded.cancel_token().cancel();
    assert!(loaded.rows().rows.len() < 1000, "{}", loaded.rows().rows.len());
    assert!(loaded.objects().graph.len() < 1000, "{}", loaded.objects().graph.len());
    assert_eq!(lab.told(&loaded), [""; 0], "jobs that were not reached are not wrong");
}

/// Threads that ask the same run for the same thing get the same thing.
#[test]
fn threads_share_what_was_read() {
    let lines: Vec<String> = (0..300).map(|at| object(at, "Train", &format!("job{at}"), "\"x\":1")).collect();
    let ids: Vec<String> = (0..300).map(|at| format!("job{at}")).collect();
    let lab = Lab::with(&ids.iter().map(String::as_str).collect::<Vec<_>>(), &lines);
    let loaded = lab.load(RUN);
    let found: Vec<(usize, usize)> = std::thread::scope(|scope| {
        let ask = || {
            let objects = loaded.objects();
            (std::ptr::from_ref(objects) as usize, objects.order.len() + loaded.rows().rows.len())
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(found.len(), 8);
    assert!(found.iter().all(|&one| one == (found[0].0, 600)), "{found:?}");
}
