//! Where each of several stood over time: a row of signs for each, and what the signs mean.

use crate::text::{Style, clean, width};
use sim_models::report::{Lane, Standing};

/// The most lanes that are drawn.
const MOST: usize = 9;

/// What somebody is, as far as it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// Does what another says.
    Follows,
    /// Wants to lead.
    Stands,
    Leads,
    /// Leads, and does not know that it is alone.
    LeadsAlone,
    /// Stands still, or hears nobody.
    Kept,
    Down,
}

impl Look {
    /// All of them, in the order in which they are told.
    pub const ALL: [Look; 6] =
        [Look::Leads, Look::LeadsAlone, Look::Stands, Look::Kept, Look::Down, Look::Follows];

    /// Of a stretch.
    pub fn of(standing: &Standing) -> Look {
        match (standing.role.as_str(), standing.leads, &standing.kept) {
            ("down", ..) => Look::Down,
            (_, true, None) => Look::Leads,
            (_, true, Some(_)) => Look::LeadsAlone,
            (_, false, Some(_)) => Look::Kept,
            ("candidate", ..) => Look::Stands,
            _ => Look::Follows,
        }
    }

    /// What it is called.
    pub fn told(self) -> &'static str {
        match self {
            Look::Leads => "leads",
            Look::LeadsAlone => "leads, paused or cut off",
            Look::Stands => "candidate",
            Look::Kept => "paused or cut off",
            Look::Down => "down",
            Look::Follows => "follows",
        }
    }

    fn glyph(self, style: Style) -> char {
        match self {
            Look::Leads => style.pick('█', '#'),
            Look::LeadsAlone => style.pick('▓', '%'),
            Look::Stands => style.pick('▒', '?'),
            Look::Kept => style.pick('╱', '/'),
            Look::Down => style.pick('×', 'x'),
            Look::Follows => style.pick('─', '-'),
        }
    }
}

/// Names and pictures of lanes that end after `span`, a row each; the last says what the signs mean.
pub fn lanes(lanes: &[Lane], span: u64, columns: usize, style: Style) -> Vec<(String, String)> {
    let mut used: Vec<Look> = Vec::new();
    let mut numbered = false;
    let mut rows: Vec<(String, String)> = lanes
        .iter()
        .take(MOST)
        .map(|lane| {
            let looks: Vec<Look> = (0..columns).map(|column| at(lane, span, columns, column)).collect();
            used.extend(&looks);
            let mut row: Vec<char> = looks.iter().map(|look| look.glyph(style)).collect();
            numbered |= number(lane, span, &looks, &mut row);
            (clean(&lane.name), row.into_iter().collect())
        })
        .collect();
    if lanes.len() > MOST {
        rows.push((String::new(), format!("and {} more", lanes.len() - MOST)));
    }
    if !rows.is_empty() {
        rows.extend(legend(&used, numbered, columns, style).map(|legend| (String::new(), legend)));
    }
    rows
}

fn legend(used: &[Look], numbered: bool, columns: usize, style: Style) -> Option<String> {
    let told = |look: Look| {
        let number = if numbered && look == Look::Leads { ", from that term on" } else { "" };
        format!("{} {}{number}", look.glyph(style), look.told())
    };
    let mut signs: Vec<String> = Look::ALL.into_iter().filter(|look| used.contains(look)).map(told).collect();
    while width(&signs.join("  ")) > columns && signs.len() > 1 {
        signs.pop();
    }
    (!signs.is_empty()).then(|| signs.join("  "))
}

/// What one was in a column: what it was for longest, but that a moment of anything else is more worth seeing than that it followed.
fn at(lane: &Lane, span: u64, columns: usize, column: usize) -> Look {
    let edge = |column: usize| (u128::from(span) * column as u128 / columns as u128) as u64;
    let (from, to) = (edge(column), edge(column + 1));
    let mut share = [0u64; 6];
    for standing in lane.stretches.iter().filter(|one| one.from < to && one.to > from) {
        let length = standing.to.min(to) - standing.from.max(from);
        share[Look::of(standing) as usize] += length.max(1);
    }
    let rest = Look::ALL.into_iter().filter(|look| *look != Look::Follows);
    let most = rest.max_by_key(|look| share[*look as usize]).expect("there are some");
    let seen = share[most as usize] * 4 >= to - from;
    if seen && share[most as usize] > 0 { most } else { Look::Follows }
}

/// Writes into a lane in which term it begins to lead, where there is room. Whether it did anywhere.
fn number(lane: &Lane, span: u64, looks: &[Look], row: &mut [char]) -> bool {
    let columns = row.len();
    let mut any = false;
    for standing in lane.stretches.iter().filter(|one| one.leads && one.term > 0) {
        let column = (u128::from(standing.from) * columns as u128 / u128::from(span.max(1))) as usize;
        let begins = (column..columns.min(column + 2)).find(|at| looks[*at] == Look::Leads);
        let Some(begins) = begins.filter(|at| *at == 0 || looks[*at - 1] != Look::Leads) else { continue };
        let digits: Vec<char> = standing.term.to_string().chars().collect();
        let until = looks[begins..].iter().take_while(|look| **look == Look::Leads).count();
        if until > digits.len() {
            row[begins..begins + digits.len()].copy_from_slice(&digits);
            any = true;
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn standing(from: u64, to: u64, role: &str, term: u64, kept: Option<&str>) -> Standing {
        let kept = kept.map(String::from);
        Standing { from: from * MS, to: to * MS, role: role.into(), term, leads: role == "leader", kept }
    }

    #[test]
    fn a_lane_says_who_led_when() {
        let one = vec![
            standing(0, 2, "follower", 0, None),
            standing(2, 10, "leader", 1, None),
            standing(10, 14, "leader", 1, Some("paused")),
            standing(14, 20, "follower", 2, None),
        ];
        let two = vec![
            standing(0, 12, "follower", 1, None),
            standing(12, 13, "candidate", 2, None),
            standing(13, 18, "leader", 2, None),
            standing(18, 20, "down", 2, None),
        ];
        let all =
            [Lane { name: "node 0".into(), stretches: one }, Lane { name: "node 1".into(), stretches: two }];
        let drawn = lanes(&all, 20 * MS, 20, Style::default());
        assert_eq!(drawn[0].1, "──1███████▓▓▓▓──────");
        assert_eq!(drawn[1].1, "────────────▒2████××");
        let wide = lanes(&all, 20 * MS, 100, Style { unicode: false, ..Style::default() });
        assert_eq!(
            wide[2].1,
            "# leads, from that term on  % leads, paused or cut off  ? candidate  x down  - follows"
        );
        assert!(wide.iter().all(|(_, row)| row.is_ascii() && row.len() <= 100));
    }

    #[test]
    fn a_moment_of_leading_is_seen() {
        let stretches = vec![
            standing(0, 70, "follower", 0, None),
            standing(70, 96, "leader", 1, None),
            standing(96, 1_000, "follower", 1, None),
        ];
        let drawn = lanes(&[Lane { name: "a".into(), stretches }], 1_000 * MS, 10, Style::default());
        assert_eq!(drawn[0].1, "█─────────");
    }

    #[test]
    fn more_than_fit_are_counted() {
        let lane = Lane { name: "a".into(), stretches: vec![standing(0, 9, "follower", 0, None)] };
        let drawn = lanes(&vec![lane; 25], 9 * MS, 10, Style::default());
        assert_eq!((drawn.len(), drawn[9].1.as_str()), (11, "and 16 more"));
        assert!(lanes(&[], 9, 10, Style::default()).is_empty());
    }
}
