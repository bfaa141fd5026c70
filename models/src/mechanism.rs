//! What models are made of, mechanism by mechanism: the page of each, where it is set, and what it may do.
//!
//! Nothing is listed here. Whoever has parts tells them ([`Listed`]), a part has its pages ([`Page`]), and its settings are
//! those of its type; so a mechanism that is new has a page as soon as it is a part.

use crate::experiment::{Diagnostics, FieldDoc, Node, Shape, TypeDoc, parse_value};
use crate::policy::page::Page;
use crate::policy::part::{Does, Listed};

/// A mechanism, to be read about.
#[derive(Clone, Debug)]
pub struct Mechanism {
    /// What there is to know.
    pub page: &'static Page,
    /// Where it stands in an experiment: `policies.NAME.retry`.
    pub path: String,
    /// What it may do, whatever its settings.
    pub does: Does,
    /// Its setting.
    pub setting: FieldDoc,
    /// Values of it as text, those of its own word if it has one: typical ones, the least and the most, on the scale of milliseconds.
    pub samples: Vec<&'static str>,
    /// What it may do with each of these.
    pub sampled: Vec<Does>,
}

impl Mechanism {
    /// What can be written there, without what chooses another mechanism.
    pub fn settings(&self) -> TypeDoc {
        let mut doc = (self.setting.ty.describe)();
        while let Shape::Optional(inner) | Shape::List(inner) | Shape::Map(inner) = doc.shape {
            doc = (inner.describe)();
        }
        if let (Shape::Enum(variants), false) = (&mut doc.shape, self.page.word.is_empty()) {
            variants.retain(|variant| variant.name == self.page.word);
        }
        doc
    }

    /// Whether this value of its setting makes use of it: one that stands there though nobody need have written it.
    pub fn is_in(&self, value: &Node) -> bool {
        let word = self.page.word;
        value.name() != Some("None") && (word.is_empty() || value.name() == Some(word))
    }
}

/// The mechanisms of one kind of thing, a policy or a service: the parts that it has, the fields of its type, and what a part
/// with some setting may do.
pub fn of(
    at: &str,
    doc: TypeDoc,
    parts: &[Listed<'_>],
    does: impl Fn(&'static str, Node) -> Option<Does>,
) -> Vec<Mechanism> {
    let Shape::Struct(fields) = doc.shape else { return Vec::new() };
    let mut all = Vec::new();
    for listed in parts {
        let Some(setting) = fields.iter().find(|field| field.name == listed.key) else { continue };
        for page in listed.about {
            let those = || listed.samples.iter().copied().filter(|sample| sample.starts_with(page.word));
            let done = |sample: &'static str| {
                let value = parse_value(sample, 0, 0, listed.key, &mut Diagnostics::new());
                value.and_then(|value| does(listed.key, value)).unwrap_or(Does::NOTHING)
            };
            let sampled: Vec<Does> = those().map(done).collect();
            all.push(Mechanism {
                page,
                path: if at.is_empty() { listed.key.into() } else { format!("{at}.{}", listed.key) },
                does: sampled.iter().copied().fold(Does::NOTHING, Does::and),
                setting: setting.clone(),
                samples: those().collect(),
                sampled,
            });
        }
    }
    all
}
