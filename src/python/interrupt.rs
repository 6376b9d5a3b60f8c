//! Runs long work without the interpreter lock, and stops it on Ctrl-C.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use pyo3::prelude::*;

use crate::error::Error;
use crate::progress::CancelToken;
use crate::threads;

/// The longest time between two checks for Ctrl-C.
pub(super) const PATIENCE: Duration = Duration::from_millis(20);

/// Runs `work` on a new thread, while this thread checks for signals. Ctrl-C cancels the tokens and returns at once: the
/// thread ends when it sees its token, and its result is dropped. Where no thread can start, this thread
/// does the work, and sees Ctrl-C after it.
pub(super) fn interruptible<R: Send + 'static>(
    py: Python<'_>,
    stops: &[CancelToken],
    work: impl FnOnce() -> R + Send + 'static,
) -> PyResult<R> {
    let (sender, mut receiver) = channel();
    let started = threads::detach(move || {
        let done = catch_unwind(AssertUnwindSafe(work));
        // after Ctrl-C the receiver is gone
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
