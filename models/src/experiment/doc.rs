//! What a type accepts, as data: for `explain`, for a schema, for messages, and for overrides of values
//! that the file leaves at their default.

use super::decode::{Decode, Decoder};
use super::node::Node;

/// The documentation of a type.
#[derive(Clone, Debug)]
pub struct TypeDoc {
    /// `Backoff`; for plain values a word such as `duration`.
    pub name: String,
    /// What it is for; may be empty.
    pub doc: String,
    /// What it consists of.
    pub shape: Shape,
}

/// What a type consists of. Parts are looked at on demand, so types may contain themselves.
#[derive(Clone, Debug)]
pub enum Shape {
    /// `true` or `false`.
    Bool,
    /// A whole number in this range.
    Integer(i128, i128),
    /// Any finite number.
    Float,
    /// A text; the example shows its form: `"250ms"`.
    Text(&'static str),
    /// This, or `None`.
    Optional(TypeRef),
    /// `[this, ..]`
    List(TypeRef),
    /// `{"name": this, ..}`
    Map(TypeRef),
    /// `(field: .., ..)`
    Struct(Vec<FieldDoc>),
    /// One of these.
    Enum(Vec<VariantDoc>),
    /// Not known.
    Any,
}

/// The documentation of a field or of a variant's parameter.
#[derive(Clone, Debug)]
pub struct FieldDoc {
    /// As it is written in the file.
    pub name: &'static str,
    /// Role and unit.
    pub doc: String,
    /// Its type.
    pub ty: TypeRef,
    /// Its default in canonical form; a field without one is required.
    pub default: Option<fn() -> Node>,
    /// The values it may have beyond its type: `1 to 1000`. May be empty.
    pub allowed: String,
}

/// The documentation of a variant.
#[derive(Clone, Debug)]
pub struct VariantDoc {
    /// As it is written in the file; empty if it has no word, only fields.
    pub name: &'static str,
    /// What it does.
    pub doc: String,
    /// Its fields or parameters, in order.
    pub fields: Vec<FieldDoc>,
    /// Whether they are written without their names.
    pub positional: bool,
}

/// A type, by what can be done with it while it is unknown.
#[derive(Clone, Copy, Debug)]
pub struct TypeRef {
    /// Its documentation.
    pub describe: fn() -> TypeDoc,
    /// The canonical form of a value, if it is sound.
    pub expand: fn(&Node) -> Option<Node>,
}

impl TypeRef {
    /// Nothing is known.
    pub const ANY: TypeRef = TypeRef {
        describe: || TypeDoc { name: "value".into(), doc: String::new(), shape: Shape::Any },
        expand: |_| None,
    };

    /// The type `T`.
    pub fn of<T: Decode>() -> Self {
        TypeRef {
            describe: T::describe,
            expand: |node| {
                let mut cx = Decoder::new();
                let value = T::decode(node, &mut cx)?;
                (!cx.has_errors()).then(|| value.encode())
            },
        }
    }
}

impl TypeDoc {
    /// A type that is written as a text of some form.
    pub fn text(name: &str, example: &'static str) -> Self {
        TypeDoc { name: name.into(), doc: String::new(), shape: Shape::Text(example) }
    }

    /// The fields that `node` can have: those of the struct, or of the variant that it is.
    pub fn fields_of(&self, node: &Node) -> &[FieldDoc] {
        match &self.shape {
            Shape::Struct(fields) => fields,
            Shape::Enum(variants) => {
                let name = node.name().unwrap_or_default();
                let variant = variants.iter().find(|variant| variant.name == name);
                variant.map_or(&[], |variant| &variant.fields)
            }
            _ => &[],
        }
    }

    /// Whether what has this word is written without the names of its fields.
    pub(super) fn is_positional(&self, word: &str) -> bool {
        match &self.shape {
            Shape::Enum(variants) => {
                variants.iter().any(|variant| variant.name == word && variant.positional)
            }
            _ => false,
        }
    }

    /// A value as a person might write it: what is required, nothing more.
    pub fn example(&self) -> String {
        self.example_within(5)
    }

    fn example_within(&self, depth: usize) -> String {
        let of = |ty: &TypeRef| match depth {
            0 => "..".into(),
            _ => (ty.describe)().example_within(depth - 1),
        };
        match &self.shape {
            Shape::Bool => "true".into(),
            Shape::Integer(..) => "1".into(),
            Shape::Float => "0.5".into(),
            Shape::Text(example) => (*example).into(),
            Shape::Optional(inner) => of(inner),
            Shape::List(inner) => format!("[{}]", of(inner)),
            Shape::Map(inner) => format!("{{\"name\": {}}}", of(inner)),
            Shape::Struct(fields) => format!("({})", example_fields(fields, false, &of)),
            Shape::Enum(variants) => match variants.first() {
                Some(variant) if variant.fields.is_empty() => variant.name.into(),
                Some(VariantDoc { name, fields, positional, .. }) => {
                    format!("{name}({})", example_fields(fields, *positional, &of))
                }
                None => "..".into(),
            },
            Shape::Any => "..".into(),
        }
    }
}

fn example_fields(fields: &[FieldDoc], positional: bool, of: &dyn Fn(&TypeRef) -> String) -> String {
    let required = fields.iter().filter(|field| positional || field.default.is_none());
    let shown = required.map(|field| match positional {
        true => of(&field.ty),
        false => format!("{}: {}", field.name, of(&field.ty)),
    });
    shown.collect::<Vec<_>>().join(", ")
}

impl VariantDoc {
    /// `Fixed(attempts, delay)`
    pub fn signature(&self) -> String {
        let names: Vec<&str> = self.fields.iter().map(|field| field.name).collect();
        match (names.is_empty(), self.positional) {
            (true, _) => self.name.into(),
            (false, true) => format!("{}({})", self.name, names.join(", ")),
            (false, false) => format!("{}({}: ..)", self.name, names.join(": .., ")),
        }
    }
}

impl FieldDoc {
    /// The default as it would be written.
    pub fn default_text(&self) -> Option<String> {
        self.default.map(|default| default().to_string())
    }
}

/// The lines of a doc comment as one text.
#[doc(hidden)]
pub fn join_doc(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(line);
    }
    text
}
