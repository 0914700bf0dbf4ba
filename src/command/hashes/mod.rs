//! Commands on hashes, and on when their fields end.
//!
//! | file | commands |
//! |---|---|
//! | [`read`] | HGET HMGET HGETALL HKEYS HVALS HLEN HSTRLEN HEXISTS |
//! | [`mod@write`] | HSET HMSET HSETNX HDEL |
//! | [`counters`] | HINCRBY HINCRBYFLOAT |
//! | [`scan`] | HSCAN |
//! | [`random`] | HRANDFIELD |
//! | [`taking`] | HGETDEL HGETEX |
//! | [`setex`] | HSETEX |
//! | [`expire`] | HEXPIRE HPEXPIRE HEXPIREAT HPEXPIREAT HPERSIST |
//! | [`ttl`] | HTTL HPTTL HEXPIRETIME HPEXPIRETIME |
//!
//! A field whose time has come is not there for any command, though HLEN counts it, as in Redis, until the thread that
//! removes such fields has come by, which takes a fraction of a second. No command removes it in passing but by
//! setting it anew; so whoever listens is told `hexpired` of every other, and the reply of a command depends on no
//! race.

pub mod counters;
pub mod expire;
pub mod fields;
pub mod random;
pub mod read;
pub mod scan;
pub mod setex;
pub mod taking;
pub mod ttl;
pub mod write;

use crate::command::bind::{Binding, plain};

/// Which function runs which command.
pub(super) const BINDINGS: &[(&str, Binding)] = &[
    ("hget", plain(read::hget)),
    ("hmget", plain(read::hmget)),
    ("hgetall", plain(read::hgetall)),
    ("hkeys", plain(read::hkeys)),
    ("hvals", plain(read::hvals)),
    ("hlen", plain(read::hlen)),
    ("hstrlen", plain(read::hstrlen)),
    ("hexists", plain(read::hexists)),
    ("hset", plain(write::hset)),
    ("hmset", plain(write::hmset)),
    ("hsetnx", plain(write::hsetnx)),
    ("hdel", plain(write::hdel)),
    ("hincrby", plain(counters::hincrby)),
    ("hincrbyfloat", plain(counters::hincrbyfloat)),
    ("hscan", plain(scan::hscan)),
    ("hrandfield", plain(random::hrandfield)),
    ("hgetdel", plain(taking::hgetdel)),
    ("hgetex", plain(taking::hgetex)),
    ("hsetex", plain(setex::hsetex)),
    ("hexpire", plain(expire::hexpire)),
    ("hpexpire", plain(expire::hpexpire)),
    ("hexpireat", plain(expire::hexpireat)),
    ("hpexpireat", plain(expire::hpexpireat)),
    ("hpersist", plain(expire::hpersist)),
    ("httl", plain(ttl::httl)),
    ("hpttl", plain(ttl::hpttl)),
    ("hexpiretime", plain(ttl::hexpiretime)),
    ("hpexpiretime", plain(ttl::hpexpiretime)),
];
