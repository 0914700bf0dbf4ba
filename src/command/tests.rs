//! Whole commands, from the request to the bytes of the reply.

mod counters;
mod expiry;
mod hash_expiry;
mod hashes;
mod keyspace;
mod migrate;
mod scan;
mod script;
mod strings;
mod transactions;
mod transfer;
