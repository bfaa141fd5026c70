//! `brownout recommend EXPERIMENT`: which value to set.

use super::documents::Documents;
use crate::app::App;
use crate::args::{Bounds, Subject, TableFormat};
use crate::error::{Error, Exit, Result};
use crate::html;
use crate::out::OutDir;
use crate::render::{helped, json, recommend as page};
use crate::replay::result_of;
use crate::result::knob::Knob;
use crate::study::fault;
use crate::study::knob::is_range;
use crate::study::recommend::{Allowed, Budget, Goal, mechanisms, recommend};
use crate::study::runs::{Settings, Start};
use crate::study::space::{Dimension, MOST_DIMENSIONS, Space};
use crate::study::wish::Wish;
use crate::text::escape;
use crate::text::table::csv_of_part;
use clap::{ArgGroup, Args as ClapArgs};
use sim_models::experiment::Resolved;
use std::path::PathBuf;

const FILES: [&str; 3] = ["recommend.json", "recommend.csv", "report.html"];
/// Settings that are validated, today's among them.
const FINALISTS: usize = 4;
/// Fresh seeds, at most, unless told otherwise.
const FRESH: u32 = 20;
const HELPED: [&str; 3] = ["mechanisms.json", "mechanisms.csv", "report.html"];
/// Fresh seeds of each mechanism: as many as it takes for a truth that changes on all of them to be clear.
const FRESH_OF_EACH: u32 = 6;
/// Runs of a search unless told otherwise, and of all mechanisms with all their settings.
const BUDGET: u32 = 400;
const ALL_OF_THEM: usize = 1_000;

/// `brownout recommend`
#[derive(Clone, Debug, ClapArgs)]
#[command(group = ArgGroup::new("objective").args(["maximize", "minimize", "mechanisms"]).required(true).multiple(true))]
#[command(after_help = "\
Examples:
  brownout recommend retry-storm --mechanisms           # which mechanism helps? what to set for it
  brownout recommend retry-storm --maximize goodput --set 'policies.naive.budget=None,Ratio(0.1)'
  brownout recommend retry-storm --maximize goodput \\
      --set services.payments.queue.capacity=16..512
  brownout recommend retry-storm --variant budgeted --maximize goodput \\
      --set policies.budgeted.budget.ratio=0.02..1.0 \\
      --set policies.budgeted.timeout=50ms..1s \\
      --subject-to 'amplification <= 1.2' --subject-to 'p99 <= 300ms'
  brownout recommend retry-storm --minimize p99 \\
      --set policies.naive.retry.attempts=1..5 --set services.payments.replicas=3,4

A --set with a range LOW..HIGH or a list A,B,.. is chosen from, any other is set. Where the experiment \
has a fault that ends, surviving it is a condition, unless you say --need-not-recover. Round values race first \
on shared seeds, then the roundest between the leaders and their neighbours: what is hopeless costs two runs. The leaders, today's setting and the trade-offs between \
objective and conditions are then run on seeds that the race never saw, and only those numbers are \
printed: whoever wins a race was also lucky in it. Those seeds are taken in rounds until the objectives \
clearly differ or are clearly alike. Exit code 4 means that nothing met the conditions; \
the closest is shown.")]
pub struct Recommend {
    /// Which experiment.
    #[command(flatten)]
    pub subject: Subject,
    /// The metric that is to be as large as possible
    #[arg(long, value_name = "METRIC")]
    pub maximize: Option<String>,
    /// The metric that is to be as small as possible
    #[arg(long, value_name = "METRIC", conflicts_with = "maximize")]
    pub minimize: Option<String>,
    /// Try every mechanism there is, with typical settings, where it goes wrong: which helps, which does nothing, which hurts. For
    /// the most goodput unless another objective is given
    #[arg(long)]
    pub mechanisms: bool,
    /// The edge on which --mechanisms are tried: `checkout->payments`. That on which most fails first, unless given
    #[arg(long, value_name = "EDGE", requires = "mechanisms")]
    pub edge: Option<String>,
    /// A condition: 'amplification <= 1.2', 'p99 <= 300ms', 'success during fault >= 99%'; several may be given
    #[arg(long, value_name = "CONDITION")]
    pub subject_to: Vec<String>,
    /// Do not ask that it recovers from its fault
    #[arg(long)]
    pub need_not_recover: bool,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// Fresh seeds on which the leaders are validated; as many as it takes to decide unless given, at most 20
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub replications: Option<u32>,
    /// The most runs, validation included
    #[arg(long, value_name = "RUNS", default_value_t = BUDGET, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub budget: u32,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: TableFormat,
    /// Also write report.html, recommend.json and recommend.csv to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

pub(super) fn command(args: &Recommend, app: &mut App) -> Result<Exit> {
    let opened = app.open(&args.subject.name, args.variant.as_deref(), &[])?;
    let variant = app.variant(&opened, args.variant.as_deref())?;
    let searched =
        |(path, value): &(String, String)| is_range(value) || Dimension::list(path, value).is_some();
    let (searched, fixed): (Settings, Settings) = args.subject.set.iter().cloned().partition(searched);
    let base = app.prepare(&opened, variant, &fixed, args.subject.seed)?;
    let start = Start {
        opened: &opened,
        variant,
        fixed: &fixed,
        base: &base.resolved,
        bounds: args.bounds,
        settle: None,
    };
    let wishes = wishes(args, &base.resolved)?;
    if args.mechanisms {
        return which_helps(args, app, start, &searched, wishes, base.seed);
    }
    let space = space(app, start, &searched)?;
    let budget = budget(args)?;
    let out = args.out.as_deref().map(|path| OutDir::prepare(path, &FILES, &mut app.console)).transpose()?;

    let goal = Goal {
        metric: args.maximize.as_ref().or(args.minimize.as_ref()).expect("clap asks for one").clone(),
        less: args.minimize.is_some(),
        wishes,
    };
    goal.check(start)?;
    let (told, exit) = recommend(app, start, &space, &goal, base.seed, budget)?;
    let again = result_of(&app.typed);
    let documents = Documents {
        text: page::text(&told, app.console.style()),
        markdown: page::markdown(&told),
        json: json(&told),
        csv: csv_of_part(page::csv(&told), &told.incomplete),
        html: Box::new(|| html::recommend::page(&told, &searched, &again).html()),
    };
    documents.deliver(FILES, out, args.format, app)?;
    Ok(exit)
}

/// What each mechanism does where it goes wrong.
fn which_helps(
    args: &Recommend,
    app: &mut App,
    start: Start,
    searched: &[(String, String)],
    wishes: Vec<Wish>,
    seed: u64,
) -> Result<Exit> {
    if let Some((path, text)) = searched.first() {
        return Err(Error::Usage {
            message: format!(
                "--mechanisms choose what to set, and --set {}={} does as well",
                escape(path),
                escape(text)
            ),
            help: "  ask one after the other: first which mechanism, then which value of it".into(),
        });
    }
    let fresh = args.replications.unwrap_or(FRESH_OF_EACH);
    let least = 2 * fresh as usize + 5;
    if (args.budget as usize) < least {
        return Err(Error::Usage {
            message: format!("{} runs are too few for {fresh} fresh seeds of anything", args.budget),
            help: format!("  --budget {} tries them all; fewer try fewer settings of each", ALL_OF_THEM),
        });
    }
    let runs = if args.budget == BUDGET { ALL_OF_THEM } else { args.budget as usize };
    let out = args.out.as_deref().map(|path| OutDir::prepare(path, &HELPED, &mut app.console)).transpose()?;
    let metric = args.maximize.as_ref().or(args.minimize.as_ref());
    let goal = Goal {
        metric: metric.cloned().unwrap_or_else(|| "goodput".into()),
        less: args.minimize.is_some(),
        wishes,
    };
    goal.check(start)?;
    let (told, exit) = mechanisms(app, start, &goal, seed, args.edge.as_deref(), Allowed { runs, fresh })?;
    let again = result_of(&app.typed);
    let documents = Documents {
        text: helped::text(&told, app.console.style()),
        markdown: helped::markdown(&told),
        json: json(&told),
        csv: csv_of_part(helped::csv(&told), &told.incomplete),
        html: Box::new(|| html::helped::page(&told, &again).html()),
    };
    documents.deliver(HELPED, out, args.format, app)?;
    Ok(exit)
}

/// The ranges and lists to choose from; each end and each value of a list can run.
fn space(app: &App, start: Start, searched: &[(String, String)]) -> Result<Space> {
    if searched.is_empty() {
        let name = escape(&start.opened.found.argument);
        return Err(Error::Usage {
            message:
                "nothing to choose from: give a range or a list with --set PATH=LOW..HIGH or --set PATH=A,B"
                    .into(),
            help: format!(
                "  for example: brownout recommend {name} --set services.payments.replicas=2..6 --maximize goodput"
            ),
        });
    }
    if searched.len() > MOST_DIMENSIONS {
        let message = format!("{} settings to choose from, allowed {MOST_DIMENSIONS}", searched.len());
        return Err(Error::usage(message));
    }
    let mut dimensions: Vec<Dimension> = Vec::new();
    for (path, text) in searched {
        let said = |why: &str| Error::usage(format!("--set {}: {}", escape(path), escape(why)));
        if dimensions.iter().any(|dimension| dimension.path() == path) {
            return Err(said("it is given twice"));
        }
        let (dimension, values) = if is_range(text) {
            let knob = Knob::parse(path, text, start.base.value(path)).map_err(|why| said(&why))?;
            let ends = vec![knob.value(knob.low), knob.value(knob.high)];
            (Dimension::Range(knob), ends)
        } else {
            let list = Dimension::list(path, text).expect("told apart before");
            let Dimension::List { values, .. } = &list else { unreachable!("a list") };
            let values = values.clone();
            (list, values)
        };
        for value in values {
            start.check(app, &[(path.clone(), value)])?;
        }
        dimensions.push(dimension);
    }
    Ok(Space(dimensions))
}

/// What is asked of a setting, surviving its fault included.
fn wishes(args: &Recommend, base: &Resolved) -> Result<Vec<Wish>> {
    let parse = |text: &String| {
        Wish::parse(text)
            .and_then(|wish| wish.within(base.run.duration))
            .map_err(|why| Error::usage(format!("--subject-to: {}", escape(&why))))
    };
    let mut wishes: Vec<Wish> = args.subject_to.iter().map(parse).collect::<Result<_>>()?;
    let ends = fault::over(&fault::disturbances(base)).is_some_and(|_| !fault::disturbances(base).is_empty());
    let asked = wishes.iter().any(|wish| ["recovered", "time_to_recover"].contains(&wish.metric()));
    if ends && !asked && !args.need_not_recover {
        wishes.insert(0, Wish::recovered());
    }
    Ok(wishes)
}

/// How many settings are validated, and how many runs are left for the race.
fn budget(args: &Recommend) -> Result<Budget> {
    let fresh = args.replications.unwrap_or(FRESH);
    let (all, each) = (args.budget as usize, fresh as usize);
    let validated = (all / 2 / each).min(FINALISTS);
    if validated < 2 {
        return Err(Error::Usage {
            message: format!(
                "{all} runs are too few: two settings on {each} fresh seeds are {}, and as many are for the search",
                2 * each
            ),
            help: format!("  --budget {}, or fewer --replications", 4 * each),
        });
    }
    Ok(Budget { all, race: all - validated * each, validated, fresh, in_rounds: args.replications.is_none() })
}
