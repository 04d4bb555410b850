//! Work that takes long: without the interpreter lock, stopping on Ctrl-C, with a sign of life on a terminal.
//!
//! **Contract.** `work` runs on a thread of its own; the caller looks for signals 20 times a second. When one raises, the call returns
//! its exception at once; the thread finishes on its own and its result is dropped. The sign of life appears after half a second, only when
//! the error stream is a terminal, and is wiped at the end.
//! **Errors.** Whatever a signal handler raises; `InternalError` for a panic.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::errors::{caught, internal};

const POLL: Duration = Duration::from_millis(50);
const QUIET: Duration = Duration::from_millis(500);
/// Front-end recursion on a thread deserves what the main thread has.
const STACK: usize = 8 << 20;

/// Runs `work`; `what` says on a terminal what is going on.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    what: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> PyResult<T> {
    let (sender, mut receiver) = channel();
    std::thread::Builder::new()
        .name("vollo_compiler".into())
        .stack_size(STACK)
        .spawn(move || {
            // Nobody listens any more after an interrupt.
            let _ = sender.send(caught(work));
        })
        .map_err(|e| internal(&format!("no thread: {e}")))?;
    let mut sign = SignOfLife::new(what);
    loop {
        let answer;
        (receiver, answer) = py.detach(move || {
            let answer = receiver.recv_timeout(POLL);
            (receiver, answer)
        });
        match answer {
            Ok(result) => return result.map_err(|panic| internal(&panic)),
            Err(RecvTimeoutError::Disconnected) => return Err(internal("a thread ended early")),
            Err(RecvTimeoutError::Timeout) => {
                py.check_signals()?;
                sign.show();
            }
        }
    }
}

/// Repeats short steps without the interpreter lock, looking for signals in between.
pub fn steps<E: Send>(
    py: Python<'_>,
    count: usize,
    mut step: impl FnMut(usize) -> Result<(), E> + Send,
) -> PyResult<Result<(), E>> {
    let mut next = 0;
    while next < count {
        let (from, step) = (next, &mut step);
        let done = py.detach(move || {
            let start = Instant::now();
            let mut at = from;
            while at < count {
                step(at)?;
                at += 1;
                if start.elapsed() > POLL {
                    break;
                }
            }
            Ok(at)
        });
        match done {
            Ok(at) => next = at,
            Err(error) => return Ok(Err(error)),
        }
        py.check_signals()?;
    }
    Ok(Ok(()))
}

struct SignOfLife<'a> {
    what: &'a str,
    start: Instant,
    terminal: bool,
    shown: bool,
}

impl<'a> SignOfLife<'a> {
    fn new(what: &'a str) -> Self {
        Self {
            what,
            start: Instant::now(),
            terminal: stderr().is_terminal(),
            shown: false,
        }
    }

    fn show(&mut self) {
        if self.terminal && self.start.elapsed() > QUIET {
            self.shown = true;
            let seconds = self.start.elapsed().as_secs_f32();
            // A terminal that went away is no reason to stop.
            let _ = write!(stderr(), "\r{}: {seconds:.0} s\x1b[K", self.what);
        }
    }
}

impl Drop for SignOfLife<'_> {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
