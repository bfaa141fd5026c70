//! Pages of mechanisms, for programs.

use super::settings::{Field, Type};
use schemars::JsonSchema;
use serde::Serialize;
use sim_models::mechanism::Mechanism;

/// Version of the shape of [`Page`] and of [`Mechanisms`] in JSON.
pub(crate) const FORMAT: u32 = 1;

/// What there is to know of one mechanism.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Page {
    pub(crate) format: u32,
    #[serde(flatten)]
    pub(crate) head: Head,
    /// When it does harm.
    pub(crate) hurts: &'static str,
    /// How much of it, where that is known.
    pub(crate) formula: &'static str,
    /// Who says so.
    pub(crate) source: &'static str,
    /// What it may do to the requests that meet it.
    pub(crate) does: Vec<Does>,
    /// Its setting.
    pub(crate) setting: Field,
    /// The types that the setting is made of, those of no parts left out.
    pub(crate) types: Vec<Type>,
}

/// All mechanisms.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Mechanisms {
    pub(crate) format: u32,
    pub(crate) mechanisms: Vec<Head>,
}

/// One of them, in short.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Head {
    pub(crate) name: &'static str,
    /// Where it is set: `policies.NAME.hedge`.
    pub(crate) path: String,
    /// The word that chooses it there, if its setting offers several.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) word: &'static str,
    /// What it does.
    pub(crate) what: &'static str,
    /// An experiment that shows it.
    pub(crate) experiment: &'static str,
}

/// Something that a mechanism may do.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Does {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
}

impl From<&Mechanism> for Head {
    fn from(of: &Mechanism) -> Self {
        let page = of.page;
        Head {
            name: page.name,
            path: of.path.clone(),
            word: page.word,
            what: page.what,
            experiment: page.experiment,
        }
    }
}

impl Page {
    /// The page of this mechanism, whose setting is made of these types.
    pub(crate) fn of(mechanism: &Mechanism, types: Vec<Type>) -> Self {
        Page {
            format: FORMAT,
            head: mechanism.into(),
            hurts: mechanism.page.hurts,
            formula: mechanism.page.formula,
            source: mechanism.page.source,
            does: mechanism.does.told().map(|(name, doc)| Does { name, doc }).collect(),
            setting: (&mechanism.setting).into(),
            types,
        }
    }
}
