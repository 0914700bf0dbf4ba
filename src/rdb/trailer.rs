//! The end of a payload: what it was written for, and whether it is whole.
//!
//! ```text
//! offset  bytes
//!      0      2  version of the format, little-endian
//!      2      8  CRC-64 of all before it, the version included, little-endian
//! ```

use super::crc64::crc64;
use super::error::TrailerError;

const VERSION_BYTES: usize = 2;
const CHECKSUM_BYTES: usize = 8;

/// Latest version that Redis writes (8.8), and that is read. Of what 13 and 14 brought, nothing touches the types that
/// are read.
const REDIS_MAX: u16 = 14;
/// What Valkey 9 writes. It went to numbers that Redis will not reach.
const VALKEY: u16 = 80;

/// Who numbered the types in a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Redis, and Valkey before 9.
    Redis,
    /// Valkey.
    Valkey,
}

impl Dialect {
    /// That of a version of the format; none if it is not known.
    pub(super) fn of(version: u16) -> Option<Self> {
        match version {
            1..=REDIS_MAX => Some(Self::Redis),
            VALKEY => Some(Self::Valkey),
            _ => None,
        }
    }
}

/// Ends a payload.
pub(super) fn seal(payload: &mut Vec<u8>, version: u16) {
    payload.extend_from_slice(&version.to_le_bytes());
    let checksum = crc64(payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
}

/// What is before the end of a payload, and who wrote it.
///
/// # Errors
/// No end, a version that is not known, a checksum that is not that of the bytes.
pub(super) fn open(payload: &[u8]) -> Result<(&[u8], Dialect), TrailerError> {
    let short = TrailerError::Short(payload.len());
    let (signed, checksum) = payload.split_last_chunk::<CHECKSUM_BYTES>().ok_or(short)?;
    let (body, version) = signed.split_last_chunk::<VERSION_BYTES>().ok_or(short)?;
    let version = u16::from_le_bytes(*version);
    let dialect = Dialect::of(version).ok_or(TrailerError::Version(version))?;
    let (stored, computed) = (u64::from_le_bytes(*checksum), crc64(signed));
    if stored != computed {
        return Err(TrailerError::Checksum { stored, computed });
    }
    Ok((body, dialect))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(version: u16) -> Vec<u8> {
        let mut payload = b"body".to_vec();
        seal(&mut payload, version);
        payload
    }

    #[test]
    fn known_versions_are_opened_and_others_are_not() {
        for version in 0..=u16::MAX {
            let expected = match version {
                1..=14 => Ok((&b"body"[..], Dialect::Redis)),
                80 => Ok((&b"body"[..], Dialect::Valkey)),
                _ => Err(TrailerError::Version(version)),
            };
            assert_eq!(open(&sealed(version)), expected);
        }
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let payload = sealed(11);
        for at in 0..payload.len() {
            let mut changed = payload.clone();
            changed[at] ^= 0x01;
            assert!(open(&changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn what_is_shorter_than_a_trailer_has_none() {
        assert_eq!(open(b"123456789"), Err(TrailerError::Short(9)));
        assert_eq!(open(b""), Err(TrailerError::Short(0)));
        let mut empty = Vec::new();
        seal(&mut empty, 6);
        assert_eq!(open(&empty), Ok((&b""[..], Dialect::Redis)));
    }
}
