//! Protocols, each a state machine in a file of its own that reads like its paper; what they run on is a [`cluster`](crate::cluster).

pub(crate) mod paxos;
pub(crate) mod primary_backup;
pub(crate) mod raft;

pub use paxos::Paxos;
pub use primary_backup::PrimaryBackup;
pub use raft::Raft;
