//! JSON schemas of the documents that commands write, checked in under `sim-cli/schemas`. That of a report is the
//! models' (`models/report.schema.json`).

use crate::golden::facts;
use crate::plan;
use crate::result::{
    checked, compared, differed, distribution, explored, found, helped, mapped, mechanism, recommended,
    replicated, swept, traces,
};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

/// Each document: the name of its schema, and the schema.
pub fn all() -> Vec<(&'static str, Schema)> {
    vec![
        ("check", schema::<checked::Document>("brownout check", checked::FORMAT)),
        ("snapshot", schema::<facts::Facts>("brownout snapshot facts", facts::FORMAT)),
        ("histogram", schema::<distribution::Distribution>("brownout histogram", distribution::FORMAT)),
        (
            "histograms",
            schema::<distribution::Overlaid>("brownout histogram of several", distribution::FORMAT),
        ),
        ("diff", schema::<differed::Document>("brownout diff", differed::FORMAT)),
        ("comparison", schema::<compared::Comparison>("brownout compare", compared::FORMAT)),
        ("replications", schema::<replicated::Replicated>("brownout run --replications", replicated::FORMAT)),
        ("sweep", schema::<swept::Swept>("brownout sweep", swept::FORMAT)),
        ("plan", schema::<plan::Plan>("plan of a brownout sweep", plan::FORMAT)),
        ("find", schema::<found::Found>("brownout find, one range", found::FORMAT)),
        ("map", schema::<mapped::Mapped>("brownout find, two ranges", mapped::FORMAT)),
        ("recommend", schema::<recommended::Recommendation>("brownout recommend", recommended::FORMAT)),
        ("helped", schema::<helped::Helped>("brownout recommend --mechanisms", helped::FORMAT)),
        ("mechanism", schema::<mechanism::Page>("brownout explain --mechanism", mechanism::FORMAT)),
        ("mechanisms", schema::<mechanism::Mechanisms>("brownout list mechanisms", mechanism::FORMAT)),
        ("explore", schema::<explored::Explored>("brownout explore", explored::FORMAT)),
        ("trace", schema::<traces::Traces>("brownout trace", traces::FORMAT)),
    ]
}

/// The schema of a document whose field `format` is its version.
fn schema<T: JsonSchema>(title: &str, format: u32) -> Schema {
    let mut schema =
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), title.into());
    let version = schema.pointer_mut("/properties/format").and_then(|format| format.as_object_mut());
    version.expect("every document has a format").insert("const".into(), format.into());
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_checked_in_schemas_are_those_of_the_code() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        let report = ("report", sim_models::report::schema());
        for (name, schema) in all().into_iter().chain([report]) {
            let file = format!("{name}.schema.json");
            let path =
                if name == "report" { folder.join("../../models").join(file) } else { folder.join(file) };
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&path, serde_json::to_string_pretty(&schema).unwrap() + "\n").unwrap();
            }
            let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
            // Compared as values: the order of keys is no part of a schema.
            let checked_in: Option<serde_json::Value> = serde_json::from_str(&checked_in).ok();
            assert!(
                checked_in.as_ref() == Some(schema.as_value()),
                "the shape of `{name}` has changed. Is it still the same format? If so, write the schema anew with \
                 `BLESS=1 cargo test -p sim-cli schema` and say so in the changelog"
            );
        }
        let files = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(files, all().len(), "a schema of no document is left over");
    }
}
