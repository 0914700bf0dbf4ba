//! Whole commands, from the request to the bytes of the reply.

mod counters;
mod expiry;
mod hash_expiry;
mod hashes;
mod keyspace;
mod lists;
mod migrate;
mod replication;
mod scan;
mod script;
mod sets;
mod sort;
mod sorted_set_algebra;
mod sorted_set_model;
mod sorted_sets;
mod strings;
mod together;
mod transactions;
mod transfer;
