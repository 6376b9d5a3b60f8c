//! Work that several threads share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};

/// How many threads are worth it where more than `most` are not. The system is asked once: it reads files to tell.
#[must_use]
pub fn at_most(most: usize) -> usize {
    static THERE: OnceLock<usize> = OnceLock::new();
    let there = THERE.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
    most.clamp(1, *there)
}

/// What `work` makes of each item, in order. So many threads take one item after the other; the calling one is among them.
pub fn each<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = threads.min(items.len());
    if threads < 2 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, work(item)));
        }
    };
    let mut all: Vec<(usize, R)> = std::thread::scope(|scope| {
        let waits: Vec<_> = (1..threads).map(|_| start(scope, &take)).collect();
        let mut all = take();
        for wait in waits {
            all.extend(wait());
        }
        all
    });
    all.sort_by_key(|&(at, _)| at);
    all.into_iter().map(|(_, made)| made).collect()
}

/// What `work` gives, while another thread does something else, which is done then.
pub(crate) fn beside<R>(other: impl FnOnce() + Send, work: impl FnOnce() -> R) -> R {
    let other = Once::new(other);
    std::thread::scope(|scope| {
        let wait = start(scope, || other.run());
        let made = work();
        wait();
        made
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
    let theirs = Arc::clone(&work);
    Builder::new().spawn(move || theirs.run()).map(drop).map_err(|_| move || work.run())
}

/// Work that is done by the first thread that comes to it.
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

/// What a thread made. If it panicked, so does this one. The end of a scope alone would not wait for the thread itself to end.
fn joined<R>(thread: ScopedJoinHandle<'_, R>) -> R {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
