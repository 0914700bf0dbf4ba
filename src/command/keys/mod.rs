//! Commands on keys, whatever they hold, and on whole databases.
//!
//! | file | commands |
//! |---|---|
//! | [`presence`] | EXISTS TOUCH TYPE |
//! | [`delete`] | DEL UNLINK |
//! | [`expire`] | EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST |
//! | [`ttl`] | TTL PTTL EXPIRETIME PEXPIRETIME |
//! | [`rename`] | RENAME RENAMENX |
//! | [`transfer`] | COPY MOVE |
//! | [`list`] | KEYS |
//! | [`scan`] | SCAN |
//! | [`object`] | OBJECT |
//! | [`databases`] | DBSIZE RANDOMKEY FLUSHDB FLUSHALL SWAPDB |
//!
//! Each function is a [`Handler`](super::call::Handler). What takes time in proportion to the keys stored (KEYS, a
//! long SCAN) is bounded here or handed to a thread that may block.

pub mod databases;
pub mod delete;
pub mod expire;
pub mod filter;
pub mod list;
pub mod object;
pub mod presence;
pub mod rename;
pub mod scan;
pub mod transfer;
pub mod ttl;
pub mod types;
