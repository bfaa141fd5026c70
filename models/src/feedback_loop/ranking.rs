//! What happens: lists are shown, users look and click, the model is trained.

use super::monitors::{Seen, Watch, psi};
use super::{Appeal, FeedbackLoop, Log};
use crate::drive::{Drive, Mark};
use crate::run::TrajectoryLine;
use sim_core::{
    Class, Context, Key, Luck, Model, SimDuration, SimTime, StreamUse, Streams, Witness, Words, digest,
};

/// Everything that can happen.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Somebody is shown a list.
    Visit,
    /// The model is trained.
    Training,
    /// It serves otherwise than it was trained from now on.
    Skew,
    /// The monitors look.
    Look,
}

type Ctx = Context<Event>;

#[derive(Clone, Copy, Debug, Default)]
struct Item {
    appeal: f64,
    /// What is logged of it: showings, by what they count, and clicks.
    shown: f64,
    clicks: f64,
    /// What the model thinks of it.
    score: f64,
    /// By how much that is multiplied when it serves, and whether it will be by another.
    skew: f64,
    is_skewed: bool,
    /// The model has given it a place since the last look of the monitors.
    given: bool,
}

impl Item {
    /// What it is ranked by.
    fn served(&self) -> f64 {
        self.score * self.skew
    }
}

/// The model as it runs.
pub struct Ranking<'a> {
    says: &'a FeedbackLoop,
    items: Vec<Item>,
    /// All items, best first, as it serves.
    order: Vec<u32>,
    /// How likely a user looks at each place, and what the best list would give.
    looks: Vec<f64>,
    best: f64,
    /// Of the list that is being made.
    list: Vec<u32>,
    scratch: [Vec<f64>; 2],
    lucks: [Luck; 3],
    path: u64,
    visits: u64,
    trainings: u64,
    since: Seen,
    pub watch: Watch,
    measured: bool,
    pub all: Seen,
    /// What the lists were worth to users of the model, and what the best would have been: after the warm-up, and of the window.
    pub worth: (f64, f64),
    window: (f64, f64, Seen),
    /// Shares of the best, and observed over predicted clicks, by window.
    pub lines: [Vec<f64>; 2],
    /// Items that the model gave a place between two looks, as a share of all, and how many looks that were.
    pub coverage: (f64, u64),
}

const CLICKS: usize = 0;
const EXPLORES: usize = 1;
const TASTE: usize = 2;
const PURPOSES: [&str; 3] = ["click", "explore", "taste"];

impl<'a> Ranking<'a> {
    pub fn new(says: &'a FeedbackLoop, streams: &Streams) -> Self {
        let mut lucks = PURPOSES.map(|purpose| streams.luck(purpose, "ranking"));
        let path = digest::hash_text("ranking");
        let Appeal { least, most } = says.appeal;
        let share = says.skew.as_ref().map_or(0.0, |skew| skew.share);
        let item = |number: u32| {
            let mut words = lucks[TASTE].at(Key::root(path, number.into()));
            let appeal = least + (most - least) * words.unit();
            Item { appeal, skew: 1.0, is_skewed: words.unit() < share, ..Item::default() }
        };
        let looks: Vec<f64> = (0..says.places as usize).map(|place| says.looks(place)).collect();
        let mut ranking = Ranking {
            items: (0..says.items).map(item).collect(),
            order: (0..says.items).collect(),
            looks,
            best: 0.0,
            list: Vec::with_capacity(says.places as usize),
            scratch: [Vec::with_capacity(says.items as usize), Vec::with_capacity(says.items as usize)],
            says,
            lucks,
            path,
            visits: 0,
            trainings: 0,
            since: Seen::default(),
            watch: Watch::default(),
            measured: false,
            all: Seen::default(),
            worth: (0.0, 0.0),
            window: (0.0, 0.0, Seen::default()),
            lines: [Vec::new(), Vec::new()],
            coverage: (0.0, 0),
        };
        // Nothing is known of any: all are thought to be of the mean.
        let mean = (least + most) / 2.0;
        ranking.items.iter_mut().for_each(|item| item.score = mean);
        ranking.finds_best();
        ranking
    }

    /// What the best list would give.
    fn finds_best(&mut self) {
        let appeals = &mut self.scratch[0];
        appeals.clear();
        appeals.extend(self.items.iter().map(|item| item.appeal));
        appeals.sort_unstable_by(|a, b| b.total_cmp(a));
        self.best = self.looks.iter().zip(appeals.iter()).map(|(looks, appeal)| looks * appeal).sum();
    }

    fn ranks(&mut self) {
        let items = &self.items;
        let score = |item: &u32| items[*item as usize].served();
        self.order.sort_unstable_by(|a, b| score(b).total_cmp(&score(a)).then(a.cmp(b)));
    }

    fn visit(&mut self, ctx: &mut Ctx) {
        self.visits += 1;
        let key = Key::root(self.path, self.visits);
        let mut words = self.lucks[EXPLORES].at(key);
        let is_held = words.unit() < self.says.holdout;
        self.list.clear();
        let (mut worth, mut clicked, mut next) = (0.0, 0u64, 0);
        let mut seen = Seen::default();
        for place in 0..self.looks.len() {
            let mut at = self.lucks[EXPLORES].at(key.child(1 + place as u64));
            let explores = is_held || at.unit() < self.says.explores;
            let item = loop {
                let item = if explores {
                    at.below(self.items.len() as u64) as u32
                } else {
                    next += 1;
                    self.order[next - 1]
                };
                // Nothing stands twice in a list.
                if !self.list.contains(&item) {
                    break item;
                }
            };
            self.list.push(item);
            let (looks, it) = (self.looks[place], &mut self.items[item as usize]);
            let mut luck = self.lucks[CLICKS].at(key.child(place as u64));
            let clicks = luck.unit() < looks && luck.unit() < it.appeal;
            worth += looks * it.appeal;
            clicked += u64::from(clicks);
            let counts = if self.says.corrects_position { looks } else { 1.0 };
            if is_held == (self.says.trained_on == Log::Holdout) {
                it.shown += counts;
                it.clicks += f64::from(u8::from(clicks));
            }
            if is_held {
                continue;
            }
            it.given |= !explores;
            if !explores {
                seen.predicted += it.served() * counts;
                seen.offline += it.score * counts;
                seen.observed += u64::from(clicks);
            }
        }
        if is_held {
            (seen.held, seen.held_clicks) = (1, clicked);
        } else {
            (seen.visits, seen.clicks) = (1, clicked);
            self.window.0 += worth;
            self.window.1 += self.best;
            if self.measured {
                self.worth.0 += worth;
                self.worth.1 += self.best;
            }
        }
        self.since.add(&seen);
        self.window.2.add(&seen);
        if self.measured {
            self.all.add(&seen);
        }
        ctx.witness(1, 0, u16::from(is_held), self.path, key.get(), clicked);
        ctx.schedule(self.due(self.visits + 1), Class::Begin, Event::Visit);
    }

    /// When so many visits have been.
    fn due(&self, visits: u64) -> SimTime {
        SimTime::from_nanos((visits as f64 * 1e9 / self.says.visits.get()) as u64)
    }

    fn trains(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        self.trainings += 1;
        ctx.witness(2, 0, 0, self.path, self.trainings, u64::from(self.order[0]));
        let sum = |of: fn(&Item) -> f64| self.items.iter().map(of).sum::<f64>();
        let (shown, clicks) = (sum(|item| item.shown), sum(|item| item.clicks));
        let (mean, prior) = (if shown > 0.0 { clicks / shown } else { 0.0 }, self.says.prior);
        for item in &mut self.items {
            item.score = (item.clicks + prior * mean) / (item.shown + prior);
            item.shown *= self.says.memory;
            item.clicks *= self.says.memory;
        }
        self.tastes_change(now);
        self.ranks();
        ctx.schedule(now + self.says.retrain, Class::Change, Event::Training);
    }

    fn tastes_change(&mut self, now: SimTime) {
        let Some(changes) = self.says.changes.as_ref().filter(|it| now >= it.from.value) else { return };
        let Appeal { least, most } = self.says.appeal;
        for (number, item) in (0..).zip(&mut self.items) {
            let mut words = self.lucks[TASTE].at(Key::root(self.path, number).child(self.trainings));
            if words.unit() < changes.share {
                item.appeal = least + (most - least) * words.unit();
            }
        }
        self.finds_best();
    }

    fn skews(&mut self, ctx: &mut Ctx) {
        ctx.witness(3, 0, 0, self.path, 0, 0);
        let factor = self.says.skew.as_ref().map_or(1.0, |skew| skew.factor);
        self.items.iter_mut().filter(|item| item.is_skewed).for_each(|item| item.skew = factor);
        self.ranks();
    }

    fn monitors_look(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        ctx.witness(4, 0, 0, self.path, 0, 0);
        let seen = std::mem::take(&mut self.since);
        let given =
            self.items.iter_mut().filter_map(|item| std::mem::take(&mut item.given).then_some(())).count();
        if self.measured {
            self.coverage.0 += given as f64 / self.items.len() as f64;
            self.coverage.1 += 1;
            let [training, serving] = &mut self.scratch;
            training.clear();
            training.extend(self.items.iter().map(|item| item.score));
            serving.clear();
            serving.extend(self.items.iter().map(Item::served));
            let index = psi(training, serving);
            self.watch.looks(&self.says.monitors, &seen, index, self.says.cause(), now);
        }
        ctx.schedule(now + self.says.monitors.every, Class::Change, Event::Look);
    }
}

impl Model for Ranking<'_> {
    type Event = Event;

    fn handle(&mut self, event: Event, ctx: &mut Ctx) {
        match event {
            Event::Visit => self.visit(ctx),
            Event::Training => self.trains(ctx),
            Event::Skew => self.skews(ctx),
            Event::Look => self.monitors_look(ctx),
        }
    }
}

impl Drive for Ranking<'_> {
    fn begin(&mut self, ctx: &mut Ctx) {
        ctx.schedule(self.due(1), Class::Begin, Event::Visit);
        ctx.schedule(SimTime::ZERO + self.says.retrain, Class::Change, Event::Training);
        ctx.schedule(SimTime::ZERO + self.says.monitors.every, Class::Change, Event::Look);
        if let Some(skew) = &self.says.skew {
            ctx.schedule(skew.at.value, Class::Change, Event::Skew);
        }
    }

    fn mark(&mut self, mark: Mark, _now: SimTime) {
        match mark {
            Mark::WarmUpEnds => {
                self.measured = true;
                self.since = Seen::default();
            }
            Mark::StretchBegins => {}
            Mark::WindowEnds => {
                let (worth, best, seen) = std::mem::take(&mut self.window);
                let last = |line: &[f64]| line.last().copied().unwrap_or(0.0);
                let quality = if best > 0.0 { worth / best } else { last(&self.lines[0]) };
                let calibration = seen.calibration().unwrap_or(last(&self.lines[1]));
                self.lines[0].push(quality);
                self.lines[1].push(calibration);
            }
        }
    }

    fn streams(&self) -> Vec<(String, StreamUse)> {
        let used = PURPOSES.iter().zip(&self.lucks);
        used.map(|(purpose, luck)| (Streams::name(purpose, "ranking"), luck.used())).collect()
    }

    fn tell(&self, witness: &Witness, line: &mut TrajectoryLine) {
        let kinds = ["", "visit", "training", "skew begins", "monitors look"];
        line.what = kinds[usize::from(witness.kind)].into();
        line.entity = "ranking".into();
        line.note = match witness.kind {
            1 => format!("{} clicks", witness.detail),
            2 => format!("item {} was first", witness.detail),
            _ => String::new(),
        };
    }
}

/// How long after the cause each monitor spoke, if it did.
pub fn noticed(says: &FeedbackLoop, watch: &Watch, who: usize) -> Option<SimDuration> {
    Some(watch.spoke[who]?.since(says.cause()?))
}
