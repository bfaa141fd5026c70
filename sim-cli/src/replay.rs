//! The command line that does something again, quoted for a shell.

use crate::files::escape;
use std::ffi::OsString;

/// The words of a command line as one would type them.
pub fn line(words: &[OsString]) -> String {
    let words = words.iter().enumerate().map(|(index, word)| match index {
        0 => "brownout".to_string(),
        _ => quote(&word.to_string_lossy()),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// One word for a POSIX shell. What a terminal cannot show is escaped, so that the line is safe to print.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", escape(word).replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_where_a_shell_would_change_them() {
        let words = ["/bin/x", "run", "retry-storm", "--set", "a.b[0]=\"it's\"", ""].map(OsString::from);
        assert_eq!(line(&words), r#"brownout run retry-storm --set 'a.b[0]="it'\''s"' ''"#);
    }
}
