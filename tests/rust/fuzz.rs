//! The fuzz targets, without a fuzzer: their seeds, and a few thousand mutations of them.

use std::borrow::Cow;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use xpframe::objects::{ConcurrentTask, JobKeys, Relocation, RunObjects};
use xpframe::progress::CancelToken;
use xpframe::values::ObjectIx;
use xpframe::workspace::{Run, Workspace};

use super::damage::{Dice, KINDS, Unpacked, damaged, effort, figures};
use super::lab::{Lab, RUN};
use super::targets;

const ARCHIVES: [&str; 6] =
    ["v270_full", "v270_quirks", "v270_idreuse", "v230_full", "v216_full", "v1161_full"];

/// All regular files below a directory, as (path below it, content), in a fixed order.
fn files(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut pending = vec![root.to_path_buf()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.symlink_metadata().unwrap().file_type();
            if kind.is_dir() {
                pending.push(path);
            } else if kind.is_file() {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The seeds of a target: JSON files and lines, objects.jsonl files, or runs with the files of their jobs.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let workspaces = ARCHIVES.map(Unpacked::new);
    workspaces.iter().flat_map(|workspace| seeds_of(target, &files(&workspace.root))).collect()
}

fn seeds_of(target: &str, files: &[(String, Vec<u8>)]) -> Vec<Vec<u8>> {
    let is_json = |name: &str| Path::new(name).extension().is_some_and(|end| end == "json" || end == "jsonl");
    match target {
        "json" => files
            .iter()
            .filter(|(name, _)| is_json(name))
            .flat_map(|(_, content)| content.split_inclusive(|&byte| byte == b'\n'))
            .map(<[u8]>::to_vec)
            .collect(),
        "graph" => {
            let objects = files.iter().filter(|(name, _)| name.ends_with("/objects.jsonl"));
            objects.map(|(_, content)| content.clone()).collect()
        }
        _ => files
            .iter()
            .filter_map(|(name, _)| {
                name.strip_suffix("/jobs.jsonl").or_else(|| name.strip_suffix("/state.json"))
            })
            .map(|run| bundle(files, run))
            .collect(),
    }
}

/// A run and the small files of the jobs of its workspace.
fn bundle(files: &[(String, Vec<u8>)], run: &str) -> Vec<u8> {
    let mut input = Vec::new();
    for (name, content) in files {
        let name = match name.strip_prefix(run) {
            Some(below) => format!("{}{below}", targets::RUN),
            None if name.starts_with("jobs/") && content.len() < 5_000 => name.clone(),
            None => continue,
        };
        input.extend([targets::FILE.as_bytes(), name.as_bytes(), b"\n", content].concat());
    }
    input
}

/// Runs a target on its seeds and on mutations of them, and says how often.
fn mutate(target: &str, run: fn(&[u8]), mutations: usize) {
    let seeds = seeds(target);
    assert!(seeds.len() > 5, "only {} seeds", seeds.len());
    let start = Instant::now();
    for seed in seeds.iter().take(mutations) {
        run(seed);
    }
    let mut dice = Dice(0x5EED + target.len() as u64);
    let mut slowest = Duration::ZERO;
    for round in 0..mutations {
        let mut input = seeds[dice.below(seeds.len())].clone();
        for _ in 0..=dice.below(3) {
            input = damaged(KINDS[dice.below(KINDS.len())], &input, &mut dice);
        }
        let began = Instant::now();
        let tried = std::panic::catch_unwind(|| run(&input));
        slowest = slowest.max(began.elapsed());
        if let Err(panic) = tried {
            let file = std::env::temp_dir().join(format!("xpframe-{target}-{round}"));
            fs::write(&file, &input).unwrap();
            eprintln!("the input is in {}", file.display());
            std::panic::resume_unwind(panic);
        }
    }
    figures(
        &format!("mutations-{target}"),
        &[
            ("seeds", seeds.len()),
            ("mutations", mutations),
            ("seconds", usize::try_from(start.elapsed().as_secs()).unwrap()),
            ("slowest_ms", usize::try_from(slowest.as_millis()).unwrap()),
        ],
    );
}

/// The reader agrees with a slow one and with serde_json on files of experimaestro and what damage makes of them.
#[test]
fn json_of_any_kind_is_understood_or_refused() {
    mutate("json", targets::json, effort(4_000, 200_000));
    // an integer that serde's values have no place for, behind one that they have, under one key
    targets::json(br#"{"a": -18446744073709551616, "a": 1}"#);
}

/// Whatever an objects.jsonl holds, its graph has no circle, no job is lost in silence and the table is whole.
#[test]
fn graphs_of_any_kind_are_read() {
    mutate("graph", targets::graph, effort(150, 5_000));
}

/// Whatever the files of a run hold, no job is lost in silence and the table is whole.
#[test]
fn runs_of_any_kind_are_read() {
    mutate("run", targets::run, effort(80, 3_000));
}

/// A run without jobs.
struct NoJobs;

impl JobKeys for NoJobs {
    fn count(&self) -> usize {
        0
    }

    fn job_id(&self, _: usize) -> Cow<'_, str> {
        "".into()
    }

    fn is(&self, _: usize, _: &[u8]) -> bool {
        false
    }

    fn task_id(&self, _: usize) -> Cow<'_, str> {
        "".into()
    }

    fn position(&self, _: &[u8]) -> Option<usize> {
        None
    }

    fn actions(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Lines that refer to each other: backwards, and in some rounds also forwards, to nothing, or to an id that is given twice.
fn tangled(round: usize, dice: &mut Dice) -> String {
    let mut text = String::new();
    let lines = 9_000 + dice.below(2_000);
    for at in 0..lines {
        let back = |dice: &mut Dice| {
            let far = [3, 50, lines][dice.below(3)];
            at.saturating_sub(1 + dice.below(far))
        };
        let wild = !round.is_multiple_of(3) && dice.below(3_000) == 0;
        let (near, far) = (back(dice), if wild { dice.below(lines + 5) } else { back(dice) });
        let id = if wild && round % 3 == 2 { dice.below(lines) } else { at };
        let (class, filler) = (dice.below(4), "x".repeat(200 + dice.below(200)));
        writeln!(
            text,
            r#"{{"id":{id},"module":"lab","type":"C{class}","typename":"lab.C{class}","identifier":"i{at}","task":{near},"fields":{{"n":{at},"near":{{"type":"python","value":{near}}},"text":"{filler}","all":[{{"type":"python","value":{far}}}]}}}}"#
        )
        .unwrap();
        if wild && dice.below(2) == 0 {
            text.push_str("garbage\n");
        }
    }
    text
}

/// What is read when the last of the threads has something else to do first, for so long.
fn objects_shown(run: &Run, threads: usize, other: Duration) -> Vec<String> {
    let relocation = Relocation::default();
    let stop = CancelToken::default();
    let beside = ConcurrentTask { threads, work: || std::thread::sleep(other), bytes: 0, is_slow: false };
    let read =
        RunObjects::parse(run, None, &relocation, &stop, beside).of_jobs(run, &NoJobs, &relocation, &stop);
    let objects = (0..read.graph.len()).map(|at| ObjectIx(u32::try_from(at).unwrap()));
    let mut shown: Vec<String> = objects.map(|at| targets::object_shown(&read.graph, at)).collect();
    shown.extend(read.errors.iter().map(ToString::to_string));
    shown
}

/// However many threads read a file, the same objects and errors come out, regular or not.
#[test]
fn threads_change_nothing() {
    let rounds = effort(6, 150);
    let mut dice = Dice(0x7EAD5);
    for round in 0..rounds {
        let lab = Lab::new();
        lab.run_file(RUN, "objects.jsonl", tangled(round, &mut dice));
        let run = Workspace::open(&lab.path("")).unwrap().run("grid", RUN).unwrap();
        let alone = objects_shown(&run, 1, Duration::ZERO);
        assert!(alone.len() > 8_000);
        for threads in [2, 3] {
            let found = objects_shown(&run, threads, Duration::ZERO);
            let differ = alone.iter().zip(&found).find(|(alone, found)| alone != found);
            assert_eq!(differ, None, "round {round}, {threads} threads");
            assert_eq!(alone.len(), found.len());
        }
    }
    figures("mutations-threads", &[("rounds", rounds)]);
}

/// A thread that is done takes over what another, which has something else to do first, has left: nothing is lost or read twice.
#[test]
fn threads_take_over() {
    let filler = "long ".repeat(300);
    let object = |at: usize| {
        let near = at.saturating_sub(1);
        format!(
            r#"{{"id":{at},"module":"lab","type":"C","typename":"lab.C","identifier":"i{at}","fields":{{"n":{at},"near":{{"type":"python","value":{near}}},"text":"{filler}"}}}}"#
        )
    };
    let lines: Vec<String> = (0..6_000).map(object).collect();
    let lab = Lab::with(&[], &lines);
    let run = Workspace::open(&lab.path("")).unwrap().run("grid", RUN).unwrap();
    let alone = objects_shown(&run, 1, Duration::ZERO);
    assert_eq!(alone.len(), lines.len());
    for threads in [2, 3] {
        let found = objects_shown(&run, threads, Duration::from_secs(1));
        assert_eq!(alone.iter().zip(&found).find(|(alone, found)| alone != found), None, "{threads} threads");
        assert_eq!(found.len(), alone.len());
    }
}
