//! A durable, Redis-compatible server.
//!
//! A server that any Redis client can talk to, and that finds again what it acknowledged, however it died. The data
//! is in memory, in structures that no thread locks; every write is in an append-only log, mapped into memory, before
//! anybody can see it; the log is compacted into a snapshot while the server goes on, without a fork. The same engine
//! can be opened inside a program ([`Db`]), and there is a client library ([`client`]).
//!
//! # The layers
//!
//! Rooms follow the data: bytes in, frame, command, engine, store and log, bytes out. Each layer knows only those
//! below it.
//!
//! | layer | knows | does not know |
//! |---|---|---|
//! | [`server`] | sockets, connections, buffers, shutdown | keys, files |
//! | [`replication`] | serving the log to others, following another's | clients |
//! | [`command`] | the one table of commands; a request becomes a reply | sockets, files |
//! | [`engine`] | attempts, transactions, effects, recovery; the only writer of store and log | protocol |
//! | [`store`] | databases, keys, versions of values, in memory | files, protocol, the clock |
//! | [`mod@log`] | records, segments, the snapshot's file, syncing | what a record means |
//! | [`resp`] | bytes and frames of the protocol | everything else |
//!
//! [`settings`], [`clock`], [`glob`], [`lsn`], [`rdb`] and [`sync`] are leaves that any layer may use. [`cli`] is the
//! terminal's client. As a command returns a reply and touches no socket, a connection, a transaction, a test and a
//! program that embeds the engine all run the same code.
//!
//! # The life of a write
//!
//! `SET name "John Doe"` arrives on a connection:
//!
//! 1. **Read.** The connection's bytes are parsed where they lie; all requests that are complete make one batch, which
//!    shares one look at the clock and one pin of the epoch.
//! 2. **Run.** The command runs against an attempt ([`engine::Txn`]): it loads the key's cell through the hash index,
//!    and keeps what it wants to write to itself.
//! 3. **Reserve.** A compare-and-swap on the log's tail gives the record its place; the place is its LSN. The head is
//!    stored first, then the effects and their checksum. The record is *pending*.
//! 4. **Publish.** If nobody flushed the database meanwhile, one compare-and-swap of the cell puts the new version in
//!    the place of the old. Whoever loses it voids the record and runs the command again. A transaction over several
//!    keys publishes with one compare-and-swap too: that of its descriptor's status.
//! 5. **Commit.** The record is marked committed, then the version. Whoever meets the version before that marks the
//!    record first; so nothing that anybody has seen can be lost, and nobody waits.
//! 6. **Sync.** Another thread brings the log to stable storage: before the reply under `fsync always`, within about a
//!    second under `everysec`.
//! 7. **Reply.** All replies of the batch are written at once.
//! 8. **Compact.** When the log has outgrown the snapshot, all keys are walked and written to a new one while writes
//!    go on; what the log held before it is deleted.
//! 9. **Recover.** At the next start the snapshot is loaded by several threads, then the log from the snapshot's start
//!    is replayed. Records that were pending when the process died are void: nobody was told of them.
//!
//! Step 3 comes after the cell was loaded, so along one key the order of the log is the order of publication; step 4
//! comes after step 3, so what can be seen is in the log; step 5 has the helpers, so what was seen stays.
//!
//! # Promises
//!
//! 1. An acknowledged write survives the death of the process, whatever the fsync policy. Under `fsync always` it
//!    survives power loss as well. A kill followed by a reboot counts as power loss.
//! 2. Commands are linearizable, transactions serializable. The order of the log is a serialization order, so a log
//!    that was cut shows a state that was.
//! 3. No reader waits for a writer. Nothing stops the world: no snapshot, no large delete, no FLUSHALL, no expiry.
//! 4. Damage is found: a byte that was promised to be kept and changed is refused at the start, with its place and the
//!    tool that helps, never served.
//! 5. Whatever a client sends, it costs no more than the limits say, and nothing panics.
//!
//! What is not promised: a reply that did not come leaves open whether the write happened. Under `everysec` and `no`,
//! power loss takes what was not yet synced. Without `-persist` nothing outlives the process.

pub mod cli;
pub mod client;
pub mod clock;
pub mod command;
pub mod engine;
pub mod glob;
pub mod log;
pub mod lsn;
pub mod prefetch;
pub mod rdb;
pub mod replication;
pub mod resp;
pub mod server;
pub mod settings;
pub mod store;
pub mod sync;

pub use engine::Db;

/// The examples of the README, compiled with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
