//! What a variant comes to, in one sentence.

use crate::result::estimate::Estimate;
use crate::text::number::duration;

/// What a variant comes to over its seeds, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// `recovers in 1.2 s on all 10 seeds`.
    pub text: String,
    /// As another variant's sentence mentions it: `never`, `in 1.2 s`, `on 3 of 10 seeds`.
    pub brief: String,
}

impl Verdict {
    /// `kinds` are the kinds of verdict with how often each was reached, the most frequent first.
    pub fn of(recovered: &Estimate, time: &Estimate, kinds: &[(&str, usize)]) -> Self {
        let say = |text: String, brief: String| Verdict { text, brief };
        let mean = match time.mean {
            Some(0.0) => " at once".into(),
            Some(ns) => format!(" in {}", duration(ns as u64)),
            None => String::new(),
        };
        match recovered.yes.map(|yes| (yes, recovered.n)) {
            Some((0, all)) if all > 0 => {
                let (words, brief) = match kinds.first() {
                    Some(("degraded", _)) => ("stays degraded", "stays degraded"),
                    _ => ("never recovers", "never"),
                };
                let on = if all > 1 { format!(" (0 of {all} seeds)") } else { String::new() };
                say(format!("{words}{on}"), brief.into())
            }
            Some((yes, all)) if yes == all => {
                let on = if all > 1 { format!(" on all {all} seeds") } else { String::new() };
                say(format!("recovers{mean}{on}"), mean.trim_start().into())
            }
            Some((yes, all)) => {
                let on = format!("on {yes} of {all} seeds");
                say(format!("recovers {on} only, then{mean}"), on)
            }
            None => {
                let runs: usize = kinds.iter().map(|(_, n)| n).sum();
                let part = |(kind, n): &(&str, usize)| {
                    if *n == runs { kind.to_string() } else { format!("{kind} on {n}") }
                };
                let parts = kinds.iter().map(part).collect::<Vec<_>>().join(", ");
                match (kinds.len(), runs) {
                    (_, 0) => say("not run".into(), "not run".into()),
                    (_, 1) => say(parts.clone(), parts),
                    (1, _) => say(format!("{parts} on all {runs} seeds"), parts),
                    _ => say(format!("{parts} of {runs} seeds"), parts),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_in_words() {
        let truth = |yes, n| Estimate { n, yes: Some(yes), ..Estimate::default() };
        let (time, none) = (Estimate { n: 7, mean: Some(12e9), ..Estimate::default() }, Estimate::default());
        let at_once = Estimate { n: 10, mean: Some(0.0), ..Estimate::default() };
        for (recovered, time, kinds, text, brief) in [
            (truth(10, 10), &time, &[][..], "recovers in 12 s on all 10 seeds", "in 12 s"),
            (truth(3, 10), &time, &[], "recovers on 3 of 10 seeds only, then in 12 s", "on 3 of 10 seeds"),
            (truth(0, 10), &none, &[], "never recovers (0 of 10 seeds)", "never"),
            (truth(0, 1), &none, &[], "never recovers", "never"),
            (truth(0, 1), &none, &[("degraded", 1)], "stays degraded", "stays degraded"),
            (truth(1, 1), &time, &[], "recovers in 12 s", "in 12 s"),
            (truth(10, 10), &at_once, &[], "recovers at once on all 10 seeds", "at once"),
            (none.clone(), &none, &[("steady", 10)], "steady on all 10 seeds", "steady"),
            (
                none.clone(),
                &none,
                &[("steady", 7), ("failing", 3)],
                "steady on 7, failing on 3 of 10 seeds",
                "steady on 7, failing on 3",
            ),
            (none.clone(), &none, &[], "not run", "not run"),
        ] {
            let verdict = Verdict::of(&recovered, time, kinds);
            assert_eq!((verdict.text.as_str(), verdict.brief.as_str()), (text, brief));
        }
    }
}
