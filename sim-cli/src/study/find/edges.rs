//! Every edge along one knob: with the experiment's own disturbance, without any, and what the fluid law says.

use super::Question;
use super::looks::Looks;
use super::survivors::Survivors;
use crate::app::App;
use crate::error::{Error, Exit, Result};
use crate::jobs::{in_order, threads};
use crate::progress::Meter;
use crate::result::edges::{Answer, Edges};
use crate::result::found::{self, Found, Told, Which};
use crate::result::knob::{Count, Knob};
use crate::result::rounds::Rounds;
use crate::result::seeds::{CONFIDENCE, Seeds};
use crate::study::collapse::Collapse;
use crate::study::edge::{Course, Hints, KNOWN, Plan, SCOUTS, course, is_known};
use crate::study::fault::{self, SteadyLoad};
use crate::study::knob::Within;
use crate::study::runs::{Runs, Settings, Start, incomplete};
use sim_core::SimTime;
use sim_core::stats::sequential::{Stopped, in_rounds};
use sim_models::experiment::Resolved;
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
    /// When one looks at a run at a value, and what the law says of it: see [`Looks`].
    pub looks: Box<dyn Fn(f64) -> Result<Looks> + Sync + 'a>,
    /// The instant until which runs of one seed are alike, whatever the value.
    pub alike_until: Option<SimTime>,
}

/// What is searched along, and how.
#[derive(Clone, Copy)]
pub(super) struct Along<'a> {
    pub threads: usize,
    pub knob: &'a Knob,
    pub plan: Plan,
    pub runs: &'a Runs<'a>,
    pub survivors: &'a Survivors,
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
            looks: Box::new(|x| {
                Looks::at(&self.collapse, &runs, &[knob.set(x)], &self.at(&runs, vec![knob.set(x)])?)
            }),
            alike_until: self.alike_until(&runs, knob)?,
        };
        let alone = Search {
            which: Which::Alone,
            // Without faults it does not matter what they are like.
            everywhere_alike: knob.path.starts_with("faults"),
            settings: Box::new(|x| Ok([knob.set(x)].into_iter().chain(bare.clone()).collect())),
            failed: Box::new(failed),
            looks: Box::new(|x| {
                let set: Settings = [knob.set(x)].into_iter().chain(bare.clone()).collect();
                Looks::at(&self.collapse, &runs, &[knob.set(x)], &set)
            }),
            alike_until: None,
        };
        let mut searches = vec![as_it_stands];
        if !bare.is_empty() {
            searches.push(alone);
        }
        let survivors = Survivors::default();
        let threads = threads(app.global.jobs);
        let along = Along { threads, knob, plan, runs: &runs, survivors: &survivors };
        let mut courses = vec![Vec::new(); searches.len()];
        let run_to = |courses: &mut Vec<Vec<Course>>, seeds: u32| -> Result<bool> {
            self.courses(along, &searches, seeds, courses)?;
            Ok(app.console.interrupt.exit().is_none())
        };
        let most = self.seeds.count;
        let stopped = match self.in_rounds {
            true => in_rounds(&mut courses, most, run_to, |courses, seeds, _| {
                courses.iter().all(|courses| is_known(&courses[..seeds as usize], knob, plan))
            })?,
            false => {
                run_to(&mut courses, most)?;
                Stopped { seeds: most, by: None }
            }
        };
        let seeds = Seeds { count: stopped.seeds, ..self.seeds };
        let mut told = Vec::new();
        for (search, courses) in searches.iter().zip(&courses) {
            let mut edges = Edges::of(courses);
            for edge in &mut edges.edges {
                for (seed, bracket) in self.seeds.iter().zip(&mut edge.seeds) {
                    let Some(bracket) = bracket else { continue };
                    let at = |x: f64| survivors.at(search.which, seed, x);
                    bracket.answered = at(bracket.low).zip(at(bracket.high)).map(|(low, high)| [low, high]);
                }
            }
            told.push(Told::new(search.which, edges));
        }
        let way_back = match &load {
            Some(load) if back => self.way_back(along, load, &told, seeds.count)?,
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
        let all = told.len() * seeds.count as usize;
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
            fewest: self.collapse.metric().and_then(|metric| survivors.fewest(metric)),
            fault: self.fault(&[knob]),
            seeds,
            runs: runs.made(),
            incomplete: notes,
            rounds: self.in_rounds.then(|| Rounds {
                most,
                decided_after: stopped.by.map(|look| look.seeds),
                confidence: stopped.by.map(|_| CONFIDENCE),
                by: vec![format!("edges to {}", knob.show_within(plan.within.times(KNOWN)))],
                spared: (runs.made() as u64 * u64::from(most - seeds.count)) / u64::from(seeds.count.max(1)),
            }),
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

    /// Until when all runs along a knob of what strikes are alike.
    fn alike_until(&self, runs: &Runs, knob: &Knob) -> Result<Option<SimTime>> {
        let options = |resolved: &Resolved| self.start.bounds.options(resolved.run.seed, None);
        let ends: Vec<Resolved> = [knob.low, knob.high]
            .into_iter()
            .map(|x| runs.resolved(&self.at(runs, vec![knob.set(x)])?))
            .collect::<Result<_>>()?;
        let Some(first) = ends.iter().filter_map(|one| fault::first(&fault::disturbances(one))).min() else {
            return Ok(None);
        };
        let key = |one: &Resolved| one.model.trunk_key(&one.run, &options(one), first);
        Ok((key(&ends[0]).is_some() && key(&ends[0]) == key(&ends[1])).then_some(first))
    }

    /// Adds the courses of the seeds up to so many under each of these settings, in parallel: the scouts, then those who follow
    /// them.
    pub(super) fn courses(
        &self,
        along: Along,
        searches: &[Search],
        seeds: u32,
        courses: &mut [Vec<Course>],
    ) -> Result<()> {
        for to in [SCOUTS.min(seeds as usize), seeds as usize] {
            let hints: Vec<Option<Hints>> =
                courses.iter().map(|courses| courses.get(..SCOUTS).and_then(Hints::of)).collect();
            self.more_courses(along, searches, &hints, to, courses)?;
        }
        Ok(())
    }

    fn more_courses(
        &self,
        along: Along,
        searches: &[Search],
        hints: &[Option<Hints>],
        to: usize,
        courses: &mut [Vec<Course>],
    ) -> Result<()> {
        let Along { threads, knob, plan, runs, survivors } = along;
        let have = courses[0].len();
        let seeds: Vec<u64> = self.seeds.iter().take(to).skip(have).collect();
        let jobs: Vec<(&Search, Option<&Hints>, u64)> = searches
            .iter()
            .zip(hints)
            .flat_map(|(search, hints)| seeds.iter().map(move |seed| (search, hints.as_ref(), *seed)))
            .collect();
        let one = |(search, hints, seed): &(&Search, Option<&Hints>, u64)| -> Result<Course> {
            let ask = |x: f64| -> Result<Option<Answer>> {
                let set = (search.settings)(x)?;
                let journey = runs.journey(&set, *seed, search.alike_until)?;
                let answer = (search.looks)(x)?.answer(journey, &search.failed)?;
                let Some((answer, report)) = answer else { return Ok(None) };
                let answered = report.and_then(|report| self.collapse.answered(&report));
                survivors.note(search.which, *seed, &[x], answered);
                Ok(Some(answer))
            };
            if search.everywhere_alike {
                let answer = ask(knob.low)?;
                return Ok(answer.map(|it| Course::everywhere(knob.low, it)).unwrap_or_default());
            }
            course(knob, plan, *hints, ask)
        };
        let mut found = in_order(threads, &jobs, one).into_iter();
        for courses in courses {
            for course in found.by_ref().take(seeds.len()) {
                courses.push(course?);
            }
        }
        Ok(())
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
            let course = course(knob, plan, None, ask).ok().filter(|course| course.complete)?;
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
