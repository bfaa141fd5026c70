//! What is witnessed: numbers that stay what they are, since digests are made of them.

pub const MESSAGE: u16 = 100;
pub const RING: u16 = 101;
pub const REQUEST: u16 = 102;
pub const STAND: u16 = 103;
pub const UP: u16 = 104;
pub const FAULT: u16 = 105;
pub const ASKS: u16 = 106;
pub const ENDS: u16 = 107;

/// What one is called.
pub fn told(kind: u16) -> &'static str {
    match kind {
        MESSAGE => "message",
        RING => "timer rings",
        REQUEST => "request",
        STAND => "stands elsewhere",
        UP => "comes up",
        FAULT => "fault",
        ASKS => "client asks",
        ENDS => "client has done",
        _ => "",
    }
}
