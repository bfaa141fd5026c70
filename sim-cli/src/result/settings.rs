//! What can be written in a file, type by type, for programs.

use schemars::JsonSchema;
use serde::Serialize;
use sim_models::experiment::{FieldDoc, Shape, TypeDoc, TypeRef, VariantDoc};

/// A type of the experiment file: fields, or variants, or an example of how its values are written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Type {
    pub(crate) name: String,
    /// What it is for.
    pub(crate) doc: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fields: Option<Vec<Field>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) variants: Option<Vec<Variant>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) example: Option<String>,
}

/// A field, or a parameter of a variant.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    #[serde(rename = "type")]
    pub(crate) of: String,
    /// As it would be written; none if it must be.
    pub(crate) default: Option<String>,
    /// The values it may have beyond its type; may be empty.
    pub(crate) allowed: String,
    /// Role and unit.
    pub(crate) doc: String,
}

/// A variant.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) doc: String,
    /// Whether its fields are written without their names.
    pub(crate) positional: bool,
    pub(crate) fields: Vec<Field>,
}

impl From<&TypeDoc> for Type {
    fn from(doc: &TypeDoc) -> Self {
        let mut it = Type {
            name: doc.name.clone(),
            doc: doc.doc.clone(),
            fields: None,
            variants: None,
            example: None,
        };
        match &doc.shape {
            Shape::Struct(fields) => it.fields = Some(fields.iter().map(Field::from).collect()),
            Shape::Enum(variants) => it.variants = Some(variants.iter().map(Variant::from).collect()),
            _ => it.example = Some(doc.example()),
        }
        it
    }
}

impl From<&FieldDoc> for Field {
    fn from(field: &FieldDoc) -> Self {
        Field {
            name: field.name,
            of: type_name(field.ty),
            default: field.default_text(),
            allowed: field.allowed.clone(),
            doc: field.doc.clone(),
        }
    }
}

impl From<&VariantDoc> for Variant {
    fn from(variant: &VariantDoc) -> Self {
        Variant {
            name: variant.name,
            doc: variant.doc.clone(),
            positional: variant.positional,
            fields: variant.fields.iter().map(Field::from).collect(),
        }
    }
}

/// How a type is called where it is used.
pub(crate) fn type_name(ty: TypeRef) -> String {
    let doc = (ty.describe)();
    match doc.shape {
        Shape::Optional(inner) => type_name(inner),
        Shape::List(inner) => format!("[{}]", type_name(inner)),
        // One that is not named after what is in it is told by its own name: values by path.
        Shape::Map(inner) if doc.name.starts_with("map of ") => {
            format!("{{\"name\": {}}}", type_name(inner))
        }
        _ => doc.name,
    }
}
