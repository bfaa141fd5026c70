//! Whether a client would rather call who stands in its own zone.
//!
//! Who stays in his [zone](crate::network::zones) saves the way, and money. What that costs shows when replicas of the zone are gone: those
//! that are left get all that its clients send (`Own`), or the zone sends a part away in time (`Spill`), or nobody prefers anybody,
//! and a zone is no more than its share of all replicas.
//!
//! *Own.* Only its own zone, as long as anybody may be chosen there: Kubernetes' `trafficDistribution: PreferClose` (KEP-4444, stable in
//! 1.33), which is called `PreferSameZone` since 1.34 (KEP-3015). It goes by which endpoints are ready, never by how busy they are: a zone with
//! one pod left gives that pod all of its traffic.
//!
//! *Spill.* Envoy's priority levels (1.31, "Priority levels"), as Istio sets them for locality failover: the own zone is level 0,
//! all others together are level 1. A level's health is
//!
//! ```text
//! health = min(100, floor(100 * overprovisioning_factor * well / all))      in per cent
//! ```
//!
//! and level 0 gets its health of all attempts, level 1 the rest as far as its own health goes. If the two come to less than 100 they are scaled up to
//! that, and what rounding leaves over is the first level's that has any. With the factor of 1.4 a zone keeps everything until less than
//! 71.4 % of it are well: at half it keeps 70 %, which is 1.4 times what each of those that are left had before. Which level an attempt
//! goes to is drawn, by its key where the balancer goes by keys; among the replicas of that level the balancer chooses, with turns
//! and a memory of its own for each level.
//!
//! `all` are all replicas of the zone that there are, whoever left those out that may not be chosen: health checks, ejection, a drain or
//! a start. (Where Kubernetes takes a pod out of the endpoints, a zone of Envoy's gets smaller, and not less well.) Below a client's
//! `panic_threshold`, which is a share of all replicas of all zones, nobody is preferred any more; in Envoy each level has its own.
//! A session stays where it is, in whichever zone. A retry stays in the zone that is drawn for it; one that is to go to another replica
//! (`retry_host: Other()`) leaves the zone if all of it have been tried. Who knows only a `subset` does not know how many
//! a zone has: it spills nothing over as long as it knows anybody there.
//!
//! Left out: Envoy's zone-aware routing, which compares how many of the callers a zone has with how many of the callees;
//! weights of zones; and zones that are nearer than others.

mod state;

use super::page::Page;
use super::part::{Around, Does, Part};
use crate::experiment::{Decoder, Node};
use crate::network::Apart;
use crate::report::Table;
use crate::words::percent;
pub use state::{Near, ZoneState};

/// Envoy's and Istio's.
const OVERPROVISIONING_FACTOR: f64 = 1.4;

spec! {
    /// Which zone a client would rather call.
    pub enum Zone {
        /// Only its own, as long as anybody may be chosen there.
        Own,
        /// Its own as far as that is well, the others for the rest.
        Spill {
            /// A zone is well until the share of its replicas that may be chosen, times this, is below 1.
            overprovisioning_factor: f64 = OVERPROVISIONING_FACTOR; 1.0..=100.0,
        },
    }
}

/// Of the replicas of a level those that may be chosen, and all of them.
#[derive(Clone, Copy, Debug)]
struct Level {
    well: u32,
    all: u32,
}

impl Zone {
    /// Of a hundred attempts, those that stay in the zone of who sends them. Somebody of either must be well.
    fn stay(&self, own: Level, others: Level) -> u32 {
        let Zone::Spill { overprovisioning_factor } = self else { return if own.well > 0 { 100 } else { 0 } };
        let factor = (100.0 * overprovisioning_factor).round() as u64;
        let health =
            |Level { well, all }: Level| (factor * u64::from(well) / u64::from(all.max(1))).min(100) as u32;
        let both = [health(own), health(others)];
        match (both[0] + both[1]).min(100) {
            // What is left of either is next to nothing.
            0 => {
                if own.well > 0 {
                    100
                } else {
                    0
                }
            }
            total => {
                let stay = (100 * both[0] / total).min(100);
                let leave = (100 * both[1] / total).min(100 - stay);
                // What rounding leaves over is the first's that has any.
                if both[0] > 0 { 100 - leave } else { 0 }
            }
        }
    }
}

/// What idles, if it does.
fn idle(apart: Option<&Apart>, choices: u32, clients: u32) -> Option<bool> {
    let Some(apart) = apart else { return Some(false) };
    let callees = |zone: &u32| apart.callees.count(*zone, choices) > 0;
    let near = apart.zones().filter(callees).any(|zone| apart.callers.count(zone, clients) > 0);
    match apart.zones().filter(callees).count() {
        0 | 1 => Some(false),
        _ if !near => Some(true),
        _ => None,
    }
}

impl Part for Zone {
    /// Who may be chosen depends on who is well, and on who asks.
    fn does(&self) -> Does {
        Does::STEERS
    }

    fn brief(&self) -> Option<String> {
        Some(match self {
            Zone::Own => "its own zone".into(),
            Zone::Spill { overprovisioning_factor } => {
                format!("its own zone, spills over below {}", percent(1.0 / overprovisioning_factor))
            }
        })
    }

    fn bytes(&self, replicas: u32) -> u64 {
        // Whom either level has, and what a second balancer knows of all of them.
        (2 * 5 + 40) * u64::from(replicas) + size_of::<ZoneState>() as u64
    }

    fn check(&self, around: &Around, at: &Node, cx: &mut Decoder) {
        let knows_few = around.parts.iter().any(|listed| listed.key == "subset" && listed.part.is_some());
        if knows_few && matches!(self, Zone::Spill { .. }) {
            let message = "who knows some of the replicas does not know which share of a zone is well: nothing spills over as \
                           long as it knows anybody there";
            cx.at("zone", |cx| {
                cx.warn(at.span_of("zone"), message).help("leave `subset` out, or say `zone: Own`");
            });
        }
    }

    fn idles(&self, around: &Around) -> Option<(String, String)> {
        let edge = around.name;
        match around.choices {
            0 => None,
            1 => Some((
                format!("there is one replica, or one queue, to choose over {edge}: no zone is preferred"),
                "replicas of its own in several zones, each with its queue".into(),
            )),
            choices => idle(around.apart, choices, around.clients).map(|elsewhere| match elsewhere {
                false => (
                    format!("all replicas behind {edge} stand in one zone, or in none: no zone is preferred"),
                    "`zones` of the graph, and more than one of the service".into(),
                ),
                true => (
                    format!(
                        "nobody who calls over {edge} stands in a zone of its replicas: no zone is preferred"
                    ),
                    "`zones` of the service in which its callers stand".into(),
                ),
            }),
        }
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let Some(apart) = around.apart.filter(|_| around.choices > 1 && self.idles(around).is_none()) else {
            return Vec::new();
        };
        let (choices, clients) = (around.choices, around.clients);
        let [from, to] =
            [(&apart.callers, clients), (&apart.callees, choices)].map(|(who, of)| apart.counted(who, of));
        let mut note = format!("{}: clients are {from}; replicas are {to}", around.name);
        // What a zone has nobody for goes to all others.
        let of = |zone| {
            (f64::from(apart.callers.count(zone, clients)), f64::from(apart.callees.count(zone, choices)))
        };
        let load = |zone: u32| match of(zone) {
            (_, 0.0) => 0.0,
            (callers, callees) => {
                let strangers =
                    apart.zones().filter(|other| of(*other).1 == 0.0).map(|other| of(other).0).sum::<f64>();
                (callers / callees + strangers / f64::from(choices)) * f64::from(choices) / f64::from(clients)
            }
        };
        let most = apart
            .zones()
            .max_by(|one, other| load(*one).total_cmp(&load(*other)))
            .expect("there are several");
        if load(most) > 1.005 {
            note += &format!(
                "; if all are well one in {} gets {:.2} times what it would if nobody preferred any",
                apart.names[most as usize],
                load(most)
            );
        }
        vec![note]
    }

    /// Those who have nobody in their own.
    fn leaves(&self, around: &Around) -> Option<f64> {
        let apart = around.apart?;
        let nobody = apart.zones().filter(|zone| apart.callees.count(*zone, around.choices) == 0);
        let strangers: u32 = nobody.map(|zone| apart.callers.count(zone, around.clients)).sum();
        Some(f64::from(strangers) / f64::from(around.clients))
    }

    fn tables(&self, name: &str) -> Vec<Table> {
        let Zone::Spill { .. } = self else { return Vec::new() };
        let others = Level { well: 1, all: 1 };
        let row = |well: u32| {
            let stay = self.stay(Level { well, all: 100 }, others);
            let each =
                if well > 0 { format!("{:.2}", f64::from(stay) / f64::from(well)) } else { "-".into() };
            vec![
                format!("{well} %").as_str().into(),
                format!("{stay} %").as_str().into(),
                format!("{} %", 100 - stay).as_str().into(),
                each.as_str().into(),
            ]
        };
        vec![Table {
            title: format!("What stays in its zone under `{name}`"),
            columns: ["well in its own zone", "stays", "leaves", "load of each that is left"]
                .map(String::from)
                .to_vec(),
            rows: [100, 72, 71, 50, 33, 25, 10, 0].map(row).to_vec(),
            note: "if all in the other zones are well; the load of each is in what it has when all are"
                .into(),
            ..Table::default()
        }]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "zone",
            word: "",
            what: "Has a client call its own zone rather than others: only that, as long as anybody may be chosen there (`Own`), or as far as it is \
                   well, and the others for the rest (`Spill`). A section `zones` tells which share of attempts left its zone, and where they went.",
            hurts: "A zone that has lost replicas keeps more than those that are left had: all of it with `Own`, down to the last replica, and up to \
                    1.4 times as much each with `Spill`. Where clients are not spread over zones as replicas are, those of a small zone have \
                    too much from the first day. And what is lost with a zone goes to the others, who must have room for it.",
            formula: "with a share `h` of the zone well `min(1, 1.4 h)` stays, so whoever is left does `min(1/h, 1.4)` times what it did (`Own`: `1/h`); \
                      of `n` equal zones each that is left carries `n/(n-1)` when one is lost: it must be busy less than `(n-1)/n` before",
            source: "Envoy 1.31 \"Priority levels\" (overprovisioning_factor 140); Istio 1.24 locality failover; Kubernetes 1.33 `trafficDistribution: \
                     PreferClose` (KEP-4444), since 1.34 `PreferSameZone` (KEP-3015)",
            experiment: "zone-outage",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["Own", "Spill()", "Spill(overprovisioning_factor: 1)"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Turns, Zones};
    use crate::policy::tests::read;

    fn zone(text: &str) -> Zone {
        read::<Zone>(text).unwrap_or_else(|said| panic!("{said}")).0
    }

    /// Envoy 1.31, "Priority levels": one row of its tables each, of levels of a hundred hosts.
    #[test]
    fn what_stays_is_what_envoy_says() {
        let spill = zone("Spill()");
        // (well at level 0, at level 1, traffic to level 0)
        for (own, others, stay) in [
            (100, 100, 100),
            (72, 100, 100),
            (71, 100, 99),
            (50, 100, 70),
            (25, 100, 35),
            (0, 100, 0),
            // Level 1 is not well either: 25 % of each are 35 + 35, which is scaled up.
            (72, 72, 100),
            (71, 71, 99),
            (50, 50, 70),
            (50, 5, 91),
            (25, 25, 50),
            (20, 25, 45),
            (5, 0, 100),
            (0, 5, 0),
        ] {
            let level = |well| Level { well, all: 100 };
            assert_eq!(spill.stay(level(own), level(others)), stay, "{own} % and {others} %");
        }
    }

    #[test]
    fn of_small_zones() {
        for (text, (well, all), others, stay) in [
            ("Spill()", (3, 3), (6, 6), 100),
            ("Spill()", (2, 3), (6, 6), 93),
            ("Spill()", (1, 3), (6, 6), 46),
            ("Spill()", (0, 3), (6, 6), 0),
            ("Spill()", (1, 2), (0, 4), 100),
            ("Spill()", (0, 0), (4, 4), 0),
            ("Spill()", (4, 4), (0, 0), 100),
            // So few of so many that their health rounds to nothing.
            ("Spill()", (1, 200), (200, 200), 0),
            ("Spill()", (1, 200), (0, 200), 100),
            ("Spill()", (0, 200), (1, 200), 0),
            ("Spill(overprovisioning_factor: 1)", (2, 3), (6, 6), 66),
            ("Spill(overprovisioning_factor: 1)", (3, 4), (0, 4), 100),
            ("Spill(overprovisioning_factor: 2)", (1, 2), (2, 2), 100),
            ("Own", (1, 3), (6, 6), 100),
            ("Own", (0, 3), (6, 6), 0),
            ("Own", (3, 3), (0, 6), 100),
        ] {
            let (own, rest) = (Level { well, all }, Level { well: others.0, all: others.1 });
            assert_eq!(zone(text).stay(own, rest), stay, "{text}: {own:?} and {rest:?}");
        }
    }

    #[test]
    fn what_is_told_before_anything_runs() {
        let zones = read::<Zones>(r#"(names: ["a", "b", "c"])"#).unwrap().0;
        let turns = |zone: Option<usize>| -> Turns {
            zones.turns(&zone.map(|zone| zones.names[zone].clone()).into_iter().collect::<Vec<_>>())
        };
        let all = || turns(None);
        for (callers, clients, callees, choices, why, note) in [
            (all(), 3, all(), 0, "", ""),
            (all(), 3, all(), 1, "there is one replica, or one queue, to choose over a->b", ""),
            (all(), 3, turns(Some(1)), 4, "all replicas behind a->b stand in one zone, or in none", ""),
            (turns(Some(2)), 3, all(), 2, "nobody who calls over a->b stands in a zone of its replicas", ""),
            (
                turns(Some(0)),
                1,
                turns(Some(0)),
                4,
                "all replicas behind a->b stand in one zone, or in none",
                "",
            ),
            (
                all(),
                3,
                all(),
                6,
                "",
                "a->b: clients are 1 in a, 1 in b, 1 in c; replicas are 2 in a, 2 in b, 2 in c",
            ),
            (all(), 3, all(), 5, "", "2 in a, 2 in b, 1 in c; if all are well one in c gets 1.67 times"),
            // Those in c have nobody of their own and call all: 1/3 / 2 and 1/3 / 2 of that third, of a half.
            (all(), 3, all(), 2, "", "replicas are 1 in a, 1 in b"),
            (
                turns(Some(0)),
                4,
                all(),
                6,
                "",
                "clients are 4 in a; replicas are 2 in a, 2 in b, 2 in c; if all are well one in a gets 3.00 times",
            ),
        ] {
            let apart = Apart::of(&zones, (callers, clients), (callees, choices));
            let around =
                Around { choices, clients, apart: apart.as_ref(), ..Around::new("a->b", Vec::new()) };
            for text in ["Own", "Spill()"] {
                let told = zone(text).idles(&around).map_or(String::new(), |(why, _)| why);
                assert!(told.contains(why) && told.is_empty() == why.is_empty(), "{text}: {told}");
                let notes = zone(text).notes(&around).concat();
                assert!(notes.contains(note) && notes.is_empty() == note.is_empty(), "{text}: {notes}");
            }
        }
    }

    #[test]
    fn the_table_says_what_stays() {
        let tables = zone("Spill()").tables("p");
        let rows: Vec<String> = tables[0].rows.iter().map(|row| format!("{row:?}")).collect();
        assert!(
            rows[3].contains("50 %") && rows[3].contains("70 %") && rows[3].contains("1.40"),
            "{}",
            rows[3]
        );
        assert!(zone("Own").tables("p").is_empty());
    }
}
