//! What is not configured moves no digest: the same model twice, once with a mechanism more that nobody has asked for.
//! It has a setting with a default, a stream of its own, and a number in the report.

use crate::catalog::{Catalog, Entry, RunSpec, Scenario};
use crate::experiment::Experiment;
use crate::report::{DigestParts, Metric, Report, Section, Unit, Value};
use crate::run::{Observer, RunOptions, RunOutput, simulate};
use sim_core::digest::Hex;
use sim_core::{Context, Key, Luck, Model, SimDuration, SimTime, Simulation, Streams, Words};
use std::ops::ControlFlow;

spec! {
    /// Somebody calls, again and again.
    pub struct Before {
        /// How often.
        calls: u32; 1..=1_000,
        /// How long each takes.
        work: Work,
    }
}

spec! {
    /// The same, and a mechanism that came later.
    pub struct After {
        /// How often.
        calls: u32; 1..=1_000,
        /// How long each takes.
        work: LaterWork,
        /// When a second copy is sent.
        echo: Option<SimDuration> = None,
    }
}

spec! {
    /// How long something takes.
    pub enum Work {
        /// Drawn.
        Uniform { most: SimDuration },
    }
}

spec! {
    /// The same, with a setting that came later.
    pub enum LaterWork {
        /// Drawn.
        Uniform { most: SimDuration, least: SimDuration = SimDuration::ZERO },
    }
}

/// What runs: a call draws its work; a copy is drawn where there are copies.
struct Calls {
    left: u32,
    most: SimDuration,
    work: Luck,
    copies: Option<(Luck, u64)>,
}

impl Model for Calls {
    type Event = ();

    fn handle(&mut self, (): (), ctx: &mut Context<()>) {
        let key = Key::root(1, u64::from(self.left));
        let takes = SimDuration::from_nanos(self.work.at(key).below(self.most.as_nanos()));
        ctx.witness(1, 0, 0, 0, key.get(), takes.as_nanos());
        if let Some((luck, sent)) = &mut self.copies {
            *sent += luck.at(key).below(2);
        }
        self.left -= 1;
        if self.left > 0 {
            ctx.schedule_in(takes, ());
        }
    }
}

/// `later` is the mechanism that only the second model has: whether it is used.
fn run(calls: u32, most: SimDuration, later: Option<bool>, options: &RunOptions) -> RunOutput {
    let streams = Streams::new(options.seed);
    // A stream is given out whether or not anybody will draw from it.
    let echo = later.map(|used| (streams.luck("echo", "calls"), used));
    let unused = echo.as_ref().filter(|(_, used)| !used).map(|(luck, _)| luck.used());
    let copies = echo.filter(|(_, used)| *used).map(|(luck, _)| (luck, 0));
    let model = Calls { left: calls, most, work: streams.luck("work", "calls"), copies };
    let mut simulation = Simulation::with_engine(model, options.engine, options.limits);
    simulation.context().schedule_at(SimTime::ZERO, ());
    simulation.run_until(SimTime::from_secs(1_000));
    let model = simulation.model();
    let mut used = vec![(Streams::name("work", "calls"), model.work.used())];
    let name = || Streams::name("echo", "calls");
    used.extend(unused.map(|nothing| (name(), nothing)));
    used.extend(model.copies.as_ref().map(|(luck, _)| (name(), luck.used())));
    let mut report = Report {
        digest: DigestParts {
            t: Hex(simulation.trajectory().finish()).to_string(),
            r: Hex(streams.digest(used)).to_string(),
            ..DigestParts::default()
        },
        ..Report::default()
    };
    report.values.push("calls", Value { value: Some(f64::from(calls)), ..Value::default() });
    if let Some((_, sent)) = &model.copies {
        report.values.push("copies", Value { value: Some(*sent as f64), ..Value::default() });
    }
    RunOutput { report, ..RunOutput::default() }
}

impl Scenario for Before {
    fn run(&self, _: &RunSpec, options: &RunOptions, _: Observer) -> RunOutput {
        let Work::Uniform { most } = self.work;
        run(self.calls, most, None, options)
    }
}

impl Scenario for After {
    fn run(&self, _: &RunSpec, options: &RunOptions, _: Observer) -> RunOutput {
        let LaterWork::Uniform { most, .. } = self.work;
        run(self.calls, most, Some(self.echo.is_some()), options)
    }

    fn sections(&self, _: &RunSpec) -> Vec<Section> {
        let echo =
            || Section::new("echo", "a->b").value("won", Value::default()).line("out", Unit::Plain, "");
        self.echo.iter().map(|_| echo()).collect()
    }
}

/// What one run comes to.
fn report(entry: Entry, model: &str) -> Report {
    let text = format!("(about: \"calls\", model: Calls({model}), run: (duration: \"1s\"))");
    let read = Experiment::parse("calls.ron", &text, &[], &Catalog::new([entry]));
    let (experiment, _) = read.unwrap_or_else(|failed| panic!("{failed}"));
    let resolved = experiment.with(None, &[]).expect("sound");
    simulate(&resolved, &RunOptions::seeded(7), &mut |_| ControlFlow::Continue(())).report
}

/// The four parts of the digest.
fn digest(entry: Entry, model: &str) -> [String; 4] {
    let DigestParts { i, t, r, s, .. } = report(entry, model).digest;
    [i, t, r, s]
}

#[test]
fn what_is_not_configured_moves_no_digest() {
    let before = |model| digest(Entry::of::<Before>("Calls", "", 1), model);
    let after = |model| digest(Entry::of::<After>("Calls", "", 1), model);
    let plain = r#"calls: 100, work: Uniform(most: "10ms")"#;
    let old = before(plain);
    assert_eq!(after(plain), old);
    // To write a default out is not to configure anything.
    let written = r#"calls: 100, work: Uniform(most: "10ms", least: "0s"), echo: None"#;
    assert_eq!(after(written), old);
    // What is configured is in the input, draws, and is measured; what others draw stays what it was.
    let echod = after(r#"calls: 100, work: Uniform(most: "10ms"), echo: Some("5ms")"#);
    let moved = [0, 1, 2, 3].map(|part| echod[part] != old[part]);
    assert_eq!(moved, [true, false, true, true], "i, t, r, s");
    // A setting inside another is no different.
    let least = after(r#"calls: 100, work: Uniform(most: "10ms", least: "1ms")"#);
    assert_eq!([0, 1, 2, 3].map(|part| least[part] != old[part]), [true, false, false, false], "i, t, r, s");
}

/// What a model declares is in the report of any run, measured or not: whoever lists metrics or checks what is
/// expected of them needs no run that came to anything.
#[test]
fn what_is_declared_is_in_every_report() {
    let of = |echo| {
        let model = format!(r#"calls: 1, work: Uniform(most: "10ms"), echo: {echo}"#);
        report(Entry::of::<After>("Calls", "", 1), &model)
    };
    let echod = of(r#"Some("5ms")"#);
    assert_eq!(echod.metric(r#"echo["a->b"].won"#), Ok(Metric::Absent));
    assert!(echod.metric_paths().contains(&r#"echo["a->b"].won"#.into()));
    assert!(echod.metric(r#"echo["a->b"].out"#).is_err(), "a line is a picture");
    assert!(of("None").sections.is_empty());
}
