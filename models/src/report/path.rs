//! How the path of a metric is written: names joined by dots, or in brackets and quotes.

/// The names in a path, or what is wrong with how it is written.
pub fn names(path: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let mut rest = path.trim();
    let wrong = |what: &str| Err(format!("`{path}` is no path: {what}"));
    loop {
        if let Some(quoted) = rest.strip_prefix("[\"") {
            let (mut name, mut chars) = (String::new(), quoted.chars());
            loop {
                match chars.next() {
                    None => return wrong("a quote is not closed"),
                    Some('"') => break,
                    Some('\\') => name.extend(chars.next()),
                    Some(other) => name.push(other),
                }
            }
            match chars.as_str().strip_prefix(']') {
                Some(tail) => rest = tail,
                None => return wrong("a bracket is not closed"),
            }
            names.push(name);
        } else if let Some((number, tail)) = numbered(rest) {
            names.push(number.into());
            rest = tail;
        } else {
            let end = rest.find(['.', '[', ']', '"']).unwrap_or(rest.len());
            let (name, tail) = rest.split_at(end);
            if name.is_empty() {
                return wrong(if rest.starts_with('[') {
                    "a name in brackets needs quotes"
                } else {
                    "a name is missing"
                });
            }
            if tail.starts_with([']', '"']) {
                return wrong("a bracket or quote stands alone");
            }
            names.push(name.into());
            rest = tail;
        }
        if rest.is_empty() {
            return Ok(names);
        }
        match rest.strip_prefix('.') {
            Some(tail) => rest = tail,
            None if rest.starts_with('[') => {}
            None => return wrong("a dot is missing"),
        }
    }
}

/// A number in brackets, one of several: `[3]`.
fn numbered(rest: &str) -> Option<(&str, &str)> {
    let (number, tail) = rest.strip_prefix('[')?.split_once(']')?;
    (!number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())).then_some((number, tail))
}

/// The canonical text of a path.
pub(super) fn written(at: &[&str]) -> String {
    let at = if at[0] == SUMMARY { &at[1..] } else { at };
    let mut path = String::new();
    for name in at {
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if !name.is_empty() && name.chars().all(plain) {
            if !path.is_empty() {
                path.push('.');
            }
            path += name;
        } else {
            path += &format!("[\"{}\"]", name.replace('\\', "\\\\").replace('"', "\\\""));
        }
    }
    path
}

/// What is in the summary needs no name of a group in front.
pub(super) const SUMMARY: &str = "summary";
