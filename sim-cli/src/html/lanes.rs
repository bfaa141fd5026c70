//! Where each of several stood over time: a lane for each, one below the other.

use super::Block;
use super::escape::text;
use crate::render::lanes::Look;
use crate::text::number::duration;
use sim_models::report::{Lane, Standing};
use std::fmt::Write as _;

const ROW: usize = 22;
const LEFT: usize = 90;
const WIDE: usize = 1_000;

/// The lanes of a run that is so long; nothing where there are none.
pub fn block(lanes: &[Lane], span: u64) -> Option<Block> {
    if lanes.is_empty() || span == 0 {
        return None;
    }
    let high = lanes.len() * ROW + ROW;
    let mut out = format!(
        "<svg class=\"lanes\" viewBox=\"0 0 {} {high}\" role=\"img\" aria-label=\"{}\">",
        LEFT + WIDE,
        text(&told(lanes))
    );
    let x = |at: u64| LEFT as f64 + WIDE as f64 * at as f64 / span as f64;
    for (number, lane) in lanes.iter().enumerate() {
        let y = number * ROW;
        let _ =
            write!(out, "<text x=\"0\" y=\"{}\">{}</text>", y + 15, text(&crate::text::escape(&lane.name)));
        for standing in &lane.stretches {
            let look = Look::of(standing);
            let (from, to) = (x(standing.from), x(standing.to.min(span)));
            let follows = if look == Look::Follows { (y + 8, 4) } else { (y + 2, ROW - 6) };
            let _ = write!(
                out,
                "<rect class=\"l-{}\" x=\"{from:.1}\" y=\"{}\" width=\"{:.1}\" height=\"{}\"><title>{}</title></rect>",
                class(look),
                follows.0,
                (to - from).max(1.0),
                follows.1,
                text(&stretch(standing))
            );
            let term = standing.term.to_string();
            if look == Look::Leads && to - from > 9.0 * term.len() as f64 + 4.0 {
                let _ = write!(
                    out,
                    "<text class=\"term\" x=\"{:.1}\" y=\"{}\">{term}</text>",
                    from + 3.0,
                    y + 15
                );
            }
        }
    }
    let _ = write!(
        out,
        "<text class=\"small\" x=\"{LEFT}\" y=\"{}\">0 s</text><text class=\"small\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text></svg>",
        high - 6,
        LEFT + WIDE,
        high - 6,
        text(&duration(span))
    );
    let used = |look: &Look| {
        lanes.iter().flat_map(|lane| &lane.stretches).any(|standing| Look::of(standing) == *look)
    };
    let legend: String = Look::ALL
        .iter()
        .filter(|look| used(look))
        .map(|look| format!("<span><i class=\"l-{}\"></i>{}</span>", class(*look), look.told()))
        .collect();
    Some(Block::Html(format!(
        "<figure class=\"lanes\">{out}<figcaption>{legend}<span>numbers are terms</span></figcaption></figure>\n"
    )))
}

fn class(look: Look) -> &'static str {
    match look {
        Look::Follows => "follows",
        Look::Stands => "stands",
        Look::Leads => "leads",
        Look::LeadsAlone => "alone",
        Look::Kept => "kept",
        Look::Down => "down",
    }
}

fn stretch(standing: &Standing) -> String {
    let kept = standing.kept.iter().map(|kept| format!(", {kept}")).collect::<String>();
    format!(
        "{}{kept}, term {}, {} to {}",
        standing.role,
        standing.term,
        duration(standing.from),
        duration(standing.to)
    )
}

/// For who hears it: who led when.
fn told(lanes: &[Lane]) -> String {
    let leads = lanes.iter().flat_map(|lane| {
        lane.stretches
            .iter()
            .filter(|standing| standing.leads)
            .map(move |standing| (standing.from, &lane.name, standing))
    });
    let mut leads: Vec<_> = leads.collect();
    leads.sort_by_key(|(from, ..)| *from);
    let leads: Vec<String> = leads
        .iter()
        .take(20)
        .map(|(_, name, standing)| {
            format!("{name} from {} to {}", duration(standing.from), duration(standing.to))
        })
        .collect();
    format!("Who led: {}", leads.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_for_each_and_words_for_who_hears_it() {
        let standing = |from, to, leads| Standing {
            from,
            to,
            role: if leads { "leader" } else { "follower" }.into(),
            term: 3,
            leads,
            kept: None,
        };
        let lanes = [Lane {
            name: "<b>".into(),
            stretches: vec![standing(0, 400, false), standing(400, 1_000, true)],
        }];
        let Some(Block::Html(html)) = block(&lanes, 1_000) else { panic!("it is drawn") };
        insta::assert_snapshot!(html);
        assert!(block(&[], 1_000).is_none() && block(&lanes, 0).is_none());
    }
}
