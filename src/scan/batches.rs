//! Parts of a model, one after the other, built ahead by a few threads.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::plan::{RunBatch, ScanPlan, threads as worth};
use crate::error::{Error, Result};
use crate::loaded::LoadedRun;
use crate::progress::CancelToken;
use crate::threads;

/// Some of the jobs of a run of the model.
#[derive(Debug, Clone)]
pub struct RowChoice {
    /// The position of the run
    pub run: usize,
    /// The positions of the jobs among those of the asked tasks; all if there are none
    pub rows: Option<Vec<usize>>,
}

/// What came of waiting for the next part.
#[derive(Debug)]
pub enum NextBatch {
    /// The next part, or why there is none
    Ready(Result<RunBatch>),
    /// There is none yet
    NotYet,
    /// There are no more
    End,
}

/// Parts of a model in the order in which they were wanted. At most as many are built ahead as there are threads.
#[derive(Debug)]
pub struct Batches {
    shared: Arc<Shared>,
    /// How many threads build; where none could start, or one part is wanted, the caller builds
    started: usize,
    next: usize,
    /// How many jobs were given at once the last time
    given: usize,
}

#[derive(Debug)]
struct Shared {
    model: Arc<ScanPlan>,
    columns: Vec<usize>,
    wanted: Vec<RowChoice>,
    open: Mutex<HashMap<usize, Open>>,
    state: Mutex<State>,
    changed: Condvar,
    stop: CancelToken,
    workers: usize,
}

/// A run, while parts of it are built, and how many there are still to build.
#[derive(Debug, Default)]
struct Open {
    loaded: Option<Arc<LoadedRun>>,
    left: usize,
}

#[derive(Debug, Default)]
struct State {
    started: usize,
    taken: usize,
    ready: HashMap<usize, Result<RunBatch>>,
}

impl Batches {
    /// Begins to build these columns of what is wanted; a single part is built by whoever asks for it.
    #[must_use]
    pub fn new(model: Arc<ScanPlan>, columns: Vec<usize>, wanted: Vec<RowChoice>) -> Self {
        let workers = if wanted.len() > 1 { worth().min(wanted.len()) } else { 0 };
        Self::by(workers, model, columns, wanted)
    }

    /// Begins to build these columns of what is wanted, in parts of at most so many jobs, always on other threads:
    /// [`Self::next`] can be patient.
    #[must_use]
    pub fn ahead(model: Arc<ScanPlan>, columns: Vec<usize>, wanted: Vec<RowChoice>, most: usize) -> Self {
        let wanted = in_parts(&model, wanted, most);
        Self::by(worth().min(wanted.len()), model, columns, wanted)
    }

    fn by(workers: usize, model: Arc<ScanPlan>, columns: Vec<usize>, wanted: Vec<RowChoice>) -> Self {
        let (state, changed, stop) = (Mutex::default(), Condvar::new(), CancelToken::default());
        let mut open: HashMap<usize, Open> = HashMap::new();
        for part in &wanted {
            open.entry(part.run).or_default().left += 1;
        }
        let open = Mutex::new(open);
        let shared = Arc::new(Shared { model, columns, wanted, open, state, changed, stop, workers });
        let start = |_| {
            let shared = Arc::clone(&shared);
            threads::detach(move || shared.work()).is_ok()
        };
        let started = (0..workers).filter(|&worker| start(worker)).count();
        Self { shared, started, next: 0, given: 0 }
    }

    /// The next part; waits for it, but not longer than `patience`.
    pub fn next(&mut self, patience: Option<Duration>) -> NextBatch {
        let shared = &self.shared;
        let at = self.next;
        if at >= shared.wanted.len() {
            return NextBatch::End;
        }
        if self.started == 0 {
            self.next += 1;
            return NextBatch::Ready(shared.build(at));
        }
        if !self.wait(patience) {
            return NextBatch::NotYet;
        }
        let mut state = shared.lock();
        let Some(part) = state.ready.remove(&at) else { return NextBatch::NotYet };
        state.taken += 1;
        self.next += 1;
        shared.changed.notify_all();
        NextBatch::Ready(part)
    }

    /// The next part, and with it those that come within `patience` after it, until they have twice as many jobs as were given
    /// the last time, or `most`: who takes many small runs pays for fewer, and who stops early gets few.
    pub fn next_together(&mut self, most: usize, patience: Duration) -> NextBatch {
        let first = match self.next(Some(patience)) {
            NextBatch::Ready(Ok(part)) => part,
            other => return other,
        };
        let enough = most.min(2 * self.given);
        let over = Instant::now() + patience;
        self.given = first.batch.num_rows();
        let mut parts = vec![first];
        while self.given < enough {
            match self.next(Some(over.saturating_duration_since(Instant::now()))) {
                NextBatch::Ready(Ok(part)) => {
                    self.given += part.batch.num_rows();
                    parts.push(part);
                }
                NextBatch::Ready(Err(error)) => return NextBatch::Ready(Err(error)),
                NextBatch::NotYet | NextBatch::End => break,
            }
        }
        NextBatch::Ready(RunBatch::joined(parts))
    }

    /// Waits for the next part, but not longer than `patience`; says whether [`Self::next`] has something to tell.
    #[must_use]
    pub fn wait(&self, patience: Option<Duration>) -> bool {
        let (shared, at) = (&self.shared, self.next);
        if self.started == 0 || at >= shared.wanted.len() {
            return true;
        }
        let mut state = shared.lock();
        while !state.ready.contains_key(&at) {
            state = match patience {
                None => shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let waited = shared.changed.wait_timeout(state, patience);
                    let (state, over) = waited.unwrap_or_else(PoisonError::into_inner);
                    if over.timed_out() {
                        return state.ready.contains_key(&at);
                    }
                    state
                }
            };
        }
        true
    }

    /// How many parts are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.shared.wanted.len() - self.next
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn build(&self, at: usize) -> Result<RunBatch> {
        let RowChoice { run, rows } = &self.wanted[at];
        let part = self
            .opened(*run)
            .and_then(|loaded| self.model.part_of(&loaded, *run, &self.columns, rows.as_deref()));
        self.built(*run);
        part
    }

    /// The run, of which all parts share what is read.
    fn opened(&self, run: usize) -> Result<Arc<LoadedRun>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let known = open.entry(run).or_default();
        if let Some(loaded) = &known.loaded {
            return Ok(Arc::clone(loaded));
        }
        let loaded = self.model.open(run, &self.stop)?;
        known.loaded = Some(Arc::clone(&loaded));
        Ok(loaded)
    }

    /// A part was built: with the last one, the run is let go.
    fn built(&self, run: usize) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let known = open.entry(run).or_default();
        known.left = known.left.saturating_sub(1);
        if known.left == 0 {
            open.remove(&run);
        }
    }

    fn work(&self) {
        loop {
            let at = {
                let mut state = self.lock();
                while !self.stop.is_cancelled()
                    && state.started < self.wanted.len()
                    && state.started - state.taken > self.workers
                {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                if self.stop.is_cancelled() || state.started >= self.wanted.len() {
                    return;
                }
                state.started += 1;
                state.started - 1
            };
            let part =
                catch_unwind(AssertUnwindSafe(|| self.build(at))).unwrap_or_else(|_| Err(Error::fault()));
            self.lock().ready.insert(at, part);
            self.changed.notify_all();
        }
    }
}

/// The same jobs in parts of at most so many, those of one run of about the same size.
fn in_parts(model: &ScanPlan, wanted: Vec<RowChoice>, most: usize) -> Vec<RowChoice> {
    let parts = |RowChoice { run, rows }: RowChoice| {
        let jobs = rows.as_ref().map_or_else(|| model.jobs(run), Vec::len);
        if jobs <= most {
            return vec![RowChoice { run, rows }];
        }
        let rows = rows.unwrap_or_else(|| (0..jobs).collect());
        let size = jobs.div_ceil(jobs.div_ceil(most));
        rows.chunks(size).map(|part| RowChoice { run, rows: Some(part.to_vec()) }).collect()
    };
    wanted.into_iter().flat_map(parts).collect()
}
