//! The settings that a recommendation chooses from: a place has one value for each of several ranges and lists.

use crate::result::knob::{Count, Knob};
use crate::study::axis::split;

/// One setting and its possible values.
#[derive(Clone, Debug, PartialEq)]
pub enum Dimension {
    /// Anything between two ends.
    Range(Knob),
    /// One of these, as typed.
    List {
        /// Where it is set.
        path: String,
        /// Its values.
        values: Vec<String>,
    },
}

/// A value for each dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Where it is between the ends, from 0 to 1; of a list its place in it.
    pub at: Vec<f64>,
    /// What to type.
    pub values: Vec<String>,
}

impl Dimension {
    /// The values of a list that is typed with commas: `2,3,4`, `None,Fixed(attempts: 2)`; none if there is only one.
    pub fn list(path: &str, text: &str) -> Option<Dimension> {
        let mut values: Vec<String> = Vec::new();
        for value in split(text).into_iter().filter(|value| !value.is_empty()) {
            if !values.iter().any(|other| other == value) {
                values.push(value.to_string());
            }
        }
        (values.len() > 1).then(|| Dimension::List { path: path.into(), values })
    }

    /// Where it is set.
    pub fn path(&self) -> &str {
        match self {
            Dimension::Range(knob) => &knob.path,
            Dimension::List { path, .. } => path,
        }
    }

    /// How many values it has, if they can be counted.
    fn size(&self) -> Option<usize> {
        match self {
            Dimension::Range(knob) if knob.count == Count::Whole => Some((knob.high - knob.low) as usize + 1),
            Dimension::Range(_) => None,
            Dimension::List { values, .. } => Some(values.len()),
        }
    }

    /// Positions that a first look takes: of a list all of them, of a range its round values.
    fn coarse(&self) -> Vec<f64> {
        match self {
            Dimension::Range(knob) => knob.coarse().into_iter().map(|x| knob.position(x)).collect(),
            Dimension::List { values, .. } => {
                (0..values.len()).map(|n| n as f64 / (values.len() - 1) as f64).collect()
            }
        }
    }

    /// The roundest value between two positions, and where it is; none if they are as good as one.
    fn between(&self, a: f64, b: f64) -> Option<(f64, String)> {
        let Dimension::Range(knob) = self else { return None };
        if (a - b).abs() < FINEST {
            return None;
        }
        let x = knob.roundest(knob.at(a), knob.at(b))?;
        Some((knob.position(x), knob.value(x)))
    }

    /// The value nearest to a position, and where it really is.
    fn near(&self, position: f64) -> (f64, String) {
        match self {
            Dimension::Range(knob) => {
                let x = knob.round(knob.at(position.clamp(0.0, 1.0)));
                (knob.position(x), knob.value(x))
            }
            Dimension::List { values, .. } => {
                let last = values.len() - 1;
                let index = (position.clamp(0.0, 1.0) * last as f64).round() as usize;
                (index as f64 / last as f64, values[index].clone())
            }
        }
    }
}

/// Two values closer than this share of their range are not told apart by trying what is between them.
const FINEST: f64 = 0.05;

impl Place {
    /// How many digits its values take: the fewer, the rounder they are.
    pub fn digits(&self) -> usize {
        self.values.iter().map(|value| digits(value)).sum()
    }
}

/// The digits of what is typed, without leading and trailing zeros: 3 of `"999ms"`, 1 of `Ratio(0.04)` and `"200ms"`.
fn digits(value: &str) -> usize {
    let number = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let whole = |part: &str| {
        let digits = number(part);
        let digits = digits.trim_start_matches('0');
        if part.contains('.') { digits.len() } else { digits.trim_end_matches('0').len() }
    };
    value.split(|c: char| !(c.is_ascii_digit() || c == '.')).map(whole).sum()
}

/// All dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct Space(pub Vec<Dimension>);

/// Bases of the sequence that fills the space, one for each dimension.
const PRIMES: [u32; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
/// So few places are all tried.
const FEW: usize = 12;
/// More dimensions than this cannot be searched with the runs that anybody makes.
pub const MOST_DIMENSIONS: usize = PRIMES.len();

impl Space {
    /// The place nearest to these positions.
    pub fn near(&self, positions: &[f64]) -> Place {
        let (at, values) = self.0.iter().zip(positions).map(|(dimension, at)| dimension.near(*at)).unzip();
        Place { at, values }
    }

    /// The same place with one digit in one dimension; none if it has no more there, or cannot.
    pub fn rounder(&self, place: &Place, dimension: usize) -> Option<Place> {
        let Dimension::Range(knob) = &self.0[dimension] else { return None };
        let x = knob.rounder(knob.at(place.at[dimension]))?;
        let mut rounder = place.clone();
        (rounder.at[dimension], rounder.values[dimension]) = (knob.position(x), knob.value(x));
        (rounder.digits() < place.digits()).then_some(rounder)
    }

    /// The settings of a place.
    pub fn settings(&self, place: &Place) -> Vec<(String, String)> {
        self.0
            .iter()
            .zip(&place.values)
            .map(|(dimension, value)| (dimension.path().into(), value.clone()))
            .collect()
    }

    /// Every place that has one of these positions in each dimension, if there are at most so many.
    fn grid(&self, axes: &[Vec<f64>], most: usize) -> Option<Vec<Place>> {
        let count = axes.iter().try_fold(1usize, |product, axis| product.checked_mul(axis.len()))?;
        if count > most {
            return None;
        }
        let place = |mut n: usize| {
            let at = |axis: &Vec<f64>| {
                let index = n % axis.len();
                n /= axis.len();
                axis[index]
            };
            self.exactly(&axes.iter().map(at).collect::<Vec<_>>())
        };
        Some((0..count).map(place).collect())
    }

    /// The place at these positions, however many digits that takes.
    fn exactly(&self, positions: &[f64]) -> Place {
        let value = |(dimension, at): (&Dimension, &f64)| match dimension {
            Dimension::Range(knob) => {
                let x = knob.at(*at);
                (knob.position(x), knob.value(x))
            }
            Dimension::List { .. } => dimension.near(*at),
        };
        let (at, values) = self.0.iter().zip(positions).map(value).unzip();
        Place { at, values }
    }

    /// Every place, if there are at most so many.
    fn all(&self, most: usize) -> Option<Vec<Place>> {
        let axis = |dimension: &Dimension| match dimension {
            Dimension::Range(knob) => {
                let size = dimension.size().filter(|size| *size <= most)?;
                Some((0..size).map(|n| knob.position(knob.low + n as f64)).collect())
            }
            Dimension::List { .. } => Some(dimension.coarse()),
        };
        self.grid(&self.0.iter().map(axis).collect::<Option<Vec<_>>>()?, most)
    }

    /// At most about `count` places spread over the whole space: all of them where that is few, or all round ones; else
    /// those of a Halton sequence (its numbers in base 2, 3, 5 .. for each dimension), stretched a little so that the ends are
    /// reached.
    pub fn spread(&self, count: usize) -> Vec<Place> {
        if let Some(all) = self.all(count.min(FEW)) {
            return all;
        }
        let coarse: Vec<Vec<f64>> = self.0.iter().map(Dimension::coarse).collect();
        if let Some(round) = self.grid(&coarse, count) {
            return round;
        }
        let stretched = |x: f64| (x * 1.1 - 0.05).clamp(0.0, 1.0);
        (1..=count).map(|n| self.near(&self.halton(n).map(stretched).collect::<Vec<_>>())).collect()
    }

    /// The roundest places between one and those next to it that were tried, along each dimension.
    pub fn between<'a>(&self, centre: &Place, tried: impl Iterator<Item = &'a Place> + Clone) -> Vec<Place> {
        let mut places = Vec::new();
        for (d, dimension) in self.0.iter().enumerate() {
            let here = centre.at[d];
            let others = || tried.clone().map(|place| place.at[d]);
            let below = others().filter(|at| *at < here).reduce(f64::max);
            let above = others().filter(|at| *at > here).reduce(f64::min);
            for (at, value) in below.into_iter().chain(above).filter_map(|next| dimension.between(here, next))
            {
                let mut place = centre.clone();
                (place.at[d], place.values[d]) = (at, value);
                places.push(place);
            }
        }
        places
    }

    /// About `count` places around `centre`, at most `reach` away in any dimension; of a list, any value now and then.
    pub fn around(&self, centre: &[f64], reach: f64, count: usize, from: usize) -> Vec<Place> {
        let one = |n: usize| {
            let moved =
                self.0.iter().zip(self.halton(n)).zip(centre).enumerate().map(|(d, ((dimension, x), at))| {
                    match dimension {
                        // A third of the places takes another word.
                        Dimension::List { .. } if (n + d).is_multiple_of(3) => x,
                        Dimension::List { .. } => *at,
                        Dimension::Range(knob) => {
                            let step =
                                if knob.count == Count::Whole { 1.0 / (knob.high - knob.low) } else { 0.0 };
                            at + (2.0 * x - 1.0) * reach.max(step)
                        }
                    }
                });
            self.near(&moved.collect::<Vec<_>>())
        };
        (from..from + count).map(one).collect()
    }

    /// The n-th point of the sequence, from 1.
    fn halton(&self, n: usize) -> impl Iterator<Item = f64> {
        let inverse = move |base: u32| {
            let (mut n, mut share, mut x) = (n, 1.0, 0.0);
            while n > 0 {
                share /= f64::from(base);
                x += share * (n % base as usize) as f64;
                n /= base as usize;
            }
            x
        };
        PRIMES.into_iter().take(self.0.len()).map(inverse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::experiment::Node;

    fn range(text: &str, standing: &str) -> Dimension {
        Dimension::Range(Knob::parse("p", text, Some(&Node::number(standing))).expect("a range"))
    }

    #[test]
    fn a_small_space_is_searched_whole() {
        let words = Dimension::list("q", "None,Fixed(attempts: 2),None").expect("two values");
        let space = Space(vec![range("1..3", "1"), words]);
        let values: Vec<String> = space.spread(6).iter().map(|place| place.values.join(" ")).collect();
        assert_eq!(
            values,
            [
                "1 None",
                "2 None",
                "3 None",
                "1 Fixed(attempts: 2)",
                "2 Fixed(attempts: 2)",
                "3 Fixed(attempts: 2)"
            ]
        );
        assert_eq!(Dimension::list("q", "2"), None);
    }

    #[test]
    fn a_large_one_is_spread_over_evenly() {
        let space = Space(vec![range("0..1", "1.0"), range("1..1000", "1.0")]);
        let places = space.spread(40);
        for quarter in 0..4 {
            for half in 0..2 {
                let inside = |place: &&Place| {
                    (place.at[0] * 3.999) as usize == quarter && (place.at[1] * 1.999) as usize == half
                };
                assert!((3..=8).contains(&places.iter().filter(inside).count()), "{quarter} {half}");
            }
        }
        assert!(places.iter().all(|place| place.at.iter().all(|at| (0.0..=1.0).contains(at))));
    }

    #[test]
    fn round_values_come_first_and_rounder_ones_between() {
        let space = Space(vec![range("0.02..1.0", "0.1")]);
        let typed = |places: &[Place]| places.iter().map(|place| place.values[0].clone()).collect::<Vec<_>>();
        let tried = space.spread(46);
        assert_eq!(typed(&tried), ["0.02", "0.05", "0.1", "0.2", "0.5", "1.0"]);
        assert_eq!(typed(&space.between(&tried[1], tried.iter())), ["0.04", "0.08"]);
        assert_eq!(typed(&space.between(&tried[5], tried.iter())), ["0.8"]);
        let two = Space(vec![range("0.02..1.0", "0.1"), range("1..5", "3")]);
        assert_eq!(two.spread(46).len(), 30);
        assert_eq!(two.spread(20).len(), 20, "too many: a sequence fills the space");
        for (value, expected) in
            [("\"999ms\"", 3), ("\"1s\"", 1), ("Ratio(0.04)", 1), ("\"1.5s\"", 2), ("None", 0), ("200", 1)]
        {
            assert_eq!(digits(value), expected, "{value}");
        }
    }

    #[test]
    fn a_place_is_made_rounder_one_dimension_at_a_time() {
        let space = Space(vec![range("0.02..1.0", "0.1"), range("1..500", "3")]);
        let Dimension::Range(count) = &space.0[1] else { unreachable!() };
        let place = space.near(&[0.17, count.position(37.0)]);
        assert_eq!(place.values, ["0.039", "37"]);
        let values = |dimension: usize| space.rounder(&place, dimension).expect("more digits").values;
        assert_eq!(
            (values(0), values(1)),
            (vec!["0.04".into(), "37".to_string()], vec!["0.039".into(), "40".into()])
        );
        let round = space.rounder(&space.rounder(&place, 0).unwrap(), 1).unwrap();
        assert_eq!(space.rounder(&round, 0), None);
    }

    #[test]
    fn around_a_place_is_near_it() {
        let space = Space(vec![range("0..1", "1.0"), range("1..8", "3")]);
        for place in space.around(&[0.5, 0.4], 0.1, 20, 1) {
            assert!((place.at[0] - 0.5).abs() <= 0.101 && (place.at[1] - 0.4).abs() <= 0.25, "{place:?}");
        }
    }
}
