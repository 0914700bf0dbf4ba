//! Whole commands, from the request to the bytes of the reply.

mod counters;
mod expiry;
mod keyspace;
mod scan;
mod script;
mod sorted_set_algebra;
mod sorted_set_model;
mod sorted_sets;
mod strings;
mod transactions;
