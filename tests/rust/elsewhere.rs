//! Where a job is found when objects.jsonl is wrong, lacks it, or is not there yet.

use std::fs;

use xpframe::error::ErrorKind;
use xpframe::values::Value;

use super::lab::*;

/// A job that the run's file lacks is read from its params.json, whose last object it is.
#[test]
fn jobs_without_a_line_are_read_from_their_params() {
    let lab = Lab::with(&["a", "b"], &[object(1, "Train", "b", "\"x\":1")]);
    lab.params(
        "a",
        params_of(&[
            object(1, "Model", "m", "\"size\":2"),
            object(2, "Train", "a", &format!("\"model\":{}", to(1))),
        ]),
    );
    let loaded = lab.good();
    assert_eq!(order(&loaded), ["b", "a"], "those found elsewhere come last");
    assert_eq!(config(&loaded, "a"), "{model: @m}");
    assert_eq!(config(&loaded, "b"), "{x: 1}", "ids mean something only inside of their file");
    let graph = &loaded.objects().graph;
    let (file, line) = graph.location(loaded.job("a").unwrap());
    assert_eq!((file, line), (lab.path(&format!("jobs/{TASK}/a/params.json")).as_path(), 0));
}

/// A params.json that is missing, empty, cut or of another job is an error of that job, which keeps its row.
#[test]
fn wrong_params_are_told_of_their_job() {
    let lab = Lab::new();
    lab.jobs(RUN, &["none", "empty", "cut", "other", "nothing", "partly"]);
    lab.params("empty", "");
    lab.params("cut", r#"{"objects": [{"id": 1, "#);
    lab.params("other", params_of(&[object(1, "Train", "none", "")]));
    lab.params("nothing", "{}");
    lab.params("partly", params_of(&["{\"id\": 3}".to_owned(), object(1, "Train", "partly", "")]));
    let loaded = lab.load(RUN);
    assert_eq!(order(&loaded), ["partly"]);
    assert_eq!(loaded.rows().rows.len(), 6);
    let expected = [
        "none/params.json, job none: cannot be read: No such file or directory (os error 2) \
         (the job's parameters are null; it may never have started)",
        "empty/params.json, job empty: the file is empty (its object could not be written)",
        "cut/params.json, job cut: the JSON value is not finished (a file that is being written, or was cut), at byte 24",
        "other/params.json, job other: its last object is not the job",
        "nothing/params.json, job nothing: it holds no object",
        "partly/params.json, job partly: an object definition without \"identifier\" \
         (it is left out; jobs that refer to it have null there)",
    ];
    assert_eq!(lab.told(&loaded), expected.map(|told| format!("jobs/{TASK}/{told}")));
}

/// A reference that the run's file lacks is found in the params.json of the job, if the same process wrote both.
#[test]
fn missing_objects_are_found_in_params() {
    let job = object(1, "Train", "j", &format!("\"a\":{},\"b\":{}", to(8), to(9)));
    let next = object(2, "Train", "k", &format!("\"a\":{}", to(8)));
    let lines = [object(9, "Leaf", "nine", ""), job.clone(), next.clone()];
    let lab = Lab::with(&["j", "k"], &lines);
    let inner = object(7, "Leaf", "seven", "");
    let eight = object(8, "Leaf", "eight", &format!("\"in\":{}", to(7)));
    lab.params("j", params_of(&[inner, eight, lines[0].clone(), job]));
    let loaded = lab.good();
    assert_eq!(config(&loaded, "j"), "{a: @eight, b: @nine}");
    let graph = &loaded.objects().graph;
    let get = |job: &str, name: &str| graph.field(loaded.job(job).unwrap(), name);
    assert_eq!(get("j", "a"), get("k", "a"), "what was found for one job is there for the others");
    assert_eq!(graph.len(), 5, "objects that the run's file has are not read again");
}

/// So is the task that produced a config.
#[test]
fn missing_tasks_are_found_in_params() {
    let made = object_with(2, "Leaf", "two", "\"task\":8,", "");
    let job = object(1, "Train", "j", &format!("\"a\":{}", to(2)));
    let lab = Lab::with(&["j"], &[made.clone(), job.clone()]);
    lab.params("j", params_of(&[object(8, "Train", "eight", ""), made, job]));
    let loaded = lab.good();
    let graph = &loaded.objects().graph;
    let Some(Value::Object(two)) = graph.field(loaded.job("j").unwrap(), "a") else { panic!("no config") };
    let Value::Object(task) = graph.task(two) else { panic!("no task") };
    assert_eq!(graph.identifier(task), "eight");
}

/// A reference that no file holds is an error that names the line, the job and the id; ids of another process do not count.
#[test]
fn dangling_references_are_told() {
    let lab = Lab::with(&["j"], &[object(1, "Train", "j", &format!("\"a\":{},\"b\":1", to(8)))]);
    // written by another process: the job has another id there
    lab.params(
        "j",
        params_of(&[object(8, "Leaf", "leaf", ""), object(2, "Train", "j", &format!("\"a\":{}", to(8)))]),
    );
    let loaded = lab.load(RUN);
    assert_eq!(config(&loaded, "j"), "{a: missing 8, b: 1}");
    let told = format!(
        "experiments/grid/{RUN}/objects.jsonl:1, job j: refers to object 8, which no file holds \
         (its columns are null; the object was lost when the experiment was written)"
    );
    assert_eq!(lab.told(&loaded), [told]);
    assert_eq!(loaded.errors()[0].kind(), ErrorKind::Unresolved);
}

/// A workspace in which job `j` refers to an id that an action has, and means a leaf of its own: the id was given to both.
fn with_reused_id(first: &[String]) -> Lab {
    let job = object(1, "Train", "j", &format!("\"leaf\":{}", to(8)));
    let lab = Lab::with(&["i", "j"], &[first, &[object(2, "Train", "i", ""), job.clone()]].concat());
    lab.params("i", params_of(&[object(2, "Train", "i", "")]));
    lab.params("j", params_of(&[object(8, "Leaf", "leaf", "\"x\":1"), job]));
    lab
}

/// Where Python gave the id of a freed action to another object, the job's params.json tells what it really refers to.
#[test]
fn reused_ids_are_corrected() {
    // the action was replaced by an equal one
    let lab = with_reused_id(&[object(8, "Export", "action", ""), object(9, "Export", "action", "")]);
    let loaded = lab.load(RUN);
    assert_eq!(config(&loaded, "j"), "{leaf: @leaf}");
    assert_eq!(config(&loaded, "i"), "{}");
    let told = format!(
        "experiments/grid/{RUN}/objects.jsonl:4, job j: refers to object 8, an unrelated lab.Export: \
         Python gave the id to two objects (the job was read from its params.json instead)"
    );
    assert_eq!(lab.told(&loaded), [told]);
}

/// Without a params.json nobody can tell that an id was reused.
#[test]
fn reused_ids_need_a_witness() {
    let lab = with_reused_id(&[object(8, "Export", "action", ""), object(9, "Export", "action", "")]);
    fs::remove_file(lab.path(&format!("jobs/{TASK}/j/params.json"))).unwrap();
    assert_eq!(config(&lab.good(), "j"), "{leaf: @action}");
}

/// The job keeps the object of the run's file where its params.json agrees, or was written by another process.
#[test]
fn ids_that_were_not_reused_are_left_alone() {
    let job = object(1, "Train", "j", &format!("\"leaf\":{}", to(8)));
    let lines = [object(8, "Leaf", "leaf", ""), object(2, "Train", "i", ""), job.clone()];
    let agreeing = Lab::with(&["i", "j"], &lines);
    agreeing.params("j", params_of(&[object(8, "Leaf", "leaf", ""), job.clone()]));
    let of_another = Lab::with(&["i", "j"], &lines);
    let later = object(3, "Train", "j", &format!("\"leaf\":{}", to(8)));
    of_another.params("j", params_of(&[object(8, "Export", "other", ""), later]));
    for lab in [agreeing, of_another] {
        let loaded = lab.good();
        assert_eq!(config(&loaded, "j"), "{leaf: @leaf}");
        assert_eq!(definition(&loaded, "j").line, 3);
    }
}

/// configs.json names its jobs; a reference of 2.1 to 2.2 is as good as a line of objects.jsonl.
#[test]
fn configs_json_names_its_jobs() {
    let lab = Lab::new();
    lab.jobs(RUN, &["a", "b"]);
    let objects = [
        object(1, "Train", "b", "\"x\":1"),
        object(2, "Train", "a", "\"x\":2"),
        object(3, "Train", "a", "\"x\":3"),
    ];
    let data = format!("{{\"a\":{},\"b\":{},\"gone\":{},\"odd\":3}}", to(2), to(1), to(1));
    lab.run_file(
        RUN,
        "configs.json",
        format!("{{\"objects\":[{}],\"data\":{data},\"tags\":{{}}}}", objects.join(",")),
    );
    let loaded = lab.good();
    assert_eq!(order(&loaded), ["a", "b"]);
    assert_eq!(config(&loaded, "a"), "{x: 2}");
}

/// state.json lists its jobs, with their tags and what they need.
#[test]
fn state_json_lists_its_jobs() {
    let lab = Lab::new();
    let objects =
        [object(1, "Train", "a", "\"x\":1"), object(2, "Train", "b", &format!("\"from\":{}", to(1)))];
    let row = |id: &str, task: i64, needs: &str| {
        let path = format!("/old/jobs/{TASK}/{id}");
        format!(
            r#"{{"id":"{id}","path":"{path}","task":{},"tags":{{"lr":0.1}},"depends_on":[{needs}]}}"#,
            to(task)
        )
    };
    let rows = [row("b", 2, r#""a","external""#), row("a", 1, "")].join(",");
    lab.run_file(RUN, "state.json", format!("{{\"objects\":[{}],\"data\":[{rows},3]}}", objects.join(",")));
    let loaded = lab.load(RUN);
    assert_eq!(order(&loaded), ["b", "a"]);
    assert_eq!(config(&loaded, "b"), "{from: @a}");
    let reasons: Vec<String> = loaded.errors().iter().map(|error| error.reason().to_owned()).collect();
    assert_eq!(reasons, ["item 2 of \"data\" is no job: it lacks \"id\" or a \"path\" below jobs/"]);
    let needs = loaded.all_dependencies();
    assert_eq!(needs.keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!(needs["b"], ["a", "external"]);
}

/// A file that is one value and is broken is an error, and the jobs are read from their own files.
#[test]
fn a_broken_configs_json_leaves_the_params() {
    let lab = Lab::new();
    lab.jobs(RUN, &["a"]);
    lab.run_file(RUN, "configs.json", "{\"objects\":[");
    lab.params("a", params_of(&[object(1, "Train", "a", "\"x\":1")]));
    let loaded = lab.load(RUN);
    assert_eq!(config(&loaded, "a"), "{x: 1}");
    let told = "the JSON value is not finished (a file that is being written, or was cut), at byte 13";
    assert_eq!(lab.told(&loaded), [format!("experiments/grid/{RUN}/configs.json: {told}")]);
}
