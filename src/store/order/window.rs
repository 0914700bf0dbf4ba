//! Keys in order, told apart by a few bytes of each.
//!
//! A *window* is the eight bytes of a key behind what all keys of a group have in common. Only where windows are equal
//! are the keys themselves compared, which lie far away.

use std::cmp::Ordering;

/// The eight bytes of a key from `skip` on, so that they compare like the bytes; zeros where the key ends.
#[inline]
pub fn window(key: &[u8], skip: usize) -> u64 {
    let rest = key.get(skip..).unwrap_or_default();
    if let Some(bytes) = rest.first_chunk::<8>() {
        return u64::from_be_bytes(*bytes);
    }
    if let (Some(first), Some(last)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        let (first, last) = (u32::from_be_bytes(*first), u32::from_be_bytes(*last));
        return u64::from(first) << 32 | u64::from(last) << (64 - 8 * rest.len());
    }
    rest.iter().zip([56, 48, 40]).fold(0, |window, (&byte, shift)| window | u64::from(byte) << shift)
}

/// How many bytes two keys begin with in common.
pub fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Where a key is among keys in order: the index of its equal, or of the first greater one.
///
/// The first `skip` bytes of all keys are those of `low`; `windows` are theirs behind these, and `at` gives the keys
/// themselves.
#[inline]
pub fn place<'k>(
    windows: &[u64],
    skip: usize,
    low: &[u8],
    key: &[u8],
    at: impl Fn(usize) -> &'k [u8],
) -> Result<usize, usize> {
    match key[..skip.min(key.len())].cmp(&low[..skip]) {
        Ordering::Less => return Err(0),
        Ordering::Greater => return Err(windows.len()),
        Ordering::Equal => {}
    }
    let wanted = window(key, skip);
    let mut from = windows.partition_point(|&window| window < wanted);
    if windows.get(from) != Some(&wanted) {
        return Err(from);
    }
    let mut until = from + windows[from..].partition_point(|&window| window == wanted);
    while from < until {
        let middle = usize::midpoint(from, until);
        match at(middle).cmp(key) {
            Ordering::Less => from = middle + 1,
            Ordering::Equal => return Ok(middle),
            Ordering::Greater => until = middle,
        }
    }
    Err(from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    quickcheck! {
        fn windows_compare_like_keys(a: Vec<u8>, b: Vec<u8>, skip: usize) -> bool {
            let skip = skip % (common_prefix(&a, &b) + 1);
            match window(&a, skip).cmp(&window(&b, skip)) {
                Ordering::Equal => true,
                unequal => a.cmp(&b) == unequal,
            }
        }

        fn a_window_is_the_bytes_filled_up_with_zeros(key: Vec<u8>, skip: usize) -> bool {
            let skip = skip % (key.len() + 2);
            let bytes = key.iter().copied().skip(skip).chain(std::iter::repeat(0)).take(8);
            window(&key, skip) == bytes.fold(0, |window, byte| window << 8 | u64::from(byte))
        }

        fn finds_what_a_binary_search_finds(keys: Vec<Vec<u8>>, key: Vec<u8>, prefix: Vec<u8>, foreign: bool) -> bool {
            let mut keys: Vec<_> = keys.iter().map(|key| [&prefix[..], key].concat()).collect();
            keys.sort_unstable();
            keys.dedup();
            let Some((low, high)) = keys.first().zip(keys.last()) else { return true };
            let skip = common_prefix(low, high);
            let windows: Vec<_> = keys.iter().map(|key| window(key, skip)).collect();
            let key = if foreign { key } else { [prefix, key].concat() };
            let same = |key: &[u8]| {
                place(&windows, skip, low, key, |at| &keys[at]) == keys.binary_search_by(|other| other[..].cmp(key))
            };
            same(&key) && keys.iter().all(|key| same(key))
        }
    }
}
