//! The only two ways in which a text gets into a page.

use crate::text::escape as clean;

/// A text of unknown origin, for an element or a quoted attribute. What cannot be seen or turns the reading order
/// is spelled out, as on a terminal.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// The same over several lines, for `<pre>`.
pub fn lines(several: &str) -> String {
    several.lines().map(text).collect::<Vec<_>>().join("\n")
}

/// Data for a `<script type="application/json">`: nothing in it can end the element, open a comment, or break a
/// line of an older script engine; and decoding it gives back the same.
pub fn json(data: &impl serde::Serialize) -> String {
    let plain = serde_json::to_string(data).expect("figures have text keys");
    let mut out = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(
            text("</script><img src=x onerror='a(\"b\")'>&{{7*7}}\u{202e}\n"),
            "&lt;/script&gt;&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt;&amp;{{7*7}}\\u{202e}\\u{a}"
        );
        assert_eq!(lines("<a>\n\tb\u{7}"), "&lt;a&gt;\n\\u{9}b\\u{7}");
    }

    #[test]
    fn data_cannot_leave_its_block_and_comes_back_the_same() {
        let evil = "</script><!-- ]]> & \u{2028}\u{2029}\0 \"quoted\"";
        let block = json(&evil);
        assert!(!block.contains(['<', '>', '&', '\u{2028}', '\u{2029}', '\0']), "{block}");
        assert_eq!(serde_json::from_str::<String>(&block).expect("JSON"), evil);
    }
}
