//! Machines that heat up by what they do: too hot they are slowed down, and hotter still they are switched off.
//!
//! Each replica is a machine of one temperature `T`. What it draws warms it, and the air around it carries off so much for each kelvin
//! that it is warmer than that: `C dT/dt = P_idle + P_busy u - k (T - T_air)`, with `u` the work that it does as a share of the most
//! that it can do. Where `P` does not change and the air does so in a straight line that has a closed form, and this is used from look
//! to look, every `every`: at constant load it is exact, otherwise what was done between two looks counts as spread evenly over them.
//! So nothing is done per request.
//!
//! Above one temperature work takes longer, in a straight line to another; what a request costs in energy stays the same, so less
//! work a second is less heat, and a machine finds a temperature at which it does as much as the cooling carries off. That is the limit:
//! a site has the capacity that its cooling gives it, not what its machines could do.

use crate::experiment::{Decoder, Len, Node, POSITIVE};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Better, Fold, Section, Table, Unit, Value};
use crate::service_graph::follow::Listen;
use crate::service_graph::spec::{ServiceSpec, Workers};
use crate::service_graph::state::*;
use crate::words::{percent, short};
use sim_core::{SimDuration, SimTime, math};

const LOOKS: SimDuration = SimDuration::from_secs(1);

spec! {
    /// How hot the machines of a service become by what they do, and what comes of it. Each replica is a machine of its own temperature.
    pub struct Thermal where check {
        /// The air that cools them, over time: in straight lines from each to the next, as the first before it, and as the last from there on.
        air: Vec<Air>; Len(1..=10_000),
        /// What a replica draws as long as it is up, in watts.
        idle: f64 = 0.0; 0.0..=1e9,
        /// What it draws besides when all its workers are busy, in watts; with some of them, that share of it.
        busy: f64; 0.0..=1e9,
        /// What is carried off, in watts for each kelvin by which it is warmer than the air.
        cooling: f64; POSITIVE,
        /// What warms it by one kelvin, in joules. `heat_capacity / cooling` is the time, in seconds, in which it goes 63 % of the way to where it will stay.
        heat_capacity: f64; POSITIVE,
        /// Whether it is slowed down when it is hot.
        throttle: Option<Throttling> = None,
        /// Whether it is switched off when it is too hot.
        shut_down: Option<ShutDown> = None,
        /// How often each looks at its temperature.
        every: SimDuration = LOOKS; POSITIVE,
    }
}

spec! {
    /// The air at a time.
    pub struct Air {
        /// When.
        at: SimTime = SimTime::ZERO,
        /// Its temperature, in degrees Celsius.
        celsius: f64; -90.0..=500.0,
    }
}

spec! {
    /// How a machine that is hot is slowed down.
    pub struct Throttling {
        /// The temperature up to which it is not, in degrees Celsius.
        from: f64; -90.0..=500.0,
        /// That from which it is as slow as it becomes, in degrees Celsius.
        to: f64; -90.0..=500.0,
        /// How many times longer work takes there; in a straight line between the two.
        factor: f64; 1.0..=1_000_000.0,
    }
}

spec! {
    /// When a machine is switched off, and on again. What it had in hand is lost, and its callers notice what they do where the service
    /// `dies` of its load: a reset if that is not said.
    pub struct ShutDown {
        /// The temperature at which it is, in degrees Celsius.
        at: f64; -90.0..=500.0,
        /// That to which it must have cooled before it starts again, in degrees Celsius.
        back_at: f64; -90.0..=500.0,
    }
}

fn check(thermal: &Thermal, at: &Node, cx: &mut Decoder) {
    let air = &thermal.air;
    if let Some(late) = air.windows(2).position(|pair| pair[0].at >= pair[1].at) {
        let message = format!("air[{}] is not later than the one before it", late + 1);
        cx.error(at.span_of("air"), message).help("list the times in order, each once");
    }
    if let Some(Throttling { from, to, factor }) = thermal.throttle {
        if to <= from {
            cx.error(
                at.span_of("throttle"),
                format!("as slow as it becomes at {to} C, and not slow up to {from} C"),
            )
            .help("`to` is above `from`");
        } else if factor == 1.0 {
            cx.warn(at.span_of("throttle"), "a factor of 1 makes nothing slower").help("a larger `factor`");
        }
    }
    if let Some(ShutDown { at: off, back_at }) = thermal.shut_down {
        if back_at >= off {
            let message = format!(
                "switched off at {off} C, and on again at {back_at} C: it would be as soon as it is off"
            );
            cx.error(at.span_of("shut_down"), message).help("`back_at` is below `at`");
        } else if thermal.coldest() >= back_at {
            let message = format!(
                "the air is never colder than {} C: once off, it never cools to {back_at} C",
                short_signed(thermal.coldest())
            );
            cx.warn(at.span_of("shut_down"), message).help("a higher `back_at`, or colder `air`");
        }
        if thermal.rests_at(thermal.coldest(), 0.0) >= off {
            let message = format!(
                "with nothing to do it comes to {} C even in the coldest air: it is off at {off} C whatever is asked of it",
                short_signed(thermal.rests_at(thermal.coldest(), 0.0))
            );
            cx.warn(at.span_of("shut_down"), message).help("more `cooling`, or less `idle`");
        }
        if let Some(Throttling { from, .. }) = thermal.throttle.as_ref().filter(|it| it.from >= off) {
            let message = format!("is never slowed down: that begins at {from} C, and at {off} C it is off");
            cx.warn(at.span_of("throttle"), message).help("a lower `from`");
        }
    }
    if thermal.throttle.is_none() && thermal.shut_down.is_none() {
        cx.warn(at.span, "however hot it becomes, nothing comes of it")
            .help("say from when it is slow, `throttle`, or off, `shut_down`");
    }
    let constant = thermal.heat_capacity / thermal.cooling;
    if thermal.every.as_secs_f64() > constant {
        let message = format!(
            "looks every {}, and its temperature goes 63 % of its way in {}: it is hot before it knows",
            thermal.every,
            SimDuration::from_nanos_f64(constant * 1e9).brief()
        );
        cx.warn(at.get("every").unwrap_or(at).span, message).help("look more often");
    }
}

/// To three digits, below zero too.
fn short_signed(number: f64) -> String {
    if number < 0.0 { format!("-{}", short(-number)) } else { short(number) }
}

impl Thermal {
    /// Whether replicas may be switched off.
    pub fn switches_off(&self) -> bool {
        self.shut_down.is_some()
    }

    /// Who waits for others holds a worker and does nothing.
    pub fn check_beside(&self, service: &ServiceSpec, at: &Node, cx: &mut Decoder) {
        if matches!(service.workers, Workers::Blocking(_)) && !service.calls.is_empty() {
            let message = "a worker that waits for its calls warms its machine as if it worked";
            cx.warn(at.span_of("thermal"), message).help("Async workers are busy with their own work only");
        }
    }

    /// The air at a time.
    fn air_at(&self, now: SimTime) -> f64 {
        let next = self.air.partition_point(|air| air.at <= now);
        let before = &self.air[next.saturating_sub(1)];
        let Some(after) = self.air.get(next).filter(|_| next > 0) else { return before.celsius };
        let share = now.since(before.at).as_secs_f64() / after.at.since(before.at).as_secs_f64();
        before.celsius + (after.celsius - before.celsius) * share
    }

    fn coldest(&self) -> f64 {
        self.air.iter().map(|air| air.celsius).fold(f64::INFINITY, f64::min)
    }

    fn hottest(&self) -> f64 {
        self.air.iter().map(|air| air.celsius).fold(f64::NEG_INFINITY, f64::max)
    }

    /// Where it stays in such air with such a share of what it can do at full speed done all the time.
    fn rests_at(&self, air: f64, done: f64) -> f64 {
        air + (self.idle + self.busy * done) / self.cooling
    }

    /// What a temperature becomes in so many seconds at a power, while the air goes in a straight line.
    fn becomes(&self, celsius: f64, watts: f64, (from, to): (f64, f64), seconds: f64) -> f64 {
        let constant = self.heat_capacity / self.cooling;
        let above = watts / self.cooling;
        // It follows the air so far behind.
        let behind = (to - from) / seconds * constant;
        let left = math::exp(-seconds / constant);
        to + above - behind + (celsius - from - above + behind) * left
    }

    /// How many times longer work takes.
    fn stretch(&self, celsius: f64) -> f64 {
        self.throttle.as_ref().map_or(1.0, |Throttling { from, to, factor }| {
            1.0 + (factor - 1.0) * ((celsius - from) / (to - from)).clamp(0.0, 1.0)
        })
    }

    /// The most that it can do all the time in such air, as a share of what it can do cold: where what it does keeps it just so slow
    /// that it does no more. Nothing if it is off with that.
    fn capacity(&self, air: f64) -> f64 {
        let is_too_much = |done: f64| done * self.stretch(self.rests_at(air, done)) > 1.0;
        let (mut least, mut most) = (0.0, 1.0);
        if !is_too_much(most) {
            least = most;
        }
        for _ in 0..60 {
            let middle = (least + most) / 2.0;
            if is_too_much(middle) { most = middle } else { least = middle }
        }
        let Some(ShutDown { at, .. }) = self.shut_down else { return least };
        let until_off = ((at - air) * self.cooling - self.idle) / self.busy.max(f64::MIN_POSITIVE);
        least.min(until_off.max(0.0))
    }
}

impl Part for Thermal {
    fn does(&self) -> Does {
        let throttled = self.throttle.as_ref().map_or(Does::NOTHING, |_| Does::VARIES);
        throttled.and(self.shut_down.as_ref().map_or(Does::NOTHING, |_| Does::BREAKS))
    }

    fn brief(&self) -> Option<String> {
        let slow = self.throttle.as_ref().map(|it| format!("slow from {} C", short_signed(it.from)));
        let off = self.shut_down.as_ref().map(|it| format!("off at {} C", short_signed(it.at)));
        let both: Vec<String> = slow.into_iter().chain(off).collect();
        (!both.is_empty()).then(|| format!("heats up, {}", both.join(", ")))
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at)]
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let (name, hottest) = (around.name, self.hottest());
        let constant = SimDuration::from_nanos_f64(self.heat_capacity / self.cooling * 1e9).brief();
        let mut notes = vec![format!(
            "a replica of {name} comes to {} C with nothing to do in air of {} C, and to {} C with all workers busy at full speed: 63 % of the way in {constant}",
            short_signed(self.rests_at(hottest, 0.0)),
            short_signed(hottest),
            short_signed(self.rests_at(hottest, 1.0)),
        )];
        let capacity = self.capacity(hottest);
        let cold = self.capacity(self.coldest());
        let could = around.offered.filter(|it| it.costs > 0.0);
        let asked = could.map(|it| {
            let rate = short(it.per_sec);
            let most = short(capacity / it.costs);
            if it.per_sec * it.costs > capacity {
                format!(", {most}/s, and {rate}/s come to each: it does not keep up")
            } else {
                format!(", {most}/s, and {rate}/s come to each")
            }
        });
        if capacity < 1.0 {
            notes.push(format!(
                "in air of {} C a replica of {name} can do {} of what it could cold{}",
                short_signed(hottest),
                percent(capacity),
                asked.unwrap_or_default()
            ));
        }
        if cold < 1.0 && self.coldest() < hottest {
            notes.push(format!(
                "in the coldest, of {} C, it can do {}",
                short_signed(self.coldest()),
                percent(cold)
            ));
        }
        notes
    }

    fn tables(&self, name: &str) -> Vec<Table> {
        let (least, most) = (self.coldest(), self.hottest());
        let steps = if least < most { 4 } else { 0 };
        let row = |step: u32| {
            let air =
                if steps == 0 { least } else { least + (most - least) * f64::from(step) / f64::from(steps) };
            let cells = [
                format!("{} C", short_signed(air)),
                format!("{} C", short_signed(self.rests_at(air, 0.0))),
                format!("{} C", short_signed(self.rests_at(air, 1.0))),
                percent(self.capacity(air)),
            ];
            cells.map(|cell| cell.as_str().into()).to_vec()
        };
        vec![Table {
            title: format!("What the cooling of `{name}` carries off"),
            columns: ["air", "with nothing to do", "all workers at full speed", "can do all the time"]
                .map(String::from)
                .to_vec(),
            rows: (0..=steps).map(row).collect(),
            note: "what it can do is a share of what it could if it never became hot".into(),
            ..Table::default()
        }]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "thermal",
            word: "",
            what: "Lets each replica heat up by the work that it does, as a machine in air of a given temperature, over the day if that changes. Too hot it is \
                   slowed down (`throttle`), hotter still it is switched off, and on again when it has cooled (`shut_down`).",
            hurts: "All machines of a site breathe the same air: on the hottest afternoon all lose capacity together, and who takes over their load heats up by \
                    that. A machine that is slow, or one of fewer, is busier, so a site that is just cool enough at its own load is not at that of two. Every \
                    machine says that it is well; the first that is off leaves its share to the others, which are as hot.",
            formula: "`T` stays at `T_air + (idle + busy u) / cooling`, and goes 63 % of the way in `heat_capacity / cooling` seconds; without slowing down it can do \
                      `u = (cooling (T_limit - T_air) - idle) / busy` for ever",
            source: "Newton's law of cooling with one heat capacity per machine; Skadron et al., \"Temperature-Aware Microarchitecture\", ISCA 2003 (throttling); incident \
                     reports of the heat wave of 19 July 2022 (Google Cloud europe-west2, Oracle Cloud UK South)",
            experiment: "heat-wave",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(air: [(celsius: 25)], idle: 100, busy: 400, cooling: 10, heat_capacity: 1, every: "10ms", throttle: (from: 50, to: 70, factor: 4))"#,
            r#"(air: [(celsius: 25)], busy: 400, cooling: 10, heat_capacity: 1, every: "10ms", shut_down: (at: 50, back_at: 30))"#,
            r#"(air: [(celsius: 20), (at: "300ms", celsius: 60)], idle: 50, busy: 200, cooling: 5, heat_capacity: 2, every: "20ms", throttle: (from: 60, to: 80, factor: 3), shut_down: (at: 90, back_at: 75))"#,
        ]
    }
}

/// What is told of it: nothing measured yet.
fn declared(at: &str) -> Section {
    let share = |about| Value::new(Unit::Share, about).better(Better::Less);
    let lost = share(
        "share of what its replicas could do that heat took: those that were slowed down did less, those that were off nothing",
    );
    let hottest = Value::new(Unit::Plain, "the highest temperature of any replica, in degrees Celsius");
    let off = Value::new(Unit::Plain, "times that a replica was switched off, after the warm-up");
    Section::new("thermal", at)
        .value("lost", lost.headline())
        .value(
            "throttled",
            share("share of the time of replicas that are up for which they were slowed down"),
        )
        .value("shut_downs", off.better(Better::Less))
        .value("hottest", hottest.better(Better::Less).of_windows(Fold::Max("temperature".into())))
        .line(
            "temperature",
            Unit::Plain,
            "Temperature of the hottest replica in each window, in degrees Celsius.",
        )
        .line("lost", Unit::Share, "Share of what its replicas could do that heat took, mean of each window.")
}

/// How hot the replicas of a service are.
#[derive(Clone)]
pub struct Heating {
    says: Thermal,
    each: Box<[OfReplica]>,
    shut_downs: u64,
    measured: Sums,
    window: Sums,
    /// The highest temperature in this window.
    hottest: f64,
    /// Temperatures, and what was lost, by window.
    lines: [Vec<f64>; 2],
}

#[derive(Clone, Copy)]
struct OfReplica {
    /// Its temperature when it was last looked at, and when that was.
    celsius: f64,
    at: SimTime,
    /// For how long its workers had been busy then.
    used: u128,
    /// How many times longer work takes from then on.
    stretch: f64,
    /// It was switched off.
    off: bool,
}

/// In seconds of replicas.
#[derive(Clone, Copy, Default)]
struct Sums {
    up: f64,
    off: f64,
    throttled: f64,
    /// Of those that were up.
    lost: f64,
}

impl Sums {
    fn lost(&self) -> Option<f64> {
        let all = self.up + self.off;
        (all > 0.0).then(|| (self.lost + self.off) / all)
    }
}

/// What is done with a machine after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Switch {
    Stays,
    Off,
    On,
}

impl Heating {
    /// The temperatures of the replicas of this service, if it says how they come about.
    pub fn by(service: &ServiceSpec) -> Option<Heating> {
        Some(Heating::new(service.thermal.clone()?, service.room()))
    }

    /// Each has been up for a long time, with nothing to do.
    fn new(says: Thermal, replicas: u32) -> Heating {
        let celsius = says.rests_at(says.air_at(SimTime::ZERO), 0.0);
        let stretch = says.stretch(celsius);
        let of = OfReplica { celsius, at: SimTime::ZERO, used: 0, stretch, off: false };
        Heating {
            says,
            each: vec![of; replicas as usize].into(),
            shut_downs: 0,
            measured: Sums::default(),
            window: Sums::default(),
            hottest: f64::NEG_INFINITY,
            lines: [Vec::new(), Vec::new()],
        }
    }

    /// When each is first looked at: one after another, within the time between two looks.
    pub fn firsts(&self) -> Vec<(u32, SimTime)> {
        let (all, every) = (self.each.len() as u64, self.says.every.as_nanos());
        let first =
            |replica: u64| (u128::from(every) * u128::from(replica + 1)).div_ceil(u128::from(all)) as u64;
        (0..all).map(|replica| (replica as u32, SimTime::from_nanos(first(replica)))).collect()
    }

    /// A replica looks at its temperature, whose workers, of so many, have been busy for so long in all.
    fn looks(
        &mut self,
        replica: u32,
        (used, workers): (u128, u32),
        is_up: bool,
        measured_from: SimTime,
        now: SimTime,
    ) -> Switch {
        let of = &mut self.each[replica as usize];
        let seconds = now.since(of.at).as_secs_f64();
        let busy = (used - of.used) as f64 / (seconds * 1e9 * f64::from(workers));
        // A request takes the energy that it takes, however slowly it is done.
        let done = busy.min(1.0) / of.stretch;
        let watts = if is_up { self.says.idle } else { 0.0 } + self.says.busy * done;
        let air = (self.says.air_at(of.at), self.says.air_at(now));
        let sums = Sums {
            up: if is_up { seconds } else { 0.0 },
            off: if of.off { seconds } else { 0.0 },
            throttled: if is_up && of.stretch > 1.0 { seconds } else { 0.0 },
            lost: if is_up { seconds * (1.0 - 1.0 / of.stretch) } else { 0.0 },
        };
        let counted = [(&mut self.window, true), (&mut self.measured, of.at >= measured_from)];
        for (into, _) in counted.into_iter().filter(|(_, counts)| *counts) {
            into.up += sums.up;
            into.off += sums.off;
            into.throttled += sums.throttled;
            into.lost += sums.lost;
        }
        of.celsius = self.says.becomes(of.celsius, watts, air, seconds);
        of.stretch = self.says.stretch(of.celsius);
        (of.at, of.used) = (now, used);
        self.hottest = self.hottest.max(of.celsius);
        match self.says.shut_down {
            Some(ShutDown { back_at, .. }) if of.off && of.celsius <= back_at => {
                of.off = false;
                Switch::On
            }
            Some(ShutDown { at, .. }) if is_up && of.celsius >= at => {
                of.off = true;
                self.shut_downs += u64::from(now >= measured_from);
                Switch::Off
            }
            _ => Switch::Stays,
        }
    }

    /// How many times longer work takes at a replica that begins with it now.
    pub fn stretch(&self, replica: u32) -> f64 {
        self.each[replica as usize].stretch
    }

    /// A window is over. One in which nobody looked is as the last look was.
    pub fn close_window(&mut self) {
        let last = self.each.iter().map(|of| of.celsius).fold(f64::NEG_INFINITY, f64::max);
        let hottest = std::mem::replace(&mut self.hottest, f64::NEG_INFINITY);
        let lost = std::mem::take(&mut self.window).lost();
        let before = self.lines[1].last().copied().unwrap_or(0.0);
        self.lines[0].push(hottest.max(last));
        self.lines[1].push(lost.unwrap_or(before));
    }

    /// What is told of it.
    pub fn section(&self, at: &str) -> Section {
        let mut section = declared(at);
        let sums = &self.measured;
        section.set("lost", sums.lost());
        section.set("throttled", (sums.up > 0.0).then(|| sums.throttled / sums.up));
        section.set("shut_downs", self.shut_downs as f64);
        section.draw("temperature", self.lines[0].clone());
        section.draw("lost", self.lines[1].clone());
        section
    }
}

impl<L: Listen> Graph<L> {
    /// A replica looks at its temperature.
    pub fn looks_how_hot(&mut self, control: u32, (service_id, replica): (u32, u32), ctx: &mut Ctx) {
        let (now, measured_from) = (ctx.now(), self.measured_from);
        let service = &mut self.services[service_id as usize];
        let state = &service.replicas[replica as usize];
        let (used, is_up) = ((state.used(now), service.cores), state.down == 0);
        let heating = service.heating.as_mut().expect("it heats up");
        let then = heating.looks(replica, used, is_up, measured_from, now);
        ctx.schedule_at(now + heating.says.every, Event::Look { control, of: replica });
        match then {
            Switch::Stays => {}
            Switch::Off => {
                let style = service.death_style;
                self.crash(service_id, replica, style, ctx);
            }
            Switch::On => self.revived(service_id, replica, ctx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    fn thermal(says: &str) -> Thermal {
        read::<Thermal>(says).expect("sound").0
    }

    fn near(found: f64, expected: f64, what: &str) {
        assert!((found - expected).abs() < 1e-4, "{what}: {found}, expected {expected}");
    }

    /// 100 J/K and 10 W/K: 63 % of the way in 10 s.
    #[test]
    fn a_temperature_goes_where_it_would_stay() {
        let thermal =
            thermal("(air: [(celsius: 20)], idle: 100, busy: 200, cooling: 10, heat_capacity: 100)");
        let e = std::f64::consts::E;
        // (from, watts, air before and after, seconds, to)
        for (celsius, watts, air, seconds, to) in [
            (20.0, 0.0, (20.0, 20.0), 50.0, 20.0),
            (20.0, 300.0, (20.0, 20.0), 10.0, 50.0 - 30.0 / e),
            (80.0, 300.0, (20.0, 20.0), 20.0, 50.0 + 30.0 / (e * e)),
            (20.0, 300.0, (20.0, 20.0), 1e6, 50.0),
            // It is 10 s behind air that warms by a kelvin a second, and that much behind for good.
            (0.0, 0.0, (0.0, 10.0), 10.0, 10.0 - 10.0 + 10.0 / e),
            (0.0, 0.0, (0.0, 1000.0), 1000.0, 990.0),
        ] {
            near(
                thermal.becomes(celsius, watts, air, seconds),
                to,
                &format!("{celsius} at {watts} W for {seconds} s"),
            );
        }
        // In one step or in many, it is the same.
        let mut celsius = 30.0;
        for step in 0..100 {
            let air = |step: i32| 20.0 + 0.3 * f64::from(step);
            celsius = thermal.becomes(celsius, 150.0, (air(step), air(step + 1)), 0.25);
        }
        near(thermal.becomes(30.0, 150.0, (20.0, 50.0), 25.0), celsius, "in a hundred steps");
    }

    #[test]
    fn air_goes_in_straight_lines() {
        let thermal = thermal(
            r#"(air: [(at: "10s", celsius: 20), (at: "30s", celsius: 40), (at: "31s", celsius: 30)], busy: 1, cooling: 1, heat_capacity: 1)"#,
        );
        for (seconds, celsius) in [(0, 20.0), (10, 20.0), (15, 25.0), (30, 40.0), (31, 30.0), (99, 30.0)] {
            near(thermal.air_at(SimTime::from_secs(seconds)), celsius, &format!("at {seconds} s"));
        }
        assert_eq!((thermal.coldest(), thermal.hottest()), (20.0, 40.0));
    }

    /// `40 + 40 u` degrees, so work takes `6 u - 0.5` times as long from 50 on: it does `u` where `u (6 u - 0.5) = 1`.
    #[test]
    fn what_the_cooling_carries_off_is_what_can_be_done() {
        let says = |rest: &str| {
            thermal(&format!("(air: [(celsius: 40)], busy: 400, cooling: 10, heat_capacity: 1, {rest})"))
        };
        let throttle = "throttle: (from: 50, to: 70, factor: 4)";
        let root = (0.5 + 24.25_f64.sqrt()) / 12.0;
        for (rest, air, capacity) in [
            (throttle, 40.0, root),
            (throttle, 10.0, 1.0),
            // As slow as it becomes, and hotter still.
            (throttle, 90.0, 0.25),
            // 20 K above the air carry off 200 W of 400.
            ("shut_down: (at: 60, back_at: 50)", 40.0, 0.5),
            ("shut_down: (at: 60, back_at: 50)", 70.0, 0.0),
            ("idle: 100, shut_down: (at: 60, back_at: 50)", 40.0, 0.25),
            ("throttle: (from: 50, to: 70, factor: 4), shut_down: (at: 56, back_at: 50)", 40.0, 0.4),
        ] {
            near(says(rest).capacity(air), capacity, &format!("{rest} in {air} C"));
        }
        for (celsius, times) in [(0.0, 1.0), (50.0, 1.0), (60.0, 2.5), (70.0, 4.0), (99.0, 4.0)] {
            near(says(throttle).stretch(celsius), times, &format!("{celsius} C"));
        }
    }

    /// It is on at 50 degrees, off at 60, and at 40 on again; down for another reason it is neither, and cools without a watt.
    #[test]
    fn it_is_off_until_it_is_cool() {
        let says = "(air: [(celsius: 20)], idle: 50, busy: 450, cooling: 10, heat_capacity: 100, throttle: (from: 30, to: 50, factor: 3), shut_down: (at: 60, back_at: 40))";
        let mut heating = Heating::new(thermal(says), 2);
        let at = |seconds: u64| SimTime::from_secs(seconds);
        assert_eq!(heating.firsts(), [(0, SimTime::from_nanos(500_000_000)), (1, at(1))]);
        let busy = |seconds: u64| (u128::from(seconds) * 2_000_000_000, 2);
        // Fully busy for 10 s at first: 500 W, towards 70; then three times as slow, 50 and 150 W, towards 40.
        let e = std::f64::consts::E;
        assert_eq!(heating.looks(0, busy(10), true, at(0), at(10)), Switch::Stays);
        let first = 70.0 - 45.0 / e;
        near(heating.each[0].celsius, first, "after 10 s");
        assert_eq!(heating.looks(0, busy(20), true, at(0), at(20)), Switch::Stays);
        near(heating.each[0].celsius, 40.0 + (first - 40.0) / e, "after 20 s");
        // Of the ten seconds that it was three times as slow, two thirds were lost; the other did not look.
        near(heating.measured.lost().expect("it was up"), (2.0 / 3.0) * 10.0 / 20.0, "lost");
        heating.each[1].celsius = 60.0;
        assert_eq!(heating.looks(1, (0, 2), false, at(0), at(1)), Switch::Stays, "it is down anyway");
        heating.each[1].celsius = 75.0;
        assert_eq!(heating.looks(1, (0, 2), true, at(0), at(2)), Switch::Off);
        for (second, switch) in
            [(5, Switch::Stays), (10, Switch::Stays), (15, Switch::On), (20, Switch::Stays)]
        {
            assert_eq!(heating.looks(1, (0, 2), second == 20, at(0), at(second)), switch, "at {second} s");
        }
        assert_eq!(heating.shut_downs, 1);
        assert_eq!((heating.measured.off, heating.measured.up), (13.0, 26.0));
    }
}
