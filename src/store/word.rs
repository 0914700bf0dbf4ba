//! The word of a cell: an address and a tag, changed together by one CAS.
//!
//! ```text
//! bits 0..48   address of the key's current version, or of the descriptor of a transaction at work
//! bit  48      DESCRIPTOR: the address is a descriptor's
//! bit  49      DEAD: sealed; the address is a tombstone's and the cell takes no version any more
//! bit  50      ARMED: a timer will look at the key
//! bits 51..64  count, raised whenever a descriptor leaves the cell
//! ```

const ADDRESS: u64 = (1 << 48) - 1;
const DESCRIPTOR: u64 = 1 << 48;
const DEAD: u64 = 1 << 49;
const ARMED: u64 = 1 << 50;
const COUNT_SHIFT: u32 = 51;
const COUNT: u64 = !0 << COUNT_SHIFT;

/// A value of a cell's word.
///
/// Two equal words seen under one guard mean the same version and no transaction in between: an address is not
/// reused while somebody who saw it is pinned, and a read-only pass of a transaction raises the count. (The count
/// wraps after 8,192 transactions on one cell between a load and its CAS with the same version all the while; a
/// transaction lasts longer than the few hundred nanoseconds that lie between the two.)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Word(pub u64);

impl Word {
    /// The word of a fresh cell.
    #[inline]
    pub fn of_version(address: u64) -> Self {
        debug_assert_eq!(address & !ADDRESS, 0, "user-space addresses have 48 bits");
        Self(address)
    }

    /// The address in the word.
    #[inline]
    pub fn address(self) -> u64 {
        self.0 & ADDRESS
    }

    /// Whether the address is a descriptor's.
    #[inline]
    pub fn is_descriptor(self) -> bool {
        self.0 & DESCRIPTOR != 0
    }

    /// Whether the cell is sealed.
    #[inline]
    pub fn is_dead(self) -> bool {
        self.0 & DEAD != 0
    }

    /// Whether a timer will look at the key.
    #[inline]
    pub fn is_armed(self) -> bool {
        self.0 & ARMED != 0
    }

    /// The successor that holds a version in the same cell.
    #[inline]
    #[must_use]
    pub fn with_version(self, address: u64) -> Self {
        debug_assert!(!self.is_dead(), "a sealed cell takes no version");
        let raised =
            if self.is_descriptor() { self.0.wrapping_add(1 << COUNT_SHIFT) & COUNT } else { self.0 & COUNT };
        Self(address | raised | self.0 & ARMED)
    }

    /// The successor that holds a descriptor in the same cell.
    #[inline]
    #[must_use]
    pub fn with_descriptor(self, address: u64) -> Self {
        Self(self.with_version(address).0 | DESCRIPTOR)
    }

    /// Whether no descriptor has left the cell since its word was `before`.
    #[inline]
    pub fn is_as_old_as(self, before: Self) -> bool {
        self.0 & COUNT == before.0 & COUNT
    }

    /// The same with the timer mark set or cleared.
    #[inline]
    #[must_use]
    pub fn with_armed(self, armed: bool) -> Self {
        Self(if armed { self.0 | ARMED } else { self.0 & !ARMED })
    }

    /// The same, sealed.
    #[inline]
    #[must_use]
    pub fn sealed(self) -> Self {
        Self(self.0 | DEAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_that_leaves_changes_the_word_though_the_version_stays() {
        let before = Word::of_version(0x7f00_0000_1000).with_armed(true);
        let held = before.with_descriptor(0x7f00_0000_2000);
        let after = held.with_version(before.address());
        assert!(held.is_descriptor() && !after.is_descriptor());
        assert_ne!(before, after);
        assert!(after.is_armed());
        assert_eq!(after.address(), before.address());
    }

    #[test]
    fn a_descriptor_that_another_replaces_has_left() {
        let before = Word::of_version(0x1000);
        let first = before.with_descriptor(0x2000);
        assert!(first.is_as_old_as(before));
        assert!(!first.with_descriptor(0x3000).is_as_old_as(before));
        assert!(!first.with_version(0x1000).is_as_old_as(before));
    }

    #[test]
    fn the_count_wraps_into_itself() {
        let mut word = Word::of_version(0x1000);
        for _ in 0..(1 << 13) {
            word = word.with_descriptor(0x2000).with_version(0x1000);
            assert!(!word.is_dead() && !word.is_armed() && !word.is_descriptor());
        }
        assert_eq!(word, Word::of_version(0x1000));
    }
}
