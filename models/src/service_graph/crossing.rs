//! Attempts that leave the zone of their client: which they are, how many, and how much later they arrive.
//!
//! Who goes where is known when an attempt is sent. It is kept beside the attempt, of edges that have any such way at all, and asked
//! for when one of its messages is on the [link](crate::network::Link): nobody else pays for it.

use super::control::membership::moves;
use super::follow::Listen;
use super::plan::{Caller, EdgePlan, Plan};
use super::slab::Beside;
use super::state::*;
use crate::network::Apart;
use crate::policy::part::{Does, Part};
use crate::report::{Better, Fold, Section, Unit, Value};
use sim_core::{Key, SimTime};

/// What leaves its zone over one edge.
#[derive(Clone)]
pub struct Crossing {
    apart: Apart,
    /// The share that leaves, where that is known.
    foreseen: Option<f64>,
    /// Attempts of calls that are measured: all, and those that left.
    measured: [u64; 2],
    /// Of these those to each zone.
    to: Vec<u64>,
    /// All of the window, those that left, and those to each zone.
    window: Vec<u64>,
    windows: Vec<Vec<f64>>,
}

impl Crossing {
    /// Nothing has been sent yet between these.
    pub fn new(apart: &Apart, foreseen: Option<f64>) -> Self {
        let zones = apart.names.len();
        Crossing {
            apart: apart.clone(),
            foreseen,
            measured: [0; 2],
            to: vec![0; zones],
            window: vec![0; 2 + zones],
            windows: vec![Vec::new(); 2 + zones],
        }
    }

    /// A client sends an attempt to a replica: whether that is in another zone.
    pub fn sent(&mut self, client: u32, replica: u32, measured: bool) -> bool {
        let (crosses, to) = (self.apart.crosses(client, replica), self.apart.callees.of(replica) as usize);
        self.window[0] += 1;
        self.window[1] += u64::from(crosses);
        self.window[2 + to] += 1;
        if measured {
            self.measured[0] += 1;
            self.measured[1] += u64::from(crosses);
            self.to[to] += 1;
        }
        crosses
    }

    /// In which zones a client and a replica stand.
    pub fn stand(&self, client: u32, replica: u32) -> (u32, u32) {
        (self.apart.callers.of(client), self.apart.callees.of(replica))
    }

    /// All that were sent and are measured.
    pub fn counted(&self) -> u64 {
        self.measured[0]
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        for (line, count) in self.windows.iter_mut().zip(&mut self.window) {
            line.push(std::mem::take(count) as f64);
        }
    }

    /// What was measured.
    pub fn section(&self, at: &str) -> Section {
        let mut section = declared(at, &self.apart);
        let [all, left] = self.measured.map(|count| count as f64);
        let share = |part: f64| (all > 0.0).then(|| part / all);
        section.set("cross_zone", share(left));
        if let (Some(foreseen), Some((_, value))) = (self.foreseen, section.values.0.first_mut()) {
            (value.exact, value.source) = (Some(foreseen), "where clients and replicas stand".into());
        }
        for (name, count) in self.apart.names.iter().zip(&self.to) {
            section.set(&to(name), share(*count as f64));
        }
        let names = ["sent", "crossing"]
            .map(String::from)
            .into_iter()
            .chain(self.apart.names.iter().map(|name| to(name)));
        for (name, values) in names.zip(&self.windows) {
            section.draw(&name, values.clone());
        }
        section
    }
}

/// The share of attempts over an edge that leaves its zone, where that is known: each client sends as many as any other, nobody ever goes, and
/// whatever has a say in who is chosen says what it comes to. The first of them narrows what the next chooses from.
pub fn foreseen(plan: &Plan, edge: &EdgePlan) -> Option<f64> {
    let (Caller::Workload(_), false) = (edge.caller, moves(plan.spec, plan.spec.name(edge.callee))) else {
        return None;
    };
    // Whoever is refused, or tries again, sends another number than the others.
    let differ = Does::REPEATS.and(Does::COPIES).and(Does::REFUSES).and(Does::GIVES_UP).and(Does::DELAYS);
    if edge.does.any(differ)
        || plan.spec.faults.iter().any(|fault| !matches!(fault.clients, crate::fault::Affected::All))
    {
        return None;
    }
    let around = edge.around();
    let chooses = |part: &&(dyn Part + '_)| part.does().any(Does::STEERS) || part.leaves(&around).is_some();
    let says: Option<Vec<f64>> = around.all().filter(chooses).map(|part| part.leaves(&around)).collect();
    says?.first().copied()
}

/// What goes to a zone is called after it.
fn to(zone: &str) -> String {
    format!("to_{zone}")
}

/// What will be told: nothing measured yet.
pub fn declared(at: &str, apart: &Apart) -> Section {
    let share = |part: &str, about: String| {
        Value::new(Unit::Share, about).of_windows(Fold::Ratio(part.into(), "sent".into()))
    };
    let left = share("crossing", "share of attempts that went to another zone than their client's".into());
    let mut section = Section::new("zones", at).value("cross_zone", left.better(Better::Less).headline());
    for name in apart.names.iter() {
        section =
            section.value(&to(name), share(&to(name), format!("share of attempts that went to zone {name}")));
    }
    section = section.line("sent", Unit::Plain, "Attempts sent in each window.").line(
        "crossing",
        Unit::Plain,
        "Those of them that went to another zone.",
    );
    for name in apart.names.iter() {
        section =
            section.line(&to(name), Unit::Plain, &format!("Attempts sent to zone {name} in each window."));
    }
    section
}

impl Edge {
    /// A client sends an attempt to a replica, which may be in another zone.
    #[cold]
    #[inline(never)]
    pub fn note_crossing(
        &mut self,
        crossed: &mut Beside<bool>,
        attempt: AttemptId,
        (client, replica): (u32, u32),
        measured: bool,
    ) {
        let crossing = self.crossing.as_mut().expect("they stand apart");
        crossed.put(attempt, crossing.sent(client, replica, measured));
    }

    /// When a message arrives that would then if it stayed in its zone.
    #[cold]
    pub fn arrives_apart(&mut self, then: SimTime, message: Message, key: Key, crosses: bool) -> SimTime {
        let (key, way) = message.way(key);
        if crosses { then + self.link.further(key, way) } else { then }
    }
}

impl<L: Listen> Graph<L> {
    /// A message is sent that arrives then if it stays in its zone.
    #[cold]
    pub(super) fn goes_apart(&mut self, then: SimTime, message: Message, ctx: &mut Ctx) {
        let id = message.whose();
        let (edge, key) = (self.attempts[id].edge, self.attempts[id].key);
        let then = self.edges[edge as usize].arrives_apart(then, message, key, *self.crossed.of(id));
        if then > ctx.now() { message.arrives(then, ctx) } else { self.deliver(message, ctx) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Zones;
    use crate::policy::tests::read;

    #[test]
    fn what_leaves_is_counted_by_where_it_goes() {
        let zones = read::<Zones>(r#"(names: ["a", "b"])"#).unwrap().0;
        let apart = Apart::of(&zones, (zones.turns(&[]), 2), (zones.turns(&[]), 4)).expect("two zones");
        let mut crossing = Crossing::new(&apart, Some(0.4));
        for (client, replica, measured, left) in [
            (0, 0, false, false),
            (0, 1, true, true),
            (1, 1, true, false),
            (1, 3, true, false),
            (1, 2, true, true),
        ] {
            assert_eq!(crossing.sent(client, replica, measured), left);
        }
        crossing.close_window();
        crossing.close_window();
        assert_eq!(crossing.counted(), 4);
        let section = crossing.section("a->b");
        assert_eq!(section.values.get("cross_zone").and_then(|value| value.exact), Some(0.4));
        let values: Vec<_> =
            section.values.iter().map(|(name, value)| (name, value.value.unwrap())).collect();
        assert_eq!(values, [("cross_zone", 0.5), ("to_a", 0.25), ("to_b", 0.75)]);
        let lines: Vec<_> =
            section.series.iter().map(|line| (line.name.as_str(), line.values.clone())).collect();
        let line = |count: f64| vec![count, 0.0];
        assert_eq!(
            lines,
            [("sent", line(5.0)), ("crossing", line(2.0)), ("to_a", line(2.0)), ("to_b", line(3.0))]
        );
    }
}
