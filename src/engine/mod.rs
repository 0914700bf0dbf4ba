//! engine (interface; the bodies are on their way)
use crate::clock::Millis;
use crate::lsn::Lsn;
use crate::store::version::{Value, ValueRef};

/// Number of a database.
pub type DbIndex = u16;

/// One look at a live (present, unexpired) key. Valid as long as the attempt's guard.
#[derive(Clone, Copy)]
pub struct Live<'g> {
    /// The value.
    pub value: ValueRef<'g>,
    /// When it ends to be.
    pub expiry: Option<Millis>,
    /// The record that made it.
    pub lsn: Lsn,
}

/// The running database.
pub struct Engine;

/// One attempt at a command or transaction: reads see one state and the attempt's own writes.
///
/// The closure that is given a `Txn` may run several times; only the last run takes effect.
pub struct Txn<'g>(std::marker::PhantomData<&'g ()>);

/// What a key looks like from outside, for OBJECT and MEMORY.
#[derive(Clone, Copy, Debug)]
pub struct KeyInfo {
    /// Redis's name of the encoding: "int", "embstr", "raw".
    pub encoding: &'static str,
    /// Milliseconds... seconds since the last access (LRU clock).
    pub idle_seconds: u64,
    /// Logarithmic access counter.
    pub frequency: u8,
    /// Bytes that key, value and their share of the structures occupy.
    pub memory_bytes: usize,
}

#[expect(unused_variables, reason = "interface only")]
impl<'g> Txn<'g> {
    /// The attempt's time.
    pub fn now(&self) -> Millis { unimplemented!() }
    /// How many databases there are.
    pub fn databases(&self) -> DbIndex { unimplemented!() }
    /// Reads a key and counts it as used (unless the session says no-touch); counts keyspace hit/miss.
    pub fn get(&mut self, db: DbIndex, key: &[u8]) -> Option<Live<'g>> { unimplemented!() }
    /// Reads a key without counting it as used.
    pub fn peek(&mut self, db: DbIndex, key: &[u8]) -> Option<Live<'g>> { unimplemented!() }
    /// Sets a key.
    pub fn put(&mut self, db: DbIndex, key: &[u8], value: Value<'_>, expiry: Option<Millis>) { unimplemented!() }
    /// Appends to a string (expiry kept, logged as a delta); an absent key is made. Gives the new length. The caller has checked type and limit.
    pub fn append(&mut self, db: DbIndex, key: &[u8], suffix: &[u8]) -> usize { unimplemented!() }
    /// Overwrites part of a string, padding with zeros (expiry kept, logged as a delta). Gives the new length.
    pub fn set_range(&mut self, db: DbIndex, key: &[u8], offset: usize, bytes: &[u8]) -> usize { unimplemented!() }
    /// Removes a key; tells whether it was there.
    pub fn delete(&mut self, db: DbIndex, key: &[u8]) -> bool { unimplemented!() }
    /// Changes only the expiry of a present key; tells whether it was there. A time not after `now` deletes the key.
    pub fn set_expiry(&mut self, db: DbIndex, key: &[u8], expiry: Option<Millis>) -> bool { unimplemented!() }
    /// What OBJECT and MEMORY USAGE tell.
    pub fn key_info(&mut self, db: DbIndex, key: &[u8]) -> Option<KeyInfo> { unimplemented!() }
    /// Keys in a database (expired ones that are not removed yet included, as in Redis).
    pub fn len(&mut self, db: DbIndex) -> u64 { unimplemented!() }
    /// Empties one database, or all. Only in commands flagged to run alone.
    pub fn flush(&mut self, db: Option<DbIndex>) { unimplemented!() }
    /// Exchanges two databases. Only in commands flagged to run alone.
    pub fn swap(&mut self, a: DbIndex, b: DbIndex) { unimplemented!() }
    /// A random live key.
    pub fn random_key(&mut self, db: DbIndex) -> Option<Vec<u8>> { unimplemented!() }
    /// Visits about `count` keys in hash order from `cursor`; gives the next cursor, 0 at the end. Live keys only.
    pub fn scan(&mut self, db: DbIndex, cursor: u64, count: usize, visit: &mut dyn FnMut(&[u8], Live<'g>)) -> u64 { unimplemented!() }
    /// Visits live keys that start with `prefix` in key order until `visit` says false; tells whether it came to the end.
    /// Expired keys count towards nothing.
    pub fn keys(&mut self, db: DbIndex, prefix: &[u8], visit: &mut dyn FnMut(&[u8], Live<'g>) -> bool) -> bool { unimplemented!() }
}
impl Engine {
    /// As [`Txn::keys`], in slices that hold nothing for long; for a blocking thread.
    pub fn walk_keys(&self, db: DbIndex, prefix: &[u8], visit: &mut dyn FnMut(&[u8]) -> bool) { let _ = (db, prefix, visit); unimplemented!() }
}
