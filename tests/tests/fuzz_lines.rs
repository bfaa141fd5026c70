//! Whatever is typed, it ends in a result or in words, soon and without a panic: lines made of what the program says that it
//! understands, with values that are as odd as they come.

use brownout_tests::Rng;
use brownout_tests::ask::{Ran, ask, is_raw};
use brownout_tests::fuzz::cases;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

const LINES: u64 = 3_000;
/// One line, of a program that is not optimised, beside others.
const LONGEST: Duration = Duration::from_secs(5);

const TOY: &str = r#"(
    about: "A desk.",
    model: ServiceGraph(
        workload: [(to: "desk", arrivals: Poisson("400/s"), policy: "p")],
        services: {"desk": (workers: Blocking(1), work: Exponential(mean: "2ms"), queue: Fifo(capacity: 5))},
        policies: {"p": (timeout: "20ms")},
        faults: [(at: "60ms", for: "20ms", on: "desk", effect: Errors())],
    ),
    variants: {"slow": {"services.desk.work": "9ms"}},
    run: (duration: "200ms", window: "20ms", seed: 3, replications: 2),
    sweep: {"services.desk.replicas": [1, 2]},
    expect: [(metric: "success", at_least: 0.01)],
)"#;

const VALUES: [&str; 64] = [
    "",
    "-",
    "--",
    "0",
    "1",
    "2",
    "3",
    "-1",
    "0.5",
    "1e9",
    "NaN",
    "inf",
    "4294967296",
    "18446744073709551616",
    "20ms",
    "1s",
    "0s",
    "200y",
    "95%",
    "0%",
    "120%",
    "10/s",
    "1MiB",
    "512MiB",
    "base",
    "slow",
    "nope",
    "desk",
    "users->desk",
    "goodput",
    "success",
    "p99",
    "p0",
    "p100",
    "p99.9999999",
    "latency.p99",
    "edges",
    "edges[\"users->desk\"].latency.p99",
    "values.x",
    "recovered",
    "goodput during fault",
    "p99 during 10ms..50ms",
    "p99 during 1h..2h",
    "during",
    "success < 0.9",
    "p99 <= 300ms",
    "recovered = true",
    "success < 0.9 < 1",
    "services.desk.replicas=1..4",
    "services.desk.replicas=1,2",
    "services.desk.replicas=2",
    "services.desk.work=1ms..9ms",
    "workload[0].arrivals=100/s..900/s",
    "run.seed=1,2",
    "services.desk.replicas=1..64*2",
    "services.desk.replicas=9..1:1",
    "a=b",
    "=",
    "x=",
    "0/8",
    "8/8",
    "10ms..50ms",
    "é\u{202e}\u{1b}[31m",
    "../../x",
];
const SUBJECTS: [&str; 8] = ["-", "-", "-", "-", "-", "-@2", "nope", "-:slow"];

/// Of each option its long name, whether it takes a value, and which ones if those are listed.
macro_rules! described {
    ($command:expr) => {
        $command.get_arguments().map(|argument| {
            let values = argument.get_possible_values();
            let values = values.iter().map(|value| value.get_name().to_owned()).collect::<Vec<String>>();
            (argument.get_long().map(String::from), argument.get_action().takes_values(), values)
        })
    };
}

/// What the program says that it understands.
struct Command {
    /// `sweep plan`
    name: String,
    options: Vec<Opt>,
}

struct Opt {
    name: String,
    takes_value: bool,
    values: Vec<String>,
}

fn commands() -> Vec<Command> {
    let whole = sim_cli::command_line();
    let mut all = Vec::new();
    let options = |of: &mut dyn Iterator<Item = (Option<String>, bool, Vec<String>)>| -> Vec<Opt> {
        of.filter_map(|(name, takes_value, values)| Some(Opt { name: name?, takes_value, values })).collect()
    };
    let global: Vec<(Option<String>, bool, Vec<String>)> = described!(whole).collect();
    for command in whole.get_subcommands() {
        let deeper = command
            .get_subcommands()
            .map(|inner| (format!("{} {}", command.get_name(), inner.get_name()), inner));
        for (name, command) in std::iter::once((command.get_name().to_owned(), command)).chain(deeper) {
            // It starts programs of others.
            if name != "sweep submit" {
                let own = described!(command).collect::<Vec<_>>();
                all.push(Command {
                    name,
                    options: options(&mut own.into_iter().chain(global.iter().cloned())),
                });
            }
        }
    }
    all
}

/// A line that begins with a command of ours.
fn line(rng: &mut Rng, commands: &[Command]) -> Vec<OsString> {
    let command = &commands[rng.below(commands.len() as u64) as usize];
    let mut words: Vec<String> = command.name.split(' ').map(String::from).collect();
    let subjects = if command.name.starts_with("diff") { 2 } else { 1 };
    words.extend((0..subjects).map(|_| rng.pick(&SUBJECTS).to_string()));
    for _ in 0..rng.below(5) {
        match rng.below(12) {
            0 => words.push(rng.pick(&VALUES).into()),
            1 => words.push(format!("--{}", rng.pick(&VALUES))),
            _ => {
                let option = &command.options[rng.below(command.options.len() as u64) as usize];
                words.push(format!("--{}", option.name));
                if option.takes_value {
                    let own = !option.values.is_empty() && !rng.one_in(4);
                    let value = match own {
                        true => option.values[rng.below(option.values.len() as u64) as usize].clone(),
                        false => rng.pick(&VALUES).into(),
                    };
                    words.push(value);
                }
            }
        }
    }
    // Neither for ever, nor with more threads than there is room for.
    if !words.iter().any(|word| word == "--jobs") {
        words.extend(["--jobs".into(), "1".into()]);
    }
    words.into_iter().map(OsString::from).collect()
}

/// Nothing is written, wherever it is told to be.
fn brownout(words: &[OsString]) -> Ran {
    ask(words, TOY.as_bytes(), |console| console.disk.fail(1, true))
}

#[test]
fn whatever_is_typed_ends_in_a_result_or_in_words() {
    let (commands, mut good) = (commands(), 0);
    let cases = cases(LINES);
    let all = cases.end - cases.start;
    for seed in cases {
        let rng = &mut Rng::new(seed ^ 0x11e5);
        let words = line(rng, &commands);
        let ran = catch_unwind(AssertUnwindSafe(|| brownout(&words)));
        let ran = ran.unwrap_or_else(|_| panic!("line {seed} ends in a panic: {words:?}"));
        assert!(ran.code <= 5, "line {seed}: {words:?} ends with {}: {}", ran.code, ran.stderr);
        // Every mechanism that there is takes some hundreds of runs.
        let longest = if words.iter().any(|word| word == "--mechanisms") { 12 * LONGEST } else { LONGEST };
        assert!(ran.took < longest, "line {seed}: {words:?} took {:?}", ran.took);
        let said = ran.code == 0 || ran.code == 4 || !ran.stderr.is_empty() || !ran.stdout.is_empty();
        assert!(said, "line {seed}: {words:?} ends with {} without a word", ran.code);
        let coloured = words.iter().any(|word| word == "always");
        assert!(
            coloured || !ran.stderr.contains(is_raw),
            "line {seed}: {words:?} prints raw: {:?}",
            ran.stderr
        );
        good += u64::from(ran.code == 0);
        if rng.one_in(10) && !words.iter().any(|word| word == "--max-wall") {
            let again = brownout(&words);
            assert_eq!((again.code, again.bytes), (ran.code, ran.bytes), "line {seed}: {words:?}, again");
        }
    }
    println!("{good} of {all} lines gave a result");
    assert!((all / 50..all * 9 / 10).contains(&good), "{good} of {all}");
}
