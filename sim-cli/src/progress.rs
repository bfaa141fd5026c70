//! Progress on a terminal, and nowhere else.

use crate::Console;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sim_models::run::Progress;
use std::time::Duration;

/// A run that is over before this shows no bar.
const PATIENCE: Duration = Duration::from_millis(300);

/// Steps of the bar of one run.
const STEPS: u64 = 1_000;

/// A bar on stderr, or nothing: off a terminal, under `--quiet`.
#[derive(Clone, Debug)]
pub struct Meter {
    bar: ProgressBar,
    visible: bool,
}

impl Meter {
    /// A bar over the virtual time of one run.
    pub fn of_run(console: &Console, name: &str) -> Self {
        Self::new(console, name, STEPS, "{prefix} {bar:40} {percent:>3} %  {msg}")
    }

    /// A bar over many runs.
    pub fn of_runs(console: &Console, name: &str, runs: usize) -> Self {
        Self::new(console, name, runs as u64, "{prefix} {bar:40} {pos} of {len}  {msg}")
    }

    /// A bar over about so many runs, with the time that is left.
    pub fn of_search(console: &Console, name: &str, runs: usize) -> Self {
        Self::new(console, name, runs as u64, "{prefix} {bar:40} {pos} of about {len} runs, {eta} left")
    }

    /// More runs will follow than was thought.
    pub fn expect(&self, more: usize) {
        self.bar.inc_length(more as u64);
    }

    fn new(console: &Console, name: &str, steps: u64, template: &str) -> Self {
        let visible = console.stderr_terminal.is_some() && !console.quiet;
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::hidden());
        bar.set_style(ProgressStyle::with_template(template).expect("a constant template"));
        bar.set_prefix(name.to_string());
        Meter { bar, visible }
    }

    /// Where the run stands.
    pub fn at(&self, progress: Progress) {
        if self.is_shown() && progress.end.as_nanos() > 0 {
            let share = progress.now.as_secs_f64() / progress.end.as_secs_f64();
            self.bar.set_position((share * STEPS as f64) as u64);
            self.bar.set_message(format!("{} events", events(progress.events)));
        }
    }

    /// One more of the runs is done.
    pub fn run_done(&self) {
        self.bar.inc(1);
        self.is_shown();
    }

    /// Whether there is a bar to see by now.
    fn is_shown(&self) -> bool {
        if self.visible && self.bar.is_hidden() && self.bar.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.visible && !self.bar.is_hidden()
    }

    /// Takes the bar away. What remains is how long it took, which is never part of a result.
    pub fn finish(&self, console: &mut Console, did: Option<u64>) {
        self.bar.finish_and_clear();
        if let (true, Some(handled)) = (self.visible, did) {
            console.note(&format!("{} events in {}", events(handled), seconds(self.bar.elapsed())));
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn events(n: u64) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..1_000_000 => format!("{:.0} k", n as f64 / 1e3),
        _ => format!("{:.1} M", n as f64 / 1e6),
    }
}
