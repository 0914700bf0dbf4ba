//! GoRedis: a durable, replicated, Redis-compatible server.

pub mod cli;
pub mod client;
pub mod clock;
pub mod command;
pub mod engine;
pub mod glob;
pub mod log;
pub mod lsn;
pub mod resp;
pub mod server;
pub mod settings;
pub mod store;
pub mod sync;

pub use engine::Db;
