//! Checks one run.

use std::path::{Path, PathBuf};

use ahash::HashSet;

use super::Check;
use super::finding::{Finding, Severity, Trouble};
use super::reported_errors::{self, LastLines, UnreadableDirectories};
use super::values::DanglingFields;
use crate::error::{Error, quoted};
use crate::loaded::LoadedRun;
use crate::records::foreign_events;
use crate::workspace::{Layout, Leads, Run};

/// The files of a run that are read.
const FILES: [&str; 6] =
    ["jobs.jsonl", "objects.jsonl", "configs.json", "state.json", "status.json", "environment.json"];

impl Check<'_> {
    /// Checks one run and its jobs.
    pub(super) fn run(&mut self, loaded: &LoadedRun) {
        loaded.read(true);
        self.result.runs += 1;
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

    /// Adds a finding about a run.
    pub(super) fn report(&mut self, run: &Run, finding: Finding) {
        self.result.findings.push(Finding {
            experiment: Some(run.experiment().to_owned()),
            run: Some(run.id().to_owned()),
            ..finding
        });
    }

    fn errors(&mut self, loaded: &LoadedRun, errors: &[Error], dangling: &DanglingFields) {
        let mut lines = LastLines::default();
        let mut reported = HashSet::default();
        let unreadable = UnreadableDirectories::among(errors);
        for error in errors {
            // two readers may report one file
            if unreadable.hold(error) || !reported.insert(error.to_string()) {
                continue;
            }
            let mut finding = reported_errors::finding(loaded, error, &mut lines);
            if finding.trouble == Trouble::DanglingReference {
                finding.field = dangling.of(error).map(str::to_owned);
                let last_step = finding.field.as_deref().and_then(|field| field.rsplit('.').next());
                // experimaestro's loader passes over init tasks, and no column shows them
                if last_step.is_some_and(|step| step.starts_with("init_tasks[")) {
                    finding = finding.severity(Severity::Info).advice(
                        "nothing to do: no column lacks a value, only an init task of the job is unknown",
                    );
                }
            }
            // reported with the files of its job
            let is_empty = |file: &PathBuf| {
                file.ends_with("params.json") && file.metadata().is_ok_and(|metadata| metadata.len() == 0)
            };
            if finding.trouble != Trouble::NoConfig && !finding.file.as_ref().is_some_and(is_empty) {
                self.report(loaded.run(), finding);
            }
        }
    }

    /// Checks how the driver ended.
    fn driver(&mut self, loaded: &LoadedRun) {
        let (run, record) = (loaded.run(), loaded.record());
        let status = run.path().join("status.json");
        let finding = match (record.status.as_deref(), record.outcome.as_deref()) {
            (_, Some("detached")) => {
                Finding::new(Trouble::Detached, "the driver detached from its jobs before they ended")
            }
            (Some("failed"), _) | (_, Some("failed")) => {
                Finding::new(Trouble::DriverFailed, "the driver ended with an exception")
            }
            (Some("running"), None) if record.ended_at.is_none() => match record.alive {
                Some(true) => return,
                Some(false) => Finding::new(
                    Trouble::CutShort,
                    "the driver was killed: it never recorded how it ended, and no process holds the experiment's lock",
                ),
                None => Finding::new(
                    Trouble::CutShort,
                    "the driver never recorded how it ended, and whether it still runs is unknown on this host",
                )
                .severity(Severity::Info)
                .advice("look at it on the host where it runs"),
            },
            (None, None) => return self.without_status(run),
            _ => return,
        };
        self.report(run, finding.file(status));
    }

    /// Checks how a run without status.json ended. 1.x writes state.json and removes jobs.bak if all jobs succeeded.
    fn without_status(&mut self, run: &Run) {
        let has = |name: &str| run.path().join(name).symlink_metadata().is_ok();
        let is_version_1 = run.layout() == Layout::V1 || !has("jobs.jsonl");
        let finding = if !is_version_1 {
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
        self.report(run, finding);
    }

    /// Notes actions without an object: experimaestro writes none of an action that it cannot serialise, and goes on.
    fn actions(&mut self, loaded: &LoadedRun) {
        let actions = loaded.actions();
        let missing = loaded.record().actions.iter().filter(|(id, _)| !actions.contains_key(id.as_str()));
        let missing: Vec<Finding> = missing
            .map(|(id, action)| {
                let text = format!("the object of action {id} ({}) is missing", action.class);
                Finding::new(Trouble::NoConfig, text)
                    .severity(Severity::Info)
                    .file(loaded.run().path().join("objects.jsonl"))
                    .advice("nothing to do: experimaestro could not write it; info.actions has it without a config")
            })
            .collect();
        for finding in missing {
            self.report(loaded.run(), finding);
        }
    }

    fn saved(&mut self, loaded: &LoadedRun) {
        let run = loaded.run();
        let names = run.saved().unwrap_or_default();
        for name in &names {
            if let Err(error) = loaded.saved(name) {
                let finding = reported_errors::finding(loaded, &error, &mut LastLines::default());
                self.report(run, finding);
            }
        }
        for name in run.unsaved().unwrap_or_default() {
            let text = format!("the saved object {} has a directory and no file", quoted(&name));
            self.report(
                run,
                Finding::new(Trouble::SaveFailed, text).file(run.path().join("data").join(name)),
            );
        }
    }

    /// Reports files of the run that are links out of the workspace.
    fn run_links(&mut self, run: &Run) {
        for name in FILES {
            let path = run.path().join(name);
            if let Some(link) = self.workspace.link(&path).filter(|link| link.leads == Leads::Outside) {
                self.report(run, outside(&path, &link.target));
            }
        }
    }

    fn moved(&mut self, loaded: &LoadedRun) {
        let relocation = loaded.relocation();
        for root in &relocation.roots.before {
            if self.former_roots.insert(root.clone()) {
                let text = format!("its files name the workspace {root}, but it is {}", relocation.now);
                let finding = Finding::new(Trouble::Moved, text).file(self.workspace.root());
                self.result.findings.push(finding);
            }
        }
    }

    fn events(&mut self, loaded: &LoadedRun) {
        let run = loaded.run();
        for (file, runs) in foreign_events(run, &loaded.record().run_id) {
            let runs: Vec<String> = runs.into_iter().take(4).collect();
            let text = format!("holds events of {} too: both runs wrote to the same file", runs.join(", "));
            self.report(run, Finding::new(Trouble::SharedEvents, text).file(file));
        }
    }
}

/// A finding about a symlink out of the workspace.
pub(super) fn outside(path: &Path, target: &Path) -> Finding {
    let text = format!("is a symlink to {}, outside of the workspace", target.display());
    Finding::new(Trouble::OutsideLink, text).file(path)
}
