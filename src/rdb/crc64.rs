//! The checksum of payloads: the CRC-64 with the polynomial that David T. Jones proposed, reflected, from zero, not
//! inverted. `123456789` has `0xe9c6d914c4b8d9ca`.
//!
//! Eight bytes at a time ("slicing by eight"): a payload may be half a gigabyte.

/// The polynomial `0xad93d23594c935a9`, its bits in reverse.
const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

/// `TABLES[n][b]`: what byte `b` adds to the checksum when `n` more bytes of zero follow it.
static TABLES: [[u64; 256]; 8] = tables();

const fn tables() -> [[u64; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut cell = 256;
    while cell < 8 * 256 {
        let (zeros, byte) = (cell / 256, cell % 256);
        let crc = tables[zeros - 1][byte];
        tables[zeros][byte] = (crc >> 8) ^ tables[0][(crc & 0xff) as usize];
        cell += 1;
    }
    tables
}

/// The checksum of `bytes`.
pub(super) fn crc64(bytes: &[u8]) -> u64 {
    continued(0, bytes)
}

/// The checksum of bytes that have `crc`, and `bytes` behind them.
pub(super) fn continued(mut crc: u64, bytes: &[u8]) -> u64 {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let mixed = (crc ^ u64::from_le_bytes(*word)).to_le_bytes();
        let tables = TABLES.iter().rev();
        crc = mixed.iter().zip(tables).fold(0, |sum, (byte, table)| sum ^ table[usize::from(*byte)]);
        rest = after;
    }
    rest.iter().fold(crc, |crc, byte| (crc >> 8) ^ TABLES[0][usize::from(crc as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    #[test]
    fn the_check_value_is_that_of_redis() {
        assert_eq!(crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(crc64(b""), 0);
    }

    quickcheck! {
        fn a_checksum_goes_on_where_it_was(first: Vec<u8>, second: Vec<u8>) -> bool {
            continued(crc64(&first), &second) == crc64(&[first, second].concat())
        }

        fn eight_bytes_at_a_time_are_like_bit_by_bit(bytes: Vec<u8>) -> bool {
            let mut crc = 0_u64;
            for byte in &bytes {
                crc ^= u64::from(*byte);
                for _ in 0..8 {
                    crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
                }
            }
            crc64(&bytes) == crc
        }
    }
}
