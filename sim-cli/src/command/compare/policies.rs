//! `brownout compare EXPERIMENT --policies all`: presets instead of the policy of one edge, on the same luck.

use super::Compare;
use crate::app::App;
use crate::error::{Error, Result};
use crate::experiment::Opened;
use crate::library::nearest;
use crate::result::compared::OnEdge;
use crate::study::replicate::Row;
use crate::text::escape;
use sim_models::policy::preset::{self, Preset, Seat};

/// A value of at most so many characters is told with its setting.
const SHORT: usize = 20;

/// What asks for all presets.
const ALL: &str = "all";

/// The names, the rows and the edge: the experiment as it is, and each preset in the place of the policy of one edge.
pub(super) fn field(
    args: &Compare,
    app: &mut App,
    opened: &Opened,
) -> Result<(Vec<Option<String>>, Vec<Row>, OnEdge)> {
    let variant = match args.variant.as_slice() {
        [] => None,
        [one] => app.variant(opened, Some(one))?.map(String::from),
        _ => {
            return Err(Error::usage(
                "--policies are put into one variant: name it alone, or none for the base",
            ));
        }
    };
    let presets = asked(&args.policies)?;
    let prepared = app.prepare(opened, variant.as_deref(), &args.subject.set, args.subject.seed)?;
    let seats = prepared.resolved.model.seats();
    let seat = match &args.edge {
        Some(edge) => named(edge, &seats)?,
        None => likeliest(opened, &seats).ok_or_else(|| {
            Error::usage("there is no edge that could follow a policy: only graphs of services have them")
        })?,
    };
    let kept = kept(&args.keep, seat)?;
    app.console.note(&told(seat, &kept, seats.iter().filter(|_| args.edge.is_none())));
    let base = Row { variant: variant.clone(), set: args.subject.set.clone() };
    let with = |preset: &&Preset| {
        let set = args.subject.set.iter().cloned().chain(seat.holding(preset, &kept)).collect();
        Row { variant: variant.clone(), set }
    };
    let names =
        std::iter::once(variant.clone()).chain(presets.iter().map(|preset| Some(preset.name.to_string())));
    let names = names.collect();
    let rows = std::iter::once(base).chain(presets.iter().map(with)).collect();
    Ok((
        names,
        rows,
        OnEdge { edge: seat.edge.clone(), path: seat.path.clone(), policy: seat.policy.clone(), keeps: kept },
    ))
}

/// Where presets are put, what that takes away, and where else they could be.
fn told<'s>(seat: &Seat, kept: &[String], all: impl Iterator<Item = &'s Seat>) -> String {
    let mut told = format!("presets are put on {}", escape(&seat.edge));
    if let Some(name) = &seat.policy {
        told += &format!(" instead of `{}`", escape(name));
        let (stay, go): (Vec<_>, Vec<_>) = seat.settings.iter().partition(|(key, _)| kept.contains(key));
        let list = |settings: &[&(String, String)]| {
            let each = settings.iter().map(|(key, value)| match value.trim_matches('"') {
                short if short.len() <= SHORT => format!("{key} {}", escape(short)),
                _ => key.clone(),
            });
            each.collect::<Vec<_>>().join(", ")
        };
        if !go.is_empty() {
            told += &format!(", whose {} no longer holds", list(&go));
        }
        match stay.as_slice() {
            [] if go.is_empty() => {}
            [] => told += &format!(" (--keep {} would keep that)", go[0].0),
            stay => told += &format!("; {} is kept", list(stay)),
        }
    }
    let others: Vec<String> =
        all.filter(|other| other.edge != seat.edge).map(|other| escape(&other.edge)).collect();
    if !others.is_empty() {
        told += &format!("; --edge chooses another: {}", others.join(", "));
    }
    told
}

/// The settings that presets are to leave as they are.
fn kept(asked: &[String], seat: &Seat) -> Result<Vec<String>> {
    let names = || seat.settings.iter().map(|(key, _)| key.clone());
    for (at, key) in asked.iter().enumerate() {
        if asked[..at].contains(key) {
            return Err(Error::usage(format!("--keep names {} twice", escape(key))));
        }
        if names().all(|name| name != *key) {
            let near = nearest(key, names()).map(|near| format!("  did you mean `{near}`?\n"));
            let there = match seat.settings.as_slice() {
                [] => "  nothing is said of it".into(),
                _ => format!("  there is: {}", names().collect::<Vec<_>>().join(", ")),
            };
            return Err(Error::Usage {
                message: format!("what {} follows has no `{}` to keep", escape(&seat.edge), escape(key)),
                help: near.unwrap_or_default() + &there,
            });
        }
    }
    Ok(asked.to_vec())
}

/// The presets that were asked for, in that order.
fn asked(names: &[String]) -> Result<Vec<&'static Preset>> {
    if names.iter().any(|name| name == ALL) {
        return match names {
            [_] => Ok(preset::all().iter().collect()),
            _ => Err(Error::usage("--policies all are all there are: leave out the others")),
        };
    }
    let mut found: Vec<&Preset> = Vec::new();
    for name in names {
        let preset = preset::find(name).map_err(|candidates| {
            let all = || preset::all().iter().map(|preset| preset.name.to_string());
            let help = match (candidates.as_slice(), nearest(name, all())) {
                ([], Some(near)) => format!("  did you mean `{near}`?"),
                ([], None) => format!("  there are: {}", all().collect::<Vec<_>>().join(", ")),
                (versions, _) => format!("  its defaults have changed: {}", versions.join(" or ")),
            };
            Error::Usage { message: format!("there is no preset called `{}`", escape(name)), help }
        })?;
        if found.iter().any(|other| other.name == preset.name) {
            return Err(Error::usage(format!("the preset {name} is named twice")));
        }
        found.push(preset);
    }
    Ok(found)
}

fn named<'s>(edge: &str, seats: &'s [Seat]) -> Result<&'s Seat> {
    seats.iter().find(|seat| seat.edge == edge).ok_or_else(|| {
        let names: Vec<String> = seats.iter().map(|seat| escape(&seat.edge)).collect();
        let near = nearest(edge, names.iter().cloned())
            .map_or(String::new(), |near| format!("  did you mean `{near}`?\n"));
        Error::Usage {
            message: format!("there is no edge called `{}`", escape(edge)),
            help: format!("{near}  there are: {}", names.join(", ")),
        }
    })
}

/// The edge that an experiment is about: of those that follow a policy the one whose policy most variants change, and among equals
/// the one that tries most often.
fn likeliest<'s>(opened: &Opened, seats: &'s [Seat]) -> Option<&'s Seat> {
    let changes = |seat: &Seat| {
        let paths = opened
            .experiment
            .variants()
            .iter()
            .map(|variant| variant.set.iter().any(|set| seat.is_changed_by(&set.path.to_string())));
        paths.filter(|changed| *changed).count()
    };
    let with: Vec<&Seat> = seats.iter().filter(|seat| seat.policy.is_some()).collect();
    let most = |best: &'s Seat, seat: &'s Seat| {
        if (changes(seat), seat.attempts) > (changes(best), best.attempts) { seat } else { best }
    };
    with.into_iter().reduce(most).or(seats.first())
}
