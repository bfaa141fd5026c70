//! The parts of an experiment file, before anything is put in place.

use super::decode::{Decode, Decoder};
use super::diagnostic::Sources;
use super::doc::{FieldDoc, Shape, TypeDoc, TypeRef};
use super::folder::Folder;
use super::load::{Axis, Experiment, FORMAT, Variant};
use super::node::{Entry as Field, Kind, Node, Span};
use super::path::{Override, Path};
use super::print;
use super::run::{Expectation, RunSpec};
use crate::catalog::Catalog;

const FIELDS: [&str; 7] = ["format", "about", "model", "run", "variants", "sweep", "expect"];

/// What stands in a file, as data. What stands in the brackets of its model says the [`Catalog`].
pub fn file_doc() -> TypeDoc {
    const VALUE: TypeRef = TypeRef::ANY;
    const MODEL: TypeRef =
        TypeRef { describe: || TypeDoc { name: "model".into(), ..(VALUE.describe)() }, ..VALUE };
    const VALUES: TypeRef = TypeRef { describe: || map_of("values by path", VALUE), ..VALUE };
    const VARIANTS: TypeRef = TypeRef { describe: || map_of("variants by name", VALUES), ..VALUE };
    const AXIS: TypeRef = TypeRef {
        describe: || TypeDoc { name: "list of values".into(), doc: String::new(), shape: Shape::List(VALUE) },
        ..VALUE
    };
    const AXES: TypeRef = TypeRef { describe: || map_of("lists of values by path", AXIS), ..VALUE };
    fn field(name: &'static str) -> FieldDoc {
        let it =
            |doc: &str, ty, default| FieldDoc { name, doc: doc.into(), ty, default, allowed: String::new() };
        match name {
            "format" => {
                it("Version of the file's format.", TypeRef::of::<u32>(), Some(|| Node::number(FORMAT)))
            }
            "about" => it(
                "What it shows, in a sentence or two: the first is its line in `list`.",
                TypeRef::of::<String>(),
                None,
            ),
            "model" => {
                it("What is simulated: a model of `list models`, with its settings in brackets.", MODEL, None)
            }
            "run" => it(
                "How long and how often it runs, and what is promised to users.",
                TypeRef::of::<RunSpec>(),
                None,
            ),
            "variants" => it(
                "The same with other values, by name: of each the paths that differ. A variant meets the luck of the \
                 experiment as written; `compare` runs them all.",
                VARIANTS,
                Some(|| Node::map::<String>([])),
            ),
            "sweep" => it(
                "Which values `sweep` takes, path by path: every combination of them is run.",
                AXES,
                Some(|| Node::map::<String>([])),
            ),
            "expect" => it(
                "What a run should come to: `run` and `check` show it with a tick or a cross, and exit 4 if it is not so.",
                TypeRef::of::<Vec<Expectation>>(),
                Some(|| Node::list([])),
            ),
            other => unreachable!("{other} has no doc"),
        }
    }
    TypeDoc {
        name: "Experiment".into(),
        doc: "An experiment: what is simulated, for how long, what is varied, and what should come of it."
            .into(),
        shape: Shape::Struct(FIELDS.map(field).into()),
    }
}

fn map_of(name: &str, ty: TypeRef) -> TypeDoc {
    TypeDoc { name: name.into(), doc: String::new(), shape: Shape::Map(ty) }
}

/// The parts of the file. `None` only where nothing can be decoded.
pub(super) fn read_root(root: Node, catalog: &Catalog, cx: &mut Decoder) -> Option<Experiment> {
    let fields = cx.fields(&root, "Experiment", &FIELDS)?;
    let format: Option<u32> = cx.field(&fields, "format", Some(|| FORMAT), None);
    if let (Some(format), Some(node)) = (format.filter(|&format| format != FORMAT), fields.get("format")) {
        let (message, help) = match format {
            0 => (
                format!("format 0 is not read: this brownout reads format {FORMAT}"),
                "the first format is 1: `brownout new` writes an experiment of today",
            ),
            _ => (
                format!("format {format} needs a newer brownout: this one reads format {FORMAT}"),
                "upgrade brownout, or write the file for format 1",
            ),
        };
        cx.at("format", |cx| _ = cx.error(node.span, message).help(help));
        // Nothing else in it can be judged.
        return None;
    }
    let about: Option<String> = cx.field(&fields, "about", None, None);
    let entry = match fields.get("model") {
        Some(model) => cx.at("model", |cx| catalog.entry_of(model, cx)),
        None => {
            let names = catalog.names().map(|name| format!("{name}(..)")).collect::<Vec<_>>().join(", ");
            cx.at("model", |cx| {
                _ = cx
                    .error(root.span.first(1), "missing field `model`: what is simulated")
                    .help(format!("models: {names}"))
            });
            None
        }
    };
    let variants = read_variants(fields.get("variants"), cx);
    let axes = read_sweep(fields.get("sweep"), cx);
    let expected = fields.get("expect").cloned();
    let expectations: Option<Vec<Expectation>> = cx.field(&fields, "expect", Some(Vec::new), None);
    let names = || variants.iter().map(|variant| variant.name.value.as_str());
    for (index, expectation) in expectations.iter().flatten().enumerate() {
        let Some(variant) = &expectation.variant else { continue };
        if !names().any(|name| name == variant.value) {
            let help = cx.suggest(&variant.value, "variants", names());
            let message = format!("no variant {}", print::quoted(&variant.value));
            cx.at("expect", |cx| {
                cx.at_index(index, |cx| {
                    cx.at("variant", |cx| _ = cx.error(variant.span, message).help(help))
                });
            });
        }
    }
    if let (None, Some(run)) = (entry, fields.get("run")) {
        cx.at("run", |cx| RunSpec::decode(run, cx));
    }
    // A run section that is left out may still come from `--set`; else its duration is what is missing.
    let end = Span { start: root.span.end.saturating_sub(1), ..root.span };
    let run = fields.get("run").cloned().unwrap_or(Node { kind: Kind::Unit, span: end });
    Some(Experiment {
        about: about.unwrap_or_default(),
        entry: entry?,
        model: fields.get("model")?.clone().named(None),
        run,
        variants,
        axes,
        expectations: expectations.unwrap_or_default(),
        expected,
        set: Vec::new(),
        sources: Sources::default(),
        folder: Folder::none(),
        whole: true,
    })
}

/// A map from paths to something, each path read.
fn read_paths<'n>(node: &'n Node, cx: &mut Decoder) -> Vec<(Path, &'n Node)> {
    let Kind::Map(entries) = &node.kind else {
        return cx
            .expected(node, "a map from paths, such as {\"services.payments.workers\": ..}")
            .unwrap_or_default();
    };
    let mut paths = Vec::new();
    for Field { key, value, .. } in entries {
        let mut place = key.span;
        if (place.end - place.start) as usize == key.value.len() + 2 {
            place = Span { start: place.start + 1, end: place.end - 1, ..place };
        }
        match Path::parse(&key.value, place) {
            Ok(path) => paths.push((path, value)),
            Err(diagnostic) => {
                let error = cx.error(place, &diagnostic.message);
                error.labels = diagnostic.labels;
                error.help = diagnostic.help;
            }
        }
    }
    paths
}

fn read_variants(node: Option<&Node>, cx: &mut Decoder) -> Vec<Variant> {
    let Some(node) = node else { return Vec::new() };
    cx.at("variants", |cx| {
        let Kind::Map(entries) = &node.kind else {
            return cx.expected(node, "a map {\"name\": {\"path\": value}}").unwrap_or_default();
        };
        cx.names(entries);
        let read = |Field { key, value, .. }: &Field| {
            let set = cx.at(&key.value, |cx| read_paths(value, cx));
            let set = set.into_iter().map(|(path, value)| Override { path, value: value.clone() }).collect();
            Variant { name: key.clone(), set }
        };
        entries.iter().map(read).collect()
    })
}

fn read_sweep(node: Option<&Node>, cx: &mut Decoder) -> Vec<Axis> {
    let Some(node) = node else { return Vec::new() };
    cx.at("sweep", |cx| {
        let mut axes: Vec<Axis> = Vec::new();
        for (path, value) in read_paths(node, cx) {
            let name = path.to_string();
            let values = match &value.kind {
                Kind::Invalid => continue,
                Kind::List(values) if values.is_empty() => {
                    cx.error(value.span, format!("the axis `{name}` has no values"))
                        .help("give it some, or remove it");
                    continue;
                }
                Kind::List(values) => values.clone(),
                _ => {
                    cx.at(&name, |cx| cx.expected::<()>(value, "a list of values [..]"));
                    continue;
                }
            };
            if let Some(other) = axes.iter().find(|axis| axis.path.overlaps(&path)) {
                let message = format!("`{name}` and `{}` set the same value", other.path);
                cx.error(path.span(), message).label(other.path.span(), "the other axis").help("remove one");
                continue;
            }
            axes.push(Axis { path, values });
        }
        if matches!(&node.kind, Kind::Map(entries) if entries.is_empty()) {
            cx.error(node.span, "a sweep without axes")
                .help("write {\"path\": [value, ..]}, or leave it out");
        }
        axes
    })
}
