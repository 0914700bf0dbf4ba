//! The commands of replication: whom this server follows, who follows it, and how far each is.
//!
//! | file | owns |
//! |---|---|
//! | `gate` | what a batch may run: READONLY, MASTERDOWN, NOREPLICAS |
//! | `replicaof` | REPLICAOF, SLAVEOF |
//! | `role` | ROLE |
//! | `failover` | FAILOVER |
//! | `patience` | commands that wait for a position, and their answers |
//! | `wait` | WAIT, WAITAOF |
//! | `token` | tokens for reading one's own writes: LSN, WAITLSN, CLIENT TRACKLSN |
//! | `position` | how far this server is |
//! | `release` | blocked clients of a server that begins to follow |
//! | `peers` | FOLLOW; REPLCONF, PSYNC, SYNC, which are for Redis's own replicas |
//!
//! What follows and feeds is the layer above, known only as [`Upstream`](super::upstream::Upstream) and
//! [`Replicas`](super::replicas::Replicas). Its calls block, so they are left to a thread that may
//! ([`Later::Blocking`](super::call::Later)); inside MULTI they run once EXEC has taken effect, in the order of the
//! queue and before EXEC is answered.

mod failover;
mod gate;
mod patience;
mod peers;
mod position;
mod release;
mod replicaof;
mod role;
#[cfg(test)]
pub(super) mod stand_in;
mod token;
mod wait;

pub(super) use gate::{Gate, READONLY};
pub use patience::Patience;
pub(super) use position::applied;
pub use release::{is_to_release, release_blocked};
pub use replicaof::remember;
pub use token::{Token, TokenError};
pub(super) use token::{announce, client_tracklsn};

use crate::command::bind::{Binding, plain};

/// The functions of the commands of this group.
pub(super) const BINDINGS: &[(&str, Binding)] = &[
    ("replicaof", plain(replicaof::replicaof)),
    ("slaveof", plain(replicaof::replicaof)),
    ("role", plain(role::role)),
    ("failover", plain(failover::failover)),
    ("wait", plain(wait::wait)),
    ("waitaof", plain(wait::waitaof)),
    ("lsn", plain(token::lsn)),
    ("waitlsn", plain(token::waitlsn)),
    ("client|tracklsn", plain(client_tracklsn)),
    ("follow", plain(peers::follow)),
    ("replconf", plain(peers::refuse)),
    ("psync", plain(peers::refuse)),
    ("sync", plain(peers::refuse)),
];
