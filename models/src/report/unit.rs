//! What numbers count, and how a report names it.

/// What a number counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Duration,
    /// Per second.
    Rate,
    /// A share between 0 and 1.
    Share,
    /// Bytes.
    Bytes,
    /// Anything else.
    #[default]
    Plain,
}

impl Unit {
    /// All there are.
    pub const ALL: [Unit; 5] = [Unit::Duration, Unit::Rate, Unit::Share, Unit::Bytes, Unit::Plain];

    /// As a report names it: what [`Value::unit`](super::Value::unit) says.
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Duration => "ns",
            Unit::Rate => "/s",
            Unit::Share => "share",
            Unit::Bytes => "B",
            Unit::Plain => "",
        }
    }

    /// The unit that a report names so. What nobody here has heard of is a plain number.
    pub fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|unit| unit.name() == name).unwrap_or(Unit::Plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_report_names_is_read_back() {
        for unit in Unit::ALL {
            assert_eq!(Unit::named(unit.name()), unit);
        }
        assert_eq!(Unit::named("parsecs"), Unit::Plain);
    }
}
