//! The kinds of event in a trajectory. The numbers are part of every digest: never reuse one.

pub const ARRIVAL: u16 = 1;
pub const DELIVER: u16 = 2;
pub const WORK_DONE: u16 = 3;
pub const REPLY: u16 = 4;
pub const TIMEOUT: u16 = 5;
pub const RESUME: u16 = 6;
pub const FAULT: u16 = 7;
pub const RESTART: u16 = 8;

/// A kind in words.
pub fn name(kind: u16) -> &'static str {
    match kind {
        ARRIVAL => "call begins",
        DELIVER => "request arrives",
        WORK_DONE => "work done",
        REPLY => "answer arrives",
        TIMEOUT => "timer fires",
        RESUME => "back-off over",
        FAULT => "fault changes",
        RESTART => "replica restarts",
        _ => "unknown event",
    }
}
