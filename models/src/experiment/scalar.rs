//! How plain values are read: numbers, texts, durations, and what wraps other types.

use sim_core::{Rate, SimDuration, SimTime};

use super::decode::{Decode, Decoder};
use super::doc::{Shape, TypeDoc, TypeRef};
use super::node::{Kind, Node, Spanned};
use super::print;

fn plain(name: &str, shape: Shape) -> TypeDoc {
    TypeDoc { name: name.into(), doc: String::new(), shape }
}

/// What a whole number is written as.
enum Whole {
    Fits(i128),
    /// Too long for any type we have.
    Huge,
    /// A fraction, an exponent or no number at all.
    Not,
}

fn whole(text: &str) -> Whole {
    let (negative, body) = match text.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match body.get(..2) {
        Some("0x") => (16, &body[2..]),
        Some("0b") => (2, &body[2..]),
        Some("0o") => (8, &body[2..]),
        _ => (10, body),
    };
    if !digits.chars().all(|c| c == '_' || c.is_digit(radix)) {
        return Whole::Not;
    }
    let digits: String = digits.chars().filter(|&c| c != '_').collect();
    let digits = digits.trim_start_matches('0');
    match i128::from_str_radix(if digits.is_empty() { "0" } else { digits }, radix) {
        Ok(value) => Whole::Fits(if negative { -value } else { value }),
        Err(_) => Whole::Huge,
    }
}

fn is_nothing(text: &str) -> bool {
    matches!(text.trim_start_matches(['+', '-']), "NaN" | "inf")
}

fn integer<T: TryFrom<i128>>(node: &Node, cx: &mut Decoder, least: i128, most: i128) -> Option<T> {
    let Kind::Number(text) = &node.kind else { return no_number(node, cx, "a whole number") };
    match whole(text) {
        Whole::Fits(value) => {
            if let Ok(value) = T::try_from(value) {
                return Some(value);
            }
        }
        Whole::Huge => {}
        Whole::Not if is_nothing(text) => {
            cx.error(node.span, format!("got {text}, which is not a finite number"))
                .help("write a whole number");
            return None;
        }
        Whole::Not => return cx.expected(node, "a whole number"),
    }
    cx.error(node.span, format!("got {}, allowed {least} to {most}", print::shortened(text)));
    None
}

/// A text that is a percentage, as a share: `"95%"` is 0.95.
fn share_of(text: &str) -> Option<f64> {
    let percent = text.trim().strip_suffix('%')?.trim().parse::<f64>().ok().filter(|it| it.is_finite())?;
    Some((percent * 1e7).round() / 1e9)
}

/// Something else stands where a number should: a text may be one all the same.
fn no_number<T>(node: &Node, cx: &mut Decoder, what: &str) -> Option<T> {
    let Some(text) = node.as_text() else { return cx.expected(node, what) };
    let help = match share_of(text) {
        Some(share) => format!("a percentage is written as a share: {share:?}"),
        None if text.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
            format!("write it without quotes: {}", text.trim())
        }
        None => String::new(),
    };
    cx.error(node.span, format!("expected {what}, found {}", node.found())).help(help);
    None
}

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl Decode for $ty {
            fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
                integer(node, cx, <$ty>::MIN as i128, <$ty>::MAX as i128)
            }
            fn encode(&self) -> Node {
                Node::number(self)
            }
            fn describe() -> TypeDoc {
                plain("whole number", Shape::Integer(<$ty>::MIN as i128, <$ty>::MAX as i128))
            }
        }
    )*};
}
integers!(u8, u16, u32, u64, i64);

impl Decode for f64 {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        let Kind::Number(text) = &node.kind else { return no_number(node, cx, "a number") };
        let shown = print::shortened(text);
        if is_nothing(text) {
            cx.error(node.span, format!("got {shown}, which is not a finite number"))
                .help("write a number such as 0.5");
            return None;
        }
        if let Whole::Fits(value) = whole(text) {
            return Some(value as f64);
        }
        let value: f64 = text.replace('_', "").parse().unwrap_or(f64::INFINITY);
        let mantissa = text.split(['e', 'E']).next().unwrap_or("");
        if !value.is_finite() {
            cx.error(node.span, format!("got {shown}, which is beyond the largest number, about 1.8e308"));
            return None;
        }
        if value == 0.0 && mantissa.bytes().any(|b| matches!(b, b'1'..=b'9')) {
            cx.error(node.span, format!("got {shown}, which is too small to tell from 0"))
                .help("write 0 if 0 is meant");
            return None;
        }
        // There is one zero.
        Some(value + 0.0)
    }
    fn encode(&self) -> Node {
        Node::number(format_args!("{self:?}"))
    }
    fn describe() -> TypeDoc {
        plain("number", Shape::Float)
    }
}

impl Decode for bool {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        match node.kind {
            Kind::Bool(value) => Some(value),
            _ => cx.expected(node, "true or false"),
        }
    }
    fn encode(&self) -> Node {
        Kind::Bool(*self).into()
    }
    fn describe() -> TypeDoc {
        plain("true or false", Shape::Bool)
    }
}

impl Decode for String {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        if let Some(text) = node.as_text() {
            return Some(text.into());
        }
        let help = node.name().filter(|_| matches!(node.kind, Kind::Word(_))).map(print::quoted);
        if node.kind != Kind::Invalid {
            let error = cx.error(node.span, format!("expected a text in quotes, found {}", node.found()));
            error.help(help.map(|text| format!("write {text}")).unwrap_or_default());
        }
        None
    }
    fn encode(&self) -> Node {
        Node::text(self)
    }
    fn describe() -> TypeDoc {
        TypeDoc::text("text", "\"name\"")
    }
}

/// A text with a unit in it.
fn with_unit<T: std::str::FromStr<Err = sim_core::ParseTimeError>>(
    node: &Node,
    cx: &mut Decoder,
    phrase: &str,
    example: &str,
) -> Option<T> {
    match (&node.kind, node.as_text()) {
        (_, Some(text)) => match text.parse() {
            Ok(value) => Some(value),
            Err(_) if share_of(text).is_some() => {
                cx.error(node.span, format!("got {}, a percentage", print::quoted(text)))
                    .help(format!("write {phrase}"));
                None
            }
            Err(error) => {
                cx.error(node.span, format!("got {}: {error}", print::quoted(text)));
                None
            }
        },
        (Kind::Number(text), None) => {
            let help = format!("write it with its unit and in quotes, as in {example}");
            cx.error(node.span, format!("got {}, a number without a unit", print::shortened(text)))
                .help(help);
            None
        }
        _ => cx.expected(node, phrase),
    }
}

macro_rules! units {
    ($($ty:ty, $name:literal, $example:literal, $list:literal;)*) => {$(
        impl Decode for $ty {
            fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
                with_unit(node, cx, concat!("a ", $name, " such as ", $example), concat!($example, $list))
            }
            fn encode(&self) -> Node {
                Node::text(self.to_string())
            }
            fn describe() -> TypeDoc {
                TypeDoc::text($name, $example)
            }
        }
    )*};
}
units! {
    SimDuration, "duration", "\"250ms\"", " (ns, us, ms, s, min, h, d)";
    SimTime, "time", "\"60s\"", " (ns, us, ms, s, min, h, d)";
    Rate, "rate", "\"800/s\"", " or \"30/min\"";
}

/// `x`, `Some(x)` or `None`.
impl<T: Decode> Decode for Option<T> {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        match &node.kind {
            Kind::Word(word) if word == "None" => Some(None),
            Kind::Tuple(Some(name), items) if &**name == "Some" && items.len() == 1 => {
                T::decode(&items[0], cx).map(Some)
            }
            _ => T::decode(node, cx).map(Some),
        }
    }
    fn encode(&self) -> Node {
        let Some(value) = self else { return Node::word("None") };
        match value.encode() {
            // A value that looks like an option itself needs its `Some`.
            inner if matches!(inner.name(), Some("None" | "Some")) => Node::tuple("Some", [inner]),
            inner => inner,
        }
    }
    fn describe() -> TypeDoc {
        plain(&format!("{} or None", T::describe().name), Shape::Optional(TypeRef::of::<T>()))
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        let Kind::List(items) = &node.kind else {
            if matches!(node.kind, Kind::Tuple(None, _) | Kind::Unit) {
                cx.error(node.span, "expected a list [..], found (..)")
                    .help("lists stand in square brackets");
                return None;
            }
            return cx.expected(node, &format!("a list [{}, ..]", T::describe().example()));
        };
        let mut sound = true;
        let decoded: Vec<T> = items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| {
                let item = cx.at_index(index, |cx| T::decode(item, cx));
                sound &= item.is_some();
                item
            })
            .collect();
        sound.then_some(decoded)
    }
    fn encode(&self) -> Node {
        Node::list(self.iter().map(T::encode))
    }
    fn describe() -> TypeDoc {
        plain(&format!("list of {}", T::describe().name), Shape::List(TypeRef::of::<T>()))
    }
}

impl<T: Decode> Decode for Spanned<T> {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        T::decode(node, cx).map(|value| Spanned { value, span: node.span })
    }
    fn encode(&self) -> Node {
        self.value.encode()
    }
    fn describe() -> TypeDoc {
        T::describe()
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        T::decode(node, cx).map(Box::new)
    }
    fn encode(&self) -> Node {
        (**self).encode()
    }
    fn describe() -> TypeDoc {
        T::describe()
    }
}
