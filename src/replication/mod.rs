//! Replication: following another server.

pub mod redis;
