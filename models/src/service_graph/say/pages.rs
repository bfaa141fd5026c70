//! What a graph is made of, page by page: what holds for all of it, the parts of workloads, of policies, of services and their calls, and of faults.

use crate::distribution::TimeDistribution;
use crate::experiment::{Decode, Decoder, Node};
use crate::fault::Shared;
use crate::mechanism::{Mechanism, of};
use crate::policy::Policy;
use crate::policy::part::{Does, Listed, Part};
use crate::service_graph::circles::HopLimit;
use crate::service_graph::control::alarms::AlarmSpec;
use crate::service_graph::control::flags::OfUsers;
use crate::service_graph::service::record::StoreOfRecord;
use crate::service_graph::spec::{
    Arrivals, CallSpec, DomainSpec, Effect, FailureSpec, FaultSpec, GraphSpec, Parallel, ServiceSpec, Step,
    TriggerSpec, WorkloadSpec,
};
use sim_core::SimDuration;

/// All of them, in the order in which a call meets them.
pub fn mechanisms() -> Vec<Mechanism> {
    let of_policies = of("policies.NAME", Policy::describe(), &Policy::default().parts(), |key, sample| {
        let policy = Policy::decode(&Node::record([(key, sample)]), &mut Decoder::new())?;
        what_is_done(key, &policy.parts())
    });
    let of_services = of(
        "services.NAME",
        ServiceSpec::describe(),
        &a_service(None).expect("a sound service").parts(),
        |key, sample| what_is_done(key, &a_service(Some((key, sample)))?.parts()),
    );
    let whoever_comes = [Listed::made("arrivals", "", None::<Arrivals>)];
    let of_arrivals = of("workload[]", WorkloadSpec::describe(), &whoever_comes, |_, _| Some(Does::NOTHING));
    let of_users = of(
        "workload[]",
        WorkloadSpec::describe(),
        &a_workload(None).expect("a sound workload").parts(),
        |key, sample| what_is_done(key, &a_workload(Some((key, sample)))?.parts()),
    );
    let plain = a_step(None).expect("a sound step").parts();
    let of_steps = of("services.NAME.calls[]", Parallel::describe(), &plain, |key, sample| {
        what_is_done(key, &a_step(Some((key, sample)))?.parts())
    });
    let plain = a_call(None).expect("a sound call");
    let of_calls = of("services.NAME.calls[]", CallSpec::describe(), &plain.parts(), |key, sample| {
        what_is_done(key, &a_call(Some((key, sample)))?.parts())
    });
    let of_all = [
        Listed::made("hop_limit", "", None::<HopLimit>),
        Listed::made("store_of_record", "", None::<StoreOfRecord>),
        Listed::made("flags", "", None::<OfUsers>),
    ];
    let of_graphs = of("", GraphSpec::describe(), &of_all, |key, said| match key {
        "hop_limit" => Some(HopLimit(u32::decode(&said, &mut Decoder::new())?).does()),
        "flags" => Some(Does::NOTHING),
        _ => Some(StoreOfRecord(String::new()).does()),
    });
    let of_users = of_graphs.into_iter().chain(of_arrivals).chain(of_users);
    let plain = a_fault(None).expect("a sound fault");
    let of_faults = of("faults[]", FaultSpec::describe(), &plain.parts(), |key, sample| {
        what_is_done(key, &a_fault(Some((key, sample)))?.parts())
    });
    let all = of_users.into_iter().chain(of_policies).chain(of_services).chain(of_calls).chain(of_steps);
    let plain = a_failure(None).expect("a sound failure");
    let of_failures = of("failures.NAME", FailureSpec::describe(), &plain.parts(), |key, sample| {
        what_is_done(key, &a_failure(Some((key, sample)))?.parts())
    });
    let plain = a_trigger(None).expect("a sound trigger");
    let of_triggers = of("triggers.NAME", TriggerSpec::describe(), &plain.parts(), |key, sample| {
        what_is_done(key, &a_trigger(Some((key, sample)))?.parts())
    });
    let shared = [Listed::made("every", "", Some(Shared))];
    let of_domains = of("domains.NAME", DomainSpec::describe(), &shared, |_, _| Some(Does::NOTHING));
    let plain = an_alarm(None).expect("a sound alarm");
    let of_alarms = of("alarms.NAME", AlarmSpec::describe(), &plain.parts(), |key, sample| {
        what_is_done(key, &an_alarm(Some((key, sample)))?.parts())
    });
    all.chain(of_faults).chain(of_failures).chain(of_domains).chain(of_triggers).chain(of_alarms).collect()
}

/// Something that fails at random of which only what must be said is said, and this.
fn a_failure(also: Option<(&'static str, Node)>) -> Option<FailureSpec> {
    let hour = || TimeDistribution::exponential(SimDuration::from_secs(3600)).encode();
    let must = [("on", Node::text("service")), ("every", hour()), ("for", hour())];
    let said = must.into_iter().filter(|(key, _)| also.as_ref().is_none_or(|(other, _)| other != key));
    let said: Vec<_> = said.chain(also.clone()).collect();
    FailureSpec::decode(&Node::record(said), &mut Decoder::new())
}

/// What a state sets off, of which only what must be said is said, and this.
fn a_trigger(also: Option<(&'static str, Node)>) -> Option<TriggerSpec> {
    let up = Node::record([("of", Node::text("service")), ("below", Node::number(2))]);
    let must =
        [("when", up.named(Some("Up"))), ("on", Node::text("service")), ("effect", Effect::Hold.encode())];
    let said = must.into_iter().filter(|(key, _)| also.as_ref().is_none_or(|(other, _)| other != key));
    let said: Vec<_> = said.chain(also.clone()).collect();
    TriggerSpec::decode(&Node::record(said), &mut Decoder::new())
}

/// An alarm of which only what must be said is said, and this.
fn an_alarm(also: Option<(&'static str, Node)>) -> Option<AlarmSpec> {
    let up = Node::record([("of", Node::text("service")), ("below", Node::number(2))]);
    let must = std::iter::once(("when", up.named(Some("Up"))));
    let said = must.filter(|(key, _)| also.as_ref().is_none_or(|(other, _)| other != key));
    let said: Vec<_> = said.chain(also.clone()).collect();
    AlarmSpec::decode(&Node::record(said), &mut Decoder::new())
}

/// A fault of which only what must be said is said, and this.
fn a_fault(also: Option<(&'static str, Node)>) -> Option<FaultSpec> {
    let must = [("at", Node::text("0s")), ("on", Node::text("service")), ("effect", Effect::Hold.encode())];
    let said = must.into_iter().filter(|(key, _)| also.as_ref().is_none_or(|(other, _)| other != key));
    let said: Vec<_> = said.chain(also.clone()).collect();
    FaultSpec::decode(&Node::record(said), &mut Decoder::new())
}

/// A call, and this.
fn a_call(also: Option<(&'static str, Node)>) -> Option<CallSpec> {
    let to = ("to", Node::text("service"));
    CallSpec::decode(&Node::record(std::iter::once(to).chain(also)), &mut Decoder::new())
}

/// Two calls at once, and this.
fn a_step(also: Option<(&'static str, Node)>) -> Option<Step> {
    let call = || Node::record([("to", Node::text("service"))]);
    let calls = ("calls", Node::list([call(), call()]));
    let step = Node::record(std::iter::once(calls).chain(also)).named(Some("Parallel"));
    Step::decode(&step, &mut Decoder::new())
}

/// A workload of which only what must be said is said, and this.
fn a_workload(also: Option<(&'static str, Node)>) -> Option<WorkloadSpec> {
    let must = [("to", Node::text("service")), ("arrivals", Node::tuple("Poisson", [Node::text("1/s")]))];
    WorkloadSpec::decode(&Node::record(must.into_iter().chain(also)), &mut Decoder::new())
}

/// A service of which only what must be said is said, and this.
fn a_service(also: Option<(&'static str, Node)>) -> Option<ServiceSpec> {
    let must = [("workers", Node::tuple("Async", [Node::number(1)])), ("work", Node::text("1ms"))];
    let said = must.into_iter().filter(|(key, _)| also.as_ref().is_none_or(|(other, _)| other != key));
    let said: Vec<_> = said.chain(also.clone()).collect();
    ServiceSpec::decode(&Node::record(said), &mut Decoder::new())
}

fn what_is_done(key: &str, parts: &[Listed<'_>]) -> Option<Does> {
    parts.iter().find(|listed| listed.key == key)?.part.as_deref().map(|part| part.does())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Whoever adds a setting says what a person should know of it, under the setting's own name; and no two pages have one name.
    #[test]
    fn every_part_has_a_page() {
        let (policy, service) = (Policy::default(), a_service(None).expect("sound"));
        for listed in policy.parts().into_iter().chain(service.parts()) {
            let key = listed.key;
            let page = listed.about.first().unwrap_or_else(|| {
                panic!("`{key}` has no page: its `Part` says in `about` what a person should know of it")
            });
            assert_eq!((page.name, page.word), (key, ""), "the first page of a setting has its name");
        }
        let all = mechanisms();
        let names: BTreeSet<&str> = all.iter().map(|mechanism| mechanism.page.name).collect();
        assert_eq!(names.len(), all.len(), "two pages have one name");
    }

    #[test]
    fn every_page_says_all_that_there_is_to_say() {
        for mechanism in mechanisms() {
            let page = mechanism.page;
            for (what, said) in [
                ("what it does", page.what),
                ("when it hurts", page.hurts),
                ("its formula", page.formula),
                ("its source", page.source),
                ("its experiment", page.experiment),
            ] {
                assert!(!said.is_empty(), "the page of `{}` does not say {what}", page.name);
                assert!(!said.contains("  "), "`{}`: two spaces in {said}", page.name);
            }
            assert!(page.what.ends_with('.') && page.hurts.ends_with('.'), "`{}`: sentences", page.name);
            let word = mechanism.page.word;
            assert!(word.is_empty() || !mechanism.settings().example().is_empty(), "no variant {word}");
        }
    }

    /// What it may do shows in some setting.
    #[test]
    fn a_page_tells_what_is_done() {
        let of = |name: &str| {
            let all = mechanisms();
            all.into_iter().find(|mechanism| mechanism.page.name == name).expect("a page").does
        };
        assert_eq!(of("per"), Does::NOTHING, "what only says whose does nothing to a request");
        assert_eq!(of("bulkhead"), Does::REFUSES.and(Does::DELAYS), "of all its settings together");
        assert_eq!(of("lifo"), Does::REORDERS.and(Does::EXPIRES), "of its own alone");
        assert_eq!(of("queue"), of("lifo").and(Does::SHEDS), "whoever says all of them");
    }
}
