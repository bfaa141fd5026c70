//! A ranking model that is trained on the clicks on what it showed: what it does not show it never learns.
//!
//! Items have an appeal, which nobody knows. Each visit is shown a list of those that the model thinks best; a user looks at place `j` with
//! probability `1 / j^bias` (position-based clicks: Craswell et al. 2008), and clicks on what he looks at by its appeal. Every so often the model is
//! trained anew, on what was shown and clicked since.
//!
//! **Mechanism.** A click rate mixes what an item is worth with the place that it had, and what was not shown has none. So what is on top stays there
//! because it was on top, and what has become better since is not found out. All that the model can be held against is the log of its own lists: there
//! fewer clicks come than it predicted, since what it ranks first is partly luck (the winner's curse), as of a model that is well.
//!
//! **What notices.** Predicted against observed clicks; the population stability index between the scores that it was trained with and those that it
//! serves with; and a holdout, visits whose lists are random. The first two see that it serves otherwise than it was trained (training-serving skew),
//! and neither sees the loop: there training and serving agree. How much better its lists do than random ones (the lift) does.
//!
//! **Beside it.** What random lists give, on average over all draws of appeal: the mean appeal in every place, over that of the best in order. One run has
//! one draw, so it is near that and not at it.
//!
//! **Left out.** Features and users: all users like the same, so a model is one number per item. Users who leave because of what they get.

mod monitors;
mod ranking;
mod summary;

use crate::diagram::{self, Diagram, Link, NodeKind};
use crate::drive;
use crate::experiment::{Decoder, Node, POSITIVE, Span, Spanned};
use crate::run::{Explanation, Observer, RunOptions, RunOutput};
use crate::words::{percent, short};
use crate::{Entry, RunSpec, Scenario};
use ranking::Ranking;
use sim_core::{Rate, SimDuration, SimTime, Streams};

spec! {
    /// A ranking model that is trained on the clicks on what it showed.
    pub struct FeedbackLoop where check {
        /// Items that can be shown.
        items: u32; 2..=100_000,
        /// How likely a user clicks on an item that he looks at, of each item uniform between these.
        appeal: Appeal = Appeal { least: 0.0, most: 0.2 },
        /// Places in a list.
        places: u32 = 10; 1..=100,
        /// Lists that are shown: evenly, since nobody waits for anybody.
        visits: Rate; POSITIVE,
        /// How fast attention falls: a user looks at place `j` with probability `1 / j^position_bias`. With 0 he looks at all; 1 is what simulations of
        /// clicks take since Joachims et al. 2017.
        position_bias: f64 = 1.0; 0.0..=5.0,
        /// How often the model is trained anew, on what was logged until then.
        retrain: SimDuration; POSITIVE,
        /// How much of what was logged before the last training still counts at the next. Assumed.
        memory: f64 = 0.5; 0.0..=0.999,
        /// As many showings with the mean click rate are added to each item's: what is thought of one that was never shown. Assumed.
        prior: f64 = 20.0; 0.001..=1_000_000.0,
        /// Whether a showing counts for as much as users look at its place (inverse propensity), and not for one.
        corrects_position: bool = false,
        /// What it is trained on.
        trained_on: Log = Log::Own,
        /// The share of places that go to an item drawn at random, and not to the next of the model's.
        explores: f64 = 0.0; 0.0..=1.0,
        /// Whether tastes change; they do not if absent.
        changes: Option<Changes> = None,
        /// Whether it serves with other features than it was trained with; never if absent.
        skew: Option<Skew> = None,
        /// The share of visits whose lists are random, logged apart.
        holdout: f64 = 0.0; 0.0..=0.5,
        /// What looks at it, and from when on it speaks.
        monitors: Monitors = Monitors { every: SimDuration::from_secs(86_400), calibration: 0.1, psi: 0.2, lift: 0.15 },
    }
}

spec! {
    /// Between what the appeal of items lies.
    pub struct Appeal {
        /// The least.
        least: f64 = 0.0; 0.0..=1.0,
        /// The most.
        most: f64; 0.0..=1.0,
    }
}

spec! {
    /// What a model is trained on.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Log {
        /// What its own lists showed, and what was clicked there.
        Own,
        /// The random lists of the holdout.
        Holdout,
    }
}

spec! {
    /// Tastes change: some items are worth otherwise than before.
    pub struct Changes {
        /// From when on.
        from: Spanned<SimTime> = Spanned { value: SimTime::ZERO, span: Span::default() },
        /// The share of items whose appeal is drawn anew at each training.
        share: f64; 0.0..=1.0,
    }
}

spec! {
    /// From some time on features of some items are otherwise when it serves than when it is trained.
    pub struct Skew {
        /// From when on.
        at: Spanned<SimTime>,
        /// The share of items.
        share: f64; 0.0..=1.0,
        /// By how much their scores are multiplied when lists are made.
        factor: f64; 0.0..=1_000.0,
    }
}

spec! {
    /// Three who look at the model. What each finds at its first look after the warm-up is how it should be.
    pub struct Monitors {
        /// How often they look, each time at what has been since the last.
        every: SimDuration = SimDuration::from_secs(86_400); POSITIVE,
        /// Speaks when observed clicks are off by this share of those that were predicted. Assumed.
        calibration: f64 = 0.1; 0.001..=100.0,
        /// Speaks when the population stability index between scores in training and in serving is more than this; 0.1 is often taken for a small
        /// change and 0.2 or 0.25 for a large one.
        psi: f64 = 0.2; 0.001..=100.0,
        /// Speaks when the lift over the holdout has fallen by this share, and by more than three standard errors. Assumed.
        lift: f64 = 0.15; 0.001..=1.0,
    }
}

fn check(model: &FeedbackLoop, at: &Node, cx: &mut Decoder) {
    let Appeal { least, most } = model.appeal;
    if least > most || most == 0.0 {
        let (message, help) = match most {
            0.0 => ("nobody ever clicks".to_owned(), "a `most` above 0"),
            _ => (format!("between {least} and {most} there is nothing"), "`least` is the smaller one"),
        };
        cx.at("appeal", |cx| _ = cx.error(at.span_of("appeal"), message).help(help));
    } else if least == most {
        cx.at("appeal", |cx| {
            _ = cx
                .warn(at.span_of("appeal"), "all items are worth the same: every list is as good as any")
                .help("a larger `most`")
        });
    }
    if model.places > model.items {
        let message = format!("{} places, and {} items", model.places, model.items);
        cx.at("places", |cx| {
            _ = cx.error(at.span_of("places"), message).help("more `items`, or fewer places")
        });
    }
    let logged = model.visits.get() * model.retrain.as_secs_f64();
    if logged < 1.0 {
        let message = format!("trained every {}, in which {} lists are shown", model.retrain, short(logged));
        cx.at("retrain", |cx| {
            _ = cx.error(at.span_of("retrain"), message).help("train it less often, or let more come")
        });
    }
    if model.trained_on == Log::Holdout && model.holdout == 0.0 {
        cx.at("trained_on", |cx| {
            _ = cx
                .error(at.span_of("trained_on"), "there is no holdout: it would never learn anything")
                .help("say which share of visits is: holdout: 0.05")
        });
    }
    if model.monitors.every < model.retrain {
        let message =
            format!("they look every {}, and it is trained every {}", model.monitors.every, model.retrain);
        cx.at("monitors", |cx| {
            _ = cx
                .warn(at.get("monitors").unwrap_or(at).span, message)
                .help("a look is of several trainings, or it sees chance")
        });
    }
    if let Some(skew) = &model.skew
        && (skew.factor == 1.0 || skew.share == 0.0)
    {
        cx.at("skew", |cx| {
            _ = cx
                .warn(at.span_of("skew"), "it changes nothing: it serves as it was trained")
                .help("another `factor`, of a larger `share`")
        });
    }
}

/// The catalog's line.
pub const ENTRY: Entry = Entry::of::<FeedbackLoop>(
    "FeedbackLoop",
    "a ranking model that is trained on the clicks on its own lists: what it never learns, and who notices",
    1,
);

impl FeedbackLoop {
    /// How likely a user looks at a place, from 0.
    fn looks(&self, place: usize) -> f64 {
        sim_core::math::pow((place + 1) as f64, -self.position_bias)
    }

    /// From when on something goes wrong, if it does at a time: what is so from the beginning is how it is.
    fn cause(&self) -> Option<SimTime> {
        let changes = self.changes.as_ref().filter(|it| it.share > 0.0).map(|it| it.from.value);
        let all = self.skew.as_ref().map(|it| it.at.value).into_iter().chain(changes);
        all.filter(|at| *at > SimTime::ZERO).min()
    }

    /// When the monitors have had their first look: what is before that is how it should be.
    fn first_look(&self, run: &RunSpec) -> SimTime {
        let every = self.monitors.every;
        SimTime::ZERO + every.saturating_mul(run.warm_up.as_nanos() / every.as_nanos() + 1)
    }

    /// What random lists give, as a share of the best: of as many items of uniform appeal the `k`-th best is worth
    /// `least + (most - least) (n + 1 - k) / (n + 1)` on average.
    fn at_random(&self) -> f64 {
        let Appeal { least, most } = self.appeal;
        let n = f64::from(self.items);
        let best = |place: usize| least + (most - least) * (n - place as f64) / (n + 1.0);
        let all = 0..self.places as usize;
        let looked: f64 = all.clone().map(|place| self.looks(place)).sum();
        (least + most) / 2.0 * looked / all.map(|place| self.looks(place) * best(place)).sum::<f64>()
    }
}

impl Scenario for FeedbackLoop {
    fn check(&self, run: &RunSpec, cx: &mut Decoder) {
        let end = SimTime::ZERO + run.duration;
        let skew = self.skew.as_ref().map(|it| ("skew", "at", &it.at));
        let changes = self.changes.as_ref().map(|it| ("changes", "from", &it.from));
        let looked = self.first_look(run);
        for (what, when, at) in skew.into_iter().chain(changes) {
            let (message, help) = if at.value >= end {
                (
                    format!("begins at {}, after the end of the run", at.value),
                    "an earlier time, or a longer run",
                )
            } else if at.value > SimTime::ZERO && at.value < looked {
                let message = format!(
                    "begins at {}, and the monitors take what they find until {looked} for how it should be",
                    at.value
                );
                (message, "a later time, or looks more often: monitors.every")
            } else {
                continue;
            };
            cx.at(what, |cx| cx.at(when, |cx| _ = cx.warn(at.span, message).help(help)));
        }
    }

    fn values(&self, _run: &RunSpec) -> Vec<String> {
        summary::NAMES.map(String::from).to_vec()
    }

    fn run(&self, run: &RunSpec, options: &RunOptions, observer: Observer) -> RunOutput {
        let build = |streams: &Streams| Ranking::new(self, streams);
        drive::run(run, options, observer, build, |ranking, _, output| {
            summary::fill(self, ranking, &mut output.report);
        })
    }

    fn untraceable(&self) -> Option<&'static str> {
        Some("it has lists and clicks and no calls, and `brownout run` shows what came of them")
    }

    fn diagram(&self) -> Diagram {
        let node =
            |name: &str, kind, facts| diagram::Node { name: name.into(), kind, facts, faults: Vec::new() };
        let mut shown = vec![format!("the best {} of {} items", self.places, self.items)];
        shown
            .extend((self.explores > 0.0).then(|| format!("{} of places at random", percent(self.explores))));
        let corrected = if self.corrects_position { ", by how many looked" } else { "" };
        let nodes = vec![
            node("users", NodeKind::Users, vec![format!("{} visits a second", short(self.visits.get()))]),
            node("lists", NodeKind::Store, shown),
            node(
                "model",
                NodeKind::Store,
                vec![format!("trained every {}{corrected}", self.retrain.brief())],
            ),
        ];
        let link = |from, to, name: &str| Link { from, to, name: name.into(), ..Link::default() };
        let links = vec![link(0, 1, "look and click"), link(1, 2, "train it"), link(2, 1, "ranks")];
        Diagram { nodes, links, notes: Vec::new() }
    }

    fn explain(&self, _run: &RunSpec) -> Explanation {
        let per_training = self.visits.get() * self.retrain.as_secs_f64();
        let looked: f64 = (0..self.places as usize).map(|place| self.looks(place)).sum();
        let mut notes = vec![
            format!("random lists give {} of what the best would", percent(self.at_random())),
            format!(
                "of {} places in a list a user looks at {}; a training sees {} showings, of {} items at a time unless it explores",
                self.places,
                short(looked),
                short(per_training * f64::from(self.places)),
                self.places
            ),
        ];
        if self.explores > 0.0 {
            let each = per_training * f64::from(self.places) * self.explores / f64::from(self.items);
            notes.push(format!(
                "exploring shows each item {} times between two trainings, and costs at most {} of what lists give",
                short(each),
                percent(self.explores * (1.0 - self.at_random()))
            ));
        }
        if self.holdout == 0.0 {
            notes.push(
                "there is no holdout: nobody can tell what its lists are worth but by its own log".into(),
            );
        }
        Explanation { notes, ..Explanation::default() }
    }
}

#[cfg(test)]
mod tests;
