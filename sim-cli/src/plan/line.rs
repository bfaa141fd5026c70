//! Lines of JSON that know when they are damaged.
//!
//! ```text
//! {"brownout":"runs","format":1,"plan":"<fingerprint>","shard":3,"of":8}
//! {"run":17,"length":5321,"sum":"<16 hex digits>","report":{..}}
//! {"run":18,"length":24,"sum":"<16 hex digits>","bug":"the message of a panic"}
//! {"end":2,"sum":"<16 hex digits>"}
//! ```
//!
//! A journal has the first line, without a shard, and then one line for every run that is over, in any order. A
//! shard has its runs in order and the last line. The sum of a run is over its number and its report, that
//! of the end over all sums before it. It tells a torn or rotten line, not a forged one.

use serde::{Deserialize, Serialize};
use sim_core::digest::{Digester, Hex};
use sim_models::report::{EdgeWindows, Report, ServiceWindows};

/// Version of these lines.
pub const FORMAT: u32 = 1;
const SUM: u64 = 0x6c;

/// The first line of a file of runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// `runs`
    pub brownout: String,
    /// Version of the lines: [`FORMAT`].
    pub format: u32,
    /// The fingerprint of their plan.
    pub plan: String,
    /// Which shard it is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<usize>,
    /// Of how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<usize>,
}

impl Head {
    /// Of the runs of this plan.
    pub fn of_plan(fingerprint: &str) -> Self {
        Head { brownout: "runs".into(), format: FORMAT, plan: fingerprint.into(), shard: None, of: None }
    }

    /// With its newline.
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers") + "\n"
    }

    /// Reads one; nothing if it is not ours.
    pub fn read(line: &[u8]) -> Option<Head> {
        serde_json::from_slice(line.strip_suffix(b"\n")?).ok().filter(|head: &Head| head.brownout == "runs")
    }
}

/// What is kept of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Its report.
    Report,
    /// The message of a panic: the run gave nothing.
    Bug,
}

/// A whole line about a run, as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number.
    pub run: usize,
    /// What is kept.
    pub kind: Kind,
    /// The JSON of it.
    pub body: &'a str,
    /// The checksum, which is right.
    pub sum: u64,
}

impl<'a> Line<'a> {
    /// A line, unless it is damaged.
    pub fn read(line: &'a [u8]) -> Option<Line<'a>> {
        let text = std::str::from_utf8(line).ok()?.strip_suffix("}\n")?;
        let (run, rest) = text.strip_prefix("{\"run\":")?.split_once(",\"length\":")?;
        let (length, rest) = rest.split_once(",\"sum\":\"")?;
        let (stated, rest) = rest.split_at_checked(16)?;
        let (kind, body) = match rest.strip_prefix("\",\"report\":") {
            Some(body) => (Kind::Report, body),
            None => (Kind::Bug, rest.strip_prefix("\",\"bug\":")?),
        };
        let run: usize = run.parse().ok()?;
        let length: usize = length.parse().ok()?;
        let sum = sum(run, body);
        (length == body.len() && Hex(sum).to_string() == stated).then_some(Line { run, kind, body, sum })
    }
}

/// A line about a run, with its newline, and its checksum.
pub fn write(run: usize, kind: Kind, body: &str) -> (String, u64) {
    let key = match kind {
        Kind::Report => "report",
        Kind::Bug => "bug",
    };
    let sum = sum(run, body);
    let line =
        format!("{{\"run\":{run},\"length\":{},\"sum\":\"{}\",\"{key}\":{body}}}\n", body.len(), Hex(sum));
    (line, sum)
}

fn sum(run: usize, body: &str) -> u64 {
    let mut digest = Digester::new(SUM);
    digest.word(run as u64);
    digest.text(body);
    digest.finish()
}

/// The last line of a shard.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    runs: u64,
    digest: Digester,
}

impl Default for Ending {
    fn default() -> Self {
        Ending { runs: 0, digest: Digester::new(SUM) }
    }
}

impl Ending {
    /// One more run.
    pub fn add(&mut self, sum: u64) {
        self.runs += 1;
        self.digest.word(sum);
    }

    /// With its newline.
    pub fn write(&self) -> String {
        format!("{{\"end\":{},\"sum\":\"{}\"}}\n", self.runs, Hex(self.digest.finish()))
    }
}

/// What is kept of a report: every number that a metric can name, but no picture and no histogram, which are 98 of
/// 100 bytes, unless parts of it are asked for, which are made of them. What it shares with all others of its plan
/// (names, settings, notes) is in the plan.
pub fn slim(mut report: Report, parts: bool) -> Report {
    for (_, edge) in &mut report.edges.0 {
        edge.latency.histogram.clear();
        edge.latency_failed.histogram.clear();
    }
    if !parts {
        report.edges.0.iter_mut().for_each(|(_, edge)| edge.windows = EdgeWindows::default());
        report.services.0.iter_mut().for_each(|(_, service)| service.windows = ServiceWindows::default());
        report.sections.iter_mut().for_each(|section| section.series.clear());
    }
    report.sections.iter_mut().for_each(|section| section.changes.clear());
    report.timeline.series.clear();
    report.digest.checkpoints.clear();
    report.tables.clear();
    report.notes.clear();
    report.experiment.clear();
    report.about.clear();
    report.variant = None;
    report.overrides.clear();
    report
}

/// Whether it is kept without that of which its parts are made.
pub fn is_without_parts(report: &Report) -> bool {
    let Report { edges, services, sections, stopped, .. } = report;
    stopped.is_none()
        && edges.iter().all(|(_, edge)| edge.windows == EdgeWindows::default())
        && services.iter().all(|(_, service)| service.windows == ServiceWindows::default())
        && sections.iter().all(|section| section.series.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_back() {
        let (line, sum) = write(17, Kind::Report, "{\"a\":[1,2]}");
        let read = Line::read(line.as_bytes()).unwrap();
        assert_eq!(read, Line { run: 17, kind: Kind::Report, body: "{\"a\":[1,2]}", sum });
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{line}");
        let (line, _) = write(0, Kind::Bug, "\"went wrong\"");
        assert_eq!(Line::read(line.as_bytes()).unwrap().kind, Kind::Bug);
        let head = Head { shard: Some(3), of: Some(8), ..Head::of_plan("abc") };
        assert_eq!(Head::read(head.write().as_bytes()), Some(head));
        assert_eq!(Head::read(b"{\"a\":1}\n"), None);
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_found() {
        let (line, _) = write(17, Kind::Report, "{\"count\":12345,\"p99\":null}");
        let bytes = line.as_bytes();
        for at in 0..bytes.len() {
            assert_eq!(Line::read(&bytes[..at]), None, "cut at {at}");
            for bit in 0..8 {
                let mut changed = bytes.to_vec();
                changed[at] ^= 1 << bit;
                assert_eq!(Line::read(&changed), None, "bit {bit} of byte {at}: {}", line);
            }
        }
    }

    #[test]
    fn the_ending_knows_the_order() {
        let of = |sums: &[u64]| {
            let mut ending = Ending::default();
            sums.iter().for_each(|&sum| ending.add(sum));
            ending.write()
        };
        assert_ne!(of(&[1, 2]), of(&[2, 1]));
        assert!(of(&[1, 2]).starts_with("{\"end\":2,"));
    }
}
