//! Whole pages: what they are made of, and what never gets into one. How they look and work is for the browser to say.

use super::run::Around;
use super::*;
use crate::html::compare::Overlay;
use crate::render::testdata;
use crate::result::column::Column;
use crate::result::compared::{Compared, Comparison};
use crate::result::edges::{Answer, Bracket, Edges};
use crate::result::effect::Effect;
use crate::result::estimate::{Estimate, Measured};
use crate::result::found::{Found, Told, Which};
use crate::result::judged::{Judged, Judgement};
use crate::result::knob::Knob;
use crate::result::mapped::{Cell as MapCell, Mapped, State};
use crate::result::page::Page as TextPage;
use crate::result::recommended::{Binding, Condition, Finalist, Outcome, Recommendation, Tried};
use crate::result::seeds::Seeds;
use crate::result::swept::{Axis as SweptAxis, Cell as SweptCell, Swept};
use crate::study::edge::Course;
use sim_models::diagram::{Diagram, Link as Arrow, Node as DiagramBox, NodeKind};
use sim_models::experiment::Node;
use sim_models::report::{EdgeWindows, Report, ServiceWindows, Unit};

/// A storm with the windows that figures are drawn from.
/// Two boxes and what leads from one to the other.
fn diagram() -> Diagram {
    let node = |name: &str, kind| DiagramBox { name: name.into(), kind, ..DiagramBox::default() };
    let arrow = Arrow {
        from: 0,
        to: 1,
        name: "users->checkout".into(),
        faults: vec!["slow".into()],
        ..Arrow::default()
    };
    Diagram {
        nodes: vec![node("users", NodeKind::Users), node("<checkout>", NodeKind::Service)],
        links: vec![arrow],
        ..Diagram::default()
    }
}

fn storm() -> Report {
    let mut report = testdata::storm();
    for (_, edge) in &mut report.edges.0 {
        edge.windows = EdgeWindows {
            started: vec![1000; 300],
            ok: vec![200; 300],
            failed: vec![800; 300],
            attempts: (0..300).map(|n| if n < 60 { 1000 } else { 3000 }).collect(),
            latency: (0..300).map(|n| vec![(10_000_000 + n * 1_000, 150), (50_000_000, 50)]).collect(),
            ..EdgeWindows::default()
        };
    }
    for (_, service) in &mut report.services.0 {
        service.windows = ServiceWindows {
            queue_ns: vec![1_200_000_000_000; 300],
            queue_max: vec![1536; 300],
            busy_ns: vec![20_000_000_000; 300],
            available_ns: vec![24_000_000_000; 300],
            ..Default::default()
        };
    }
    report
}

fn run_page() -> Page {
    let judged = |holds| Judged {
        claim: "recovered is false".into(),
        measured: "no".into(),
        holds,
        ..Judged::default()
    };
    let expectations = Judgement { judged: vec![judged(true), judged(false)], not_enforced: None };
    let next = vec![("again".into(), "brownout run retry-storm --seed 42".into())];
    let page = TextPage { expectations, next, replicated: None };
    let around = Around {
        page: &page,
        effective: "(\n    model: ServiceGraph(..),\n)",
        diagram: &diagram(),
        traces: &[],
        again: "",
    };
    run::page(&storm(), &around)
}

fn compare_page() -> Page {
    let column =
        |path: &str, unit, less| Column { path: path.into(), unit, less_is_better: less, short: false };
    let values = |all: [f64; 3]| all.map(Measured::Number).to_vec();
    let truths = |truth| vec![Measured::Truth(truth); 3];
    let base = [truths(false), values([9e6, 9.1e6, 9.2e6])];
    let cured = [truths(true), values([2e6, 2.1e6, 2e6])];
    let variant = |name: &str, values: &[Vec<Measured>; 2]| Compared {
        name: name.into(),
        sentence: format!("{name} in a sentence"),
        metrics: values.iter().map(|values| Estimate::of(values)).collect(),
        effects: values.iter().zip(&base).map(|(values, base)| Effect::paired(values, base)).collect(),
        ..Compared::default()
    };
    let comparison = Comparison {
        experiment: "retry-storm".into(),
        seeds: Seeds { first: 42, count: 3 },
        metrics: vec![
            column("recovered", Unit::Plain, Some(false)),
            column("p99", Unit::Duration, Some(true)),
        ],
        variants: vec![variant("base", &base), variant("budgeted", &cured)],
        next: "brownout run retry-storm --seed 42".into(),
        ..Comparison::default()
    };
    let overlay = Some(Overlay::of(&storm()));
    compare::page(&comparison, &[overlay.clone(), overlay], "brownout compare retry-storm")
}

/// Over one axis with theory, or over two.
fn swept(axes: usize) -> Swept {
    let axis = |path: &str, values: &[&str]| SweptAxis {
        path: path.into(),
        values: values.iter().map(|v| v.to_string()).collect(),
    };
    let all = [
        axis("services.payments.replicas", &["2", "3"]),
        axis("workload[0].arrivals", &["Poisson(\"600/s\")", "Poisson(\"800/s\")"]),
    ];
    let axes = all[2 - axes..].to_vec();
    let cells = axes.iter().fold(vec![Vec::new()], |cells: Vec<Vec<String>>, axis| {
        cells
            .iter()
            .flat_map(|cell| {
                axis.values.iter().map(|value| [&cell[..], std::slice::from_ref(value)].concat())
            })
            .collect()
    });
    let exact = (axes.len() == 1).then_some(3.3e6);
    let cell = |at| SweptCell {
        at,
        metrics: vec![Estimate::of(&[Measured::Number(3.2e6), Measured::Number(3.3e6)])],
        exact: vec![exact],
        ..SweptCell::default()
    };
    Swept {
        experiment: "utilisation-knee".into(),
        seeds: Seeds { first: 1, count: 2 },
        cells: cells.into_iter().map(cell).collect(),
        axes,
        metrics: vec![Column {
            path: "values.response_mean.value".into(),
            unit: Unit::Duration,
            less_is_better: None,
            short: false,
        }],
        ..Swept::default()
    }
}

fn knob(path: &str, range: &str) -> Knob {
    Knob::parse(path, range, Some(&Node::number("1.0"))).expect("a range")
}

/// Stable below 146, overloaded from 293 on; `path` is what is searched.
fn found(path: &str) -> Found {
    let knob = knob(path, "100/s..320/s");
    let search = |which, at: f64, exact| {
        let course = |at: f64| Course {
            asked: vec![(100.0, Answer::Fine), (320.0, Answer::Fails)],
            edges: vec![Bracket {
                low: at - 1.0,
                high: at + 1.0,
                fails_above: true,
                undecided: false,
                answered: None,
            }],
            complete: true,
        };
        let mut told = Told::new(which, Edges::of(&[course(at), course(at + 2.0)]));
        told.fluid(Some(exact), 300.0);
        told
    };
    Found {
        format: 1,
        experiment: "metastable-280".into(),
        variant: None,
        set: Vec::new(),
        path: path.into(),
        unit: Unit::Rate,
        low: knob.low,
        high: knob.high,
        standing: Some(280.0),
        failure: None,
        fewest: None,
        fault: Some(format!("Hold on {path}")),
        seeds: Seeds { first: 42, count: 2 },
        runs: 40,
        rounds: None,
        incomplete: Vec::new(),
        told: vec![search(Which::Fault, 146.0, 150.0), search(Which::Alone, 293.0, 200.0)],
        looped: None,
        look: Vec::new(),
        knob,
    }
}

/// Two rows: a cell for each state, the worst a tie, and one that is missing.
fn mapped(path: &str) -> Mapped {
    let knobs = [knob(path, "100/s..320/s"), knob("faults[0].for", "1s..60s")];
    let cell = |(n, state): (usize, Option<State>)| MapCell {
        at: [knobs[0].at((n % 3) as f64 / 2.0), knobs[1].at((n / 3) as f64)],
        seeds: state.into_iter().collect(),
        state,
        tie: n == 4,
        answered: None,
    };
    let states = State::ALL.map(Some).into_iter().chain([None]);
    Mapped {
        format: 1,
        experiment: "metastable-280".into(),
        variant: None,
        set: Vec::new(),
        paths: [path.into(), "faults[0].for".into()],
        units: [Unit::Rate, Unit::Duration],
        standing: [Some(280.0), Some(1e10)],
        failure: None,
        fewest: None,
        fault: Some("Hold on users->database".into()),
        harder: 4.0,
        seeds: Seeds { first: 42, count: 3 },
        runs: 8,
        incomplete: Vec::new(),
        across: vec![100.0, 210.0, 320.0],
        up: vec![1e9, 6e10],
        cells: states.enumerate().map(cell).collect(),
        look: None,
        knobs,
    }
}

/// A ratio and what it does to goodput and p99; `path` is what is chosen.
fn recommended(path: &str) -> Recommendation {
    let set = |value: &str| vec![(path.to_string(), value.to_string())];
    let numbers = |all: [f64; 2]| Estimate::of(&all.map(Measured::Number));
    let finalist = |value, goodput, p99| Finalist {
        set: set(value),
        n: 2,
        feasible: 2,
        best: 2,
        objective: numbers(goodput),
        metrics: vec![numbers(p99)],
        holds: vec![2],
        ..Finalist::default()
    };
    let best = Finalist { recommended: true, ..finalist("0.03", [700.0, 702.0], [2e8, 2.1e8]) };
    let today = Finalist { today: true, ..finalist("0.1", [690.0, 694.0], [1e8, 1.1e8]) };
    let tried = |value, goodput, p99, feasible| Tried {
        set: set(value),
        today: false,
        seeds: 2,
        feasible,
        objective: Some(goodput),
        metrics: vec![Some(p99)],
    };
    Recommendation {
        nobodys: Vec::new(),
        format: 1,
        experiment: "retry-storm".into(),
        variant: None,
        set: Vec::new(),
        metric: "goodput".into(),
        less: false,
        unit: Unit::Rate,
        conditions: vec![Condition {
            text: "p99 <= 300ms".into(),
            metric: "p99".into(),
            unit: Unit::Duration,
            bound: Some(3e8),
        }],
        outcome: Outcome::Found,
        race_seeds: Seeds { first: 42, count: 2 },
        fresh_seeds: Seeds { first: 44, count: 2 },
        runs: 12,
        rounds: None,
        incomplete: Vec::new(),
        finalists: vec![best, today],
        as_well: Vec::new(),
        at_an_end: Vec::new(),
        binding: vec![Binding { condition: "p99 <= 300ms".into(), broke: 1, better: 1 }],
        tried: vec![tried("0.03", 701.0, 2e8, true), tried("0.9", 720.0, 5e8, false)],
        look: Some(format!(
            "brownout run retry-storm --set {} --seed 44",
            crate::replay::quote(&format!("{path}=0.03"))
        )),
    }
}

fn find_page(path: &str) -> Page {
    find::page(&found(path), "brownout find metastable-280")
}

fn map_page(path: &str) -> Page {
    map::page(&mapped(path), "brownout find metastable-280")
}

fn recommend_page(path: &str) -> Page {
    let searched = [(path.to_string(), "0.02..1.0".to_string())];
    recommend::page(&recommended(path), &searched, "brownout recommend retry-storm")
}

fn pages() -> [(&'static str, Page); 7] {
    let sweep = |axes| sweep::page(&swept(axes), "brownout sweep utilisation-knee");
    [
        ("run", run_page()),
        ("compare", compare_page()),
        ("sweep", sweep(1)),
        ("map", sweep(2)),
        ("find", find_page("workload[0].arrivals")),
        ("find's map", map_page("workload[0].arrivals")),
        ("recommend", recommend_page("policies.budgeted.budget.ratio")),
    ]
}

/// What is in an element each time it occurs.
fn between<'h>(html: &'h str, open: &str, close: &str) -> Vec<&'h str> {
    let after = html.split(open).skip(1);
    after.map(|rest| rest.split_once(close).expect("every element ends").0).collect()
}

#[test]
fn what_pages_are_made_of() {
    let outline = pages().map(|(name, page)| {
        let html = page.html();
        let body = html.split_once("<main").expect("a body").1;
        let titles = body.split("<h").skip(1).filter_map(|rest| {
            let level = rest.chars().next().and_then(|c| c.to_digit(10))?;
            let title = rest.split_once('>')?.1.split_once("</h")?.0;
            Some(format!("{}{title}", "  ".repeat(level as usize)))
        });
        format!("{name}\n{}\n", titles.collect::<Vec<_>>().join("\n"))
    });
    insta::assert_snapshot!(outline.concat());
}

#[test]
fn a_page_asks_nobody_and_allows_only_what_it_carries() {
    for (name, page) in pages() {
        let html = page.html();
        let policy = csp::policy(&[UPLOT, SCRIPT], &[UPLOT_STYLE, STYLE]);
        assert!(html.contains(&format!("content=\"{policy}\"")), "{name}");
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe"));
        assert_eq!(between(&html, "<script>", "</script>"), [UPLOT, SCRIPT], "{name}");
        assert_eq!(between(&html, "<style>", "</style>"), [UPLOT_STYLE, STYLE], "{name}");
        let own = html.replace(UPLOT, "").replace(SCRIPT, "").replace(STYLE, "").replace(UPLOT_STYLE, "");
        // The head of an arrow is within the page.
        let own = own.replace("url(#brownout-head)", "");
        for refused in [
            "http:", "https:", " style=", " src=", "url(", "@import", " onclick", " onload", "<form",
            "<iframe",
        ] {
            assert!(!own.contains(refused), "{name} has {refused}");
        }
        // A name within the page is there once, and every link leads to one.
        let mut names = between(&own, " id=\"", "\"");
        for target in between(&own, "href=\"#", "\"") {
            assert!(names.contains(&target), "{name}: {target}");
        }
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{name}: {names:?}");
    }
}

#[test]
fn the_same_result_is_the_same_page_and_its_data_can_be_read() {
    for ((name, page), (_, again)) in pages().into_iter().zip(pages()) {
        let html = page.html();
        assert!(html == again.html(), "{name}");
        let data = between(&html, "<script type=\"application/json\" id=\"data\">", "</script>");
        let data: serde_json::Value = serde_json::from_str(data[0]).expect("JSON");
        for (id, figure) in data["figures"].as_object().expect("figures") {
            assert!(html.contains(&format!("id=\"{id}\" data-figure>")), "{name}: {id}");
            for line in figure["views"]
                .as_array()
                .expect("views")
                .iter()
                .filter_map(|view| view["lines"].as_array())
                .flatten()
            {
                assert!(!line["values"].as_array().expect("values").is_empty(), "{name}: {id}");
            }
        }
    }
}

#[test]
fn nothing_measured_is_a_page_too() {
    let page = TextPage::default();
    let empty = Around { page: &page, effective: "", diagram: &Diagram::default(), traces: &[], again: "" };
    for page in [
        run::page(&Report::default(), &empty),
        compare::page(&Comparison::default(), &[], ""),
        sweep::page(&Swept::default(), ""),
        find::page(&Found { told: Vec::new(), ..found("p") }, ""),
        map::page(&Mapped { cells: Vec::new(), across: Vec::new(), ..mapped("p") }, ""),
        recommend::page(
            &Recommendation { finalists: Vec::new(), tried: Vec::new(), ..recommended("p") },
            &[],
            "",
        ),
    ] {
        let html = page.html();
        assert!(
            !html.contains("NaN")
                || html.matches("NaN").count()
                    == UPLOT.matches("NaN").count() + SCRIPT.matches("NaN").count()
        );
        assert!(html.ends_with("</html>\n"));
    }
}

#[test]
fn theory_is_counted_in_the_verdict_of_a_sweep() {
    let verdict = &sweep::page(&swept(1), "").verdicts[0];
    assert_eq!(verdict.details, ["response mean: theory lies within the 95 % interval in 2 of 2 cells"]);
}

#[test]
fn an_edge_stands_with_its_interval_its_seeds_and_the_law() {
    let page = find_page("workload[0].arrivals");
    assert_eq!(page.verdicts[0].headline, "above 147 ± 14/s: this fault is not survived");
    let html = page.html();
    for there in [
        ">not survived</th><td>above 147 ± 14/s</td>",
        "<td>145/s to 149/s</td><td>2 of 2</td><td>150/s</td><td class=\"good\">✓ yes</td>",
        "<td>200/s</td><td class=\"bad\">✗ no</td>",
    ] {
        assert!(html.contains(there), "{there}");
    }
    let data = between(&html, "<script type=\"application/json\" id=\"data\">", "</script>");
    let data: serde_json::Value = serde_json::from_str(data[0]).expect("JSON");
    let first = &data["figures"]["edges"]["views"][0]["lines"][0];
    assert_eq!(
        (&first["values"], &first["half"]),
        (&serde_json::json!([146, 148]), &serde_json::json!([1, 1]))
    );
}

#[test]
fn a_map_says_each_state_in_a_letter_and_a_word() {
    let html = map_page("workload[0].arrivals").html();
    for (mark, words) in [
        ("S", "stable"),
        ("U", "undecided"),
        ("V", "vulnerable"),
        ("M", "metastable"),
        ("O?", "overloaded, and as many seeds say otherwise"),
    ] {
        let class = words.split(',').next().expect("one");
        let cell = format!(
            "<td class=\"z-{class} n\"><span aria-hidden=\"true\">{mark}</span><span class=\"sr\">{words}</span></td>"
        );
        assert_eq!(html.matches(&cell).count(), 1, "{cell}");
    }
    // Low values of the second setting are at the bottom.
    assert!(html.find(">metastable</span>") < html.find(">stable</span>"));
}

#[test]
fn a_recommendation_shows_what_it_was_weighed_against() {
    let page = recommend_page("policies.budgeted.budget.ratio");
    assert_eq!(page.verdicts[0].headline, "policies.budgeted.budget.ratio=0.03");
    let Some(Block::Figure(figure)) = page
        .sections
        .iter()
        .find(|section| section.id == "trade-offs")
        .and_then(|section| section.blocks.first())
    else {
        panic!("no figure")
    };
    let names: Vec<&str> = figure.views.iter().map(|view| view.name.as_str()).collect();
    assert_eq!(names, ["p99 against goodput", "goodput over ratio"]);
    let lines: Vec<_> =
        figure.views[0].lines.iter().map(|line| (line.name.as_str(), line.values.len())).collect();
    assert_eq!(
        lines,
        [("tried, broke a condition", 1), ("tried, met all", 1), ("today", 1), ("recommended", 1)]
    );
    let styles: std::collections::BTreeSet<_> = figure.views[0].lines.iter().map(|line| line.style).collect();
    assert_eq!(styles.len(), lines.len(), "shapes tell them apart, not colours alone");
}

#[test]
fn hostile_paths_stay_text() {
    let evil = "</script><img src=x onerror=alert(1)>\u{202e}";
    for page in [find_page(evil), map_page(evil), recommend_page(evil)] {
        let html = page.html();
        assert!(!html.contains("<img") && !html.contains('\u{202e}'));
        assert_eq!(between(&html, "<script>", "</script>"), [UPLOT, SCRIPT]);
        assert!(html.contains("&lt;img src=x"));
    }
}

/// What took no time that can be told is not told as if it were known.
#[test]
fn a_tile_says_what_the_verdict_says() {
    use sim_models::report::VerdictKind::*;
    let recover = |kind, time: Option<u64>, disturbed: bool| {
        let mut report = storm();
        report.verdict.kind = kind;
        report.summary.time_to_recover = time;
        if !disturbed {
            report.timeline.disturbances.clear();
        }
        let page = TextPage::default();
        let around =
            Around { page: &page, effective: "", diagram: &Diagram::default(), traces: &[], again: "" };
        let tiles = run::page(&report, &around).tiles;
        tiles.into_iter().find(|(what, _)| what == "time to recover").map(|(_, much)| much)
    };
    for (kind, time, says) in [
        (Recovered, Some(0), Some("at once")),
        (Recovered, Some(12_000_000_000), Some("12 s")),
        (NotRecovered, None, Some("not recovered")),
        (Degraded, None, Some("degraded")),
        (NeverSettles, None, Some("never settles")),
        (Undecided, None, Some("undecided")),
        (StillDisturbed, None, Some("still disturbed")),
        (Overloaded, None, Some("overloaded")),
        (Failing, None, Some("failing")),
        (Steady, None, None),
        (Finding, None, None),
    ] {
        assert_eq!(recover(kind, time, true).as_deref(), says, "{kind:?}");
        assert_eq!(recover(kind, None, false), None, "{kind:?}");
    }
}
