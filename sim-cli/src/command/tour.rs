//! `brownout tour [STEP]`: six experiments in ten minutes, each a command and what to look at on its page.
//!
//! Nothing is remembered between steps: whoever names one sees it.

use super::{Args, dispatch};
use crate::app::App;
use crate::error::{Error, Exit, Result};
use crate::replay::by_name;
use crate::text::{Paint, Style, wrap};
use clap::{Args as ClapArgs, FromArgMatches};

/// `brownout tour`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout tour        # what there is to see
  brownout tour 1      # the first of it")]
pub struct Tour {
    /// The step to run; all of them are listed unless given
    #[arg(value_name = "STEP", value_parser = clap::value_parser!(u8).range(1..=STEPS.len() as i64))]
    pub step: Option<u8>,
}

/// One stop.
#[derive(Debug)]
pub struct Step {
    /// What it shows, in a few words.
    pub title: &'static str,
    /// What is run, without the name of the program.
    pub command: &'static [&'static str],
    /// What it is about.
    pub before: &'static str,
    /// What stands on its page, word for word, and what that means.
    pub look: &'static [(&'static str, &'static str)],
}

/// The tour.
pub const STEPS: [Step; 7] = [
    Step {
        title: "A failure outlives its cause",
        command: &["run", "retry-storm"],
        before: "A payment service becomes slow for 30 seconds. Its callers try each call three times.",
        look: &[
            ("NOT RECOVERED", "the slowness is over after 90 s, and nothing is ever served again"),
            ("3 021/s", "1000 calls a second have become 3000 attempts, more than payments can do"),
            (
                "callers wait 200 ms",
                "its queue is longer than that: it works all the time, for people who have gone",
            ),
        ],
    },
    Step {
        title: "The same luck, other policies",
        command: &[
            "compare",
            "retry-storm",
            "--variant",
            "base",
            "--variant",
            "backoff",
            "--variant",
            "budgeted",
            "--variant",
            "short-queue",
        ],
        before: "Each variant is the same experiment with one setting changed, on the same arrivals and work.",
        look: &[
            (
                "0 of 4",
                "as it stands, and with back-off, it recovers on none of four seeds: later is not less",
            ),
            ("4 of 4", "a retry budget of 10 % ends it on all four; so does a queue that is short enough"),
        ],
    },
    Step {
        title: "One minute costs forty",
        command: &["run", "trading-surge"],
        before: "For one minute a broker that is 82 % busy gets ten times the usual orders.",
        look: &[
            ("RECOVERED", "it does come back"),
            ("38 min 36 s", "but only when the queue that the minute left has been worked off"),
            ("76 % of the work", "and most of that was for traders who had gone"),
        ],
    },
    Step {
        title: "Failing fast attracts",
        command: &["run", "fast-failing-replica"],
        before: "One of six pods answers at once, with errors. The balancer prefers who has least to do.",
        look: &[
            ("70 % of calls were served", "a sixth of the pods takes three tenths of the calls"),
            ("RECOVERED", "nothing was overloaded, so it ends with its cause"),
        ],
    },
    Step {
        title: "A hundred callers, one value",
        command: &[
            "compare",
            "stampede",
            "--variant",
            "base",
            "--variant",
            "single-flight",
            "--variant",
            "xfetch",
        ],
        before: "A value that 1000 requests a second want takes 100 ms to fetch, and is good for 2 s.",
        look: &[
            ("101.8 ± 1.7", "so many callers fetch it each time it ends; with single flight one does"),
            (
                "81.0 ± 1.1 ms",
                "but the others still wait for that one; who fetches early (xfetch) spares them that",
            ),
        ],
    },
    Step {
        title: "Theory beside measurement",
        command: &["run", "utilisation-knee"],
        before: "One worker, 70 % busy. What a queue does is known exactly, and stands beside what was measured.",
        look: &[
            ("3.36 ms", "the mean response, as it was measured"),
            ("3.33 ms", "what M/M/1 says of it: 1 ms of work, and 2.33 ms of waiting"),
            ("exact", "the column of theory; where none is known a page says nothing"),
        ],
    },
    Step {
        title: "A century in a tenth of a second",
        command: &["run", "n-plus-one"],
        before: "Three machines carry the load, a fourth is there for the day on which one fails: for 36 000 days.",
        look: &[
            ("3 min 9 s", "downtime a year by theory: five nines"),
            ("2 071", "the outages that there were in a hundred years of twenty such services"),
        ],
    },
];

pub(super) fn command(args: &Tour, app: &mut App) -> Result<Exit> {
    let style = app.console.style();
    let Some(number) = args.step else {
        app.console.document(&overview(&app.program, style))?;
        return Ok(Exit::Good);
    };
    let step = &STEPS[usize::from(number) - 1];
    app.console.document(&head(number, step, &app.program, style))?;
    let words = std::iter::once(app.program.as_str()).chain(step.command.iter().copied());
    let matches = super::command_line_of(&app.program)
        .try_get_matches_from(words)
        .map_err(|error| Error::usage(error.to_string()))?;
    let inner = Args::from_arg_matches(&matches).map_err(|error| Error::usage(error.to_string()))?;
    let exit = dispatch(&inner.command, app)?;
    app.console.document(&tail(number, step, &app.program, style))?;
    Ok(exit)
}

/// All steps.
fn overview(program: &str, style: Style) -> String {
    let mut lines = vec![
        "Six experiments in ten minutes: what fails, why, and what prevents it.".to_string(),
        String::new(),
    ];
    for (number, step) in (1..).zip(&STEPS) {
        lines.push(format!(
            "  {}  {}",
            style.paint(Paint::Strong, &format!("{program} tour {number}")),
            step.title
        ));
    }
    lines.push(String::new());
    let about = "Each step runs one command, which you may as well type yourself, and says what to look at on its \
                 page. Nothing is remembered: begin, and begin again, where you like.";
    lines.extend(wrap(about, style.columns()));
    lines.join("\n") + "\n"
}

fn head(number: u8, step: &Step, program: &str, style: Style) -> String {
    let title = format!("{number} of {}: {}", STEPS.len(), step.title);
    let mut lines = vec![style.paint(Paint::Strong, &title)];
    lines.extend(wrap(step.before, style.columns()));
    lines.push(format!("$ {program} {}", step.command.join(" ")));
    lines.join("\n") + "\n\n"
}

fn tail(number: u8, step: &Step, program: &str, style: Style) -> String {
    let mut lines = vec![String::new(), style.paint(Paint::Strong, "Look at")];
    for (quote, meaning) in step.look {
        let text = format!("\"{quote}\": {meaning}");
        for (n, line) in wrap(&text, style.columns() - 4).into_iter().enumerate() {
            lines.push(format!("  {} {line}", if n == 0 { style.pick("•", "*") } else { " " }));
        }
    }
    let next = match STEPS.get(usize::from(number)) {
        Some(next) => format!("next: {program} tour {} ({})", number + 1, next.title),
        None => by_name("next: brownout list, and brownout new mine.ron for one of your own", program),
    };
    lines.extend([String::new(), next]);
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::width;

    #[test]
    fn the_tour_fits_a_small_terminal() {
        let style = Style { width: 80, ..Style::default() };
        let fits = |text: &str, most: usize| {
            assert!(text.lines().count() <= most && text.lines().all(|line| width(line) <= 80), "{text}");
        };
        fits(&overview("brownout", style), 24);
        for (number, step) in (1..).zip(&STEPS) {
            assert!(step.look.len() <= 3, "{}", step.title);
            // A command is never broken, or it could not be copied.
            let head = head(number, step, "brownout", style);
            let told: String =
                head.lines().filter(|line| !line.starts_with("$ ")).collect::<Vec<_>>().join("\n");
            fits(&told, 5);
            fits(&tail(number, step, "brownout", style), 14);
        }
        let mut experiments: Vec<&str> = STEPS.iter().map(|step| step.command[1]).collect();
        experiments.dedup();
        assert_eq!(experiments.len(), 6);
    }
}
