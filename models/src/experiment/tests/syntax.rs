//! What is RON and what is not, and how it is said.

use super::toy::{GOOD, said};
use crate::experiment::{
    Diagnostics, Entry, Kind, Node, Span, Spanned, parse_file, parse_value, source_from_bytes,
};

fn parse(text: &str) -> Option<Node> {
    let mut problems = Diagnostics::new();
    parse_value(text, 0, 0, "", &mut problems).filter(|_| !problems.has_errors())
}

/// What the `ron` crate says with the extensions that we always have on.
fn ron_accepts(text: &str) -> bool {
    use ron::extensions::Extensions;
    let options =
        ron::Options::default().with_default_extension(Extensions::all() - Extensions::EXPLICIT_STRUCT_NAMES);
    options.from_str::<ron::Value>(text).is_ok()
}

#[test]
fn each_syntax_error_has_its_place_and_its_words() {
    for (text, expected) in [
        ("", "toy.ron:1:1: the file is empty\n  help: `brownout new` writes a starter experiment"),
        ("\u{feff} \n", "toy.ron:1:1: the file is empty\n"),
        ("// x\n/* y /* z */ */", "1:1: the file is empty: it holds only comments"),
        ("(about: \"x\") x", "1:14: `x` after the end of the experiment"),
        ("(about: \"x\"", "1:1: this `(` is never closed\n  help: a `)` is missing"),
        ("(about: \"x\n, model: Toy()", "1:9: about: this text is never closed"),
        (
            "(about: \"x\n, model: \"y\")",
            "1:9: about: this text is not closed where it should be: it runs over 2 lines",
        ),
        ("(about: r#\"x\")", "1:9: about: this text is never closed"),
        ("(about: /* x", "1:9: about: this comment is never closed"),
        ("(about: \"a\"b\")", "1:9: about: this text ends in the middle of something"),
        ("(about: \"\\q\")", "1:10: about: unknown escape `\\q` in a text"),
        ("(about: \"\\u{d800}\")", "1:10: about: unknown escape `\\u{d800}` in a text"),
        (
            "(about: \"a\u{0}b\")",
            "1:11: about: a control character `\\u{0}` in a text\n  help: names are letters",
        ),
        ("(about: 'a')", "1:9: about: a text is written as \"text\""),
        ("(about: b\"a\")", "1:9: about: a text is written as \"text\""),
        ("(about: \u{201c}a\u{201d})", "1:9: about: `\u{201c}a\u{201d}` has curly quotes"),
        ("(about: Some)", "1:9: about: an option is None, Some(value), or just the value"),
        ("(about: Some(1, 2))", "1:9: about: an option is"),
        ("(about: None(1))", "1:9: about: an option is"),
        ("(about: )", "1:9: about: a value is missing before `)`"),
        ("(about: @)", "1:9: about: expected a value, found `@`"),
        ("(about \"x\")", "1:2: about: a colon is missing after `about`"),
        ("(about: \"x\", about)", "1:14: about: a colon is missing after `about`"),
        ("(about = \"x\")", "1:2: about: `about` is followed by `=`\n  help: write `about: value`"),
        ("(\"about\": \"x\")", "1:2: a name in the middle of values"),
        ("(about: \"x\", \"model\": 1)", "1:14: a field name is written without quotes"),
        ("(about: {x: 1})", "1:10: about: `x` needs quotes here"),
        ("(about: {5: 1})", "1:10: about: expected `\"key\": value`, found `5`"),
        ("(about: [1,, 2])", "1:12: about: a comma without a value before it"),
        ("(about: [1 2])", "1:11: about: a comma is missing before `2`"),
        ("(about: [1)", "1:11: about: `)` where `]` was expected"),
        ("(about: 1 run: 2)", "1:10: a comma is missing before `run`"),
        ("(about: \"x\" 5)", "1:13: expected a comma or a closing bracket, found `5`"),
        (
            "(about: 5ms)",
            "1:9: about: `5ms` is not a number\n  help: a value with a unit is written in quotes: \"5ms\"",
        ),
        ("(about: 5 parsecs)", "1:9: about: `5 parsecs` is not a number"),
        ("(about: 50%)", "1:9: about: `50%` is not a number"),
        ("(about: 1..5)", "1:9: about: `1..5` is a range"),
        ("(about: 1.2.3)", "1:9: about: `1.2.3` is not a number\n  help: write it as 42, 0.5 or 1e-3"),
        ("{\"about\": 1}", "1:1: this looks like JSON\n  help: an experiment is RON, as in: (about: "),
        ("[\n1]", "1:1: this looks like JSON"),
        ("# c\nabout: x\n", "1:1: this looks like YAML or TOML"),
        ("about: x\nmodel: y", "1:1: this looks like YAML"),
        ("--- \nabout: x", "1:1: this looks like YAML"),
        ("- a", "1:1: this looks like YAML"),
        ("[model.x]\na = 1", "1:1: this looks like TOML"),
        ("[[model]]\na = 1", "1:1: this looks like TOML"),
        ("about = \"x\"", "1:1: this looks like TOML"),
        ("<a/>", "1:1: this looks like XML"),
        (
            "#![enable(foo)]\n()",
            "1:1: unknown extension `foo`\n  help: known ones: implicit_some, unwrap_newtypes, unwrap_variant_newtypes",
        ),
        ("#![foo]\n()", "1:1: unknown attribute"),
        ("#![enable(implicit_some)\n()", "1:1: this attribute is never closed"),
    ] {
        let said = said(text, &[]);
        assert!(said.contains(expected), "{text:?}\n{said}\ndoes not contain\n{expected}");
    }
}

#[test]
fn recovery_finds_the_next_error_and_invents_none() {
    let text = "(
    about: @,
    model: Toy(
        workload: [(to: \"shop\" arrivals: Poisson(\"100/s\"))],
        services: {\"shop\": (workers: 5ms, work: \"5ms\"), \"shop\": (work: \"1ms\")},
    },
    run: (duration: \"1s\"),
)";
    assert_eq!(
        said(text, &[]),
        "toy.ron:2:12: about: expected a value, found `@`
  help: texts need quotes: \"text\"
toy.ron:4:31: workload[0]: a comma is missing before `arrivals`
toy.ron:5:38: services.shop.workers: `5ms` is not a number
  help: a value with a unit is written in quotes: \"5ms\"
toy.ron:5:57: services.shop: `shop` is given twice
  help: remove one
toy.ron:6:5: model: `}` where `)` was expected"
    );
}

#[test]
fn bytes_become_text_or_say_why_not() {
    let said = |bytes: &[u8]| match source_from_bytes(bytes) {
        Ok(text) => text,
        Err(diagnostic) => diagnostic.message,
    };
    assert_eq!(said(b"\xef\xbb\xbf(a: 1)"), "(a: 1)");
    assert_eq!(said(b"(a: \xff)"), "not UTF-8: byte 4 (0xff, in line 1)");
    assert_eq!(said(b"\xff\xfe(\0a\0"), "this looks like UTF-16");
    assert_eq!(said(b"(\0a\0:\0 \x001\0"), "this looks like UTF-16");
    assert_eq!(
        said(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\xff"),
        "this is a binary file, not an experiment"
    );
    assert_eq!(said(&vec![b' '; 9 << 20]), "the file is larger than 8 MiB, the limit");
}

#[test]
fn what_is_accepted_ron_accepts() {
    for text in [
        "#![enable(implicit_some, unwrap_newtypes)]\n#![type = \"x\"]\n(a: 1)",
        "(a: 1,)",
        "( /* c */ a : // d\n 1 )",
        "[1, -2, +3, 0x1f, 0b1, 0o7, 1_000, 1e3, 1.5E-3, .5, 5., NaN, inf, -inf]",
        "{\"a\": Full, \"b\": Name(x: 1), \"c\": Name(1, \"x\"), \"d\": (1, 2)}",
        "r#\"a\"b\"#",
        "\"\\u{1f600}\\x41\\n\\'\"",
        "Some(None)",
        "Name()",
        "()",
    ] {
        let mut problems = Diagnostics::new();
        let node = parse_file(&format!("(x: {text})"), 0, &mut problems).or_else(|| parse(text));
        if !text.starts_with('#') {
            assert!(!problems.has_errors(), "{text}: {problems:?}");
        }
        assert!(node.is_some() && ron_accepts(text), "{text}: {:?}", ron::from_str::<ron::Value>(text));
    }
}

/// A small generator of our own: tests must not depend on the crate that they help to test.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        ((self.0 >> 33) as usize) % limit
    }

    fn text(&mut self) -> String {
        let letters = [
            "a", "Z", "_", "-", " ", "\"", "\\", "\n", "\u{0}", "\u{1b}", "é", "\u{202e}", "😀", "{", ",",
            "#",
        ];
        (0..self.below(8)).map(|_| letters[self.below(letters.len())]).collect()
    }

    fn name(&mut self) -> String {
        ["a", "b2", "Name", "x_y", "r", "Noned", "Somer", "e5"][self.below(8)].to_string()
    }

    fn node(&mut self, depth: usize) -> Node {
        let count = self.below(5);
        let kind = match self.below(if depth == 0 { 5 } else { 10 }) {
            0 => Kind::Unit,
            1 => Kind::Bool(self.below(2) == 0),
            2 => Kind::Number(["0", "-1", "1.5", "1e-7", "123456789", "NaN"][self.below(6)].into()),
            3 => Kind::Text(self.text()),
            4 => Kind::Word(self.name()),
            5 => Kind::List((0..count * 4).map(|_| self.node(depth - 1)).collect()),
            6 | 7 => {
                let mut entries: Vec<Entry> = Vec::new();
                for index in 0..count {
                    let key = Spanned { value: format!("{}{index}", self.text()), span: Span::default() };
                    entries.push(Entry { key, value: self.node(depth - 1), implied: false });
                }
                Kind::Map(entries)
            }
            8 => {
                let name = (self.below(2) == 0).then(|| self.name().into());
                let fields = (0..count.max(1)).map(|index| {
                    let key = Spanned { value: format!("{}{index}", self.name()), span: Span::default() };
                    Entry { key, value: self.node(depth - 1), implied: false }
                });
                Kind::Struct(name, fields.collect())
            }
            _ => {
                let name = (self.below(2) == 0).then(|| self.name().into());
                Kind::Tuple(name, (0..count.max(1)).map(|_| self.node(depth - 1)).collect())
            }
        };
        kind.into()
    }
}

#[test]
fn what_is_printed_is_read_back() {
    let mut random = Random(1);
    for _ in 0..3_000 {
        let node = random.node(4);
        let text = node.to_string();
        let back = parse(&text).unwrap_or_else(|| panic!("not read back:\n{text}"));
        assert_eq!(back, node, "{text}");
        assert_eq!(back.digest(), node.digest(), "{text}");
        let clean = |c: char| !c.is_control() || c == '\n';
        assert!(text.chars().all(clean) && !text.contains('\u{202e}'), "{text:?}");
    }
}

#[test]
fn ron_reads_what_is_printed() {
    let mut random = Random(2);
    for _ in 0..500 {
        let text = random.node(3).to_string();
        assert!(ron_accepts(&text), "{:?}\n{text}", ron::from_str::<ron::Value>(&text));
    }
}

#[test]
fn no_mutation_of_a_file_panics_and_what_is_accepted_ron_accepts() {
    let mut random = Random(3);
    let pieces: [&[u8]; 20] = [
        b"(",
        b")",
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b":",
        b"\"",
        b"\\",
        b"/*",
        b"*/",
        b"//",
        b"-",
        b"1e400",
        b"r#\"",
        b"\0",
        b"'",
        b"=",
        b"\xc3\xa9",
    ];
    let mut accepted = 0;
    for _ in 0..4_000 {
        let mut bytes = GOOD.as_bytes().to_vec();
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => _ = bytes.remove(at),
                1 => bytes[at] = random.below(256) as u8,
                2 => bytes.truncate(at.max(1)),
                _ => _ = bytes.splice(at..at, pieces[random.below(pieces.len())].iter().copied()),
            }
        }
        let Ok(text) = source_from_bytes(&bytes) else { continue };
        let mut problems = Diagnostics::new();
        if parse_file(&text, 0, &mut problems).is_some() && !problems.has_errors() {
            accepted += 1;
            assert!(ron_accepts(&text), "{:?}\n{text}", ron::from_str::<ron::Value>(&text));
        } else {
            assert!(problems.has_errors(), "refused without a word:\n{text}");
        }
        let said = said(&text, &[]);
        assert!(said.chars().all(|c| !c.is_control() || c == '\n'), "{said:?}");
    }
    assert!(accepted > 100, "only {accepted} were accepted: the test says little");
}

#[test]
fn depth_has_a_limit_and_no_stack_overflows() {
    for levels in [65, 128, 10_000, 1_000_000] {
        for open in ["[", "(", "{\"a\":", "Some(", "(a:"] {
            let text = format!("(about: {}", open.repeat(levels));
            assert!(
                said(&text, &[]).contains("nested too deeply: more than 64 brackets"),
                "{levels} x {open}"
            );
        }
    }
    let sound = format!("{}{}", "[".repeat(64), "]".repeat(64));
    assert!(parse(&sound).is_some());
}
