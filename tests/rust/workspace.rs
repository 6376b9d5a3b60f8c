//! Names on disk: experiments, runs, jobs, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use xpframe::error::ErrorKind;
use xpframe::workspace::{Layout, LinkedJob, Run, Workspace};

/// A temporary directory in which a tree is grown.
struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        path
    }

    fn dir(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn link(&self, name: &str, target: impl AsRef<Path>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    fn workspace(&self) -> Workspace {
        Workspace::open(self.0.path()).unwrap()
    }
}

/// A workspace of 2.x with the named runs of experiment `grid`.
fn grid(runs: &[&str]) -> Tree {
    let tree = Tree::new();
    tree.file(".__experimaestro__");
    for run in runs {
        tree.file(&format!("experiments/grid/{run}/jobs.jsonl"));
    }
    tree
}

fn ids(workspace: &Workspace, experiment: &str) -> Vec<String> {
    workspace.runs(experiment).unwrap().iter().map(|run| run.id().to_owned()).collect()
}

/// The marker, jobs beside the experiments, run files, or the layout of 1.x: each is enough; `experiments/`
/// is not.
#[test]
fn a_workspace_is_recognised_without_its_marker() {
    let marked = Tree::new();
    marked.file(".__experimaestro__");
    let with_jobs = Tree::new();
    with_jobs.dir("experiments");
    with_jobs.dir("jobs");
    let with_run = Tree::new();
    with_run.file("experiments/a/20260101_000000/objects.jsonl");
    let version_1 = Tree::new();
    version_1.dir("xp");
    version_1.dir("jobs");
    for tree in [&marked, &with_jobs, &with_run, &version_1] {
        assert!(Workspace::is_workspace(tree.0.path()));
    }
    let sources = Tree::new();
    sources.file("experiments/train.py");
    assert!(!Workspace::is_workspace(sources.0.path()));
    assert!(Workspace::open(sources.0.path()).is_ok(), "a path given by the user is believed");
}

/// The error names the place, the reason and what would have been accepted, or the workspace around it.
#[test]
fn opening_what_is_no_workspace_says_what_was_expected() {
    let tree = grid(&["20260101_000000"]);
    let missing = Workspace::open(&tree.path("nothing")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::WorkspaceNotFound);
    assert_eq!(missing.reason(), "there is no such directory");
    let inside = Workspace::open(&tree.path("experiments/grid")).unwrap_err();
    assert_eq!(
        inside.to_string(),
        format!(
            "{}: this directory is not an experimaestro workspace (the workspace around it is {})",
            tree.path("experiments/grid").display(),
            tree.0.path().display()
        )
    );
    let empty = Tree::new();
    let error = Workspace::open(empty.0.path()).unwrap_err();
    assert_eq!(
        error.advice(),
        Some("expected there: the marker .__experimaestro__, or experiments/, or xp/ of version 1")
    );
    let file = Workspace::open(&empty.file("a")).unwrap_err();
    assert_eq!(file.reason(), "a workspace is a directory, this is a file");
}

/// Sorted, once each, without hidden names, files and broken links; an experiment needs no run.
#[test]
fn experiments_of_both_layouts_are_merged() {
    let tree = grid(&["20260101_000000"]);
    tree.dir("experiments/empty");
    tree.dir("experiments/.hidden");
    tree.file("experiments/stray.txt");
    tree.link("experiments/broken", "nowhere");
    tree.link("experiments/alias", "grid");
    tree.dir("xp/old");
    tree.dir("xp/grid");
    let workspace = tree.workspace();
    assert_eq!(workspace.experiments().unwrap(), ["alias", "empty", "grid", "old"]);
    assert_eq!(ids(&workspace, "grid"), ["20260101_000000", "v1"]);
    assert_eq!(ids(&workspace, "empty"), [""; 0]);
    let old = workspace.run("old", "v1").unwrap();
    assert_eq!((old.layout(), old.path()), (Layout::V1, tree.path("xp/old").as_path()));
}

/// Linux holds any bytes as a name; a column cannot.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_text_are_left_out() {
    use std::os::unix::ffi::OsStrExt;
    let tree = grid(&["20260101_000000"]);
    let bytes = std::ffi::OsStr::from_bytes(b"caf\xe9");
    fs::create_dir(tree.path("experiments").join(bytes)).unwrap();
    fs::create_dir(tree.path("experiments/grid").join(bytes)).unwrap();
    assert_eq!(tree.workspace().experiments().unwrap(), ["grid"]);
    assert_eq!(ids(&tree.workspace(), "grid"), ["20260101_000000"]);
}

/// `migrate v1-to-v2` leaves a link to nowhere in place of `xp/`.
#[test]
fn a_migrated_workspace_has_a_broken_xp() {
    let tree = grid(&["20260101_000000"]);
    tree.link("xp", "/experimaestro_v2_migrated_workspace_do_not_use_v1");
    assert_eq!(tree.workspace().experiments().unwrap(), ["grid"]);
    assert_eq!(ids(&tree.workspace(), "grid"), ["20260101_000000"]);
}

/// `.10` is newer than `.2`, and a link is not a run.
#[test]
fn runs_are_ordered_by_time_then_number() {
    let tree = grid(&[
        "20260101_000000",
        "20260101_000000.2",
        "20260101_000000.10",
        "20251231_235959.99",
        "20260102_000000",
    ]);
    tree.dir("experiments/grid/.trash");
    tree.link("experiments/grid/current", "20260101_000000");
    tree.file("experiments/grid/lock");
    assert_eq!(
        ids(&tree.workspace(), "grid"),
        [
            "20260102_000000",
            "20260101_000000.10",
            "20260101_000000.2",
            "20260101_000000",
            "20251231_235959.99"
        ]
    );
}

/// Every generation of the link is honoured, relative or absolute; a dangling one gives way to the newest
/// run.
#[test]
fn the_latest_run_is_the_current_one() {
    let runs = ["20260101_000000", "20260101_000000.2", "20260101_000000.10"];
    let links = [
        ("experiments/grid/current", "20260101_000000"),
        ("experiments/grid/current", "/moved/away/experiments/grid/20260101_000000"),
        (".events/experiments/grid/current", "../../../experiments/grid/20260101_000000"),
        (".experimaestro/experiments/grid", "../../experiments/grid/20260101_000000"),
    ];
    for (link, target) in links {
        let tree = grid(&runs);
        tree.link(link, target);
        assert_eq!(tree.workspace().latest("grid").unwrap().id(), "20260101_000000", "{link} -> {target}");
    }
    let dangling = grid(&runs);
    dangling.link("experiments/grid/current", "20250101_000000");
    assert_eq!(dangling.workspace().latest("grid").unwrap().id(), "20260101_000000.10");
}

/// An experiment that never ran has no latest run.
#[test]
fn the_latest_of_no_run_is_an_error() {
    let tree = grid(&[]);
    tree.dir("experiments/empty");
    let error = tree.workspace().latest("empty").unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::RunNotFound, "experiment 'empty' has no run"));
}

/// What is missing, what was meant, how much there is.
#[test]
fn unknown_names_list_near_misses() {
    let tree = grid(&["20260101_000000", "20260102_000000"]);
    tree.dir("experiments/ablation");
    let workspace = tree.workspace();
    let error = workspace.runs("gird").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ExperimentNotFound);
    let here = tree.0.path().display();
    let expected = "no experiment 'gird' (did you mean grid? the workspace holds 2 experiments)";
    assert_eq!(error.to_string(), format!("{here}: {expected}"));
    let error = workspace.run("grid", "20260101_000001").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RunNotFound);
    assert_eq!(error.reason(), "experiment 'grid' has no run '20260101_000001'");
    let hint = "did you mean 20260101_000000, 20260102_000000? it has 2 runs, the newest is 20260102_000000";
    assert_eq!(error.advice(), Some(hint));
}

/// Only one plain path component is a name, for experiments, runs, tasks, jobs and saved objects alike.
#[test]
fn names_never_leave_the_workspace() {
    let tree = grid(&["20260101_000000"]);
    tree.file("secret/20260101_000000/jobs.jsonl");
    let workspace = tree.workspace();
    let run = workspace.latest("grid").unwrap();
    let long = "x".repeat(256);
    let absolute = tree.path("secret").display().to_string();
    let refused = ["", ".", "..", "../secret", "/", "a/b", "a/", "./a", "a\0b", &long, &absolute];
    for name in refused {
        let errors = [
            workspace.runs(name).unwrap_err(),
            workspace.latest(name).unwrap_err(),
            workspace.run("grid", name).unwrap_err(),
            workspace.job_dir(name, "id").unwrap_err(),
            workspace.job_dir("task", name).unwrap_err(),
            run.saved_file(name).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::InvalidName, "{name:?}: {error}");
        }
    }
    assert_eq!(
        workspace.runs("../secret").unwrap_err().to_string(),
        "'../secret' cannot be the name of one experiment \
         (a name is one plain path component: no '/', not '.' or '..', not an absolute path)"
    );
    assert_eq!(workspace.job_dir("lab.train", "ab").unwrap(), tree.path("jobs/lab.train/ab"));
}

/// An experiment, a run, the current run or a saved object that is really elsewhere is an error that says
/// where.
#[test]
fn symlinks_out_of_the_experiments_are_refused() {
    let elsewhere = grid(&["20270101_000000"]);
    elsewhere.file("experiments/grid/20270101_000000/data/default/definition.json");
    let tree = grid(&["20260101_000000"]);
    let other = elsewhere.path("experiments/grid");
    tree.link("experiments/stolen", &other);
    tree.link("experiments/grid/20280101_000000", other.join("20270101_000000"));
    tree.link("experiments/grid/current", other.join("20270101_000000"));
    let data = other.join("20270101_000000/data/default");
    tree.link("experiments/grid/20260101_000000/data/default", &data);
    let workspace = tree.workspace();
    assert_eq!(workspace.experiments().unwrap(), ["grid"]);
    assert_eq!(ids(&workspace, "grid"), ["20260101_000000"]);
    let run = workspace.run("grid", "20260101_000000").unwrap();
    assert_eq!(run.saved().unwrap(), [""; 0]);
    let errors = [
        workspace.runs("stolen").unwrap_err(),
        workspace.run("grid", "20280101_000000").unwrap_err(),
        workspace.latest("grid").unwrap_err(),
        run.saved_file("default").unwrap_err(),
        Run::at(&tree.path("experiments/grid/current")).unwrap_err(),
        Run::at(&tree.path("experiments/grid/20280101_000000")).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::InvalidName, "{error}");
        assert!(error.reason().contains("is a symlink to "), "{error}");
        assert!(error.reason().contains(&elsewhere.0.path().canonicalize().unwrap().display().to_string()));
    }
}

/// In its workspace, through `current`, in the layout of 1.x, and copied out of any workspace.
#[test]
fn a_run_is_found_by_its_directory() {
    let tree = grid(&["20260101_000000", "20260102_000000"]);
    tree.link("experiments/grid/current", "20260101_000000");
    tree.dir("xp/old");
    let workspace = tree.workspace();
    let run = Run::at(&tree.path("experiments/grid/20260102_000000")).unwrap();
    assert_eq!(run, workspace.run("grid", "20260102_000000").unwrap());
    assert_eq!(Run::at(&tree.path("experiments/grid/current")).unwrap().id(), "20260101_000000");
    assert_eq!(Run::at(&tree.path("xp/old")).unwrap(), workspace.run("old", "v1").unwrap());

    let link = Tree::new();
    link.link("shortcut", tree.path("experiments/grid/20260102_000000"));
    let through = Run::at(&link.path("shortcut")).unwrap();
    assert_eq!((through.experiment(), through.id()), ("grid", "20260102_000000"));

    let copied = Tree::new();
    copied.file("kept/best/objects.jsonl");
    let run = Run::at(&copied.path("kept/best")).unwrap();
    assert_eq!((run.experiment(), run.id(), run.layout()), ("kept", "best", Layout::V2));
    assert_eq!(run.workspace().root(), run.path());
}

/// An experiment, a file of a run, a workspace and nothing at all each get their own advice.
#[test]
fn what_is_no_run_directory_says_what_to_give() {
    let tree = grid(&["20260101_000000"]);
    let advice = |name: &str| {
        let error = Run::at(&tree.path(name)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RunNotFound, "{error}");
        error.advice().unwrap_or(error.reason()).to_owned()
    };
    let run = tree.path("experiments/grid/20260101_000000");
    let run = run.display();
    assert_eq!(advice("experiments/grid"), format!("this is an experiment: give one of its runs, as {run}"));
    assert_eq!(advice("experiments/grid/20260101_000000/jobs.jsonl"), format!("give the directory {run}"));
    assert_eq!(advice("."), "this is a workspace: give experiments/<name>/<run> below it");
    assert_eq!(advice("nothing"), "there is no such run directory");
}

/// `jobs/` comes first, `jobs.bak/` adds what is only there; the recorded target survives a move.
#[test]
fn linked_jobs_are_read_not_followed() {
    let tree = Tree::new();
    tree.link("xp/old/jobs/lab.b/2", "/gone/jobs/lab.b/2");
    tree.link("xp/old/jobs/lab.a/1", "/gone/jobs/lab.a/1");
    tree.link("xp/old/jobs.bak/lab.a/1", "/older/jobs/lab.a/1");
    tree.link("xp/old/jobs.bak/lab.a/0", "/older/jobs/lab.a/0");
    tree.dir("xp/old/jobs/lab.c/3");
    tree.dir("jobs");
    let job = |task: &str, id: &str, target: Option<&str>| LinkedJob {
        task_id: task.into(),
        job_id: id.into(),
        target: target.map(PathBuf::from),
    };
    assert_eq!(
        tree.workspace().latest("old").unwrap().linked_jobs().unwrap(),
        [
            job("lab.a", "1", Some("/gone/jobs/lab.a/1")),
            job("lab.b", "2", Some("/gone/jobs/lab.b/2")),
            job("lab.c", "3", None),
            job("lab.a", "0", Some("/older/jobs/lab.a/0")),
        ]
    );
}

/// Also those that no run knows and those that are links to another disk.
#[test]
fn every_job_directory_is_listed() {
    let tree = grid(&[]);
    tree.dir("jobs/lab.b/2");
    tree.dir("jobs/lab.a/1");
    tree.link("jobs/lab.a/0", "/archive/0");
    tree.file("jobs/lab.a/stray");
    let mut jobs: Vec<_> = tree.workspace().jobs().unwrap().map(Result::unwrap).collect();
    jobs.sort();
    let expected = [("lab.a", "0"), ("lab.a", "1"), ("lab.b", "2")];
    assert_eq!(jobs, expected.map(|(task, job)| (task.to_owned(), job.to_owned())));
    let none = grid(&["20260101_000000"]);
    assert_eq!(none.workspace().jobs().unwrap().count(), 0);
}

/// The newer file is preferred; a directory without a file is a saving that failed.
#[test]
fn saved_objects_are_named_by_their_directories() {
    let tree = grid(&["20260101_000000"]);
    let run = "experiments/grid/20260101_000000";
    tree.file(&format!("{run}/data/default/definition.json"));
    tree.file(&format!("{run}/data/both/definition.json"));
    tree.file(&format!("{run}/data/both/experimaestro.json"));
    tree.dir(&format!("{run}/data/failed"));
    let found = tree.workspace().latest("grid").unwrap();
    assert_eq!(found.saved().unwrap(), ["both", "default"]);
    let file = |name: &str| found.saved_file(name).unwrap();
    assert_eq!(file("default"), tree.path(&format!("{run}/data/default/definition.json")));
    assert_eq!(file("both"), tree.path(&format!("{run}/data/both/experimaestro.json")));
    let error = found.saved_file("defualt").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::JobNotFound);
    assert_eq!(error.reason(), "run 20260101_000000 of 'grid' saved nothing under the name 'defualt'");
    assert_eq!(error.advice(), Some("did you mean default? it saved: both, default"));
    let failed = found.saved_file("failed").unwrap_err();
    assert_eq!(failed.reason(), "the saved object 'failed' has a directory but no file: its saving failed");
}

/// Permanent before live, 10 after 2; the live name of a permanent file is the same file; other experiments'
/// are not ours.
#[test]
fn event_files_are_numbered() {
    let tree = grid(&["20260101_000000"]);
    let run = "experiments/grid/20260101_000000";
    let mut expected: Vec<PathBuf> =
        [0, 2, 10].iter().map(|n| tree.file(&format!("{run}/events/event-{n}.jsonl"))).collect();
    tree.dir(".events/experiments");
    fs::hard_link(&expected[2], tree.path(".events/experiments/grid-10.jsonl")).unwrap();
    expected.push(tree.file(".events/experiments/grid-11.jsonl"));
    expected.push(tree.file(".events/experiments/grid/events-0.jsonl"));
    expected.push(tree.file(".experimaestro/experiments/events-0@grid.jsonl"));
    tree.file(".events/experiments/grid-2-0.jsonl");
    tree.file(".events/experiments/grid-+3.jsonl");
    tree.file(".events/experiments/my-grid-0.jsonl");
    tree.file(".experimaestro/experiments/events-0@my-grid.jsonl");
    assert_eq!(tree.workspace().latest("grid").unwrap().event_files().unwrap(), expected);
}
