//! Long work, without the lock of the interpreter, that Ctrl-C stops.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use pyo3::prelude::*;

use crate::error::Error;
use crate::progress::CancelToken;
use crate::threads;

/// How long Ctrl-C waits at most to be noticed.
pub(super) const PATIENCE: Duration = Duration::from_millis(20);

/// Does `work` on a thread of its own, while this one looks for signals. After Ctrl-C the `stops` are asked for and nobody
/// waits any more: the thread ends when it notices, and what it gives back is thrown away. Where no thread can start, this one
/// does the work, and Ctrl-C is noticed after it.
pub(super) fn interruptible<R: Send + 'static>(
    py: Python<'_>,
    stops: &[CancelToken],
    work: impl FnOnce() -> R + Send + 'static,
) -> PyResult<R> {
    let (sender, mut receiver) = channel();
    let started = threads::detach(move || {
        let done = catch_unwind(AssertUnwindSafe(work));
        // nobody waits for it after Ctrl-C
        let _ = sender.send(done);
    });
    if let Err(work) = started {
        py.detach(work);
    }
    loop {
        let (waited, back) = py.detach(move || (receiver.recv_timeout(PATIENCE), receiver));
        receiver = back;
        match waited {
            Ok(Ok(result)) => return Ok(result),
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => return Err(Error::fault().into()),
            Err(RecvTimeoutError::Timeout) => {
                py.check_signals().inspect_err(|_| stops.iter().for_each(CancelToken::cancel))?;
            }
        }
    }
}
