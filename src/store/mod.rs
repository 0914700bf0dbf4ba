//! The store: what the database holds, in memory.
//!
//! A [`keyspace::Keyspace`] is one database: the [`cell::Cell`]s in key [`order`], a hash [`index::Index`] to the same
//! cells, counters. A cell is one atomic [`word::Word`] that leads to the key's current immutable
//! [`version`], or to the [`descriptor::Descriptor`] of a transaction at work. Values that have parts, lists and the like,
//! are blocks in their version, or trees ([`mod@value`]). Whatever is replaced is freed through the epoch, so readers take no
//! lock and wait for nobody.
//!
//! The store knows no disk, no protocol, and no clock but as an argument; it never writes by itself. The engine above
//! is the only writer.

pub mod cell;
pub mod counter;
pub mod descriptor;
pub mod grace;
pub mod hash;
pub mod index;
#[cfg(all(test, feature = "shuttle"))]
pub(crate) mod interleavings;
pub mod keyspace;
pub mod order;
pub mod retired;
pub mod value;
pub mod version;
pub mod word;
