//! `docs/reference.md` and the pages below `docs/reference`: every field of an experiment file, from the types themselves, with
//! what a bundled experiment says in its place.

use super::document::held;
use brownout_tests::ask::ask;
use sim_cli::internals::BUNDLED;
use sim_cli::internals::fields::{Examples, Place, all, parts_of};
use sim_models::Catalog;
use sim_models::distribution::TimeSpec;
use sim_models::experiment::{
    Decode, Diagnostics, FieldDoc, Shape, TypeDoc, TypeRef, VariantDoc, file_doc, parse_value,
};
use std::fmt::Write;

/// What is said about a file before its fields are.
const HEAD: &str = include_str!("reference.md");

/// What takes time is told once, for all models.
const TIME: &str = "Time";

/// A type, where its values stand, and what its section is called.
struct Section {
    doc: TypeDoc,
    at: Vec<String>,
    title: String,
}

struct Reference {
    places: Vec<Place>,
    examples: Examples,
}

#[test]
fn the_reference_is_what_the_types_say() {
    let catalog = Catalog::bundled();
    let all = Reference { places: all(&catalog, true), examples: Examples::of(&catalog, BUNDLED) };
    let mut models = String::new();
    for entry in catalog.entries() {
        let name = format!("reference/{}.md", entry.name);
        _ = writeln!(models, "| [`{}`]({name}) | {} |", entry.name, entry.about);
        let page = format!(
            "# {}\n\n{}. The fields that stand in the brackets of `model: {}(..)`, and those that stand in them; what every file \
             has is on [another page](../reference.md), and what a mechanism is good for on [a third](../policies.md). \
             `brownout explain --field PATH` says the same of one field. An example is the shortest of the bundled experiments.\n{}",
            entry.name,
            upper(entry.about),
            entry.name,
            all.sections(entry.name, (entry.describe)(), "../reference.md"),
        );
        held(&name, &page);
    }
    let file = all.sections("", file_doc(), "");
    let (of_file, rest) = file.split_once("\n## Run\n").expect("the section of a run");
    let times = all.times();
    let page = HEAD
        .replace("@FILE@\n", of_file.split_once("\n\n").expect("a head").1)
        .replace("@REST@\n", &format!("## Run\n{rest}"))
        .replace("@TIMES@\n", &times)
        .replace("@MODELS@\n", &models);
    assert!(!page.contains('@'), "{page}");
    held("reference.md", &page);
}

impl Reference {
    /// A section for each type of a model, in the order in which a file has them.
    fn sections(&self, model: &str, root: TypeDoc, times: &str) -> String {
        let mut sections = vec![Section { title: root.name.clone(), doc: root, at: vec![String::new()] }];
        for place in self.places.iter().filter(|place| place.model == model) {
            let (at, doc) = parts_of(place.field.ty, place.path.clone());
            if !matches!(doc.shape, Shape::Struct(_) | Shape::Enum(_)) || is_time(&doc) {
                continue;
            }
            match sections.iter_mut().find(|it| same(&it.doc, &doc)) {
                Some(there) if there.at.contains(&at) => {}
                Some(there) => there.at.push(at),
                None => {
                    // Two types may have one name.
                    let taken = sections.iter().any(|it| it.title == doc.name);
                    let title = if taken {
                        format!("{} of {}", doc.name, place.field.name)
                    } else {
                        doc.name.clone()
                    };
                    sections.push(Section { doc, at: vec![at], title });
                }
            }
        }
        let mut text = String::new();
        for section in &sections {
            _ = writeln!(text, "\n## {}\n\n{}", section.title, section.doc.doc);
            let at: Vec<String> =
                section.at.iter().filter(|at| !at.is_empty()).map(|at| format!("`{at}`")).collect();
            let more = at.len().saturating_sub(4);
            let more = if more > 0 { format!(", and in {more} places more") } else { String::new() };
            if !at.is_empty() {
                _ = writeln!(text, "At {}{more}.", at[..at.len().min(4)].join(", "));
            }
            let link = |ty: TypeRef| linked(ty, &sections, times);
            text += &self.table(model, section, &link);
        }
        text
    }

    fn table(&self, model: &str, section: &Section, link: &dyn Fn(TypeRef) -> String) -> String {
        let mut rows = String::new();
        let row = |word: &str, positional: Option<usize>, field: &FieldDoc, rows: &mut String| {
            let name = match positional {
                Some(1) => format!("`{word}({})`", field.name),
                Some(_) => format!("`{word}(.. {} ..)`", field.name),
                None => format!("`{}`", field.name),
            };
            let default = match field.default_text() {
                Some(default) => code(&default),
                None => "required".into(),
            };
            let example = self.example(model, section, word, field);
            let about = [field.doc.as_str(), &allowed(&field.allowed)].join(" ");
            _ = writeln!(
                rows,
                "| {name} | {} | {default} | {} | {} |",
                link(field.ty),
                code(&example),
                cell(about.trim())
            );
        };
        match &section.doc.shape {
            Shape::Struct(fields) => fields.iter().for_each(|field| row("", None, field, &mut rows)),
            Shape::Enum(variants) => {
                for VariantDoc { name, doc, fields, positional } in variants {
                    let written = match (name.is_empty(), fields.is_empty()) {
                        (true, _) => "(..)".into(),
                        (_, true) => (*name).to_string(),
                        _ => format!("{name}(..)"),
                    };
                    _ = writeln!(rows, "| **`{written}`** | | | | {} |", cell(doc));
                    let many = positional.then_some(fields.len());
                    fields.iter().for_each(|field| row(name, many, field, &mut rows));
                }
            }
            _ => {}
        }
        format!("\n| field | type | default | such as | what it is |\n|---|---|---|---|---|\n{rows}")
    }

    /// What an experiment says there, else what the field is by default, or can be.
    fn example(&self, model: &str, section: &Section, word: &str, field: &FieldDoc) -> String {
        let is_here = |place: &&Place| {
            let dot =
                |at: &String| if at.is_empty() { field.name.into() } else { format!("{at}.{}", field.name) };
            place.model == model && place.word == word && section.at.iter().any(|at| dot(at) == place.path)
        };
        let mut found: Vec<_> =
            self.places.iter().filter(is_here).map(|place| self.examples.best(place)).collect();
        found.sort_by_key(|(text, experiment)| (experiment.is_empty(), text.len()));
        let (text, _) = found.into_iter().next().expect("a field stands somewhere");
        assert!(can_be(field.ty, &text), "`{}: {text}` of {} is no value of it", field.name, section.title);
        text
    }

    /// How long something takes.
    fn times(&self) -> String {
        let of_model = "ServiceGraph";
        let places = self.places.iter().filter(|it| it.model == of_model);
        let (mut time, mut parts) = (Vec::new(), Vec::new());
        for place in places {
            let (at, doc) = parts_of(place.field.ty, place.path.clone());
            match doc.name.as_str() {
                _ if is_time(&doc) => time.push(at),
                "Weighted" | "Point" if matches!(doc.shape, Shape::Struct(_)) => parts.push((at, doc)),
                _ => {}
            }
        }
        let mut sections = vec![Section { doc: TimeSpec::describe(), at: time, title: TIME.into() }];
        for (at, doc) in parts {
            match sections.iter_mut().find(|it| same(&it.doc, &doc)) {
                Some(there) => there.at.push(at),
                None => sections.push(Section { title: doc.name.clone(), doc, at: vec![at] }),
            }
        }
        let mut text = String::new();
        for section in &sections {
            if section.title != TIME {
                _ = writeln!(text, "\n### {}\n\n{}", section.title, section.doc.doc);
            }
            text += &self.table(of_model, section, &|ty| linked(ty, &sections, ""));
        }
        text
    }
}

fn is_time(doc: &TypeDoc) -> bool {
    doc.name == TIME && matches!(doc.shape, Shape::Enum(_))
}

fn same(a: &TypeDoc, b: &TypeDoc) -> bool {
    (&a.name, &a.doc) == (&b.name, &b.doc)
}

/// Whether this text is a value of that type, a name of something that is not there included.
fn can_be(ty: TypeRef, text: &str) -> bool {
    let known = !matches!((ty.describe)().shape, Shape::Any | Shape::Map(_));
    let node = parse_value(text, 0, 0, "example", &mut Diagnostics::new());
    node.is_some_and(|node| !known || (ty.expand)(&node).is_some())
}

/// A type, with where it is told of.
fn linked(ty: TypeRef, sections: &[Section], times: &str) -> String {
    let doc = (ty.describe)();
    match doc.shape {
        Shape::Optional(inner) => linked(inner, sections, times),
        Shape::List(inner) => format!("list of {}", linked(inner, sections, times)),
        Shape::Map(inner) if doc.name.starts_with("map of ") => {
            format!("by name, {}", linked(inner, sections, times))
        }
        Shape::Struct(_) | Shape::Enum(_) if is_time(&doc) => format!("[{TIME}]({times}#time)"),
        Shape::Struct(_) | Shape::Enum(_) => match sections.iter().find(|it| same(&it.doc, &doc)) {
            Some(section) => {
                format!("[{}](#{})", section.title, section.title.to_lowercase().replace(' ', "-"))
            }
            None => doc.name,
        },
        _ => doc.name,
    }
}

fn allowed(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!("*Allowed: {said}.*") }
}

fn code(text: &str) -> String {
    format!("`{}`", text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|"))
}

fn cell(said: &str) -> String {
    said.replace('|', "\\|")
}

fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

/// Whatever is shown as a file is one.
#[test]
fn every_file_of_the_reference_is_sound() {
    let blocks: Vec<&str> =
        HEAD.split("```").skip(1).step_by(2).filter_map(|it| it.strip_prefix("ron\n")).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let ran = ask(["check", "-"], block.as_bytes(), |_| {});
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{block}\n{}{}", ran.stdout, ran.stderr);
    }
}

/// The path of every field leads to its entry, as it is listed and as it is set, and whoever writes it a little otherwise is told.
#[test]
fn every_field_has_an_entry() {
    let listed = ask(["list", "fields", "--format", "csv"], &[], |_| {}).stdout;
    for place in all(&Catalog::bundled(), false) {
        assert!(!place.field.doc.is_empty(), "nobody says what `{}` is", place.path);
        assert!(listed.contains(&format!(",{},", place.path)), "`list fields` leaves out {}", place.path);
    }
    let entry = |path: &str| {
        let ran = ask(["explain", "--field", path], &[], |_| {});
        (ran.code, ran.stdout + &ran.stderr)
    };
    for (path, says) in [
        ("services.NAME.queue", "default       Fifo(capacity: 1024, drop_expired: false)"),
        ("services.payments.queue", "--set 'services.payments.queue=VALUE'"),
        ("services.payments.queue", "explain --mechanism queue | lifo"),
        ("services.payments", "Identical replicas."),
        ("model.services.payments.replicas", "run EXPERIMENT --set 'PATH=VALUE'"),
        ("workload[0].arrivals", "--set 'workload[0].arrivals=VALUE'"),
        ("workload.arrivals.rate", "Poisson(\""),
        ("Contention.retry", "Retry"),
        ("Fleet.machines", "machines"),
        ("faults[0].effect.factor", "of Slow"),
        ("services.a.calls[0].calls[1].to", "The service called."),
        ("services.a.work.mean", "of Exponential"),
        ("repair", "also          faults[].repair of ServiceGraph"),
        ("run.slo[0].objective", "0.0 to 0.999999999"),
        ("expect[0].during", "The part of the run"),
        ("variants", "The same with other values"),
        ("about", "required: it must be said"),
    ] {
        let (code, said) = entry(path);
        assert!(code == 0 && said.contains(says), "`{path}` does not say `{says}`:\n{said}");
    }
    for (path, says) in [
        ("services.payments.qeue", "no field `qeue` in `services.NAME`\n  did you mean `queue`?"),
        (
            "ttl",
            "no path begins with `ttl`\n  there is: services.NAME.discovery.ttl, services.NAME.cache.ttl",
        ),
        ("servces", "did you mean `services`?"),
        ("services.a.replicas.x", "nothing stands in `services.NAME.replicas`, which is a whole number"),
        ("services..a", "is no path: a name is missing"),
        ("services.a.", "is no path: a name is missing at its end"),
        ("services[x]", "`[x]` is no place in a list"),
        ("", "is no path: it is empty"),
    ] {
        let (code, said) = entry(path);
        assert!(code == 2 && said.contains(says), "`{path}` does not say `{says}`:\n{said}");
    }
}
