//! Every field of the experiment file by the path at which it is set, and what experiments write there.
//!
//! Nothing is listed here: the types document themselves, and an example is what the shortest bundled experiment says.

use serde::Serialize;
use sim_models::Catalog;
use sim_models::catalog::Bundled;
use sim_models::experiment::{
    Diagnostics, FieldDoc, Kind, Node, Shape, TypeDoc, TypeRef, VariantDoc, did_you_mean, file_doc,
    parse_file,
};
use std::collections::BTreeMap;

/// Version of the shape of fields in JSON.
pub const FORMAT: u32 = 1;

/// A field, where it can be set.
#[derive(Clone, Debug)]
pub struct Place {
    /// The model that has it; empty if every file has.
    pub model: &'static str,
    /// `services.NAME.queue.target`: `NAME` is any name, `[]` any place of a list.
    pub path: String,
    /// Who has it, where the value is one of several: `CoDel`.
    pub word: &'static str,
    /// Whether it is all that stands in its brackets, without its name: `Poisson("10/s")`.
    pub positional: bool,
    /// What it is.
    pub field: FieldDoc,
    steps: Vec<Step>,
}

/// A field for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Field<'a> {
    /// The model that has it; empty if every file has.
    pub(crate) model: &'a str,
    /// Where it is set.
    pub(crate) path: &'a str,
    /// The variant that has it; may be empty.
    pub(crate) word: &'a str,
    /// Its setting.
    #[serde(flatten)]
    pub(crate) setting: super::settings::Field,
    /// A value, as it might be written.
    pub(crate) example: &'a str,
    /// The bundled experiment in which it stands; empty if none says it.
    pub(crate) experiment: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index,
}

/// Every field of a file and of all models, in the order in which they are written. How long something takes is told by a list
/// of its own, unless all of `times` are wanted too.
pub fn all(catalog: &Catalog, times: bool) -> Vec<Place> {
    let mut found = Vec::new();
    let mut walk = Walk { model: "", times, found: &mut found };
    walk.type_of(&file_doc(), "", &mut Vec::new());
    for entry in catalog.entries() {
        walk.model = entry.name;
        walk.type_of(&(entry.describe)(), "", &mut Vec::new());
    }
    found
}

struct Walk<'a> {
    model: &'static str,
    times: bool,
    found: &'a mut Vec<Place>,
}

impl Walk<'_> {
    fn type_of(&mut self, doc: &TypeDoc, at: &str, within: &mut Vec<(String, String)>) {
        let known = (doc.name.clone(), doc.doc.clone());
        if within.contains(&known) || !self.times && doc.name == "Time" {
            return;
        }
        within.push(known);
        for (word, positional, field) in fields_of(doc) {
            let dot = if at.is_empty() { "" } else { "." };
            let path = format!("{at}{dot}{}", field.name);
            let steps = steps(&path).expect("a path of our own");
            let (below, inside) = parts_of(field.ty, path.clone());
            self.found.push(Place { model: self.model, path, word, positional, field, steps });
            self.type_of(&inside, &below, within);
        }
        within.pop();
    }
}

/// The fields of a struct, or those of each variant: which, and whether they are written without their names. Where one has nothing
/// to say of its own, its variant does.
fn fields_of(doc: &TypeDoc) -> Vec<(&'static str, bool, FieldDoc)> {
    match &doc.shape {
        Shape::Struct(fields) => fields.iter().map(|field| ("", false, field.clone())).collect(),
        Shape::Enum(variants) => {
            let told = |variant: &VariantDoc, field: &FieldDoc| {
                let doc = if field.doc.is_empty() { variant.doc.clone() } else { field.doc.clone() };
                (
                    variant.name,
                    variant.positional && variant.fields.len() == 1,
                    FieldDoc { doc, ..field.clone() },
                )
            };
            variants.iter().flat_map(|it| it.fields.iter().map(|field| told(it, field))).collect()
        }
        _ => Vec::new(),
    }
}

/// Where the fields of a value stand, and what it is within its lists and maps.
pub fn parts_of(ty: TypeRef, path: String) -> (String, TypeDoc) {
    let doc = (ty.describe)();
    match doc.shape {
        Shape::Optional(inner) => parts_of(inner, path),
        Shape::List(inner) => parts_of(inner, path + "[]"),
        Shape::Map(inner) => parts_of(inner, path + ".NAME"),
        _ => (path, doc),
    }
}

/// The steps of a path, whether it stands for one place or for many; an error says what is wrong with it.
fn steps(path: &str) -> Result<Vec<Step>, String> {
    let (mut steps, mut rest) = (Vec::new(), path);
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (index, after) = inner.split_once(']').ok_or("a `[` is never closed")?;
            if !index.trim().bytes().all(|b| b.is_ascii_digit()) {
                return Err(format!("`[{index}]` is no place in a list"));
            }
            steps.push(Step::Index);
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('"') {
            let (name, after) = inner.split_once('"').ok_or("a `\"` is never closed")?;
            steps.push(Step::Name(name.into()));
            rest = after;
        } else {
            let end = rest.find(['.', '[', '"']).unwrap_or(rest.len());
            let name = rest[..end].trim();
            if name.is_empty() {
                return Err("a name is missing".into());
            }
            steps.push(Step::Name(name.into()));
            rest = &rest[end..];
        }
        if let Some(after) = rest.strip_prefix('.') {
            if after.is_empty() {
                return Err("a name is missing at its end".into());
            }
            rest = after;
        }
    }
    if steps.is_empty() { Err("it is empty".into()) } else { Ok(steps) }
}

/// Whether what somebody asks for is this field, or something that stands in its list or map.
fn leads_to(place: &[Step], asked: &[Step], ty: TypeRef) -> bool {
    let Some((here, further)) = place.split_first() else { return stands_in(ty, asked) };
    let Some((first, rest)) = asked.split_first() else { return false };
    match (here, first) {
        (Step::Index, Step::Index) => leads_to(further, rest, ty),
        // `workload.arrivals`
        (Step::Index, _) => leads_to(further, asked, ty),
        (Step::Name(name), Step::Name(said)) => {
            (name == "NAME" || name == said) && leads_to(further, rest, ty)
        }
        _ => false,
    }
}

fn stands_in(ty: TypeRef, asked: &[Step]) -> bool {
    let Some((first, rest)) = asked.split_first() else { return true };
    match ((ty.describe)().shape, first) {
        (Shape::Optional(inner), _) => stands_in(inner, asked),
        (Shape::List(inner), Step::Index) | (Shape::Map(inner), Step::Name(_)) => stands_in(inner, rest),
        _ => false,
    }
}

/// The fields at a path: one, or one of each variant that has it. Else what is wrong, and what to do about it.
pub fn at(catalog: &Catalog, path: &str) -> Result<Vec<Place>, (String, String)> {
    let asked = steps(path).map_err(|why| {
        (
            format!("`{path}` is no path: {why}"),
            "a path looks like services.payments.queue, or workload[0].arrivals".into(),
        )
    })?;
    let mut asked = asked.as_slice();
    let is = |step: &Step, name: &str| matches!(step, Step::Name(said) if said == name);
    // As it stands in a file: `model.services`, `ServiceGraph.services`.
    if asked.len() > 1 && is(&asked[0], "model") {
        asked = &asked[1..];
    }
    let model = catalog.names().find(|name| asked.len() > 1 && is(&asked[0], name));
    if model.is_some() {
        asked = &asked[1..];
    }
    let places: Vec<Place> =
        all(catalog, true).into_iter().filter(|it| model.is_none_or(|model| it.model == model)).collect();
    let leading = |asked: &[Step]| {
        places.iter().filter(|it| leads_to(&it.steps, asked, it.field.ty)).collect::<Vec<_>>()
    };
    let found = leading(asked);
    if let Some(first) = found.first() {
        // Two models may have a field of this name: the first one's is meant, unless the path begins with a model.
        let of = first.model;
        return Ok(found.into_iter().filter(|it| it.model == of).cloned().collect());
    }
    let known =
        (0..asked.len()).rev().find(|&end| end == 0 || !leading(&asked[..end]).is_empty()).unwrap_or(0);
    let told = |step: &Step| match step {
        Step::Name(name) => name.clone(),
        Step::Index => "[0]".into(),
    };
    let wrong = told(&asked[known]);
    let elsewhere = || {
        let last = asked.iter().rev().find_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::Index => None,
        });
        let named = places.iter().filter(|it| last == Some(it.field.name));
        let mut paths: Vec<&str> = named.map(|it| it.path.as_str()).collect();
        paths.dedup();
        let more = paths.len().saturating_sub(8);
        paths.truncate(8);
        let more = if more > 0 {
            format!(" and {more} more: `list fields {}`", last.unwrap_or_default())
        } else {
            String::new()
        };
        if paths.is_empty() { String::new() } else { format!("there is: {}{more}", paths.join(", ")) }
    };
    if known == 0 {
        let help = match elsewhere() {
            there if there.is_empty() => {
                let top = places.iter().filter(|it| it.steps.len() == 1).map(|it| it.field.name);
                did_you_mean(&wrong, "a path begins with one of", top)
            }
            there => there,
        };
        return Err((format!("no path begins with `{wrong}`"), help));
    }
    let owners = leading(&asked[..known]);
    let owner = owners[0];
    let names = owners.iter().flat_map(|it| fields_of(&parts_of(it.field.ty, String::new()).1));
    let mut names: Vec<&str> = names.map(|(.., field)| field.name).collect();
    names.dedup();
    let mut help = elsewhere();
    if help.is_empty() {
        help = match names.is_empty() {
            true => format!("`brownout explain --field {}` says what it can be", owner.path),
            false => did_you_mean(&wrong, "its fields are", names.iter().copied()),
        };
    }
    let message = match names.is_empty() {
        true => format!(
            "nothing stands in `{}`, which is a {}",
            owner.path,
            super::settings::type_name(owner.field.ty)
        ),
        false => format!("no field `{wrong}` in `{}`", parts_of(owner.field.ty, owner.path.clone()).0),
    };
    Err((message, help))
}

/// Where else a field stands that is asked for by its name alone, `of` which model; nothing of a path that says where.
pub fn elsewhere(catalog: &Catalog, asked: &str, shown: &[Place]) -> Vec<String> {
    let asked = steps(asked).unwrap_or_default();
    let [Step::Name(name)] = asked.as_slice() else { return Vec::new() };
    let is_shown = |it: &Place| shown.iter().any(|shown| (shown.model, &shown.path) == (it.model, &it.path));
    let named = all(catalog, true).into_iter().filter(|it| it.field.name == name && !is_shown(it));
    let mut told: Vec<String> = named
        .map(|it| match it.model {
            "" => it.path,
            model => format!("{} of {model}", it.path),
        })
        .collect();
    told.dedup();
    let more = told.len().saturating_sub(8);
    told.truncate(8);
    told.extend((more > 0).then(|| format!("and {more} more: `list fields {name}`")));
    told
}

/// What stands in bundled experiments, field by field: the shortest that says something, and who says it.
#[derive(Clone, Debug, Default)]
pub struct Examples {
    found: BTreeMap<(&'static str, String, &'static str), Example>,
}

/// An example: in this order the first is the best.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Example {
    is_default: bool,
    length: usize,
    text: String,
    experiment: &'static str,
}

impl Examples {
    /// Those of these experiments.
    pub fn of<'a>(catalog: &Catalog, experiments: impl IntoIterator<Item = &'a Bundled>) -> Self {
        let places = all(catalog, true);
        let mut named: BTreeMap<&str, Vec<&Place>> = BTreeMap::new();
        places.iter().for_each(|place| named.entry(place.field.name).or_default().push(place));
        let mut examples = Examples::default();
        for experiment in experiments {
            let Some(file) = parse_file(experiment.text, 0, &mut Diagnostics::new()) else { continue };
            examples.read(catalog, &file, experiment.name, &named);
        }
        examples
    }

    fn read(
        &mut self,
        catalog: &Catalog,
        file: &Node,
        experiment: &'static str,
        named: &BTreeMap<&str, Vec<&Place>>,
    ) {
        self.visit("", experiment, file, &file_doc(), "");
        let Some(node) = file.get("model") else { return };
        let Some(entry) = node.name().and_then(|name| catalog.get(name)) else { return };
        self.visit(entry.name, experiment, &node.clone().named(None), &(entry.describe)(), "");
        for set in
            file.get("variants").into_iter().flat_map(|it| it.entries()).flat_map(|it| it.value.entries())
        {
            let Ok(asked) = steps(&set.key.value) else { continue };
            let Some(Step::Name(last)) = asked.last() else { continue };
            let of_it = named.get(last.as_str()).into_iter().flatten();
            let mut of_it = of_it.filter(|it| ["", entry.name].contains(&it.model));
            let mut of_it = of_it.by_ref().filter(|it| leads_to(&it.steps, &asked, it.field.ty));
            // What stands where one of several is chosen is known only with what is chosen; a plain value may stand for a whole.
            if let (Some(place), None) = (of_it.next(), of_it.next())
                && (place.field.ty.expand)(&set.value).is_some()
            {
                self.meet(place.model, experiment, &set.value, &place.field, place.word, place.path.clone());
            }
        }
    }

    /// What stands in a value.
    fn visit(&mut self, model: &'static str, experiment: &'static str, node: &Node, doc: &TypeDoc, at: &str) {
        let inner = |ty: &TypeRef| (ty.describe)();
        match (&doc.shape, &node.kind) {
            (Shape::Optional(ty), Kind::Tuple(Some(some), items))
                if &**some == "Some" && items.len() == 1 =>
            {
                self.visit(model, experiment, &items[0], &inner(ty), at);
            }
            (Shape::Optional(ty), _) => self.visit(model, experiment, node, &inner(ty), at),
            (Shape::List(ty), _) => {
                let (doc, at) = (inner(ty), format!("{at}[]"));
                node.items().iter().for_each(|item| self.visit(model, experiment, item, &doc, &at));
            }
            (Shape::Map(ty), _) => {
                let (doc, at) = (inner(ty), format!("{at}.NAME"));
                node.entries().iter().for_each(|it| self.visit(model, experiment, &it.value, &doc, &at));
            }
            (Shape::Struct(_) | Shape::Enum(_), kind) => {
                let word = match &doc.shape {
                    Shape::Enum(variants) => {
                        let said = node.name().unwrap_or_default();
                        variants.iter().find(|it| it.name == said).map_or("", |it| it.name)
                    }
                    _ => "",
                };
                let dot = if at.is_empty() { "" } else { "." };
                for (number, field) in doc.fields_of(node).iter().enumerate() {
                    let value = match kind {
                        Kind::Tuple(..) => node.items().get(number),
                        _ => node.get(field.name),
                    };
                    if let Some(value) = value {
                        self.meet(model, experiment, value, field, word, format!("{at}{dot}{}", field.name));
                    }
                }
            }
            _ => {}
        }
    }

    fn meet(
        &mut self,
        model: &'static str,
        experiment: &'static str,
        value: &Node,
        field: &FieldDoc,
        word: &'static str,
        path: String,
    ) {
        if value.kind != Kind::Invalid {
            let is_default = field.default.is_some_and(|default| default() == *value);
            let text = value.to_line();
            let example = Example { is_default, length: text.len(), text, experiment };
            let best = self.found.entry((model, path.clone(), word)).or_insert_with(|| example.clone());
            if example < *best {
                *best = example;
            }
        }
        self.visit(model, experiment, value, &(field.ty.describe)(), &path);
    }

    /// A value for a field, and the experiment that says it; none says what it is by default, or what its type can be.
    pub fn best(&self, place: &Place) -> (String, &'static str) {
        let key = (place.model, place.path.clone(), place.word);
        if let Some(example) = self.found.get(&key) {
            return (example.text.clone(), example.experiment);
        }
        let default = place.field.default.map(|default| default());
        let says =
            |node: &Node| node.name() != Some("None") && !matches!(node.kind, Kind::List(_) | Kind::Map(_));
        match default.filter(says) {
            Some(default) => (default.to_line(), ""),
            None => (within(&(place.field.ty.describe)().example(), &place.field.allowed), ""),
        }
    }
}

/// A number that may be there: the least one instead of one that may not.
fn within(example: &str, allowed: &str) -> String {
    let number = |text: &str| text.parse::<f64>().ok();
    match (number(example), allowed.split_once(" to ")) {
        (Some(value), Some((least, most)))
            if number(least).is_some_and(|least| value < least)
                || number(most).is_some_and(|most| value > most) =>
        {
            least.into()
        }
        _ => example.into(),
    }
}

impl Place {
    /// The path as somebody asked for it, if it can be set as it stands: every step of it is there, and says which.
    pub fn as_asked(&self, asked: &str) -> Option<String> {
        let said = steps(asked).ok()?;
        let whole = said.len() >= self.steps.len() && leads_to(&self.steps, &said, self.field.ty);
        (whole && !asked.contains("NAME") && !asked.contains("[]")).then(|| asked.into())
    }

    /// A value in its place: `queue: Lifo(capacity: 10)`, or `Poisson("10/s")` where that is how it is written.
    pub fn written(&self, example: &str) -> String {
        match self.positional {
            true => format!("{}({example})", self.word),
            false => format!("{}: {example}", self.field.name),
        }
    }

    /// For programs, with an example.
    pub(crate) fn field<'a>(&'a self, (example, experiment): &'a (String, &'static str)) -> Field<'a> {
        Field {
            model: self.model,
            path: &self.path,
            word: self.word,
            setting: (&self.field).into(),
            example,
            experiment,
        }
    }
}
