//! What is wrong with one run.

use std::path::{Path, PathBuf};

use ahash::{HashMap, HashSet};

use super::Check;
use super::finding::{Finding, Severity, Trouble};
use super::reported_errors::{self, LastLines};
use crate::error::{Error, quoted};
use crate::loaded::LoadedRun;
use crate::records::foreign_events;
use crate::workspace::{Layout, Leads, Run};

/// The files of a run that are read.
const FILES: [&str; 6] =
    ["jobs.jsonl", "objects.jsonl", "configs.json", "state.json", "status.json", "environment.json"];

impl Check<'_> {
    /// Looks at one run and its jobs.
    pub(super) fn run(&mut self, loaded: &LoadedRun) {
        loaded.read(true);
        self.found.runs += 1;
        self.driver(loaded);
        let mut errors = Vec::new();
        let states = self.jobs(loaded, &mut errors);
        errors.splice(0..0, loaded.errors());
        let dangling = self.values(loaded, &states);
        self.errors(loaded, &errors, &dangling);
        self.duplicates(loaded);
        self.actions(loaded);
        self.saved(loaded);
        self.run_links(loaded.run());
        self.moved(loaded);
        self.events(loaded);
    }

    /// Adds what was found of a run.
    pub(super) fn tell(&mut self, run: &Run, finding: Finding) {
        self.found.findings.push(Finding {
            experiment: Some(run.experiment().to_owned()),
            run: Some(run.id().to_owned()),
            ..finding
        });
    }

    fn errors(&mut self, loaded: &LoadedRun, errors: &[Error], dangling: &HashMap<String, String>) {
        let mut lines = LastLines::default();
        let mut told = HashSet::default();
        for error in errors {
            // two readers may tell of one file
            if !told.insert(error.to_string()) {
                continue;
            }
            let mut finding = reported_errors::finding(loaded, error, &mut lines);
            if finding.trouble == Trouble::DanglingReference {
                finding.field = finding.job_id.as_ref().and_then(|job| dangling.get(job).cloned());
            }
            // told where the files of its job are looked at
            let is_empty = |file: &PathBuf| {
                file.ends_with("params.json") && file.metadata().is_ok_and(|found| found.len() == 0)
            };
            if finding.trouble != Trouble::NoConfig && !finding.file.as_ref().is_some_and(is_empty) {
                self.tell(loaded.run(), finding);
            }
        }
    }

    /// How the driver ended.
    fn driver(&mut self, loaded: &LoadedRun) {
        let (run, record) = (loaded.run(), loaded.record());
        let status = run.path().join("status.json");
        let finding = match (record.status.as_deref(), record.outcome.as_deref()) {
            (_, Some("detached")) => {
                Finding::new(Trouble::Detached, "the driver let go of its jobs before they ended")
            }
            (Some("failed"), _) | (_, Some("failed")) => {
                Finding::new(Trouble::DriverFailed, "the driver ended with an exception")
            }
            (Some("running"), None) if record.ended_at.is_none() => match record.alive {
                Some(true) => return,
                Some(false) => Finding::new(
                    Trouble::CutShort,
                    "the driver was killed: it never said how it ended, and nobody holds the experiment's lock",
                ),
                None => Finding::new(
                    Trouble::CutShort,
                    "the driver never said how it ended, and whether it is there cannot be told from here",
                )
                .severity(Severity::Info)
                .advice("look at it on the host where it runs"),
            },
            (None, None) => return self.without_status(run),
            _ => return,
        };
        self.tell(run, finding.file(status));
    }

    /// 1.x has no status.json: it writes state.json when all went well, and removes jobs.bak.
    fn without_status(&mut self, run: &Run) {
        let has = |name: &str| run.path().join(name).symlink_metadata().is_ok();
        let is_first = run.layout() == Layout::V1 || !has("jobs.jsonl");
        let finding = if !is_first {
            Finding::new(Trouble::CutShort, "there is no status.json: the driver was killed as it began")
                .file(run.path())
        } else if has("jobs.bak") {
            Finding::new(
                Trouble::CutShort,
                "the launch was killed, or ended with an exception: jobs.bak is left",
            )
            .file(run.path().join("jobs.bak"))
        } else if !has("state.json") && has("jobs") {
            Finding::new(
                Trouble::DriverFailed,
                "there is no state.json: a job failed, or the launch was killed",
            )
            .file(run.path())
            .advice("its configs were read from the params.json of its jobs")
        } else {
            return;
        };
        self.tell(run, finding);
    }

    /// Actions without an object are left out by `info.actions`.
    fn actions(&mut self, loaded: &LoadedRun) {
        let known = loaded.actions();
        let missing = loaded.record().actions.iter().filter(|(id, _)| !known.contains_key(id.as_str()));
        let missing: Vec<Finding> = missing
            .map(|(id, action)| {
                let what = format!("the object of action {id} ({}) is missing", action.class);
                Finding::new(Trouble::NoConfig, what)
                    .file(loaded.run().path().join("objects.jsonl"))
                    .advice("info.actions lacks it; launch the experiment again to have it written")
            })
            .collect();
        for finding in missing {
            self.tell(loaded.run(), finding);
        }
    }

    fn saved(&mut self, loaded: &LoadedRun) {
        let run = loaded.run();
        let names = run.saved().unwrap_or_default();
        for name in &names {
            if let Err(error) = loaded.saved(name) {
                let finding = reported_errors::finding(loaded, &error, &mut LastLines::default());
                self.tell(run, finding);
            }
        }
        for name in run.unsaved().unwrap_or_default() {
            let what = format!("the saved object {} has a directory and no file", quoted(&name));
            self.tell(run, Finding::new(Trouble::SaveFailed, what).file(run.path().join("data").join(name)));
        }
    }

    /// Symlinks to jobs that lead to nothing, jobs that only a link names, and files that are elsewhere.
    fn run_links(&mut self, run: &Run) {
        for name in FILES {
            let path = run.path().join(name);
            if let Some(link) = self.workspace.link(&path).filter(|link| link.leads == Leads::Outside) {
                self.tell(run, outside(&path, &link.target));
            }
        }
    }

    fn moved(&mut self, loaded: &LoadedRun) {
        let relocation = loaded.relocation();
        for root in &relocation.before {
            if self.moved.insert(root.clone()) {
                let what = format!("its files say that the workspace is {root}, it is {}", relocation.now);
                let finding = Finding::new(Trouble::Moved, what).file(self.workspace.root());
                self.found.findings.push(finding);
            }
        }
    }

    fn events(&mut self, loaded: &LoadedRun) {
        let run = loaded.run();
        for (file, others) in foreign_events(run, &loaded.record().run_id) {
            let others: Vec<String> = others.into_iter().take(4).collect();
            let what = format!("holds events of {} too: both runs wrote into one file", others.join(", "));
            self.tell(run, Finding::new(Trouble::SharedEvents, what).file(file));
        }
    }
}

/// A symlink that leads out of the workspace.
pub(super) fn outside(path: &Path, target: &Path) -> Finding {
    let what = format!("is a symlink to {}, outside of the workspace", target.display());
    Finding::new(Trouble::OutsideLink, what).file(path)
}
