//! What there is to know of one field of the experiment file, and the list of all of them.

use super::json;
use super::reference;
use crate::result::fields::{Examples, FORMAT, Field, Place};
use crate::result::settings::{Type, type_name};
use crate::text::table::csv_line;
use crate::text::{Paint, Style, pad, wrap};
use serde_json::json;
use sim_models::experiment::{Shape, TypeDoc, TypeRef};
use sim_models::mechanism::Mechanism;

/// Where what is said begins.
const COLUMN: usize = 14;

/// The type of a value, without the lists, maps and options around it.
fn inside(ty: TypeRef) -> TypeDoc {
    let doc = (ty.describe)();
    match doc.shape {
        Shape::Optional(inner) | Shape::List(inner) | Shape::Map(inner) => inside(inner),
        _ => doc,
    }
}

/// The types that fields are made of, each once, the plain ones left out: those of the fields, and what these are made of.
fn types(places: &[Place]) -> Vec<TypeDoc> {
    let mut found: Vec<TypeDoc> = Vec::new();
    for place in places {
        for doc in reference::types(inside(place.field.ty)).into_iter().filter(reference::is_composite) {
            if !found.iter().any(|it| (&it.name, &it.doc) == (&doc.name, &doc.doc)) {
                found.push(doc);
            }
        }
    }
    found
}

/// The fields at a path for people; `asked` is how it was asked for, `others` where else there is one of this name, `program` what the tool is called.
pub fn page(
    places: &[Place],
    asked: &str,
    others: &[String],
    mechanisms: &[Mechanism],
    examples: &Examples,
    program: &str,
    style: Style,
) -> String {
    let mut lines = Vec::new();
    let say = |lines: &mut Vec<String>, head: &str, said: &str| {
        for (number, line) in wrap(said, style.columns() - COLUMN).into_iter().enumerate() {
            lines.push(format!("{}{line}", pad(if number == 0 { head } else { "" }, COLUMN)));
        }
    };
    for place in places {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let of = if place.word.is_empty() { String::new() } else { format!("  of {}", place.word) };
        lines.extend([format!("{}{of}", style.paint(Paint::Strong, &place.path)), String::new()]);
        say(&mut lines, "what it is", &place.field.doc);
        say(&mut lines, "type", &type_name(place.field.ty));
        say(&mut lines, "allowed", &place.field.allowed);
        let default = place.field.default_text();
        let default = default.map(|it| it.split_whitespace().collect::<Vec<_>>().join(" "));
        say(&mut lines, "default", default.as_deref().unwrap_or("required: it must be said"));
        let (example, experiment) = examples.best(place);
        let seen = if experiment.is_empty() { String::new() } else { format!("   as in {experiment}") };
        say(&mut lines, "such as", &(place.written(&example) + &seen));
        let pages = mechanisms.iter().filter(|it| place.model == "ServiceGraph" && it.path == place.path);
        let pages: Vec<&str> = pages.map(|it| it.page.name).collect();
        if !pages.is_empty() {
            say(&mut lines, "its pages", &format!("{program} explain --mechanism {}", pages.join(" | ")));
        }
    }
    if !others.is_empty() {
        lines.push(String::new());
        say(&mut lines, "also", &others.join(", "));
    }
    let settable = |it: &&Place| !it.model.is_empty() || it.path.starts_with("run.");
    if let Some(place) = places.first().filter(settable) {
        let path = place.as_asked(asked).unwrap_or_else(|| "PATH".into());
        lines.push(String::new());
        say(&mut lines, "from outside", &format!("{program} run EXPERIMENT --set '{path}=VALUE'"));
    }
    let types = types(places);
    let mut text = lines.join("\n") + "\n";
    if !types.is_empty() {
        text += "\n";
        text += &reference::text(&types, style);
    }
    text
}

/// The same for programs.
pub fn page_json(places: &[Place], examples: &Examples) -> String {
    let best: Vec<_> = places.iter().map(|place| examples.best(place)).collect();
    let fields: Vec<Field> = places.iter().zip(&best).map(|(place, best)| place.field(best)).collect();
    let types: Vec<Type> = types(places).iter().map(Type::from).collect();
    json(&json!({ "format": FORMAT, "fields": fields, "types": types }))
}

/// All of these for people, a line each.
pub fn list(places: &[Place], program: &str, style: Style) -> String {
    let head = |place: &Place| match place.word {
        "" => place.path.clone(),
        word => format!("{} ({word})", place.path),
    };
    let mut lines = Vec::new();
    let mut model = None;
    for place in places {
        if model != Some(place.model) {
            if model.is_some() {
                lines.push(String::new());
            }
            lines.push(
                style
                    .paint(Paint::Strong, if place.model.is_empty() { "of every file" } else { place.model }),
            );
            model = Some(place.model);
        }
        let default = place.field.default_text().map_or_else(
            || "required".into(),
            |it| format!("= {}", it.split_whitespace().collect::<Vec<_>>().join(" ")),
        );
        lines.push(format!("  {}  {} {default}", pad(&head(place), 50), type_name(place.field.ty)));
    }
    if lines.is_empty() {
        lines.push("no such field".into());
    }
    lines.push(format!("\n`{program} explain --field PATH` is the page of one"));
    lines.join("\n") + "\n"
}

/// The list for programs.
pub fn list_json(places: &[Place], examples: &Examples) -> String {
    let best: Vec<_> = places.iter().map(|place| examples.best(place)).collect();
    let fields: Vec<Field> = places.iter().zip(&best).map(|(place, best)| place.field(best)).collect();
    json(&json!({ "format": FORMAT, "fields": fields }))
}

/// The list for spreadsheets.
pub fn list_csv(places: &[Place], examples: &Examples) -> String {
    let line = |place: &Place| {
        let (example, experiment) = examples.best(place);
        let default = place.field.default_text().unwrap_or_default();
        let of = type_name(place.field.ty);
        csv_line([
            place.model,
            &place.path,
            place.word,
            &of,
            &default.split_whitespace().collect::<Vec<_>>().join(" "),
            &place.field.allowed,
            &place.field.doc,
            &example,
            experiment,
        ])
    };
    csv_line(["model", "path", "variant", "type", "default", "allowed", "what", "example", "experiment"])
        + &places.iter().map(line).collect::<String>()
}
