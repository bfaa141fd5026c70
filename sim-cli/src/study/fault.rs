//! What disturbs an experiment, and the settings that take it away or make it harder.
//!
//! Disturbances are the faults of a service graph and the surges (`Spike`) of its workloads. Everything is expressed as
//! settings on top of the file, so that `--set` can repeat it.

use sim_core::{SimDuration, SimTime};
use sim_models::experiment::{Decode, Decoder, Kind, Node, Resolved};
use sim_models::fault::FaultSpec;

/// One disturbance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disturbance {
    /// Where its length is set: `faults[0].for`.
    length_path: String,
    /// When it begins.
    pub at: SimTime,
    /// How long it lasts; none is until the end of the run.
    pub length: Option<SimDuration>,
    /// What it is: `Slow(factor: 5) on payments`.
    pub what: String,
    /// The same without its numbers: `Slow on payments`.
    pub what_briefly: String,
}

/// All disturbances of an experiment, faults first.
pub fn disturbances(resolved: &Resolved) -> Vec<Disturbance> {
    let list = |path: &str| resolved.value(path).map(Node::items).unwrap_or_default();
    let fault = |(n, node): (usize, &Node)| {
        let effect = node.get("effect").map_or_else(String::new, Node::to_line);
        let kind = node.get("effect").and_then(Node::name).unwrap_or_default();
        let on = node.get("on").and_then(Node::as_text).unwrap_or_default();
        of(node, format!("faults[{n}].for"), [effect.as_str(), kind].map(|what| format!("{what} on {on}")))
    };
    let surge = |(n, node): (usize, &Node)| {
        let arrivals = node.get("arrivals").filter(|arrivals| arrivals.name() == Some("Spike"))?;
        of(arrivals, format!("workload[{n}].arrivals.for"), ["a spike", "a spike"].map(String::from))
    };
    let faults = list("faults").iter().enumerate().filter(|(_, node)| !is_a_property(node)).filter_map(fault);
    faults.chain(list("workload").iter().enumerate().filter_map(surge)).collect()
}

/// Whether it is no fault but what the network is like from beginning to end.
fn is_a_property(node: &Node) -> bool {
    FaultSpec::decode(node, &mut Decoder::new()).is_some_and(|fault| fault.is_a_property())
}

fn of(node: &Node, length_path: String, [what, what_briefly]: [String; 2]) -> Option<Disturbance> {
    let at = node.get("at")?.as_text()?.parse().ok()?;
    let length = node.get("for").and_then(Node::as_text).and_then(|text| text.parse().ok());
    Some(Disturbance { length_path, at, length, what, what_briefly })
}

impl Disturbance {
    /// When it is over.
    pub fn end(&self) -> Option<SimTime> {
        self.length.map(|length| self.at + length)
    }
}

/// When the first of them begins.
pub fn first(disturbances: &[Disturbance]) -> Option<SimTime> {
    disturbances.iter().map(|one| one.at).min()
}

/// When all of them are over; none if there are none, or if one never ends.
pub fn over(disturbances: &[Disturbance]) -> Option<SimTime> {
    let ends: Option<Vec<SimTime>> = disturbances.iter().map(Disturbance::end).collect();
    ends?.into_iter().max()
}

/// Settings that take all disturbances away.
pub fn without(resolved: &Resolved) -> Vec<(String, String)> {
    let mut set = Vec::new();
    let faults = resolved.value("faults").map(Node::items).unwrap_or_default();
    let kept: Vec<String> = faults.iter().filter(|node| is_a_property(node)).map(Node::to_line).collect();
    if kept.len() < faults.len() {
        set.push(("faults".to_string(), format!("[{}]", kept.join(", "))));
    }
    let workloads = resolved.value("workload").map(Node::items).unwrap_or_default();
    for (n, workload) in workloads.iter().enumerate() {
        let Some(arrivals) = workload.get("arrivals").filter(|node| node.name() == Some("Spike")) else {
            continue;
        };
        let base = arrivals.get("base").map(Node::to_line).unwrap_or_default();
        let even = arrivals.get("spacing").and_then(Node::name) == Some("Even");
        let word = if even { "Constant" } else { "Poisson" };
        set.push((format!("workload[{n}].arrivals"), format!("{word}({base})")));
    }
    set
}

/// Settings that make each disturbance last so many times longer, and the run as much longer as that takes.
pub fn harder(resolved: &Resolved, times: f64) -> Vec<(String, String)> {
    let all = disturbances(resolved);
    let longer = |length: SimDuration| SimDuration::from_nanos_f64(length.as_nanos() as f64 * times);
    let mut set: Vec<(String, String)> = all
        .iter()
        .filter_map(|one| Some((one.length_path.clone(), format!("\"{}\"", longer(one.length?)))))
        .collect();
    let then = all.iter().filter_map(|one| Some(one.at + longer(one.length?))).max();
    if let (Some(now), Some(then)) = (over(&all), then)
        && then > now
    {
        let duration = resolved.run.duration + then.since(now);
        set.push(("run.duration".into(), format!("\"{duration}\"")));
    }
    set
}

/// The setting that gives a run as long after its last disturbance as `base` has, where a longer or later one would
/// take from it; nothing if it has that.
pub fn as_long_after(base: &Resolved, resolved: &Resolved) -> Option<(String, String)> {
    let [before, now] = [base, resolved].map(|one| over(&disturbances(one)));
    let later = now?.as_nanos().checked_sub(before?.as_nanos()).filter(|later| *later > 0)?;
    let wanted = base.run.duration + SimDuration::from_nanos(later);
    (resolved.run.duration < wanted).then(|| ("run.duration".into(), format!("\"{wanted}\"")))
}

/// A workload whose arrivals go on at one rate, and how they are spaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SteadyLoad {
    path: String,
    spacing: &'static str,
}

impl SteadyLoad {
    /// The workload whose rate a path sets, if that is what it does.
    pub fn at(resolved: &Resolved, path: &str) -> Option<SteadyLoad> {
        let path = path.strip_suffix(".rate").unwrap_or(path);
        let inner = path.strip_prefix("workload[")?.strip_suffix("].arrivals")?;
        inner.parse::<usize>().ok()?;
        let spacing = match &resolved.value(path)?.kind {
            Kind::Tuple(Some(name), _) | Kind::Struct(Some(name), _) if &**name == "Poisson" => "Poisson",
            Kind::Tuple(Some(name), _) | Kind::Struct(Some(name), _) if &**name == "Constant" => "Even",
            _ => return None,
        };
        Some(SteadyLoad { path: path.into(), spacing })
    }

    /// Settings that offer `from` per second until `at`, and `to` from then on.
    pub fn step(&self, from: f64, at: SimTime, to: f64) -> (String, String) {
        let steps = format!(
            "Steps(steps: [(at: \"0s\", rate: \"{from}/s\"), (at: \"{at}\", rate: \"{to}/s\")], spacing: {})",
            self.spacing
        );
        (self.path.clone(), steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::Catalog;
    use sim_models::experiment::Experiment;

    fn resolved(arrivals: &str, faults: &str) -> Resolved {
        let text = format!(
            r#"(about: "x", model: ServiceGraph(
                workload: [(to: "s", arrivals: {arrivals})],
                services: {{"s": (workers: Async(1), work: "1ms")}},
                faults: [{faults}],
            ), run: (duration: "5min"))"#
        );
        let (experiment, _) = Experiment::parse("x", &text, &[], &Catalog::bundled()).expect("sound");
        experiment.with(None, &[]).expect("sound")
    }

    fn typed(set: &[(String, String)]) -> Vec<String> {
        set.iter().map(|(path, value)| format!("{path}={value}")).collect()
    }

    const SLOW: &str = r#"(at: "60s", for: "30s", on: "s", effect: Slow(factor: 5.0))"#;

    #[test]
    fn faults_are_taken_away_or_made_longer() {
        let slow = resolved("Poisson(\"10/s\")", SLOW);
        assert_eq!(over(&disturbances(&slow)), Some(SimTime::ZERO + SimDuration::from_secs(90)));
        assert_eq!(typed(&without(&slow)), ["faults=[]"]);
        assert_eq!(typed(&harder(&slow, 4.0)), ["faults[0].for=\"2min\"", "run.duration=\"390s\""]);
        let lasting = resolved("Poisson(\"10/s\")", r#"(at: "60s", on: "s", effect: Hold)"#);
        assert_eq!(over(&disturbances(&lasting)), None);
        assert!(harder(&lasting, 4.0).is_empty());
        assert!(without(&resolved("Poisson(\"10/s\")", "")).is_empty());
    }

    #[test]
    fn what_the_network_is_like_all_the_time_is_not_taken_away() {
        let line = r#"(at: "0s", on: "s", effect: Bandwidth(limit: "1MiB/s"))"#;
        let always = resolved("Poisson(\"10/s\")", line);
        assert!(disturbances(&always).is_empty() && without(&always).is_empty());
        let both = resolved("Poisson(\"10/s\")", &format!("{line}, {SLOW}"));
        assert_eq!(disturbances(&both).len(), 1);
        let left = typed(&without(&both)).join(" ");
        assert!(
            left.starts_with("faults=[(at: \"0s\"") && left.contains("Bandwidth") && !left.contains("Slow"),
            "{left}"
        );
        assert_eq!(typed(&harder(&both, 2.0))[0], "faults[1].for=\"60s\"");
        let later = resolved("Poisson(\"10/s\")", &line.replace("0s", "9s"));
        assert_eq!(typed(&without(&later)), ["faults=[]"]);
    }

    #[test]
    fn a_surge_is_a_disturbance() {
        let spike = resolved(r#"Spike(base: "10/s", peak: "90/s", at: "60s", for: "5s")"#, "");
        assert_eq!(typed(&without(&spike)), ["workload[0].arrivals=Poisson(\"10/s\")"]);
        assert_eq!(
            typed(&harder(&spike, 2.0)),
            ["workload[0].arrivals.for=\"10s\"", "run.duration=\"305s\""]
        );
    }

    #[test]
    fn a_longer_fault_takes_nothing_from_the_time_after_it() {
        let (base, longer) = (
            resolved("Poisson(\"10/s\")", SLOW),
            resolved("Poisson(\"10/s\")", &SLOW.replace("30s", "100s")),
        );
        assert_eq!(as_long_after(&base, &longer), Some(("run.duration".into(), "\"370s\"".into())));
        assert_eq!(as_long_after(&longer, &base), None);
    }

    #[test]
    fn only_a_steady_load_can_be_stepped_down() {
        let base = resolved("Constant(\"10/s\")", "");
        let load = SteadyLoad::at(&base, "workload[0].arrivals").expect("steady");
        let (path, value) = load.step(10.0, SimTime::ZERO + SimDuration::from_secs(9), 5.5);
        assert_eq!(path, "workload[0].arrivals");
        assert_eq!(
            value,
            "Steps(steps: [(at: \"0s\", rate: \"10/s\"), (at: \"9s\", rate: \"5.5/s\")], spacing: Even)"
        );
        assert_eq!(SteadyLoad::at(&base, "services.s.replicas"), None);
        let spike = resolved(r#"Spike(base: "10/s", peak: "90/s", at: "60s", for: "5s")"#, "");
        assert_eq!(SteadyLoad::at(&spike, "workload[0].arrivals"), None);
    }
}
