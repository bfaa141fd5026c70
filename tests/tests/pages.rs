//! Every mechanism has a page that can be read: `brownout explain --mechanism NAME`. The experiment that it sends its reader
//! to is there, and in it the mechanism is at work.

#[path = "pages/document.rs"]
mod document;
#[path = "pages/reference.rs"]
mod reference;

use brownout_tests::ask::ask;
use brownout_tests::experiments;
use sim_models::Catalog;
use sim_models::experiment::{Entry, Node, nearest};
use sim_models::mechanism::Mechanism;

fn all() -> Vec<Mechanism> {
    Catalog::bundled().mechanisms().collect()
}

/// Whether it was chosen anywhere in what this says: written, and not what it would be anyway. Other models than the one that
/// tells of it may have it as well.
fn is_used(mechanism: &Mechanism, said: &Node) -> bool {
    let chosen =
        |it: &Entry| it.key.value == mechanism.setting.name && !it.implied && mechanism.is_in(&it.value);
    let entries = said.entries().iter();
    entries.clone().any(chosen)
        || entries.map(|it| &it.value).chain(said.items()).any(|part| is_used(mechanism, part))
}

#[test]
fn the_experiment_of_a_page_uses_its_mechanism() {
    let files = experiments();
    for mechanism in all() {
        let page = mechanism.page;
        let file = files.iter().find(|file| file.name == page.experiment).unwrap_or_else(|| {
            panic!("the page of `{}` names {}, which is not there", page.name, page.experiment)
        });
        let (read, _) = file.parse().expect("a sound experiment");
        let variants = std::iter::once(None).chain(read.variant_names().map(Some));
        let used = variants.into_iter().any(|variant| {
            let resolved = read.with(variant, &[]).expect("a sound variant");
            ["model", "run"]
                .iter()
                .any(|part| is_used(&mechanism, resolved.canonical.get(part).expect("both")))
        });
        assert!(used, "{} does not use `{}`, whose page names it", page.experiment, page.name);
    }
}

#[test]
fn every_page_renders() {
    for mechanism in all() {
        let name = mechanism.page.name;
        let page = ask(["explain", "--mechanism", name], &[], |_| {});
        assert_eq!((page.code, page.stderr.as_str()), (0, ""), "{name}");
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let read = words(&page.stdout);
        let about = mechanism.page;
        for said in [about.what, about.hurts, about.formula, about.source, about.experiment] {
            assert!(read.contains(&words(said)), "the page of `{name}` leaves out: {said}\n{}", page.stdout);
        }
        let settings = mechanism.settings();
        assert!(read.contains(&mechanism.path), "where `{name}` is set");
        assert!(read.contains(settings.name.as_str()), "what `{name}` can be");

        let page = ask(["explain", "--mechanism", name, "--format", "json"], &[], |_| {});
        let page: serde_json::Value = serde_json::from_str(&page.stdout).expect("JSON");
        assert_eq!(page["format"], 1, "{name}");
        assert_eq!(page["name"], name);
        assert_eq!(page["hurts"], about.hurts);
        assert_eq!(page["setting"]["name"], mechanism.setting.name);
    }
}

#[test]
fn mechanisms_are_listed() {
    let all = all();
    let text = ask(["list", "mechanisms"], &[], |_| {}).stdout;
    let json = ask(["list", "mechanisms", "--format", "json"], &[], |_| {}).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let csv = ask(["list", "mechanisms", "--format", "csv"], &[], |_| {}).stdout;
    assert_eq!(csv.lines().count(), 1 + all.len());
    for (number, mechanism) in all.iter().enumerate() {
        let name = mechanism.page.name;
        assert!(text.lines().any(|line| line.starts_with(&format!("  {name} "))), "{name} in\n{text}");
        assert_eq!(json["mechanisms"][number]["name"], name);
        assert_eq!(json["mechanisms"][number]["path"], mechanism.path.as_str());
    }
}

#[test]
fn an_unknown_name_is_told_the_nearest() {
    let wrong = ask(["explain", "--mechanism", "hegde"], &[], |_| {});
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("did you mean `hedge`?"), "{}", wrong.stderr);
    let nothing = ask(["explain", "--mechanism", "xyzzy"], &[], |_| {});
    assert_eq!(nothing.code, 2);
    assert!(all().iter().all(|it| nothing.stderr.contains(it.page.name)), "{}", nothing.stderr);
    assert_eq!(nearest("xyzzy", all().iter().map(|it| it.page.name)), None);
    let both = ask(["explain", "retry-storm", "--mechanism", "hedge"], &[], |_| {});
    assert_eq!(both.code, 2, "an experiment or a mechanism");
}
