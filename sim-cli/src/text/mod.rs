//! The ground of everything that is written: how a page may look, widths, numbers, tables, and names of unknown origin
//! made safe. It has heard of no result, no command and no terminal.

pub mod clean;
pub mod number;
pub mod table;
pub mod unit;

/// A text of unknown origin made safe to print.
pub use clean::escape as clean;
pub use clean::{escape, escape_path, is_hidden};
use number::count;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How a page may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns of the page; see [`Style::NARROWEST`].
    pub width: usize,
    /// Whether ANSI colours may be used.
    pub colour: bool,
    /// Whether the page may hold block characters, ticks and dashes; ASCII stands in for them if not.
    pub unicode: bool,
}

impl Default for Style {
    fn default() -> Self {
        Style { width: 100, colour: false, unicode: true }
    }
}

impl Style {
    /// Below this many columns nothing is laid out any narrower.
    pub const NARROWEST: usize = 60;

    /// The columns that are laid out.
    pub fn columns(self) -> usize {
        self.width.max(Self::NARROWEST)
    }

    /// `text` in a colour, if colours are on.
    pub fn paint(self, paint: Paint, text: &str) -> String {
        let code = match paint {
            Paint::Plain => return text.into(),
            Paint::Strong => "1",
            Paint::Quiet => "2",
            Paint::Good => "32",
            Paint::Bad => "1;31",
            Paint::Doubtful => "33",
        };
        if self.colour && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.into() }
    }

    /// One of two spellings: with Unicode, or plain.
    pub fn pick<T>(self, unicode: T, ascii: T) -> T {
        if self.unicode { unicode } else { ascii }
    }
}

/// What a colour is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paint {
    /// No colour.
    #[default]
    Plain,
    /// Headings.
    Strong,
    /// What may be overlooked.
    Quiet,
    /// As it should be.
    Good,
    /// What to look at first.
    Bad,
    /// Neither.
    Doubtful,
}

/// Columns that a cleaned text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` in at most `columns` columns, its end replaced by an ellipsis if it is longer.
pub fn fit(text: &str, columns: usize, style: Style) -> String {
    if width(text) <= columns {
        return text.into();
    }
    let ellipsis = style.pick("…", "..");
    let room = columns.saturating_sub(width(ellipsis));
    let mut taken = 0;
    let mut kept = String::new();
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken > room {
            break;
        }
        kept.push(c);
    }
    kept + ellipsis
}

/// Names in at most `columns` columns each, of which no two that differ become the same text: where their beginnings are
/// alike, what is left out is in the middle, and where the ends are alike too, they are numbered.
pub fn fit_apart(names: &[String], columns: usize, style: Style) -> Vec<String> {
    let mut fitted: Vec<String> = names.iter().map(|name| fit(name, columns, style)).collect();
    let is_alike = |fitted: &[String], n: usize| {
        let other = |m: usize| fitted[m] == fitted[n] && names[m] != names[n];
        width(&names[n]) > columns && (0..names.len()).any(other)
    };
    let ellipsis = style.pick("…", "..");
    let room = columns.saturating_sub(width(ellipsis));
    for tail in [room / 2, room * 3 / 4] {
        let alike: Vec<usize> = (0..names.len()).filter(|&n| is_alike(&fitted, n)).collect();
        for n in alike {
            let head = fit(&names[n], columns - tail, style);
            fitted[n] = head + &last(&names[n], tail);
        }
    }
    let alike: Vec<usize> = (0..names.len()).filter(|&n| is_alike(&fitted, n)).collect();
    for (number, n) in alike.into_iter().enumerate() {
        let number = format!("{}", number + 1);
        fitted[n] = fit(&names[n], columns.saturating_sub(width(&number)), style) + &number;
    }
    fitted
}

/// What of the end of a text is at most so many columns wide.
fn last(text: &str, columns: usize) -> String {
    let mut taken = 0;
    let kept = text.char_indices().rev().take_while(|(_, c)| {
        taken += c.width().unwrap_or(0);
        taken <= columns
    });
    kept.last().map_or_else(String::new, |(at, _)| text[at..].into())
}

/// `text` and blanks up to `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Blanks up to `columns` and `text`.
pub fn pad_left(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` broken between words into lines of at most `columns`; a longer word has a line of its own, and
/// `< 0.1 %` is one word.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(last) if word.starts_with('%') || matches!(last.as_str(), "<" | ">") => {
                last.extend([" ", word])
            }
            _ => words.push(word.into()),
        }
    }
    for word in &words {
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// `left` at the start of a line and `right` at its end; below each other if they do not fit.
pub fn justify(left: &str, right: &str, columns: usize) -> String {
    let gap = columns.saturating_sub(width(left) + width(right));
    if right.is_empty() {
        left.into()
    } else if gap >= 2 {
        format!("{left}{}{right}", " ".repeat(gap))
    } else {
        format!("{left}\n{}", pad_left(right, columns))
    }
}

/// The first sentence of a text, without its full stop.
pub fn first_sentence(text: &str) -> &str {
    let text = text.trim();
    let end = text.match_indices(['.', '!', '?', '\n']).find(|&(at, mark)| {
        mark == "\n" || text[at + mark.len()..].chars().next().is_none_or(char::is_whitespace)
    });
    match end {
        Some((at, ".")) | Some((at, "\n")) => &text[..at],
        Some((at, mark)) => &text[..at + mark.len()],
        None => text,
    }
}

/// A text that may be overlooked, wrapped.
pub(crate) fn quiet(text: &str, indent: &str, style: Style) -> Vec<String> {
    let lines = wrap(text, style.columns() - indent.len());
    lines.iter().map(|line| format!("{indent}{}", style.paint(Paint::Quiet, line))).collect()
}

/// How many were left out of a list, if any.
pub(crate) fn more(left_out: usize, what: &str) -> Option<String> {
    (left_out > 0).then(|| format!("  and {} more {what}: --format json", count(left_out as u64)))
}

pub(crate) fn joined(sections: &[Vec<String>]) -> String {
    let written: Vec<String> =
        sections.iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    written.join("\n\n") + "\n"
}

/// As a sentence begins.
pub fn upper_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_fool_a_terminal_is_spelled_out() {
        for (text, safe) in [
            ("plain größe 支払", "plain größe 支払"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("two\nlines\t\r", "two\\u{a}lines\\u{9}\\u{d}"),
            ("\u{9b}2J", "\\u{9b}2J"),
        ] {
            assert_eq!(clean(text), safe);
        }
    }

    #[test]
    fn texts_fit_their_columns() {
        let (unicode, ascii) = (Style::default(), Style { unicode: false, ..Style::default() });
        assert_eq!(fit("payments", 8, unicode), "payments");
        assert_eq!(fit("payments", 7, unicode), "paymen…");
        assert_eq!(fit("payments", 7, ascii), "payme..");
        assert_eq!(fit("支払い", 5, unicode), "支払…");
        assert_eq!(pad("支払", 6), "支払  ");
        assert_eq!(pad_left("7", 3), "  7");
        assert_eq!(wrap("one two  three\nfour", 9), ["one two", "three", "four"]);
        assert_eq!(wrap("", 9), Vec::<String>::new());
        assert_eq!(justify("left", "right", 12), "left   right");
        assert_eq!(justify("left", "right", 10), "left\n     right");
    }

    #[test]
    fn names_that_differ_stay_apart() {
        let fitted = |names: &[&str], columns| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_string()).collect();
            let fitted = fit_apart(&names, columns, Style::default());
            assert!(fitted.iter().all(|name| width(name) <= columns), "{fitted:?}");
            fitted
        };
        assert_eq!(fitted(&["calls", "attempts payments"], 8), ["calls", "attempt…"]);
        let two = ["tenants->api acme calls", "tenants->api acme ok"];
        assert_eq!(fitted(&two, 16), ["tenants-…e calls", "tenants-…acme ok"]);
        // Where beginning and end are alike.
        let middle = ["aaaaaaaaaaaa1bbbbbbbbbbbb", "aaaaaaaaaaaa2bbbbbbbbbbbb"];
        assert_eq!(fitted(&middle, 10), ["aaaaaaaa…1", "aaaaaaaa…2"]);
        // The same name twice is one name.
        assert_eq!(fitted(&["payments", "payments"], 5), ["paym…", "paym…"]);
    }

    #[test]
    fn a_sentence_ends_where_a_reader_stops() {
        for (text, first) in [
            ("Payments slow down. They stay down.", "Payments slow down"),
            ("At 99.9 % it breaks. Then what?", "At 99.9 % it breaks"),
            ("Why? Because.", "Why?"),
            ("no stop", "no stop"),
            ("first line\nsecond", "first line"),
            ("", ""),
        ] {
            assert_eq!(first_sentence(text), first);
        }
    }

    #[test]
    fn colour_is_off_unless_asked_for() {
        let plain = Style::default();
        assert_eq!(plain.paint(Paint::Bad, "x"), "x");
        assert_eq!(Style { colour: true, ..plain }.paint(Paint::Bad, "x"), "\u{1b}[1;31mx\u{1b}[0m");
    }
}
