//! Whole pages: what they are made of, and what never gets into one. How they look and work is for the browser to say.

use super::run::Around;
use super::*;
use crate::expect::{Judged, Judgement};
use crate::html::compare::Overlay;
use crate::render::compare::{Compared, Comparison};
use crate::render::estimate::Column;
use crate::render::run::Page as TextPage;
use crate::render::sweep::{Axis as SweptAxis, Cell as SweptCell, Swept};
use crate::render::testdata;
use crate::replicate::{Effect, Estimate, Measured, Seeds};
use sim_models::report::{EdgeWindows, Report, ServiceWindows, Unit};

/// A storm with the windows that figures are drawn from.
fn storm() -> Report {
    let mut report = testdata::storm();
    for (_, edge) in &mut report.edges.0 {
        edge.windows = EdgeWindows {
            started: vec![1000; 300],
            ok: vec![200; 300],
            failed: vec![800; 300],
            attempts: (0..300).map(|n| if n < 60 { 1000 } else { 3000 }).collect(),
            breakers_open: edge.windows.breakers_open.clone(),
            latency: (0..300).map(|n| vec![(10_000_000 + n * 1_000, 150), (50_000_000, 50)]).collect(),
        };
    }
    for (_, service) in &mut report.services.0 {
        service.windows = ServiceWindows {
            queue_ns: vec![1_200_000_000_000; 300],
            queue_max: vec![1536; 300],
            busy_ns: vec![20_000_000_000; 300],
            available_ns: vec![24_000_000_000; 300],
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
    let around =
        Around { page: &page, effective: "(\n    model: ServiceGraph(..),\n)", traces: &[], again: "" };
    run::page(&storm(), &around)
}

fn compare_page() -> Page {
    let column = |path: &str, unit, less| Column { path: path.into(), unit, less_is_better: less };
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
        }],
        ..Swept::default()
    }
}

fn pages() -> [(&'static str, Page); 4] {
    let sweep = |axes| sweep::page(&swept(axes), "brownout sweep utilisation-knee");
    [("run", run_page()), ("compare", compare_page()), ("sweep", sweep(1)), ("map", sweep(2))]
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
    let empty = Around { page: &page, effective: "", traces: &[], again: "" };
    for page in [
        run::page(&Report::default(), &empty),
        compare::page(&Comparison::default(), &[], ""),
        sweep::page(&Swept::default(), ""),
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
