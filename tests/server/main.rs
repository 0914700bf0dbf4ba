//! The built server as its users meet it: a process that is started, talked to over sockets, and killed.
//!
//! | module | shows |
//! |---|---|
//! | `protocol` | every way in which bytes may come, byte for byte |
//! | `commands`, `transactions`, `expiry`, `databases`, `introspection` | what commands answer |
//! | `pubsub`, `notifications` | who hears what, and when |
//! | `starting` | what stops a start, in one line; what does not |
//! | `restart` | that what was acknowledged is there again |
//! | `full_disk`, `large`, `many` | bad days: no room, huge values, ten thousand clients |
//! | `together` | pipelines about one key: their events, and clients that fight for it |
//! | `kill_rounds` | `kill -9` under load, again and again, against the clients' own records |
//! | `collections` | the same for lists, sets, hashes and sorted sets |
//! | `client_library` | the README's examples, for real |
//! | `redis_clients` | redis-cli, redis-benchmark and redis-py as they are |
//! | `replication` | replicas, and their bad days |
//! | `replica_rounds` | kills, cuts and changes of roles, a hundred times, against what WAIT had confirmed |
//! | `sentinel` | Redis's Sentinel, which fails over and takes back |

mod client_library;
mod collections;
mod commands;
mod databases;
mod expiry;
mod full_disk;
mod harness;
mod hashes;
mod introspection;
mod kill_rounds;
mod large;
mod many;
mod notifications;
mod protocol;
mod pubsub;
mod redis_clients;
mod replica_rounds;
mod replication;
mod restart;
mod sentinel;
mod starting;
mod together;
mod transactions;
mod transfer;
