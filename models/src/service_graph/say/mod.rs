//! What is said of a graph without running it: what it may not be, what it amounts to, and what it looks like.

pub mod check;
pub mod diagram;
mod doubts;
pub mod explain;
pub mod limits;
pub mod pages;
mod repairs;
mod requests;
pub mod seats;
mod versions;
