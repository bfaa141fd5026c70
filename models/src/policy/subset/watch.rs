//! To how many clients each replica is known: a section of the report.

use crate::report::{Better, Section, Unit, Value};

/// What is told of them: nothing measured yet.
pub(super) fn declared(at: &str) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    Section::new("subsets", at)
        .value(
            "clients_least",
            plain("clients, as the run ended, that know the replica that the fewest know"),
        )
        .value("clients_most", plain("clients that know the one that the most know").better(Better::Less))
        .value("unknown", plain("replicas that no client knows").better(Better::Less).headline())
}

/// What is told of clients that know so much each, of so many replicas.
pub fn spread<'a>(at: &str, replicas: u32, known: impl Iterator<Item = &'a [u32]>) -> Section {
    let mut clients = vec![0u32; replicas as usize];
    known.flatten().for_each(|replica| clients[*replica as usize] += 1);
    let mut section = declared(at);
    section.set("clients_least", clients.iter().min().map(|least| f64::from(*least)));
    section.set("clients_most", clients.iter().max().map(|most| f64::from(*most)));
    section.set("unknown", clients.iter().filter(|clients| **clients == 0).count() as f64);
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_known_is_counted() {
        let known = [vec![0, 1], vec![1, 3], vec![3, 1]];
        let section = spread("a->b", 4, known.iter().map(Vec::as_slice));
        let told: Vec<Option<f64>> = section.values.iter().map(|(_, value)| value.value).collect();
        assert_eq!(told, [Some(0.0), Some(3.0), Some(1.0)]);
    }
}
