//! Whole commands, from the request to the bytes of the reply.

mod counters;
mod expiry;
mod keyspace;
mod lists;
mod scan;
mod script;
mod strings;
mod transactions;
