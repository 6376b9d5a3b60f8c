//! Splits work over threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};

/// The number of processors, but at most `most`. The system is asked once: it reads files to find out.
#[must_use]
pub fn at_most(most: usize) -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    let processors = PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
    most.clamp(1, *processors)
}

/// Applies `work` to each item; the results are in the order of the items. Each of `threads` threads, the calling thread among
/// them, takes the next item when it is done with one.
pub fn each<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = threads.min(items.len());
    if threads < 2 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take_items = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, work(item)));
        }
    };
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let waits: Vec<_> = (1..threads).map(|_| start(scope, &take_items)).collect();
        let mut results = take_items();
        for wait in waits {
            results.extend(wait());
        }
        results
    });
    results.sort_by_key(|&(index, _)| index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The result of `work`, while another thread does `aside`. Both are done when this returns.
pub(crate) fn beside<R>(aside: impl FnOnce() + Send, work: impl FnOnce() -> R) -> R {
    let aside = Once::new(aside);
    std::thread::scope(|scope| {
        let wait = start(scope, || aside.run());
        let result = work();
        wait();
        result
    })
}

/// Starts `work` on another thread, and returns the function that waits for its result. Where no thread can start (a limit on
/// processes, a full pids cgroup), that function does the work itself.
pub(crate) fn start<'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> R + Copy + Send + 'scope,
) -> impl FnOnce() -> R + 'scope {
    let thread = Builder::new().spawn_scoped(scope, work);
    move || match thread {
        Ok(thread) => joined(thread),
        Err(_) => work(),
    }
}

/// Starts `work` on a thread that nobody waits for.
///
/// # Errors
/// The work, where no thread can start.
pub fn detach<W: FnOnce() + Send + 'static>(work: W) -> Result<(), impl FnOnce() + Send + use<W>> {
    let work = Arc::new(Once::new(work));
    let shared = Arc::clone(&work);
    Builder::new().spawn(move || shared.run()).map(drop).map_err(|_| move || work.run())
}

/// Work that the first thread to run it does.
pub(crate) struct Once<W>(Mutex<Option<W>>);

impl<W: FnOnce()> Once<W> {
    pub(crate) fn new(work: W) -> Self {
        Self(Mutex::new(Some(work)))
    }

    pub(crate) fn run(&self) {
        let work = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(work) = work {
            work();
        }
    }
}

/// The result of a thread. If the thread panicked, so does this one. Joins explicitly: the end of a scope does not wait until the
/// thread itself has ended.
fn joined<R>(thread: ScopedJoinHandle<'_, R>) -> R {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
