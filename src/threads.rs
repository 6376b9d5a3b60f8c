//! Splits work over threads.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

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
        let handles: Vec<_> = (1..threads).map(|_| scope.spawn(take_items)).collect();
        let mut results = take_items();
        for handle in handles {
            results.extend(joined(handle));
        }
        results
    });
    results.sort_by_key(|&(index, _)| index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The result of `work`, while another thread does `aside`. Both are done when this returns.
pub(crate) fn beside<R>(aside: impl FnOnce() + Send, work: impl FnOnce() -> R) -> R {
    std::thread::scope(|scope| {
        let handle = scope.spawn(aside);
        let result = work();
        joined(handle);
        result
    })
}

/// The result of a thread. If the thread panicked, so does this one. Joins explicitly: the end of a scope does not wait until the
/// thread itself has ended.
pub(crate) fn joined<R>(thread: ScopedJoinHandle<'_, R>) -> R {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
