//! A run and what was read of it so far.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use once_cell::sync::OnceCell;

use super::actions::ActionIds;
use super::extent::ReadExtent;
use super::keys::RowKeys;
use super::states::DoneJobs;
use crate::error::{Error, Result};
use crate::file::{Bookmark, LinedFile, Signature};
use crate::objects::{
    ConcurrentTask, MIN_BYTES_PER_THREAD, Relocation, Roots, RunObjects, SavedObject, load_saved,
};
use crate::progress::CancelToken;
use crate::records::{JobRows, Offsets, RunRecord, first_jobs, first_submission, recorded_roots, run_record};
use crate::threads;
use crate::values::ObjectIx;
use crate::workspace::Run;

/// The number of jobs whose files are searched for former roots of the workspace.
const RELOCATION_SAMPLE: usize = 4;

/// More threads do not read one run: each has its own memory of earlier lines, so each further thread gains less.
const MAX_THREADS: usize = 4;

/// A run and what was read of it so far. Threads share it: a file that one thread read is not read by another.
#[derive(Debug)]
pub struct LoadedRun {
    pub(super) run: Run,
    pub(super) cancel: CancelToken,
    /// Why there is nothing to read, if its directory could not be looked at
    pub(super) unreadable: Option<Error>,
    /// Where reading stops, if before the end of the files
    pub(super) extent: Option<ReadExtent>,
    /// The signature before the first file was read
    pub(super) first_signature: OnceCell<Signature>,
    /// Whether the last signature took long to compute, as on a network
    pub(super) is_slow: AtomicBool,
    pub(super) rows: OnceCell<Arc<JobRows>>,
    pub(super) objects: OnceCell<Arc<RunObjects>>,
    pub(super) record: OnceCell<(RunRecord, Vec<Error>)>,
    pub(super) relocation: OnceCell<Relocation>,
    pub(super) offsets: OnceCell<Offsets>,
    pub(super) actions: OnceCell<Roots>,
    pub(super) action_ids: ActionIds,
    pub(super) done: DoneJobs,
    pub(super) is_in_order: OnceCell<bool>,
}

impl LoadedRun {
    /// A run of which nothing is read yet. Once `cancel` is cancelled, readers leave incomplete results: throw them away.
    #[must_use]
    pub fn new(run: Run, cancel: CancelToken) -> Self {
        Self {
            run,
            cancel,
            unreadable: None,
            extent: None,
            first_signature: OnceCell::new(),
            is_slow: AtomicBool::new(false),
            rows: OnceCell::new(),
            objects: OnceCell::new(),
            record: OnceCell::new(),
            relocation: OnceCell::new(),
            offsets: OnceCell::new(),
            actions: OnceCell::new(),
            action_ids: ActionIds::default(),
            done: DoneJobs::default(),
            is_in_order: OnceCell::new(),
        }
    }

    /// A run, or the runs of an experiment, whose directory could not be looked at: it has no jobs, and this error.
    #[must_use]
    pub fn unreadable(run: Run, error: Error) -> Self {
        Self { unreadable: Some(error), ..Self::new(run, CancelToken::default()) }
    }

    /// Why its directory could not be looked at.
    #[must_use]
    pub fn refusal(&self) -> Option<&Error> {
        self.unreadable.as_ref()
    }

    /// The run on disk.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The token that cancels its readers.
    #[must_use]
    pub fn cancel_token(&self) -> &CancelToken {
        &self.cancel
    }

    /// Whether its jobs were read.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.rows.get().is_some()
    }

    /// Reads its jobs now, with their configs if `configs`.
    pub fn read(&self, configs: bool) {
        if configs {
            let _ = self.objects();
        } else {
            let _ = self.rows();
        }
    }

    /// Reads its jobs and its record now; if they are many, on two threads: the states of 100,000 jobs (29 MB) take 54 ms so, and
    /// 71 ms on one.
    pub fn read_with_record(&self) {
        let read_record = || {
            let _ = self.record();
        };
        let read_rows = || {
            let _ = self.rows();
        };
        if self.is_worth_thread() {
            return threads::beside(read_record, read_rows);
        }
        read_rows();
        read_record();
    }

    /// Whether its files are so large that two of them are read sooner on two threads.
    fn is_worth_thread(&self) -> bool {
        self.note_signature();
        self.first_signature.get().is_some_and(|signature| signature.bytes() >= MIN_BYTES_PER_THREAD)
            && threads::at_most(2) == 2
    }

    /// Its jobs and their tags.
    #[must_use]
    pub fn rows(&self) -> &JobRows {
        self.rows.get_or_init(|| {
            self.note_signature();
            if let Some(error) = &self.unreadable {
                return Arc::new(JobRows::unreadable(error.clone()));
            }
            Arc::new(JobRows::parse(&self.run, self.open_job_list(), &self.cancel))
        })
    }

    fn open_job_list(&self) -> Result<Option<LinedFile>> {
        let end = self.extent.as_ref().map(|extent| extent.jobs.at());
        JobRows::list(&self.run).map(|list| list.map(|list| list.until(end)))
    }

    pub(super) fn keys<'r>(&'r self, rows: &'r JobRows) -> RowKeys<'r> {
        RowKeys { rows, run: &self.run, actions: &self.action_ids }
    }

    /// Its configs. Its jobs, if unread, are read at the same time on another thread.
    #[must_use]
    pub fn objects(&self) -> &RunObjects {
        self.objects.get_or_init(|| {
            self.note_signature();
            if self.unreadable.is_some() {
                let _ = self.rows();
                return Arc::new(RunObjects::default());
            }
            let relocation = self.relocation();
            // before the objects: a driver writes the row of a job first
            let list = self.rows.get().is_none().then(|| self.open_job_list());
            let bytes = list.iter().flatten().flatten().map(LinedFile::size).sum();
            let read_rows = move || {
                if let Some(list) = list {
                    let parse = || Arc::new(JobRows::parse(&self.run, list, &self.cancel));
                    let _ = self.rows.get_or_init(parse);
                }
            };
            let is_slow = self.is_slow();
            let threads = threads::at_most(MAX_THREADS).max(if is_slow { 2 } else { 1 });
            let aside = ConcurrentTask { threads, work: read_rows, bytes, is_slow };
            let end = self.extent.as_ref().and_then(|extent| extent.objects.as_ref()).map(Bookmark::at);
            let parsed = RunObjects::parse(&self.run, end, relocation, &self.cancel, aside);
            Arc::new(parsed.of_jobs(&self.run, &self.keys(self.rows()), relocation, &self.cancel))
        })
    }

    /// Its configs, if they were read.
    #[must_use]
    pub fn objects_if_read(&self) -> Option<&RunObjects> {
        self.objects.get().map(Arc::as_ref)
    }

    /// The config of a job, if a file has it.
    #[must_use]
    pub fn job(&self, job_id: &str) -> Option<ObjectIx> {
        self.rows().find(job_id).and_then(|position| self.objects().roots[position])
    }

    /// The record of the run itself: its times, its host, its actions, how it ended.
    #[must_use]
    pub fn record(&self) -> &RunRecord {
        let read = || {
            let mut errors = Vec::new();
            if self.unreadable.is_some() {
                return (RunRecord::default(), errors);
            }
            (run_record(&self.run, &mut errors), errors)
        };
        &self.record.get_or_init(read).0
    }

    /// Its actions, in experimaestro's order. An action whose object is missing is left out.
    #[must_use]
    pub fn actions(&self) -> &Roots {
        self.actions
            .get_or_init(|| self.objects().find_roots(self.record().actions.keys().map(String::as_str)))
    }

    /// How far the clock of the driver was ahead of UTC, at the moments that its files date.
    #[must_use]
    pub fn offsets(&self) -> &Offsets {
        let rows = self.rows.get().map(Arc::as_ref);
        self.offsets.get_or_init(|| Offsets::of_run(&self.run, || first_submission(&self.run, rows)))
    }

    /// Where the workspace is, and where it was when its files were written.
    #[must_use]
    pub fn relocation(&self) -> &Relocation {
        self.relocation.get_or_init(|| {
            let from_rows = || {
                let rows = self.rows();
                let key = |row| (rows.task_id(row).into_owned(), rows.job_id(row).into_owned());
                rows.rows.iter().take(RELOCATION_SAMPLE).map(key).collect()
            };
            let sample: Vec<(String, String)> =
                first_jobs(&self.run, RELOCATION_SAMPLE).unwrap_or_else(from_rows);
            let now = self.run.workspace().root().to_string_lossy().trim_end_matches('/').to_owned();
            Relocation::new(now, recorded_roots(&self.run, &sample, self.is_slow()))
        })
    }

    /// The object that `xp.save` saved under a name.
    ///
    /// # Errors
    /// `JobNotFound` if nothing was saved under that name; `Format` if it cannot be read.
    pub fn saved(&self, name: &str) -> Result<SavedObject> {
        load_saved(&self.run, name, self.relocation())
    }

    /// The errors of everything that was read so far.
    #[must_use]
    pub fn errors(&self) -> Vec<Error> {
        if let Some(error) = &self.unreadable {
            return vec![error.clone()];
        }
        let rows = self.rows.get().into_iter().flat_map(|rows| &rows.errors);
        let record = self.record.get().into_iter().flat_map(|(_, errors)| errors);
        let objects = self.objects.get().into_iter().flat_map(|objects| &objects.errors);
        rows.chain(record).chain(objects).cloned().collect()
    }

    /// How far its files were read; nothing for files that do not grow, or whose last line had no end yet.
    #[must_use]
    pub fn extent(&self) -> Option<ReadExtent> {
        let jobs = self.rows.get()?.end()?.clone();
        let objects = match self.objects.get() {
            Some(objects) => Some(objects.end()?.clone()),
            None => None,
        };
        Some(ReadExtent { jobs, objects })
    }

    /// Whether its file system makes callers wait, as a network does. Unknown, so false, before a signature was computed.
    #[must_use]
    pub(crate) fn is_slow(&self) -> bool {
        self.is_slow.load(Ordering::Relaxed)
    }

    /// The signature of the files of its jobs and configs, as they are now. It differs once one of them changed.
    #[must_use]
    pub fn signature(&self) -> Signature {
        let mut files: Vec<PathBuf> = ["jobs.jsonl", "objects.jsonl", "configs.json", "state.json"]
            .iter()
            .map(|name| self.run.path().join(name))
            .collect();
        let (signature, is_slow) = Signature::timed(files.iter().map(PathBuf::as_path));
        self.is_slow.store(is_slow, Ordering::Relaxed);
        if signature.has_first() {
            return signature;
        }
        // before 2.0 the links are the list of jobs
        if files[0].symlink_metadata().is_err() {
            let directories = ["jobs", "jobs.bak"].map(|name| self.run.path().join(name));
            files.extend(directories.iter().flat_map(|directory| with_children(directory)));
        }
        Signature::of(files.iter().map(PathBuf::as_path))
    }

    /// Takes over a signature that was computed before anything was read; nothing if one is known already.
    pub fn note_files(&self, signature: &Signature) {
        let _ = self.first_signature.set(signature.clone());
    }

    /// Takes the signature before the first file is read, so that files that grow meanwhile count as changed.
    fn note_signature(&self) {
        let _ = self.first_signature.get_or_init(|| self.signature());
    }
}

/// A directory and its entries.
fn with_children(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        directory.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort_unstable();
    paths.insert(0, directory.to_path_buf());
    paths
}
