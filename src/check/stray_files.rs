//! What lies around the runs: links, and jobs of no run.

use std::path::Path;

use super::Check;
use super::finding::{Finding, Severity, Trouble};
use super::run::outside;
use crate::workspace::Leads;

impl Check<'_> {
    /// The links that name the latest run of an experiment.
    pub(super) fn current(&mut self, experiment: &str) {
        for link in self.workspace.current_links(experiment) {
            let finding = match link.leads {
                // what counts is the name of the run: the links of older versions are absolute
                Leads::Nowhere => {
                    let run = link.target.file_name().map(|name| name.to_string_lossy().into_owned());
                    let run = run.unwrap_or_default();
                    if self.workspace.run(experiment, &run).is_ok() {
                        continue;
                    }
                    let what = format!("names the run {run}, which is not there");
                    Finding::new(Trouble::DanglingLink, what).advice("the newest run is taken instead")
                }
                Leads::Outside => outside(&link.path, &link.target),
                Leads::Unknown => unknown(&link.target),
                Leads::Inside => continue,
            };
            let experiment = Some(experiment.to_owned());
            self.found.findings.push(Finding { experiment, ..finding.file(link.path) });
        }
    }

    /// The links in place of experiments and job directories.
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
                    let what = format!("leads to {}, which is not there", link.target.display());
                    Finding::new(Trouble::DanglingLink, what).file(&*link.path)
                }
            };
            self.found.findings.push(finding);
        }
    }

    /// The job directories that no run knows.
    pub(super) fn orphans(&mut self) {
        let jobs = match self.workspace.jobs() {
            Ok(jobs) => jobs,
            Err(error) => return self.unlistable(&error),
        };
        for job in jobs {
            match job {
                Ok((_, job_id)) if self.known.contains(&job_id) => {}
                Ok((task_id, job_id)) => {
                    let place = self.workspace.job_dir(&task_id, &job_id).unwrap_or_default();
                    let what = "no run knows the job: it was only generated, or its runs were removed";
                    self.found.findings.push(Finding::new(Trouble::OrphanJob, what).job(job_id).file(place));
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
            self.found.findings.push(Finding { file, ..finding });
        }
    }

    fn unlistable(&mut self, error: &crate::error::Error) {
        let finding = Finding::new(Trouble::UnreadableFile, error.reason());
        let file = error.location().file.clone();
        self.found.findings.push(Finding { file, ..finding });
    }
}

/// A symlink of which the system does not tell where it leads.
fn unknown(target: &Path) -> Finding {
    let what = format!("leads to {}, which cannot be looked at", target.display());
    Finding::new(Trouble::UnreadableFile, what)
}
