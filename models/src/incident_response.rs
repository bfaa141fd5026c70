//! People who repair: incidents that are noticed, paged, escalated, handed over, and repaired by the teams that own what is broken.
//!
//! No requests: an incident begins, somebody must notice, somebody must wake up, and whoever owns what is broken must have time. Of all that only
//! times of single acts are given (how long one person takes to answer a page in the night, how long a repair takes that nobody disturbs); that a page goes
//! on to the next, that an incident waits for a team, that it is begun anew at a hand-over, and how long all of it takes, comes of the run.
//!
//! **An incident** begins (Poisson, by severity), is noticed by a monitor or by users, whichever is first, is paged to whoever has the pager, who
//! finds out what it is (no queue: one who has two at once is left out), and then pages the teams whose services are concerned. Each of them has one
//! responder at a time, who works at one incident at a time: others wait. It is mitigated when the last of them is done.
//!
//! **Exact.** Begin, notice and page are displaced by independent times, so each team meets a Poisson stream (random translation), and is M/G/1 by Pollaczek and
//! Khinchine: where no time depends on the hour, and hand-overs cost nothing. How likely a page is escalated is one minus the distribution at the time-out, and
//! the mean until it is acknowledged the integral of the chance that nobody has yet, by the hour; how many teams a repair crosses is counted over all services it may begin at.
//!
//! **When it bites.** `k` people without a commander have `k (k - 1) / 2` pairs that talk at each decision, with one `k - 1` (Brooks, The Mythical
//! Man-Month, 1975). A repair crosses as many teams as own what it touches (Conway, 1968).
//!
//! **Left out.** Who is tired decides worse; a wrong diagnosis; a fix that makes it worse; incidents that cause incidents; holidays.

mod calendar;
mod exact;
mod paging;
mod response;
mod summary;

use crate::diagram::{self, Diagram, Link, NodeKind};
use crate::distribution::TimeDistribution;
use crate::drive;
use crate::experiment::{Decoder, Len, Map, Node, POSITIVE};
use crate::run::{Explanation, Observer, RunOptions, RunOutput};
use crate::{Entry, RunSpec, Scenario};
use calendar::Calendar;
use response::Response;
use sim_core::{SimDuration, Streams};

const MINUTE: SimDuration = SimDuration::from_secs(60);
const HOUR: SimDuration = SimDuration::from_secs(3_600);
const WEEK: SimDuration = SimDuration::from_secs(7 * 86_400);

/// The most that a time of day can be: the beginning of the next.
const DAY: SimDuration = SimDuration::from_secs(86_400);

spec! {
    /// Engineers who are paged when something goes wrong, and teams that own what is to be repaired. A run begins on a Monday at midnight.
    pub struct IncidentResponse where check {
        /// What goes wrong, by severity.
        severities: Map<Severity>; Len(1..=16),
        /// Where the pager is. At one site it stays there day and night; of several it goes to the one whose shift has just begun (follow the sun).
        sites: Map<Site>; Len(1..=8),
        /// The day of whoever has the pager.
        day: Day = Day::default(),
        /// How pages are answered, and who is next.
        paging: Paging = Paging::default(),
        /// What it costs to hand an incident over to whoever has the pager next.
        hand_over: HandOver = HandOver::default(),
        /// Services that can be concerned; a repair goes along a chain of neighbours, and the last is the first one's neighbour.
        services: u32 = 1; 1..=500,
        /// Who owns them.
        teams: Teams = Teams::default(),
        /// Who talks with whom when something is decided.
        command: Command = Command::Commander,
        /// How long one conversation takes, of two people, for one decision. Everybody who is concerned hears all of them. Assumed.
        talk: SimDuration = SimDuration::from_secs(180),
    }
}

spec! {
    /// Incidents of one kind.
    pub struct Severity where check_severity {
        /// On average so long from one to the next, at random (Poisson).
        every: SimDuration; MINUTE..,
        /// The share of them for whose symptom there is a monitor; the others only users notice.
        monitored: f64 = 1.0; 0.0..=1.0,
        /// From the beginning until a monitor alarms: the symptom must grow, and stay for as long as the rule asks. Assumed.
        alarm: TimeDistribution = TimeDistribution::exponential(SimDuration::from_secs(300)),
        /// From the beginning until what users report is believed. Assumed.
        users: TimeDistribution = TimeDistribution::exponential(SimDuration::from_secs(2_700)),
        /// Work of whoever answered the page, until it is known which services are concerned.
        diagnose: TimeDistribution,
        /// Services that must be repaired, one after the other along the chain.
        touches: u32 = 1; 1..=500,
        /// Work at each of them, by the team that owns it; a team does its own one after another, teams work at the same time.
        repair: TimeDistribution; POSITIVE,
        /// Decisions that all who are concerned take together.
        decisions: u32 = 1; 0..=1_000,
    }
}

spec! {
    /// One place where engineers have the pager.
    pub struct Site {
        /// When a working day begins there, in UTC.
        begins: SimDuration; SimDuration::ZERO..=DAY,
        /// How many take turns; each also stands behind the others, as second and so on.
        engineers: u32 = 6; 1..=10_000,
    }
}

spec! {
    /// The day of whoever has the pager, from the beginning of work at the site. What is neither work nor sleep he is awake.
    pub struct Day {
        /// So long a working day lasts; on the other days of the week he is awake at those hours.
        works: SimDuration = SimDuration::from_secs(8 * 3_600),
        /// So long he is up before.
        rises: SimDuration = SimDuration::from_secs(2 * 3_600),
        /// So long he sleeps before he rises.
        sleeps: SimDuration = SimDuration::from_secs(8 * 3_600),
        /// Working days a week, from Monday.
        days: u32 = 5; 0..=7,
    }
}

impl Default for Day {
    fn default() -> Self {
        let hours = |hours: u64| SimDuration::from_secs(hours * 3_600);
        Day { works: hours(8), rises: hours(2), sleeps: hours(8), days: 5 }
    }
}

spec! {
    /// How pages are answered. Which hour it is is asked once, when an incident is noticed, or a team paged.
    pub struct Paging {
        /// On shift. Assumed.
        on_shift: Answer = Answer::assumed(120, 0.0),
        /// Awake, and not on shift. Assumed; five minutes are what Google asks of services that users wait for (Site Reliability Engineering, 2016, chapter 11).
        awake: Answer = Answer::assumed(300, 0.02),
        /// Asleep: the pager must be heard, and a computer reached. Assumed.
        asleep: Answer = Answer::assumed(600, 0.1),
        /// Whoever has not answered by then is left alone and the next one paged; who was paged before may still be faster.
        escalate_after: SimDuration = SimDuration::from_secs(900); SimDuration::from_secs(1)..=WEEK,
        /// How many are paged in turn, and then the first again: 2 is a primary and a secondary.
        levels: u32 = 2; 1..=10,
    }
}

impl Default for Paging {
    fn default() -> Self {
        Paging {
            on_shift: Answer::assumed(120, 0.0),
            awake: Answer::assumed(300, 0.02),
            asleep: Answer::assumed(600, 0.1),
            escalate_after: SimDuration::from_secs(900),
            levels: 2,
        }
    }
}

spec! {
    /// How one person answers a page.
    #[derive(PartialEq)]
    pub struct Answer {
        /// From the page until he is at work.
        takes: TimeDistribution,
        /// How likely he does not hear it at all.
        misses: f64 = 0.0; 0.0..=0.9,
    }
}

impl Answer {
    fn assumed(seconds: u64, misses: f64) -> Self {
        Answer { takes: TimeDistribution::exponential(SimDuration::from_secs(seconds)), misses }
    }
}

spec! {
    /// Whoever has the pager next goes on with what is worked at. Without incidents a hand-over costs nothing.
    pub struct HandOver {
        /// How long one engineer keeps the pager, where there is one site. Of several each begins with its shift.
        turn: SimDuration = WEEK; HOUR..,
        /// Nobody works at one incident for longer: then somebody else of the site does. Assumed.
        longest: SimDuration = SimDuration::from_secs(12 * 3_600); HOUR..,
        /// How long the next one reads before he goes on. Assumed.
        reads_in: SimDuration = SimDuration::from_secs(20 * 60),
        /// The share of the work since the last hand-over that he does again. Assumed.
        loses: f64 = 0.2; 0.0..=0.9,
    }
}

impl Default for HandOver {
    fn default() -> Self {
        HandOver {
            turn: WEEK,
            longest: SimDuration::from_secs(12 * 3_600),
            reads_in: SimDuration::from_secs(20 * 60),
            loses: 0.2,
        }
    }
}

spec! {
    /// Who owns the services. Each team has one responder at a time, and the pager's hours.
    pub struct Teams {
        /// How many teams there are.
        count: u32 = 1; 1..=500,
        /// Which services belong to one team.
        own: Own = Own::Neighbours,
    }
}

impl Default for Teams {
    fn default() -> Self {
        Teams { count: 1, own: Own::Neighbours }
    }
}

spec! {
    /// Which services belong to one team.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Own {
        /// A stretch of the chain: what fails together belongs together.
        Neighbours,
        /// Dealt out like cards: no two neighbours, as where teams are cut by layer.
        Scattered,
    }
}

spec! {
    /// Who talks with whom when something is decided.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Command {
        /// Each with the commander, who is whoever answered the page: `k - 1` conversations of `k` people.
        Commander,
        /// Each with each: `k (k - 1) / 2`.
        Everybody,
    }
}

fn check(spec: &IncidentResponse, at: &Node, cx: &mut Decoder) {
    let site = |name: &str| at.get("sites").and_then(|all| all.get(name)).unwrap_or(at);
    for (number, (name, one)) in spec.sites.iter().enumerate() {
        let same = spec.sites.iter().take(number).find(|(_, other)| time_of_day(other) == time_of_day(one));
        let place = |cx: &mut Decoder, field: &str, message: String, help: &str| {
            cx.at("sites", |cx| {
                cx.at(name, |cx| {
                    cx.at(field, |cx| _ = cx.error(site(name).span_of(field), message).help(help))
                })
            });
        };
        if let Some((other, _)) = same {
            let message = format!("`{other}` begins at the same time: it would never have the pager");
            place(cx, "begins", message, "times are of UTC: 08:00 in New York is \"13h\"");
        }
        if one.engineers < spec.paging.levels {
            let message =
                format!("{} are paged in turn, and there are {}", spec.paging.levels, one.engineers);
            place(cx, "engineers", message, "more engineers, or fewer `paging.levels`");
        }
    }
    let Day { works, rises, sleeps, .. } = &spec.day;
    let day = [works, rises, sleeps].iter().map(|it| u128::from(it.as_nanos())).sum::<u128>();
    if day > u128::from(24 * HOUR.as_nanos()) {
        cx.at("day", |cx| {
            _ = cx
                .error(
                    at.span_of("day"),
                    format!("to work {works}, rise {rises} before and sleep {sleeps} is more than a day"),
                )
                .help("24 h is what there is");
        });
        return;
    }
    let gap = Calendar::new(spec).shortest().min(spec.hand_over.longest);
    // Of two that begin at the same time is told above.
    if !gap.is_zero() && spec.hand_over.reads_in >= gap {
        let message = format!(
            "got \"{}\", and somebody else goes on after {gap}: nobody would get to work",
            spec.hand_over.reads_in
        );
        cx.at("hand_over", |cx| {
            cx.at("reads_in", |cx| {
                let span = at.get("hand_over").map_or(at.span, |it| it.span_of("reads_in"));
                _ = cx.error(span, message).help("shorter, or fewer sites");
            })
        });
    }
    if spec.teams.count > spec.services {
        let message =
            format!("{} teams, and {} services: some would own nothing", spec.teams.count, spec.services);
        cx.at("teams", |cx| {
            cx.at("count", |cx| {
                let span = at.get("teams").map_or(at.span, |it| it.span_of("count"));
                _ = cx.error(span, message).help("fewer teams, or more `services`");
            })
        });
        return;
    }
    for (name, severity) in spec.severities.iter() {
        let here = at.get("severities").and_then(|all| all.get(name)).unwrap_or(at);
        if severity.touches > spec.services {
            let message = format!("got {}, and there are {} services", severity.touches, spec.services);
            cx.at("severities", |cx| {
                cx.at(name, |cx| {
                    cx.at("touches", |cx| {
                        _ = cx.error(here.span_of("touches"), message).help("fewer, or more `services`")
                    })
                })
            });
            return;
        }
    }
    if cx.has_errors() {
        return;
    }
    let load = exact::loads(spec).into_iter().map(|team| team.load).fold(0.0, f64::max);
    if load >= 1.0 {
        let message =
            format!("a team gets {load:.2} of the work that it can do: what waits for it grows without end");
        cx.warn(at.span_of("severities"), message).help("more teams, less talk, or rarer incidents");
    }
}

fn time_of_day(site: &Site) -> u64 {
    site.begins.as_nanos() % DAY.as_nanos()
}

fn check_severity(severity: &Severity, at: &Node, cx: &mut Decoder) {
    if severity.monitored > 0.0 && severity.alarm.mean() > severity.users.mean() {
        cx.at("alarm", |cx| {
            _ = cx
                .warn(at.span_of("alarm"), "on average users report it before the monitor alarms")
                .help("`alarm` and `users` both count from the beginning");
        });
    }
}

/// The catalog's line.
pub const ENTRY: Entry = Entry::of::<IncidentResponse>(
    "IncidentResponse",
    "people who are paged, hand over and repair: how long incidents last, and whom they wake",
    1,
);

impl Scenario for IncidentResponse {
    fn values(&self, _run: &RunSpec) -> Vec<String> {
        summary::NAMES.map(String::from).to_vec()
    }

    fn run(&self, run: &RunSpec, options: &RunOptions, observer: Observer) -> RunOutput {
        let build = |streams: &Streams| Response::new(self, run, streams);
        drive::run(run, options, observer, build, |response, reached, output| {
            summary::fill(self, response, reached, &mut output.report);
        })
    }

    fn untraceable(&self) -> Option<&'static str> {
        Some("it has people and no calls, and `brownout run` shows where their time goes")
    }

    fn diagram(&self) -> Diagram {
        let node =
            |name: &str, kind, facts| diagram::Node { name: name.into(), kind, facts, faults: Vec::new() };
        let rates = self.severities.iter().map(|(name, it)| format!("{name}: one in {}", it.every.brief()));
        let mut nodes = vec![node("incidents", NodeKind::Users, rates.collect())];
        let mut links = Vec::new();
        for (name, site) in self.sites.iter() {
            let facts =
                vec![format!("from {} UTC on", site.begins.brief()), format!("{} engineers", site.engineers)];
            links.push(Link { from: 0, to: nodes.len(), name: "page".into(), ..Link::default() });
            nodes.push(node(name, NodeKind::Router, facts));
        }
        let teams = node(
            &format!("{} teams", self.teams.count),
            NodeKind::Service,
            vec![format!("own {} services", self.services), "one incident at a time each".into()],
        );
        let to = nodes.len();
        links.extend((1..to).map(|from| Link {
            from,
            to,
            name: "page who owns it".into(),
            ..Link::default()
        }));
        nodes.push(teams);
        Diagram { nodes, links, notes: Vec::new() }
    }

    fn explain(&self, _run: &RunSpec) -> Explanation {
        Explanation { notes: exact::notes(self), tables: exact::tables(self), ..Explanation::default() }
    }
}

#[cfg(test)]
mod tests;
