//! Commands: what each is (one table of them), and how a request becomes a reply.
//!
//! Request -> reply, without sockets and without disk.

pub mod account;
pub mod apply;
pub mod args;
pub mod bind;
pub mod blocking;
pub mod call;
pub mod clients;
pub mod connection;
pub mod context;
pub mod dispatch;
pub mod hashes;
pub mod introspect;
pub mod keys;
pub mod lineup;
pub mod lists;
pub mod pubsub;
pub mod replicas;
pub mod replication;
pub mod server;
pub mod session;
pub mod sets;
pub mod slowlog;
pub mod sort;
pub mod sorted_sets;
pub mod spec;
pub mod stats;
pub mod strings;
pub mod table;
mod together;
pub mod transactions;
pub mod transfer;
pub mod upstream;

#[cfg(test)]
mod tests;
