//! Splits work over threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// The number of processors, but at most `most`. The system is asked once: it reads files to find out.
#[must_use]
pub fn at_most(most: usize) -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    let processors = PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
    most.clamp(1, *processors)
}

/// Every thread of the engine begins here. Values nested as deep as JSON may be take 2.5 MB of stack in unoptimised code, more than
/// a thread has unless it asks.
fn builder() -> Builder {
    if cfg!(debug_assertions) { Builder::new().stack_size(8 << 20) } else { Builder::new() }
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

/// Applies `work`, which asks the file system, to each item; the results are in the order of the items. Begins with a thread a
/// processor, as a local disk answers at once. If answers take long, as those of a network do, 32 threads wait for them.
pub fn each_waiting<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    each_waiting_at(items, false, |_, item| work(item))
}

/// The same, with the position of each item. If `is_slow`, 32 threads wait from the start.
pub fn each_waiting_at<T: Sync, R: Send>(
    items: &[T],
    is_slow: bool,
    work: impl Fn(usize, &T) -> R + Sync,
) -> Vec<R> {
    whole(shares_waiting_at(items, is_slow, work))
}

/// The same, with the results in the shares in which they were made: their concatenation would be a copy.
pub fn shares_waiting_at<T: Sync, R: Send>(
    items: &[T],
    is_slow: bool,
    work: impl Fn(usize, &T) -> R + Sync,
) -> Vec<Vec<R>> {
    let busy = at_most(MAX_BUSY_THREADS).min(items.len() / MIN_ITEMS_PER_THREAD);
    wait_for_shares(items, (if is_slow { MAX_WAITING_THREADS } else { busy }, SLOW_ITEM), work)
}

/// The same for groups of up to `size` items, of which `busy` threads take one at a time if answers do not take long.
pub fn each_waiting_group<T: Sync, R: Send>(
    groups: &[&[T]],
    (busy, size): (usize, u32),
    work: impl Fn(&[T]) -> R + Sync,
) -> Vec<R> {
    whole(wait_for_shares(groups, (busy, size * SLOW_ITEM), |_, group| work(group)))
}

fn whole<R>(mut shares: Vec<Vec<R>>) -> Vec<R> {
    if let [all] = &mut shares[..] {
        return std::mem::take(all);
    }
    let mut results = Vec::with_capacity(shares.iter().map(Vec::len).sum());
    results.extend(shares.into_iter().flatten());
    results
}

fn wait_for_shares<T: Sync, R: Send>(
    items: &[T],
    (busy, slow_item): (usize, Duration),
    work: impl Fn(usize, &T) -> R + Sync,
) -> Vec<Vec<R>> {
    let (next, is_slow) = (AtomicUsize::new(0), AtomicBool::new(false));
    let queue = WaitQueue { items, work, slow_item, next, is_slow };
    let mut done = std::thread::scope(|scope| {
        let work = || queue.take_items(|_| {});
        let start = |_| builder().spawn_scoped(scope, work).ok();
        let mut threads: Vec<_> = (1..busy.min(items.len())).map_while(start).collect();
        let mut done = queue.take_items(|left| {
            let missing = MAX_WAITING_THREADS.min(left).saturating_sub(threads.len() + 1);
            // where none can start, those that run do the work
            threads.extend((0..missing).map_while(start));
        });
        for thread in threads {
            done.extend(joined(thread));
        }
        done
    });
    done.sort_unstable_by_key(|&(start, _)| start);
    done.into_iter().map(|(_, share)| share).collect()
}

/// Threads that wait for the file system at the same time: they need no processor.
const MAX_WAITING_THREADS: usize = 32;
/// Threads that ask a fast file system, which keeps processors busy.
const MAX_BUSY_THREADS: usize = 8;
/// With fewer items, a fast file system answers one thread sooner.
const MIN_ITEMS_PER_THREAD: usize = 256;
/// A thread that waits for longer than that for an item waits for a network. A local disk takes about 10 µs for a job.
pub(crate) const SLOW_ITEM: Duration = Duration::from_micros(500);
/// The most items that a thread takes together, if they are fast.
const MAX_FAST_SHARE: usize = 128;
/// The most items that a thread takes together, if they are slow.
const MAX_SLOW_SHARE: usize = 8;

/// Items that threads take from.
struct WaitQueue<'i, T, W> {
    items: &'i [T],
    work: W,
    slow_item: Duration,
    next: AtomicUsize,
    /// Whether a thread noticed that it waits
    is_slow: AtomicBool,
}

impl<T, W> WaitQueue<'_, T, W> {
    /// Takes shares of the items until none is left; returns the results with the position of the first of each. The first share
    /// has one item, so that a slow file system is soon noticed: then `grow` is called once, with the number of items left.
    fn take_items<R>(&self, mut grow: impl FnMut(usize)) -> Vec<(usize, Vec<R>)>
    where
        W: Fn(usize, &T) -> R,
    {
        let mut done: Vec<(usize, Vec<R>)> = Vec::new();
        // started at the first slow share, as that takes longer than a fast one
        let mut idle: Option<IdleClock> = None;
        let (mut size, mut has_noticed) = (1, false);
        loop {
            let start = self.next.fetch_add(size, Ordering::Relaxed);
            let Some(rest) = self.items.get(start..).filter(|rest| !rest.is_empty()) else { return done };
            let share = &rest[..size.min(rest.len())];
            let begin = Instant::now();
            let results = share.iter().enumerate().map(|(offset, item)| (self.work)(start + offset, item));
            done.push((start, results.collect()));
            let limit = self.slow_item * u32::try_from(share.len()).unwrap_or(u32::MAX);
            let is_fast = begin.elapsed() <= limit;
            let is_slow = self.is_slow.load(Ordering::Relaxed);
            let waited = idle.as_mut().filter(|_| !is_fast && !is_slow).map(IdleClock::restart);
            if is_fast || waited.is_some_and(|waited| waited <= limit) {
                (size, idle) = ((2 * size).min(MAX_FAST_SHARE), None);
            } else if is_slow || waited.is_some() {
                let left = rest.len() - share.len();
                if !std::mem::replace(&mut has_noticed, true) {
                    self.is_slow.store(true, Ordering::Relaxed);
                    grow(left);
                }
                // few at the end, so that the threads end at the same time
                size = (left / (2 * MAX_WAITING_THREADS)).clamp(1, MAX_SLOW_SHARE);
            } else {
                (size, idle) = (1, Some(IdleClock::start()));
            }
        }
    }
}

/// Measures for how long a thread waited: the time that passed without that in which it had, or wanted, a processor.
struct IdleClock {
    wall: Instant,
    /// Nothing where the system does not tell
    busy: Option<Duration>,
}

impl IdleClock {
    fn start() -> Self {
        let busy = || {
            // on a processor, and waiting for one, in nanoseconds
            let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
            let mut numbers = text.split_whitespace().map_while(|number| number.parse().ok());
            Some(Duration::from_nanos(numbers.next()?) + Duration::from_nanos(numbers.next()?))
        };
        Self { wall: Instant::now(), busy: busy() }
    }

    /// For how long the thread waited since the clock was started. Starts it anew.
    fn restart(&mut self) -> Duration {
        let before = std::mem::replace(self, Self::start());
        let busy = self.busy.zip(before.busy).map(|(now, before)| now.saturating_sub(before));
        self.wall.duration_since(before.wall).saturating_sub(busy.unwrap_or_default())
    }
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
    let thread = builder().spawn_scoped(scope, work);
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
    builder().spawn(move || shared.run()).map(drop).map_err(|_| move || work.run())
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

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    /// Results are in the order of the items, however many threads take them, and however long they take.
    #[test]
    fn waiting_threads_keep_the_order() {
        for count in [0, 1, 2, 33, 1_000] {
            let items: Vec<usize> = (0..count).collect();
            let slow: [fn(usize) -> bool; 3] =
                [|_| false, |item| item % 97 == 0, |item| !(40..=500).contains(&item)];
            for is_slow in slow {
                let work = |&item: &usize| {
                    if is_slow(item) {
                        sleep(2 * SLOW_ITEM);
                    }
                    3 * item
                };
                let expected: Vec<usize> = items.iter().map(|item| 3 * item).collect();
                assert_eq!(each_waiting(&items, work), expected);
            }
        }
    }

    /// Slow items are waited for by many threads at the same time.
    #[test]
    fn slow_items_wait_together() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        each_waiting(&[(); 400], |()| {
            most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            sleep(4 * SLOW_ITEM);
            now.fetch_sub(1, Ordering::Relaxed);
        });
        assert!((MAX_WAITING_THREADS / 2..=MAX_WAITING_THREADS).contains(&most.into_inner()));
    }
}
