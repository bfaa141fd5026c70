//! Progress: a bar with the time left on a terminal, a line now and then off it, nothing under `--quiet`.

use crate::console::Console;
use crate::text::number::count;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sim_models::run::Progress;
use std::time::{Duration, Instant};

/// A run that is over before this shows no bar.
const PATIENCE: Duration = Duration::from_millis(300);
/// Off a terminal, a line at most this often.
const EVERY: Duration = Duration::from_secs(10);

/// Steps of the bar of one run.
const STEPS: u64 = 1_000;

/// The clock, for progress and for when to write: nothing that is written depends on it.
#[expect(clippy::disallowed_methods, reason = "progress and fsync know time; results do not")]
pub fn now() -> Instant {
    Instant::now()
}

/// A bar on stderr, or lines, or nothing.
#[derive(Clone, Debug)]
pub struct Meter {
    bar: ProgressBar,
    visible: bool,
    name: String,
    /// What was done before this began.
    before: u64,
    told: Instant,
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

    fn new(console: &Console, name: &str, steps: u64, template: &str) -> Self {
        let visible = console.stderr_terminal.is_some() && !console.quiet;
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::hidden());
        bar.set_style(ProgressStyle::with_template(template).expect("a constant template"));
        bar.set_prefix(name.to_string());
        Meter { bar, visible, name: name.into(), before: 0, told: now() }
    }

    /// So many of the runs are done already, by somebody else.
    pub fn begin_after(&mut self, done: usize) {
        self.before = done as u64;
        self.bar.set_position(self.before);
    }

    /// Where the run stands.
    pub fn at(&self, progress: Progress) {
        if self.is_shown() && progress.end.as_nanos() > 0 {
            let share = progress.now.as_secs_f64() / progress.end.as_secs_f64();
            self.bar.set_position((share * STEPS as f64) as u64);
            self.bar.set_message(format!("{} events", events(progress.events)));
        }
    }

    /// It is known by now how many runs there will be.
    pub fn expects(&self, runs: usize) {
        self.bar.set_length(runs as u64);
    }

    /// One more of the runs is done.
    pub fn run_done(&self) {
        self.bar.inc(1);
        if self.is_shown() {
            self.bar.set_message(self.time_left().unwrap_or_default());
        }
    }

    /// Off a terminal: says where it stands, if that was long ago.
    pub fn tell(&mut self, console: &mut Console) {
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
        if console.stderr_terminal.is_none() && done < all && self.told.elapsed() >= EVERY {
            self.told = now();
            let left = self.time_left().map_or(String::new(), |left| format!(", {left}"));
            console.note(&format!("{}: {} of {} runs{left}", self.name, count(done), count(all)));
        }
    }

    /// How long the rest takes if it goes on like this.
    fn time_left(&self) -> Option<String> {
        let done = self.bar.position().checked_sub(self.before).filter(|&done| done > 0)?;
        let left = self.bar.length()?.saturating_sub(self.bar.position());
        let each = self.bar.elapsed().as_secs_f64() / done as f64;
        Some(format!("{} left", rough(each * left as f64)))
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

/// A time as one would say it: `40 s`, `3 min`, `2 h 10 min`.
fn rough(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        _ if seconds < 90.0 => format!("{:.0} s", seconds.max(1.0)),
        0..120 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
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

#[cfg(test)]
mod tests {
    use super::rough;

    #[test]
    fn the_time_left_is_as_one_would_say_it() {
        for (seconds, text) in
            [(0.2, "1 s"), (40.4, "40 s"), (89.0, "89 s"), (170.0, "3 min"), (7800.0, "2 h 10 min")]
        {
            assert_eq!(rough(seconds), text);
        }
    }
}
