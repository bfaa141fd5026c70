//! `brownout explore EXPERIMENT`: random schedules of a cluster, and the shortest that breaks it.

use crate::app::App;
use crate::args::{Format, Subject, text_or_json};
use crate::error::{Error, Exit, Result};
use crate::experiment::Prepared;
use crate::jobs;
use crate::progress::Meter;
use crate::render::explore as page;
use crate::replay::quote;
use crate::result::explored::{Explored, FORMAT, Found};
use crate::text::escape;
use clap::Args as ClapArgs;
use sim_core::SimDuration;
use sim_models::cluster::ClusterSpec;
use sim_models::cluster::explore::{Findings, draw};
use sim_models::experiment::shrink::shrink;
use sim_models::experiment::{Decode, Experiment, Node};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The most scenarios that are tried to find a shorter one.
const MOST_TRIED: u64 = 5_000;
/// Schedules, unless it is said how many.
const USUAL: u64 = 1_000;
/// Schedules that are looked at before it is asked whether one of them broke something.
const AT_ONCE: usize = 64;

/// `brownout explore`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout explore raft-election                          # 1,000 schedules
  brownout explore raft-election --seeds 100000 --jobs 8
  brownout explore raft-election --set protocol.bug=ReadsWithoutQuorum --out found.ron
  brownout explore found.ron --exactly                    # that scenario again, as it is written

Each seed is a cluster of its own, with the protocol of the experiment: how many nodes, how slow messages and disks are, what
crashes, pauses, is cut off, is lost, comes twice or late, and when. After every event the named invariants are looked at; when
nothing has been wrong for a while, clients must be served. The first schedule that breaks something is made as short as it can be \
and still break the same. With --out it is written as an experiment, which `run`, `trace` and `explore --exactly` replay.

Exit code 4 if something was broken.")]
pub struct Explore {
    /// Which experiment.
    #[command(flatten)]
    pub subject: Subject,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// How many schedules, counted up from the seed: 1,000 unless given, and 1 with --exactly
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub seeds: Option<u64>,
    /// The cluster and the faults as they are written: only luck differs from seed to seed
    #[arg(long)]
    pub exactly: bool,
    /// Write the shortest scenario to this file
    #[arg(long, value_name = "FILE.ron")]
    pub out: Option<PathBuf>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT", value_parser = text_or_json())]
    pub format: Format,
}

pub(super) fn command(args: &Explore, app: &mut App) -> Result<Exit> {
    let opened = app.open(&args.subject.name, args.variant.as_deref(), &args.subject.set)?;
    let prepared = app.prepare(&opened, args.variant.as_deref(), &args.subject.set, args.subject.seed)?;
    let Some(cluster) = prepared.resolved.model.explores() else {
        let (name, model) = (escape(&prepared.name), prepared.resolved.entry.name);
        let message = format!("{name} is a {model}, and schedules of clusters are explored");
        let help = format!(
            "  raft-election, paxos and split-brain are clusters; `brownout shrink {name}` makes any experiment smaller"
        );
        return Err(Error::Usage { message, help });
    };
    let seeds = args.seeds.unwrap_or(if args.exactly { 1 } else { USUAL });
    let drawn = |seed: u64| if args.exactly { cluster.clone() } else { draw(cluster, seed) };
    let (looked_at, marks, events, first) = search(prepared.seed, seeds, &drawn, &prepared.name, app);
    let found = first.map(|(seed, findings)| shortened(&prepared, drawn(seed), seed, findings, app));
    let explored = Explored {
        format: FORMAT,
        experiment: prepared.name.clone(),
        variant: prepared.variant.clone(),
        first: prepared.seed,
        seeds: looked_at,
        events,
        reached: marks
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(mark, count)| ((*mark).to_owned(), *count))
            .collect(),
        not_reached: marks
            .iter()
            .filter(|(_, count)| **count == 0)
            .map(|(mark, _)| (*mark).to_owned())
            .collect(),
        found,
    };
    if let (Some(path), Some(found)) = (&args.out, &explored.found) {
        app.console.disk.replace(path, found.experiment.as_bytes())?;
        app.console.note(&format!("written: {}", crate::text::escape_path(path)));
    }
    app.console.document(&match args.format {
        Format::Json => crate::render::json(&explored),
        _ => page::text(&explored, args.out.is_none(), app.console.style()),
    })?;
    match (&explored.found, app.console.interrupt.exit()) {
        (_, Some(stopped)) => Ok(stopped),
        (None, None) => Ok(Exit::Good),
        (Some(found), None) => {
            let exactly = if args.exactly { " --exactly" } else { "" };
            let set: String = args
                .subject
                .set
                .iter()
                .map(|(path, value)| format!(" --set {}", quote(&format!("{path}={value}"))))
                .collect();
            let variant =
                args.variant.iter().map(|name| format!(" --variant {}", quote(name))).collect::<String>();
            let name = quote(&args.subject.name);
            app.console.note(&format!(
                "  again: brownout explore {name}{variant}{set} --seed {} --seeds 1{exactly}",
                found.seed
            ));
            Ok(Exit::Failed)
        }
    }
}

type Marks = BTreeMap<&'static str, u64>;

/// Looks at one schedule after another until one breaks something: how many, what was reached, how many events, and the first that did.
fn search(
    from: u64,
    seeds: u64,
    drawn: &(impl Fn(u64) -> ClusterSpec + Sync),
    name: &str,
    app: &mut App,
) -> (u64, Marks, u64, Option<(u64, Findings)>) {
    let mut meter = Meter::of_search(&app.console, name, usize::try_from(seeds).unwrap_or(usize::MAX));
    let interrupt = app.console.interrupt.clone();
    let threads = jobs::threads(app.global.jobs);
    let (mut looked_at, mut marks, mut events, mut first) = (0, Marks::new(), 0, None);
    while looked_at < seeds && first.is_none() && interrupt.exit().is_none() {
        let next: Vec<u64> =
            (looked_at..seeds).take(AT_ONCE * threads).map(|n| from.wrapping_add(n)).collect();
        let findings = jobs::in_order(threads, &next, |seed| {
            let findings = interrupt.exit().is_none().then(|| drawn(*seed).examine(*seed));
            meter.run_done();
            findings
        });
        for (seed, findings) in next.iter().zip(findings) {
            let Some(findings) = findings else { break };
            looked_at += 1;
            events += findings.events;
            findings.marks.iter().for_each(|(mark, count)| *marks.entry(*mark).or_default() += count);
            if findings.broken.is_some() {
                first = Some((*seed, findings));
                break;
            }
        }
        meter.tell(&mut app.console);
    }
    meter.finish(&mut app.console, Some(events));
    (looked_at, marks, events, first)
}

/// The shortest scenario that breaks what this one does.
fn shortened(prepared: &Prepared, spec: ClusterSpec, seed: u64, findings: Findings, app: &mut App) -> Found {
    let (broken, how) = findings.broken.expect("something is broken");
    let meter = Meter::of_search(&app.console, "shorter", 500);
    let interrupt = app.console.interrupt.clone();
    let read = |node: &Node| experiment(&file(node, SimDuration::from_secs(1), seed, ""), app);
    let mut keeps = |node: &Node| {
        meter.run_done();
        let spec = read(node);
        let breaks = |spec: &ClusterSpec| spec.examine(seed).broken.is_some_and(|(name, _)| name == broken);
        interrupt.exit().is_none() && spec.is_some_and(|spec| breaks(&spec))
    };
    let whole = spec.encode().as_said();
    let shrunk = shrink(whole, &["protocol", "timeout"], MOST_TRIED, &mut keeps);
    let spec = read(&shrunk.node).unwrap_or(spec);
    let closely = spec.examine_closely(seed);
    meter.finish(&mut app.console, None);
    let told = closely.broken.map_or(how, |(_, how)| how);
    let value = match broken.as_str() {
        "one leader a term" => Some("two_leaders_in_a_term"),
        "everybody does the same" => Some("different_operations"),
        "reads are not stale" => Some("stale_reads"),
        _ => None,
    };
    let about = format!("{told}. Found by `explore` in {}; `explore --exactly` shows it.", prepared.name);
    let mut file = file(&shrunk.node, closely.end.since(sim_core::SimTime::ZERO), seed, &about);
    if let Some(value) = value {
        let expectation = Node::record([
            ("metric", Node::text(format!("values.{value}.value"))),
            ("equals", Node::number(0)),
        ]);
        file = with(file, "expect", Node::list([expectation]));
    }
    Found {
        seed,
        broken,
        how: told,
        at: closely.at.as_nanos(),
        tried: shrunk.tried,
        whole: shrunk.whole,
        experiment: format!("{file}\n"),
        sequence: closely.sequence.unwrap_or_default(),
    }
}

/// An experiment of this cluster.
fn file(cluster: &Node, duration: SimDuration, seed: u64, about: &str) -> Node {
    let run = Node::record([
        ("duration", duration.encode()),
        ("window", SimDuration::from_millis(100).encode()),
        ("seed", Node::number(seed)),
    ]);
    Node::record([
        ("about", Node::text(about)),
        ("model", cluster.clone().named(Some("Cluster"))),
        ("run", run),
    ])
}

fn with(file: Node, field: &str, value: Node) -> Node {
    let entries = file.entries().iter().cloned().chain([(field, value).into()]);
    Node::record(entries)
}

/// The cluster of an experiment, if it makes sense.
fn experiment(file: &Node, app: &App) -> Option<ClusterSpec> {
    let (experiment, _) = Experiment::parse("shorter", &file.to_line(), &[], &app.catalog).ok()?;
    experiment.with(None, &[]).ok()?.model.explores().cloned()
}
