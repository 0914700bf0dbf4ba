//! log

pub mod lsn;
pub mod snapshot;
