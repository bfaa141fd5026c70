//! Numbers in sentences.

/// A share for people: `62 %`, `3.2 %`, `99.9 %`, `213 %`. Only all is 100 %, and only nothing is 0 %.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let decimals = if (9.95..=99.0).contains(&percent) || percent >= 109.95 { 0 } else { 1 };
    match format!("{percent:.decimals$}").trim_end_matches(".0") {
        "100" if share < 1.0 => "over 99.9 %".into(),
        "0" if share > 0.0 => "under 0.1 %".into(),
        text => format!("{text} %"),
    }
}

/// To three digits or so, without zeros that say nothing.
pub(crate) fn short(number: f64) -> String {
    let decimals = if number >= 99.95 {
        0
    } else if number >= 9.995 {
        1
    } else {
        2
    };
    let text = format!("{number:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_for_people_but_never_to_all_or_nothing() {
        for (share, text) in [
            (0.03, "3 %"),
            (0.032, "3.2 %"),
            (0.0996, "10 %"),
            (0.624, "62 %"),
            (0.99, "99 %"),
            (0.999, "99.9 %"),
            (1.0, "100 %"),
            (1.004, "100.4 %"),
            (1.0996, "110 %"),
            (2.133, "213 %"),
            (0.9999, "over 99.9 %"),
            (0.0, "0 %"),
            (0.0001, "under 0.1 %"),
        ] {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn numbers_are_short() {
        for (number, text) in [
            (2.976, "2.98"),
            (3.0, "3"),
            (12.34, "12.3"),
            (9.999, "10"),
            (1234.5, "1234"),
            (0.5, "0.5"),
            (100.0, "100"),
        ] {
            assert_eq!(short(number), text);
        }
    }
}
