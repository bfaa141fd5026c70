//! Bars that need no script: shares of a whole, and points with intervals on a common scale.

use super::escape::text;

/// The width of a picture in its own units.
const WHOLE: f64 = 1000.0;

/// A share of a bar: the class of its colour, what it is, how much.
pub type Part<'a> = (&'a str, &'a str, f64);

/// A bar of parts that follow each other, `full` long. What it says stands beside it in words.
pub fn stacked(parts: &[Part], full: f64) -> String {
    let mut at = 0.0;
    let mut rects = String::new();
    for (class, name, size) in parts.iter().filter(|(.., size)| *size > 0.0 && full > 0.0) {
        let (from, to) = (place(at / full), place((at + size) / full));
        at += size;
        // The smallest part can still be seen.
        let width = (to - from).max(2);
        rects += &format!(
            "<rect class=\"{class}\" x=\"{from}\" width=\"{width}\" height=\"10\"><title>{}</title></rect>",
            text(name)
        );
    }
    format!(
        "<svg class=\"bar\" viewBox=\"0 0 {WHOLE} 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"track\" width=\"{WHOLE}\" height=\"10\"/>{rects}</svg>"
    )
}

/// A row of cells, the fuller its colour the nearer to `full`: darker on a light page, brighter on a dark one.
pub fn shaded(cells: &[f64], full: f64) -> String {
    let width = WHOLE / cells.len().max(1) as f64;
    let mut rects = String::new();
    for (at, value) in cells.iter().enumerate().filter(|(_, value)| **value > 0.0 && full > 0.0) {
        let (from, to) = ((at as f64 * width).round() as i64, ((at + 1) as f64 * width).round() as i64);
        let shade = (value / full).clamp(0.0, 1.0);
        rects += &format!(
            "<rect class=\"shade\" x=\"{from}\" width=\"{}\" height=\"10\" fill-opacity=\"{shade:.2}\"/>",
            to - from
        );
    }
    format!(
        "<svg class=\"bar\" viewBox=\"0 0 {WHOLE} 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"track\" width=\"{WHOLE}\" height=\"10\"/>{rects}</svg>"
    )
}

/// A stretch of the whole, its ends given as shares of that.
pub fn stretch(class: &str, from: f64, to: f64) -> String {
    let (from, to) = (place(from), place(to));
    format!(
        "<svg class=\"bar\" viewBox=\"0 0 {WHOLE} 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"track\" width=\"{WHOLE}\" height=\"10\"/>\
         <rect class=\"{class}\" x=\"{from}\" width=\"{}\" height=\"10\"/></svg>",
        (to - from).max(2)
    )
}

/// A point and its interval between `low` and `high`, with a line where zero is.
pub fn forest(mean: f64, half: f64, low: f64, high: f64, class: &str) -> String {
    let x = |value: f64| place((value - low) / (high - low));
    let zero = if low < 0.0 && high > 0.0 {
        format!("<line class=\"zero\" x1=\"{0}\" x2=\"{0}\" y1=\"0\" y2=\"100\"/>", x(0.0))
    } else {
        String::new()
    };
    let (from, to, at) = (x(mean - half), x(mean + half), x(mean));
    format!(
        "<svg class=\"forest {class}\" viewBox=\"0 0 {WHOLE} 100\" preserveAspectRatio=\"none\" aria-hidden=\"true\">{zero}\
         <line class=\"stem\" x1=\"{from}\" x2=\"{to}\" y1=\"50\" y2=\"50\"/>\
         <line class=\"point\" x1=\"{at}\" x2=\"{at}\" y1=\"20\" y2=\"80\"/></svg>"
    )
}

/// Where a share of the whole width is.
fn place(share: f64) -> i64 {
    if share.is_finite() { (share * WHOLE).clamp(0.0, WHOLE).round() as i64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fill_the_bar_and_the_smallest_can_be_seen() {
        let bar = stacked(&[("ok", "ok: <1>", 0.25), ("failed", "failed", 0.7499), ("x", "x", 0.0001)], 1.0);
        assert!(
            bar.contains("<rect class=\"ok\" x=\"0\" width=\"250\" height=\"10\"><title>ok: &lt;1&gt;"),
            "{bar}"
        );
        assert!(bar.contains("class=\"failed\" x=\"250\" width=\"750\""), "{bar}");
        assert!(bar.contains("class=\"x\" x=\"1000\" width=\"2\""), "{bar}");
        assert!(!stacked(&[("ok", "", f64::NAN)], 0.0).contains("NaN"));
    }

    #[test]
    fn an_interval_lies_around_its_point() {
        let drawn = forest(5.0, 1.0, -10.0, 10.0, "good");
        assert!(drawn.contains("x1=\"700\" x2=\"800\""), "{drawn}");
        assert!(drawn.contains("class=\"point\" x1=\"750\""), "{drawn}");
        assert!(drawn.contains("class=\"zero\" x1=\"500\""), "{drawn}");
        assert!(!forest(f64::NAN, 1.0, 0.0, 0.0, "").contains("NaN"));
    }
}
