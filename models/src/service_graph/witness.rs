//! The kinds of event in a trajectory. The numbers are part of every digest: never reuse one.

use sim_core::SimDuration;

pub const ARRIVAL: u16 = 1;
pub const DELIVER: u16 = 2;
pub const WORK_DONE: u16 = 3;
pub const REPLY: u16 = 4;
pub const TIMER: u16 = 5;
pub const RESUME: u16 = 6;
pub const FAULT: u16 = 7;
pub const RESTART: u16 = 8;
pub const PROCEED: u16 = 9;
pub const COPY: u16 = 10;
pub const CANCEL: u16 = 11;
pub const LEFT_LINE: u16 = 12;
pub const HAS_TURN: u16 = 13;
pub const NO_CONNECTION: u16 = 14;
pub const CONNECTION: u16 = 15;
pub const RELOAD: u16 = 20;
pub const BEGUN: u16 = 21;
pub const NEXT_CALL: u16 = 22;
pub const LOOK: u16 = 30;
pub const CALLS_BACK: u16 = 50;
pub const NOT_CALLED_BACK: u16 = 51;

/// A kind in words.
pub fn name(kind: u16) -> &'static str {
    match kind {
        ARRIVAL => "call begins",
        DELIVER => "request arrives",
        WORK_DONE => "work done",
        REPLY => "answer arrives",
        TIMER => "timer fires",
        RESUME => "back-off over",
        FAULT => "fault changes",
        RESTART => "replica restarts",
        PROCEED => "request goes on",
        COPY => "copy is due",
        CANCEL => "cancellation arrives",
        LEFT_LINE => "leaves the line",
        HAS_TURN => "has its turn",
        NO_CONNECTION => "gets no connection",
        CONNECTION => "connection is due",
        RELOAD => "user loads again",
        NEXT_CALL => "user calls next",
        BEGUN => "another was begun with",
        LOOK => "somebody looks",
        CALLS_BACK => "callback is due",
        NOT_CALLED_BACK => "no callback came",
        _ => "unknown event",
    }
}

/// Whether an event of this kind ends an attempt, in the outcome it carries.
pub fn has_outcome(kind: u16) -> bool {
    matches!(kind, TIMER | REPLY)
}

/// The work of an attempt stands below the replica that did it; work of more than three days reads as another's.
pub const REPLICA_SHIFT: u32 = 48;

/// The detail of an event in words.
pub fn note(event: &sim_core::Witness) -> String {
    let detail = event.detail;
    match event.kind {
        ARRIVAL => format!("number {detail}"),
        DELIVER | REPLY | PROCEED | CALLS_BACK | NOT_CALLED_BACK if detail < u64::from(u32::MAX) => {
            format!("replica {detail}")
        }
        WORK_DONE => {
            let work = SimDuration::from_nanos(detail & ((1 << REPLICA_SHIFT) - 1));
            format!("replica {}, after {work}", detail >> REPLICA_SHIFT)
        }
        FAULT => if event.outcome == 1 { "begins" } else { "ends" }.into(),
        RESTART | LOOK => format!("replica {}", event.request),
        _ => String::new(),
    }
}
