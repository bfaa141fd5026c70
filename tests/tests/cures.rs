//! Every experiment says what its control is, in `scripts/cures.txt`, and what came of it on twenty seeds, in `docs/cures.md`. Whether that is
//! still so, `scripts/cures` asks, which takes its time; here both know which experiments, variants and expectations there are.

use brownout_tests::experiments;
use sim_models::experiment::Experiment;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// Whether this is the experiment as written, or one of its variants.
fn has(experiment: &Experiment, run: &str) -> bool {
    run == "base" || experiment.variant_names().any(|variant| variant == run)
}

fn parsed() -> BTreeMap<String, Experiment> {
    let files = experiments().into_iter();
    files.map(|file| (file.name.clone(), file.parse().expect("a sound experiment").0)).collect()
}

#[test]
fn every_experiment_says_what_its_control_is() {
    let (experiments, said) = (parsed(), read("scripts/cures.txt"));
    let mut controls: BTreeMap<&str, u32> = BTreeMap::new();
    for line in said.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let end = line.find([':', ' ']).unwrap_or_else(|| panic!("what is `{line}`?"));
        let (name, variant) = line[..end].split_once('/').unwrap_or((&line[..end], "base"));
        let experiment = experiments.get(name).unwrap_or_else(|| panic!("`{name}` is gone: {line}"));
        assert!(has(experiment, variant), "`{variant}` is gone: {line}");
        let rest = line[end..].trim_start_matches(':').trim_start();
        let runs = match line[end..].chars().next() {
            Some(':') => {
                *controls.entry(name).or_default() += 1;
                rest.split_once(": ").unwrap_or_else(|| panic!("without what? {line}")).0
            }
            _ => rest.strip_prefix("-> ").unwrap_or("none"),
        };
        for run in runs.split(" -> ").filter(|&run| run != "none") {
            assert!(has(experiment, run), "`{run}` is gone: {line}");
        }
    }
    for name in experiments.keys() {
        assert_eq!(
            controls.get(name.as_str()),
            Some(&1),
            "lines of the control of {name} in scripts/cures.txt"
        );
    }
}

/// Of each experiment of the page its rows: of which run something is expected, and in which others that does not hold.
fn rows(page: &str) -> BTreeMap<&str, Vec<(&str, Vec<&str>)>> {
    let mut found: BTreeMap<&str, Vec<(&str, Vec<&str>)>> = BTreeMap::new();
    let (mut name, mut is_table) = ("", false);
    for line in page.lines() {
        if let Some(link) = line.strip_prefix("### [`") {
            name = link.split('`').next().expect("a name");
            assert!(found.insert(name, Vec::new()).is_none(), "{name} stands there twice");
        } else if line.starts_with("|---") {
            is_table = true;
        } else if let Some(cells) = line.strip_prefix("| ").filter(|_| is_table && !name.is_empty()) {
            let (of, rest) = cells.split_once(" | ").expect("several cells");
            let (_, fails) = rest.trim_end_matches(" |").rsplit_once(" | ").expect("several cells");
            // What is changed in the run itself stands last, and is no run.
            let fails = fails.split('`').next().expect("the runs");
            let fails = fails.split(", ").filter(|run| !run.is_empty()).collect();
            found.get_mut(name).expect("its heading").push((of, fails));
        } else {
            is_table = false;
        }
    }
    found
}

#[test]
fn the_page_of_cures_has_a_row_for_each_expectation() {
    let (experiments, page) = (parsed(), read("docs/cures.md"));
    let rows = rows(&page);
    assert_eq!(
        rows.keys().collect::<Vec<_>>(),
        experiments.keys().collect::<Vec<_>>(),
        "experiments of docs/cures.md, and those that there are: scripts/cures writes it"
    );
    for (name, experiment) in &experiments {
        let mut expected: Vec<&str> = experiment
            .expectations()
            .iter()
            .map(|it| it.variant.as_ref().map_or("base", |it| &it.value))
            .collect();
        let mut told: Vec<&str> = rows[name.as_str()].iter().map(|(of, _)| *of).collect();
        expected.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, expected, "rows of {name} in docs/cures.md: scripts/cures {name} writes them anew");
        for run in rows[name.as_str()].iter().flat_map(|(_, fails)| fails) {
            assert!(*run == "every other run" || has(experiment, run), "docs/cures.md: {name} has no {run}");
        }
    }
}

#[test]
fn rows_are_those_of_the_experiments_tables() {
    let page = "| of | not on |\n|---|---|\n| base | 7 |\n\n### [`a`](../a.ron)\n\nControl: b.\n\n| of | expected | does not hold in |\n\
                |---|---|---|\n| base | `x` | b, `\"p\": 1` |\n| b | `y \\| z` | `\"p\": (q: 1, r: 2)` |\n\n## family\n\n### [`c`](../c.ron)\n";
    assert_eq!(rows(page), BTreeMap::from([("a", vec![("base", vec!["b"]), ("b", vec![])]), ("c", vec![])]));
}
