//! What a snapshot remembers for programs: `NAME.snap.json` beside `NAME.snap`, one line per run.
//!
//! The snapshot is for people to review. From this file, when the snapshot differs, `check` can say which metric
//! moved and where the first different event is. It carries the hash of its snapshot, so that it is never
//! believed about another.

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::files;
use crate::result::moved::Reading;
use crate::text::escape_path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::digest::{Hex, hash_text};
use sim_models::report::{DigestParts, Named, Report};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Version of the shape of [`Facts`].
pub const FORMAT: u32 = 1;
/// How every file of facts begins. One that begins otherwise is not ours to replace.
const HEAD: &str = "{\"format\":";
/// The most checkpoints that are kept of a run: 5 KB.
const CHECKPOINTS: usize = 256;
/// The most metrics that are kept of a run.
const METRICS: usize = 200;

/// The runs of one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// The hash of the snapshot that they belong to.
    pub snapshot: String,
    /// The version of the program that made it. Older ones did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brownout: Option<String>,
    /// Its runs, in its order.
    pub runs: Vec<Fact>,
}

/// One run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    /// The variant; none is the base.
    pub variant: Option<String>,
    /// Its seed.
    pub seed: u64,
    /// How many events it had.
    pub events: u64,
    /// Name and version of its model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<(String, u32)>,
    /// The digest of what its file said, whatever the version of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// The digest, with fewer checkpoints than a report has.
    pub digest: DigestParts,
    /// The metrics that people look at.
    pub metrics: Named<Reading>,
}

impl Fact {
    /// Of this run.
    pub fn of(report: &Report, said: u64) -> Self {
        let mut metrics = Named::default();
        for leaf in report.leaves().iter().filter(|leaf| leaf.meaning.headline).take(METRICS) {
            metrics.push(leaf.path(), Reading::from(leaf.metric));
        }
        let (variant, run) = (report.variant.clone(), &report.run);
        Fact {
            variant,
            seed: run.seed,
            events: run.events,
            model: Some(report.model.clone()),
            said: Some(Hex(said).to_string()),
            digest: thinned(&report.digest),
            metrics,
        }
    }
}

/// Every second checkpoint, until they are few.
fn thinned(digest: &DigestParts) -> DigestParts {
    let mut digest = digest.clone();
    while digest.checkpoints.len() > CHECKPOINTS {
        digest.checkpoints = digest.checkpoints.into_iter().skip(1).step_by(2).collect();
        digest.every *= 2;
    }
    digest
}

/// Where the facts of a snapshot are.
pub fn path(snapshot: &Path) -> PathBuf {
    let mut name = snapshot.as_os_str().to_os_string();
    name.push(".json");
    name.into()
}

impl Facts {
    /// Of the runs whose snapshot is `text`, each with what its file said.
    pub fn of<'a>(text: &str, reports: impl Iterator<Item = (&'a Report, u64)>) -> Self {
        let runs = reports.map(|(report, said)| Fact::of(report, said)).collect();
        Facts { format: FORMAT, snapshot: hash(text), brownout: Some(VERSION.into()), runs }
    }

    /// As a file: one line per run, so that a difference between two versions is one of lines.
    pub fn text(&self) -> String {
        let json = |fact: &Fact| serde_json::to_string(fact).expect("numbers, texts and named maps");
        let runs: Vec<String> = self.runs.iter().map(json).collect();
        let by = |version: &String| format!("\"brownout\":{},", serde_json::json!(version));
        let by = self.brownout.as_ref().map(by).unwrap_or_default();
        let head = format!("{HEAD}{},\"snapshot\":\"{}\",{by}\"runs\":[", self.format, self.snapshot);
        format!("{head}\n{}\n]}}\n", runs.join(",\n"))
    }

    /// Writes them beside the snapshot.
    pub fn write(&self, disk: &Disk, snapshot: &Path) -> Result<()> {
        let path = path(snapshot);
        if path.exists() && !files::read(&path, files::REPORT_LIMIT)?.starts_with(HEAD.as_bytes()) {
            let cause = std::io::Error::other("it was not written by brownout, so it is not replaced");
            return Err(Error::file("cannot write", &path, cause));
        }
        disk.replace(&path, self.text().as_bytes())
    }

    /// Those of the snapshot at `snapshot`, which holds `text`; or why there are none.
    pub fn read(snapshot: &Path, text: &str) -> Result<std::result::Result<Facts, String>> {
        let path = path(snapshot);
        let shown = escape_path(&path);
        match std::fs::symlink_metadata(&path) {
            Ok(_) => {}
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                return Ok(Err(format!("{shown} is not there, so only lines can be compared")));
            }
            Err(cause) => return Err(Error::file("cannot read", &path, cause)),
        }
        let bytes = files::read(&path, files::REPORT_LIMIT)?;
        #[derive(Deserialize)]
        struct Head {
            format: Option<u64>,
        }
        let format = serde_json::from_slice(&bytes).ok().and_then(|head: Head| head.format);
        if format != Some(u64::from(FORMAT)) {
            return Ok(Err(format!("{shown} is not of format {FORMAT}, so only lines can be compared")));
        }
        Ok(match serde_json::from_slice::<Facts>(&bytes) {
            Ok(facts) if facts.snapshot == hash(text) => Ok(facts),
            Ok(_) => Err(format!("{shown} belongs to another snapshot, so only lines can be compared")),
            Err(why) => Err(format!("{shown} cannot be read ({why}), so only lines can be compared")),
        })
    }
}

fn hash(text: &str) -> String {
    Hex(hash_text(text)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testdata;

    #[test]
    fn facts_are_read_back_and_belong_to_one_snapshot() {
        let folder = std::env::temp_dir().join(format!("brownout-facts-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let snapshot = folder.join("a.snap");
        let report = testdata::storm();
        let facts = Facts::of("text", [(&report, 7)].into_iter());
        assert!(Facts::read(&snapshot, "text").unwrap().unwrap_err().contains("is not there"));
        std::fs::write(path(&snapshot), facts.text()).unwrap();
        assert_eq!(Facts::read(&snapshot, "text").unwrap().unwrap(), facts);
        assert!(Facts::read(&snapshot, "other").unwrap().unwrap_err().contains("another snapshot"));
        std::fs::write(path(&snapshot), "{\"format\": 9}").unwrap();
        assert!(Facts::read(&snapshot, "text").unwrap().unwrap_err().contains("format 1"));
        std::fs::remove_dir_all(&folder).unwrap();
        let paths: Vec<&str> = facts.runs[0].metrics.iter().map(|(path, _)| path).collect();
        assert!(paths.contains(&"goodput") && !paths.contains(&"run.events"), "{paths:?}");
    }

    #[test]
    fn checkpoints_are_thinned_to_multiples() {
        let checkpoints = (1..=1000).map(|n: u64| n.to_string()).collect();
        let few = thinned(&DigestParts { every: 64, checkpoints, ..DigestParts::default() });
        assert_eq!((few.every, few.checkpoints.len(), few.checkpoints[0].as_str()), (256, 250, "4"));
    }
}
