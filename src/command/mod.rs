//! Commands: what each is (one table of them), and how a request becomes a reply.

pub mod introspect;
pub mod spec;
pub mod table;
