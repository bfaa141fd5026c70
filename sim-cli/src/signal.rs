//! What asks a run to end before its time: a signal (a second one ends the process), or the clock on the wall.
//!
//! A handler only stores a number. The run sees it when its observer is next called, once per window of
//! virtual time; what was reached until then is printed and marked.

use crate::error::Exit;
use crate::memory::Memory;
use crate::progress::now;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Which signal has arrived, if any, and whether time is up. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    signal: Arc<AtomicUsize>,
    /// `--max-wall`: until when.
    until: Option<Instant>,
    /// `--max-memory`, or what the machine has.
    memory: Option<Memory>,
}

impl Interrupt {
    /// So much memory, and no more.
    pub fn keep_within(&mut self, memory: Memory) {
        self.memory = Some(memory);
    }

    /// The memory that there is, if that is known.
    pub fn memory(&self) -> Option<Memory> {
        self.memory
    }

    /// So much time from now on, and no more.
    pub fn end_within(&mut self, time: Duration) {
        self.until = now().checked_add(time);
    }

    /// The exit code that the signal asks for, or the end of the time that there is.
    pub fn exit(&self) -> Option<Exit> {
        match self.signal.load(Ordering::Relaxed) {
            0 if self.until.is_some_and(|until| now() >= until) => Some(Exit::Limit),
            0 => None,
            signal if signal == Self::sigint() => Some(Exit::Interrupted),
            _ => Some(Exit::Terminated),
        }
    }

    /// What the handler does, for those without a keyboard.
    pub fn raise(&self, exit: Exit) {
        let signal = if exit == Exit::Interrupted { Self::sigint() } else { usize::MAX };
        self.signal.store(signal, Ordering::Relaxed);
    }

    fn sigint() -> usize {
        usize::try_from(signal_hook::consts::SIGINT).expect("signals are positive")
    }

    /// Installs the handlers of the process. Where the system refuses, signals keep their default: the
    /// process ends at once.
    pub fn install() -> Self {
        use signal_hook::flag;
        let interrupt = Interrupt::default();
        #[cfg(unix)]
        let signals =
            [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP];
        #[cfg(not(unix))]
        let signals = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];
        let second = Arc::new(std::sync::atomic::AtomicBool::new(false));
        for signal in signals {
            let code =
                if signal == signal_hook::consts::SIGINT { Exit::Interrupted } else { Exit::Terminated };
            let number = usize::try_from(signal).expect("signals are positive");
            // In this order: the second signal finds the flag of the first and ends the process.
            let _ = flag::register_conditional_shutdown(signal, code.code().into(), Arc::clone(&second))
                .and_then(|_| flag::register(signal, Arc::clone(&second)))
                .and_then(|_| flag::register_usize(signal, Arc::clone(&interrupt.signal), number));
        }
        // A file-size limit then fails a write with an error that can be told, instead of killing us.
        #[cfg(unix)]
        let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
        interrupt
    }
}
