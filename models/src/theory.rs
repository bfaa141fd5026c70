//! Closed forms (placeholder).
