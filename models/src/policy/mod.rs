//! Passive policies: `now` in, decision out.
