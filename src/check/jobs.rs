//! What is wrong with the jobs of a run: their states, their files, and whether they ran as the run says.

use std::path::Path;

use ahash::HashSet;

use super::Check;
use super::finding::{Finding, Severity, Trouble};
use crate::error::Error;
use crate::loaded::LoadedRun;
use crate::objects::{difference, executed, is_same_process};
use crate::records::{Evidence, JobStatuses, State};
use crate::workspace::Run;

/// One job of a run, and what is known of it.
struct Job<'j> {
    at: usize,
    task_id: &'j str,
    id: &'j str,
    state: State,
    evidence: Evidence,
}

impl Check<'_> {
    /// Looks at each job; gives the states, by the positions of the jobs.
    pub(super) fn jobs(&mut self, loaded: &LoadedRun, errors: &mut Vec<Error>) -> Vec<State> {
        let (run, rows) = (loaded.run(), loaded.rows());
        let statuses = JobStatuses::open(run, loaded.record());
        let mut states = Vec::with_capacity(rows.rows.len());
        for (at, row) in rows.rows.iter().enumerate() {
            if self.stop.is_cancelled() {
                states.resize(rows.rows.len(), State::Unscheduled);
                return states;
            }
            let (task_id, job_id) = (rows.task_id(row), rows.job_id(row));
            let state = statuses.job(&task_id, &job_id, errors).state;
            states.push(state);
            self.found.jobs += 1;
            self.known.insert(job_id.clone().into_owned());
            let recorded = loaded.record().job_states.get(&*job_id).map(String::as_str);
            let directory = run.workspace().job_dir(&task_id, &job_id).unwrap_or_default();
            let evidence = Evidence::of(&directory, &task_id, &job_id, recorded);
            let job = Job { at, task_id: &task_id, id: &job_id, state, evidence };
            self.state(loaded, &job);
            self.files(loaded, &job);
            self.as_executed(loaded, &job);
        }
        self.linked(loaded);
        states
    }

    fn of_job(&mut self, run: &Run, job: &Job<'_>, finding: Finding) {
        self.tell(run, finding.job(job.id));
    }

    /// Whether the files agree on the state.
    fn state(&mut self, loaded: &LoadedRun, job: &Job<'_>) {
        let run = loaded.run();
        let Evidence { directory, done, failed, pid, written, recorded, .. } = &job.evidence;
        if matches!(job.state, State::Lost | State::Running) {
            return self.unfinished(loaded, job);
        }
        if let (State::Error, Some(pid), None, None) = (job.state, pid, done, failed) {
            let says = written.as_deref().unwrap_or("nothing");
            let what =
                format!("was killed: it left a pid file and no marker, and its status.json says {says}");
            let finding = Finding::new(Trouble::StalePid, what).severity(Severity::Warning).advice(
                "its state is an error, as the scheduler saw it; launch the experiment again to have it run",
            );
            self.of_job(run, job, finding.file(pid));
        }
        if let (Some(done), Some(_)) = (done, failed) {
            let what = "has a marker of success and one of failure";
            let finding = Finding::new(Trouble::StateDisagrees, what).file(done);
            self.of_job(run, job, finding.advice("success counts; remove the marker that is wrong"));
        }
        let ended = match (done, failed) {
            (Some(_), _) => "done",
            (None, Some(_)) => "error",
            (None, None) => return,
        };
        // 1.x leaves it behind
        if let (Some(pid), true) = (pid, run.path().join("status.json").exists()) {
            let finding = Finding::new(Trouble::StalePid, "has a pid file, though it ended");
            self.of_job(run, job, finding.file(pid));
        }
        let file = directory.as_deref().map(|directory| directory.join(".experimaestro/status.json"));
        self.told_otherwise(run, job, ended, written.as_deref(), &file.unwrap_or_default());
        let file = run.path().join("status.json");
        // that of a run that goes on, or was killed, is as old as its beginning
        if loaded.record().ended_at.is_some() && recorded.as_deref() != Some("unscheduled") {
            self.told_otherwise(run, job, ended, recorded.as_deref(), &file);
        }
    }

    /// A job that left no result: lost, or running.
    fn unfinished(&mut self, loaded: &LoadedRun, job: &Job<'_>) {
        let Evidence { directory, pid, process, .. } = &job.evidence;
        let finding = match (job.state, process) {
            (State::Lost, Some(true)) => {
                let what = "was running when the driver went away, and its process still runs";
                Finding::new(Trouble::LostJob, what)
                    .severity(Severity::Info)
                    .advice("wait for it: it leaves its result when it ends")
            }
            (State::Lost, _) => {
                Finding::new(Trouble::LostJob, "was running when the driver went away, and left no result")
            }
            (_, Some(false)) => {
                early(loaded, Finding::new(Trouble::LostJob, "is said to run, but its process is gone"))
            }
            _ => return,
        };
        let place = pid.as_ref().or(directory.as_ref()).cloned().unwrap_or_default();
        self.of_job(loaded.run(), job, finding.file(place));
    }

    /// A status file that says another state than the marker. One that is merely behind is no contradiction.
    fn told_otherwise(&mut self, run: &Run, job: &Job<'_>, ended: &str, told: Option<&str>, file: &Path) {
        let Some(told) = told else { return };
        let word = told.split(':').next().unwrap_or(told).to_ascii_lowercase();
        if word == ended {
            return;
        }
        let is_end = word == "done" || word == "error";
        let what = format!("the marker file says {ended}, this file {told}");
        let finding = Finding::new(Trouble::StateDisagrees, what).file(file);
        let is_own = !file.starts_with(run.path());
        self.of_job(
            run,
            job,
            match (is_end, is_own) {
                (true, true) => finding,
                (true, false) => finding
                    .severity(Severity::Info)
                    .advice("nothing to do: the job was run again after this run"),
                (false, _) => {
                    finding.severity(Severity::Info).advice("nothing to do: the file was left behind")
                }
            },
        );
    }

    /// Whether the files of the job are there.
    fn files(&mut self, loaded: &LoadedRun, job: &Job<'_>) {
        let run = loaded.run();
        let has_config = loaded.objects().roots[job.at].is_some();
        if let (Some(0), Some(directory)) = (job.evidence.params, &job.evidence.directory) {
            let what = "its params.json has no byte: it could not be written";
            let finding = Finding::new(Trouble::EmptyParams, what).file(directory.join("params.json"));
            self.of_job(run, job, early(loaded, finding));
        }
        if !has_config {
            let place = job.evidence.directory.as_deref().unwrap_or(run.path());
            let finding = Finding::new(Trouble::NoConfig, "no file has its config").file(place);
            let has_params = job.evidence.params.is_some_and(|bytes| bytes > 0);
            let has_ended = job.evidence.done.is_some() || job.evidence.failed.is_some();
            let finding = if has_ended || has_params {
                finding
            } else {
                let never = finding.severity(Severity::Warning);
                early(loaded, never.advice("its parameters are null: it never started, so it left none"))
            };
            self.of_job(run, job, finding);
        }
        if job.evidence.directory.is_none() && job.state == State::Done {
            let what = "it was done, and its directory is gone: it was transient, or was removed by hand";
            let finding = Finding::new(Trouble::JobDirectoryGone, what).severity(Severity::Info);
            let place = run.workspace().job_dir(job.task_id, job.id).unwrap_or_default();
            self.of_job(run, job, finding.file(place));
        }
    }

    /// Whether the config that the run recorded is what the job was executed with: every value, however deep.
    fn as_executed(&mut self, loaded: &LoadedRun, job: &Job<'_>) {
        let (run, objects) = (loaded.run(), loaded.objects());
        let Some(root) = objects.roots[job.at].filter(|_| job.evidence.params.is_some_and(|bytes| bytes > 0))
        else {
            return;
        };
        let (file, line) = objects.graph.place(root);
        if file.ends_with("params.json") {
            return;
        }
        let ran = executed(run, (job.task_id, job.id), loaded.relocation());
        let Ok(Some((truth, ran))) = ran else {
            let what =
                "its params.json cannot be read, so it cannot be told whether the job ran as the run says";
            let finding = Finding::new(Trouble::BadFile, what).severity(Severity::Warning);
            let place = job.evidence.directory.as_deref().map(|directory| directory.join("params.json"));
            return self.of_job(run, job, early(loaded, finding.file(place.unwrap_or_default())));
        };
        self.found.compared += 1;
        let Some(found) = difference((&objects.graph, root), (&truth, ran)) else { return };
        let values =
            format!("is {} in the run, and {} in the params.json of the job", found.first, found.second);
        let finding = if is_same_process((&objects.graph, root), (&truth, ran)) {
            let what = format!("{values}: Python gave one id to two objects");
            Finding::new(Trouble::ReusedId, what)
                .advice("the value that is shown is wrong: trust the params.json of the job")
        } else {
            Finding::new(Trouble::NotWhatRan, format!("{values}, which is what ran"))
        };
        self.of_job(run, job, finding.file(file).line(line).field(found.field));
    }

    /// The links of the run: jobs that jobs.jsonl does not have, and links that lead to nothing.
    fn linked(&mut self, loaded: &LoadedRun) {
        let (run, rows) = (loaded.run(), loaded.rows());
        let links = run.linked_jobs().unwrap_or_default();
        let mut nowhere = 0;
        let mut seen = HashSet::default();
        for link in links {
            let Ok(directory) = run.workspace().job_dir(&link.task_id, &link.job_id) else { continue };
            if !seen.insert(directory.clone()) {
                continue;
            }
            if rows.position(link.job_id.as_bytes()).is_none() {
                let what = "the run links to the job, but its jobs.jsonl does not have it";
                let finding = Finding::new(Trouble::UnlistedJob, what).job(&*link.job_id);
                self.tell(run, finding.file(directory.clone()));
                self.known.insert(link.job_id.clone());
            }
            let Some(target) = link.target else { continue };
            // a job that never started has a link and no directory
            nowhere += usize::from(target.is_absolute() && !target.exists() && directory.exists());
        }
        if nowhere > 0 {
            let links = if nowhere == 1 { "a link to a job leads" } else { "links to jobs lead" };
            let what = format!("{links} to where the workspace was ({nowhere})");
            let finding = Finding::new(Trouble::DanglingLink, what)
                .severity(Severity::Info)
                .advice("nothing to do: jobs are found by their names");
            self.tell(run, finding.file(run.path().join("jobs")));
        }
    }
}

/// A finding about what is missing: while the driver is there, it may still be written.
fn early(loaded: &LoadedRun, finding: Finding) -> Finding {
    match loaded.record().alive {
        Some(true) => finding.severity(Severity::Info).advice("the run goes on: look again later"),
        _ => finding,
    }
}
