//! Commands: what each is (one table of them), and how a request becomes a reply.
//!
//! Request -> reply, without sockets and without disk.

pub mod call;
pub mod spec;
pub mod table;
