//! A map from names to values that keeps the order of the file.

use std::collections::BTreeMap;

use super::decode::{Decode, Decoder};
use super::doc::{Shape, TypeDoc, TypeRef};
use super::node::{Entry, Kind, Node, Span, Spanned};
use super::print;
use super::rule::Name;

/// Named things in the order of the file: services, policies. No name occurs twice, not even with other
/// capitals: results are files, and some file systems fold case.
#[derive(Clone, Debug)]
pub struct Map<T> {
    entries: Vec<(Spanned<String>, T)>,
    /// The place of each name: thousands of services look each other up.
    places: BTreeMap<String, usize>,
}

impl<T> Default for Map<T> {
    fn default() -> Self {
        Map { entries: Vec::new(), places: BTreeMap::new() }
    }
}

impl<T> Map<T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> + DoubleEndedIterator {
        self.entries.iter().map(|(name, value)| (name.value.as_str(), value))
    }

    /// The names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.value.as_str())
    }

    /// The values, in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &T> {
        self.entries.iter().map(|(_, value)| value)
    }

    /// The values, in order, to change.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.index_of(name).map(|index| &self.entries[index].1)
    }

    /// The place of a name in the order.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The entry at a place in the order.
    pub fn at(&self, index: usize) -> Option<(&Spanned<String>, &T)> {
        self.entries.get(index).map(|(name, value)| (name, value))
    }

    /// Where a name was written.
    pub fn span_of(&self, name: &str) -> Option<Span> {
        self.index_of(name).map(|index| self.entries[index].0.span)
    }

    /// Adds a name that is not there yet; false if it is.
    pub fn insert(&mut self, name: impl Into<String>, value: T) -> bool {
        let name = name.into();
        if self.index_of(&name).is_some() {
            return false;
        }
        self.places.insert(name.clone(), self.entries.len());
        self.entries.push((Spanned { value: name, span: Span::default() }, value));
        true
    }
}

/// The later of two equal names is the one that is found.
impl<T> FromIterator<(Spanned<String>, T)> for Map<T> {
    fn from_iter<I: IntoIterator<Item = (Spanned<String>, T)>>(entries: I) -> Self {
        let entries: Vec<_> = entries.into_iter().collect();
        let places =
            entries.iter().enumerate().map(|(place, (name, _))| (name.value.clone(), place)).collect();
        Map { entries, places }
    }
}

impl Decoder {
    /// Checks the keys of a map as names, each different from the others whatever its capitals.
    pub fn names(&mut self, entries: &[Entry]) {
        let mut folded: BTreeMap<String, &Spanned<String>> = BTreeMap::new();
        for Entry { key, .. } in entries {
            if let Err(why) = Name::verdict(&key.value) {
                let message = format!("got {}: {why}", print::quoted(&key.value));
                self.at(&key.value, |cx| _ = cx.error(key.span, message));
            }
            if let Some(before) = folded.insert(key.value.to_lowercase(), key) {
                let message = format!("`{}` and `{}` differ only in capitals", before.value, key.value);
                self.at(&key.value, |cx| {
                    _ = cx.error(key.span, message).label(before.span, "first here").help("rename one")
                });
            }
        }
    }
}

impl<T: Decode> Decode for Map<T> {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        let entries: &[Entry] = match &node.kind {
            Kind::Map(entries) => entries,
            Kind::Struct(None, _) => {
                cx.error(node.span.first(1), "expected a map {\"name\": ..}, found fields (..)")
                    .help("names that you choose are keys in curly brackets and quotes");
                return None;
            }
            _ => return cx.expected(node, "a map {\"name\": ..}"),
        };
        cx.names(entries);
        let mut sound = true;
        let decoded: Vec<_> = entries
            .iter()
            .filter_map(|Entry { key, value, .. }| {
                let value = cx.at(&key.value, |cx| T::decode(value, cx));
                sound &= value.is_some();
                Some((key.clone(), value?))
            })
            .collect();
        sound.then(|| decoded.into_iter().collect())
    }

    fn encode(&self) -> Node {
        Node::map(self.iter().map(|(name, value)| (name, value.encode())))
    }

    fn describe() -> TypeDoc {
        let name = format!("map of {}", T::describe().name);
        TypeDoc { name, doc: String::new(), shape: Shape::Map(TypeRef::of::<T>()) }
    }
}
