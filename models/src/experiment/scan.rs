//! The smallest pieces of the syntax: space, comments, words, numbers and texts.

use super::diagnostic::Diagnostic;
use super::node::{Kind, Span};
use super::print;
use super::syntax::Parser;

impl<'a> Parser<'a> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn peek_char(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Moves past white space and comments.
    pub(super) fn skip_space(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/') if self.rest().starts_with("//") => {
                    self.at = self.rest().find('\n').map_or(self.text.len(), |end| self.at + end);
                }
                Some(b'/') if self.rest().starts_with("/*") => self.skip_block_comment(),
                _ => return,
            }
        }
    }

    /// Block comments nest, as in RON.
    fn skip_block_comment(&mut self) {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut depth = 0usize;
        loop {
            match (bytes.get(self.at), bytes.get(self.at + 1)) {
                (Some(b'/'), Some(b'*')) => (depth, self.at) = (depth + 1, self.at + 2),
                (Some(b'*'), Some(b'/')) => (depth, self.at) = (depth - 1, self.at + 2),
                (Some(_), _) => self.at += 1,
                (None, _) => {
                    self.at = bytes.len();
                    self.fatal = true;
                    self.error(start, start + 2, "this comment is never closed").help("close it with `*/`");
                    return;
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// A name: a letter or `_`, then letters, digits, `_`. Where the next character is none of these,
    /// nothing is taken.
    pub(super) fn word(&mut self) -> Option<&'a str> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        if !matches!(bytes.get(start), Some(b'a'..=b'z' | b'A'..=b'Z' | b'_')) {
            return None;
        }
        while matches!(bytes.get(self.at), Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_')) {
            self.at += 1;
        }
        Some(&self.text[start..self.at])
    }

    /// Everything up to a blank, a bracket, a comma, a colon or a quote: what a message should show.
    pub(super) fn lump(&self) -> &'a str {
        let rest = self.rest();
        let stop = |c: char| c.is_whitespace() || "()[]{},:\"=".contains(c);
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = rest[first..].find(stop).map_or(rest.len(), |end| first + end);
        let quoted = rest.starts_with('"') && rest[end..].starts_with('"');
        &rest[..end + usize::from(quoted)]
    }

    /// A number as written. Its value is looked at where its type is known, so that `1e400` is quoted.
    pub(super) fn number(&mut self) -> Option<Kind> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            let after_exponent = self.at > start && matches!(bytes[self.at - 1], b'e' | b'E');
            match byte {
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'.' => self.at += 1,
                b'+' | b'-' if self.at == start || after_exponent => self.at += 1,
                _ => break,
            }
        }
        let text = &self.text[start..self.at];
        if is_number(text) {
            return self.no_unit(start).then(|| Kind::Number(text.into()));
        }
        let end = self.at;
        let shown = print::shortened(text);
        let digits = text.trim_start_matches(|c: char| c.is_ascii_digit() || "._+-".contains(c));
        if text.contains("..") {
            self.error(start, end, format!("`{shown}` is a range: write a number"));
        } else if digits.len() < text.len()
            && digits.chars().all(|c| c.is_ascii_alphabetic())
            && !digits.is_empty()
        {
            self.error(start, end, format!("`{shown}` is not a number"))
                .help(format!("a value with a unit is written in quotes: {}", print::quoted(text)));
        } else {
            self.error(start, end, format!("`{shown}` is not a number")).help("write it as 42, 0.5 or 1e-3");
        }
        None
    }

    /// False, and an error, if a unit follows the number that starts at `start`: `5 ms`, `50%`, `800/s`.
    fn no_unit(&mut self, start: usize) -> bool {
        let rest = self.rest();
        let unit = rest.trim_start_matches([' ', '\t']);
        let length = unit.find(|c: char| !(c.is_alphanumeric() || "%/".contains(c))).unwrap_or(unit.len());
        let ends = unit[length..].trim_start().starts_with([',', ')', ']', '}']);
        if length == 0 || !ends || unit.starts_with("//") || !unit.starts_with(|c: char| !c.is_ascii_digit())
        {
            return true;
        }
        let end = self.at + (rest.len() - unit.len()) + length;
        let whole = &self.text[start..end];
        self.error(start, end, format!("`{}` is not a number", print::shortened(whole)))
            .help(format!("a value with a unit is written in quotes: {}", print::quoted(whole)));
        false
    }

    /// `"text"`, decoded. Control characters must be escaped.
    pub(super) fn text(&mut self) -> Option<String> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let (mut lines, mut plain_from, mut decoded) = (0, start + 1, String::new());
        let mut sound = true;
        self.at += 1;
        loop {
            match bytes.get(self.at) {
                None => return self.unclosed_text(start),
                Some(b'"') => break,
                Some(b'\\') => {
                    decoded.push_str(&self.text[plain_from..self.at]);
                    match self.escape() {
                        Some(c) => decoded.push(c),
                        None => sound = false,
                    }
                    plain_from = self.at;
                }
                Some(&byte) => {
                    lines += usize::from(byte == b'\n');
                    sound &= self.refuse_control(byte);
                    self.at += 1;
                }
            }
        }
        decoded.push_str(&self.text[plain_from..self.at]);
        self.at += 1;
        self.check_close(start, lines).then_some(())?;
        sound.then_some(decoded)
    }

    /// `r"text"`, `r#"text"#`: no escapes.
    pub(super) fn raw_text(&mut self) -> Option<String> {
        let start = self.at;
        let hashes = self.rest()[1..].bytes().take_while(|&b| b == b'#').count();
        let close = format!("\"{}", "#".repeat(hashes));
        let from = start + 1 + hashes + 1;
        let Some(length) = self.text[from..].find(&close) else { return self.unclosed_text(start) };
        let mut sound = true;
        for at in from..from + length {
            self.at = at;
            sound &= self.refuse_control(self.text.as_bytes()[at]);
        }
        self.at = from + length + close.len();
        sound.then(|| self.text[from..from + length].into())
    }

    /// Whether this is where a raw text begins, rather than a word with an `r`.
    pub(super) fn at_raw_text(&self) -> bool {
        let rest = self.rest();
        rest.starts_with('r') && rest[1..].trim_start_matches('#').starts_with('"')
    }

    fn unclosed_text(&mut self, start: usize) -> Option<String> {
        self.at = self.text.len();
        self.fatal = true;
        self.error(start, start + 1, "this text is never closed")
            .help("close it with `\"`; inside a text, write `\\\"`");
        None
    }

    /// A quote that closed the wrong text shows in what follows: a word at once, or anything but the
    /// end of a value after a text that ran over lines.
    fn check_close(&mut self, start: usize, lines: usize) -> bool {
        let end = self.at;
        if lines == 0 && self.peek_char().is_some_and(char::is_alphanumeric) {
            self.fatal = true;
            self.error(start, end, "this text ends in the middle of something")
                .help("a quote is missing before or after it; inside a text, write `\\\"`");
            return false;
        }
        if lines == 0 {
            return true;
        }
        self.skip_space();
        let follows = self.peek();
        self.at = end;
        if self.fatal || matches!(follows, None | Some(b',' | b')' | b']' | b'}' | b':')) {
            return !self.fatal;
        }
        self.fatal = true;
        self.error(
            start,
            start + 1,
            format!("this text is not closed where it should be: it runs over {} lines", lines + 1),
        )
        .help("close it with `\"`; inside a text, write `\\\"`");
        false
    }

    fn refuse_control(&mut self, byte: u8) -> bool {
        if byte >= 0x20 && byte != 0x7f || matches!(byte, b'\n' | b'\r' | b'\t') {
            return true;
        }
        let at = self.at;
        self.error(at, at + 1, format!("a control character `\\u{{{byte:x}}}` in a text")).help(format!(
            "names are letters, digits, `_` and `-`; in other texts write it as `\\u{{{byte:x}}}`"
        ));
        false
    }

    /// One `\` and what belongs to it.
    fn escape(&mut self) -> Option<char> {
        let start = self.at;
        let kind = self.rest()[1..].chars().next();
        self.at += 1 + kind.map_or(0, char::len_utf8);
        let decoded = match kind {
            Some('"') => Some('"'),
            Some('\'') => Some('\''),
            Some('\\') => Some('\\'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('0') => Some('\0'),
            Some('x') => self.hex(2, 2),
            Some('u') if self.peek() == Some(b'{') => {
                self.at += 1;
                let decoded = self.hex(1, 6);
                let closed = self.peek() == Some(b'}');
                self.at += usize::from(closed);
                decoded.filter(|_| closed)
            }
            _ => None,
        };
        if decoded.is_none() {
            let end = self.at;
            let shown = print::safe(&self.text[start..end]);
            self.error(start, end, format!("unknown escape `{shown}` in a text"))
                .help("use \\\" \\\\ \\n \\t \\r \\u{1f600}; a text without escapes is r\"..\"");
        }
        decoded
    }

    fn hex(&mut self, least: usize, most: usize) -> Option<char> {
        let digits = self.rest().bytes().take(most).take_while(u8::is_ascii_hexdigit).count();
        let text = &self.text[self.at..self.at + digits];
        self.at += digits;
        if digits < least { None } else { u32::from_str_radix(text, 16).ok().and_then(char::from_u32) }
    }

    /// Reports a problem at `start..end` of the text, at the current path.
    pub(super) fn error(&mut self, start: usize, end: usize, message: impl AsRef<str>) -> &mut Diagnostic {
        let span = Span::new(self.source, start, end);
        let path = match self.path.strip_prefix("model") {
            Some(rest) if rest.starts_with('.') => &rest[1..],
            _ => self.path.as_str(),
        };
        let path = print::shortened_to(path, 200);
        let diagnostic = self.out.push(Diagnostic::error(span, message));
        diagnostic.path(print::safe(&path))
    }
}

/// Digits in any base with `_` between them, or a float; and the words for what is not a number, which
/// are refused where a number is wanted.
fn is_number(text: &str) -> bool {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = |text: &str, radix: u32| {
        !text.is_empty() && !text.starts_with('_') && text.chars().all(|c| c == '_' || c.is_digit(radix))
    };
    if matches!(body, "NaN" | "inf") {
        return true;
    }
    for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8)] {
        if let Some(rest) = body.strip_prefix(prefix) {
            return digits(rest, radix);
        }
    }
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (&body[..at], Some(&body[at + 1..])),
        None => (body, None),
    };
    let exponent_ok = exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e), 10));
    let mantissa_ok = match mantissa.split_once('.') {
        Some((whole, "")) => digits(whole, 10),
        Some(("", fraction)) => digits(fraction, 10),
        Some((whole, fraction)) => digits(whole, 10) && digits(fraction, 10),
        None => digits(mantissa, 10),
    };
    exponent_ok && mantissa_ok
}
