//! What came one day, to come again: a file of rates, or of arrivals, that stands beside the experiment.
//!
//! *Rates.* `time,rate` in each line, the first at 0s: from then on the calls come at that rate, or it moves in a straight line to the next
//! (`between: Lines`); that of the last line stays. They go through the inverted cumulative rate as any rate does, so the same users come at
//! `scale: 2.0`, sooner.
//!
//! *Arrivals.* One time in each line: a call at that instant, and nobody after the last. Nothing about them is chance.
//!
//! Which of the two it is, the lines say by how many cells they have. A first line that begins with no number is a header; blank lines and what
//! begins with `#` are left out. What a recording says feeds the digest of the experiment, and what it is called; how it is laid out does not.

use crate::experiment::{Decode, Decoder, Node, TypeDoc};
use sim_core::digest::{Digester, INPUT};
use sim_core::{Rate, SimDuration, SimTime};
use std::sync::Arc;

/// The most lines that say something.
const MOST: usize = 1_000_000;
/// So many of the lines that are wrong are told one by one.
const TOLD: usize = 8;

/// A file of rates or arrivals, and what it says.
#[derive(Clone, Debug)]
pub struct Recording {
    name: String,
    says: Arc<Says>,
}

/// What stands in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    /// Nothing is known: it was named where files are not looked at.
    Unread,
    /// From when on, and how many.
    Rates(Vec<(SimTime, Rate)>),
    /// When each comes.
    Arrivals(Arc<[SimTime]>),
}

/// What is wrong with a line, by its number.
type Wrong = (usize, String);

impl Recording {
    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands in it.
    pub fn says(&self) -> &Says {
        &self.says
    }

    /// In a few words.
    pub fn brief(&self) -> String {
        match self.says() {
            Says::Unread => self.name.clone(),
            Says::Rates(rates) => {
                let of =
                    |end: fn(f64, f64) -> f64, from| rates.iter().map(|(_, it)| it.get()).fold(from, end);
                let (least, most) = (of(f64::min, f64::INFINITY), of(f64::max, 0.0));
                let rate = |rate| Rate::per_sec(rate).expect("one of the file's");
                let last = self.last().since(SimTime::ZERO);
                format!(
                    "{} rates of {}, {} to {}, the last at {last}",
                    rates.len(),
                    self.name,
                    rate(least),
                    rate(most)
                )
            }
            Says::Arrivals(times) => {
                let last = self.last().since(SimTime::ZERO);
                format!("{} arrivals of {}, the last at {last}", times.len(), self.name)
            }
        }
    }

    /// The time of the last line.
    pub fn last(&self) -> SimTime {
        self.times().last().unwrap_or(SimTime::ZERO)
    }

    /// The longest time from one line to the next.
    pub fn longest_gap(&self) -> SimDuration {
        let pairs = self.times().zip(self.times().skip(1));
        pairs.map(|(one, next)| next.since(one)).max().unwrap_or(SimDuration::ZERO)
    }

    /// Whether its rate never changes.
    pub fn is_one_rate(&self) -> bool {
        matches!(self.says(), Says::Rates(rates) if rates.len() == 1)
    }

    fn times(&self) -> Box<dyn Iterator<Item = SimTime> + '_> {
        match self.says() {
            Says::Unread => Box::new(std::iter::empty()),
            Says::Rates(rates) => Box::new(rates.iter().map(|(at, _)| *at)),
            Says::Arrivals(times) => Box::new(times.iter().copied()),
        }
    }

    /// A witness of what it says.
    fn content(&self) -> String {
        let mut digester = Digester::new(INPUT);
        match self.says() {
            Says::Unread => {}
            Says::Rates(rates) => {
                rates.iter().for_each(|(at, rate)| digester.pair(at.as_nanos(), rate.get().to_bits()));
            }
            Says::Arrivals(times) => times.iter().for_each(|at| digester.word(at.as_nanos())),
        }
        format!("{:016x}", digester.finish())
    }
}

spec! {
    /// A file, and a witness of what it said: of the canonical form, which is to be run on nothing else.
    pub struct Sealed {
        /// Its name.
        name: String,
        /// The witness.
        content: String,
    }
}

/// `"black-friday.csv"`; in the canonical form with a witness of what it says.
impl Decode for Recording {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        let (name, content) = if node.entries().is_empty() {
            (String::decode(node, cx)?, None)
        } else {
            let Sealed { name, content } = Sealed::decode(node, cx)?;
            (name, Some(content))
        };
        let says = match cx.file(&name, understood) {
            None => Arc::new(Says::Unread),
            Some(Err(why)) => {
                cx.error(node.span, format!("{name}: {why}"));
                return None;
            }
            Some(Ok(read)) => match &*read {
                Ok(says) => says.clone(),
                Err(wrong) => {
                    for (line, why) in wrong.iter().take(TOLD) {
                        cx.error(node.span, format!("{name}, line {line}: {why}"));
                    }
                    if let Some((line, _)) = wrong.get(TOLD) {
                        let rest = wrong.len() - TOLD;
                        cx.error(
                            node.span,
                            format!("{name}: {rest} more lines are wrong, from line {line} on"),
                        );
                    }
                    return None;
                }
            },
        };
        let read = Recording { name, says };
        if let (Some(content), false) = (content, *read.says == Says::Unread)
            && content != read.content()
        {
            let message = format!("{} says {}, and {content} was to be replayed", read.name, read.content());
            cx.error(node.span, message).help("to take it as it is, write its name alone");
        }
        Some(read)
    }

    fn encode(&self) -> Node {
        Node::record([("name", Node::text(&self.name)), ("content", Node::text(self.content()))])
    }

    fn describe() -> TypeDoc {
        TypeDoc::text("file beside the experiment", "\"day.csv\"")
    }
}

/// What a file says, or all that is wrong with it.
fn understood(text: &str) -> Result<Arc<Says>, Vec<Wrong>> {
    let cells = |line: &str| -> Vec<String> {
        line.split(',').map(|cell| cell.trim().trim_matches('"').trim().to_owned()).collect()
    };
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let lines = lines.map(|(at, line)| (at + 1, line.trim()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).peekable();
    let is_head = |line: &str| {
        !line.trim_start_matches('"').starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
    };
    lines.next_if(|(_, line)| is_head(line));
    let columns = lines.peek().map_or(0, |(_, line)| cells(line).len());
    let mut wrong: Vec<Wrong> = Vec::new();
    let (mut rates, mut times): (Vec<(SimTime, Rate)>, Vec<SimTime>) = Default::default();
    let mut before: Option<SimTime> = None;
    let mut count = 0;
    for (number, line) in lines {
        count += 1;
        if count > MOST {
            wrong.push((number, format!("more than {MOST} lines")));
            break;
        }
        let cells = cells(line);
        let apart = cells.len() == 1 && line.contains([';', '\t']);
        if !(1..=2).contains(&columns) || cells.len() != columns || apart {
            let message = match cells.len() {
                1 if apart => "cells are told apart by commas".into(),
                1 if columns == 2 => "a time without a rate".into(),
                2 if columns == 1 => "a rate beside a time, and none beside those before".into(),
                found => format!("{found} cells: a time, or a time and a rate"),
            };
            wrong.push((number, message));
            continue;
        }
        let at = cells[0].parse::<SimTime>();
        let rate = cells.get(1).map(|cell| cell.parse::<Rate>());
        if let Err(why) = &at {
            wrong.push((number, format!("`{}`: {why}", short(&cells[0]))));
        }
        if let Some(Err(why)) = &rate {
            wrong.push((number, format!("`{}`: {why}", short(&cells[1]))));
        }
        let Ok(at) = at else { continue };
        let too_early = |before: SimTime| if columns == 2 { at <= before } else { at < before };
        match before {
            None if columns == 2 && at != SimTime::ZERO => {
                wrong.push((number, format!("the first rate is at {at}, and must be at 0s")));
            }
            Some(before) if too_early(before) => {
                let earlier = if columns == 2 { "not later" } else { "earlier" };
                wrong.push((number, format!("{at} is {earlier} than {before}, which stands before it")));
            }
            _ => {}
        }
        before = Some(before.map_or(at, |before| before.max(at)));
        match rate {
            Some(Ok(rate)) => rates.push((at, rate)),
            Some(Err(_)) => {}
            None => times.push(at),
        }
    }
    if count == 0 {
        wrong.push((1, "there are no lines that say anything".into()));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(Arc::new(if columns == 2 { Says::Rates(rates) } else { Says::Arrivals(times.into()) }))
}

/// What stands in a cell, not all of it.
fn short(cell: &str) -> String {
    match cell.char_indices().nth(24) {
        Some((end, _)) => format!("{}..", &cell[..end]),
        None => cell.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> String {
        match understood(text) {
            Ok(says) => match &*says {
                Says::Rates(rates) => {
                    rates.iter().map(|(at, rate)| format!("{at} {rate}")).collect::<Vec<_>>().join(", ")
                }
                Says::Arrivals(times) => times.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                Says::Unread => "unread".into(),
            },
            Err(wrong) => {
                wrong.iter().map(|(line, why)| format!("{line}: {why}")).collect::<Vec<_>>().join("; ")
            }
        }
    }

    #[test]
    fn a_line_is_a_time_and_a_rate_or_a_time() {
        for (text, said) in [
            ("0s,10/s\n60s,600/min\n", "0s 10/s, 60s 10/s"),
            ("time,rate\n0s,10/s\n1500ms,20/s", "0s 10/s, 1.5s 20/s"),
            ("\u{feff}\"time\",\"rate\"\r\n\"0s\", \"10/s\"\r\n", "0s 10/s"),
            (
                "# a day\n\ntime\n1s\n1s\n# noon\n2500us\n",
                "7: 2.5ms is earlier than 1s, which stands before it",
            ),
            ("1s\n1s\n2s\n", "1s, 1s, 2s"),
            ("0,0/s\n1s,5/s", "0s 0/s, 1s 5/s"),
        ] {
            assert_eq!(says(text), said, "{text}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        for (text, said) in [
            ("", "1: there are no lines that say anything"),
            ("time,rate\n", "1: there are no lines that say anything"),
            ("5s,10/s\n", "1: the first rate is at 5s, and must be at 0s"),
            ("0s,10/s\n0s,20/s\n", "2: 0s is not later than 0s, which stands before it"),
            (
                "0s,1/s\n9s,2/s\n4s,3/s\n5s,3/s",
                "3: 4s is not later than 9s, which stands before it; 4: 5s is not later than 9s, which stands before it",
            ),
            ("0s;10/s\n", "1: cells are told apart by commas"),
            ("0s,10/s\n5s\n6s,1/s,2\n", "2: a time without a rate; 3: 3 cells: a time, or a time and a rate"),
            ("0s\n5s,1/s\n", "2: a rate beside a time, and none beside those before"),
        ] {
            assert_eq!(says(text), said, "{text}");
        }
        let said = says("0s,10\n60,20/s\n-1s,x/s\n");
        for part in [
            "1: `10`: a rate is a number per unit",
            "2: `60`: ",
            "3: `-1s`: a duration cannot be negative",
            "3: `x/s`: ",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
}
