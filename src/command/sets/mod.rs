//! Commands on sets.
//!
//! | file | commands |
//! |---|---|
//! | [`change`] | SADD SREM SMOVE |
//! | [`read`] | SISMEMBER SMISMEMBER SCARD SMEMBERS |
//! | [`random`] | SPOP SRANDMEMBER |
//! | [`algebra`] | SINTER SUNION SDIFF, each as it is and with STORE; SINTERCARD |
//! | [`scan`] | SSCAN |
//!
//! Members are answered and compared where they lie: nothing is copied but into the reply.

pub mod algebra;
pub mod change;
pub mod random;
pub mod read;
mod sample;
pub mod scan;

use crate::command::bind::{Binding, plain};

/// The functions of the commands of this group.
pub(super) const BINDINGS: &[(&str, Binding)] = &[
    ("sadd", plain(change::sadd)),
    ("srem", plain(change::srem)),
    ("smove", plain(change::smove)),
    ("sismember", plain(read::sismember)),
    ("smismember", plain(read::smismember)),
    ("scard", plain(read::scard)),
    ("smembers", plain(read::smembers)),
    ("spop", plain(random::spop)),
    ("srandmember", plain(random::srandmember)),
    ("sinter", plain(algebra::sinter)),
    ("sinterstore", plain(algebra::sinterstore)),
    ("sintercard", plain(algebra::sintercard)),
    ("sunion", plain(algebra::sunion)),
    ("sunionstore", plain(algebra::sunionstore)),
    ("sdiff", plain(algebra::sdiff)),
    ("sdiffstore", plain(algebra::sdiffstore)),
    ("sscan", plain(scan::sscan)),
];
