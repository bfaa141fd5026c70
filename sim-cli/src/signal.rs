//! What asks a run to end before its time: a signal (a second one ends the process), or the clock on the wall.
//!
//! A handler only stores a number. The run sees it when its observer is next called, every few thousand events;
//! what was reached until then is printed and marked. Before anything was simulated or written there is nothing to print and
//! nothing to put in order: then the process ends at once, whatever it was reading or working out.

use crate::error::{Error, Exit};
use crate::memory::Memory;
use crate::progress::now;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long whoever was told to end puts in order what it has; after that no file is begun, and none that is long gone on
/// with, so that it has ended after 100 ms.
const IN_ORDER: Duration = Duration::from_millis(60);

/// Which signal has arrived, if any, and whether time is up. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    signal: Arc<AtomicUsize>,
    /// When anybody first saw it.
    seen: Arc<OnceLock<Instant>>,
    /// `--max-wall`: until when.
    until: Option<Instant>,
    /// `--max-memory`, or what the machine has.
    memory: Option<Memory>,
    /// Whether something was begun that is to be ended in order.
    begun: Arc<Mutex<bool>>,
    /// It is the process that is asked to end, and not a part of a test.
    of_process: bool,
}

impl Interrupt {
    /// From here on whoever works listens, and ends what it began.
    pub fn begin(&self) {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    /// Ends the process, unless something was begun.
    fn end_at_once(&self, exit: Exit) {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if !*begun {
            let _ = writeln!(std::io::stderr(), "error: {}", Error::Stopped(exit));
            std::process::exit(exit.code().into());
        }
    }

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
        if self.of_process {
            let interrupt = self.clone();
            let _ = thread::Builder::new().spawn(move || {
                thread::sleep(time);
                interrupt.end_at_once(Exit::Limit);
            });
        }
    }

    /// The exit code that the signal asks for, or the end of the time that there is.
    pub fn exit(&self) -> Option<Exit> {
        match self.signal.load(Ordering::Relaxed) {
            0 if self.until.is_some_and(|until| now() >= until) => Some(Exit::Limit),
            0 => None,
            signal => {
                self.seen.get_or_init(now);
                Some(if signal == Self::sigint() { Exit::Interrupted } else { Exit::Terminated })
            }
        }
    }

    /// Whether a signal came so long ago that what is not done by now is left. Time that is up (`--max-wall`) is no hurry.
    pub fn is_late(&self) -> bool {
        let told = self.signal.load(Ordering::Relaxed) != 0;
        told && now().saturating_duration_since(*self.seen.get_or_init(now)) >= IN_ORDER
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
        let interrupt = Interrupt { of_process: true, ..Interrupt::default() };
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
        #[cfg(unix)]
        let _ = interrupt.watch(&signals);
        // A file-size limit then fails a write with an error that can be told, instead of killing us.
        #[cfg(unix)]
        let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
        interrupt
    }

    /// A thread that sleeps until one of these signals comes.
    #[cfg(unix)]
    fn watch(&self, signals: &[i32]) -> std::io::Result<()> {
        use std::io::Read;
        use std::os::unix::net::UnixStream;
        let (mut woken, wake) = UnixStream::pair()?;
        for &signal in signals {
            // After the number is stored: handlers are called in the order in which they were registered.
            signal_hook::low_level::pipe::register(signal, wake.try_clone()?)?;
        }
        let interrupt = self.clone();
        thread::Builder::new().spawn(move || {
            while woken.read(&mut [0]).is_ok_and(|read| read > 0) {
                if let Some(exit) = interrupt.exit() {
                    interrupt.end_at_once(exit);
                }
            }
        })?;
        Ok(())
    }
}
