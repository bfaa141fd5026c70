//! Frozen samplers.
