//! Files of real runs, cut at any byte or damaged otherwise: what is whole comes back, what is lost is told.

use std::fs;
use std::path::{Path, PathBuf};

use xpframe::error::Error;
use xpframe::json::{self, Reader};
use xpframe::loaded::LoadedRun;
use xpframe::objects::same_content;
use xpframe::progress::CancelToken;
use xpframe::records::JobStatuses;
use xpframe::workspace::{Run, Workspace};

use super::damage::{Dice, KINDS, Unpacked, damaged, effort, figures};

const WORKSPACES: [&str; 2] = ["v270_full", "v230_full"];

/// A run as it is when nothing is wrong, and its files.
struct Healthy {
    run: Run,
    loaded: LoadedRun,
    errors: Vec<Error>,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Healthy {
    fn all(workspace: &Unpacked) -> Vec<Self> {
        let opened = Workspace::open(&workspace.root).unwrap();
        let names = opened.experiments().unwrap();
        names.iter().flat_map(|name| opened.runs(name).unwrap()).map(Self::of).collect()
    }

    fn of(run: Run) -> Self {
        let loaded = read(&run);
        let mut files = Vec::new();
        regular_files(run.path(), &mut files);
        files.sort();
        Self { errors: loaded.errors(), run, loaded, files }
    }

    /// The errors that were not there when nothing was wrong.
    fn new_errors(&self, loaded: &LoadedRun) -> Vec<Error> {
        loaded.errors().into_iter().filter(|error| !self.errors.contains(error)).collect()
    }

    /// Whether a file is one that loading reads, of a run whose end was recorded or not.
    fn is_read(&self, file: &Path) -> bool {
        let name = file.strip_prefix(self.run.path()).unwrap();
        match name.to_str().unwrap() {
            "jobs.jsonl" | "objects.jsonl" | "status.json" | "environment.json" => true,
            // events of a run that ended by itself have nothing to add
            name if name.starts_with("events/") => self.loaded.record().ended_at.is_none(),
            _ => false,
        }
    }
}

fn regular_files(directory: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.symlink_metadata().unwrap().file_type();
        if kind.is_dir() && !path.ends_with("jobs") {
            regular_files(&path, found);
        } else if kind.is_file() {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
}

/// Everything of a run: jobs, configs, record, states, actions.
fn read(run: &Run) -> LoadedRun {
    let loaded = LoadedRun::new(run.clone(), CancelToken::default());
    loaded.read(true);
    let statuses = JobStatuses::open(run, loaded.record());
    for row in loaded.rows().rows.iter() {
        let (task, job) = (loaded.rows().task_id(row), loaded.rows().job_id(row));
        let _ = statuses.job(statuses.key(&task, &job, None), &mut Vec::new());
    }
    let _ = loaded.actions();
    loaded
}

fn job_ids(loaded: &LoadedRun) -> Vec<String> {
    let rows = loaded.rows();
    rows.rows.iter().map(|row| rows.job_id(row).into_owned()).collect()
}

/// The jobs that whole lines of a jobs.jsonl name, and the numbers of the lines.
fn named(content: &[u8]) -> Vec<(u64, String)> {
    let named = |line: json::Line<'_>| {
        let row: serde_json::Value = serde_json::from_slice(line.bytes).ok()?;
        Some((line.number, row.get("job_id")?.as_str()?.to_owned()))
    };
    json::lines(content).filter_map(named).collect()
}

/// The numbers of the lines that are not JSON.
fn broken_lines(content: &[u8]) -> Vec<u64> {
    let is_broken = |line: &json::Line<'_>| {
        let mut reader = Reader::new(line.bytes);
        std::str::from_utf8(line.bytes).is_err() || reader.skip().and_then(|()| reader.end()).is_err()
    };
    json::lines(content).filter(is_broken).map(|line| line.number).collect()
}

/// What is promised of every run, whatever is wrong with one of its files.
fn check(healthy: &Healthy, file: &Path, content: &[u8], loaded: &LoadedRun) {
    let errors = healthy.new_errors(loaded);
    let at = |line: Option<u64>| {
        errors
            .iter()
            .filter(|error| error.location().line == line && error.location().file.as_deref() == Some(file))
            .count()
    };
    let name = file.file_name().unwrap().to_str().unwrap();
    if name == "jobs.jsonl" {
        let ids = job_ids(loaded);
        for (line, id) in named(content) {
            assert!(ids.contains(&id) || at(Some(line)) >= 1, "the job of line {line} is lost: {errors:?}");
        }
    } else {
        assert_eq!(job_ids(loaded), job_ids(&healthy.loaded));
    }
    if matches!(name, "jobs.jsonl" | "objects.jsonl") {
        for line in broken_lines(content) {
            assert!(at(Some(line)) >= 1, "line {line} is told: {errors:?}");
        }
    } else if healthy.is_read(file) && name != "event-0.jsonl" && !is_one_value(content) {
        assert_eq!(at(None), 1, "the file is told once: {errors:?}");
    }
    let (rows, objects) = (loaded.rows(), loaded.objects());
    for (row, root) in rows.rows.iter().zip(&objects.roots) {
        let id = rows.job_id(row);
        let is_told = || loaded.errors().iter().any(|error| error.location().job.as_deref() == Some(&id));
        assert!(root.is_some() || is_told(), "the config of {id} is lost in silence: {errors:?}");
    }
}

/// Whether the content is one JSON value.
fn is_one_value(content: &[u8]) -> bool {
    let mut reader = Reader::new(content);
    reader.skip().and_then(|()| reader.end()).is_ok()
}

/// The bytes at which a file is cut: all of a short one, else some, and those around the ends of lines.
fn cuts(content: &[u8], at_most: usize) -> Vec<usize> {
    let step = content.len().div_ceil(at_most).max(1);
    let mut points: Vec<usize> = (0..=content.len()).step_by(step).collect();
    let ends = content.iter().enumerate().filter(|&(_, &byte)| byte == b'\n').map(|(at, _)| at);
    points.extend(ends.flat_map(|at| [at, at + 1]).take(at_most));
    points.sort_unstable();
    points.dedup();
    points
}

/// However a file of a run is cut, each whole line is read, and the loss is one entry that names file and line.
#[test]
fn a_cut_file_loses_what_was_cut() {
    let (mut tried, mut files, mut told, mut same) = (0, 0, 0, 0);
    for (name, with_params) in WORKSPACES.into_iter().flat_map(|name| [(name, true), (name, false)]) {
        let workspace = Unpacked::new(name);
        if !with_params {
            fs::remove_dir_all(workspace.root.join("jobs")).unwrap();
        }
        for healthy in Healthy::all(&workspace) {
            for (file, content) in healthy.files.iter().filter(|(file, _)| healthy.is_read(file)) {
                files += 1;
                for size in cuts(content, effort(4, 400)) {
                    fs::write(file, &content[..size]).unwrap();
                    let loaded = read(&healthy.run);
                    check(&healthy, file, &content[..size], &loaded);
                    told += healthy.new_errors(&loaded).len();
                    same += whole_objects_are_unchanged(&healthy, file, size, &loaded);
                    tried += 1;
                }
                fs::write(file, content).unwrap();
            }
        }
    }
    assert!(files > 80 && tried > 300 && told > tried / 2 && same > tried, "{files} {tried} {told} {same}");
    figures("cuts", &[("files", files), ("cuts", tried), ("errors told", told), ("configs compared", same)]);
}

/// Every job whose line stands before the cut has the config that it had; says how many there are.
fn whole_objects_are_unchanged(healthy: &Healthy, file: &Path, size: usize, loaded: &LoadedRun) -> usize {
    let (before, after) = (healthy.loaded.objects(), loaded.objects());
    let content = &healthy.files.iter().find(|(path, _)| path == file).unwrap().1;
    let lines = memchr::memchr_iter(b'\n', &content[..size]).count();
    let is_cut = file.ends_with("objects.jsonl");
    let mut compared = 0;
    for (at, id) in job_ids(&healthy.loaded).iter().enumerate() {
        let Some(old) = before.roots[at] else { continue };
        let (place, line) = before.graph.location(old);
        if is_cut && place == file && line > lines as u64 {
            continue;
        }
        let Some(new) = loaded.rows().position(id.as_bytes()) else { continue };
        let new = after.roots[new].unwrap_or_else(|| panic!("the config of {id} is lost"));
        assert!(same_content((&before.graph, old), (&after.graph, new)), "{id} has changed");
        compared += 1;
    }
    compared
}

/// However a file of a run is damaged, nothing fails, no other line is lost, and each loss is told.
#[test]
fn a_damaged_file_loses_what_was_damaged() {
    let workspaces = WORKSPACES.map(Unpacked::new);
    let healthy: Vec<Healthy> = workspaces.iter().flat_map(Healthy::all).collect();
    let files: Vec<(&Healthy, &Path, &[u8])> = healthy
        .iter()
        .flat_map(|healthy| {
            healthy.files.iter().map(move |(file, content)| (healthy, file.as_path(), &content[..]))
        })
        .filter(|(healthy, file, _)| healthy.is_read(file))
        .collect();
    let mutations = effort(400, 20_000);
    let (mut dice, mut changed, mut told) = (Dice(0x00DA_4A6E), 0, 0);
    for round in 0..mutations {
        let (healthy, file, content) = files[dice.below(files.len())];
        let kind = KINDS[round % KINDS.len()];
        let bytes = damaged(kind, content, &mut dice);
        fs::write(file, &bytes).unwrap();
        let loaded = read(&healthy.run);
        check(healthy, file, &bytes, &loaded);
        fs::write(file, content).unwrap();
        changed += usize::from(bytes != content);
        told += usize::from(!healthy.new_errors(&loaded).is_empty());
    }
    assert!(changed > mutations * 3 / 4 && told > mutations / 3, "{changed} {told}");
    figures(
        "mutations",
        &[("files", files.len()), ("mutations", mutations), ("changed", changed), ("told", told)],
    );
}

/// A directory in the place of a file is told, whichever file it is.
#[test]
fn a_directory_in_the_place_of_a_file_is_told() {
    let mut seen = 0;
    for workspace in WORKSPACES.map(Unpacked::new) {
        for healthy in Healthy::all(&workspace) {
            for (file, content) in healthy.files.iter().filter(|(file, _)| healthy.is_read(file)) {
                fs::remove_file(file).unwrap();
                fs::create_dir(file).unwrap();
                let loaded = read(&healthy.run);
                let errors = healthy.new_errors(&loaded);
                let at_file = errors.iter().filter(|error| error.location().file.as_deref() == Some(file));
                assert_eq!(at_file.count(), 1, "{}: {errors:?}", file.display());
                fs::remove_dir(file).unwrap();
                fs::write(file, content).unwrap();
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "{seen}");
}
