//! Checks the jobs of a run: their states, their files, and whether they ran with the recorded configs.

use std::path::{Path, PathBuf};

use ahash::HashSet;

use super::Check;
use super::finding::{Finding, Severity, Trouble};
use crate::error::Error;
use crate::file::cannot_be_there;
use crate::loaded::{JobLooks, LoadedRun};
use crate::objects::{Executed, difference, executed, is_same_process};
use crate::records::{Evidence, State};
use crate::threads;
use crate::workspace::{LinkedJob, Run};

/// One job of a run, and the evidence of its files.
struct Job<'j> {
    position: usize,
    task_id: &'j str,
    id: &'j str,
    state: State,
    evidence: Evidence,
    /// Whether the run has a status.json
    has_status: bool,
}

/// What a look at the files of a job gave.
struct Looked {
    state: State,
    evidence: Evidence,
    comparison: Comparison,
}

/// Whether a job was executed with its recorded config.
enum Comparison {
    /// There is nothing to compare
    Nothing,
    /// Its params.json cannot be read
    Unreadable(Finding),
    /// They were compared; the finding says how they differ
    Compared(Option<Finding>),
}

impl Check<'_> {
    /// Checks each job. Returns the states of the jobs, by their positions.
    pub(super) fn jobs(&mut self, loaded: &LoadedRun, errors: &mut Vec<Error>) -> Vec<State> {
        let (run, rows) = (loaded.run(), loaded.rows());
        let looks = loaded.job_looks();
        let positions: Vec<usize> = (0..rows.rows.len()).collect();
        let (looked, wrong) = looks.each(&positions, |&position, errors| {
            let is_cancelled = self.cancel.is_cancelled();
            (!is_cancelled).then(|| Looked::at(loaded, &looks, position, errors))
        });
        errors.extend(wrong);
        let has_status = run.path().join("status.json").exists();
        let mut states = Vec::with_capacity(rows.rows.len());
        for (position, (row, looked)) in rows.rows.iter().zip(looked).enumerate() {
            let Some(Looked { state, evidence, comparison }) = looked else {
                states.push(State::Unscheduled);
                continue;
            };
            let (task_id, job_id) = (rows.task_id(row), rows.job_id(row));
            states.push(state);
            self.result.jobs += 1;
            self.job_ids.insert(job_id.clone().into_owned());
            let job = Job { position, task_id: &task_id, id: &job_id, state, evidence, has_status };
            self.state(loaded, &job);
            self.files(loaded, &job);
            match comparison {
                Comparison::Nothing => {}
                Comparison::Unreadable(finding) => self.report_job(run, &job, finding),
                Comparison::Compared(finding) => {
                    self.result.compared += 1;
                    if let Some(finding) = finding {
                        self.report_job(run, &job, finding);
                    }
                }
            }
        }
        self.linked(loaded);
        states
    }

    fn report_job(&mut self, run: &Run, job: &Job<'_>, finding: Finding) {
        self.report(run, finding.job(job.id));
    }

    /// Checks that the files agree on the state.
    fn state(&mut self, loaded: &LoadedRun, job: &Job<'_>) {
        let run = loaded.run();
        let Evidence { directory, done, failed, pid, written, recorded, .. } = &job.evidence;
        if matches!(job.state, State::Lost | State::Running) {
            return self.unfinished(loaded, job);
        }
        if let (State::Error, Some(pid), None, None) = (job.state, pid, done, failed) {
            let says = written.as_deref().unwrap_or("nothing");
            let text =
                format!("was killed: it left a pid file and no marker, and its status.json says {says}");
            let finding = Finding::new(Trouble::StalePid, text).severity(Severity::Warning).advice(
                "its state is an error, as for the scheduler; launch the experiment again to rerun it",
            );
            self.report_job(run, job, finding.file(pid));
        }
        if let (Some(done), Some(_)) = (done, failed) {
            let text = "has a marker of success and one of failure";
            let finding = Finding::new(Trouble::StateDisagrees, text).file(done);
            self.report_job(run, job, finding.advice("success counts; remove the marker that is wrong"));
        }
        let ended = match (done, failed) {
            (Some(_), _) => "done",
            (None, Some(_)) => "error",
            (None, None) => return,
        };
        // 1.x leaves the pid file behind
        if let (Some(pid), true) = (pid, job.has_status) {
            let finding = Finding::new(Trouble::StalePid, "has a pid file, though it ended");
            self.report_job(run, job, finding.file(pid));
        }
        let file = directory.as_deref().map(|directory| directory.join(".experimaestro/status.json"));
        self.contradicts(run, job, ended, written.as_deref(), &file.unwrap_or_default());
        let file = run.path().join("status.json");
        // the states of a run that is running or was killed are those of its start
        if loaded.record().ended_at.is_some() && recorded.as_deref() != Some("unscheduled") {
            self.contradicts(run, job, ended, recorded.as_deref(), &file);
        }
    }

    /// Checks a job without a result: lost, or running.
    fn unfinished(&mut self, loaded: &LoadedRun, job: &Job<'_>) {
        let Evidence { directory, pid, process, written, recorded, .. } = &job.evidence;
        let is_running = |word: &String| word.eq_ignore_ascii_case(State::Running.as_str());
        if pid.is_none() && ![written, recorded].into_iter().flatten().any(is_running) {
            // it was queued: the finding about its driver says all
            return;
        }
        let finding = match (job.state, process) {
            (State::Lost, Some(true)) => {
                let text = "was running when the driver went away, and its process still runs";
                Finding::new(Trouble::LostJob, text)
                    .severity(Severity::Info)
                    .advice("wait for it: it leaves its result when it ends")
            }
            (State::Lost, _) => {
                Finding::new(Trouble::LostJob, "was running when the driver went away, and left no result")
            }
            (_, Some(false)) => early(
                loaded,
                Finding::new(Trouble::LostJob, "is recorded as running, but its process is gone"),
            ),
            _ => return,
        };
        let file = pid.as_ref().or(directory.as_ref()).cloned().unwrap_or_default();
        self.report_job(loaded.run(), job, finding.file(file));
    }

    /// Reports a status file that contradicts the marker. A file that is merely outdated is only noted.
    fn contradicts(&mut self, run: &Run, job: &Job<'_>, ended: &str, written: Option<&str>, file: &Path) {
        let Some(written) = written else { return };
        let word = written.split(':').next().unwrap_or(written).to_ascii_lowercase();
        if word == ended {
            return;
        }
        let is_end = word == "done" || word == "error";
        let text = format!("the marker file says {ended}, this file {written}");
        let finding = Finding::new(Trouble::StateDisagrees, text).file(file);
        let is_own = !file.starts_with(run.path());
        self.report_job(
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

    /// Checks that the job has its files.
    fn files(&mut self, loaded: &LoadedRun, job: &Job<'_>) {
        let run = loaded.run();
        let has_config = loaded.objects().roots[job.position].is_some();
        if let (Some(0), Some(directory)) = (job.evidence.params, &job.evidence.directory) {
            let text = "its params.json is empty: it could not be written";
            let finding = Finding::new(Trouble::EmptyParams, text).file(directory.join("params.json"));
            self.report_job(run, job, early(loaded, finding));
        }
        if !has_config {
            let file = job.evidence.directory.as_deref().unwrap_or(run.path());
            let finding = Finding::new(Trouble::NoConfig, "no file has its config").file(file);
            let has_params = job.evidence.params.is_some_and(|bytes| bytes > 0);
            let has_ended = job.evidence.done.is_some() || job.evidence.failed.is_some();
            let finding = if has_ended || has_params {
                finding
            } else {
                let unstarted = finding.severity(Severity::Warning);
                early(loaded, unstarted.advice("its parameters are null: it never started, so it left none"))
            };
            self.report_job(run, job, finding);
        }
        if job.evidence.directory.is_none() && job.state == State::Done {
            let text = "it was done, and its directory is gone: it was transient, or was removed by hand";
            let finding = Finding::new(Trouble::JobDirectoryGone, text).severity(Severity::Info);
            let directory = run.workspace().job_dir(job.task_id, job.id).unwrap_or_default();
            self.report_job(run, job, finding.file(directory));
        }
    }

    /// Checks the links of the run: jobs that jobs.jsonl does not have, and links to nothing.
    fn linked(&mut self, loaded: &LoadedRun) {
        let (run, rows) = (loaded.run(), loaded.rows());
        let links = run.linked_jobs().unwrap_or_default();
        // a job that never started has a link and no directory
        let is_dangling = |link: &LinkedJob| {
            let has_directory = || {
                run.workspace().job_dir(&link.task_id, &link.job_id).is_ok_and(|directory| directory.exists())
            };
            let leads_nowhere =
                |target: &PathBuf| target.metadata().is_err_and(|error| cannot_be_there(&error));
            let target = link.target.as_ref().filter(|target| target.is_absolute());
            target.is_some_and(leads_nowhere) && has_directory()
        };
        let is_dangling = threads::each_waiting(&links, is_dangling);
        let mut dangling = 0;
        let mut seen = HashSet::default();
        for (link, is_dangling) in links.into_iter().zip(is_dangling) {
            let Ok(directory) = run.workspace().job_dir(&link.task_id, &link.job_id) else { continue };
            if !seen.insert(directory.clone()) {
                continue;
            }
            if rows.position(link.job_id.as_bytes()).is_none() {
                let text = "the run links to the job, but its jobs.jsonl does not have it";
                let finding = Finding::new(Trouble::UnlistedJob, text).job(&*link.job_id);
                self.report(run, finding.file(directory.clone()));
                self.job_ids.insert(link.job_id.clone());
            }
            dangling += usize::from(is_dangling);
        }
        if dangling > 0 {
            let links = if dangling == 1 { "a link to a job leads" } else { "links to jobs lead" };
            let text = format!("{links} to where the workspace was ({dangling})");
            let finding = Finding::new(Trouble::DanglingLink, text)
                .severity(Severity::Info)
                .advice("nothing to do: jobs are found by their names");
            self.report(run, finding.file(run.path().join("jobs")));
        }
    }
}

impl Looked {
    /// Looks at the files of a job.
    fn at(loaded: &LoadedRun, looks: &JobLooks<'_>, position: usize, errors: &mut Vec<Error>) -> Self {
        let (status, evidence) = looks.evidence(position, errors);
        let comparison = Comparison::of(loaded, position, &evidence);
        Self { state: status.state, evidence, comparison }
    }
}

impl Comparison {
    /// Compares the recorded config with the params.json that the job was executed with: every value, however deep.
    fn of(loaded: &LoadedRun, position: usize, evidence: &Evidence) -> Self {
        let (run, rows, objects) = (loaded.run(), loaded.rows(), loaded.objects());
        let root = objects.roots[position].filter(|_| evidence.params.is_some_and(|bytes| bytes > 0));
        let Some(root) = root else { return Self::Nothing };
        let (file, line) = objects.graph.location(root);
        if file.ends_with("params.json") {
            return Self::Nothing;
        }
        let row = &rows.rows[position];
        let directory = evidence.directory.as_deref().unwrap_or(run.path());
        let executed = executed(run, (&rows.task_id(row), &rows.job_id(row)), directory, loaded.relocation());
        if let Ok(Executed::Formerly(identifier)) = &executed {
            let text = format!(
                "ran under its former identifier {identifier}, before its class was deprecated: its directory is a link"
            );
            let finding = Finding::new(Trouble::NotWhatRan, text).severity(Severity::Info);
            let finding = finding.advice("nothing to do: the parameters of the run are shown");
            return Self::Compared(Some(finding.file(file).line(line)));
        }
        let Ok(Executed::Job(params, executed_root)) = executed else {
            let text = "its params.json cannot be read, so whether the job ran with this config is unknown";
            let finding = Finding::new(Trouble::BadFile, text).severity(Severity::Warning);
            let file = evidence.directory.as_deref().map(|directory| directory.join("params.json"));
            return Self::Unreadable(early(loaded, finding.file(file.unwrap_or_default())));
        };
        let Some(difference) = difference((&objects.graph, root), (&params, executed_root)) else {
            return Self::Compared(None);
        };
        let (first, second) = (difference.first, difference.second);
        let values = format!("is {first} in the run, and {second} in the params.json of the job");
        let finding = if is_same_process((&objects.graph, root), (&params, executed_root)) {
            let text = format!("{values}: Python gave one id to two objects");
            Finding::new(Trouble::ReusedId, text)
                .advice("the value that is shown is wrong: trust the params.json of the job")
        } else {
            Finding::new(Trouble::NotWhatRan, format!("{values}, which is what ran"))
        };
        Self::Compared(Some(finding.file(file).line(line).field(difference.field)))
    }
}

/// A finding about a missing file, which the driver may still write while it is alive.
fn early(loaded: &LoadedRun, finding: Finding) -> Finding {
    match loaded.record().alive {
        Some(true) => finding.severity(Severity::Info).advice("the run is still running: check again later"),
        _ => finding,
    }
}
