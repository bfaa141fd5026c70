//! Tables: aligned text that keeps to the page, Markdown for a pull request, CSV for a spreadsheet.
//!
//! Text that is too wide is narrowed where words are: names in the first column are shortened, words in the
//! others go on in the next line. What is too wide still is cut into bands of columns that repeat the first
//! one: a number is never shortened.

use crate::text::{Paint, Style, clean, fit, fit_apart, pad, pad_left, width, wrap};

/// Blanks between columns.
const GAP: usize = 2;
/// A column of words is not narrowed below this.
const NARROWEST_WORDS: usize = 12;

/// A table on its way to a page. Heads and entries are cleaned when they enter.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    columns: Vec<Column>,
    rows: Vec<Vec<Entry>>,
    /// How many columns after the first every band begins with too.
    also: usize,
}

#[derive(Clone, Debug)]
struct Column {
    head: String,
    words: bool,
}

/// One entry: its text and what its colour would say.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    text: String,
    paint: Paint,
}

impl Entry {
    /// A text in a colour.
    pub fn painted(text: impl Into<String>, paint: Paint) -> Self {
        Entry { text: clean(&text.into()), paint }
    }
}

impl<T: Into<String>> From<T> for Entry {
    fn from(text: T) -> Self {
        Entry::painted(text, Paint::Plain)
    }
}

impl Grid {
    /// No columns yet.
    pub fn new() -> Self {
        Grid::default()
    }

    /// One more column of words: aligned left.
    pub fn words(mut self, head: impl Into<String>) -> Self {
        self.columns.push(Column { head: clean(&head.into()), words: true });
        self
    }

    /// One more column of numbers: aligned right.
    pub fn number(mut self, head: impl Into<String>) -> Self {
        self.columns.push(Column { head: clean(&head.into()), words: false });
        self
    }

    /// More columns of numbers.
    pub fn numbers<T: Into<String>>(self, heads: impl IntoIterator<Item = T>) -> Self {
        heads.into_iter().fold(self, |grid, head| grid.number(head))
    }

    /// Every band of a table that is too wide begins with so many columns, instead of with one.
    pub fn beginning_with(mut self, columns: usize) -> Self {
        self.also = columns.saturating_sub(1);
        self
    }

    /// One more row; what is missing at its end is empty.
    pub fn row(&mut self, entries: impl IntoIterator<Item = impl Into<Entry>>) {
        let mut row: Vec<Entry> = entries.into_iter().map(Into::into).collect();
        assert!(row.len() <= self.columns.len(), "a row is wider than its table");
        row.resize_with(self.columns.len(), Entry::default);
        self.rows.push(row);
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Lines of text, `indent` blanks before each, no wider than the page where that can be.
    pub fn text(&self, indent: usize, style: Style) -> Vec<String> {
        if self.columns.is_empty() {
            return Vec::new();
        }
        let room = style.columns().saturating_sub(indent);
        let widths = self.widths(room);
        let names: Vec<String> = self.rows.iter().map(|row| row[0].text.clone()).collect();
        let mut rows = self.rows.clone();
        for (row, name) in rows.iter_mut().zip(fit_apart(&names, widths[0], style)) {
            row[0].text = name;
        }
        let mut lines = Vec::new();
        for band in bands(&widths, room, self.also + 1) {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            let heads: Vec<Entry> =
                self.columns.iter().map(|c| Entry { text: c.head.clone(), paint: Paint::Quiet }).collect();
            for row in std::iter::once(&heads).chain(&rows) {
                for row in self.lines(row, &widths) {
                    let line = self.line(&row, &band, &widths, style);
                    if !line.is_empty() {
                        lines.push(" ".repeat(indent) + &line);
                    }
                }
            }
        }
        lines
    }

    /// A row as one or more: words that are wider than their column go on below, those of the first do not.
    fn lines(&self, row: &[Entry], widths: &[usize]) -> Vec<Vec<Entry>> {
        let parts = |(column, entry): (usize, &Entry)| match width(&entry.text) > widths[column] {
            true if column > 0 && self.columns[column].words => wrap(&entry.text, widths[column]),
            _ => vec![entry.text.clone()],
        };
        let cells: Vec<Vec<String>> = row.iter().enumerate().map(parts).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(1);
        let at = |line: usize| {
            let entry = |(cell, entry): (&Vec<String>, &Entry)| Entry {
                text: cell.get(line).cloned().unwrap_or_default(),
                paint: entry.paint,
            };
            cells.iter().zip(row).map(entry).collect()
        };
        (0..height).map(at).collect()
    }

    fn line(&self, row: &[Entry], band: &[usize], widths: &[usize], style: Style) -> String {
        let mut line = String::new();
        for (position, &column) in band.iter().enumerate() {
            if position > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            let text = fit(&row[column].text, widths[column], style);
            let padded = match self.columns[column].words {
                // Nothing follows the last column, so nothing is filled up.
                true if position + 1 == band.len() => text.clone(),
                true => pad(&text, widths[column]),
                false => pad_left(&text, widths[column]),
            };
            let painted = style.paint(row[column].paint, &text);
            line.push_str(&padded.replacen(&text, &painted, usize::from(!text.is_empty())));
        }
        line.truncate(line.trim_end().len());
        line
    }

    /// The widths of all columns, those of words narrowed until the table fits or cannot.
    fn widths(&self, room: usize) -> Vec<usize> {
        let of = |column: usize| {
            let entries = self.rows.iter().map(|row| width(&row[column].text));
            entries.chain([width(&self.columns[column].head)]).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..self.columns.len()).map(of).collect();
        let words = |c: usize| self.columns[c].words;
        let total = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * (widths.len() - 1);
        let least: Vec<usize> = (0..widths.len())
            .map(|c| if words(c) { widths[c].min(NARROWEST_WORDS) } else { widths[c] })
            .collect();
        if total(&least) > room {
            // It will be cut into bands: each column has only the first one beside it.
            widths[0] = if words(0) { widths[0].min((room / 3).max(NARROWEST_WORDS)) } else { widths[0] };
            let beside = room.saturating_sub(widths[0] + GAP).max(NARROWEST_WORDS);
            (1..widths.len()).filter(|&c| words(c)).for_each(|c| widths[c] = widths[c].min(beside));
            return widths;
        }
        while total(&widths) > room {
            let widest = (0..widths.len()).filter(|&c| words(c)).max_by_key(|&c| widths[c]);
            let Some(widest) = widest else { break };
            widths[widest] = widths[widest].saturating_sub(total(&widths) - room).max(NARROWEST_WORDS);
        }
        widths
    }

    /// A GitHub table. Whatever Markdown would read as its own is escaped.
    pub fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut out = line(self.columns.iter().map(|c| escape_markdown(&c.head)).collect());
        out += &line(self.columns.iter().map(|c| if c.words { "---" } else { "---:" }.into()).collect());
        for row in &self.rows {
            out += &line(row.iter().map(|entry| escape_markdown(&entry.text)).collect());
        }
        out
    }
}

/// The columns of each band: all of them if they fit, else the first `begin` and as many as do.
fn bands(widths: &[usize], room: usize, begin: usize) -> Vec<Vec<usize>> {
    let begin = begin.min(widths.len());
    let first: Vec<usize> = (0..begin).collect();
    let beginning = widths[..begin].iter().sum::<usize>() + GAP * (begin - 1);
    let mut bands = vec![first.clone()];
    let mut taken = beginning;
    for (column, width) in widths.iter().enumerate().skip(begin) {
        let band = bands.last_mut().expect("starts with one");
        if taken + GAP + width > room && band.len() > begin {
            bands.push(first.iter().copied().chain([column]).collect());
            taken = beginning + GAP + width;
        } else {
            band.push(column);
            taken += GAP + width;
        }
    }
    bands
}

/// A cleaned text that Markdown shows as it is, in a table or out of one.
pub fn escape_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = clean(text).chars().collect::<Vec<_>>().into_iter().peekable();
    while let Some(c) = rest.next() {
        // An underscore inside a word is only an underscore.
        let inside_word = before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        match c {
            '\\' | '|' | '`' | '*' | '[' | ']' | '<' | '>' | '~' | '&' | '#' => out.extend(['\\', c]),
            '_' if !inside_word => out.push_str("\\_"),
            _ => out.push(c),
        }
        before = c;
    }
    out
}

/// One line of CSV (RFC 4180). A text that a spreadsheet would run as a formula begins with an apostrophe.
pub fn csv_line<T: AsRef<str>>(fields: impl IntoIterator<Item = T>) -> String {
    let mut line = String::new();
    for field in fields {
        line.push_str(&csv_field(field.as_ref()));
        line.push(',');
    }
    line.pop();
    line + "\n"
}

/// A table whose last column says of every row why all of it is only a part; as it is where nothing is missing. Readers go by
/// the names of columns, and people see it.
pub fn csv_of_part(csv: String, why: &[impl AsRef<str>]) -> String {
    if why.is_empty() {
        return csv;
    }
    let why: Vec<&str> = why.iter().map(AsRef::as_ref).collect();
    let (mut head, why) = ("incomplete".to_owned(), csv_field(&clean_line(&why.join("; "))));
    let mut out = String::with_capacity(csv.len() * 2);
    // No field of ours holds a line break.
    for line in csv.lines() {
        let last = if head.is_empty() { &why } else { &head };
        [line, ",", last, "\n"].into_iter().for_each(|part| out.push_str(part));
        head.clear();
    }
    out
}

/// Line breaks are spaces.
fn clean_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub fn csv_field(text: &str) -> String {
    // Letters, digits, and what stands between them: nobody takes that for anything else.
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_')) {
        return text.to_owned();
    }
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = if formula { format!("'{text}") } else { text.into() };
    if text.contains([',', '"', '\n', '\r', '|']) || text.trim() != text {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// A number for a machine: exact, and empty where there is none.
pub fn csv_number(x: Option<f64>) -> String {
    x.filter(|x| x.is_finite()).map(|x| x.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges() -> Grid {
        let mut grid = Grid::new().words("edge").numbers(["calls", "ok", "goodput"]);
        grid.row(["users->checkout", "300 000", "12 345", "24/s"]);
        grid.row(["checkout->payments", "7", "-", "1 000/s"]);
        grid
    }

    #[test]
    fn columns_line_up() {
        let expected = "  edge                  calls      ok  goodput
  users->checkout     300 000  12 345     24/s
  checkout->payments        7       -  1 000/s";
        assert_eq!(edges().text(2, Style::default()).join("\n"), expected);
    }

    #[test]
    fn a_wide_table_narrows_its_words_and_then_breaks_into_bands() {
        let style = Style { width: 60, ..Style::default() };
        let mut grid = Grid::new().words("edge").numbers((1..=9).map(|n| format!("number {n}")));
        grid.row(
            std::iter::once("a-service-with-a-long-name->another".to_string())
                .chain((1..=9).map(|n| (n * 111_111).to_string())),
        );
        let lines = grid.text(0, style);
        assert!(lines.iter().all(|line| width(line) <= 60), "{lines:#?}");
        assert_eq!(
            lines.iter().filter(|line| line.starts_with("a-service-with-a-lo…")).count(),
            3,
            "{lines:#?}"
        );
        let text = lines.join(" ");
        assert!((1..=9).all(|n| text.contains(&(n * 111_111).to_string())), "every number is whole: {text}");
    }

    #[test]
    fn colour_changes_no_column() {
        let mut grid = Grid::new().words("what").number("n");
        grid.row([Entry::painted("bad", Paint::Bad), Entry::painted("7", Paint::Good)]);
        let style = Style { colour: true, ..Style::default() };
        assert_eq!(grid.text(0, style)[1], "\u{1b}[1;31mbad\u{1b}[0m   \u{1b}[32m7\u{1b}[0m");
    }

    #[test]
    fn hostile_names_break_no_table() {
        let mut grid = Grid::new().words("name").number("n");
        grid.row(["a|b\n`c` <b>_x_</b> time_to_recover \u{1b}[2J\u{202e}", "1"]);
        let expected = r"| name | n |
| --- | ---: |
| a\|b\\u{a}\`c\` \<b\>\_x\_\</b\> time_to_recover \\u{1b}\[2J\\u{202e} | 1 |
";
        assert_eq!(grid.markdown(), expected);
        assert_eq!(grid.text(0, Style::default()).len(), 2);
    }

    #[test]
    fn a_part_says_in_every_row_that_it_is_one() {
        let table = "a,b\n1,2\n3,\"x, y\"\n";
        assert_eq!(csv_of_part(table.into(), &[] as &[&str]), table);
        let why = ["interrupted at 3 s", "2 of 5 runs,\nno more"];
        assert_eq!(
            csv_of_part(table.into(), &why),
            "a,b,incomplete\n1,2,\"interrupted at 3 s; 2 of 5 runs, no more\"\n3,\"x, y\",\"interrupted at 3 s; 2 of 5 runs, no more\"\n"
        );
    }

    #[test]
    fn csv_quotes_what_needs_it_and_runs_nothing() {
        let fields = ["plain", "a,b", "say \"hi\"", "two\nlines", "=1+1", "-5.5", "-x", " pad "];
        let line = "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",'=1+1,-5.5,'-x,\" pad \"\n";
        assert_eq!(csv_line(fields), line);
        let numbers = [Some(0.1), None, Some(f64::NAN)].map(csv_number);
        assert_eq!(numbers, ["0.1", "", ""].map(String::from));
    }

    #[test]
    fn no_rows_is_only_a_head() {
        assert_eq!(Grid::new().words("a").number("b").text(0, Style::default()), ["a  b"]);
        assert!(Grid::new().text(0, Style::default()).is_empty());
    }
}
