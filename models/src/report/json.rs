//! A report as JSON: its schema, reading it back, and the digest of its results.

use super::head::{DigestParts, FORMAT, Report};
use super::named::Named;
use schemars::generate::SchemaSettings;
use sim_core::digest::{Digester, RESULTS};

/// The JSON schema of a [`Report`] as it is written; checked in as `models/report.schema.json`, which `sim-cli` holds
/// against this: no file is read or written here.
pub fn schema() -> schemars::Schema {
    let mut schema =
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Report>();
    schema.insert("title".into(), "brownout report".into());
    let format = schema.pointer_mut("/properties/format").and_then(|format| format.as_object_mut());
    format.expect("a report has a format").insert("const".into(), FORMAT.into());
    schema
}

/// The `s` part of the digest: the report as JSON, without its own digest and without what the run was
/// called: the same run under another name has the same results. The latencies of windows are most of a
/// report, and hashed as the numbers they are: to write them out would cost more than a twelfth of a run.
pub fn results_digest(report: &Report) -> u64 {
    let mut bare = Report {
        digest: DigestParts::default(),
        experiment: String::new(),
        about: String::new(),
        variant: None,
        overrides: Vec::new(),
        ..report.clone()
    };
    let mut digest = Digester::new(RESULTS);
    for (_, edge) in &mut bare.edges.0 {
        for window in std::mem::take(&mut edge.windows.latency) {
            digest.word(window.len() as u64);
            window.iter().for_each(|&(value, count)| digest.pair(value, count));
        }
        // It says when what was counted in all happened: results are the same without.
        edge.windows.failed_by = Named::default();
        // It says what the file does.
        edge.nobodys = None;
    }
    digest.text(&bare.to_json());
    digest.finish()
}

impl Report {
    /// It as JSON, in one line and without a space: a report is for programs.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a report holds only numbers, texts and named maps")
    }

    /// Reads a report that was written as JSON. Of another format it reads nothing but the version, to say so.
    pub fn from_json(text: &str) -> Result<Report, String> {
        #[derive(serde::Deserialize)]
        struct Head {
            format: Option<u64>,
        }
        let head: Head = serde_json::from_str(text).map_err(|error| format!("not a report: {error}"))?;
        match head.format {
            Some(format) if format == u64::from(FORMAT) => serde_json::from_str(text)
                .map_err(|error| format!("not a whole report of format {FORMAT}: {error}")),
            Some(format) => {
                Err(format!("the report has format {format}, but this version reads format {FORMAT} only"))
            }
            None => Err(format!("not a report: it states no format (this version reads format {FORMAT})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Summary;
    use crate::report::synthetic::full_report;

    #[test]
    fn every_field_of_a_report_is_in_the_schema() {
        let schema = schema();
        assert_eq!(schema.get("title"), Some(&"brownout report".into()));
        let properties = schema.get("properties").unwrap().as_object().unwrap();
        for key in serde_json::to_value(full_report()).unwrap().as_object().unwrap().keys() {
            assert!(properties.contains_key(key), "{key}");
        }
    }

    #[test]
    fn a_report_is_read_back_to_the_byte() {
        for report in [full_report(), Report { format: FORMAT, ..Report::default() }] {
            let written = serde_json::to_string(&report).unwrap();
            let read = Report::from_json(&written).unwrap();
            assert_eq!(read, report);
            assert_eq!(serde_json::to_string(&read).unwrap(), written);
            let pretty = serde_json::to_string_pretty(&report).unwrap();
            assert_eq!(Report::from_json(&pretty).unwrap(), report);
        }
    }

    #[test]
    fn floats_are_read_back_to_the_last_bit() {
        // A parser that rounds twice gets some of these wrong.
        for i in 0..2_000_u64 {
            let bits = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 2;
            let (goodput, offered) = (Some(f64::from_bits(bits)), Some(i as f64 / 7.0));
            let summary = Summary { goodput, offered, ..Summary::default() };
            let written = serde_json::to_string(&summary).unwrap();
            assert_eq!(serde_json::from_str::<Summary>(&written).unwrap(), summary, "{written}");
        }
    }

    #[test]
    fn another_format_is_refused_with_both_versions() {
        let mut report = full_report();
        report.format = FORMAT + 6;
        let error = Report::from_json(&serde_json::to_string(&report).unwrap()).unwrap_err();
        assert!(error.contains("format 7") && error.contains("format 1"), "{error}");
        // Whatever else that format holds is not looked at.
        assert!(Report::from_json(r#"{"format": 99, "edges": "other"}"#).unwrap_err().contains("format 99"));
        for (text, why) in [
            ("", "not a report"),
            ("[1, 2]", "not a report"),
            ("{}", "states no format"),
            (r#"{"format": 1}"#, "missing field `experiment`"),
        ] {
            assert!(Report::from_json(text).unwrap_err().contains(why), "{text}");
        }
    }

    #[test]
    fn the_digest_covers_everything_but_itself() {
        let report = full_report();
        let mut other = report.clone();
        other.digest.t = "0123456789abcdef".into();
        assert_eq!(results_digest(&report), results_digest(&other));
        other.edges.0[0].1.windows.ok[3] += 1;
        assert_ne!(results_digest(&report), results_digest(&other));
        let mut other = report.clone();
        let window = other.edges.0[0].1.windows.latency.iter_mut().find(|window| !window.is_empty());
        window.expect("a window with latencies")[0].1 += 1;
        assert_ne!(results_digest(&report), results_digest(&other));
    }
}
