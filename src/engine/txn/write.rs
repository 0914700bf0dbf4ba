//! Writing keys that hold strings, deleting keys and letting them end; into the attempt, to be published by `commit`.
//! Collections have a file of their own.

use crate::clock::Millis;
use crate::engine::DbIndex;
use crate::engine::effect::overwritten;
use crate::engine::txn::access::{Change, Write};
use crate::engine::txn::{Live, Txn, WrongType};
use crate::engine::usage::Use;
use crate::store::version::{Kind, OwnedVersion, Value, ValueRef, VersionPtr};

impl Txn<'_> {
    /// Sets a key.
    #[inline]
    pub fn put(&mut self, db: DbIndex, key: &[u8], value: Value<'_>, expiry: Option<Millis>) {
        let at = self.access(db, key);
        let version = OwnedVersion::new(key, Some(value), expiry, self.fresh_use(at));
        self.write(at, version, Change::Put);
    }

    /// Appends to a string, or makes it; the expiry stays. Gives the new length in bytes.
    ///
    /// # Errors
    /// [`WrongType`].
    pub fn append(&mut self, db: DbIndex, key: &[u8], suffix: &[u8]) -> Result<usize, WrongType> {
        let at = self.access(db, key);
        let Some(live) = self.live(at).map(Live::string).transpose()? else {
            self.put(db, key, Value::Str(suffix), None);
            return Ok(suffix.len());
        };
        let mut digits = itoa::Buffer::new();
        let mut bytes = Vec::with_capacity(live.value.len() + suffix.len());
        bytes.extend_from_slice(live.value.bytes(&mut digits));
        bytes.extend_from_slice(suffix);
        let len = bytes.len();
        self.edit(at, key, bytes, live.expiry, Change::Append { suffix_len: suffix.len() });
        Ok(len)
    }

    /// Overwrites part of a string, or makes it; zeros fill a gap, the expiry stays. Gives the new length in bytes.
    ///
    /// # Errors
    /// [`WrongType`].
    pub fn set_range(
        &mut self,
        db: DbIndex,
        key: &[u8],
        offset: usize,
        bytes: &[u8],
    ) -> Result<usize, WrongType> {
        let at = self.access(db, key);
        let live = self.live(at).map(Live::string).transpose()?;
        let mut digits = itoa::Buffer::new();
        let base = live.as_ref().map_or(&[][..], |live| live.value.bytes(&mut digits));
        let result = overwritten(base, offset, bytes);
        let len = result.len();
        let expiry = live.and_then(|live| live.expiry);
        let change = match live {
            Some(_) => Change::Overwrite(Box::new(offset..offset + bytes.len())),
            None => Change::Put,
        };
        self.edit(at, key, result, expiry, change);
        Ok(len)
    }

    fn edit(&mut self, at: usize, key: &[u8], bytes: Vec<u8>, expiry: Option<Millis>, change: Change) {
        let value = if bytes.len() > crate::store::version::SHARED_MIN_BYTES {
            Value::Shared(bytes.into())
        } else {
            Value::Raw(&bytes)
        };
        let version = OwnedVersion::new(key, Some(value), expiry, self.fresh_use(at));
        self.write(at, version, change);
    }

    /// Removes a key; tells whether it was there.
    pub fn delete(&mut self, db: DbIndex, key: &[u8]) -> bool {
        let at = self.access(db, key);
        if self.live(at).is_none() {
            return false;
        }
        self.write(at, OwnedVersion::new(key, None, None, 0), Change::Delete);
        true
    }

    /// Changes only the expiry of a key; tells whether it was there. A time that is not to come deletes the key.
    pub fn set_expiry(&mut self, db: DbIndex, key: &[u8], expiry: Option<Millis>) -> bool {
        let at = self.access(db, key);
        let Some(live) = self.live(at) else { return false };
        if expiry.is_some_and(|end| end <= self.terms.now) {
            return self.delete(db, key);
        }
        match live.value {
            ValueRef::String(string) => {
                let version = OwnedVersion::new(key, Some(string.to_value()), expiry, self.fresh_use(at));
                self.write(at, version, Change::Expire);
            }
            ValueRef::Collection(collection) => self.set_collection_expiry(at, key, collection, expiry),
        }
        true
    }

    /// Removes a key whose time has come; tells whether there was one.
    pub(in crate::engine) fn expire(&mut self, db: DbIndex, key: &[u8]) -> bool {
        let at = self.access(db, key);
        let Some(found) = self.accesses[at].found else { return false };
        if found.version.is_tombstone() || !found.version.is_absent(self.terms.now) {
            return false;
        }
        self.write(at, OwnedVersion::new(key, None, None, 0), Change::Delete);
        true
    }

    #[inline]
    pub(in crate::engine) fn fresh_use(&self, at: usize) -> u32 {
        let old = self.accesses[at].found.filter(|found| !found.version.is_tombstone());
        let word = old.map(|found| found.version.access().load(crate::sync::Ordering::Relaxed));
        self.engine.usage.fresh(word, self.terms.clock)
    }

    /// Puts a version in the place of what the attempt has of a key, which ends with it.
    #[inline]
    pub(in crate::engine) fn write(&mut self, at: usize, version: OwnedVersion, change: Change) {
        let access = &mut self.accesses[at];
        if access.write.is_none() && !access.found.is_some_and(|found| found.version.has_trees()) {
            *access.write = Some(Write { version, change, shown: false });
        } else {
            self.overwrite(at, version, change);
        }
    }

    fn overwrite(&mut self, at: usize, version: OwnedVersion, change: Change) {
        if let Some(trees) = self.accesses[at].current().and_then(VersionPtr::trees) {
            self.drop_trees(trees);
        }
        // Why a second write of a key is logged whole: its delta would refer to the first, which is not logged.
        let change = match (&*self.accesses[at].write, version.as_ptr().kind()) {
            (None, _) => change,
            (Some(_), Kind::Tombstone) => Change::Delete,
            (Some(_), _) => Change::Put,
        };
        self.hand_on(at, version, change);
    }

    /// Puts a version in the place of what the attempt has of a key, whose trees have got another owner.
    #[inline]
    pub(in crate::engine) fn hand_on(&mut self, at: usize, version: OwnedVersion, change: Change) {
        if let Some(group) = &mut self.group {
            group.rewrites += 1;
        }
        if let Some(replaced) = self.accesses[at].write.replace(Write { version, change, shown: false }) {
            replaced.discard();
        }
    }

    /// Says how a key that the attempt has written was used before, where that is what is counted.
    pub fn set_use(&mut self, db: DbIndex, key: &[u8], used: Use) {
        let at = self.access(db, key);
        if let Some(write) = &*self.accesses[at].write
            && let Some(word) = self.engine.usage.known(used, self.terms.clock)
        {
            // Relaxed: nobody else sees the version yet.
            write.version.as_ptr().access().store(word, crate::sync::Ordering::Relaxed);
        }
    }
}
