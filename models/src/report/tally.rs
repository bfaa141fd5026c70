//! Counts by a closed enum: an array while it runs, named numbers when it is written.
//!
//! The keys are those of the enum's own rows, in the order of its numbers. What a reader of format 1 has always
//! found is always written; what came later is written only where there is any.

use crate::policy::told::Counted;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// How many of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally<K: Counted>(K::Counts);

impl<K: Counted> Default for Tally<K> {
    fn default() -> Self {
        Tally(K::Counts::default())
    }
}

impl<K: Counted> Tally<K> {
    /// Each that is counted apart, with its key and its count: also those of which there are none.
    pub fn all(&self) -> impl Iterator<Item = (K, &'static str, u64)> {
        K::counted().map(|kind| (kind, kind.written().0, self[kind]))
    }

    /// Those that are written: what format 1 has always counted, and what is newer and not 0.
    pub fn written(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.all()
            .filter(|(kind, _, count)| kind.written().2 || *count > 0)
            .map(|(_, key, count)| (key, count))
    }

    /// All together.
    pub fn total(&self) -> u64 {
        self.0.as_ref().iter().sum()
    }

    /// Those of another, added.
    pub fn add(&mut self, other: &Self) {
        self.0.as_mut().iter_mut().zip(other.0.as_ref()).for_each(|(count, more)| *count += more);
    }

    /// Whether there are none but of these.
    pub fn none_but(&self, known: &[K]) -> bool {
        known.iter().map(|kind| self[*kind]).sum::<u64>() == self.total()
    }
}

impl<K: Counted> FromIterator<(K, u64)> for Tally<K> {
    fn from_iter<I: IntoIterator<Item = (K, u64)>>(counts: I) -> Self {
        let mut tally = Tally::default();
        counts.into_iter().for_each(|(kind, count)| tally[kind] += count);
        tally
    }
}

impl<K: Counted> Index<K> for Tally<K> {
    type Output = u64;
    #[inline]
    fn index(&self, kind: K) -> &u64 {
        &self.0.as_ref()[kind.place()]
    }
}

impl<K: Counted> IndexMut<K> for Tally<K> {
    #[inline]
    fn index_mut(&mut self, kind: K) -> &mut u64 {
        &mut self.0.as_mut()[kind.place()]
    }
}

impl<K: Counted> Serialize for Tally<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.written())
    }
}

impl<'de, K: Counted> Deserialize<'de> for Tally<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counts<K>(PhantomData<K>);
        impl<'de, K: Counted> Visitor<'de> for Counts<K> {
            type Value = Tally<K>;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("counts by name")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tally<K>, A::Error> {
                let mut tally = Tally::default();
                let mut missing: Vec<K> = K::counted().collect();
                while let Some(key) = map.next_key::<String>()? {
                    match missing.iter().position(|kind| kind.written().0 == key) {
                        Some(at) => tally[missing.remove(at)] = map.next_value()?,
                        // Tallies lie flat among other fields.
                        None => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                match missing.into_iter().map(K::written).find(|(.., from_the_first)| *from_the_first) {
                    Some((key, ..)) => Err(A::Error::missing_field(key)),
                    None => Ok(tally),
                }
            }
        }
        deserializer.deserialize_map(Counts(PhantomData))
    }
}

impl<K: Counted> JsonSchema for Tally<K> {
    fn schema_name() -> Cow<'static, str> {
        K::SCHEMA.0.into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let count = u64::json_schema(generator);
        let mut properties = serde_json::Map::new();
        let mut required = Vec::new();
        for (key, about, from_the_first) in K::counted().map(K::written) {
            let mut property = count.clone();
            property.insert("description".into(), about.into());
            properties.insert(key.into(), property.to_value());
            required.extend(from_the_first.then_some(key));
        }
        json_schema!({
            "description": K::SCHEMA.1, "type": "object", "properties": properties, "required": required,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Fruit {
        Apple,
        Pear,
        /// Came later.
        Quince,
    }

    impl Counted for Fruit {
        type Counts = [u64; 3];
        const SCHEMA: (&'static str, &'static str) = ("Fruits", "A bowl.");
        fn counted() -> impl Iterator<Item = Self> {
            [Fruit::Apple, Fruit::Pear, Fruit::Quince].into_iter()
        }
        fn place(self) -> usize {
            self as usize
        }
        fn written(self) -> (&'static str, &'static str, bool) {
            match self {
                Fruit::Apple => ("apple", "Red.", true),
                Fruit::Pear => ("pear", "Green.", true),
                Fruit::Quince => ("quince", "Yellow.", false),
            }
        }
    }

    #[test]
    fn what_came_later_is_written_only_where_there_is_any() {
        let mut bowl: Tally<Fruit> = [(Fruit::Pear, 1), (Fruit::Pear, 1)].into_iter().collect();
        let json = |bowl: &Tally<Fruit>| serde_json::to_string(bowl).unwrap();
        assert_eq!(json(&bowl), r#"{"apple":0,"pear":2}"#);
        bowl[Fruit::Quince] += 1;
        assert_eq!(json(&bowl), r#"{"apple":0,"pear":2,"quince":1}"#);
        assert_eq!((bowl.total(), bowl.all().count()), (3, 3));
        assert!(bowl.none_but(&[Fruit::Quince, Fruit::Pear]) && !bowl.none_but(&[Fruit::Apple, Fruit::Pear]));
    }

    #[test]
    fn what_was_always_written_must_be_there() {
        let read = |text| serde_json::from_str::<Tally<Fruit>>(text).map_err(|error| error.to_string());
        assert_eq!(read(r#"{"pear":2,"apple":1,"stone":[3]}"#).unwrap()[Fruit::Apple], 1);
        assert!(read(r#"{"apple":1}"#).unwrap_err().contains("missing field `pear`"));
    }

    #[test]
    fn the_schema_asks_for_what_is_always_written() {
        let schema = schemars::schema_for!(Tally<Fruit>).to_value();
        assert_eq!(schema["required"], serde_json::json!(["apple", "pear"]));
        assert_eq!(schema["properties"]["quince"]["description"], "Yellow.");
    }
}
