//! Every edge along one knob: with the experiment's own disturbance, without any, and what the fluid law says.

use super::Question;
use crate::app::App;
use crate::error::{Error, Exit, Result};
use crate::jobs::{in_order, threads};
use crate::progress::Meter;
use crate::result::edges::{Answer, Edges};
use crate::result::found::{self, Found, Told, Which};
use crate::result::knob::{Count, Knob};
use crate::study::collapse::Collapse;
use crate::study::edge::{Course, Plan, course};
use crate::study::fault::{self, SteadyLoad};
use crate::study::knob::Within;
use crate::study::runs::{Runs, Settings, Start, incomplete};
use sim_models::report::Report;
use sim_models::run::Regime;

type SettingsAt<'a> = dyn Fn(f64) -> Result<Settings> + Sync + 'a;
type Failed<'a> = dyn Fn(&Report) -> Result<Answer> + Sync + 'a;

/// What is asked of the runs of one search.
pub(super) struct Search<'a> {
    pub which: Which,
    /// Whether the knob makes no difference, so that one question is enough.
    pub everywhere_alike: bool,
    pub settings: Box<SettingsAt<'a>>,
    pub failed: Box<Failed<'a>>,
}

impl Question<'_> {
    /// Searches a knob.
    pub fn edges(&self, app: &mut App, knob: &Knob, plan: Plan) -> Result<(Found, Exit)> {
        let Start { opened, variant, base, fixed, .. } = self.start;
        let disturbances = fault::disturbances(base);
        let bare = fault::without(base);
        let load = SteadyLoad::at(base, &knob.path).filter(|_| knob.count == Count::Rate);
        let back = load.is_some() && !disturbances.is_empty() && matches!(self.collapse, Collapse::Verdict);
        let searches = 1 + usize::from(!bare.is_empty()) + usize::from(back);
        let expected = searches * self.seeds.count as usize * plan.questions();
        let meter = Meter::of_search(&app.console, &opened.found.name, expected);
        let runs = Runs::new(app, self.start, &meter);

        let failed = |report: &Report| self.collapse.of(report);
        let as_it_stands = Search {
            which: if disturbances.is_empty() { Which::Alone } else { Which::Fault },
            everywhere_alike: false,
            settings: Box::new(|x| self.at(&runs, vec![knob.set(x)])),
            failed: Box::new(failed),
        };
        let alone = Search {
            which: Which::Alone,
            // Without faults it does not matter what they are like.
            everywhere_alike: knob.path.starts_with("faults"),
            settings: Box::new(|x| Ok([knob.set(x)].into_iter().chain(bare.clone()).collect())),
            failed: Box::new(failed),
        };
        let mut searches = vec![as_it_stands];
        if !bare.is_empty() {
            searches.push(alone);
        }
        let courses = self.courses(app, &searches, knob, plan, &runs)?;
        let mut told = Vec::new();
        for (search, courses) in searches.iter().zip(&courses) {
            told.push(Told::new(search.which, Edges::of(courses)));
        }
        let way_back = match &load {
            Some(load) if back => self.way_back(app, load, &told, knob, plan, &runs)?,
            _ => None,
        };
        drop(searches);
        let looped = way_back.map(|(edges, looped)| {
            told.push(Told::new(Which::Back, edges));
            looped
        });
        // It knows of collapse, and of nothing else that somebody may call failure.
        if matches!(self.collapse, Collapse::Verdict) {
            self.add_fluid(&runs, knob, &mut told);
        }
        meter.finish(&mut app.console, None);
        let missing: usize = told.iter().map(|told| told.edges.missing).sum();
        let all = told.len() * self.seeds.count as usize;
        let missing = (missing > 0).then(|| format!("{missing} of {all} searches did not come to their end"));
        let (exit, notes) = incomplete(&runs, app, missing);
        if runs.made() == 0 {
            return Err(Error::Stopped(exit));
        }
        let standing = base.value(&knob.path).and_then(|node| knob.standing(node));
        let mut found = Found {
            format: found::FORMAT,
            experiment: opened.found.name.clone(),
            variant: variant.map(String::from),
            set: fixed.to_vec(),
            path: knob.path.clone(),
            unit: knob.unit(),
            low: knob.low,
            high: knob.high,
            standing: standing.filter(|x| (knob.low..=knob.high).contains(x)),
            failure: self.failure(),
            fault: self.fault(&[knob]),
            seeds: self.seeds,
            runs: runs.made(),
            incomplete: notes,
            told,
            looped,
            look: Vec::new(),
            knob: knob.clone(),
        };
        if let Some((fine, failed)) = found.sides() {
            for (what, x) in [("still fine", fine), ("no longer", failed)] {
                let set = self.at(&runs, vec![knob.set(x)])?;
                found.look.push((what.into(), self.start.line(app, &set, self.seeds.first)));
            }
        }
        Ok((found, exit))
    }

    /// Every seed's course under each of these settings, in parallel.
    pub(super) fn courses(
        &self,
        app: &App,
        searches: &[Search],
        knob: &Knob,
        plan: Plan,
        runs: &Runs,
    ) -> Result<Vec<Vec<Course>>> {
        let seeds: Vec<u64> = self.seeds.iter().collect();
        let jobs: Vec<(&Search, u64)> =
            searches.iter().flat_map(|search| seeds.iter().map(move |seed| (search, *seed))).collect();
        let one = |(search, seed): &(&Search, u64)| -> Result<Course> {
            let ask = |x: f64| -> Result<Option<Answer>> {
                let Some(report) = runs.report(&(search.settings)(x)?, *seed)? else { return Ok(None) };
                (search.failed)(&report).map(Some)
            };
            if search.everywhere_alike {
                let answer = ask(knob.low)?;
                return Ok(answer.map(|it| Course::everywhere(knob.low, it)).unwrap_or_default());
            }
            course(knob, plan, ask)
        };
        let mut found = in_order(threads(app.global.jobs), &jobs, one).into_iter();
        searches.iter().map(|_| found.by_ref().take(seeds.len()).collect()).collect()
    }

    /// What the fluid law says of the same edges.
    fn add_fluid(&self, runs: &Runs, knob: &Knob, told: &mut [Told]) {
        let plan = Plan { probes: 15, within: Within::Range(1e-4) };
        let fluid = |fails: &dyn Fn(Regime) -> bool| -> Option<f64> {
            let ask = |x: f64| -> Result<Option<Answer>> {
                let resolved = runs.resolved(&[knob.set(x)])?;
                let regime = resolved.model.explain(&resolved.run).regime;
                Ok(regime.map(|regime| Answer::of(fails(regime))))
            };
            let course = course(knob, plan, ask).ok().filter(|course| course.complete)?;
            match course.edges[..] {
                [edge] => Some(edge.low + (edge.high - edge.low) / 2.0),
                _ => None,
            }
        };
        let capacity = fluid(&|regime| regime == Regime::Overloaded);
        let boundary = fluid(&|regime| regime != Regime::Stable);
        for one in told.iter_mut() {
            let exact = match one.which {
                Which::Alone => capacity,
                Which::Fault | Which::Back => boundary,
            };
            one.fluid(exact, capacity.unwrap_or(knob.high));
        }
    }
}
