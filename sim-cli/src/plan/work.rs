//! Making the runs of a plan on all threads. Whatever they give comes back to one thread, as they end.

use super::Ready;
use super::line::slim;
use crate::console::Console;
use crate::error::{Error, Result};
use crate::experiment::Prepared;
use crate::progress::Meter;
use crate::simulate::simulate;
use sim_models::report::{Report, asked};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// How often the receiving thread looks around while nothing ends.
const TICK: Duration = Duration::from_millis(20);

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came<T> {
    /// What was kept of its report.
    Kept(T),
    /// It panicked: a bug of ours, in these words.
    Bug(String),
}

/// What the receiving thread is told.
#[derive(Debug)]
pub enum Event<T> {
    /// A run is over.
    Over(usize, Came<T>),
    /// Time passes.
    Tick,
}

/// Makes these runs, in this order if there is one thread. `keep` is called where a run was made, on what is left
/// of its report; `sink` here. A signal stops it, and so does an error of `sink`: what is then under
/// way is dropped.
pub fn work<T: Send>(
    ready: &Ready,
    todo: &[usize],
    threads: usize,
    console: &mut Console,
    meter: &mut Meter,
    keep: impl Fn(usize, Report) -> T + Sync,
    mut sink: impl FnMut(&mut Console, Event<T>) -> Result<()>,
) -> Result<()> {
    let interrupt = console.interrupt.clone();
    let parts = ready.plan.metrics.iter().any(|metric| matches!(asked(metric), Ok((_, Some(_)))));
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let stopped = || stop.load(Ordering::Relaxed) || interrupt.exit().is_some();
    let (send, receive) = sync_channel::<(usize, Came<T>)>(2 * threads);
    let worker = || {
        let send = send.clone();
        // Runs of one cell differ in their seed only: a cell is decoded once, or once per thread.
        let mut cell: Option<(usize, Prepared)> = None;
        while !stopped() {
            let Some(&run) = todo.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            let at = ready.cell_of(run);
            if cell.as_ref().is_none_or(|(of, _)| *of != at) {
                cell = Some((at, ready.prepare(run)));
            }
            let (_, prepared) = cell.as_mut().expect("just prepared");
            ready.reseed(prepared, run);
            let simulated = simulate(prepared, ready.bounds(), None, &interrupt, None);
            // A signal that came while it ran has cut it short: a part is no run.
            if stopped() {
                break;
            }
            let came = match simulated {
                Ok(output) => Came::Kept(keep(run, slim(output.report, parts))),
                Err(Error::Bug { message, .. }) => Came::Bug(message),
                Err(_) => unreachable!("a run that was prepared gives a report or panics"),
            };
            if send.send((run, came)).is_err() {
                break;
            }
        }
    };
    thread::scope(|scope| {
        let workers = threads.min(todo.len());
        let mut handles = Vec::with_capacity(workers);
        for _ in 0..workers {
            handles.push(scope.spawn(worker));
        }
        let (mut failed, mut over) = (None, 0);
        // The sender here lives on, so that `worker` can be lent out: the end is when all workers are done.
        while over < todo.len() {
            let event = match receive.recv_timeout(TICK) {
                Ok((run, came)) => Event::Over(run, came),
                Err(RecvTimeoutError::Timeout) if handles.iter().all(|handle| handle.is_finished()) => {
                    match receive.try_recv() {
                        Ok((run, came)) => Event::Over(run, came),
                        Err(_) => break,
                    }
                }
                Err(_) => Event::Tick,
            };
            over += usize::from(matches!(event, Event::Over(..)));
            if failed.is_some() {
                continue;
            }
            if matches!(event, Event::Over(..)) {
                meter.run_done();
            }
            meter.tell(console);
            if let Err(error) = sink(console, event) {
                stop.store(true, Ordering::Relaxed);
                failed = Some(error);
            }
        }
        failed.map_or(Ok(()), Err)
    })
}
