//! A map over two knobs.

use super::Question;
use super::looks::Looks;
use super::survivors::Survivors;
use crate::app::App;
use crate::error::{Error, Exit, Result};
use crate::jobs::{in_order, threads};
use crate::progress::Meter;
use crate::result::found::Which;
use crate::result::knob::Knob;
use crate::result::mapped::{self, Mapped};
use crate::study::fault;
use crate::study::map::{self, Ask};
use crate::study::runs::{Runs, Settings, Start, incomplete};

impl Question<'_> {
    /// Searches two knobs on a grid of so many columns and rows; the harder fault lasts so many `times` as long.
    pub fn map(
        &self,
        app: &mut App,
        knobs: [&Knob; 2],
        (columns, rows): (usize, usize),
        times: f64,
    ) -> Result<(Mapped, Exit)> {
        let Start { opened, variant, base, fixed, .. } = self.start;
        let [across, up] = [map::values(knobs[0], columns), map::values(knobs[1], rows)];
        let points: Vec<[f64; 2]> = up.iter().flat_map(|y| across.iter().map(move |x| [*x, *y])).collect();
        let bare = fault::without(base);
        let expected =
            points.len() * (self.seeds.count as usize / 2 + 1) * if bare.is_empty() { 1 } else { 2 };
        let meter = Meter::of_search(&app.console, &opened.found.name, expected);
        let runs = Runs::new(app, self.start, &meter);
        let seeds: Vec<u64> = self.seeds.iter().collect();
        let survivors = Survivors::default();
        let cell = |at: &[f64; 2]| -> Result<mapped::Cell> {
            let here = self.at(&runs, vec![knobs[0].set(at[0]), knobs[1].set(at[1])])?;
            let settings = |ask: Ask| -> Result<Settings> {
                let more = match ask {
                    Ask::Fault => Vec::new(),
                    Ask::Alone => bare.clone(),
                    Ask::Harder => fault::harder(&runs.resolved(&here)?, times),
                };
                Ok(here.iter().cloned().chain(more).collect())
            };
            // Whether it is struck, and for how long, makes no difference before.
            let alike_until = fault::first(&fault::disturbances(&runs.resolved(&here)?));
            let mut fewest: Option<f64> = None;
            let cell = map::cell(*at, seeds.len(), |seed| {
                map::state(!bare.is_empty(), |ask| {
                    let set = settings(ask)?;
                    let journey = runs.journey(&set, seeds[seed], alike_until)?;
                    let looks = Looks::at(&self.collapse, &runs, &here, &set)?;
                    let answer = looks.answer(journey, |report| self.collapse.of(report))?;
                    let Some((answer, report)) = answer else { return Ok(None) };
                    let answered = report.and_then(|report| self.collapse.answered(&report));
                    survivors.note(Which::Fault, seeds[seed], at, answered);
                    fewest = fewest.into_iter().chain(answered).reduce(f64::min);
                    Ok(Some(answer))
                })
            })?;
            Ok(mapped::Cell { answered: fewest, ..cell })
        };
        let cells: Vec<mapped::Cell> =
            in_order(threads(app.global.jobs), &points, cell).into_iter().collect::<Result<_>>()?;
        meter.finish(&mut app.console, None);
        let missing = cells.iter().filter(|cell| cell.state.is_none()).count();
        let missing = (missing > 0).then(|| format!("{missing} of {} cells are missing", cells.len()));
        let (exit, notes) = incomplete(&runs, app, missing);
        if runs.made() == 0 {
            return Err(Error::Stopped(exit));
        }
        let standing = knobs.map(|knob| base.value(&knob.path).and_then(|node| knob.standing(node)));
        let mut mapped = Mapped {
            format: mapped::FORMAT,
            experiment: opened.found.name.clone(),
            variant: variant.map(String::from),
            set: fixed.to_vec(),
            paths: knobs.map(|knob| knob.path.clone()),
            units: knobs.map(|knob| knob.unit()),
            standing,
            failure: self.failure(),
            fewest: self.collapse.metric().and_then(|metric| survivors.fewest(metric)),
            fault: self.fault(&knobs),
            harder: times,
            seeds: self.seeds,
            runs: runs.made(),
            incomplete: notes,
            across,
            up,
            cells,
            look: None,
            knobs: knobs.map(Clone::clone),
        };
        if let Some(at) = mapped.tipped() {
            let set = self.at(&runs, vec![knobs[0].set(at[0]), knobs[1].set(at[1])])?;
            mapped.look = Some(self.start.line(app, &set, self.seeds.first));
        }
        Ok((mapped, exit))
    }
}
