//! Checks the links of the workspace and finds job directories of no run.

use std::path::Path;

use super::Check;
use super::finding::{Finding, Severity, Trouble};
use super::run::outside;
use crate::error::Error;
use crate::workspace::{Leads, Run};

impl Check<'_> {
    /// Checks the links that name the latest run of an experiment.
    pub(super) fn current(&mut self, experiment: &str) {
        for link in self.workspace.current_links(experiment) {
            let finding = match link.leads {
                // only the name of the run counts: the links of older versions are absolute
                Leads::Nowhere => {
                    let run = link.target.file_name().map(|name| name.to_string_lossy().into_owned());
                    let run = run.unwrap_or_default();
                    if self.workspace.run(experiment, &run).is_ok() {
                        continue;
                    }
                    let text = format!("names the run {run}, which does not exist");
                    Finding::new(Trouble::DanglingLink, text).advice("the newest run is used instead")
                }
                Leads::Outside => outside(&link.path, &link.target),
                Leads::Unknown => unknown(&link.target),
                Leads::Inside => continue,
            };
            let experiment = Some(experiment.to_owned());
            self.result.findings.push(Finding { experiment, ..finding.file(link.path) });
        }
    }

    /// Reports a run, or an experiment, whose directory cannot be read.
    pub(super) fn unreadable_run(&mut self, run: &Run, error: &Error) {
        let finding = Finding::new(Trouble::UnreadableFile, error.reason());
        let run_id = Some(run.id()).filter(|id| !id.is_empty()).map(str::to_owned);
        let experiment = Some(run.experiment().to_owned());
        let file = error.location().file.clone();
        self.result.findings.push(Finding { file, experiment, run: run_id, ..finding });
    }

    /// Reports directories that are copies of a run of their experiment.
    pub(super) fn copies(&mut self, experiment: &str) {
        for (directory, run) in self.workspace.copies(experiment).unwrap_or_default() {
            let text =
                format!("is a copy of the run {run}, and is left out of run=\"latest\" and run=\"all\"");
            let finding = Finding::new(Trouble::CopiedRun, text).file(directory);
            let experiment = Some(experiment.to_owned());
            self.result.findings.push(Finding { experiment, run: Some(run), ..finding });
        }
    }

    /// Checks experiments and job directories that are links.
    pub(super) fn links(&mut self) {
        for link in self.workspace.links() {
            let is_job = link.path.starts_with(self.workspace.root().join("jobs"));
            let finding = match link.leads {
                Leads::Inside => continue,
                Leads::Outside if is_job => outside(&link.path, &link.target)
                    .severity(Severity::Info)
                    .advice("nothing to do, if you keep jobs on another disk"),
                Leads::Outside => outside(&link.path, &link.target),
                Leads::Unknown => unknown(&link.target).file(&*link.path),
                Leads::Nowhere => {
                    let text = format!("leads to {}, which does not exist", link.target.display());
                    Finding::new(Trouble::DanglingLink, text).file(&*link.path)
                }
            };
            self.result.findings.push(finding);
        }
    }

    /// Reports job directories of no run.
    pub(super) fn orphans(&mut self) {
        let jobs = match self.workspace.jobs() {
            Ok(jobs) => jobs,
            Err(error) => return self.unlistable(&error),
        };
        for job in jobs {
            match job {
                Ok((_, job_id)) if self.job_ids.contains(&job_id) => {}
                Ok((task_id, job_id)) => {
                    let directory = self.workspace.job_dir(&task_id, &job_id).unwrap_or_default();
                    let text = "no run has the job: it was only generated, or its runs were removed";
                    self.result
                        .findings
                        .push(Finding::new(Trouble::OrphanJob, text).job(job_id).file(directory));
                }
                Err(error) => self.unlistable(&error),
            }
        }
    }

    /// The directories whose names are not UTF-8.
    pub(super) fn unreadable_names(&mut self) {
        for error in self.workspace.unreadable_names() {
            let finding = Finding::new(Trouble::UnreadableFile, error.reason());
            let finding = finding.advice(error.advice().unwrap_or_default());
            let file = error.location().file.clone();
            self.result.findings.push(Finding { file, ..finding });
        }
    }

    fn unlistable(&mut self, error: &Error) {
        let finding = Finding::new(Trouble::UnreadableFile, error.reason());
        let file = error.location().file.clone();
        self.result.findings.push(Finding { file, ..finding });
    }
}

/// A symlink of which the system does not tell where it leads.
fn unknown(target: &Path) -> Finding {
    let what = format!("leads to {}, which cannot be looked at", target.display());
    Finding::new(Trouble::UnreadableFile, what)
}
