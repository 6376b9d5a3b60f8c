//! Parts of a model, one after the other, built ahead by a few threads.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::model::{Model, Part, threads};
use crate::error::Result;
use crate::progress::Stop;

/// Some of the jobs of a run of the model.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The position of the run
    pub run: usize,
    /// The positions of the jobs among those of the asked tasks; all if there are none
    pub rows: Option<Vec<usize>>,
}

/// What came of waiting for the next part.
#[derive(Debug)]
pub enum Next {
    /// The next part, or why there is none
    Ready(Result<Part>),
    /// There is none yet
    NotYet,
    /// There are no more
    End,
}

/// Parts of a model in the order in which they were wanted. At most as many are built ahead as there are threads.
#[derive(Debug)]
pub struct Batches {
    shared: Arc<Shared>,
    next: usize,
}

#[derive(Debug)]
struct Shared {
    model: Arc<Model>,
    columns: Vec<usize>,
    wanted: Vec<Wanted>,
    state: Mutex<State>,
    changed: Condvar,
    stop: Stop,
    workers: usize,
}

#[derive(Debug, Default)]
struct State {
    started: usize,
    taken: usize,
    ready: HashMap<usize, Result<Part>>,
}

impl Batches {
    /// Begins to build these columns of what is wanted; a single part is built by whoever asks for it.
    #[must_use]
    pub fn new(model: Arc<Model>, columns: Vec<usize>, wanted: Vec<Wanted>) -> Self {
        let workers = if wanted.len() > 1 { threads().min(wanted.len()) } else { 0 };
        Self::by(workers, model, columns, wanted)
    }

    /// Begins to build these columns of what is wanted, always on other threads: [`Self::next`] can be patient.
    #[must_use]
    pub fn ahead(model: Arc<Model>, columns: Vec<usize>, wanted: Vec<Wanted>) -> Self {
        Self::by(threads().min(wanted.len()), model, columns, wanted)
    }

    fn by(workers: usize, model: Arc<Model>, columns: Vec<usize>, wanted: Vec<Wanted>) -> Self {
        let (state, changed, stop) = (Mutex::default(), Condvar::new(), Stop::default());
        let shared = Arc::new(Shared { model, columns, wanted, state, changed, stop, workers });
        for _ in 0..workers {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.work());
        }
        Self { shared, next: 0 }
    }

    /// The next part; waits for it, but not longer than `patience`.
    pub fn next(&mut self, patience: Option<Duration>) -> Next {
        let shared = &self.shared;
        let at = self.next;
        if at >= shared.wanted.len() {
            return Next::End;
        }
        if shared.workers == 0 {
            self.next += 1;
            return Next::Ready(shared.build(at));
        }
        let mut state = shared.lock();
        loop {
            if let Some(part) = state.ready.remove(&at) {
                state.taken += 1;
                self.next += 1;
                shared.changed.notify_all();
                return Next::Ready(part);
            }
            state = match patience {
                None => shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let waited = shared.changed.wait_timeout(state, patience);
                    let (state, over) = waited.unwrap_or_else(PoisonError::into_inner);
                    if over.timed_out() && !state.ready.contains_key(&at) {
                        return Next::NotYet;
                    }
                    state
                }
            };
        }
    }

    /// How many parts are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.shared.wanted.len() - self.next
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.shared.stop.stop();
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn build(&self, at: usize) -> Result<Part> {
        let wanted = &self.wanted[at];
        self.model.part(wanted.run, &self.columns, wanted.rows.as_deref())
    }

    fn work(&self) {
        loop {
            let at = {
                let mut state = self.lock();
                while !self.stop.asked()
                    && state.started < self.wanted.len()
                    && state.started - state.taken > self.workers
                {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                if self.stop.asked() || state.started >= self.wanted.len() {
                    return;
                }
                state.started += 1;
                state.started - 1
            };
            let part = self.build(at);
            self.lock().ready.insert(at, part);
            self.changed.notify_all();
        }
    }
}
