//! Which machine, which boot of it, and which file: how recovery tells a killed process from a lost machine.
//!
//! After a kill the page cache still holds every byte that was written; after anything else it may not. The
//! identity is stored with each durable mark and compared when the files are opened again.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;

/// The machine's boot and one file on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The kernel's random id of this boot; 0 is never equal to anything.
    pub boot: u128,
    /// Device of the file.
    pub device: u64,
    /// Inode of the file.
    pub inode: u64,
}

impl Identity {
    /// An identity that no file ever has: written where the next recovery must not trust the page cache.
    pub const DISOWNED: Self = Self { boot: 0, device: 0, inode: 0 };

    /// The identity of `file` under the boot `boot`.
    ///
    /// # Errors
    /// When the file's metadata cannot be read.
    pub fn of(file: &File, boot: u128) -> io::Result<Self> {
        Ok(Self::from_metadata(&file.metadata()?, boot))
    }

    /// The identity of the file that `metadata` describes.
    pub fn from_metadata(metadata: &Metadata, boot: u128) -> Self {
        Self { boot, device: metadata.dev(), inode: metadata.ino() }
    }

    /// Whether what `self` wrote is in the page cache that `now` sees.
    pub fn survives_as(&self, now: &Self) -> bool {
        self.boot != 0 && self == now
    }
}

/// The id of the running boot; 0 where the system has none, which makes every restart a lost machine.
pub fn boot_id() -> u128 {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map_or(0, |text| parse_boot_id(&text))
}

fn parse_boot_id(text: &str) -> u128 {
    let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
    u128::from_str_radix(&digits, 16).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_id_is_stable_and_known_here() {
        assert_eq!(boot_id(), boot_id());
        assert_eq!(
            parse_boot_id("9439a28d-0c66-4abb-8fce-98259a2cfab9\n"),
            0x9439_a28d_0c66_4abb_8fce_9825_9a2c_fab9
        );
        assert_eq!(parse_boot_id("no boot id"), 0);
    }

    #[test]
    fn an_unknown_boot_and_a_disowned_file_never_survive() {
        let unknown = Identity { boot: 0, device: 1, inode: 2 };
        assert!(!unknown.survives_as(&unknown));
        assert!(!Identity::DISOWNED.survives_as(&Identity::DISOWNED));
    }

    #[test]
    fn a_copy_is_another_file() {
        let (a, b) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let (a, b) = (Identity::of(&a, 7).unwrap(), Identity::of(&b, 7).unwrap());
        assert!(a.survives_as(&a));
        assert!(!a.survives_as(&b));
        assert!(!a.survives_as(&Identity { boot: 8, ..a }));
    }
}
