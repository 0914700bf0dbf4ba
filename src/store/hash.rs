//! The hash of a key: where the index keeps it and where SCAN meets it.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The seed of a database's key hashes; kept in its snapshot so that SCAN cursors survive a restart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HashSeed(pub u64);

impl HashSeed {
    /// Hashes a key (XXH3, 64 bits).
    #[inline]
    pub fn hash(self, key: &[u8]) -> KeyHash {
        KeyHash(xxh3_64_with_seed(key, self.0))
    }
}

/// A key's 64-bit hash. Its high bits choose the index slot, its low bits are the slot's tag.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyHash(pub u64);
