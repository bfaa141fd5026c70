//! The page's own script: one file for each concept under `assets/report/`, one script on the page.

/// The files in the order in which they build on each other, in a scope of their own.
pub(super) const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("../../assets/report/base.js"),
    include_str!("../../assets/report/numbers.js"),
    include_str!("../../assets/report/histogram.js"),
    include_str!("../../assets/report/links.js"),
    include_str!("../../assets/report/plot.js"),
    include_str!("../../assets/report/draw.js"),
    include_str!("../../assets/report/legend.js"),
    include_str!("../../assets/report/keys.js"),
    include_str!("../../assets/report/table.js"),
    include_str!("../../assets/report/ranges.js"),
    include_str!("../../assets/report/page.js"),
    "})();\n"
);

#[cfg(test)]
mod tests {
    use super::SCRIPT;

    #[test]
    fn every_file_of_the_script_is_in_it() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/report");
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            assert_eq!(SCRIPT.matches(&text).count(), 1, "{text}");
        }
    }
}
