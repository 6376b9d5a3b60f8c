//! Work that several threads share.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

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
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut all = take();
        for other in others {
            all.extend(joined(other));
        }
        all
    });
    all.sort_by_key(|&(at, _)| at);
    all.into_iter().map(|(_, made)| made).collect()
}

/// What `work` gives, while another thread does something else, which is done then.
pub(crate) fn beside<R>(other: impl FnOnce() + Send, work: impl FnOnce() -> R) -> R {
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        let made = work();
        joined(other);
        made
    })
}

/// What a thread made. If it panicked, so does this one. The end of a scope alone would not wait for the thread itself to end.
pub(crate) fn joined<R>(thread: ScopedJoinHandle<'_, R>) -> R {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
