//! What an item of an RDB file is that is no key: its first byte.

/// Number and sizes of a slot, of a cluster's file.
pub(super) const SLOT: u8 = 244;
/// A library of functions.
pub(super) const FUNCTIONS: u8 = 245;
/// What a module has to say besides its values.
pub(super) const MODULE: u8 = 247;
/// Seconds since the next key was used.
pub(super) const IDLE: u8 = 248;
/// How often the next key was used.
pub(super) const FREQUENCY: u8 = 249;
/// A name and a value about the file.
pub(super) const AUX: u8 = 250;
/// How many keys there are in the database, and how many of them expire.
pub(super) const SIZES: u8 = 251;
/// When the next key ends, in milliseconds.
pub(super) const EXPIRY: u8 = 252;
/// When the next key ends, in seconds.
pub(super) const EXPIRY_SECONDS: u8 = 253;
/// The database of the keys that follow.
pub(super) const DATABASE: u8 = 254;
/// The end, and since [`CHECKSUM_SINCE`] a checksum.
pub(super) const END: u8 = 255;

/// The version since which there is a checksum behind the end.
pub(super) const CHECKSUM_SINCE: u16 = 5;

/// What a part of a module's data is.
pub(super) const MODULE_END: u64 = 0;
pub(super) const MODULE_SIGNED: u64 = 1;
pub(super) const MODULE_UNSIGNED: u64 = 2;
pub(super) const MODULE_FLOAT: u64 = 3;
pub(super) const MODULE_DOUBLE: u64 = 4;
pub(super) const MODULE_STRING: u64 = 5;
