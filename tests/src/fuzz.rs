//! What fuzzers share: how many cases, and how bytes are spoilt.

use crate::Rng;
use std::ops::Range;

/// The numbers of the cases of a fuzzer: `usual` of them, or what `BROWNOUT_FUZZ` says, from `BROWNOUT_FUZZ_FROM` on.
pub fn cases(usual: u64) -> Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let from = number("BROWNOUT_FUZZ_FROM").unwrap_or(0);
    from..from + number("BROWNOUT_FUZZ").unwrap_or(usual)
}

/// Some bytes that were whole: a bit turned, a piece lost, doubled or moved, the rest gone, a number for a number.
pub fn spoil(bytes: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.between(1, 2) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = rng.below(bytes.len() as u64) as usize;
        let to = (at + rng.between(1, 40) as usize).min(bytes.len());
        match rng.below(9) {
            0..=2 => bytes[at] ^= 1 << rng.below(8),
            3 => bytes[at] = rng.word() as u8,
            4 => _ = bytes.drain(at..to),
            5 => {
                let piece = bytes[at..to].to_vec();
                let place = rng.below(bytes.len() as u64) as usize;
                bytes.splice(place..place, piece);
            }
            6 => bytes.truncate(at),
            7 => renumber(&mut bytes, at, rng),
            // Two lines change places, or one is there twice.
            _ => {
                let mut lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
                let (a, b) = (rng.below(lines.len() as u64) as usize, rng.below(lines.len() as u64) as usize);
                if rng.one_in(2) {
                    lines.swap(a, b)
                } else {
                    lines.insert(a, lines[b])
                }
                bytes = lines.concat();
            }
        }
    }
    bytes
}

/// The next number becomes another, often one that is hard to hold.
fn renumber(bytes: &mut Vec<u8>, at: usize, rng: &mut Rng) {
    const NUMBERS: [&str; 12] = [
        "0",
        "1",
        "-1",
        "4294967296",
        "18446744073709551615",
        "18446744073709551616",
        "1e308",
        "1e999",
        "-0.0",
        "0.5",
        "null",
        "999999999999999999999999",
    ];
    let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|place| at + place) else { return };
    let end =
        bytes[start..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |end| start + end);
    bytes.splice(start..end, rng.pick(&NUMBERS).bytes());
}
