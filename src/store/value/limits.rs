//! Up to which size a collection is packed.

/// A packed collection is never larger than this, whatever the settings say: each write copies it.
pub(super) const PACKED_BYTES_MAX: usize = 1024 * 1024;

/// How large a list may be as one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListLimit {
    /// Bytes.
    Bytes(usize),
    /// Elements.
    Elements(usize),
}

impl ListLimit {
    /// The limit that `list-max-listpack-size` means: elements, of which one always fits, or (negative) 4, 8, 16, 32 or
    /// 64 KiB.
    pub fn of_setting(setting: i64) -> Self {
        match setting {
            0.. => Self::Elements(setting.max(1) as usize),
            -4..0 => Self::Bytes(2048 << -setting),
            _ => Self::Bytes(65_536),
        }
    }

    /// Whether a list of so many elements and bytes is within a part (1 / `divisor`) of the limit.
    pub(super) fn allows(self, elements: usize, bytes: usize, divisor: usize) -> bool {
        bytes <= PACKED_BYTES_MAX
            && match self {
                Self::Bytes(max) => bytes <= max / divisor,
                // Why: so many elements in one block, but of ordinary length.
                Self::Elements(max) => elements <= max / divisor && bytes <= ELEMENTS_BYTES_MAX,
            }
    }
}

/// What a block that is limited by its elements may hold.
const ELEMENTS_BYTES_MAX: usize = 8192;

/// How many entries a packed collection may have, and how long they may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedLimit {
    /// Entries.
    pub entries: usize,
    /// Bytes of a member, field or value.
    pub value_bytes: usize,
}

impl PackedLimit {
    pub(super) fn allows(self, entries: usize, longest: usize, bytes: usize) -> bool {
        entries <= self.entries && longest <= self.value_bytes && bytes <= PACKED_BYTES_MAX
    }
}

/// The limits of all collections; Redis's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `hash-max-listpack-entries`, `-value`.
    pub hash: PackedLimit,
    /// `set-max-listpack-entries`, `-value`.
    pub set: PackedLimit,
    /// `set-max-intset-entries`.
    pub ints: usize,
    /// `zset-max-listpack-entries`, `-value`.
    pub sorted_set: PackedLimit,
    /// `list-max-listpack-size`.
    pub list: ListLimit,
}

impl Default for Limits {
    fn default() -> Self {
        let packed = PackedLimit { entries: 128, value_bytes: 64 };
        let hash = PackedLimit { entries: 512, ..packed };
        Self { hash, set: packed, ints: 512, sorted_set: packed, list: ListLimit::of_setting(-2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_of_lists_means_bytes_or_elements() {
        assert_eq!(ListLimit::of_setting(-1), ListLimit::Bytes(4096));
        assert_eq!(ListLimit::of_setting(-2), ListLimit::Bytes(8192));
        assert_eq!(ListLimit::of_setting(-5), ListLimit::Bytes(65_536));
        assert_eq!(ListLimit::of_setting(128), ListLimit::Elements(128));
        assert_eq!(ListLimit::of_setting(0), ListLimit::Elements(1));
    }
}
