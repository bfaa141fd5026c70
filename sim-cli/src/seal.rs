//! Results that are read again carry a seal: a hash of all that stands before it, so that a bit that was flipped on a disk
//! or on the way is told and not compared with.
//!
//! ```text
//! {"format":1, .. ,"seal":"9c0f21d4a7b3e655"}
//! ```
//!
//! It is the last member of the document, and hashes everything before it but the space between its parts: a file that
//! was indented anew is the same file. It guards against accidents, not against forgers.

use crate::console::Console;
use crate::error::{Error, Result};
use crate::files;
use crate::text::escape_path;
use sim_core::digest::hash_text;
use std::path::Path;

const KEY: &str = "\"seal\"";

/// A JSON object with its seal, ending in a newline.
pub fn sealed(object: &str) -> String {
    let body = object.trim_end().strip_suffix('}').expect("results are objects").trim_end();
    // As the rest of it is written: on lines of their own, or in one.
    let (line, space) = if object.contains("\n  \"") { ("\n  ", " ") } else { ("", "") };
    let end = if line.is_empty() { "" } else { "\n" };
    // In one line there is no space between its parts, and nothing to be left out.
    let seal = if line.is_empty() { hashed(body) } else { seal(body) };
    format!("{body},{line}{KEY}:{space}\"{seal}\"{end}}}\n")
}

/// What a text says about itself.
#[derive(Debug, PartialEq, Eq)]
enum Seal<'a> {
    /// It is as it was written; the document without its seal lacks its last bracket.
    Whole(&'a str),
    /// It is from before there were seals.
    None,
    /// Something has changed.
    Broken,
}

fn check(text: &str) -> Seal<'_> {
    let parts = || {
        let inner = text.trim_end().strip_suffix('}')?.trim_end();
        let (before, written) = inner.rsplit_once(KEY)?;
        let body = before.trim_end().strip_suffix(',')?;
        Some((body, written.trim_start().strip_prefix(':')?.trim()))
    };
    match parts() {
        None => Seal::None,
        Some((body, written)) if written == format!("\"{}\"", seal(body)) => Seal::Whole(body),
        Some(_) => Seal::Broken,
    }
}

fn seal(body: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let mut said = Vec::with_capacity(body.len());
    // All that is asked for is ASCII, of which no part of another character is made.
    for &byte in body.as_bytes() {
        if quoted || !byte.is_ascii_whitespace() {
            said.push(byte);
        }
        quoted ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
    }
    hashed(&String::from_utf8(said).expect("whole characters were left out"))
}

fn hashed(text: &str) -> String {
    format!("{:016x}", hash_text(text))
}

/// A result that was saved, if it is still what was written; a note where it is too old to tell.
pub fn read(path: &Path, console: &mut Console) -> Result<String> {
    let bytes = files::read(path, files::REPORT_LIMIT)?;
    let fail = |why: &str| Error::file("cannot read", path, std::io::Error::other(why));
    let text = String::from_utf8(bytes).map_err(|_| fail("it is not text"))?;
    match check(&text) {
        Seal::Whole(body) => return Ok(format!("{body}}}")),
        Seal::None => {}
        Seal::Broken => {
            return Err(fail(
                "it is not what was written: its seal does not fit what stands before it\n  \
                 run the experiment again; who changed it on purpose removes its `seal`",
            ));
        }
    }
    console.note(&format!(
        "note: {} has no seal, as files of before have none: whether it is whole nobody can tell",
        escape_path(path)
    ));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPACT: &str = "{\"format\":1,\"about\":\"a \\\"b c\\\\\",\"values\":[1.5,2],\"goodput\":0.25}\n";
    const PRETTY: &str = "{\n  \"format\": 1,\n  \"about\": \"x  y\",\n  \"values\": [\n    1.5\n  ]\n}\n";

    #[test]
    fn what_is_sealed_is_json_and_the_same_besides() {
        for text in [COMPACT, PRETTY] {
            let written = sealed(text);
            let mut read: serde_json::Value = serde_json::from_str(&written).expect("JSON");
            assert!(read.as_object_mut().unwrap().remove("seal").is_some());
            assert_eq!(read, serde_json::from_str::<serde_json::Value>(text).unwrap());
            let Seal::Whole(body) = check(&written) else { panic!("{written}") };
            assert_eq!(serde_json::from_str::<serde_json::Value>(&format!("{body}}}")).unwrap(), read);
            assert_eq!(check(text), Seal::None);
        }
        assert_eq!(sealed(PRETTY).lines().count(), PRETTY.lines().count() + 1);
    }

    /// However it is indented; but what stands in quotes has spaces of its own.
    #[test]
    fn space_between_parts_does_not_count() {
        let written = sealed(COMPACT);
        let indented = written.replace("\":", "\" :\t").replace(",\"", ",\n    \"");
        assert!(
            indented.len() > written.len() + 10 && matches!(check(&indented), Seal::Whole(_)),
            "{indented}"
        );
        assert_eq!(check(&sealed(PRETTY).replace("x  y", "x y")), Seal::Broken);
    }

    /// Any bit, anywhere: the seal does not fit, or is none any more, or it is no JSON.
    #[test]
    fn every_flipped_bit_is_told() {
        for text in [COMPACT, PRETTY] {
            let written = sealed(text).into_bytes();
            for bit in 0..written.len() * 8 {
                let mut bytes = written.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let Ok(text) = String::from_utf8(bytes) else { continue };
                let told = match check(&text) {
                    Seal::Whole(_) => serde_json::from_str::<serde_json::Value>(&text).is_err(),
                    Seal::None | Seal::Broken => true,
                };
                // The newline at the end is nobody's.
                assert!(told || bit / 8 == written.len() - 1, "bit {bit}: {text}");
            }
        }
    }
}
