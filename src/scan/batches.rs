//! Batches in the order of their choices, built ahead of their consumer by a few threads.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::plan::{ScanPlan, threads as useful_threads};
use super::run_batch::RunBatch;
use crate::error::{Error, Result};
use crate::loaded::LoadedRun;
use crate::progress::CancelToken;
use crate::threads;

/// The jobs of a batch.
#[derive(Debug, Clone)]
pub struct RowChoice {
    /// The index of the run in the plan
    pub run: usize,
    /// The positions of the jobs among those of the requested tasks; all jobs if there are none
    pub rows: Option<Vec<usize>>,
}

/// The outcome of waiting for the next batch.
#[derive(Debug)]
pub enum NextBatch {
    /// The next batch, or the error that prevented it
    Ready(Result<RunBatch>),
    /// The next batch was not ready in time
    NotYet,
    /// All batches were consumed
    End,
}

/// Batches in the order of their choices. At most as many are built ahead as there are threads.
#[derive(Debug)]
pub struct Batches {
    shared: Arc<Shared>,
    /// The number of threads that build. Where none could start, or one batch is wanted, the consumer builds
    started: usize,
    next: usize,
    /// The number of jobs that [`Self::next_together`] returned last
    last_size: usize,
}

#[derive(Debug)]
struct Shared {
    plan: Arc<ScanPlan>,
    columns: Vec<usize>,
    choices: Vec<RowChoice>,
    open_runs: Mutex<HashMap<usize, OpenRun>>,
    queue: Mutex<Queue>,
    changed: Condvar,
    cancel: CancelToken,
    workers: usize,
}

/// A run while batches of it are built.
#[derive(Debug, Default)]
struct OpenRun {
    loaded: Option<Arc<LoadedRun>>,
    /// The number of batches still to build
    unbuilt: usize,
}

#[derive(Debug, Default)]
struct Queue {
    started: usize,
    consumed: usize,
    ready: HashMap<usize, Result<RunBatch>>,
}

impl Batches {
    /// Starts to build these columns of the chosen jobs. A single batch is built on the thread that consumes it.
    #[must_use]
    pub fn new(plan: Arc<ScanPlan>, columns: Vec<usize>, choices: Vec<RowChoice>) -> Self {
        let workers = if choices.len() > 1 { useful_threads().min(choices.len()) } else { 0 };
        Self::with_workers(workers, plan, columns, choices)
    }

    /// Starts to build these columns of the chosen jobs in batches of at most `max_jobs`, always on other threads, so that
    /// [`Self::next`] can time out.
    #[must_use]
    pub fn ahead(plan: Arc<ScanPlan>, columns: Vec<usize>, choices: Vec<RowChoice>, max_jobs: usize) -> Self {
        let choices = split(&plan, choices, max_jobs);
        Self::with_workers(useful_threads().min(choices.len()), plan, columns, choices)
    }

    fn with_workers(
        workers: usize,
        plan: Arc<ScanPlan>,
        columns: Vec<usize>,
        choices: Vec<RowChoice>,
    ) -> Self {
        let mut open_runs: HashMap<usize, OpenRun> = HashMap::new();
        for choice in &choices {
            open_runs.entry(choice.run).or_default().unbuilt += 1;
        }
        let shared = Arc::new(Shared {
            plan,
            columns,
            choices,
            open_runs: Mutex::new(open_runs),
            queue: Mutex::default(),
            changed: Condvar::new(),
            cancel: CancelToken::default(),
            workers,
        });
        let start = |_| {
            let shared = Arc::clone(&shared);
            threads::detach(move || shared.work()).is_ok()
        };
        let started = (0..workers).filter(|&worker| start(worker)).count();
        Self { shared, started, next: 0, last_size: 0 }
    }

    /// The next batch. Waits for it at most `timeout`, or as long as it takes without one.
    pub fn next(&mut self, timeout: Option<Duration>) -> NextBatch {
        let shared = &self.shared;
        let index = self.next;
        if index >= shared.choices.len() {
            return NextBatch::End;
        }
        if self.started == 0 {
            self.next += 1;
            return NextBatch::Ready(shared.build(index));
        }
        if !self.wait(timeout) {
            return NextBatch::NotYet;
        }
        let mut queue = shared.lock_queue();
        let Some(batch) = queue.ready.remove(&index) else { return NextBatch::NotYet };
        queue.consumed += 1;
        self.next += 1;
        shared.changed.notify_all();
        NextBatch::Ready(batch)
    }

    /// The next batch, joined with those that are ready within `timeout` after it. The result grows up to twice the number of
    /// jobs of the last call, and to `max_jobs`: a consumer of many small runs pays for few batches, and one that stops early
    /// waits for few jobs.
    pub fn next_together(&mut self, max_jobs: usize, timeout: Duration) -> NextBatch {
        let first = match self.next(Some(timeout)) {
            NextBatch::Ready(Ok(batch)) => batch,
            not_ready => return not_ready,
        };
        let target = max_jobs.min(2 * self.last_size);
        let deadline = Instant::now() + timeout;
        self.last_size = first.batch.num_rows();
        let mut batches = vec![first];
        while self.last_size < target {
            match self.next(Some(deadline.saturating_duration_since(Instant::now()))) {
                NextBatch::Ready(Ok(batch)) => {
                    self.last_size += batch.batch.num_rows();
                    batches.push(batch);
                }
                NextBatch::Ready(Err(error)) => return NextBatch::Ready(Err(error)),
                NextBatch::NotYet | NextBatch::End => break,
            }
        }
        NextBatch::Ready(RunBatch::concat(batches))
    }

    /// Waits for the next batch at most `timeout`. Returns whether [`Self::next`] would return without waiting.
    #[must_use]
    pub fn wait(&self, timeout: Option<Duration>) -> bool {
        let (shared, index) = (&self.shared, self.next);
        if self.started == 0 || index >= shared.choices.len() {
            return true;
        }
        let mut queue = shared.lock_queue();
        while !queue.ready.contains_key(&index) {
            queue = match timeout {
                None => shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(timeout) => {
                    let waited = shared.changed.wait_timeout(queue, timeout);
                    let (queue, result) = waited.unwrap_or_else(PoisonError::into_inner);
                    if result.timed_out() {
                        return queue.ready.contains_key(&index);
                    }
                    queue
                }
            };
        }
        true
    }

    /// The number of batches that were not consumed yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.shared.choices.len() - self.next
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.shared.cancel.cancel();
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock_queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn build(&self, index: usize) -> Result<RunBatch> {
        let RowChoice { run, rows } = &self.choices[index];
        let batch =
            self.open(*run).and_then(|loaded| self.plan.build(&loaded, *run, &self.columns, rows.as_deref()));
        self.close(*run);
        batch
    }

    /// The run, shared by all its batches.
    fn open(&self, index: usize) -> Result<Arc<LoadedRun>> {
        let mut open_runs = self.open_runs.lock().unwrap_or_else(PoisonError::into_inner);
        let run = open_runs.entry(index).or_default();
        if let Some(loaded) = &run.loaded {
            return Ok(Arc::clone(loaded));
        }
        let loaded = self.plan.open(index, &self.cancel)?;
        run.loaded = Some(Arc::clone(&loaded));
        Ok(loaded)
    }

    /// Counts a built batch, and frees the run after its last one.
    fn close(&self, index: usize) {
        let mut open_runs = self.open_runs.lock().unwrap_or_else(PoisonError::into_inner);
        let run = open_runs.entry(index).or_default();
        run.unbuilt = run.unbuilt.saturating_sub(1);
        if run.unbuilt == 0 {
            open_runs.remove(&index);
        }
    }

    fn work(&self) {
        while let Some(index) = self.start_next() {
            let build = AssertUnwindSafe(|| self.build(index));
            let batch = catch_unwind(build).unwrap_or_else(|_| Err(Error::fault()));
            self.lock_queue().ready.insert(index, batch);
            self.changed.notify_all();
        }
    }

    /// The index of the next batch to build, once the consumer is near enough; none if all are started or the consumer is gone.
    fn start_next(&self) -> Option<usize> {
        let mut queue = self.lock_queue();
        let has_more = |queue: &Queue| !self.cancel.is_cancelled() && queue.started < self.choices.len();
        while has_more(&queue) && queue.started - queue.consumed > self.workers {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if !has_more(&queue) {
            return None;
        }
        queue.started += 1;
        Some(queue.started - 1)
    }
}

/// Splits choices into those of at most `max_jobs`, of about the same size for one run.
fn split(plan: &ScanPlan, choices: Vec<RowChoice>, max_jobs: usize) -> Vec<RowChoice> {
    let parts = |RowChoice { run, rows }: RowChoice| {
        let jobs = rows.as_ref().map_or_else(|| plan.jobs(run), Vec::len);
        if jobs <= max_jobs {
            return vec![RowChoice { run, rows }];
        }
        let rows = rows.unwrap_or_else(|| (0..jobs).collect());
        let size = jobs.div_ceil(jobs.div_ceil(max_jobs));
        rows.chunks(size).map(|part| RowChoice { run, rows: Some(part.to_vec()) }).collect()
    };
    choices.into_iter().flat_map(parts).collect()
}
