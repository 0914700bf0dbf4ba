//! Commands on sorted sets.
//!
//! | file | owns |
//! |---|---|
//! | `add` | ZADD, ZINCRBY |
//! | `remove` | ZREM, ZREMRANGEBYRANK, ZREMRANGEBYSCORE, ZREMRANGEBYLEX |
//! | `lookup` | one member's score or rank, and counts |
//! | `ranges` | ZRANGE and its relatives, ZRANGESTORE |
//! | `pop` | ZPOPMIN, ZPOPMAX, ZMPOP |
//! | `algebra`, `request` | unions, intersections and differences |
//! | `random` | ZRANDMEMBER |
//! | `scan` | ZSCAN |
//! | `score`, `range` | what arguments mean |
//! | `answer`, `store` | members as a reply, and as a key's new value |

mod add;
mod algebra;
mod answer;
mod lookup;
mod pop;
mod random;
mod range;
mod ranges;
mod remove;
mod request;
mod scan;
pub(super) mod score;
mod store;

use crate::command::bind::{Binding, plain};

/// The functions of the commands of this group.
pub(super) const BINDINGS: &[(&str, Binding)] = &[
    ("zadd", plain(add::zadd)),
    ("zincrby", plain(add::zincrby)),
    ("zrem", plain(remove::zrem)),
    ("zremrangebyrank", plain(remove::zremrangebyrank)),
    ("zremrangebyscore", plain(remove::zremrangebyscore)),
    ("zremrangebylex", plain(remove::zremrangebylex)),
    ("zcard", plain(lookup::zcard)),
    ("zscore", plain(lookup::zscore)),
    ("zmscore", plain(lookup::zmscore)),
    ("zrank", plain(lookup::zrank)),
    ("zrevrank", plain(lookup::zrevrank)),
    ("zcount", plain(lookup::zcount)),
    ("zlexcount", plain(lookup::zlexcount)),
    ("zrange", plain(ranges::zrange)),
    ("zrevrange", plain(ranges::zrevrange)),
    ("zrangebyscore", plain(ranges::zrangebyscore)),
    ("zrevrangebyscore", plain(ranges::zrevrangebyscore)),
    ("zrangebylex", plain(ranges::zrangebylex)),
    ("zrevrangebylex", plain(ranges::zrevrangebylex)),
    ("zrangestore", plain(ranges::zrangestore)),
    ("zpopmin", plain(pop::zpopmin)),
    ("zpopmax", plain(pop::zpopmax)),
    ("zmpop", plain(pop::zmpop)),
    ("zunion", plain(algebra::zunion)),
    ("zinter", plain(algebra::zinter)),
    ("zdiff", plain(algebra::zdiff)),
    ("zunionstore", plain(algebra::zunionstore)),
    ("zinterstore", plain(algebra::zinterstore)),
    ("zdiffstore", plain(algebra::zdiffstore)),
    ("zintercard", plain(algebra::zintercard)),
    ("zrandmember", plain(random::zrandmember)),
    ("zscan", plain(scan::zscan)),
];
