//! Policies by the name of a library: how its clients behave unless somebody tells them otherwise.
//!
//! A preset is a policy file (`models/presets/NAME.ron`): the policy, what each of the library's own settings became in it, where
//! the library's documentation and its code disagree and which of them is taken, and what the library has that a policy
//! cannot say yet. In an experiment it is a shorthand:
//!
//! ```text
//! policies: {"p": (preset: "grpc", timeout: "2s", retry: Exponential(attempts: 3))}
//! ```
//!
//! What is written beside it goes before it, inside the same kind of thing too: here the attempts are three, and the back-off is
//! still gRPC's. Another kind (`retry: Fixed(..)`) has its own defaults. The canonical form has the whole policy and no
//! preset, so a run does not know where its settings come from, and a preset that is corrected shows in the digest.

use super::Policy;
use crate::experiment::{
    Decode, Decoder, Diagnostics, Entry, FieldDoc, Kind, Node, Shape, Sources, TypeDoc, TypeRef,
    did_you_mean, nearest, parse_file,
};
use crate::report::Table;
use std::ops::Deref;
use std::sync::LazyLock;

/// The files, by name. Of a library whose defaults have changed there are several, told apart by what follows the `@`.
const FILES: &[(&str, &str)] = &[
    ("aws-standard@2026", include_str!("../../presets/aws-standard@2026.ron")),
    ("aws-standard@legacy", include_str!("../../presets/aws-standard@legacy.ron")),
    ("envoy", include_str!("../../presets/envoy.ron")),
    ("finagle", include_str!("../../presets/finagle.ron")),
    ("grpc", include_str!("../../presets/grpc.ron")),
    ("hystrix", include_str!("../../presets/hystrix.ron")),
    ("istio", include_str!("../../presets/istio.ron")),
    ("llm-client", include_str!("../../presets/llm-client.ron")),
    ("polly", include_str!("../../presets/polly.ron")),
    ("resilience4j", include_str!("../../presets/resilience4j.ron")),
];

spec! {
    /// The file of a preset.
    pub struct PresetSpec {
        /// What it is the default of, in a sentence or two.
        about: String,
        /// Where that is said: library, version, file.
        source: String,
        /// The policy.
        policy: Policy,
        /// What each of the library's settings became.
        became: Vec<Became>,
        /// Where the library's documentation and its code disagree.
        disagree: Vec<Disagreement> = Vec::new(),
        /// What the library has that a policy cannot say.
        loses: Vec<Loss> = Vec::new(),
    }
}

spec! {
    /// What a setting of the library became.
    pub struct Became {
        /// Its name, as the library has it.
        setting: String,
        /// Its default there.
        is: String,
        /// Where it is in the policy: `retry.attempts: 4`.
        here: String,
    }
}

spec! {
    /// A thing of which the documentation of a library and its code say different.
    pub struct Disagreement {
        /// What it is about.
        about: String,
        /// What the documentation says.
        documentation: String,
        /// What the code does.
        code: String,
        /// Which of them the preset follows.
        taken: String,
    }
}

spec! {
    /// Something that the library does and a policy cannot say.
    pub struct Loss {
        /// Its name, as the library has it.
        setting: String,
        /// What is done instead.
        instead: String,
    }
}

/// A policy by the name of a library.
#[derive(Debug)]
pub struct Preset {
    /// Its name, with its version if there are several.
    pub name: &'static str,
    /// What its file says.
    pub file: PresetSpec,
    /// The policy as it was written.
    policy: Node,
}

static ALL: LazyLock<Vec<Preset>> = LazyLock::new(|| FILES.iter().map(|&file| read(file)).collect());

/// All presets, by name.
pub fn all() -> &'static [Preset] {
    &ALL
}

/// The preset of this name; or, without a version where there are several, those that it might be.
pub fn find(name: &str) -> Result<&'static Preset, Vec<&'static str>> {
    let versions = || {
        let names = all().iter().map(|preset| preset.name);
        names.filter(|known| known.split_once('@').is_some_and(|(of, _)| of == name)).collect()
    };
    all().iter().find(|preset| preset.name == name).ok_or_else(versions)
}

/// The same, with an error that says what was probably meant.
fn named(name: &str, node: &Node, cx: &mut Decoder) -> Option<&'static Preset> {
    let versions = match find(name) {
        Ok(preset) => return Some(preset),
        Err(versions) => versions,
    };
    let (message, help) = if versions.is_empty() {
        let names = all().iter().map(|it| it.name);
        (format!("unknown preset {}", node.brief()), did_you_mean(name, "presets", names))
    } else {
        let names = versions.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>();
        (
            format!("the defaults of {name} have changed: which of them?"),
            format!("write {}", names.join(" or ")),
        )
    };
    cx.error(node.span, message).help(help);
    None
}

/// A place where a policy can stand: an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The edge, by its name in a report.
    pub edge: String,
    /// The setting that names its policy: `services.checkout.calls[0].policy`.
    pub path: String,
    /// The policy that it follows.
    pub policy: Option<String>,
    /// What that says, each setting with its value as a file has it; what is as it would be anyway is left out.
    pub settings: Vec<(String, String)>,
    /// Attempts of a call at the most, if all fail.
    pub attempts: u32,
    /// The names of all policies that there are.
    pub names: Vec<String>,
}

impl Seat {
    /// What to set so that this preset stands there with these settings of what it takes the place of, and nothing else changes.
    pub fn holding(&self, preset: &Preset, kept: &[String]) -> [(String, String); 2] {
        let mut name = preset.name.replace('@', "-");
        while self.names.contains(&name) {
            name += "-preset";
        }
        let kept = self.settings.iter().filter(|(key, _)| kept.contains(key));
        let beside: String = kept.map(|(key, value)| format!(", {key}: {value}")).collect();
        [
            (format!("policies.{name}"), format!("(preset: {:?}{beside})", preset.name)),
            (self.path.clone(), format!("{name:?}")),
        ]
    }

    /// Whether a setting at this path changes which policy stands there, or what that is.
    pub fn is_changed_by(&self, path: &str) -> bool {
        let within = |whole: &str| {
            path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        within(&self.path) || self.policy.as_ref().is_some_and(|name| within(&format!("policies.{name}")))
    }
}

/// A file of ours, which is sound: a test reads all of them. What is doubtful about it is said where it is used: a library's
/// defaults may well be.
fn read((name, text): (&'static str, &str)) -> Preset {
    let mut sources = Sources::default();
    let source = sources.add(name, text);
    let mut problems = Diagnostics::new();
    let mut cx = Decoder::new();
    let node = parse_file(text, source, &mut problems);
    let file = node.as_ref().and_then(|node| PresetSpec::decode(node, &mut cx));
    problems.append(cx.into_diagnostics());
    assert!(!problems.has_errors(), "the preset {name} is not sound: {problems:?}");
    let policy = node.as_ref().and_then(|node| node.get("policy")).cloned();
    Preset { name, file: file.expect("sound"), policy: policy.expect("a preset has a policy") }
}

/// A policy as an experiment has it: written out, or a preset and what is written beside it.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// What it amounts to.
    pub policy: Policy,
    /// Where it comes from.
    pub from: Option<Origin>,
}

/// Where a policy comes from that was not written out.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The preset.
    pub preset: &'static Preset,
    /// The settings that were written beside it: `timeout`, `retry.attempts`.
    pub beside: Vec<String>,
}

impl Deref for Written {
    type Target = Policy;

    fn deref(&self) -> &Policy {
        &self.policy
    }
}

/// What is written goes before what would be there: fields of the same struct, or of the same variant, one by one. What stands
/// there only because something beside it was set is the preset's, whichever that is by then.
fn over(written: &Node, there: Node) -> Node {
    let Kind::Struct(name, own) = &written.kind else { return written.clone() };
    let Kind::Struct(of, mut entries) = there.kind else { return written.clone() };
    if *name != of {
        return written.clone();
    }
    for entry in own.iter().filter(|entry| !entry.implied) {
        match entries.iter_mut().find(|other| other.key.value == entry.key.value) {
            Some(other) => {
                let value = std::mem::replace(&mut other.value, Kind::Unit.into());
                *other = Entry { value: over(&entry.value, value), ..entry.clone() };
            }
            None => entries.push(entry.clone()),
        }
    }
    Node { kind: Kind::Struct(of, entries), span: written.span }
}

/// The paths of what is written: of a struct within a struct of the same kind each field, of anything else the whole.
fn written_beside(written: &Node, there: &Node) -> Vec<String> {
    let own = written.entries().iter().filter(|entry| !entry.implied);
    own.flat_map(|entry| {
        let key = &entry.key.value;
        let fields = match (&entry.value.kind, there.get(key).map(|value| &value.kind)) {
            (Kind::Struct(name, fields), Some(Kind::Struct(of, _))) if name == of => fields.as_slice(),
            _ => &[],
        };
        match fields {
            [] => vec![key.clone()],
            fields => fields.iter().map(|field| format!("{key}.{}", field.key.value)).collect(),
        }
    })
    .collect()
}

/// The key of the preset.
const PRESET: &str = "preset";

impl Decode for Written {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        let Kind::Struct(None, entries) = &node.kind else {
            return Policy::decode(node, cx).map(|policy| Written { policy, from: None });
        };
        let (mut rest, mut chosen, mut sound) = (Vec::new(), None, true);
        for entry in entries {
            let key = entry.key.value.as_str();
            if key == PRESET {
                chosen = (entry.value.name() != Some("None") || entry.value.as_text().is_some())
                    .then_some(&entry.value);
            } else if nearest(key, [PRESET]).is_some() {
                sound = false;
                let message = format!("unknown field `{key}` in Policy");
                cx.at(key, |cx| _ = cx.error(entry.key.span, message).help("did you mean `preset`?"));
            } else {
                rest.push(entry.clone());
            }
        }
        let rest = Node { kind: Kind::Struct(None, rest), span: node.span };
        let Some(value) = chosen else {
            let policy = Policy::decode(&rest, cx)?;
            return sound.then_some(Written { policy, from: None });
        };
        let preset = cx.at(PRESET, |cx| match value.as_text() {
            Some(name) => named(name, value, cx),
            None => cx.expected(value, "the name of a preset such as \"grpc\""),
        });
        // What was written is looked at even where nobody knows what it goes before.
        let Some(preset) = preset else {
            Policy::decode(&rest, cx);
            return None;
        };
        let beside = written_beside(&rest, &preset.policy);
        let policy = Policy::decode(&over(&rest, preset.policy.clone().at(value.span)), cx)?;
        sound.then_some(Written { policy, from: Some(Origin { preset, beside }) })
    }

    fn encode(&self) -> Node {
        self.policy.encode()
    }

    fn describe() -> TypeDoc {
        let mut doc = Policy::describe();
        let Shape::Struct(fields) = &mut doc.shape else { unreachable!("a policy has fields") };
        let preset = FieldDoc {
            name: PRESET,
            doc: "How the clients of a library behave unless told otherwise. What is written beside it goes before it.".into(),
            ty: TypeRef::of::<Option<String>>(),
            default: Some(|| Node::word("None")),
            allowed: all().iter().map(|preset| preset.name).collect::<Vec<_>>().join(", "),
        };
        fields.insert(0, preset);
        doc
    }
}

impl Origin {
    /// What became of a setting, and whether the file says otherwise.
    fn amid(&self, here: &str) -> String {
        // `retry.base, cap, factor` are three.
        let (path, said) = here.split_once(':').unwrap_or((here, ""));
        let mut fields = path.split(", ");
        let whole = fields.next().unwrap_or_default();
        let (of, first) = whole.split_once('.').unwrap_or((whole, ""));
        let variants = said.trim_start();
        let touched = |path: &String| {
            let (key, field) = path.split_once('.').unwrap_or((path, ""));
            let named = || std::iter::once(first).chain(fields.clone()).any(|name| name == field);
            key == of && (field.is_empty() || first.is_empty() && variants.contains(field) || named())
        };
        let touched = self.beside.iter().any(touched);
        if touched { format!("{here} (overridden)") } else { here.into() }
    }

    /// Tables for `explain`, of the policy of this name.
    pub fn tables(&self, policy: &str) -> Vec<Table> {
        let Preset { name, file, .. } = self.preset;
        let table = |title: String, columns: &[&str], rows: Vec<[&str; 3]>| Table {
            title,
            columns: columns.iter().map(|&head| head.into()).collect(),
            rows: rows
                .into_iter()
                .map(|row| row[..columns.len()].iter().map(|&cell| cell.into()).collect())
                .collect(),
            ..Table::default()
        };
        let mut note = format!("{} ({})", file.about, file.source);
        if !self.beside.is_empty() {
            note += &format!("; the file says otherwise of {}", self.beside.join(", "));
        }
        let here: Vec<String> = file.became.iter().map(|it| self.amid(&it.here)).collect();
        let became = file.became.iter().zip(&here).map(|(it, here)| [&*it.setting, &*it.is, &**here]);
        let mut tables = vec![Table {
            note,
            ..table(
                format!("Policy `{policy}` is the preset `{name}`"),
                &["its setting", "is there", "became"],
                became.collect(),
            )
        }];
        for it in &file.disagree {
            let rows = [("documentation", &it.documentation), ("code", &it.code), ("taken", &it.taken)];
            tables.push(table(
                format!("Where the documentation and the code of `{name}` disagree: {}", it.about),
                &["which", "says"],
                rows.map(|(which, says)| [which, says.as_str(), ""]).to_vec(),
            ));
        }
        if !file.loses.is_empty() {
            let rows = file.loses.iter().map(|it| [&*it.setting, &*it.instead, ""]);
            tables.push(table(
                format!("What `{name}` has and a policy cannot say"),
                &["its setting", "instead"],
                rows.collect(),
            ));
        }
        tables
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;
    use crate::policy::retry::RetryPlan;
    use sim_core::SimDuration;
    use std::fs;
    use std::path::Path;

    fn preset(name: &str) -> &'static Preset {
        all().iter().find(|preset| preset.name == name).unwrap_or_else(|| panic!("no preset {name}"))
    }

    fn policy(text: &str) -> Policy {
        read::<Written>(text).unwrap_or_else(|said| panic!("{said}")).0.policy
    }

    #[test]
    fn every_file_is_there_by_name() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("presets");
        let names = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().expect("a plain name")).collect();
        names.sort();
        let listed: Vec<String> = all().iter().map(|preset| format!("{}.ron", preset.name)).collect();
        assert_eq!(listed, names);
    }

    /// What a preset sets, its reader is told where it comes from; and no setting is said to have become what there is not.
    #[test]
    fn what_became_of_each_setting_is_said() {
        let Shape::Struct(fields) = Policy::describe().shape else { panic!("a policy has fields") };
        for Preset { name, file, .. } in all() {
            let places: Vec<&str> =
                file.became.iter().map(|it| it.here.split(['.', ':']).next().unwrap()).collect();
            for key in &places {
                assert!(fields.iter().any(|field| field.name == *key), "{name}: a policy has no `{key}`");
            }
            for entry in file.policy.encode().entries().iter().filter(|entry| !entry.implied) {
                let key = entry.key.value.as_str();
                assert!(places.contains(&key), "{name} does not say where its `{key}` comes from");
            }
            for said in [&file.about, &file.source] {
                assert!(!said.is_empty() && !said.ends_with('.'), "{name}: {said}");
            }
        }
    }

    /// The pauses that each library was seen to make, or says that it makes: of its first retries, shortest and longest in ms.
    #[test]
    fn pauses_are_those_of_the_library() {
        // llm-client: less up to a quarter of 500, 1000. gRPC: measured 41-67 and 82-141 ms at 50 ms, a fifth either way and the
        // machine's own. Envoy: random modulo 25, 50.
        type Pauses = &'static [(u64, u64)];
        let of: [(&str, u32, Pauses); 9] = [
            ("grpc", 4, &[(80, 120), (160, 240), (320, 480), (640, 960), (800, 1200), (800, 1200)]),
            ("envoy", 2, &[(0, 25), (0, 50), (0, 100), (0, 200), (0, 250)]),
            ("istio", 3, &[(0, 25), (0, 50), (0, 100)]),
            ("resilience4j", 3, &[(500, 500), (500, 500)]),
            (
                "llm-client",
                3,
                &[(375, 500), (750, 1000), (1500, 2000), (3000, 4000), (6000, 8000), (6000, 8000)],
            ),
            ("aws-standard@2026", 3, &[(0, 50), (0, 100), (0, 200)]),
            (
                "aws-standard@legacy",
                3,
                &[(0, 1000), (0, 2000), (0, 4000), (0, 8000), (0, 16_000), (0, 20_000)],
            ),
            ("finagle", 21, &[(0, 0), (0, 0)]),
            ("hystrix", 1, &[]),
        ];
        for (name, attempts, pauses) in of {
            let plan = RetryPlan::new(&preset(name).file.policy.retry);
            assert_eq!(plan.attempts(), attempts, "{name}");
            for (retry, (least, most)) in (1..).zip(pauses) {
                let bounds = plan.bounds(retry);
                let near = |a: SimDuration, millis: u64| a.as_nanos().abs_diff(millis * 1_000_000) <= 2;
                assert!(
                    near(bounds.min, *least) && near(bounds.max, *most),
                    "{name}, retry {retry}: {bounds:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_written_beside_goes_before() {
        let grpc = preset("grpc").file.policy.encode().to_line();
        let of = |text: &str| policy(text).encode().to_line();
        assert_eq!(of(r#"(preset: "grpc")"#), grpc);
        // Inside the same kind of thing, one by one.
        assert_eq!(
            of(r#"(preset: "grpc", retry: Exponential(attempts: 2), timeout: "1s")"#),
            grpc.replace("attempts: 4", "attempts: 2").replace("timeout: None", "timeout: \"1s\""),
        );
        // Another kind has its own defaults; what is not there is taken away.
        let other = policy(r#"(preset: "grpc", retry: Fixed(attempts: 2), budget: None)"#);
        assert_eq!(RetryPlan::new(&other.retry).attempts(), 2);
        assert!(other.budget.is_none() && RetryPlan::new(&other.retry).bounds(1).max.is_zero());
        // A list is one value.
        assert!(of(r#"(preset: "envoy", retry: Exponential(on: [Refused]))"#).contains("on: [Refused]"));
        // Its own form is the policy's.
        let (written, _) = read::<Written>(r#"(preset: "envoy", timeout: "1s")"#).unwrap();
        assert_eq!(written.from.as_ref().map(|from| from.beside.clone()), Some(vec!["timeout".to_owned()]));
        let (again, _) = read::<Written>(&written.encode().to_string()).unwrap();
        assert_eq!((again.encode(), again.from.is_none()), (written.encode(), true));
        assert_eq!(of(r#"(preset: None, timeout: "1s")"#), of(r#"(timeout: "1s")"#));
    }

    #[test]
    fn what_the_file_says_otherwise_is_marked() {
        let marked = |text: &str| -> Vec<String> {
            let (written, _) = read::<Written>(text).unwrap();
            let tables = written.from.expect("a preset").tables("p");
            let rows = tables[0].rows.iter().map(|row| format!("{:?}", row[2]));
            rows.filter(|row| row.contains("(overridden)")).collect()
        };
        assert!(marked(r#"(preset: "envoy")"#).is_empty());
        for (written, rows) in [
            (r#"(preset: "envoy", deadline: "1s")"#, &["deadline"][..]),
            (r#"(preset: "envoy", retry: Exponential(attempts: 5))"#, &["retry.attempts: 2"]),
            (r#"(preset: "envoy", retry: Exponential(cap: "1s"))"#, &["retry.base, cap"]),
            (
                r#"(preset: "envoy", retry: Fixed(attempts: 2))"#,
                &["retry.attempts: 2", "retry.base, cap", "retry.on"],
            ),
            (r#"(preset: "envoy", bulkhead: (max_concurrent: 5))"#, &["bulkhead.max_concurrent"]),
        ] {
            let found = marked(written);
            assert_eq!(found.len(), rows.len(), "{written}: {found:?}");
            assert!(found.iter().zip(rows).all(|(found, row)| found.contains(row)), "{written}: {found:?}");
        }
    }

    /// (written, what is said, the place in the line that it points at)
    #[test]
    fn what_is_wrong_is_told_where_it_was_written() {
        for (written, said, column) in [
            (r#"(preset: "grcp")"#, "did you mean `grpc`?", 10),
            (r#"(preset: "aws-standard")"#, r#"write "aws-standard@2026" or "aws-standard@legacy""#, 10),
            (r#"(preset: 5)"#, "the name of a preset", 10),
            (r#"(presett: "grpc")"#, "did you mean `preset`?", 2),
            (r#"(preset: "grpc", timeuot: "1s")"#, "did you mean `timeout`?", 18),
            (r#"(preset: "grpc", timeout: "0s")"#, "every attempt would be too late", 27),
            (r#"(preset: "grpc", retry: Exponential(attempts: 0))"#, "1 to 1000", 47),
            (r#"(preset: "grcp", retry: Exponential(attempts: 0))"#, "1 to 1000", 47),
            // gRPC's base is 100 ms.
            (r#"(preset: "grpc", retry: Exponential(cap: "1ms"))"#, "the cap (1ms) is shorter", 42),
            (r#"(preset: "grpc", retry: Exponential(base: "2s"))"#, "the cap (1s) is shorter", 10),
        ] {
            let found = read::<Written>(written).expect_err(written);
            assert!(found.contains(said), "{written}: {found}");
            assert!(found.contains(&format!("test.ron:1:{column}")), "{written}: {found}");
        }
    }
}
