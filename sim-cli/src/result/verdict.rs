//! What a variant comes to, in one sentence.

use crate::result::estimate::Estimate;
use crate::text::number::{duration, roughly};

/// What has not recovered by the end, and is on its way.
pub const NOT_YET: &str = "not yet";

/// What a variant comes to over its seeds, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// `recovers in 1.2 s on all 10 seeds`.
    pub text: String,
    /// As another variant's sentence mentions it: `never`, `in 1.2 s`, `on 3 of 10 seeds`.
    pub brief: String,
}

impl Verdict {
    /// The brief one as a sentence has it that does not speak of recovery.
    pub fn whole(&self) -> String {
        match self.brief.as_str() {
            "not" => "does not recover".into(),
            NOT_YET => "is on its way".into(),
            brief if ["at once", "in ", "on ", "after "].iter().any(|start| brief.starts_with(start)) => {
                format!("recovers {brief}")
            }
            brief => brief.into(),
        }
    }

    /// Of runs that something disturbs until their end: the share of calls that are served meanwhile tells one that nobody feels from
    /// a disaster.
    #[must_use]
    pub fn of_lasting(self, served: &Estimate) -> Self {
        let Some(share) = served.mean else { return self };
        let served = format!("{} of calls served meanwhile", roughly(share));
        Verdict { text: format!("{}, {served}", self.text), brief: format!("{}, {served}", self.brief) }
    }

    /// Of runs that recover from what did not last equally long in all that is compared: the time to recover counts from its end, and says
    /// nothing of how long it was. The shortest and the longest, in nanoseconds, and whether there were several.
    #[must_use]
    pub fn of_length(self, (least, most): (u64, u64), several: bool) -> Self {
        if !self.text.starts_with("recovers") {
            return self;
        }
        let long = match (duration(least), duration(most)) {
            (least, most) if least == most => most,
            (least, most) => format!("{least} to {most}"),
        };
        let fault = if several { format!("faults over {long}") } else { format!("a fault of {long}") };
        Verdict {
            text: format!("{} after {fault}", self.text),
            brief: format!("{} after {fault}", self.brief).trim_start().into(),
        }
    }

    /// `kinds` are the kinds of verdict with how often each was reached, the most frequent first.
    pub fn of(recovered: &Estimate, time: &Estimate, kinds: &[(&str, usize)]) -> Self {
        let say = |text: String, brief: String| Verdict { text, brief };
        let range = time.range.or(time.mean.map(|mean| (mean, mean)));
        let mean = match range.unzip() {
            (_, Some(0.0)) => " at once".into(),
            (Some(least), Some(most)) if duration(least as u64) != duration(most as u64) => {
                let least = if least == 0.0 { "0".into() } else { duration(least as u64) };
                format!(" in {least} to {}", duration(most as u64))
            }
            (_, Some(ns)) => format!(" in {}", duration(ns as u64)),
            _ => String::new(),
        };
        let runs: usize = kinds.iter().map(|(_, n)| n).sum();
        // A run may be too short to tell.
        let open = match (runs as u64).saturating_sub(recovered.n) {
            0 => String::new(),
            open => format!(", undecided on {open}"),
        };
        // Or have some way to go when it ends.
        let later = kinds.iter().find(|(kind, _)| *kind == NOT_YET).map_or(0, |(_, n)| *n as u64);
        let open = match later {
            1.. if later + recovered.yes.unwrap_or(0) < recovered.n || recovered.yes > Some(0) => {
                format!(", on its way on {later}{open}")
            }
            _ => open,
        };
        match recovered.yes.map(|yes| (yes, recovered.n)) {
            Some((0, all)) if all > 0 => {
                let (words, brief) = match kinds.first() {
                    _ if later == all => ("has not recovered by the end, but is on its way", NOT_YET),
                    Some(("degraded", _)) => ("stays degraded", "stays degraded"),
                    Some(("never settles", _)) => ("never settles", "never settles"),
                    _ => ("does not recover", "not"),
                };
                let on = if all > 1 { format!(" (0 of {all} seeds)") } else { String::new() };
                say(format!("{words}{on}{open}"), brief.into())
            }
            Some((yes, all)) if yes == all => {
                let which = if open.is_empty() { "all " } else { "" };
                let on = if all > 1 { format!(" on {which}{all} seeds") } else { String::new() };
                say(format!("recovers{mean}{on}{open}"), mean.trim_start().into())
            }
            Some((yes, all)) => {
                let on = format!("on {yes} of {all} seeds");
                say(format!("recovers {on} only, then{mean}{open}"), on)
            }
            None => {
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
    fn a_lasting_fault_that_nobody_feels_is_no_disaster() {
        let none = Estimate::default();
        let told = |share: f64| {
            let served = Estimate { n: 4, mean: Some(share), ..Estimate::default() };
            Verdict::of(&none, &none, &[("still disturbed", 4)]).of_lasting(&served)
        };
        let (fine, bad) = (told(0.9998), told(0.03));
        assert_eq!(bad.text, "still disturbed on all 4 seeds, 3 % of calls served meanwhile");
        assert_eq!(fine.brief, "still disturbed, 99.98 % of calls served meanwhile");
        assert_eq!(Verdict { brief: "not".into(), ..Verdict::default() }.whole(), "does not recover");
        assert_eq!(Verdict { brief: "in 2 s".into(), ..Verdict::default() }.whole(), "recovers in 2 s");
    }

    #[test]
    fn what_is_repaired_sooner_is_not_only_said_to_recover_at_once() {
        let truth = Estimate { n: 3, yes: Some(3), ..Estimate::default() };
        let (minute, at_once) = (60_000_000_000, Estimate { n: 3, mean: Some(0.0), ..Estimate::default() });
        let told = |least: u64, most: u64, several| {
            Verdict::of(&truth, &at_once, &[]).of_length((least * minute, most * minute), several)
        };
        let one = told(10, 10, false);
        assert_eq!(one.text, "recovers at once on all 3 seeds after a fault of 10 min");
        assert_eq!(one.whole(), "recovers at once after a fault of 10 min");
        assert_eq!(told(10, 55, true).brief, "at once after faults over 10 min to 55 min");
        let never = Verdict { text: "still disturbed".into(), brief: "still disturbed".into() };
        assert_eq!(never.clone().of_length((minute, minute), false), never);
    }

    #[test]
    fn verdicts_in_words() {
        let truth = |yes, n| Estimate { n, yes: Some(yes), ..Estimate::default() };
        let (time, none) = (Estimate { n: 7, mean: Some(12e9), ..Estimate::default() }, Estimate::default());
        let at_once = Estimate { n: 10, mean: Some(0.0), ..Estimate::default() };
        for (recovered, time, kinds, text, brief) in [
            (truth(10, 10), &time, &[][..], "recovers in 12 s on all 10 seeds", "in 12 s"),
            (truth(3, 10), &time, &[], "recovers on 3 of 10 seeds only, then in 12 s", "on 3 of 10 seeds"),
            (truth(0, 10), &none, &[], "does not recover (0 of 10 seeds)", "not"),
            (truth(0, 1), &none, &[], "does not recover", "not"),
            (truth(0, 1), &none, &[("degraded", 1)], "stays degraded", "stays degraded"),
            (truth(1, 1), &time, &[], "recovers in 12 s", "in 12 s"),
            (
                truth(0, 3),
                &none,
                &[(NOT_YET, 3)],
                "has not recovered by the end, but is on its way (0 of 3 seeds)",
                NOT_YET,
            ),
            (
                truth(0, 3),
                &none,
                &[("not recovered", 2), (NOT_YET, 1)],
                "does not recover (0 of 3 seeds), on its way on 1",
                "not",
            ),
            (
                truth(2, 4),
                &time,
                &[("recovered", 2), ("not recovered", 1), (NOT_YET, 1), ("undecided", 1)],
                "recovers on 2 of 4 seeds only, then in 12 s, on its way on 1, undecided on 1",
                "on 2 of 4 seeds",
            ),
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
